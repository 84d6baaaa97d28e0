"""What edited priors do to a finished forecast, from `draws.npz` alone: by weights, by redrawing what is conjugate, by the recursion again.

An effect, a rise, a stay, a scale weighs the draws by the ratio of its prior densities, Pareto-smoothed. Leverage's weights and half-lives
and the priors of model 3 give other drivers: the draws weigh by the ratio of likelihoods too, and the paths are made anew (`rebuild`).
Elasticities weigh the paths. Skips are moved from one conjugate posterior to the other. Where paths or skips moved, the recursion runs
again on a part of the draws (`again`). Weights of readings, delays of exposure and the companion questions are computed anew. Edits of
several kinds add up: log ratios are summed, and all that moved enters one recursion. What only a fit can say is refused, with its numbers.
NumPy only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from forecast.arrays.psis import SmoothedWeights, pareto_smooth, weight_problem
from forecast.arrays.weighted_quantiles import INTERVAL
from forecast.domain import TOP
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.model.tolerance_data import History
from forecast.priors.load import Priors
from forecast.reweighting.draws_archive import check_form, unpack_draws, unpack_drivers, unpack_pool
from forecast.reweighting.driver_update import UpdatedDrivers, update_drivers
from forecast.reweighting.edit_effects import DELAYS, DIRECT, READING_WEIGHTS, SELECTION, EditEffects, How, answerable, edited_priors
from forecast.reweighting.estimate import (
    LadderQuestions,
    ReadingEstimate,
    estimate_by_resimulation,
    estimate_by_weights,
    estimate_prior_by_resimulation,
    intervals,
)
from forecast.reweighting.importance_ratios import PARAMETER_READERS, likelihood_ratio, log_ratio, unsupported_mass
from forecast.reweighting.transport import EditedCompanions, companions, companions_after_edit, transport_prior_draws, transport_skips
from forecast.typing import Arrays, Floats

__all__ = [
    "PARAMETER_READERS",
    "SELECTION",
    "EditedForecast",
    "How",
    "ReweightingDiagnostics",
    "answerable",
    "edited_priors",
    "log_ratio",
    "reweight_to_priors",
]


MCSE_MAX: Final = 0.1
"""Share of the headline that its Monte Carlo error may be, in every reading."""
UNSUPPORTED_MAX: Final = 0.01
"""Mass that an edited prior may have where no draw can be."""
WORKERS: Final = 2
"""Readings worked on at once."""


@dataclass(frozen=True)
class ReweightingDiagnostics:
    """How well one reading could be answered, and its headline; fitted: not from draws of other priors, so that no rule is needed."""

    probability: float
    k_hat: float
    ess: float
    mcse: float
    fitted: bool = False

    @property
    def accepted(self) -> bool:
        return self.fitted or (not weight_problem(self.k_hat, self.ess) and self.mcse <= MCSE_MAX * self.probability)


@dataclass(frozen=True)
class EditedForecast:
    """All questions under edited priors.

    probability, before, prior: question id → mixture, as edited, as the run had it, and from the edited prior alone; known: what will be
    publicly known by then, of the questions of the kind *reached by*; expected: of counts that were computed anew. parts: id → reading →
    probability; mcse: of the mixture; by_reading: of the headline. moved: the questions that the edits touch at all; known_moved: those of
    which they touch what will be known. notes: sentences that go with the answer.
    """

    how: How
    accepted: bool
    probability: Mapping[str, float]
    before: Mapping[str, float]
    prior: Mapping[str, float]
    known: Mapping[str, float]
    expected: Mapping[str, float]
    parts: Mapping[str, Mapping[str, float]]
    mcse: Mapping[str, float]
    interval: Mapping[str, tuple[float, float]]
    by_reading: Mapping[str, ReweightingDiagnostics]
    moved: frozenset[str]
    known_moved: frozenset[str]
    notes: tuple[str, ...] = ()

    @property
    def k_hat(self) -> float:
        return max(r.k_hat for r in self.by_reading.values())

    @property
    def ess(self) -> float:
        return min(r.ess for r in self.by_reading.values())


def reweight_to_priors(arrays: Arrays, old: Priors, new: Priors, headline: str, level: float = INTERVAL) -> EditedForecast:
    """All questions as the edited priors would have them.

    arrays: of `draws.npz`; headline: the id by whose Monte Carlo error an answer is judged; level: of the intervals.
    Raises InputError if the arrays are of another form.
    """
    check_form(arrays)
    edit = EditEffects.of(old, new)
    rebuilt = update_drivers(arrays, old, new, edit.names) if edit.rebuilds else None
    ladder = _Ladder(arrays, old, new, edit, rebuilt).answer(headline, level)
    pool = rebuilt.pool if rebuilt and rebuilt.pool_moved else None
    if pool is None and edit.any(DIRECT):
        pool = unpack_pool(arrays)
    name, mass = unsupported_mass(old, new, edit.densities)
    missing = [f"{name} has {mass:.0%} of its mass below what the run's prior allowed, where there are no draws."] * (
        mass > UNSUPPORTED_MAX
    )
    return replace(
        _joined(arrays, ladder, companions(arrays, new, edit.names, pool, level)),
        accepted=ladder.accepted and not missing and answerable(edit.names),
        notes=(*missing, *edit.notes()),
    )


def reading_weights(arrays: Arrays, priors: Priors) -> dict[str, float]:
    """Weights of the readings that the run told apart, each with those of the readings that coincide with it."""
    parts = priors.parts(READING_WEIGHTS)
    merged = {str(name): arrays[f"merged/{name}"] for name in arrays["readings"]}
    return {name: float(sum(parts.get(str(n), 0.0) for n in names)) for name, names in merged.items()}


@dataclass(frozen=True, eq=False)
class _Ladder:
    """The questions about levels, to be answered from the draws of every reading; rebuilt: the drivers, if they are others."""

    arrays: Arrays
    old: Priors
    new: Priors
    edit: EditEffects
    rebuilt: UpdatedDrivers | None

    def answer(self, headline: str, level: float) -> EditedForecast:
        shares, own = reading_weights(self.arrays, self.new), reading_weights(self.arrays, self.old)
        asked = LadderQuestions.of(self.arrays, len(self.arrays[f"{next(iter(shares))}/leverage"]), len(self.arrays["pool/leverage"]))
        pool = self.rebuilt.pool if self.rebuilt else unpack_pool(self.arrays) if self.edit.skips else None
        with ThreadPoolExecutor(WORKERS) as workers:  # NumPy lets go of the interpreter's lock
            prior = workers.submit(self.prior, asked, shares, pool)
            found = dict(zip(shares, workers.map(lambda name: self.reading(asked, name, pool), shares), strict=True))
        before = np.sum([own[n] * np.asarray(self.arrays[f"{n}/questions"], float).mean(1) for n in own], axis=0)
        tellings = {name: one for name, (one, _) in found.items()}
        h = asked.ids.index(headline)
        trust = {name: self.worst(weights, float(self.arrays[f"{name}/efficiency"][h])) for name, (_, weights) in found.items()}
        return _mixed(asked, self.edit, shares, tellings, trust, before, prior.result(), headline, level)

    def reading(self, asked: LadderQuestions, name: str, pool: DriverPaths | None) -> tuple[ReadingEstimate, SmoothedWeights]:
        """What one reading says, and the weights of its draws. pool: the paths, if the recursion must run again."""
        draws = unpack_draws(self.arrays, name)
        ratio = log_ratio(draws, self.old, self.new, self.edit.densities)
        if self.rebuilt and self.rebuilt.history_moved:
            history = History(self.arrays[f"{name}/levels"].astype(int), unpack_drivers(self.arrays))
            ratio = ratio + likelihood_ratio(draws, history, self.rebuilt.drivers)
        weights = pareto_smooth(ratio)
        exposure = asked.exposure(self.old), asked.exposure(self.new)
        if pool is None:
            return estimate_by_weights(asked, self.arrays, name, weights, exposure[1]), weights
        counts = {way: self.arrays[f"{name}/skips_{way}"] for way in ("up", "down")}
        return estimate_by_resimulation(asked, self.arrays, name, weights, exposure, self.skipping(draws, counts), pool), weights

    def prior(self, asked: LadderQuestions, shares: Mapping[str, float], pool: DriverPaths | None) -> Floats:
        """[Q]: what the edited prior alone says, on the drivers as they are rebuilt."""
        if pool is None and not self.edit.densities:
            return np.sum([s * np.asarray(self.arrays[f"{n}/prior_questions"], float).mean(1) for n, s in shares.items()], axis=0)
        draws = transport_prior_draws(unpack_draws(self.arrays, "prior"), self.old, self.new, self.edit.densities)
        nothing = dict.fromkeys(("up", "down"), np.zeros((TOP - 1, 2)))
        return estimate_prior_by_resimulation(asked, self.arrays, shares, self.skipping(draws, nothing), pool or unpack_pool(self.arrays))

    def skipping(self, draws: ParameterDraws, counts: Mapping[str, Floats]) -> ParameterDraws:
        return transport_skips(draws, self.old, self.new, self.edit.skips, counts)

    def worst(self, weights: SmoothedWeights, efficiency: float) -> tuple[float, float]:
        """The largest k̂ and the smallest effective number of all the weights that an answer rests on.

        efficiency: how many independent draws a draw is worth to the headline. Draws may be worth more than one; they are not counted so.
        """
        paths = self.rebuilt.trust if self.rebuilt else ()
        effective = [weights.effective * min(efficiency, 1.0), *(w.effective for w in paths)]
        return max([weights.k_hat, *(w.k_hat for w in paths)]), min(effective)


def _mixed(
    asked: LadderQuestions,
    edit: EditEffects,
    shares: Mapping[str, float],
    found: Mapping[str, ReadingEstimate],
    trust: Mapping[str, tuple[float, float]],
    before: Floats,
    prior: Floats,
    headline: str,
    level: float,
) -> EditedForecast:
    """The mixture of the readings."""

    def by_id(values: Iterable[float]) -> dict[str, float]:
        return dict(zip(asked.ids, map(float, values), strict=True))

    h = asked.ids.index(headline)
    pools = {name: one.slots.var(1, ddof=1) / one.slots.shape[1] for name, one in found.items()}
    by_reading = {
        name: ReweightingDiagnostics(float(one.means[h]), *trust[name], float(np.sqrt(one.variance[h] + pools[name][h])))
        for name, one in found.items()
    }
    mixture, slots, known = (np.sum([shares[n] * getattr(one, f) for n, one in found.items()], axis=0) for f in ("means", "slots", "known"))
    variance = np.sum([shares[n] ** 2 * one.variance for n, one in found.items()], axis=0) + slots.var(1, ddof=1) / slots.shape[1]
    low, high = intervals(list(found.values()), list(shares.values()), level)
    reached = {id_: float(mixture[i]) for i, (id_, what) in enumerate(zip(asked.ids, asked.what, strict=True)) if what[0] == "reached_by"}
    delayed = [asked.ids[i] for i in asked.secret if asked.what[i][1] < TOP]  # the top level is public at once
    return EditedForecast(
        how=edit.how,
        accepted=all(r.accepted for r in by_reading.values()),
        probability=by_id(mixture),
        before=by_id(before),
        prior=by_id(prior),
        known=reached | {asked.ids[i]: float(known[row]) for row, i in enumerate(asked.secret)},
        expected={},
        parts={id_: {n: float(one.means[i]) for n, one in found.items()} for i, id_ in enumerate(asked.ids)},
        mcse=by_id(np.sqrt(variance)),
        interval={id_: (float(low[i]), float(high[i])) for i, id_ in enumerate(asked.ids)},
        by_reading=by_reading,
        moved=frozenset(asked.ids if edit.ladder else ()),
        known_moved=frozenset(asked.ids if edit.ladder else delayed if edit.any(DELAYS) else ()),
    )


def _joined(arrays: Arrays, ladder: EditedForecast, made: Mapping[str, EditedCompanions]) -> EditedForecast:
    """The questions about levels and all others, of which those that were not computed anew are the run's."""
    kept = {str(id_): np.asarray(arrays[f"companion/{id_}"], float) for id_ in arrays["companions"]}
    before = {id_: float(draws.mean()) for id_, draws in kept.items()}
    as_kept = {
        id_: companions_after_edit(draws, np.asarray(arrays[f"companion_prior/{id_}"], float))
        for id_, draws in kept.items()
        if id_ not in made
    }
    others = {id_: made.get(id_) or as_kept[id_] for id_ in kept}
    return replace(
        ladder,
        probability={**ladder.probability} | {i: o.probability for i, o in others.items()},
        before={**ladder.before} | before,
        prior={**ladder.prior} | {i: o.prior for i, o in others.items()},
        expected={i: o.expected for i, o in others.items() if o.expected is not None},
        parts={**ladder.parts} | {i: dict.fromkeys(ladder.by_reading, o.probability) for i, o in others.items()},
        mcse={**ladder.mcse} | {i: o.mcse for i, o in others.items()},
        interval={**ladder.interval} | {i: o.interval for i, o in others.items()},
        moved=ladder.moved | made.keys(),
    )
