"""The prompts of `forecast data add`: days are checked as they are typed, `?` explains everywhere, and nothing that was typed is lost."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import click
import pytest
from click.testing import Result

from forecast.cli import data_add
from forecast.data.coding_rules import INSTRUMENTS, ROLES
from forecast.data.entry.form import LABELS, RECURRING, choices, choices_text
from forecast.data.read import read_data
from forecast.data.tables import RECORDS
from forecast.storage.locks import folder_lock
from tests.support.data_editing import BUNDLED, snapshot

type Typed = Callable[..., Result]

NOUNS = {"events": "event", "claims": "claim", "polls": "poll"}
MEASURE = (
    "--family", "B", "--role", "pressure", "--instrument", "tariff", "--channel", "economic", "--kind", "measure", "--intensity", "4",
    "--evidence", "source_read", "--confidence", "high", "--source", "White House", "--id", "B104", "--direction", "+", "--until", "",
    "--answers", "", "--same-act-as", "", "--disputed", "no", "--url", "",
)  # fmt: skip
CLAIM = (
    "--claim-id", "OC34", "--start", "2026-04", "--end", "", "--level", "3", "--stance", "documented", "--supersedes", "",
    "--basis-ids", "", "--confidence", "low",
)  # fmt: skip
POLL = (
    "--pollster", "Reforma", "--topic", "mx_us_troops", "--wording", "force_unqualified", "--field-start", "2026-05", "--poll-id", "p-1",
    "--published-basis", "stated by the source", "--n", "", "--opposed-pct", "61", "--in-favour-pct", "", "--other-pct", "", "--use", "yes",
    "--source", "x", "--url", "", "--confidence", "high",
)  # fmt: skip
BOUNDED = {
    "event": (MEASURE, "date", ("{day}", "{day}", "All goods")),
    "claim": (CLAIM, "published", ("{day}", "Seen")),
    "poll": (POLL, "field_end", ("{day}", "{day}", "Troops?")),
}
"""By command: all options but the day that the file's coverage bounds, that column, and what is typed from it on."""
FILES = {"event": "events.csv", "claim": "outcome_claims.csv", "poll": "polls.csv"}


def words_of(result: Result) -> str:
    return " ".join(result.stderr.split())


def command_printed(stderr: str) -> list[str]:
    """The words of the command that continues with the answers."""
    outcome = re.search(r"This command continues with your answers:\n\n((?:  .*\n)+)", stderr)
    assert outcome, stderr
    assert all(len(line) <= 80 or len(line.split()) <= 3 for line in outcome[1].splitlines())  # a flag and a value stay together
    words = shlex.split(outcome[1].replace("\\\n", " "))
    assert words[:3] == ["forecast", "data", "add"]
    return words[3:]


@pytest.mark.parametrize("noun", BOUNDED)
@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("2062-01-01", "a day not after today, 2026-11-24 by this machine's clock"),
        ("2026-11-25", "a day not after today"),
        ("2026-11", "write the day"),
        ("2026", "write the day"),
        ("2026-13", "Found '2026-13'"),
        ("2026-06-31", "Found '2026-06-31'"),
        ("soon", "a date of the form"),
        ("04/07/2026", "a date of the form"),
    ],
)
def test_a_day_that_cannot_be_is_refused_at_its_prompt(typed: Typed, root: Path, noun: str, day: str, says: str) -> None:
    before = snapshot(root)
    options, column, _ = BOUNDED[noun]
    result = typed(noun, *options, lines=(day,))
    at = words_of(result).index(f"{column}: {LABELS[f'{noun}s'][column]}")
    assert says in words_of(result)[at:]
    assert f"{column.replace('_', '-')} {day}" not in result.stderr
    assert result.exit_code == 130
    assert snapshot(root) == before


@pytest.mark.parametrize("noun", BOUNDED)
@pytest.mark.parametrize(("day", "through"), [("2026-07-04", "2026-07-31"), ("2026-09", "2026-09-30"), ("2026-11-02", "2026-11-24")])
def test_coverage_can_be_raised_at_the_prompt_to_the_end_of_the_month_or_today(
    typed: Typed, root: Path, noun: str, day: str, through: str
) -> None:
    options, _, answers = BOUNDED[noun]
    file = FILES[noun]
    first, *rest = (answer.format(day=day) for answer in answers)
    result = typed(noun, *options, lines=(first, "?", "y", *rest, "y"))
    assert result.exit_code == 0, result.stderr
    assert f"{day} is after 2026-06-30, the day through which {file} has been read." in words_of(result)
    assert f"Have you looked for everything through {through}? [y/N]" in result.stderr
    assert f"covered_through of {file} in coverage.toml" in words_of(result)
    assert f"Added {'B104' if noun == 'event' else 'OC34' if noun == 'claim' else 'p-1'}" in result.stdout
    assert str(read_data(root / "data").coverage[file]) == through


