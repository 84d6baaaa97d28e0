"""`forecast data add`: asked on a terminal, told by flags, or handed a file; shown before it is written; refused in words."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forecast.cli import data_add, main
from forecast.cli._context import Environment
from forecast.data.read import read_data
from tests.conftest import NOW
from tests.support.data_editing import BUNDLED, snapshot

type Command = Callable[..., Result]

CLAIM = (
    "--start", "2026-04", "--level", "3", "--published", "2026-06-30", "--stance", "documented", "--confidence", "low", "--why", "Seen",
)  # fmt: skip
POLL = (
    "--pollster", "Reforma", "--topic", "mx_us_troops", "--wording", "force_unqualified", "--field-start", "2026-05", "--field-end",
    "2026-05", "--opposed-pct", "61", "--use", "yes", "--source", "x", "--confidence", "high", "--question", "Troops?",
)  # fmt: skip
MEASURE = (
    "--family", "B", "--role", "pressure", "--date", "2026-06-20", "--published", "2026-06-20", "--instrument", "tariff", "--kind",
    "measure", "--intensity", "4", "--evidence", "source_read", "--confidence", "high", "--source", "x", "--description", "All goods",
)  # fmt: skip


def test_flags_and_yes_write_one_row(command: Command, root: Path) -> None:
    before = snapshot(root)
    result = command("data", "add", "claim", *CLAIM, "--yes", cwd=root)
    assert result.exit_code == 0, result.stderr
    assert "OC34,2026-04,,3,2026-06-30,,documented,,low,Seen" in result.stdout
    assert "main: 2026-04 to 2026-06 from level 2 to 3." in result.stdout
    assert "Added OC34 to outcome_claims.csv." in result.stdout
    after = snapshot(root)
    assert after["outcome_claims.csv"] == before["outcome_claims.csv"] + b"OC34,2026-04,,3,2026-06-30,,documented,,low,Seen\n"
    assert {f for f in after if after[f] != before[f]} == {"outcome_claims.csv"}


def test_json_has_the_row_and_what_it_changes(command: Command, root: Path) -> None:
    plan = json.loads(command("data", "add", "event", *MEASURE, "--yes", "--json", cwd=root).stdout)
    [row] = plan["rows"]
    assert (plan["file"], plan["written"], plan["covered_through"], plan["origin"]) == ("events.csv", True, None, ["2026-06", "2026-06"])
    assert (row["row"]["id"], row["row"]["channel"], row["row"]["intensity"], row["row"]["until"]) == ("B104", "economic", 4, None)
    assert (root / "data/events.csv").read_text(encoding="utf-8").split("\n")[row["line"] - 1] == row["text"]
    assert row["similar"] == ["B084"]
    effects = row["effects"]
    assert (effects["stream"], effects["counted"], effects["concession"], effects["mobilisation"]) == (
        "measure.economic",
        ["new-tariff"],
        False,
        False,
    )


def test_dry_run_writes_nothing(command: Command, root: Path) -> None:
    before = snapshot(root)
    result = command("data", "add", "poll", *POLL, "--dry-run", cwd=root)
    assert result.exit_code == 0
    assert "Used: 64.9 % opposed" in result.stdout
    assert "600 are assumed" in result.stdout
    assert json.loads(command("data", "add", "poll", *POLL, "--dry-run", "--json", cwd=root).stdout)["written"] is False
    assert snapshot(root) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("event", "--family", "A", "--yes"),
            "Missing: --role, --date, --published, --channel, --evidence, --confidence, --source, --desc",
        ),
        (("event", "--family", "A", "--role", "decision", "--yes"), "--direction, --operation-level"),
        (("poll", "--yes"), "Missing: --pollster, --topic, --field-start, --field-end"),
        (("claim", *CLAIM[:-2]), "Missing: --why"),
        (("claim", *CLAIM), "Add --yes to write it, or --dry-run"),
        (("claim", "--from", "new.csv", "--level", "3", "--yes"), "Leave out --level"),
        (("claim", "--from", "nothing.csv", "--yes"), "There is no file"),
        (("claim", *CLAIM, "--yes", "--covered-through", "2026-06-30"), "has already been read through 2026-06-30"),
        (("claim", *CLAIM, "--yes", "--covered-through", "2026-11-25"), "in the future"),
        (("claims",), "Did you mean"),
        (("claim", "--as-of", "2025-06-30"), "No such option '--as-of'"),
    ],
)
def test_what_is_missing_or_wrong_in_the_command_is_named(command: Command, root: Path, words: tuple[str, ...], said: str) -> None:
    before = snapshot(root)
    result = command("data", "add", *words, cwd=root)
    assert result.exit_code == 2, result.stderr
    assert said in " ".join(result.stderr.split())
    assert snapshot(root) == before


def test_a_bad_row_is_refused_with_its_place(command: Command, root: Path) -> None:
    before = snapshot(root)
    result = command("data", "add", "event", *MEASURE, "--intensity", "9", "--yes", cwd=root)
    assert result.exit_code == 3
    assert "events.csv, line 229, column intensity: found '9'; expected a value ≤ 5." in result.stderr
    (root / "new.csv").write_text("start,level\n2026-04,3\n2026-13,3\n", encoding="utf-8")
    result = command("data", "add", "claim", "--from", "new.csv", "--yes", cwd=root)
    assert result.exit_code == 3
    assert "new.csv, line 3, column start" in result.stderr
    assert "new.csv, line 2, column why: found nothing" in result.stderr
    late = command("data", "add", "claim", *CLAIM, "--published", "2026-07-02", "--yes", cwd=root)
    assert late.exit_code == 3
    assert "add --covered-through 2026-07-02" in late.stderr
    assert snapshot(root) == before


def test_rows_come_from_a_pipe(root: Path) -> None:
    rows = json.dumps([{"start": "2026-03", "end": "2026-03", "level": 1, "published": "2026-06-29", "stance": "disputed",
                        "confidence": "low", "why": "a"}])  # fmt: skip
    environment = Environment(clock=lambda: NOW, environ={}, cwd=root)
    result = CliRunner().invoke(main, ["data", "add", "claim", "--from", "-", "--yes"], obj=environment, input=rows, prog_name="forecast")
    assert result.exit_code == 0, result.stderr
    assert "No month changes: only documented claims make the main reading, and this is disputed." in " ".join(result.stdout.split())
    assert read_data(root / "data").claims[-1].claim_id == "OC34"


def test_what_show_prints_can_be_added_again(command: Command, root: Path) -> None:
    row = json.loads(command("data", "show", "events", "--where", "id=B101", "--json", cwd=root).stdout)[0]
    del row["id"]
    (root / "row.json").write_text(json.dumps(row), encoding="utf-8")
    result = command("data", "add", "event", "--from", "row.json", "--yes", "--json", cwd=root)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["rows"][0]["row"] == {**row, "id": "B104"}


def test_the_coverage_and_the_origin_move_when_told(command: Command, root: Path) -> None:
    words = [*MEASURE[:4], "--date", "2026-07-04", "--published", "2026-07-04", *MEASURE[8:]]
    result = command("data", "add", "event", *words, "--covered-through", "2026-07-31", "--yes", cwd=root)
    assert result.exit_code == 0, result.stderr
    assert "The origin of a forecast moves from 2026-06 to 2026-07." in result.stdout
    assert f"{read_data(root / 'data').coverage['events.csv']}" == "2026-07-31"


def test_the_prompts_ask_explain_and_check(typed: Callable[..., Result], root: Path) -> None:
    before = snapshot(root)
    lines = (
        "b", "B", "", "pressure", "2026-06-20", "2026-06-20", "?", "tarif", "tariff", "", "measure", "9", "4", "", "", "", "", "", "",
        "source_read", "high", "White House", "", "All goods, 25 %", "y",
    )  # fmt: skip
    result = typed("event", lines=lines)
    assert result.exit_code == 0, result.stderr
    assert "Did you mean 'B'?" in result.stderr
    assert "Codebook, section 6" in result.stderr
    assert "channel follows from the instrument, always." in " ".join(result.stderr.split())
    assert "Did you mean 'tariff'?" in result.stderr
    assert "expected a value ≤ 5" in result.stderr
    assert "operation_level" not in result.stderr
    assert "Added B104 to events.csv." in result.stdout
    event = next(e for e in read_data(root / "data").events if e.id == "B104")
    assert (event.channel, event.intensity, event.direction, event.disputed) == ("economic", 4, "+", "no")
    after = snapshot(root)
    assert {f for f in after if after[f] != before[f]} == {"events.csv"}


def test_saying_no_or_giving_up_writes_nothing(typed: Callable[..., Result], root: Path) -> None:
    before = snapshot(root)
    declined = typed("claim", *CLAIM, lines=("n",))
    assert (declined.exit_code, declined.stdout.splitlines()[-1]) == (0, "Nothing was written.")
    gone = typed("claim", "--start", "2026-04", lines=("",))
    assert gone.exit_code == 130
    assert snapshot(root) == before


def test_someone_else_who_writes_between_question_and_answer_is_noticed(
    command: Command, root: Path, typed: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def confirm(text: str, explanation: str) -> bool:
        asked.append(text)
        if len(asked) == 1:
            with (root / "data/outcome_claims.csv").open("a", encoding="utf-8") as f:
                f.write("OC34,2026-06,,2,2026-06-30,,documented,,low,meanwhile\n")
        return True

    monkeypatch.setattr(data_add, "confirmed", confirm)
    result = typed("claim", *CLAIM, lines=())
    assert result.exit_code == 0, result.stderr
    assert len(asked) == 2
    assert "Added OC35 to outcome_claims.csv." in result.stdout
    assert [c.why for c in read_data(root / "data").claims][-2:] == ["meanwhile", "Seen"]


@pytest.mark.slow
def test_two_adders_at_once_both_add(root: Path) -> None:
    words = [sys.executable, "-m", "forecast", "data", "add", "claim", *CLAIM, "--yes", "--workspace", str(root), "-q"]
    running = [subprocess.Popen(words, cwd=BUNDLED.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    assert [(p.wait(60), p.communicate()[1]) for p in running] == [(0, b"")] * 2
    assert [c.claim_id for c in read_data(root / "data").claims][-3:] == ["OC33", "OC34", "OC35"]


@pytest.mark.slow
def test_a_real_terminal_is_asked(root: Path) -> None:
    """Through a pseudo-terminal: prompts on standard error, the result alone on standard output."""
    leader, follower = pty.openpty()
    words = [sys.executable, "-m", "forecast", "data", "add", "claim", *CLAIM[:-2], "--json", "--workspace", str(root)]
    running = subprocess.Popen(words, cwd=BUNDLED.parent, stdin=follower, stdout=subprocess.PIPE, stderr=follower)
    os.close(follower)
    said = b""
    answers = [
        (b"[OC34] >", b"\n"), (b"end: last month", b"\n"), (b"supersedes:", b"\n"), (b"basis_ids:", b"\n"), (b"why:", b"A reason\n"),
        (b"[y/N]", b"y\n"),
    ]  # fmt: skip
    while running.poll() is None and select.select([leader], [], [], 30)[0]:
        with suppress(OSError):  # how Linux says that the other side is closed
            said += os.read(leader, 4096)
        if answers and answers[0][0] in said:
            os.write(leader, answers.pop(0)[1])
    running.terminate()  # nothing, if it has ended
    out, _ = running.communicate(timeout=30)
    os.close(leader)
    assert running.returncode == 0, said
    assert json.loads(out)["rows"][0]["row"]["why"] == "A reason"
    assert b"claim_id: name of the row" in said
