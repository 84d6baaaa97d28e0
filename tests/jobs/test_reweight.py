"""A forecast without a fit, from an earlier run's draws, after additions to the data alone. The run is made of prior draws."""

from __future__ import annotations

import functools
import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import arviz
import numpy as np
import pytest

from forecast import workspace as places
from forecast.attribution.sequential import ALARM_Z
from forecast.data.fingerprint import data_digest
from forecast.data.tables import Data
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.inputs import Inputs, load_workspace
from forecast.forecasting.origin_state import OriginState, build_origin_state
from forecast.forecasting.parameter_draws import POSTERIOR_NAMES
from forecast.jobs.explain import moved
from forecast.jobs.input_fingerprint import settings_digest
from forecast.jobs.refit.decision import decide
from forecast.jobs.refit.reweight import ReweightedRun, reweight_run, why_not
from forecast.jobs.run import WrittenRun, write_report
from forecast.jobs.saved_run import SavedRun
from forecast.model.tolerance_data import MODEL_VERSION
from forecast.priors.load import Priors
from forecast.priors.parsing import parse_prior
from forecast.report.files import validate
from forecast.report.models.report import Report
from forecast.report.payload.provenance import diagnostics
from forecast.reweighting.data_update import reweight_to_inputs
from forecast.runs import manifest
from forecast.workspace import Workspace
from tests.conftest import NOW
from tests.support.data_editing import rows_of, write_rows
from tests.support.prior_forecasts import prior_forecast

TODAY = NOW.date()
SEED = 7
STAKES = '["stakes.csv"]\ncovered_through = 2026-06-30'


