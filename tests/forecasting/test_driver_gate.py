"""A row that is off by a factor is named before anything is fitted to it; the bundled data pass, on every day they are looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from forecast.data.as_of import as_of
from forecast.data.records import OverdoseRelease
from forecast.data.tables import Data, origin
from forecast.errors import GateError
from forecast.forecasting import driver_gate
from forecast.forecasting.driver_gate import NAMED, contradicted_records
from forecast.forecasting.origin_state import build_origin_state
from forecast.model.opposition import OppositionPriors, fit_opposition
from forecast.model.overdose import fit_overdose
from tests.support.synthetic import data, origin_state, priors

DAYS = [date(2008, 6, 28), date(2013, 3, 28), date(2018, 1, 28), date(2019, 7, 28), date(2021, 3, 28), date(2024, 1, 28), date(2026, 3, 28)]
NEWEST = max(r.published.last for r in data().overdose_releases)


def changed(of: Data, which: Callable[[OverdoseRelease], bool], **factors: float) -> tuple[OverdoseRelease, ...]:
    """Releases with the columns named multiplied in the rows chosen."""

    def row(r: OverdoseRelease) -> OverdoseRelease:
        values = {column: getattr(r, column) and getattr(r, column) * factor for column, factor in factors.items()}
        return r.model_copy(update=values) if which(r) else r

    return tuple(map(row, of.overdose_releases))


def test_the_bundled_drivers_pass() -> None:
    assert origin_state().opposition.effective > 1000
    assert origin_state().rates.effective > 1000


@pytest.mark.parametrize("day", [DAYS[0], *(pytest.param(day, marks=pytest.mark.slow) for day in DAYS[1:])], ids=str)
def test_earlier_views_of_the_data_pass(day: date) -> None:
    then = as_of(data(), day)
    assert contradicted_records(then.overdose_final, then.overdose_releases, origin(then)) == ()
    build_origin_state(then, priors(), 7)


@pytest.mark.parametrize("factor", [10.0, 0.1])
@pytest.mark.parametrize("column", ["reported", "predicted"])
@pytest.mark.parametrize("back", [0, 4, 30])
def test_a_total_off_by_a_factor_is_named(column: str, factor: float, back: int) -> None:
    rows = sorted(r.period_end for r in data().overdose_releases if r.published.last == NEWEST and r.indicator == "synthetic_opioids")
    end = rows[-1 - back]
    releases = changed(
        data(), lambda r: r.published.last == NEWEST and r.indicator == "synthetic_opioids" and r.period_end == end, **{column: factor}
    )
    (found,) = contradicted_records(data().overdose_final, releases, origin(data()))
    assert (found.file, found.value / found.expected) == ("overdose_releases.csv", pytest.approx(factor, rel=0.15))
    assert NEWEST.isoformat() in found.key
    assert found.key.endswith(column)


def test_a_release_of_another_series_is_named() -> None:
    releases = changed(data(), lambda r: r.published.last == NEWEST, reported=2.0, predicted=2.0)
    found = contradicted_records(data().overdose_final, releases, origin(data()))
    assert len(found) == NAMED
    assert all(NEWEST.isoformat() in f.key for f in found)
    with pytest.raises(GateError, match=r"overdose_releases\.csv, published .* times too high") as e:
        driver_gate.check_overdose_records(data().overdose_final, releases, origin(data()))
    assert e.value.exit_code == 4


@pytest.mark.parametrize("factor", [10.0, 0.1])
@pytest.mark.parametrize("back", [0, 1, 60, 200])
def test_a_final_count_off_by_a_factor_is_named(factor: float, back: int) -> None:
    finals = list(data().overdose_final)
    i = [i for i, r in enumerate(finals) if "synthetic_opioids" in r.series][-1 - back]
    finals[i] = finals[i].model_copy(update={"deaths": finals[i].deaths * factor})
    found = contradicted_records(finals, data().overdose_releases, origin(data()))
    assert found[0].file == "overdose_final.csv"
    assert found[0].value == finals[i].deaths
    assert found[0].value / found[0].expected == pytest.approx(factor, rel=0.25)


def test_nothing_is_fitted_to_records_that_contradict_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.forecasting.origin_state.fit_overdose", lambda *_: pytest.fail("it was fitted"))
    wrong = replace(data(), overdose_releases=changed(data(), lambda r: r.published.last == NEWEST, reported=10.0))
    with pytest.raises(GateError):
        build_origin_state(wrong, priors(), 7)


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_a_unit_wrong_throughout_is_seen_by_its_level(factor: float) -> None:
    finals = [r.model_copy(update={"deaths": r.deaths * factor}) for r in data().overdose_final]
    with pytest.raises(GateError, match="deaths of synthetic opioids in"):
        driver_gate.check_overdose(fit_overdose(finals, (), origin(data())))


def test_a_poll_in_fractions_is_named() -> None:
    polls = list(data().polls)
    i = next(i for i, p in enumerate(polls) if p.use == "yes" and p.wording == "force_unqualified" and p.opposed_pct and p.in_favour_pct)
    polls[i] = polls[i].model_copy(update={"opposed_pct": 0.6, "in_favour_pct": 99.0})
    fit = fit_opposition(polls, origin(data()), OppositionPriors.of(priors()), np.random.default_rng(1))
    with pytest.raises(GateError, match=polls[i].poll_id):
        driver_gate.check_opposition(fit)


def test_opposition_beyond_belief_names_the_poll_that_pulls() -> None:
    fit = origin_state().opposition
    with pytest.raises(GateError, match=r"beyond 99 % .* polls\.csv, "):
        driver_gate.check_opposition(replace(fit, mean=fit.mean + 5.0))


@pytest.mark.parametrize("model", ["opposition", "events"])
@pytest.mark.parametrize(("k_hat", "effective"), [(0.8, 2000.0), (0.1, 300.0), (np.nan, 2000.0)])
def test_weights_that_degenerate_end_at_the_gate(model: str, k_hat: float, effective: float) -> None:
    s = origin_state()
    changes = {"k_hat": k_hat, "effective": effective}
    opposition, rates = replace(s.opposition, **changes), replace(s.rates, **changes)  # type: ignore[arg-type]  # two floats
    with pytest.raises(GateError, match=model):
        _ = driver_gate.check_opposition(opposition) if model == "opposition" else driver_gate.check_events(rates)


def test_more_events_than_can_be_simulated_and_pressure_beyond_belief_are_named() -> None:
    s = origin_state()
    with pytest.raises(GateError, match=r"events\.csv has .* of the kind"):
        driver_gate.check_events(replace(s.rates, counts=s.rates.counts * 10))
    with pytest.raises(GateError, match=r"US pressure in \d{4}-\d{2}|US pressure in [A-Z]"):
        driver_gate.check_leverage(replace(s.leverage, value=s.leverage.value * 10))
