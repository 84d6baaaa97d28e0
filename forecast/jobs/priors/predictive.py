"""What the priors alone say: of the questions, and of the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.domain import HORIZONS, LEVELS, TOP
from forecast.forecasting.inputs import Inputs
from forecast.forecasting.ladder_forecast import forecast_from_history
from forecast.forecasting.origin_state import build_origin_state
from forecast.forecasting.parameter_draws import from_prior
from forecast.forecasting.predictive_checks import simulate_histories
from forecast.model.hyperparameters import tolerance_priors
from forecast.progress import Progress, silent
from forecast.report.words import percent

DEFAULT_SEED = 20_060_101
DRAWS = 2_000


@dataclass(frozen=True)
class PriorPredictive:
    """chances: level → horizon → P(reached), the mixture over readings with model 5's parameters from their priors, the drivers as fitted;
    replicates: statistics of histories drawn from the prior, given the real drivers, beside the record.
    """

    chances: dict[int, dict[int, float]]
    replicates: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        return {
            "reached_by": {str(k): {str(h): p for h, p in row.items()} for k, row in self.chances.items()},
            "replicates": self.replicates,
        }

    def lines(self) -> Iterator[str]:
        """For a terminal of 80 columns."""
        yield ""
        yield "What the priors alone say: chance of the level or a higher one within"
        yield f"{'':<24}" + "".join(f"{f'{h} months':>12}" for h in HORIZONS)
        for k, row in self.chances.items():
            yield f"{k} {LEVELS[k]:<22}" + "".join(f"{percent(p):>12}" for p in row.values())
        yield ""
        yield "Histories of the same months drawn from the priors, beside the record"
        yield f"{'':<30}{'record':>8}{'5 %':>8}{'50 %':>8}{'95 %':>8}{'tail':>10}"
        for said in self.replicates:
            numbers = "".join(f"{said[n]:>8.3g}" for n in ("observed", "q05", "q50", "q95"))
            yield f"{said['statistic']:<30}{numbers}{percent(said['tail_p']):>10}"


def prior_predictive(inputs: Inputs, seed: int = DEFAULT_SEED, progress: Progress = silent) -> PriorPredictive:
    """Draw model 5 from its priors and carry it over the record, and from the origin forward. No sampler."""
    from forecast.report.parts.beliefs import replicate_rows

    progress("drivers", None)
    origin_state = build_origin_state(inputs.data, inputs.priors, seed)
    pool = origin_state.pool()
    progress("drivers", 1.0)
    rng = np.random.default_rng(seed + 3)
    draws = from_prior(tolerance_priors(inputs.priors), origin_state.origin, DRAWS, rng)
    climbs = {}
    for i, (name, history) in enumerate(origin_state.histories.items()):
        progress("histories", i / len(origin_state.histories), name)
        climbs[name] = forecast_from_history(origin_state, draws, pool, history)
    progress("histories", 1.0)
    chances = {
        k: {h: float(sum(origin_state.weights[n] * found.reached(k, h).mean() for n, found in climbs.items())) for h in HORIZONS}
        for k in range(TOP, 0, -1)
    }
    record = origin_state.histories["main"].levels
    simulated = simulate_histories(draws, origin_state.drivers, int(record[0]), rng)
    return PriorPredictive(chances, replicate_rows(record, simulated))
