"""From the predictives of the classes to priors of the ladder, and back: what the priors would say of a state of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from forecast.arrays.ladder import fall_logit, rise_logit
from forecast.arrays.transforms import expit, logit
from forecast.domain import TOP
from forecast.model.outside_view_predictive import NewStatePredictive
from forecast.priors.distributions import Normal, PriorSpec, Quantiles, Scale
from forecast.priors.linear_pool import WeightedSample, central_normal, linear_pool, widen
from forecast.priors.load import Priors
from forecast.typing import Floats

DIGITS: Final = 3


def ladder_specs(
    states: Mapping[str, NewStatePredictive], weights: Mapping[str, float], widening: Mapping[str, float]
) -> dict[str, PriorSpec]:
    """The priors of rises, stays, skips and φ: each a linear pool over classes, rises and stays widened, to three significant digits.

    `states` and `weights` by class; `widening` as in the prior `outside_view.widening`. Without s_1: the one rise from 0 says too little.
    """

    def pool(of: Callable[[NewStatePredictive], Floats]) -> WeightedSample:
        return linear_pool({name: of(state) for name, state in states.items()}, weights)

    specs: dict[str, PriorSpec] = {}
    for j in range(TOP):
        q = pool(lambda state: state.q[:, j])  # noqa: B023  # called at once
        on_logit = widen(replace(q, values=logit(q.values)), widening["rise_low" if j < 3 else "rise_high"])
        specs[f"ladder.rise.{j}"] = _quantiles(expit(on_logit.interval()), "logit")
    for j in range(1, TOP + 1):
        m = pool(lambda state: state.m[:, j - 1])  # noqa: B023  # called at once
        log = widen(replace(m, values=np.log(m.values)), widening["stay_low" if j < 4 else "stay_high"])
        specs[f"ladder.stay.{j}"] = _quantiles(np.exp(log.interval()), "log")
    for i in range(2, TOP):
        specs[f"ladder.skip_up.{i}"] = _quantiles(pool(lambda state: state.s[:, i - 1]).interval(), "beta")  # noqa: B023  # called at once
    for i in range(1, TOP):
        specs[f"ladder.skip_down.{i}"] = _quantiles(pool(lambda state: state.s_down[:, i - 1]).interval(), "beta")  # noqa: B023  # called at once
    phi = central_normal(pool(lambda state: state.phi))
    return specs | {"ladder.fresh": Normal(_rounded(phi.mean), _rounded(phi.sd))}


def medians(state: NewStatePredictive) -> dict[str, float]:
    """What one class says of each of these priors: the median for a new state."""
    out = {f"ladder.rise.{j}": state.q[:, j] for j in range(TOP)}
    out |= {f"ladder.stay.{j}": state.m[:, j - 1] for j in range(1, TOP + 1)}
    out |= {f"ladder.skip_up.{i}": state.s[:, i - 1] for i in range(2, TOP)}
    out |= {f"ladder.skip_down.{i}": state.s_down[:, i - 1] for i in range(1, TOP)}
    return {name: float(np.median(draws)) for name, draws in (out | {"ladder.fresh": state.phi}).items()}


def pressure_specs(states: Mapping[str, NewStatePredictive], weights: Mapping[str, float]) -> dict[str, PriorSpec]:
    """What a fit says of the effects of pressure, pooled over classes, as it says it: no widening, no judgement."""

    def pool(of: Callable[[NewStatePredictive], Floats]) -> PriorSpec:
        found = central_normal(linear_pool({name: of(state) for name, state in states.items()}, weights))
        return Normal(_rounded(found.mean), _rounded(found.sd))

    return {"leverage.effect": pool(lambda s: s.pi_rise), "leverage.effect_on_falls": pool(lambda s: s.pi_fall)}


def state_of(priors: Priors, n: int, seed: int) -> NewStatePredictive:
    """Draws from the priors themselves, as if they were a class; pressure at its full strength, ℓ = 1; no selection factor."""
    rng = np.random.default_rng(seed)

    def draw(name: str) -> Floats:
        return priors.distribution(name).sample(rng, n)

    return NewStatePredictive(
        rise_odds=np.column_stack([rise_logit(draw(f"ladder.rise.{j}")) for j in range(TOP)]),
        fall_odds=np.column_stack([fall_logit(draw(f"ladder.stay.{j}")) for j in range(1, TOP + 1)]),
        s=np.column_stack([draw(f"ladder.skip_up.{i}") for i in range(1, TOP)]),
        s_down=np.column_stack([draw(f"ladder.skip_down.{i}") for i in range(1, TOP)]),
        phi=draw("ladder.fresh"),
        pi_rise=draw("leverage.effect"),
        pi_fall=draw("leverage.effect_on_falls"),
    )


def _quantiles(interval: Floats, scale: Scale) -> Quantiles:
    low, middle, high = (_rounded(float(x)) for x in interval)
    return Quantiles(low, middle, high, scale)


def _rounded(x: float) -> float:
    return float(f"{x:.{DIGITS}g}")
