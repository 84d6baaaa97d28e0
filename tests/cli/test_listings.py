"""What lists print on a terminal of 80 columns, and into a pipe."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.cli._context import Environment
from forecast.cli._questions_view import COLUMNS, question_lines
from forecast.cli._text import record_lines
from forecast.evaluation.score_table import late_forecasts
from forecast.jobs.questions import record
from forecast.jobs.questions.freeze import omitted_questions, read_question_ledger
from forecast.workspace import Workspace
from tests.conftest import NOW
from tests.support.ledgers import FIRST, SECOND, published

type Command = Callable[..., Result]
Q = "reach-4-12m@2026-06"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace with one published run, and priors and data that nobody reads."""
    for name in ("data", "priors"):
        (tmp_path / "place" / name).mkdir(parents=True)
    published(tmp_path / "place" / "reports")
    return tmp_path / "place"


def questions(place: Path, *words: str, now: datetime = NOW) -> Result:
    environment = Environment(clock=lambda: now, environ={}, cwd=place)
    return CliRunner().invoke(main, ["questions", *words], obj=environment, prog_name="forecast")


def on_a_terminal(*words: str, columns: int = 80) -> list[str]:
    """The lines that the command prints on a terminal so wide, in a process of its own."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    process = subprocess.Popen([sys.executable, "-m", "forecast", *words], stdout=theirs, stderr=theirs, stdin=theirs, env=environ)
    os.close(theirs)
    parts = []
    try:
        while part := os.read(ours, 65_536):
            parts.append(part)
    except OSError:  # the process has ended
        pass
    os.close(ours)
    assert process.wait(60) == 0, parts
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", b"".join(parts).decode()).replace("\r", "").split("\n")


def test_questions_stand_under_what_they_ask(place: Path) -> None:
    today = NOW.date()
    book = read_question_ledger(place / "reports")
    chosen = sorted(book.questions.values(), key=lambda q: q.resolves)
    lines = question_lines(chosen, today, 80)
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    at = lines.index(next(line for line in lines if line.startswith("  reach-4-12m")))
    heading = next(line for line in reversed(lines[:at]) if line and not line.startswith(" "))
    assert heading == "Level reached within 12 months, July 2026 to June 2027; resolves on 2027-08-29"
    assert lines[at].endswith("level 4, covert action or higher")
    for q in chosen:
        assert sum(line.split()[:1] == [q.id] for line in lines) == 1
        if q.level is None:
            assert " ".join(q.text.split()) in text, "a question is never cut"


def test_columns_that_say_nothing_are_left_out(place: Path) -> None:
    reports = place / "reports"

    def header() -> set[str]:
        lines = question_lines(list(read_question_ledger(reports).questions.values()), NOW.date(), 80)
        return {word for line in lines if line.startswith("  question ") for word in line.split()}

    assert header() == {"question", "model", "asks"}
    record.record_prediction(reports, Q, 0.2, "ann", None, NOW)
    assert header() == {"question", "model", "persons", "asks"}
    record.record_resolution(reports, Q, True, about="known", source="s", day="2026-11-20", by="ann", why=None, settles=None, now=NOW)
    assert header() == {"question", "model", "persons", "state", "asks"}


def test_questions_in_a_pipe_are_rows_of_the_same_columns(place: Path) -> None:
    rows = [line.split("\t") for line in questions(place, "list").stdout.splitlines()]
    assert tuple(rows[0]) == COLUMNS
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert len(rows) == 1 + len(read_question_ledger(place / "reports").questions)
    assert not any("…" in cell for row in rows for cell in row)


def test_the_questions_of_an_old_origin_that_are_missing_are_explained(place: Path) -> None:
    result = questions(place, "list")
    said = " ".join(result.stderr.split())
    assert re.search(r"Not in the ledger: .* of 3 months from the origin June 2026; the last ended in September 2026", said)
    assert "covered_through of events.csv" in said
    (left,) = json.loads(questions(place, "list", "--json").stdout)["left_out"]
    assert (left["run_id"], left["horizon_months"], left["window_end"]) == (FIRST, 3, "2026-09")
    ids = {q["id"] for q in json.loads(questions(place, "list", "--all", "--json").stdout)["questions"]}
    assert not any("-3m@" in id_ for id_ in ids)
    assert questions(place, "list", "reach-4").stderr == ""
    assert questions(place, "list", "--due").stderr == ""


def test_nothing_is_missing_of_a_new_origin(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    published(reports, origin="2026-10")
    assert omitted_questions(reports, read_question_ledger(reports)) == ()


def test_a_damaged_run_leaves_the_ledger_readable(place: Path) -> None:
    (place / "reports" / FIRST / "report.json").write_text("{}")
    result = questions(place, "list")
    assert result.exit_code == 0
    assert Q in result.stdout
    assert "report.json" in result.stderr


def test_the_score_says_which_numbers_came_too_late(place: Path) -> None:
    reports = place / "reports"
    later = NOW + timedelta(days=100)
    record.add_question(reports, "pact", "Is there a pact?", datetime(2027, 6, 30, tzinfo=UTC).date(), "ann", None, NOW)
    record.record_prediction(reports, "pact", 0.2, "ann", None, NOW)
    record.record_prediction(reports, "pact", 0.3, "ann", None, later)
    record.record_prediction(reports, "pact", 0.9, "bob", None, later)
    assert late_forecasts(read_question_ledger(reports)) == ()
    record.record_resolution(
        reports, "pact", True, about="known", source="s", day="2027-01-05", by="ann", why=None, settles=None, now=later
    )
    found = {x.author: x for x in late_forecasts(read_question_ledger(reports))}
    assert {name: (x.question, len(x.entries), x.public, x.scored) for name, x in found.items()} == {
        "ann": ("pact", 1, "2027-01-05", True),
        "bob": ("pact", 1, "2027-01-05", False),
    }
    result = questions(place, "score", now=later)
    said = " ".join(result.stdout.split())
    assert "Entered too late to be scored" in said
    assert "bob on pact: entry 5, from 2027-03-04 on; public on 2027-01-05; no earlier probability can be scored." in said
    assert "ann on pact: entry 4, from 2027-03-04 on; public on 2027-01-05; an earlier probability is scored." in said
    assert max(map(len, result.stdout.splitlines())) <= 80
    document = json.loads(questions(place, "score", "--json", now=later).stdout)
    assert [(x["author"], x["entries"], x["scored"]) for x in document["too_late"]] == [("ann", [4], True), ("bob", [5], False)]


def test_what_the_model_said_after_the_answer_is_named_too(place: Path) -> None:
    reports = place / "reports"
    record.record_resolution(reports, Q, True, about="known", source="s", day="2026-11-24", by="ann", why=None, settles=None, now=NOW)
    published(reports, SECOND)
    (found,) = late_forecasts(read_question_ledger(reports))
    assert (found.question, found.author, found.scored) == (Q, "model", True)


def test_a_disputed_question_has_nothing_too_late_yet(place: Path) -> None:
    reports = place / "reports"
    later = NOW + timedelta(days=1)
    record.record_prediction(reports, Q, 0.9, "bob", None, later)
    record.record_resolution(reports, Q, True, about="known", source="s", day="2026-11-24", by="ann", why=None, settles=None, now=later)
    assert [x.author for x in late_forecasts(read_question_ledger(reports))] == ["bob"]
    record.record_dispute(reports, Q, 3, "carl", "No.", later)
    assert late_forecasts(read_question_ledger(reports)) == ()


def test_a_single_row_is_shown_in_full() -> None:
    row = {"id": "A061", "count": None, "why": "word " * 60, "url": "https://example.org/" + "a-b/" * 10}
    lines = record_lines(("id", "count", "why", "url"), row, 80)
    assert max(map(len, lines)) <= 80
    assert "count" in lines
    text = " ".join(" ".join(lines).split())
    assert text == f"id A061 count why {' '.join(['word'] * 60)} url {row['url']}"


@pytest.mark.slow
def test_a_single_row_fills_a_terminal_and_many_are_a_table(workspace: Workspace) -> None:
    root = str(workspace.data.parent)
    one = on_a_terminal("data", "show", "events", "--where", "id=A061", "--workspace", root)
    assert [line.split()[0] for line in one if line and line[0] != " "][:2] == ["id", "date"]
    assert not any("…" in line for line in one)
    assert max(map(len, one)) <= 80
    many = on_a_terminal("data", "show", "events", "--limit", "3", "--workspace", root)
    assert len([line for line in many if line.strip()]) == 4
    assert max(map(len, many)) <= 80


LISTS = [("scenario", "list"), ("data", "sources"), ("data", "show"), ("priors", "list"), ("data", "pull", "--dry-run")]


@pytest.mark.slow
@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_lists_fit_a_terminal_of_80_columns(workspace: Workspace, words: tuple[str, ...]) -> None:
    lines = on_a_terminal(*words, "--workspace", str(workspace.data.parent))
    assert max(map(len, lines)) <= 80
    assert len(lines) > 3


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_lists_in_a_pipe_have_all_columns_and_are_never_cut(workspace: Workspace, command: Command, words: tuple[str, ...]) -> None:
    printed = command(*words, "--workspace", workspace.data.parent, environ={"COLUMNS": "30"}).stdout
    rows = [line.split("\t") for line in printed.splitlines()]
    assert len({len(row) for row in rows}) == 1
    assert len(rows[0]) > 3
    assert "…" not in printed


@pytest.mark.slow
def test_names_that_are_to_be_typed_again_are_not_cut(workspace: Workspace) -> None:
    root = str(workspace.data.parent)
    names = [line.split()[0] for line in on_a_terminal("scenario", "list", "--workspace", root)[1:] if line[:1].isalpha()]
    assert "concessions-deemed-sufficient" in names
    series = [line.split()[0] for line in on_a_terminal("data", "sources", "--workspace", root)[1:] if line.strip()]
    assert "us_statutory_tariff_on_mexico" in series
