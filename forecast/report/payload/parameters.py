"""What the data changed and what they did not: parameters, skips, and the histories the model would have written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from forecast.arrays.transforms import expit
from forecast.domain import TOP
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.parameter_draws import from_prior, skip_posterior
from forecast.forecasting.predictive_checks import predictive_checks, simulate_histories
from forecast.model.tolerance_data import History
from forecast.priors.catalogue import CATALOGUE
from forecast.priors.descriptions import short_label
from forecast.report.models.fit import BetaSummary, Parameter, ParameterSummary, PriorSummary, ReplicatedStatisticEntry, Replicates, Skip
from forecast.reweighting.importance_ratios import PARAMETER_READERS
from forecast.sensitivity.prior_effects import LEARNT_CONTRACTION, LEARNT_SHIFT
from forecast.typing import Floats

UNDER_PRESSURE: Final = 0.5
"""ℓ above which a transition says something about the effect of pressure."""
_PRIOR_DRAWS: Final = 20_000
_REPLICATES: Final = 1_000


@dataclass(frozen=True)
class _Row:
    """A parameter of model 5: its named prior, the scale on which it is shown, and which changes of level bear on it."""

    name: str
    shown: Callable[[Floats], Floats]
    transitions: str


def _rows() -> list[_Row]:
    rises = [_Row(f"ladder.rise.{j}", expit, f"rise {j}") for j in range(TOP)]
    stays = [_Row(f"ladder.stay.{j}", np.exp, f"fall {j}") for j in range(1, TOP + 1)]
    every_change = (
        "overdose.level_effect", "overdose.change_effect", "opposition.effect", "opposition.mobilisation",
        "administration.sd", "drift.sd", "drift.half_life",
    )  # fmt: skip
    return [
        _Row("leverage.effect", np.asarray, "rise under pressure"),
        _Row("leverage.effect_on_falls", np.asarray, "fall under pressure"),
        *rises,
        *stays,
        _Row("ladder.just_risen", np.asarray, "fall just after a rise"),
        *(_Row(name, np.asarray, "any") for name in every_change),
    ]


def parameters(forecast: Forecast) -> list[Parameter]:
    """Prior and posterior of the main reading, how much narrower and how far moved, and how many changes of level bear on each.

    Contraction is 1 − variance/prior variance, shift the move of the mean in prior sds, both on the scale the prior is normal on.
    """
    main = forecast.readings["main"]
    prior = from_prior(main.constants, forecast.origin_state.origin, _PRIOR_DRAWS, np.random.default_rng(forecast.origin_state.seed + 6))
    counts = transitions(main.history)
    rows = []
    for row in _rows():
        before, after = (PARAMETER_READERS[row.name](draws) for draws in (prior, main.draws))
        contraction = float(1 - after.var() / before.var()) if before.var() > 0 else 0.0
        shift = float(abs(after.mean() - before.mean()) / before.std()) if before.var() > 0 else 0.0
        definition = CATALOGUE[row.name]
        shown = row.shown(after)
        rows.append(
            Parameter(
                name=row.name,
                symbol=definition.symbol,
                words=short_label(row.name),
                unit=definition.unit,
                prior=PriorSummary(text=str(forecast.origin_state.priors.spec(row.name)), **_quantiles(row.shown(before))),
                posterior=ParameterSummary(mean=float(shown.mean()), sd=float(shown.std()), **_quantiles(shown)),
                contraction=contraction,
                shift=shift,
                learnt=contraction >= LEARNT_CONTRACTION or shift >= LEARNT_SHIFT,
                transitions=counts[row.transitions],
            )
        )
    return rows


def transitions(history: History) -> Counter[str]:
    """How many changes of level bear on each parameter."""
    levels, pressed, just_risen = history.levels, history.drivers.pressure > UNDER_PRESSURE, history.just_risen
    counts: Counter[str] = Counter()
    for t in range(1, len(levels)):
        if levels[t] == levels[t - 1]:
            continue
        kind = "rise" if levels[t] > levels[t - 1] else "fall"
        counts.update(["any", f"{kind} {levels[t - 1]}"])
        counts.update([f"{kind} under pressure"] if pressed[t - 1] else [])
        counts.update([f"{kind} just after a rise"] if just_risen[t - 1] else [])
    return counts


def _quantiles(values: Floats) -> dict[str, float]:
    return dict(zip(("q05", "q50", "q95"), map(float, np.quantile(values, [0.05, 0.5, 0.95])), strict=True))


def skips(forecast: Forecast) -> list[Skip]:
    """Chances that a change which reaches a level goes on beyond it: prior, posterior of the main reading, and the counts between."""
    main = forecast.readings["main"]
    up, down, counts = skip_posterior(main.constants, main.history)
    directions: tuple[tuple[Literal["up", "down"], Floats, Floats, NDArray[np.float64]], ...] = (
        ("up", main.constants.skip_up, up, counts[0]),
        ("down", main.constants.skip_down, down, counts[1]),
    )
    return [
        Skip(
            direction=direction,
            level=i + 1,
            prior=_beta(prior[i]),
            posterior=_beta(posterior[i]),
            went_on=int(seen[i, 0]),
            stopped=int(seen[i, 1]),
        )
        for direction, prior, posterior, seen in directions
        for i in range(TOP - 1)
    ]


def _beta(shape: Floats) -> BetaSummary:
    a, b = map(float, shape)
    distribution = beta(a, b)
    return BetaSummary(mean=a / (a + b), q05=float(distribution.ppf(0.05)), q95=float(distribution.ppf(0.95)))


def replicates(forecast: Forecast) -> Replicates:
    """Histories of the same months, given the real drivers, from the prior and from the posterior, beside the record."""
    state, main = forecast.origin_state, forecast.readings["main"]
    rng = np.random.default_rng(state.seed + 7)
    chosen = np.linspace(0, main.draws.size - 1, _REPLICATES).astype(int)
    draws = {"prior": from_prior(main.constants, state.origin, _REPLICATES, rng), "posterior": main.draws.take(chosen)}
    observed = main.history.levels
    rows = {
        name: replicated_statistics(observed, simulate_histories(source, state.drivers, int(observed[0]), rng))
        for name, source in draws.items()
    }
    return Replicates(observed={row.statistic: row.observed for row in rows["posterior"]}, **rows)


_STATISTICS: Final[Mapping[str, str]] = {
    "changes": "changes of level", "one_month_spells": "spells of one month", "mean_spell": "months between changes, mean",
    "skips": "changes that skip a level", "ever_4": "ever at level 4 or above", "ever_0": "ever at level 0",
    **{f"months_at_{k}": f"months at level {k}" for k in range(TOP + 1)},
}  # fmt: skip


def replicated_statistics(observed: NDArray[np.int_], simulated: NDArray[np.int_]) -> list[ReplicatedStatisticEntry]:
    """The record [T] beside replicates [S, T], a row a statistic; one that either side lacks has no row."""
    names = ("observed", "q05", "q50", "q95", "tail_p")
    rows = [
        (_STATISTICS.get(r.statistic, r.statistic), {n: float(getattr(r, n)) for n in names})
        for r in predictive_checks(observed, simulated)
    ]
    return [ReplicatedStatisticEntry(statistic=words, **numbers) for words, numbers in rows if all(map(np.isfinite, numbers.values()))]
