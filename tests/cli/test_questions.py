"""`forecast questions` from end to end, by a clock that moves."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.cli._context import Environment
from forecast.cli._questions_view import question_lines
from forecast.jobs.questions import record
from forecast.jobs.questions.freeze import read_question_ledger
from forecast.runs import ledger, publication_lock
from forecast.workspace import Workspace
from tests.conftest import NOW
from tests.support.ledgers import SECOND, published

type Command = Callable[..., Result]
Q = "reach-4-12m@2026-06"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace with one published run, and priors and data that nobody reads."""
    for name in ("data", "priors"):
        (tmp_path / "place" / name).mkdir(parents=True)
    published(tmp_path / "place" / "reports", chances={"reach-4-12m": 0.04})
    return tmp_path / "place"


@pytest.fixture
def questions(place: Path) -> Command:
    """`questions("list", now=…)` runs `forecast questions list` by that clock."""

    def run(*words: str, now: datetime = NOW) -> Result:
        environment = Environment(clock=lambda: now, environ={}, cwd=place)
        return CliRunner().invoke(main, ["questions", *words], obj=environment, prog_name="forecast")

    return run


def test_a_question_from_asking_to_its_score(questions: Command) -> None:
    later = NOW + timedelta(days=300)
    said = questions("add", "pact", "Is there a pact?", "--date", "2027-03-01", "--by", "ann", "--link", "https://example.org")
    assert said.stdout.splitlines()[0] == "pact is added; it resolves on 2027-03-01. Entry 2 of the ledger."
    hope = questions("predict", "pact", "25%", "--by", "bob", "--why", "Hope").stdout
    assert hope.splitlines()[0] == "Recorded: bob, 25 %, pact. Entry 3 of the ledger."
    assert questions("predict", "reach-4-12m", "0.1", "--by", "bob").exit_code == 0
    yes = ("--source", "The treaty", "--date", "2027-02-28", "--by", "ann")
    assert questions("resolve", "pact", "yes", *yes, now=later).exit_code == 0
    no = ("--source", "Nothing was found", "--date", "2027-08-29", "--by", "ann")
    assert questions("resolve", Q, "no", *no, now=later).exit_code == 0
    shown = questions("list", "pact", now=later).stdout
    assert shown.startswith(
        "pact: resolved: yes\nIs there a pact?\nResolves on 2027-03-01.\nAdded by ann on 2026-11-24: https://example.org.\n"
    )
    assert "bob 25 %: Hope" in shown
    assert "resolved yes by ann: The treaty" in shown
    score = questions("score", now=later).stdout
    assert "2 resolved" in score
    assert "Level reached within 12 months; 1 separate window\n" in score
    assert "Questions of persons; 1 separate window\n" in score
    document = json.loads(questions("score", "--json", now=later).stdout)
    briers = {(row["kind"], row["author"]): row["scores"]["brier"]["mean"] for row in document["scores"]}
    assert briers["own", "bob"] == pytest.approx(0.5625)
    assert briers["reached_by", "bob"] == pytest.approx(0.01)
    assert briers["reached_by", "model"] == pytest.approx(0.0016)
    assert briers["reached_by", "persistence"] == pytest.approx(0.01)
    assert questions("verify").exit_code == 0


def test_what_is_open_due_and_resolved(questions: Command) -> None:
    def ids(*words: str, now: datetime = NOW) -> set[str]:
        return {q["id"] for q in json.loads(questions("list", *words, "--json", now=now).stdout)["questions"]}

    later = datetime(2027, 8, 30, tzinfo=UTC)
    assert Q in ids()
    assert "reach-4-3m@2026-06" not in ids(), "its window had ended"
    assert ids("--due") == set()
    assert Q in ids("--due", now=later)
    assert "reach-4-24m@2026-06" not in ids("--due", now=later)
    questions("resolve", Q, "no", "--source", "s", "--date", "2027-08-29", "--by", "ann", now=later)
    assert Q not in ids(now=later)
    assert Q in ids("--all", now=later)
    assert ids("reach-4", now=later) == {"reach-4-6m@2026-06", Q, "reach-4-24m@2026-06"}
    (found,) = json.loads(questions("list", Q, "--json", now=later).stdout)["questions"]
    assert (found["state"], found["model"], found["baselines"]) == ("resolved", 0.04, {"persistence": 0.1, "climatology": 0.2})
    assert found["resolutions"][0]["outcome"] is False