def test_whoever_has_not_read_so_far_is_asked_for_another_date(typed: Typed, root: Path) -> None:
    result = typed("event", *MEASURE, lines=("2026-07-04", "", "2026-06-20", "2026-06-20", "All goods", "y"))
    assert result.exit_code == 0, result.stderr
    assert "Give another date" in words_of(result)
    data = read_data(root / "data")
    assert str(data.coverage["events.csv"]) == "2026-06-30"
    assert str(next(e for e in data.events if e.id == "B104").date) == "2026-06-20"


def test_a_date_given_as_an_option_is_asked_about_too(typed: Typed, root: Path) -> None:
    day = ("--date", "2026-07-04", "--published", "2026-07-04")
    result = typed("event", *MEASURE, *day, "--description", "All goods", lines=("y", "y"))
    assert result.exit_code == 0, result.stderr
    assert str(read_data(root / "data").coverage["events.csv"]) == "2026-07-31"
    beyond = typed("event", *MEASURE[:-2], "--id", "B105", "--date", "2062-01-01", lines=("2026-07-05", "2026-07-05", "", "More", "y"))
    assert beyond.exit_code == 0, beyond.stderr
    assert "date: found '2062-01-01'; expected a day not after today" in words_of(beyond)


def test_nothing_is_published_before_it_happens(typed: Typed) -> None:
    result = typed("event", *MEASURE, lines=("2026-06-20", "2026-06-19"))
    assert "expected a day not before 2026-06-20, its date" in words_of(result)


@pytest.mark.parametrize(("name", "column"), [(name, column) for name in LABELS for column in LABELS[name]])
def test_a_question_mark_explains_at_every_prompt(typed: Typed, name: str, column: str) -> None:
    complete = {
        "event": (*MEASURE, "--date", "2026-06-20", "--published", "2026-06-20", "--description", "All goods"),
        "claim": (*CLAIM, "--published", "2026-06-30", "--why", "Seen"),
        "poll": (*POLL, "--field-end", "2026-05", "--published", "2026-06-02", "--question", "Troops?"),
    }
    given = dict(zip(complete[NOUNS[name]][::2], complete[NOUNS[name]][1::2], strict=True))
    if name == "events":  # the families and kinds of row that have the column
        given |= {
            "count": {"--family": "A", "--role": "context", "--instrument": "law", "--channel": "legal", "--kind": "", "--intensity": ""},
            "operation_level": {"--family": "A", "--role": "claim", "--channel": "legal", "--instrument": "law"},
            "episode": {"--family": "B", "--role": "request", "--operation-level": "2"},
            "ends": {"--kind": "relaxation", "--direction": "-"},
            "caused_by": {"--family": "C", "--role": "opposition", "--instrument": ""},
        }.get(column, {})
    given |= {"--use": "no"} if column == "why_not" else {}
    given.pop(f"--{column.replace('_', '-')}", None)
    given.pop({"events": "--description", "claims": "--why", "polls": "--question"}[name], None)  # so that something is asked for
    result = typed(NOUNS[name], *(word for pair in given.items() for word in pair), lines=("?", "?", "?"))
    output = words_of(result)
    at = output.index(f"{column}: {LABELS[name][column]}")
    assert re.search(r"It is required\.|It may be left empty: press Enter\.", output[at:])
    without_rule = "Other rows refer to this one by it" if column in RECORDS[name].key else "The codebook has no rule on this column"
    assert "Codebook, section" in output[at:] or without_rule in output[at:]
    assert ("Used so far: " in output[at:]) == (column in RECURRING[name])


def test_a_question_mark_explains_before_writing(typed: Typed, root: Path) -> None:
    before = snapshot(root)
    result = typed("claim", *CLAIM, "--published", "2026-06-30", "--why", "Seen", lines=("?", "maybe", "n"))
    assert result.exit_code == 0
    assert "y writes the row as shown above" in words_of(result)
    assert "Answer y or n; ? explains." in result.stderr
    assert snapshot(root) == before


