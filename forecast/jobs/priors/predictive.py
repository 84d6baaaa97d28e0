"""What the priors alone imply for the questions and for the record of Mexico."""

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
from forecast.formatting import percent
from forecast.model.hyperparameters import tolerance_priors
from forecast.progress import Progress, silent

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
        yield "From the priors alone: chance of reaching the level or a higher one within"
        yield f"{'':<24}" + "".join(f"{f'{h} months':>12}" for h in HORIZONS)
        for k, row in self.chances.items():
            yield f"{k} {LEVELS[k]:<22}" + "".join(f"{percent(p):>12}" for p in row.values())
        yield ""
        yield "Histories of the same months simulated from the priors, beside the record"
        yield f"{'':<30}{'record':>8}{'5 %':>8}{'50 %':>8}{'95 %':>8}{'tail':>10}"
        for replicate in self.replicates:
            numbers = "".join(f"{replicate[n]:>8.3g}" for n in ("observed", "q05", "q50", "q95"))
            yield f"{replicate['statistic']:<30}{numbers}{percent(replicate['tail_p']):>10}"


def prior_predictive(inputs: Inputs, seed: int = DEFAULT_SEED, progress: Progress = silent) -> PriorPredictive:
    """Draw the parameters of model 5 from its priors, and simulate the record and the forecast. No sampler runs."""
    from forecast.report.payload.parameters import replicated_statistics

    progress("drivers", None)
    origin_state = build_origin_state(inputs.data, inputs.priors, seed)
    pool = origin_state.pool()
    progress("drivers", 1.0)
    rng = np.random.default_rng(seed + 3)
    draws = from_prior(tolerance_priors(inputs.priors), origin_state.origin, DRAWS, rng)
    ladders = {}
    for i, (name, history) in enumerate(origin_state.histories.items()):
        progress("histories", i / len(origin_state.histories), name)
        ladders[name] = forecast_from_history(origin_state, draws, pool, history)
    progress("histories", 1.0)
    chances = {
        k: {h: float(sum(origin_state.weights[n] * ladder.reached(k, h).mean() for n, ladder in ladders.items())) for h in HORIZONS}
        for k in range(TOP, 0, -1)
    }
    record = origin_state.histories["main"].levels
    simulated = simulate_histories(draws, origin_state.drivers, int(record[0]), rng)
    return PriorPredictive(chances, [row.model_dump() for row in replicated_statistics(record, simulated)])
