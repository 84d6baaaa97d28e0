"""Simulation-based calibration of model 5: fits of histories simulated from the prior, and the rank of the truth among the draws.

If prior, simulator, likelihood, sampler and forecast agree, every rank is uniform. Test quantities are all named scalars, the
joint log-likelihood (ranks of parameters alone do not reveal that a likelihood is ignored) and the per-draw probabilities of all ladder
questions, with the drivers fixed at their last values. After Talts et al. (2018), Modrák et al. (2023), Säilynoja et al. (2022).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.domain import HORIZONS
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import forecast_ladder, question_probabilities
from forecast.forecasting.parameter_draws import ParameterDraws, from_posterior, from_prior, skip_posterior
from forecast.forecasting.predictive_checks import log_likelihood, simulate_histories
from forecast.inference.sample import Sampler
from forecast.inference.settings import SamplerSettings
from forecast.model.events import STREAMS
from forecast.model.tolerance_data import Drivers, History, TolerancePriors, model_data
from forecast.typing import Floats, Ints

type Quantities = dict[str, Floats]
type Data = dict[str, NDArray[Any]]
type CorruptData = Callable[[Data], Data]
"""A deliberate error: a change of the data before they are fitted. The truth and the test quantities stay as they were."""

SHORT_FIT = SamplerSettings(chains=1, draws=250, tune=250, target_accept=0.9)
KEPT_DRAWS = 50
"""Draws a fit is thinned to, so that they are nearly independent; ranks run from 0 to this number."""
LEARNT_SD_MAX = 0.97
"""A parameter whose posterior sd is on average above this share of its prior sd learns nothing: its ranks are uniform in any case."""


@dataclass(frozen=True, eq=False)
class RankStatistics:
    """Ranks of the truth among the draws of each fit.

    names: of the Q test quantities; ranks: [N, Q], by history and quantity, from 0 to `draws`; ties are broken by chance.
    shrinkage: parameter → mean posterior sd over prior sd; refused: number of fits left out for divergences or draws that are not finite.
    """

    names: tuple[str, ...]
    ranks: Ints
    draws: int
    shrinkage: Mapping[str, float]
    refused: int

    def unlearnt(self) -> tuple[str, ...]:
        """The parameters whose posterior is their prior."""
        return tuple(n for n, s in self.shrinkage.items() if s > LEARNT_SD_MAX)


@dataclass(frozen=True)
class UniformityTest:
    """Whether all ranks are uniform.

    p_values: test quantity → p-value; the smallest must exceed `limit`. unlearnt: parameters that learn nothing, left out.
    histories, refused: number of fits used, and left out.
    """

    p_values: Mapping[str, float]
    limit: float
    unlearnt: tuple[str, ...]
    histories: int
    refused: int

    @property
    def passed(self) -> bool:
        return not self.failing

    @property
    def failing(self) -> tuple[str, ...]:
        return tuple(sorted((n for n, p in self.p_values.items() if p < self.limit), key=lambda n: self.p_values[n]))


def rank_statistics(
    sampler: Sampler,
    constants: TolerancePriors,
    drivers: Drivers,
    start_level: int,
    size: int,
    seed: int,
    settings: SamplerSettings = SHORT_FIT,
    corrupt: CorruptData | None = None,
    report: Callable[[float, str], None] | None = None,
) -> RankStatistics:
    """Fit `size` histories simulated from the prior, given the drivers, each from `start_level`, with one compiled sampler."""
    rng = np.random.default_rng(seed)
    truths = from_prior(constants, drivers.origin, size, rng)
    levels = simulate_histories(truths, drivers, start_level, rng)
    ranks, widths = [], []
    refused = 0
    for n in range(size):
        history = History(levels[n], drivers)
        draws = _fit(sampler, history, constants, seed + 1 + n, settings, corrupt)
        if draws is None:
            refused += 1
            continue
        truth, fitted = calibration_quantities(truths.take(np.array([n])), history), calibration_quantities(draws, history)
        ranks.append([_rank(truth[name][0], fitted[name], rng) for name in fitted])
        widths.append([value.std() for value in scalar_parameters(draws).values()])
        if report:
            report((n + 1) / size, f"{n + 1} of {size} histories, {refused} refused")
    prior = scalar_parameters(from_prior(constants, drivers.origin, 20_000, rng))
    shrinkage = {name: float(w / max(value.std(), 1e-12)) for (name, value), w in zip(prior.items(), np.mean(widths, axis=0), strict=True)}
    return RankStatistics(tuple(fitted), np.array(ranks), KEPT_DRAWS, shrinkage, refused)


def _fit(
    sampler: Sampler, history: History, constants: TolerancePriors, seed: int, settings: SamplerSettings, corrupt: CorruptData | None
) -> ParameterDraws | None:  # fmt: skip
    """Thinned draws of one fit. A fit with divergences is repeated with smaller steps, as in a forecast; None if that fails too."""
    data: Data = model_data(history, constants)
    for attempt in (settings, replace(settings, target_accept=0.99)):
        tree = sampler(corrupt(data) if corrupt else data, seed, attempt)
        posterior: xr.Dataset = tree["posterior"].to_dataset()
        finite = all(np.isfinite(v.values).all() for v in posterior.data_vars.values())
        if finite and not np.any(tree["sample_stats"].to_dataset()["diverging"].values):
            up, down, _ = skip_posterior(constants, history)
            return from_posterior(posterior, up, down, KEPT_DRAWS // settings.chains, np.random.default_rng(seed))
    return None


def scalar_parameters(draws: ParameterDraws) -> Quantities:
    """Every scalar parameter by draw [S]."""
    out: Quantities = {}
    for name, value in draws.__dict__.items():
        if value.ndim == 1:
            out[name] = value
        else:
            out |= {f"{name}[{i}]": value[:, i] for i in range(value.shape[1])}
    return out


def calibration_quantities(draws: ParameterDraws, history: History) -> Quantities:
    """Every test quantity by draw [S]: parameters, the joint log-likelihood, and the chances of the ladder questions."""
    out = scalar_parameters(draws) | {"log_likelihood": log_likelihood(draws, history)}
    held = _held(history.drivers)
    office = np.full(held.horizon, history.drivers.administration[-1])
    paths = np.zeros((draws.size, 1), int)
    # the pressure of the drivers is saturated already, so the link leaves it as it is
    found = forecast_ladder(
        draws, held, paths, history.level_now, history.just_risen_now, history.drivers.origin, office,
        link=lambda pressure: pressure, compiled=True,
    )  # fmt: skip
    return out | question_probabilities(found)


def _held(drivers: Drivers) -> DriverPaths:
    """One path on which every driver keeps its last value."""
    horizon = max(HORIZONS)

    def stays(series: Floats) -> Floats:
        return np.full((1, horizon + 1), series[-1])

    return DriverPaths(
        leverage=stays(drivers.pressure), log2_deaths=stays(drivers.log2_deaths), change=stays(drivers.change),
        opposition=stays(drivers.opposition), mobilisation=stays(drivers.mobilisation),
        arrivals=np.zeros((1, horizon, len(STREAMS)), np.int64), measures=np.zeros((1, 3, horizon + 1)),
        impulses=np.zeros((1, 3, horizon + 1)), gains=np.zeros((1, 3, horizon + 1), np.int64),
        reliefs=np.zeros((1, 3, horizon + 1), np.int64), eta=np.zeros((1, 3)), mobilising=np.zeros(1),
    )  # fmt: skip


def _rank(truth: float, draws: Floats, rng: np.random.Generator) -> int:
    below, level = int((draws < truth).sum()), int((draws == truth).sum())
    return below + int(rng.integers(level + 1))


def uniformity_test(ranks: RankStatistics, family_wise: float = 0.01, seed: int = 1, replicates: int = 100_000) -> UniformityTest:
    """Test whether all ranks are uniform: one p-value a quantity, by its ECDF band, with Bonferroni's correction."""
    unlearnt = ranks.unlearnt()
    p = ecdf_p_values(ranks.ranks, ranks.draws, seed, replicates)
    judged = {n: float(v) for n, v in zip(ranks.names, p, strict=True) if n not in unlearnt}
    return UniformityTest(judged, family_wise / max(len(judged), 1), unlearnt, len(ranks.ranks), ranks.refused)


