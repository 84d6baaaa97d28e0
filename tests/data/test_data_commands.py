"""`forecast data check` and `forecast data show`, as a person sees them."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable

import pytest
from click.testing import Result

from forecast.workspace import Workspace
from tests.support.data_editing import BUNDLED, add, change, rows_of

type Command = Callable[..., Result]


def at(workspace: Workspace) -> tuple[str, str]:
    return "--workspace", str(workspace.data.parent)


def contents(workspace: Workspace) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in workspace.data.parent.rglob("*") if path.is_file()}


def test_sound_data_are_said_to_be_sound(command: Command, workspace: Workspace) -> None:
    result = command("data", "check", *at(workspace))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "14 files, no error, nothing odd.\n"


def test_problems_are_listed_at_80_columns_with_exit_code_3(command: Command, workspace: Workspace) -> None:
    row = change(workspace.data, "events.csv", lambda r: r["id"] == "B009", channel="econmic")
    change(workspace.data, "polls.csv", lambda r: True, n="0")
    before = contents(workspace)
    result = command("data", "check", *at(workspace))
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert f"events.csv, line {row}, column channel" in lines
    assert "polls.csv, line 2, column n" in lines
    assert "Did you mean 'economic'?" in " ".join(" ".join(lines).split())
    assert result.stderr == "2 errors. Correct them and check again.\n"
    assert contents(workspace) == before


@pytest.mark.usefixtures("bundled_drivers")
def test_oddities_are_listed_with_exit_code_0(command: Command, workspace: Workspace) -> None:
    add(workspace.data, "events.csv", lambda r: r["id"] == "B037", id="B999")
    result = command("data", "check", *at(workspace))
    assert result.exit_code == 0
    assert "warning: found B999 close to B037" in result.stdout
    assert result.stdout.endswith("No error, 1 warning.\n")


@pytest.mark.parametrize("scenarios", [True, False])
def test_what_the_gate_refuses_is_said_after_all_that_is_odd(command: Command, workspace: Workspace, scenarios: bool) -> None:
    newest = {"published": "2026-06-27", "period_end": "2026-01"}
    row = change(workspace.data, "overdose_releases.csv", lambda r: newest.items() <= r.items(), reported="368250")
    if not scenarios:
        shutil.rmtree(workspace.data / "scenarios")
        (workspace.data / "scenarios").mkdir()
    result = command("data", "check", *at(workspace))
    assert result.exit_code == 4
    assert f"overdose_releases.csv, line {row}, column reported" in result.stdout.splitlines()
    assert result.stdout.endswith("No error, 2 warnings.\n")
    assert "published 2026-06-27, twelve months to 2026-01, reported: 368,250" in result.stderr
    document = command("data", "check", "--json", *at(workspace))
    assert document.exit_code == 4
    assert [p["row"] for p in json.loads(document.stdout)["warnings"]] == [row, row]


def test_the_check_as_a_document(command: Command, workspace: Workspace) -> None:
    sound = json.loads(command("data", "check", "--json", *at(workspace)).stdout)
    assert sound["errors"] == sound["warnings"] == []
    assert sound["rows"]["events.csv"] == len(rows_of(workspace.data / "events.csv"))
    assert len(sound["data_digest"]) == 64
    row = change(workspace.data, "events.csv", lambda r: r["id"] == "B009", intensity="6")
    result = command("--json", "data", "check", *at(workspace))
    assert result.exit_code == 3
    bad = json.loads(result.stdout)
    assert bad["rows"] is bad["data_digest"] is None
    assert [(p["file"], p["row"], p["column"], p["found"]) for p in bad["errors"]] == [("events.csv", row, "intensity", "'6'")]
    assert bad["errors"][0]["remedy"]


def test_show_lists_the_files(command: Command) -> None:
    shown = json.loads(command("data", "show", "--json").stdout)
    assert {row["file"]: row["rows"] for row in shown}["events.csv"] == len(rows_of(BUNDLED / "events.csv"))


@pytest.mark.parametrize("name", ["events", "events.csv"])
def test_show_prints_the_rows_that_were_asked_for(command: Command, name: str) -> None:
    result = command(
        "data", "show", name, "--where", "family=B", "--where", "kind=measure", "--from", "2019-01", "--to", "2025-03", "--json"
    )
    wanted = [
        row["id"]
        for row in rows_of(BUNDLED / "events.csv")
        if row["family"] == "B" and row["kind"] == "measure" and "2019-01" <= row["date"][:7] <= "2025-03"
    ]
    assert wanted
    assert [row["id"] for row in json.loads(result.stdout)] == wanted


def test_a_span_is_shown_for_every_month_it_covers(command: Command) -> None:
    rows = json.loads(command("data", "show", "outcome_claims", "--from", "2014-12", "--to", "2014-12", "--json").stdout)
    shown = {row["claim_id"] for row in rows}
    assert {"OC01", "OC08", "OC12"} <= shown
    assert not {"OC11", "OC13"} & shown


def test_show_as_of_a_day_knows_no_more(command: Command) -> None:
    rows = json.loads(command("data", "show", "events", "--as-of", "2019-05-16", "--json").stdout)
    by_id = {row["id"]: row for row in rows}
    assert "B015" not in by_id
    assert by_id["B009"]["until"] is None


def test_piped_rows_are_whole_and_one_a_line(command: Command, workspace: Workspace) -> None:
    change(workspace.data, "events.csv", lambda r: r["id"] == "A001", description="=1+1\n<b>\tred</b>")
    result = command("data", "show", "events", "--where", "id=A001", *at(workspace))
    header, row = csv.reader(io.StringIO(result.stdout), delimiter="\t", quoting=csv.QUOTE_NONE)
    assert tuple(header) == tuple(rows_of(workspace.data / "events.csv")[0])
    assert row[-1] == r"=1+1\n<b>\tred</b>"


def test_limit_keeps_the_last_rows(command: Command) -> None:
    rows = json.loads(command("data", "show", "polls", "--limit", "2", "--json").stdout)
    assert [row["poll_id"] for row in rows] == [row["poll_id"] for row in rows_of(BUNDLED / "polls.csv")][-2:]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("evnts",), "Did you mean 'events.csv'?"),
        (("events", "--where", "famly=B"), "Did you mean 'family'?"),
        (("events", "--where", "family"), "column=value"),
        (("events", "--from", "2026"), "Write it as 2026-06"),
        (("stakes", "--from", "2026-01"), "has no dates"),
        (("events", "--as-of", "yesterday"), "YYYY-MM-DD"),
    ],
)
def test_a_wrong_word_is_a_usage_error(command: Command, words: tuple[str, ...], said: str) -> None:
    result = command("data", "show", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_no_row_is_said_on_standard_error(command: Command) -> None:
    result = command("data", "show", "events", "--where", "id=nobody")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No row" in result.stderr


def test_refused_data_are_not_shown(command: Command, workspace: Workspace) -> None:
    (workspace.data / "polls.csv").write_bytes(b"")
    result = command("data", "show", "events", *at(workspace))
    assert (result.exit_code, result.stdout) == (3, "")
    assert "polls.csv: found an empty file" in result.stderr
