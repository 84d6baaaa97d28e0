"""What `forecast refit` decides, and what stands afterwards. The fit is replaced by draws from the prior, whatever the inputs say."""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result

from forecast import workspace as places
from forecast.errors import ForecastError, GateError, SourceError, StoreError
from forecast.forecasting.forecast_result import DrawsSource, Forecast
from forecast.forecasting.inputs import Inputs, load_workspace
from forecast.jobs import explain, run
from forecast.jobs.data.pull import PullOutcome
from forecast.jobs.input_fingerprint import settings_digest
from forecast.jobs.saved_run import SavedRun
from forecast.runs import manifest, publication_lock, refit_attempts, store
from tests.conftest import NOW
from tests.support.quick_refits import MOVED, command, decided, edit, first, fitted, last, latest, quick, root
from tests.support.refit_processes import edit_prior

__all__ = ["first", "quick", "root"]  # fixtures


def test_a_first_refit_fits_and_publishes(first: tuple[Path, Result]) -> None:
    root, result = first
    assert result.exit_code == 0, result.stderr
    assert "Refitted: no run has been published yet." in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines() if "/" not in line)
    meta = manifest.read_manifest(latest(root)).meta
    assert meta["decision"]["kind"] == "refitted"
    assert meta["decision"]["seconds"] > 0
    assert meta["follows"] is None
    assert set(meta["by_reading"]) == {"main", "advisers_stayed", "denials_true", "covert_true"}
    assert (last(root).decision, last(root).exit_code, last(root).run_id) == ("refitted", 0, latest(root).name)
    assert (last(root).seconds or 0) >= meta["decision"]["seconds"]
    assert (root / "reports" / "index.html").is_file()


def test_what_means_the_same_is_skipped(root: Path) -> None:
    """A comment, reordered rows, a text, another seed and another day change nothing."""
    before = latest(root)
    events = root / "data" / "events.csv"
    head, *rows = events.read_text().splitlines()
    events.write_text("\n".join([head, *reversed(rows)]) + "\n")
    priors = root / "priors" / "leverage.toml"
    priors.write_text(priors.read_text() + "\n# a comment is no change\n")
    scenario = next((root / "data" / "scenarios").glob("*.toml"))
    scenario.write_text(f"# nor is this\n{scenario.read_text()}")
    result = command(root, "refit", "--seed", "11", "--json", minutes=24 * 60)
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert (said["decision"]["kind"], said["decision"]["run_id"], said["decision"]["errors"]) == ("skipped", before.name, [])
    assert before.name in said["decision"]["reason"]
    assert said["report"] == json.loads((before / "report.json").read_text())
    assert latest(root) == before
    assert len(store.list_runs(root / "reports")) == 1
    assert last(root).decision == "skipped"


def test_a_stale_origin_is_told_and_is_no_reason(root: Path) -> None:
    result = command(root, "refit", minutes=1)
    assert result.exit_code == 0
    assert result.stdout.startswith("Skipped: ")
    assert "stale: it uses no events after June 2026" in result.stdout
    assert decided(command(root, "refit", "--json", minutes=2))["stale"] is True


def test_an_edited_prior_is_fitted_and_the_run_says_what_it_follows(root: Path) -> None:
    before = latest(root)
    edit_prior(root, 1.0)
    result = command(root, "refit", "--json", minutes=1)
    assert result.exit_code == 0, result.stderr
    reason = "priors changed (leverage.effect: Normal(1.6, 0.8) → Normal(1, 0.8))"
    assert (decided(result)["kind"], decided(result)["reason"]) == ("refitted", reason)
    after = latest(root)
    meta = manifest.read_manifest(after).meta
    assert after != before
    assert meta["follows"] == before.name
    assert meta["decision"]["reason"] == reason
    assert meta["ledger"]["entries"] > 0  # as it was when the run was written
    assert json.loads(result.stdout)["report"]["moved"]["from_run"] == before.name
    assert decided(command(root, "refit", "--json", minutes=2))["kind"] == "skipped"


@pytest.mark.slow
def test_settings_are_told_from_texts(root: Path) -> None:
    scenario = root / "data" / "scenarios" / "trade-deal.toml"
    now = load_workspace(root)
    edit(scenario, "title = ", "title = 'Another title' #")
    assert settings_digest(load_workspace(root)) == settings_digest(now)
    edit(scenario, '"threat.economic" = 0.3', '"threat.economic" = 0.4')
    assert settings_digest(load_workspace(root)) != settings_digest(now)
    result = command(root, "refit", "--json", minutes=1)
    assert (decided(result)["kind"], decided(result)["reason"]) == ("refitted", "settings changed (scenario trade-deal)")