@pytest.fixture(scope="module")
def figures_aside() -> Iterator[None]:
    """Of a report only its numbers are written."""

    def numbers(report: Report, folder: Path) -> None:
        (folder / "report.json").write_text(json.dumps(report.document()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecast.jobs.run.write_report_files", numbers)
        yield


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, figures_aside: None) -> Workspace:
    """A workspace without scenarios, and a run of it. To be copied before it is changed."""
    where = places.create_workspace(tmp_path_factory.mktemp("weighed") / "workspace")
    shutil.rmtree(where.data / "scenarios")
    write_report(prior_forecast(), where.reports, NOW, inputs=load_workspace(where, today=TODAY))
    return where


def copy(where: Workspace, to: Path) -> Workspace:
    root = Path(shutil.copytree(where.data.parent, to))
    return Workspace(root / "data", root / "priors", root / "reports", "test")


@pytest.fixture
def here(start: Workspace, tmp_path: Path) -> Workspace:
    return copy(start, tmp_path / "copy")


@dataclass(frozen=True)
class Added:
    """A row was added, the run weighted, and the weighted one written."""

    where: Workspace
    fitted: Path
    made: ReweightedRun
    done: WrittenRun

    @property
    def forecast(self) -> Forecast:
        assert self.made.forecast is not None, self.made.reason
        return self.made.forecast


@pytest.fixture(scope="module")
def added(start: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Added:
    where = copy(start, tmp_path_factory.mktemp("added") / "workspace")
    a_new_demonstration(where)
    inputs, fitted = load_workspace(where, today=TODAY), the_run(where)
    made = reweight_run(inputs, SavedRun(fitted))
    assert made.forecast is not None, made.reason
    return Added(where, fitted, made, write_report(made.forecast, where.reports, NOW + timedelta(hours=1), inputs=inputs))


_WATCHED: dict[Path, Counter[str]] = {}


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if event == "open" and _WATCHED and isinstance(args[0], str | Path):
        for folder, opens in _WATCHED.items():
            if Path(args[0]).is_relative_to(folder):
                opens[Path(args[0]).relative_to(folder).as_posix()] += 1


@contextmanager
def count_opens(folder: Path) -> Iterator[Counter[str]]:
    """How often each file of a folder is opened during the block, by whatever code."""
    if not _WATCHED:
        sys.addaudithook(_watch)  # it stays for good, and does nothing unless a folder is watched
    _WATCHED[folder] = Counter()
    try:
        yield _WATCHED[folder]
    finally:
        del _WATCHED[folder]


def the_run(where: Workspace) -> Path:
    return next(p for p in sorted(where.reports.iterdir()) if (p / manifest.NAME).is_file())


def again(where: Workspace, run: Path | None = None) -> ReweightedRun:
    return reweight_run(load_workspace(where, today=TODAY), SavedRun(run or the_run(where)))


@functools.cache
def before() -> Inputs:
    """The bundled inputs, as a run would have kept them."""
    return load_workspace(places.bundled_root(), today=TODAY)


def why(now: Inputs) -> str:
    return why_not(before(), now, {"model_version": MODEL_VERSION, "settings_digest": settings_digest(before())})


def append(file: Path, like: int = -1, **cells: str) -> None:
    rows = rows_of(file)
    write_rows(file, [*rows, rows[like] | cells])


def a_new_demonstration(where: Workspace) -> None:
    rows = rows_of(where.data / "events.csv")
    like = next(i for i, r in enumerate(rows) if r["kind"] == "demonstration")
    cells = {"id": "X-2016-02", "date": "2016-02-10", "published": "2016-02-11", "intensity": "2", "caused_by": "", "same_act_as": ""}
    append(where.data / "events.csv", like, **cells, episode="", ends="", answers="")


@pytest.mark.slow
def test_a_row_added_gives_a_whole_run_that_says_what_it_rests_on(added: Added) -> None:
    assert added.made.reason.startswith("only additions")
    assert added.made.ess is not None
    assert 400 <= added.made.ess < 800
    assert not np.array_equal(added.forecast.origin_state.leverage.value, prior_forecast().origin_state.leverage.value)
    assert manifest.verify(added.done.path) == ()
    meta = manifest.read_manifest(added.done.path).meta
    assert meta["fitted_in"] == added.fitted.name
    assert meta["data_digest"] == data_digest(load_workspace(added.where, today=TODAY).data)
    report = added.done.report.document()
    validate(report)
    assert report["draws_source"] == {"fitted_in": added.fitted.name, "k_hat": added.made.k_hat, "ess": added.made.ess}
    assert any(added.fitted.name in text and "No new fit was made" in text for text in report["limitations"])
    assert all(row["note"].endswith(f"as fitted in run {added.fitted.name}") for row in report["multiverse"])
    assert report["multiverse"][0]["label"] == f"the fit of run {added.fitted.name} (main reading)"
    for sentence in ("disputed_act", "range_pressure"):
        assert f"the fit of run {added.fitted.name}" in report["sentences"][sentence]
    assert report["diagnostics"] == diagnostics(prior_forecast()).model_dump()


@pytest.mark.slow
def test_its_answers_are_those_of_the_weighted_draws_but_for_resampling(added: Added) -> None:
    """Draws taken as often as they weigh say what weighted draws say."""
    inputs = load_workspace(added.where, today=TODAY)
    found = reweight_to_inputs(SavedRun(added.fitted).fitted_draws, build_origin_state(inputs.data, inputs.priors, SEED))
    published, rounding = {q.id: q.probability for q in added.done.report.questions}, found.influence.resampling_se()
    for id_, answer in added.forecast.answers.items():
        assert published[id_] == pytest.approx(found.probability[id_], abs=ALARM_Z * rounding[id_] + 1e-9)
        assert rounding[id_] < answer.mcse
    weighted = found.weighted["main"]
    taken = Counter(added.forecast.readings["main"].draws.leverage.tolist())
    for value, weight in zip(weighted.draws.leverage.tolist(), weighted.weights, strict=True):
        assert abs(taken[value] - 800 * weight) < 1


@pytest.mark.slow
def test_the_posterior_that_is_stored_holds_the_draws_that_are_told(added: Added) -> None:
    tree, original = (arviz.from_netcdf(run / "posterior.nc") for run in (added.done.path, added.fitted))
    for name, reading in added.forecast.readings.items():
        posterior, before = (t[name]["posterior"].to_dataset() for t in (tree, original))
        for field, variable in POSTERIOR_NAMES.items():
            stored = posterior[variable].transpose("chain", "draw", ...).values.reshape(800, *posterior[variable].shape[2:])
            np.testing.assert_allclose(stored, getattr(reading.draws, field), rtol=1e-6, atol=1e-7)
        assert posterior.sizes == before.sizes
        assert set(posterior.coords) == {*before.coords, "chain", "draw"}


@pytest.mark.slow
def test_with_nothing_added_the_run_comes_back(here: Workspace) -> None:
    made = again(here)
    assert made.forecast is not None
    assert made.k_hat == -np.inf
    for id_, answer in prior_forecast().answers.items():
        found = made.forecast.answers[id_]
        assert found.probability == pytest.approx(answer.probability, rel=1e-5, abs=1e-8)
        assert found.interval == pytest.approx(answer.interval, rel=1e-4, abs=1e-7)


@pytest.mark.slow
def test_a_weighted_run_is_weighted_again_from_its_fit(added: Added, tmp_path: Path) -> None:
    where = copy(added.where, tmp_path / "copy")
    fitted, second = where.reports / added.fitted.name, where.reports / added.done.run_id
    further = again(where, second)
    assert further.fitted_in == fitted.name
    assert further.forecast is not None
    assert further.forecast.headline.probability == pytest.approx(added.forecast.headline.probability, rel=1e-12)
    shutil.rmtree(fitted)
    gone = again(where, second)
    assert gone.forecast is None
    assert fitted.name in gone.reason


@pytest.mark.slow
def test_more_months_and_later_coverage_are_additions(here: Workspace) -> None:
    coverage = here.data / "coverage.toml"
    coverage.write_text(coverage.read_text().replace("covered_through = 2026-06-30", "covered_through = 2026-07-31"))
    made = again(here)
    assert made.forecast is not None, made.reason
    assert made.forecast.origin_state.origin == prior_forecast().origin_state.origin + 1


def test_words_may_change(workspace: Workspace) -> None:
    rows = rows_of(workspace.data / "events.csv")
    rows[3]["description"] = "Told otherwise."
    write_rows(workspace.data / "events.csv", rows[::-1])
    assert why(load_workspace(workspace, today=TODAY)) == ""


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda w: change(w, "events.csv", 40, confidence="low"), "1 row of events.csv was changed"),
        (lambda w: drop(w, "stakes.csv", 1), "1 row of stakes.csv was removed"),
        (lambda w: text(w.data / "coverage.toml", STAKES, STAKES.replace("30", "29")), "stakes.csv was covered through 2026-06-30"),
        (lambda w: text(w.data / "scales.toml", "scale = ", "scale = 1"), "scales.toml: leverage was changed"),
        (lambda w: text(w.priors / "readings.toml", "0.45", "0.44", "0.35", "0.36"), "1 prior was edited: readings.weights"),
        (lambda w: text(w.priors / "outside_view" / "alternatives.toml", "0.00328, 0.0205", "0.00329, 0.0205"), "settings or scenarios"),
    ],
    ids=["a row changed", "a row removed", "coverage taken back", "a scale", "a prior", "an alternative"],
)
def test_all_else_needs_a_fit_and_the_reason_is_told(workspace: Workspace, edit, said: str) -> None:  # type: ignore[no-untyped-def]
    edit(workspace)
    assert said in why(load_workspace(workspace, today=TODAY))


