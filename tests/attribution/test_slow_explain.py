"""What moved a forecast, with real draws: of the prior, so that what an edit does is known otherwise; and of real fits a month apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import workspace as places
from forecast.attribution.input_states import intermediate_inputs
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.inputs import DEFAULT_SEED, Inputs, load_workspace
from forecast.forecasting.origin_state import build_origin_state
from forecast.jobs import explain as job
from forecast.jobs.run import fit, write_report
from forecast.jobs.saved_run import SavedRun
from forecast.jobs.state_forecasts import fitted
from forecast.progress import silent
from forecast.report.files import load_report
from forecast.runs.draws_files import read_draws
from tests.conftest import NOW
from tests.support import fake_sampler
from tests.support.light_runs import plain_runs
from tests.support.prior_forecasts import drawn_forecast
from tests.support.sound_reports import question_rows

SEED = 11


def report(forecast: Forecast, run_id: str, created: datetime) -> dict[str, Any]:
    """The example's, but for what is asked and answered."""
    as_of = forecast.as_of and forecast.as_of.isoformat()
    return fake_sampler.report(forecast, run_id, created) | {"questions": question_rows(forecast), "as_of": as_of}


@pytest.fixture(scope="module", autouse=True)
def _only_numbers() -> Iterator[None]:
    """Of a run its report.json, draws and inputs."""
    with plain_runs(report, draws=True):
        yield


def drawn(inputs: Inputs, seed: int, draws: int) -> Forecast:
    return drawn_forecast(build_origin_state(inputs.data, inputs.priors, seed), draws, 2_000)


def edit(root: Path, file: str, old: str, new: str) -> None:
    path = root / "priors" / file
    text = path.read_text()
    assert text.count(f'"{old}"') == 1
    path.write_text(text.replace(f'"{old}"', f'"{new}"'))


