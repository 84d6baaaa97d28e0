"""What the data changed and what they did not: parameters, skips, and the histories the model would have written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta as beta_distribution

from forecast.arrays.transforms import expit
from forecast.domain import TOP
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.parameter_draws import from_prior, skip_posterior
from forecast.forecasting.predictive_checks import predictive_checks, simulate_histories
from forecast.model.history import History
from forecast.priors.catalogue import CATALOGUE
from forecast.priors.short import short_words
from forecast.reweighting.importance_ratios import PARAMETER_READERS
from forecast.sensitivity.prior_effects import LEARNT_CONTRACTION, LEARNT_SHIFT
from forecast.typing import Floats

type Rows = list[dict[str, Any]]
type Scale = Callable[[Floats], Floats]

UNDER_PRESSURE = 0.5
"""ℓ above which a transition says something about the effect of pressure."""
_PRIOR_DRAWS = 20_000
_REPLICATES = 1_000


@dataclass(frozen=True)
class _Row:
    """A parameter of model 5: its named prior, how it is shown, what it rests on."""

    name: str
    shown: Scale
    rests_on: str


def _same(x: Floats) -> Floats:
    return x


def _parameters() -> list[_Row]:
    rises = [_Row(f"ladder.rise.{j}", expit, f"rise {j}") for j in range(TOP)]
    stays = [_Row(f"ladder.stay.{j}", np.exp, f"fall {j}") for j in range(1, TOP + 1)]
    everything = (
        "overdose.level_effect", "overdose.change_effect", "opposition.effect", "opposition.mobilisation",
        "administration.sd", "drift.sd", "drift.half_life",
    )  # fmt: skip
    return [
        _Row("leverage.effect", _same, "rise under pressure"),
        _Row("leverage.effect_on_falls", _same, "fall under pressure"),
        *rises,
        *stays,
        _Row("ladder.fresh", _same, "fall just after a rise"),
        *(_Row(name, _same, "any") for name in everything),
    ]


def parameters(forecast: Forecast) -> Rows:
    """Prior and posterior of the main reading, how much narrower and how far moved, and how many changes of level it rests on.

    Contraction is 1 − variance/prior variance, shift the move of the mean in prior sds, both on the scale the prior is normal on.
    """
    main = forecast.readings["main"]
    prior = from_prior(main.constants, forecast.situation.origin, _PRIOR_DRAWS, np.random.default_rng(forecast.situation.seed + 6))
    counts = transitions(main.history)
    rows = []
    for row in _parameters():
        before, after = (PARAMETER_READERS[row.name](draws) for draws in (prior, main.draws))
        contraction = float(1 - after.var() / before.var()) if before.var() > 0 else 0.0
        shift = float(abs(after.mean() - before.mean()) / before.std()) if before.var() > 0 else 0.0
        entry = CATALOGUE[row.name]
        shown = row.shown(after)
        rows.append({
            "name": row.name,
            "symbol": entry.symbol,
            "words": short_words(row.name),
            "unit": entry.unit,
            "prior": {"text": str(forecast.situation.priors.spec(row.name)), **_quantiles(row.shown(before))},
            "posterior": {"mean": float(shown.mean()), "sd": float(shown.std()), **_quantiles(shown)},
            "contraction": contraction,
            "shift": shift,
            "learnt": contraction >= LEARNT_CONTRACTION or shift >= LEARNT_SHIFT,
            "transitions": counts.get(row.rests_on, 0),
        })  # fmt: skip
    return rows


def transitions(history: History) -> dict[str, int]:
    """How many changes of level speak to each parameter."""
    levels, pressed, fresh = history.levels, history.drivers.pressure > UNDER_PRESSURE, history.fresh
    out: dict[str, int] = {}

    def add(key: str) -> None:
        out[key] = out.get(key, 0) + 1

    for t in range(1, len(levels)):
        if levels[t] == levels[t - 1]:
            continue
        kind = "rise" if levels[t] > levels[t - 1] else "fall"
        add("any")
        add(f"{kind} {levels[t - 1]}")
        if pressed[t - 1]:
            add(f"{kind} under pressure")
        if fresh[t - 1]:
            add(f"{kind} just after a rise")
    return out


def _quantiles(values: Floats) -> dict[str, float]:
    return dict(zip(("q05", "q50", "q95"), map(float, np.quantile(values, [0.05, 0.5, 0.95])), strict=True))


def skips(forecast: Forecast) -> Rows:
    """Chances that a change which reaches a level goes on beyond it: prior, posterior of the main reading, and the counts between."""
    main = forecast.readings["main"]
    up, down, counts = skip_posterior(main.constants, main.history)
    rows = []
    for direction, prior, posterior, seen in (
        ("up", main.constants.skip_up, up, counts[0]),
        ("down", main.constants.skip_down, down, counts[1]),
    ):
        for i in range(TOP - 1):
            rows.append({
                "direction": direction, "level": i + 1, "prior": _beta(prior[i]), "posterior": _beta(posterior[i]),
                "went_on": int(seen[i, 0]), "stopped": int(seen[i, 1]),
            })  # fmt: skip
    return rows


def _beta(parameters: Floats) -> dict[str, float]:
    a, b = map(float, parameters)
    posterior = beta_distribution(a, b)
    return {"mean": a / (a + b), "q05": float(posterior.ppf(0.05)), "q95": float(posterior.ppf(0.95))}


def replicates(forecast: Forecast) -> dict[str, Any]:
    """Histories of the same months, given the real drivers, from the prior and from the posterior, beside the record."""
    situation, main = forecast.situation, forecast.readings["main"]
    rng = np.random.default_rng(situation.seed + 7)
    some = np.linspace(0, main.draws.size - 1, _REPLICATES).astype(int)
    sources = {
        "prior": from_prior(main.constants, situation.origin, _REPLICATES, rng),
        "posterior": main.draws.take(some),
    }
    observed = main.history.levels
    out: dict[str, Any] = {"observed": {}}
    for name, draws in sources.items():
        simulated = simulate_histories(draws, situation.drivers, int(observed[0]), rng)
        rows = replicate_rows(observed, simulated)
        out[name] = rows
        out["observed"] = {row["statistic"]: row["observed"] for row in rows}
    return out


_STATISTICS: Mapping[str, str] = {
    "changes": "changes of level", "one_month_spells": "spells of one month", "mean_spell": "months between changes, mean",
    "skips": "changes that skip a level", "ever_4": "ever at level 4 or above", "ever_0": "ever at level 0",
    **{f"months_at_{k}": f"months at level {k}" for k in range(TOP + 1)},
}  # fmt: skip


def replicate_rows(observed: NDArray[np.int_], simulated: NDArray[np.int_]) -> Rows:
    """The record [T] beside replicates [S, T], a row a statistic; one that either side lacks has no row."""
    names = ("observed", "q05", "q50", "q95", "tail_p")
    rows = [
        {"statistic": _STATISTICS.get(r.statistic, r.statistic)} | {n: float(getattr(r, n)) for n in names}
        for r in predictive_checks(observed, simulated)
    ]
    return [row for row in rows if all(np.isfinite(row[n]) for n in names)]
