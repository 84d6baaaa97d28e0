"""What moved a forecast, with real draws: of the prior, where the effect of an edit is known otherwise, and of real fits a month apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import workspace as places
from forecast.attribution.sequential import NEGLIGIBLE
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.inputs import DEFAULT_SEED, Inputs, load_workspace
from forecast.forecasting.origin_state import OriginState, build_origin_state
from forecast.forecasting.parameter_draws import from_prior
from forecast.jobs import explain as job
from forecast.jobs.run import fit, write_report
from forecast.jobs.saved_run import SavedRun
from forecast.model.hyperparameters import tolerance_priors
from forecast.report.payload.questions import questions as questions_of
from forecast.reweighting.data_update import FittedDraws, ReweightedForecast, reweight_to_inputs
from tests.conftest import NOW
from tests.support import fake_sampler
from tests.support.light_runs import plain_runs
from tests.support.prior_forecasts import drawn_forecast

SEED = 11


def report(forecast: Forecast, run_id: str, created: datetime) -> dict[str, Any]:
    """The example's, but for the questions and their probabilities."""
    as_of = forecast.as_of and forecast.as_of.isoformat()
    questions = [q.model_dump() for q in questions_of(forecast)]
    return fake_sampler.report_document(forecast, run_id, created) | {"questions": questions, "as_of": as_of}


@pytest.fixture(scope="module", autouse=True)
def _only_numbers() -> Iterator[None]:
    """Of a run its report.json, draws and inputs."""
    with plain_runs(report, draws=True):
        yield


def edit(root: Path, file: str, old: str, new: str) -> None:
    path = root / "priors" / file
    text = path.read_text()
    assert text.count(f'"{old}"') == 1
    path.write_text(text.replace(f'"{old}"', f'"{new}"'))


def standardised(moved: Mapping[str, Any]) -> list[float]:
    """The remainder in its standard errors, of the questions that chance moves."""
    return [q["noise"] / q["remainder_se"] for q in moved["questions"].values() if q["remainder_se"] > 1e-4]