def test_all_words_are_listed_at_the_prompt_and_in_the_help() -> None:
    for name, noun in NOUNS.items():
        command = data_add.add.commands[noun]
        helps = {o.name: o.help or "" for o in command.params if isinstance(o, click.Option)}
        for column in LABELS[name]:
            assert choices_text(name, column).lower() in helps[column].lower()
            assert set(choices(name, column, {})) <= set(re.split(r"[ ,;.]+", helps[column]))
    assert {c for c in LABELS["events"] if choices("events", c, {})} == {
        "family", "role", "kind", "direction", "answers", "evidence", "confidence",
    }  # fmt: skip
    listed = choices_text("events", "role") + choices_text("events", "instrument")
    assert all(word in listed for words in (*ROLES.values(), *INSTRUMENTS.values()) for word in words)


def test_a_word_of_another_family_is_refused_with_the_words_of_this_one(typed: Typed) -> None:
    output = words_of(typed("event", lines=("B", "", "decision", "")))
    assert "Found 'decision'; expected one of pressure, request." in output


def test_the_words_of_a_column_are_listed_at_its_prompt(typed: Typed) -> None:
    result = typed("event", lines=("B", "", "pressure", "2026-06-20", "2026-06-20", "tariff", ""))
    output = words_of(result)
    for words in ("one of A, B, C, D", "one of pressure, request", "one of tariff, trade_agreement", "one of threat, measure, act"):
        assert words in output
    assert all(len(line) <= 80 for line in result.stderr.splitlines())


ANSWERS = ("B", "", "pressure", "2026-07-04", "y", "2026-07-04", "tariff", "", "measure", "4", "", "", "", "", "", "source_read", "high",
           "It's the White House", "", "All goods, 25 %")  # fmt: skip


@pytest.mark.parametrize("n", range(1, len(ANSWERS) + 1))
def test_whoever_leaves_at_any_prompt_gets_a_command_that_goes_on_from_there(typed: Typed, root: Path, n: int) -> None:
    before = snapshot(root)
    left = typed("event", lines=ANSWERS[:n])
    assert left.exit_code == 130
    assert snapshot(root) == before
    again = typed(*command_printed(left.stderr), lines=(*ANSWERS[n:], "y"))
    assert again.exit_code == 0, again.stderr
    row = next(e for e in read_data(root / "data").events if e.id == "B104")
    assert (str(row.date), row.kind, row.intensity, row.source, row.description) == (
        "2026-07-04", "measure", 4, "It's the White House", "All goods, 25 %",
    )  # fmt: skip


def test_whoever_says_no_gets_the_command_too(typed: Typed, root: Path) -> None:
    before = snapshot(root)
    declined = typed("event", lines=(*ANSWERS, "n"))
    assert (declined.exit_code, declined.stdout.splitlines()[-1]) == (0, "Nothing was written.")
    words = command_printed(declined.stderr)
    assert "" not in words  # nothing is left to be asked, so nothing must be said of what stays empty
    assert snapshot(root) == before
    assert typed(*words, "--yes").exit_code == 0
    assert {f for f, raw in snapshot(root).items() if raw != before[f]} == {"events.csv", "coverage.toml"}


def test_what_is_refused_at_the_end_is_asked_again_with_what_was_typed(typed: Typed, root: Path) -> None:
    result = typed("event", lines=(*ANSWERS[:13], "Z999", *ANSWERS[14:], "", "A061;Z998", "B001", "y"))
    assert "The row is not valid in events.csv yet." in result.stderr
    assert "same_act_as: found 'Z999'" in words_of(result)
    assert "[Z999] >" in result.stderr
    assert result.exit_code == 0, result.stderr
    assert next(e for e in read_data(root / "data").events if e.id == "B104").same_act_as == ("B001",)


def test_a_blank_empties_what_is_offered_again(typed: Typed, root: Path) -> None:
    wrong = ("--claim-id", "OC34", "--start", "2026-04", "--end", "2026-03", *CLAIM[6:])
    result = typed("claim", *wrong, "--published", "2026-06-30", lines=("Seen", " ", "y"))
    assert result.exit_code == 0, result.stderr
    assert "a blank leaves it empty" in words_of(result)
    assert read_data(root / "data").claims[-1].end is None