def test_a_resolution_is_disputed_and_settled(questions: Command) -> None:
    now = datetime(2027, 2, 1, tzinfo=UTC)
    source = ("--source", "One outlet", "--by", "ann", "--date", "2027-01-05")
    first = json.loads(questions("resolve", Q, "yes", *source, "--json", now=now).stdout)["entry"]
    again = questions("resolve", Q, "no", *source, now=now)
    assert again.exit_code == 2
    assert again.stderr.strip().endswith(f"--disputes {first}.")
    said = questions("resolve", Q, "--disputes", str(first), "--by", "carl", "--why", "Nobody confirmed it.", now=now)
    assert said.stdout.splitlines()[0].startswith(f"Entry {first} is disputed; to resolve {Q} again")
    assert "disputed: yes" in questions("list", Q, now=now).stdout
    over = str(first + 1)
    assert questions("resolve", Q, "yes", *source, now=now).exit_code == 2
    settled = questions("resolve", Q, "yes", "--source", "A court", "--date", "2027-01-20", "--by", "ann", "--settles", over, now=now)
    assert settled.exit_code == 0
    assert "resolved: yes" in questions("list", Q, now=now).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("predict", Q, "certain", "--by", "ann"), "write 0.05 or 5%"),
        (("predict", Q, "150%", "--by", "ann"), "not between 0 and 1"),
        (("predict", Q, "0.5"), "--by"),
        (("predict", "reach", "0.5", "--by", "ann"), "may mean"),
        (("resolve", Q, "maybe", "--source", "s", "--date", "2026-11-24", "--by", "ann"), "write yes or no"),
        (("resolve", Q, "yes", "--date", "2026-11-24", "--by", "ann"), "--source and --date"),
        (("resolve", Q, "yes", "--source", "s", "--by", "ann"), "--source and --date"),
        (("resolve", Q, "yes", "--source", "s", "--date", "24.11.2026", "--by", "ann"), "is not a day"),
        (("resolve", Q, "no", "--source", "s", "--date", "2026-11-24", "--by", "ann"), "Only a yes may come before 2027-08-29"),
        (("resolve", Q, "yes", "--disputes", "1", "--by", "ann"), "only with --why and --by"),
        (("add", "pact", "?", "--date", "soon", "--by", "ann"), "not a date of the form"),
        (("resolve", Q, "yes", "--source", "s", "--date", "0001-01-01T00:00+14:00", "--by", "ann"), "is not a day"),
        (("resolve", Q, "yes", "--source", "s", "--date", "9999-12-31T23:00-14:00", "--by", "ann"), "is not a day"),
        (("resolve", Q, "9" * 5000, "--source", "s", "--date", "2026-11-24", "--by", "ann"), "is not an outcome; write yes or no"),
        (("verify", "--head", "9" * 5000 + "-abcdef12"), "have the form of a head"),
        (("list", "nothing"), "is not a question"),
        (("verify", "--head", "12"), "have the form of a head"),
        (("edit", Q), "No such command"),
    ],
)
def test_what_is_wrong_is_said_and_writes_nothing(questions: Command, place: Path, words: tuple[str, ...], said: str) -> None:
    result = questions(*words)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert len(ledger.read(place / "reports")) == 1


def test_damage_is_told_by_every_command(questions: Command, place: Path) -> None:
    (place / "reports" / "ledger" / "000001-forecast.json").write_text("{}")
    for words in (("list",), ("score",), ("predict", Q, "0.1", "--by", "ann"), ("verify",), ("verify", "--json")):
        result = questions(*words)
        assert result.exit_code == 7, words
        assert "000001-forecast.json cannot be trusted" in result.stderr
    assert json.loads(questions("verify", "--json").stdout)["problems"] != []


def test_a_head_is_printed_and_found_again(questions: Command, place: Path) -> None:
    head = questions("verify").stdout.splitlines()[1].removeprefix("Head: ")
    questions("predict", Q, "0.1", "--by", "ann")
    assert questions("verify", "--head", head).exit_code == 0
    assert questions("verify", "--head", head[:14]).exit_code == 0
    result = questions("verify", "--head", "1-" + "0" * 64)
    assert result.exit_code == 7
    assert "does not contain the head given" in result.stderr


def test_an_empty_ledger_is_no_failure(command: Command, workspace: Workspace) -> None:
    cwd = workspace.data.parent
    assert command("questions", "list", cwd=cwd).stdout.startswith("The ledger has no question yet")
    assert "No question that was answered in time is resolved yet" in command("questions", "score", cwd=cwd).stdout
    assert command("questions", "verify", cwd=cwd).stdout == "The ledger is sound: 0 entries, 0 of them compared with their runs.\n"
    assert not (workspace.reports / "ledger").exists()


def test_lines_fit_a_terminal(questions: Command, place: Path) -> None:
    later = NOW + timedelta(days=1000)
    reports = place / "reports"
    published(reports, SECOND, chances={"reach-4-12m": 0.02}, priors="b" * 64)
    for asked in [q for q in read_question_ledger(reports).questions.values() if q.horizon == 12 and q.level in (None, 4, 5)]:
        record.record_prediction(reports, asked.id, 0.2, "a person with quite a long name", "word " * 40, NOW)
        resolution = {"about": "known", "source": "s" * 30, "day": asked.resolves.isoformat(), "by": "ann", "why": None, "settles": None}
        record.record_resolution(reports, asked.id, 2 if asked.kind == "count" else False, now=later, **resolution)
    assert max(map(len, question_lines(list(read_question_ledger(reports).questions.values()), later.date(), 80))) <= 80
    for words in (("list", Q), ("score",), ("verify",)):
        result = questions(*words, now=later)
        assert result.exit_code == 0, result.stderr
        long = [line for line in (result.stdout + result.stderr).splitlines() if len(line) > 80]
        assert long == []


def test_a_number_is_recorded_while_a_refit_holds_the_lock(questions: Command, place: Path) -> None:
    with publication_lock.publisher(place / "reports", "forecast refit", NOW):
        assert questions("predict", Q, "0.1", "--by", "ann").exit_code == 0


@pytest.mark.slow
def test_twenty_people_at_once_are_all_heard(place: Path) -> None:
    def start(i: int) -> subprocess.Popen[str]:
        words = ["questions", "predict", Q, f"0.{i:02d}", "--by", f"person {i}", "--workspace", str(place)]
        return subprocess.Popen([sys.executable, "-m", "forecast", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    people = [start(i) for i in range(1, 21)]
    for person in people:
        said = person.communicate()
        assert person.returncode == 0, said
    assert ledger.verify(place / "reports") == ()
    entries = ledger.read(place / "reports")
    assert len(entries) == 21
    assert {entry.content["by"] for entry in entries[1:]} == {f"person {i}" for i in range(1, 21)}