def rms(values: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


@dataclass(frozen=True)
class Edited:
    """Two runs between which two priors were edited, by draws of the prior, and what moved the second."""

    before: Inputs
    after: Inputs
    b: Path
    moved: Mapping[str, Any]


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Edited:
    root = tmp_path_factory.mktemp("explained") / "workspace"
    places.create_workspace(root)

    def made(seed: int, hours: int) -> tuple[Inputs, Path]:
        inputs = load_workspace(root, today=NOW.date())
        forecast = drawn_forecast(build_origin_state(inputs.data, inputs.priors, SEED), seed, 2_000)
        return inputs, write_report(forecast, root / "reports", NOW + timedelta(hours=hours), inputs=inputs).path

    before, a = made(3, 0)
    edit(root, "leverage.toml", "Normal(1.6, 0.8)", "Normal(1.5, 0.75)")
    edit(root, "opposition.toml", "Normal(0.4, 0.3)", "Normal(0.45, 0.3)")
    after, b = made(4, 1)
    return Edited(before, after, b, job.explain(SavedRun(a), SavedRun(b)))


@pytest.mark.slow
def test_a_part_is_what_the_ratio_of_the_densities_says(edited: Edited) -> None:
    """Importance sampling by hand from draws.npz of the later run, back to the state before each edit."""
    moved = edited.moved
    assert [p["label"].split(":")[0] for p in moved["parts"]] == ["leverage.effect", "opposition.effect"]
    assert {p["how"] for p in moved["parts"]} == {"reweighted"}
    arrays = SavedRun(edited.b).draws
    ids = [str(q) for q in arrays["questions"]]

    def normal(x: Any, mean: float, sd: float) -> Any:
        return np.exp(-0.5 * ((x - mean) / sd) ** 2) / sd

    states = [np.zeros(len(ids)) for _ in range(3)]
    for name, share in {"main": 0.45, "advisers_stayed": 0.35, "denials_true": 0.10, "covert_true": 0.10}.items():
        x, y = arrays[f"{name}/leverage"].astype(float), arrays[f"{name}/opposition"].astype(float)
        one = normal(y, 0.4, 0.3) / normal(y, 0.45, 0.3)
        both = one * normal(x, 1.6, 0.8) / normal(x, 1.5, 0.75)
        for i, w in enumerate((both, one, np.ones_like(x))):
            states[i] += share * (arrays[f"{name}/questions"].astype(float) @ w) / w.sum()
    for i, id_ in enumerate(ids):
        q = moved["questions"][id_]
        assert q["parts"] == pytest.approx([states[1][i] - states[0][i], states[2][i] - states[1][i]], abs=NEGLIGIBLE)  # smoothed weights
        assert q["noise"] == pytest.approx(states[0][i] - q["before"], abs=NEGLIGIBLE)  # smoothed weights
    assert moved["unexplained"] == []


@pytest.mark.slow
@pytest.mark.parametrize("path_seeds", [(SEED, SEED), (SEED, SEED + 1)], ids=["paths shared", "paths of their own"])
def test_the_stated_error_of_the_remainder_is_that_of_repeated_draws(edited: Edited, path_seeds: tuple[int, int]) -> None:
    """Draws of the later inputs, reweighted back, beside draws of the earlier inputs: many pairs, which differ by chance alone."""

    def forecast(origin_state: OriginState, target: OriginState, seed: int) -> ReweightedForecast:
        draws = from_prior(tolerance_priors(origin_state.priors), origin_state.origin, 1_000, np.random.default_rng(seed))
        return reweight_to_inputs(FittedDraws(origin_state, dict.fromkeys(origin_state.histories, draws), draws), target)

    z = []
    for i in range(6):
        seeds = [seed + 2 * i for seed in path_seeds]
        own = build_origin_state(edited.before.data, edited.before.priors, seeds[0])
        home, target = (build_origin_state(x.data, x.priors, seeds[1]) for x in (edited.after, edited.before))
        one, other = forecast(own, own, 100 + i), forecast(home, target, 200 + i)
        se = one.influence.difference_se(other.influence, same_draws=False, same_paths=seeds[0] == seeds[1])
        z += [(other.probability[q] - one.probability[q]) / se[q] for q in se if se[q] > 1e-4]
    assert 0.6 < rms(z) < 1.5  # the questions of a pair move together, so there are few independent numbers


@dataclass(frozen=True)
class Fits:
    """Real fits of the data of the end of May 2026 and of the end of June, each by several seeds."""

    may: tuple[Inputs, list[Forecast]]
    june: tuple[Inputs, list[Forecast]]


@pytest.fixture(scope="module")
def fits() -> Fits:
    may, june = (load_workspace(places.bundled_root(), date(2026, m, d)) for m, d in ((5, 31), (6, 30)))
    return Fits(
        (may, [fit(may, seed, explored=False) for seed in (DEFAULT_SEED, 8)]),
        (june, [fit(june, seed, explored=False) for seed in (DEFAULT_SEED, 5, 6)]),
    )


@pytest.mark.soak
def test_a_month_of_real_data_is_split_into_parts(fits: Fits, tmp_path: Path) -> None:
    may, june = fits.may[1][0], fits.june[1][0]
    a = write_report(may, tmp_path, NOW, inputs=fits.may[0]).path
    moved = job.moved(SavedRun(a), june, fits.june[0])
    assert {id_: q["after"] for id_, q in moved["questions"].items()} == {id_: x.probability for id_, x in june.answers.items()}
    kinds = [p["kind"] for p in moved["parts"]]
    assert kinds == sorted(kinds, key=["revision", "time", "new"].index)
    assert {"revision", "time", "new"} <= set(kinds)
    assert {p["how"] for p in moved["parts"]} == {"reweighted"}  # a month is near enough for one set of draws
    headline = moved["questions"]["reach-4-12m"]["parts"]
    by_label = {p["label"]: headline[i] for i, p in enumerate(moved["parts"])}
    assert next(x for label, x in by_label.items() if re.match("B084.*threat", label)) > 0  # a threat raises it
    assert next(x for label, x in by_label.items() if "as if nothing" in label) < 0  # quiet lets leverage fade
    assert next(x for label, x in by_label.items() if label.startswith("OC33")) == pytest.approx(0, abs=1e-12)  # the level went on anyway


@pytest.mark.soak
def test_the_stated_errors_are_those_of_second_fits_with_other_seeds(fits: Fits, tmp_path: Path) -> None:
    """Same inputs, and inputs a month apart: what remains is as large as the stated errors say, and never more than chance."""
    z: dict[str, list[float]] = {"same inputs": [], "a month apart": []}
    for i, (inputs, earlier) in enumerate([fits.june, fits.may]):
        later = fits.june[1]
        for k, first in enumerate(earlier):
            a = write_report(first, tmp_path / f"{i}{k}", NOW, inputs=inputs).path
            for second in later[k + 1 :] if i == 0 else later:
                moved = job.moved(SavedRun(a), second, fits.june[0])
                assert moved["unexplained"] == []
                z["a month apart" if i else "same inputs"] += standardised(moved)
    for values in z.values():
        assert 0.5 < rms(values) < 1.6


@pytest.mark.soak
def test_a_shift_that_no_change_explains_sounds_the_alarm(fits: Fits, tmp_path: Path) -> None:
    inputs, (first, second, _) = fits.june
    a = write_report(first, tmp_path, NOW, inputs=inputs).path
    shifted = {id_: replace(x, probability=x.probability + 11 * 2**0.5 * x.mcse) for id_, x in second.answers.items()}
    assert len(job.moved(SavedRun(a), replace(second, answers=shifted), inputs)["unexplained"]) > 40