@pytest.mark.slow
def test_a_revised_row_is_fitted_without_weighing(root: Path) -> None:
    polls = root / "data" / "polls.csv"
    head, *rows = polls.read_text().splitlines()
    polls.write_text("\n".join([head, *rows[:-1]]) + "\n")
    result = command(root, "refit", "--json", minutes=1)
    assert result.exit_code == 0, result.stderr
    assert decided(result)["kind"] == "refitted"
    assert "1 row removed in polls.csv" in decided(result)["reason"]
    assert "are too far from the new inputs" in decided(result)["reason"]


@pytest.mark.parametrize("accepted", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_an_addition_is_weighed_and_fitted_if_the_rule_says_no(root: Path, accepted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    before = latest(root)
    polls = root / "data" / "polls.csv"
    row = polls.read_text().splitlines()[-1].split(",")
    polls.write_text(polls.read_text() + ",".join(["one-more", *row[1:]]) + "\n")
    asked = []

    def weighed(inputs: Inputs, run: SavedRun, *_: Any) -> Any:
        asked.append(run.path)
        forecast = replace(fitted(inputs), draws_source=DrawsSource(run.name, None, 900.0)) if accepted else None
        return SimpleNamespace(forecast=forecast, reason="as the rule says", fitted_in=run.name)

    monkeypatch.setattr("forecast.jobs.refit.reweight.reweight_run", weighed)
    result = command(root, "refit", "--json", minutes=1)
    assert result.exit_code == 0, result.stderr
    assert asked == [before]
    meta = manifest.read_manifest(latest(root)).meta
    assert meta["follows"] == before.name
    assert "the data changed (1 row added in polls.csv)" in decided(result)["reason"]
    if accepted:
        assert (meta["decision"]["kind"], meta["k_hat"], meta["ess"]) == ("reweighted", None, 900.0)
    else:
        assert (meta["decision"]["kind"], meta["k_hat"], meta["ess"]) == ("refitted", None, None)
        assert "as the rule says" in meta["decision"]["reason"]


def test_refused_data_leave_the_last_good_forecast(root: Path) -> None:
    before = latest(root)
    edit(root / "data" / "events.csv", "2025-02-19", "2025-02-30")
    result = command(root, "refit", "--json", minutes=1)
    assert result.exit_code == 3
    assert "2025-02-30" in result.stderr
    said = json.loads(result.stdout)
    assert said["decision"]["kind"] == "refused"
    assert said["decision"]["errors"][0]["exit_code"] == 3
    assert said["report"]["run_id"] == before.name
    assert latest(root) == before
    assert (last(root).decision, last(root).exit_code, last(root).run_id) == ("refused", 3, before.name)
    assert "The published forecast stays as it was" in command(root, "refit", minutes=2).stdout


def test_a_damaged_history_of_the_priors_is_refused_and_told_to_a_program(root: Path) -> None:
    before = latest(root)
    (root / "priors" / "history" / "start.toml").write_text("priors = 1\n")
    result = command(root, "refit", "--json", minutes=1)
    assert result.exit_code == 7
    said = decided(result)
    assert (said["kind"], said["errors"][0]["exit_code"], said["run_id"]) == ("refused", 7, before.name)
    assert "start.toml was altered" in said["reason"]
    assert (last(root).decision, last(root).exit_code, last(root).run_id) == ("refused", 7, before.name)
    assert last(root).seconds is not None
    assert latest(root) == before


def test_a_gate_that_refuses_leaves_the_last_good_forecast(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = latest(root)

    def gate(*_: Any) -> Forecast:
        raise GateError("The fit did not pass the gate: stuck.", "The last published forecast stays as it was.")

    monkeypatch.setattr(run, "fit", gate)
    edit_prior(root, 1.0)
    result = command(root, "refit", minutes=1)
    assert result.exit_code == 4
    assert "stuck" in result.stdout
    assert "stuck" in result.stderr
    assert latest(root) == before
    assert (last(root).decision, last(root).exit_code) == ("refused", 4)
    assert command(root, "refit", minutes=2).exit_code == 4  # the inputs still mean something else


@pytest.mark.slow
def test_a_refused_first_refit_has_no_forecast_to_show(workspace: places.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(workspace.data / "events.csv", "2025-02-19", "2025-02-30")
    result = command(workspace.data.parent, "refit", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["report"] is None
    assert "No forecast has been published yet." in command(workspace.data.parent, "refit").stdout
    assert store.latest(workspace.reports) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "failure", [SourceError("nobody answers"), NotImplementedError("nobody answers"), RecursionError("nobody answers")]
)
def test_a_source_that_is_down_stops_nothing(root: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def one(connector: Any, *_: Any) -> PullOutcome:
        if connector.key == "overdose":
            raise failure
        edit_prior(root, 1.2)  # something changes all the same
        return PullOutcome(connector.key, connector.target.record.file, {}, "new rows", 1)

    monkeypatch.setattr("forecast.jobs.data.pull._one", one)
    before = latest(root)
    result = command(root, "refit", "--pull", "--json", minutes=1)
    assert result.exit_code == 6
    assert "1 of 4 sources failed; their data were not changed.\n  overdose: " in result.stderr
    assert "nobody answers" in result.stderr
    assert decided(result)["kind"] == "refitted"
    assert latest(root) != before
    assert (last(root).what, last(root).decision, last(root).exit_code) == ("forecast refit --pull", "refitted", 6)


def test_nothing_is_published_by_a_clock_that_was_set_back(root: Path) -> None:
    before = latest(root)
    edit_prior(root, 1.0)
    for words in (("refit",), ("run", "--publish")):
        result = command(root, *words, minutes=-60)
        assert result.exit_code == 1
        assert "2026-11-24 13:15 UTC" in result.stderr
        assert before.name in result.stderr
        assert "Set the clock right" in result.stderr
    assert latest(root) == before
    assert len(store.list_runs(root / "reports")) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "failure", "code"),
    [
        ("forecast.jobs.questions.freeze.enter_published_runs", StoreError("The ledger is damaged.", "Restore it."), 7),
        ("forecast.jobs.index.write_index", ForecastError("index.html could not be written: disk full."), 1),
        ("forecast.jobs.explain.moved", ValueError("no such part"), 1),
        ("forecast.jobs.explain.moved", GateError("The fit of the inputs before did not pass the gate.", "Fit again."), 1),
        ("forecast.jobs.explain.moved", StoreError("The run before is damaged.", "Restore it."), 7),
        ("forecast.jobs.explain.intermediate_inputs", OSError(errno.EIO, os.strerror(errno.EIO)), 1),  # within the real one
        ("forecast.jobs.explain.failure", ForecastError("Something in no part moved it."), 1),
    ],
)
def test_what_fails_after_a_good_fit_is_told_and_the_forecast_published(
    root: Path, step: str, failure: Exception, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = latest(root)
    edit_prior(root, 1.0)

    def fail(*_: Any) -> Any:
        if step.endswith("failure"):
            return failure
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr("forecast.jobs.explain.moved", MOVED if "inputs" in step else explain.moved)
        patch.setattr(step, fail)
        result = command(root, "refit", "--json", minutes=1)
    assert result.exit_code == code
    sentence = failure.strerror if isinstance(failure, OSError) else str(failure)
    assert result.stderr.count(sentence) == 1
    assert "Traceback" not in result.stderr
    assert latest(root) != before
    assert json.loads(result.stdout)["report"]["run_id"] == latest(root).name
    assert (last(root).decision, last(root).exit_code) == ("refitted", code)
    again = command(root, "refit", "--json", minutes=2)  # the next start makes up for it
    assert (again.exit_code, decided(again)["kind"]) == (0, "skipped"), again.stderr


def test_a_run_that_only_wants_publishing_is_published_without_a_fit(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = latest(root)
    edit_prior(root, 1.0)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "publish", die)
        result = command(root, "refit", minutes=1)
    assert result.exit_code == 130
    assert (last(root).decision, last(root).reason, last(root).exit_code) == (None, "interrupted", 130)
    assert latest(root) == before
    monkeypatch.setattr(run, "fit", die)
    result = command(root, "refit", "--json", minutes=2)
    assert result.exit_code == 0, result.stderr
    assert decided(result)["kind"] == "refitted"
    assert decided(result)["run_id"] in decided(result)["reason"]
    assert manifest.read_manifest(latest(root)).meta["follows"] == before.name


@pytest.mark.slow
def test_a_weighted_run_that_only_wants_publishing_keeps_what_was_said_of_its_weights(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    polls = root / "data" / "polls.csv"
    row = polls.read_text().splitlines()[-1].split(",")
    polls.write_text(polls.read_text() + ",".join(["one-more", *row[1:]]) + "\n")

    def weighed(inputs: Inputs, run: SavedRun, *_: Any) -> Any:
        forecast = replace(fitted(inputs), draws_source=DrawsSource(run.name, 0.31, 900.0))
        return SimpleNamespace(forecast=forecast, reason="as the rule says", fitted_in=run.name)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("forecast.jobs.refit.reweight.reweight_run", weighed)
    with monkeypatch.context() as patch:
        patch.setattr(store, "publish", die)
        assert command(root, "refit", minutes=1).exit_code == 130
    assert last(root).seconds is not None
    said = decided(command(root, "refit", "--json", minutes=2))
    assert (said["kind"], said["k_hat"], said["ess"]) == ("reweighted", 0.31, 900.0)


@pytest.mark.slow
def test_a_lock_that_was_deleted_stops_the_publishing_and_the_next_refit_makes_up_for_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = latest(root)
    edit_prior(root, 1.0)

    def delete_and_fit(inputs: Inputs, *_: Any) -> Forecast:
        (root / "reports" / publication_lock.NAME).unlink()
        return fitted(inputs)

    with monkeypatch.context() as patch:
        patch.setattr(run, "fit", delete_and_fit)
        result = command(root, "refit", minutes=1)
    assert result.exit_code == 1
    assert ".lock was deleted while this command held it" in " ".join(result.stderr.split())
    assert latest(root) == before
    result = command(root, "refit", "--json", minutes=2)
    assert (result.exit_code, decided(result)["kind"]) == (0, "refitted")
    assert "ended before publishing it" in decided(result)["reason"]
    assert latest(root) != before


@pytest.mark.slow
def test_a_run_that_nobody_meant_to_publish_is_not_published_later(root: Path) -> None:
    """`forecast run` without --publish leaves a run of the present inputs; a refit fits its own."""
    edit_prior(root, 1.0)
    assert "Not published" in command(root, "run", minutes=1).stdout
    runs = len(store.list_runs(root / "reports"))
    assert decided(command(root, "refit", "--json", minutes=2))["kind"] == "refitted"
    assert len(store.list_runs(root / "reports")) == runs + 1


def test_a_published_run_that_is_damaged_is_told_at_once(root: Path) -> None:
    (latest(root) / "report.json").write_text("{}")
    result = command(root, "refit", minutes=1)
    assert result.exit_code == 7
    assert "damaged" in result.stderr
    assert (last(root).decision, last(root).exit_code) == (None, 7)


@pytest.mark.slow
def test_run_publish_is_a_way_out_of_a_link_that_points_nowhere(root: Path) -> None:
    shutil.rmtree(latest(root))
    assert command(root, "refit", minutes=1).exit_code == 7
    result = command(root, "run", "--publish", minutes=2)
    assert result.exit_code == 0, result.stderr
    assert manifest.read_manifest(latest(root)).meta["follows"] is None


def test_a_lock_that_is_held_ends_a_refit_at_once(root: Path) -> None:
    with publication_lock.publisher(root / "reports", "a test", NOW):
        before = (root / "reports" / refit_attempts.NAME).read_text()
        result = command(root, "refit", minutes=5)
        assert result.exit_code == 5
        assert "a test (process " in result.stderr
        assert "for 0:05:00 so far" in result.stderr
        waited = command(root, "refit", "--wait", "0.5", minutes=5)
        assert waited.exit_code == 5
        assert "Waited 0.5 seconds" in waited.stderr
        assert "waiting: a test (process " in waited.stderr
    assert (root / "reports" / refit_attempts.NAME).read_text() == before  # an attempt begins with the lock


@pytest.mark.slow
def test_what_an_earlier_version_published_is_followed(root: Path) -> None:
    """Its manifest tells of no settings, and it kept no inputs."""
    old = latest(root)
    meta = {k: v for k, v in manifest.read_manifest(old).meta.items() if k not in ("settings_digest", "follows", "decision", "today")}
    shutil.rmtree(old / "inputs")
    (old / manifest.NAME).unlink()
    manifest.seal(old, old.name, meta)
    result = command(root, "refit", "--json", minutes=1)
    assert result.exit_code == 0, result.stderr
    assert decided(result)["reason"] == "the published run does not record its settings"
    assert manifest.read_manifest(latest(root)).meta["follows"] == old.name
    assert json.loads(result.stdout)["report"]["moved"] == {}


@pytest.mark.slow
def test_a_run_published_by_hand_is_as_good(root: Path) -> None:
    before = latest(root)
    edit_prior(root, 1.0)
    result = command(root, "run", "--publish", minutes=1)
    assert result.exit_code == 0, result.stderr
    meta = manifest.read_manifest(latest(root)).meta
    assert (meta["follows"], meta["decision"]["kind"]) == (before.name, "run")
    assert decided(command(root, "refit", "--json", minutes=2))["kind"] == "skipped"