def change(where: Workspace, file: str, index: int, **cells: str) -> None:
    rows = rows_of(where.data / file)
    rows[index] |= cells
    write_rows(where.data / file, rows)


def drop(where: Workspace, file: str, index: int) -> None:
    rows = rows_of(where.data / file)
    write_rows(where.data / file, rows[:index] + rows[index + 1 :])


def text(file: Path, *pairs: str) -> None:
    said = file.read_text()
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in said
        said = said.replace(old, new, 1)
    file.write_text(said)


def turn_the_record_over(where: Workspace) -> None:
    """A claim, published lately, that Mexico refused everything for years."""
    append(
        where.data / "outcome_claims.csv", 0, claim_id="X-99", start="2009-01", end="2017-12", level="0", published="2026-06-01",
        supersedes="", stance="documented", basis_ids="",
    )  # fmt: skip


@pytest.mark.slow
def test_a_claim_that_changes_a_level_is_no_small_addition(here: Workspace) -> None:
    turn_the_record_over(here)
    made = again(here)
    assert (made.forecast, made.judged) == (None, {})
    assert made.reason == "the history of main has another change of level (2009-01, 1 → 0)"


@pytest.mark.slow
def test_nor_is_a_month_in_which_the_level_rose(here: Workspace) -> None:
    coverage = here.data / "coverage.toml"
    coverage.write_text(coverage.read_text().replace("covered_through = 2026-06-30", "covered_through = 2026-07-31"))
    append(
        here.data / "outcome_claims.csv", claim_id="X-99", start="2026-07", end="2026-07", level="3", published="2026-07-31",
        supersedes="", stance="documented", basis_ids="",
    )  # fmt: skip
    made = again(here)
    assert made.forecast is None
    assert "has another change of level (2026-07, 2 → 3)" in made.reason