def ecdf_p_values(ranks: Ints, draws: int, seed: int = 1, replicates: int = 100_000) -> Floats:
    """P-values [Q] of uniform ranks [N, Q] on 0..draws: the chance that an ECDF strays as far from uniform at its worst point.

    How far a point is out is its binomial tail, so that the band is as wide everywhere as chance makes it (Säilynoja et al. 2022); the
    distribution of the worst point comes from simulated uniform ranks. Not below 1/replicates.
    """
    from scipy.stats import binom

    n = len(ranks)
    grid = np.unique(np.linspace(0, draws - 1, 50).round().astype(int))  # P(rank <= g) at these
    z = (grid + 1) / (draws + 1)
    counts = np.arange(n + 1)
    tail = np.minimum(binom.cdf(counts[:, None], n, z), binom.sf(counts[:, None] - 1, n, z))  # [count, grid]

    def worst(at_most: Ints) -> Floats:  # [..., grid] counts → [...]
        return np.asarray(tail[at_most, np.arange(len(grid))].min(-1))

    seen = worst((ranks[:, :, None] <= grid).sum(0))
    rng = np.random.default_rng(seed)
    steps = np.diff(z, prepend=0.0, append=1.0)
    null = np.sort(worst(np.cumsum(rng.multinomial(n, steps, replicates), axis=1)[:, :-1]))
    return np.asarray((np.searchsorted(null, seen * (1 + 1e-9), side="right") + 1) / (replicates + 1))