def test_a_name_that_was_taken_meanwhile_is_proposed_anew(typed: Typed, root: Path) -> None:
    taken = ("--claim-id", "OC33", *CLAIM[2:], "--published", "2026-06-30", "--why", "Seen")
    result = typed("claim", *taken, lines=("", "y"))
    assert result.exit_code == 0, result.stderr
    assert "[OC34] >" in result.stderr
    assert read_data(root / "data").claims[-1].claim_id == "OC34"


def test_a_lock_loses_nothing(typed: Typed, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.data.entry.add_rows.folder_lock", partial(folder_lock, patience=0.05))
    with folder_lock(root / "data"):
        result = typed("event", lines=ANSWERS)
    assert result.exit_code == 5
    assert "--description 'All goods, 25 %'" in " ".join(shlex.quote(word) for word in command_printed(result.stderr))


def test_with_yes_and_all_options_nothing_is_asked(typed: Typed, root: Path) -> None:
    before = snapshot(root)
    result = typed("event", *MEASURE, "--date", "2026-07-04", "--published", "2026-07-04", "--description", "x", "--yes")
    assert result.exit_code == 3
    assert "add --covered-through 2026-07-04" in words_of(result)
    assert "continues with" not in result.stderr
    assert snapshot(root) == before


@pytest.mark.parametrize("cell", ["tab\x1b[2J", "\u202eevil", "\x07", "\u2028"])
def test_a_character_that_steers_a_terminal_is_refused_and_not_repeated(typed: Typed, root: Path, cell: str) -> None:
    lines = (*ANSWERS[:-1], f"All {cell} goods")
    result = typed("event", lines=lines)
    assert "the character U+" in words_of(result)
    assert not set(cell) & set("\x1b\u202e\x07\u2028") & set(result.stderr.replace(lines[-1], ""))


def test_a_row_published_after_today_is_named_as_odd(typed: Typed) -> None:
    day = ("--date", "2026-06-20", "--published", "2062-01-01", "--description", "x")
    output = " ".join(typed("event", *MEASURE, *day, "--dry-run", "--yes").stdout.split())
    assert "published: found 2062-01-01 (B104); expected a day not after today, 2026-11-24" in output
    assert "until then the row is left out" in output


@pytest.fixture
def terminal(root: Path) -> Iterator[Callable[[list[bytes]], tuple[int, str]]]:
    """The command as a real process on a pseudo-terminal of its own, which is sent these keys, each at a prompt of its own."""
    running: list[int] = []

    def run(keys: list[bytes]) -> tuple[int, str]:
        words = [sys.executable, "-m", "forecast", "data", "add", "event", "--workspace", str(root)]
        child, leader = pty.fork()
        if child == 0:  # pragma: no cover  # the other process
            os.chdir(BUNDLED.parent)
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell has what runs in the background ignore it
            os.execv(words[0], words)
        running.append(child)
        output, waiting = b"", [*keys]
        with suppress(OSError):  # how Linux says that the other side is closed
            while select.select([leader], [], [], 30)[0]:
                if not (new := os.read(leader, 4096)):
                    break
                output += new
                if waiting and re.search(rb"( >|\[y/N\]) \Z", output):
                    os.write(leader, waiting.pop(0))
        os.close(leader)
        status = os.waitpid(running.pop(), 0)[1]
        return os.waitstatus_to_exitcode(status), output.decode().replace("\r\n", "\n")

    yield run
    for child in running:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.slow
@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_ctrl_c_at_a_real_terminal_loses_nothing(root: Path, terminal: Callable[[list[bytes]], tuple[int, str]], key: bytes) -> None:
    before = snapshot(root)
    code, output = terminal([b"D\n", b"\n", b"\n", b"2026-06-20\n", b"2026-06-20\n", key])
    assert code == 130, output
    assert output.rstrip().endswith("Interrupted.")
    assert snapshot(root) == before
    words = command_printed(output)
    assert words == ["event", "--family", "D", "--id", "D018", "--role", "context", "--date", "2026-06-20", "--published", "2026-06-20",
                     "--workspace", str(root)]  # fmt: skip
    rest = ["--channel", "data", "--evidence", "source_read", "--confidence", "high", "--source", "CDC", "--description", "Release"]
    done = subprocess.run([sys.executable, "-m", "forecast", "data", "add", *words, *rest, "--yes"], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert read_data(root / "data").coverage == read_data(BUNDLED).coverage
