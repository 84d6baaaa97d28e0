"""Runs that were kept: publishing one again, and which of them pruning leaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from forecast.cli.explain import _previous_run
from forecast.errors import StoreError
from forecast.jobs.questions.freeze import read_question_ledger
from forecast.jobs.questions.verify import verify_ledger
from forecast.jobs.saved_run import SavedRun
from forecast.runs import ledger, manifest, publication_lock, store
from forecast.runs.store import runs_to_keep
from forecast.workspace import Workspace
from tests.conftest import NOW
from tests.support.ledgers import example, publish, published
from tests.support.sound_reports import sound_report

type Command = Callable[..., Result]

IDS = [f"2026112{day}T061700Z-abcdef" for day in range(5)]


def keep(reports: Path, run_id: str, meta: Mapping[str, Any] | None = None, **parts: Any) -> Path:
    """A run that was written and not published, as `forecast run` does while another is published."""
    text = json.dumps(sound_report(run_id, **parts))
    noted = {"follows": None, "decision": {"kind": "run", "reason": "", "seconds": None}} | dict(meta or {})
    return store.write_run(reports, run_id, lambda folder: (folder / "report.json").write_text(text) and None, noted)


def test_a_kept_run_is_published_and_enters_the_ledger(workspace: Workspace, command: Command) -> None:
    reports, root = workspace.reports, workspace.data.parent
    published(reports, IDS[0])
    keep(reports, IDS[1], origin="2026-06")
    before = read_question_ledger(reports).questions.keys()
    result = command("--workspace", root, "runs", "publish", IDS[1])
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"Published run {IDS[1]} in place of run {IDS[0]}." in result.stdout
    latest = store.latest(reports)
    assert latest is not None
    assert latest.name == IDS[1]
    entries = ledger.read(reports)
    assert [entry.content["run_id"] for entry in entries] == [IDS[0], IDS[1]]
    assert f"{len(entries[1].content['questions'])} questions were added to the ledger." in result.stdout
    assert before <= read_question_ledger(reports).questions.keys()
    assert verify_ledger(reports).problems == ()
    assert IDS[1] in (reports / "index.html").read_text()


def test_one_that_was_published_before_enters_nothing_twice(workspace: Workspace, command: Command) -> None:
    reports, root = workspace.reports, workspace.data.parent
    published(reports, IDS[0])
    published(reports, IDS[1])
    for run_id, says in ((IDS[0], "in place of"), (IDS[0], "was published already"), (IDS[1], "in place of")):
        result = command("--workspace", root, "runs", "publish", run_id)
        assert result.exit_code == 0, result.stderr
        assert says in result.stdout
        assert "No question was added" in result.stdout
    assert len(ledger.read(reports)) == 2
    assert verify_ledger(reports).problems == ()
    document = json.loads(command("--workspace", root, "runs", "publish", IDS[0], "--json").stdout)
    assert document == {"run_id": IDS[0], "before": IDS[1], "questions_entered": 0, "workspace": str(root)}


def test_the_list_still_knows_the_runs_before_a_kept_one(workspace: Workspace, command: Command) -> None:
    reports, root = workspace.reports, workspace.data.parent
    published(reports, IDS[0])
    keep(reports, IDS[1])
    assert command("--workspace", root, "runs", "publish", IDS[1]).exit_code == 0
    rows = json.loads(command("--workspace", root, "runs", "list", "--json").stdout)
    assert [(row["run_id"], row["published"]) for row in rows] == [(IDS[1], True), (IDS[0], True)]


REFUSED: Mapping[str, tuple[dict[str, Any], int, str]] = {
    "as of an earlier day": ({"as_of": "2026-01-31"}, 2, "2026-01-31"),
    "a gate that was not passed": ({"diagnostics": sound_report("")["diagnostics"] | {"status": "fail"}}, 4, "gate"),
    "another version": ({"schema_version": "1"}, 3, "another version"),
    "damaged": ({"questions": []}, 7, "damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_not_be_published_is_refused_and_latest_stays(workspace: Workspace, command: Command, name: str) -> None:
    parts, code, says = REFUSED[name]
    published(workspace.reports, IDS[0])
    keep(workspace.reports, IDS[1], **parts)
    result = command("--workspace", workspace.data.parent, "runs", "publish", IDS[1])
    assert result.exit_code == code, result.stderr
    assert says in result.stderr
    assert IDS[1] in result.stderr
    latest = store.latest(workspace.reports)
    assert latest is not None
    assert latest.name == IDS[0]
    assert len(ledger.read(workspace.reports)) == 1


def test_a_run_of_another_store_or_no_run_is_refused(workspace: Workspace, command: Command, tmp_path: Path) -> None:
    published(workspace.reports, IDS[0])
    other = keep(tmp_path / "other", IDS[1])
    for words in ((str(other),), ("20200101T000000Z-abcdef",), ()):
        assert command("--workspace", workspace.data.parent, "runs", "publish", *words).exit_code == 2
    with publication_lock.publisher(workspace.reports, "forecast refit", NOW):
        assert command("--workspace", workspace.data.parent, "runs", "publish", IDS[0]).exit_code == 5


def test_pruning_keeps_what_is_needed(workspace: Workspace, command: Command) -> None:
    """The fit whose draws the published run weighs, the run before it, which `explain` compares, and the ledger."""
    reports, root = workspace.reports, workspace.data.parent
    for run_id in IDS[:4]:
        published(reports, run_id)
    fit, last = IDS[1], reports / IDS[3]
    noted = dict(manifest.read_manifest(last).meta)
    (last / manifest.NAME).unlink()
    manifest.seal(last, IDS[3], noted | {"fitted_in": fit})
    keep(reports, IDS[4])
    assert runs_to_keep(reports) == {fit, IDS[2], IDS[3]}
    result = command("--workspace", root, "runs", "prune", "--keep", "0")
    assert result.exit_code == 0, result.stderr
    assert [run.run_id for run in store.list_runs(reports)] == [fit, IDS[2], IDS[3]]
    assert _previous_run(reports, SavedRun(last)).path == reports / IDS[2]
    assert verify_ledger(reports).problems == ()
    assert len(ledger.read(reports)) == 4
    assert command("--workspace", root, "runs", "verify").exit_code == 0
    assert command("--workspace", root, "report").exit_code == 0


def test_a_published_run_that_is_not_in_the_ledger_yet_stays(workspace: Workspace, command: Command) -> None:
    """Who published them died before they were entered; the next refit enters them."""
    reports = workspace.reports
    published(reports, IDS[0])
    for run_id in IDS[1:4]:
        publish(reports, example(run_id))
    assert runs_to_keep(reports) == set(IDS[1:4])
    assert command("--workspace", workspace.data.parent, "runs", "prune", "--keep", "0").exit_code == 0
    assert [run.run_id for run in store.list_runs(reports)] == IDS[1:4]


def test_pruning_refuses_where_it_is_not_known_what_is_needed(workspace: Workspace, command: Command) -> None:
    reports = workspace.reports
    published(reports, IDS[0])
    published(reports, IDS[1])
    (reports / IDS[1] / manifest.NAME).write_text("{}")
    with pytest.raises(StoreError):
        runs_to_keep(reports)
    assert command("--workspace", workspace.data.parent, "runs", "prune", "--keep", "0").exit_code == 7
    assert [run.run_id for run in store.list_runs(reports)] == IDS[:2]