def z(found: Mapping[str, Any]) -> float:
    """The remainder in standard errors, root mean square over questions that chance moves."""
    return float(np.sqrt(np.mean([(q["noise"] / q["noise_se"]) ** 2 for q in found["questions"].values() if q["noise_se"] > 1e-4])))


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Two priors edited between two runs; the first run, and what moved the second."""
    root = tmp_path_factory.mktemp("explained") / "workspace"
    places.create_workspace(root)
    before = load_workspace(root, today=NOW.date())
    a = write_report(drawn(before, SEED, 3), root / "reports", NOW, inputs=before).path
    edit(root, "leverage.toml", "Normal(1.6, 0.8)", "Normal(1.5, 0.75)")
    edit(root, "opposition.toml", "Normal(0.4, 0.3)", "Normal(0.45, 0.3)")
    after = load_workspace(root, today=NOW.date())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecast.jobs.run.fit", lambda inputs, seed, *_, **__: drawn(inputs, seed, seed))
        return a, job.moved(SavedRun(a), drawn(after, SEED, 4), after)


@pytest.mark.slow
def test_a_part_is_what_the_ratio_of_the_densities_says(edited: tuple[Path, dict[str, Any]]) -> None:
    """Importance sampling by hand from draws.npz, for each edit after those before it."""
    a, found = edited
    assert [p["label"].split(":")[0] for p in found["parts"]] == ["leverage.effect", "opposition.effect"]
    assert {p["how"] for p in found["parts"]} == {"reweighted"}
    arrays = read_draws(a)
    ids = [str(q) for q in arrays["questions"]]

    def normal(x: Any, mean: float, sd: float) -> Any:
        return np.exp(-0.5 * ((x - mean) / sd) ** 2) / sd

    told = [np.zeros(len(ids)) for _ in range(3)]
    for name, weight in {"main": 0.45, "advisers_stayed": 0.35, "denials_true": 0.10, "covert_true": 0.10}.items():
        x, y = arrays[f"{name}/leverage"].astype(float), arrays[f"{name}/opposition"].astype(float)
        one = normal(x, 1.5, 0.75) / normal(x, 1.6, 0.8)
        two = one * normal(y, 0.45, 0.3) / normal(y, 0.4, 0.3)
        for i, w in enumerate((np.ones_like(x), one, two)):
            told[i] += weight * (arrays[f"{name}/questions"].astype(float) @ w) / w.sum()
    for i, id_ in enumerate(ids):
        q = found["questions"][id_]
        assert q["parts"] == pytest.approx([told[1][i] - told[0][i], told[2][i] - told[1][i]], abs=3e-5)
        assert q["noise"] == pytest.approx(q["after"] - told[2][i], abs=3e-5)


@pytest.mark.slow
def test_the_noise_is_within_its_standard_error(edited: tuple[Path, dict[str, Any]]) -> None:
    _, found = edited
    assert found["unexplained"] == []
    assert 0.2 < z(found) < 2  # nor is the standard error far too large
    assert found["factor"] < 2
    assert all(q["remainder_se"] == q["noise_se"] for q in found["questions"].values())


@pytest.fixture(scope="module")
def a_month(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Forecast, Inputs]:
    """A real fit of the data of the end of May 2026, written; one of the end of June."""
    root = places.bundled_root()
    reports = tmp_path_factory.mktemp("month")
    may, june = (load_workspace(root, date(2026, m, d)) for m, d in ((5, 31), (6, 30)))
    a = write_report(fit(may, DEFAULT_SEED, explored=False), reports, NOW, inputs=may).path
    return a, fit(june, DEFAULT_SEED, explored=False), june


@pytest.mark.soak
def test_a_month_of_real_data_is_told_in_parts(a_month: tuple[Path, Forecast, Inputs]) -> None:
    a, forecast, inputs = a_month
    found = job.moved(SavedRun(a), forecast, inputs)
    assert {q: found["questions"][q]["after"] for q in found["questions"]} == {q: x.probability for q, x in forecast.answers.items()}
    assert found["unexplained"] == []
    assert z(found) < 2.5
    kinds = [p["kind"] for p in found["parts"]]
    assert kinds == sorted(kinds, key=["revision", "time", "new"].index)
    assert {"revision", "time", "new"} <= set(kinds)
    assert {p["how"] for p in found["parts"]} == {"reweighted"}  # a month is near enough for the draws of the run before
    told_by_a_fit(a, inputs, found)
    headline = found["questions"]["reach-4-12m"]["parts"]
    by_label = {p["label"]: headline[i] for i, p in enumerate(found["parts"])}
    assert next(x for label, x in by_label.items() if re.match("B084.*threat", label)) > 0  # a threat raises it
    assert next(x for label, x in by_label.items() if "as if nothing" in label) < 0  # quiet lets leverage fade
    assert next(x for label, x in by_label.items() if label.startswith("OC33")) == pytest.approx(0, abs=1e-12)  # the level went on anyway


def told_by_a_fit(a: Path, inputs: Inputs, found: Mapping[str, Any]) -> None:
    """Revisions and time passing together are what a fit of the state after them says, within the errors of the two fits."""
    kinds = [p["kind"] for p in found["parts"]]
    k = kinds.index("new")
    made = fitted(inputs, intermediate_inputs(SavedRun(a).inputs, inputs).states[k], DEFAULT_SEED + 1, silent)
    mcse = {q.id: q.mcse for q in load_report(a).questions}
    for id_, q in found["questions"].items():
        error = 4 * np.hypot(made.mcse[id_], mcse[id_]) + 1e-6
        assert q["before"] + sum(q["parts"][:k]) == pytest.approx(made.values[id_], abs=error), id_


@pytest.mark.soak
def test_the_same_inputs_with_another_seed_move_it_by_noise_alone(
    a_month: tuple[Path, Forecast, Inputs], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, forecast, inputs = a_month
    june = write_report(replace(forecast, scenarios=[]), tmp_path, NOW + timedelta(hours=1), inputs=inputs).path
    other, again = fit(inputs, 5, explored=False), fit(inputs, 6, explored=False)
    monkeypatch.setattr("forecast.jobs.run.fit", lambda *_, **__: again)
    found = job.moved(SavedRun(june), other, inputs)
    assert (found["parts"], found["unexplained"]) == ([], [])
    assert 0.2 < z(found) < 2.5
    assert found["factor"] < 2
    shifted = {id_: replace(x, probability=x.probability + 11 * 2**0.5 * x.mcse) for id_, x in other.answers.items()}
    found = job.moved(SavedRun(june), replace(other, answers=shifted), inputs)
    assert len(found["unexplained"]) > 40