@pytest.mark.slow
def test_nor_is_what_moves_the_headline_far(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    a_new_demonstration(here)
    monkeypatch.setattr("forecast.jobs.refit.reweight.MOVE_MAX", 1e-5)
    made = again(here)
    assert made.forecast is None
    assert made.judged
    assert re.fullmatch(r"the headline moves by \d+% of its value.*, where 0% is allowed", made.reason)


@pytest.mark.slow
def test_what_the_draws_cannot_tell_is_refused_by_the_rule(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    turn_the_record_over(here)
    monkeypatch.setattr("forecast.jobs.refit.reweight._recoded", lambda *_: "")
    made = again(here)
    assert made.forecast is None
    assert "k̂" in made.reason or "effective draws" in made.reason or "Monte Carlo" in made.reason
    assert made.judged


def test_a_run_as_of_an_earlier_day_is_always_fitted() -> None:
    assert "earlier day" in why(replace(before(), as_of=TODAY))


def test_an_edited_prior_is_named() -> None:
    edited = before().priors.replace({"ladder.just_risen": parse_prior("ladder.just_risen", "Normal(2, 1)")})
    assert why(replace(before(), priors=edited)) == "1 prior was edited: ladder.just_risen"


def test_a_model_that_means_something_else_is_no_basis() -> None:
    assert "version" in why_not(before(), before(), {"model_version": "0"})


@pytest.mark.slow
def test_a_refit_reads_the_run_before_once_and_fits_its_drivers_once(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the decision to what moved the forecast: each file of the run is opened once, models 2–4 are fitted to its inputs once."""
    a_new_demonstration(here)
    inputs, run = load_workspace(here, today=TODAY), SavedRun(the_run(here))
    fits: list[str] = []
    loads: list[Path] = []

    def fit(data: Data, priors: Priors, seed: int) -> OriginState:
        fits.append(data_digest(data))
        return build_origin_state(data, priors, seed)

    def load(where: Path, *days: Any) -> Inputs:
        loads.append(where)
        return load_workspace(where, *days)

    monkeypatch.setattr("forecast.forecasting.origin_state.build_origin_state", fit)
    monkeypatch.setattr("forecast.forecasting.inputs.load_workspace", load)
    with count_opens(run.path) as opens:
        run.check()
        plan = decide(inputs, here.reports, run)
        assert (plan.action, plan.run) == ("reweight", run)
        made = reweight_run(inputs, run)
        assert made.forecast is not None
        moved(run, made.forecast, inputs)
    assert fits.count(run.meta["data_digest"]) == 1
    assert loads == [run.path / "inputs"]
    whole = {name: opens[name] for name in ("manifest.json", "report.json", "draws.npz", "posterior.nc")}
    assert whole == dict.fromkeys(whole, 1)
