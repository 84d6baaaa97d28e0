"""What edited priors do to a finished forecast, from `draws.npz` alone; no data are read, no model is fitted.

The edit of an effect, a rise, a stay or a scale weights the draws by the ratio of its prior densities, Pareto-smoothed. Leverage's weights
and half-lives and the priors of model 3 change the drivers: the draws are weighted by the ratio of likelihoods too, and the paths are made
anew. Elasticities weight the paths. Skips move from one conjugate posterior to the other. Where paths or skips moved, the recursion runs
again on a subsample of the draws. Weights of readings, delays of disclosure and the companion questions are computed anew. Edits of several
kinds add up: log ratios are summed, and all that moved enters one recursion. An edit that only a fit can follow is refused, but the answer
carries its numbers. NumPy only, but for skips, which need SciPy's Beta distribution.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from forecast.arrays.weighted_quantiles import WeightedSample
from forecast.domain import TOP, Question
from forecast.forecasting.companion_questions import CompanionRates, count_forecast, determinations_from_counts, direct_action
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import assign_paths
from forecast.model.events import COUNTED
from forecast.model.tolerance_data import Drivers, History
from forecast.priors.load import Priors
from forecast.reweighting.diagnostics import UNSUPPORTED_MAX, AnsweredByReading
from forecast.reweighting.draws_archive import check_form, unpack_draws, unpack_drivers, unpack_pool
from forecast.reweighting.driver_update import UpdatedDrivers, update_drivers
from forecast.reweighting.edit_effects import DELAYS, DIRECT, READING_WEIGHTS, EditEffects, How, answerable
from forecast.reweighting.estimate import (
    LadderQuestions,
    ReadingEstimate,
    estimate_by_resimulation,
    estimate_from_archive,
    estimate_prior_by_resimulation,
    intervals,
    mix_readings,
)
from forecast.reweighting.importance_ratios import unsupported_mass
from forecast.reweighting.transport import ReadingTarget, skip_betas, transport_prior_draws, transport_skips, weight_draws
from forecast.typing import Arrays, Floats

WORKERS: Final = 2
"""Readings that are worked on at the same time."""


@dataclass(frozen=True)
class EditedQuestion:
    """One question under edited priors.

    probability  mixture of the readings
    before       the same as the run had it
    prior        the same from the edited prior alone
    mcse         Monte Carlo standard error of the probability
    interval     over draws, equal-tailed
    by_reading   reading → probability
    known        probability that it is publicly known by the resolution date, of the questions of the kind *reached by*; else None
    expected     mean count of a count that was computed anew; else None
    """

    probability: float
    before: float
    prior: float
    mcse: float
    interval: tuple[float, float]
    by_reading: Mapping[str, float]
    known: float | None = None
    expected: float | None = None


@dataclass(frozen=True, kw_only=True)
class EditedForecast(AnsweredByReading):
    """All questions under edited priors.

    how          by weights, computed anew, or only by a fit
    accepted     whether the draws carry the answer, in every reading
    questions    id → answer, of the ladder first
    moved        ids of the questions that the edits touch at all
    known_moved  ids of those whose publicly known probability they touch
    notes        sentences that go with the answer
    """

    how: How
    accepted: bool
    questions: Mapping[str, EditedQuestion]
    moved: frozenset[str]
    known_moved: frozenset[str]
    notes: tuple[str, ...]


def reweight_to_priors(arrays: Arrays, old: Priors, new: Priors, headline: str) -> EditedForecast:
    """All questions as the edited priors would have them.

    arrays: of `draws.npz`; old: the priors they were made with; headline: id of the question by whose error an answer is judged.
    InputError if the arrays are of another form.
    """
    check_form(arrays)
    edit = EditEffects.of(old, new)
    updated = update_drivers(arrays, old, new, edit.names) if edit.rebuilds else None
    questions = LadderQuestions.of_archive(arrays)
    ladder, estimates = _Ladder(arrays, old, new, edit, updated, questions).answer()
    pool = updated.pool if updated and updated.pool_moved else unpack_pool(arrays) if edit.any(DIRECT) else None
    recomputed = companion_rates(arrays, new, edit.names, pool)
    diagnostics = {
        name: one.diagnose(questions.ids.index(headline), updated.path_weights if updated else ()) for name, one in estimates.items()
    }
    name, mass = unsupported_mass(old, new, edit.densities)
    unsupported = f"{name} has {mass:.0%} of its mass below what the run's prior allowed, where there are no draws."
    missing = (unsupported,) if mass > UNSUPPORTED_MAX else ()
    delayed = [questions.ids[i] for i in questions.secret if questions.parts[i][1] < TOP]  # the top level is public at once
    return EditedForecast(
        diagnostics=diagnostics,
        how=edit.how,
        accepted=all(d.accepted for d in diagnostics.values()) and not missing and answerable(edit.names),
        questions={**ladder, **_companions(arrays, recomputed, list(estimates))},
        moved=frozenset(questions.ids if edit.ladder else ()) | recomputed.keys(),
        known_moved=frozenset(questions.ids if edit.ladder else delayed if edit.any(DELAYS) else ()),
        notes=(*missing, *edit.notes()),
    )


def reading_weights(arrays: Arrays, priors: Priors) -> dict[str, float]:
    """Weights of the distinct readings of the run, each with those of the readings that coincide with it."""
    parts = priors.parts(READING_WEIGHTS)
    merged = {str(name): arrays[f"merged/{name}"] for name in arrays["readings"]}
    return {name: float(sum(parts.get(str(n), 0.0) for n in names)) for name, names in merged.items()}


@dataclass(frozen=True, eq=False)
class _Ladder:
    """The questions about levels, to be answered from the draws of every reading; updated: the drivers, if they changed."""

    arrays: Arrays
    old: Priors
    new: Priors
    edit: EditEffects
    updated: UpdatedDrivers | None
    questions: LadderQuestions

    @cached_property
    def drivers(self) -> Drivers:
        """Up to the origin, as the run had them."""
        return unpack_drivers(self.arrays)

    def answer(self) -> tuple[dict[str, EditedQuestion], dict[str, ReadingEstimate]]:
        """The mixture by question id, and the estimates by reading."""
        shares, own = reading_weights(self.arrays, self.new), reading_weights(self.arrays, self.old)
        pool = self.updated.pool if self.updated else unpack_pool(self.arrays) if self.edit.skips else None
        with ThreadPoolExecutor(WORKERS) as workers:  # NumPy lets go of the interpreter's lock
            prior = workers.submit(self.prior, shares, pool)
            estimates = dict(zip(shares, workers.map(lambda name: self.reading(name, pool), shares), strict=True))
        before = np.sum([own[n] * np.asarray(self.arrays[f"{n}/questions"], float).mean(1) for n in own], axis=0)
        mixture = mix_readings(self.questions, estimates, shares)
        low, high = intervals(list(estimates.values()), list(shares.values()))
        columns = (mixture.probability, before, prior.result(), mixture.mcse, low, high)
        rows = (map(float, row) for row in zip(*columns, strict=True))
        return {
            id_: EditedQuestion(p, was, from_prior, mcse, (a, b), mixture.by_reading[id_], mixture.known.get(id_))
            for id_, (p, was, from_prior, mcse, a, b) in zip(self.questions.ids, rows, strict=True)
        }, estimates

    def reading(self, name: str, pool: DriverPaths | None) -> ReadingEstimate:
        """The estimate of one reading; pool: the paths, if the recursion must run again."""
        history = edited = History(self.arrays[f"{name}/levels"].astype(int), self.drivers)
        if self.updated and self.updated.history_moved:
            edited = replace(history, drivers=self.updated.drivers)
        targets = ReadingTarget(self.old, history), ReadingTarget(self.new, edited)
        weighted = weight_draws(unpack_draws(self.arrays, name), *targets, name, self.edit, precision=np.float32)
        delays = self.questions.delays(self.old), self.questions.delays(self.new)
        if pool is None:
            return estimate_from_archive(self.questions, self.arrays, name, weighted.smoothed, delays[1])
        return estimate_by_resimulation(self.questions, self.arrays, name, weighted.smoothed, delays, weighted.draws, pool)

    def prior(self, shares: Mapping[str, float], pool: DriverPaths | None) -> Floats:
        """[Q]: the answers of the edited prior alone, on the paths as they are after the edit."""
        if pool is None and not self.edit.densities:
            return np.sum([s * np.asarray(self.arrays[f"{n}/prior_questions"], float).mean(1) for n, s in shares.items()], axis=0)
        draws = transport_prior_draws(unpack_draws(self.arrays, "prior"), self.old, self.new, self.edit.densities)
        draws = transport_skips(draws, *(skip_betas(priors, self.edit.skips) for priors in (self.old, self.new)))
        return estimate_prior_by_resimulation(self.questions, self.arrays, shares, draws, pool or unpack_pool(self.arrays))


def companion_rates(arrays: Arrays, priors: Priors, names: Collection[str], pool: DriverPaths | None) -> dict[str, CompanionRates]:
    """The companion questions that edits of the named priors touch, by id, with the random numbers of the run.

    pool: the paths, if they moved or direct action was edited; None leaves that question out.
    """
    ids = [str(i) for i in arrays["companions"]]
    rates = _direct_action(arrays, priors, [i for i in ids if Question.parse_id(i).companion == "direct-action"], pool) if pool else {}
    months = int(arrays["companion/months"])
    for id_ in ids:
        asked, size = Question.parse_id(id_), len(arrays[f"companion/{id_}"])
        slug, horizon = asked.companion or "", asked.horizon
        if slug.startswith("deemed") and any(n.startswith("companion.deemed") or n == "events.determination" for n in names):
            due = [int(after) for after in arrays["companion/determinations"]]
            answers = np.asarray(arrays["companion/answers"], float)
            rates[id_] = determinations_from_counts(priors, answers, months, due, horizon, size, _rng(arrays))[slug]
        elif f"companion.{slug}" in names and slug in COUNTED:
            count = float(arrays["companion/counted"][COUNTED.index(slug)])
            rates[id_] = count_forecast(priors, slug, count, months, horizon, size, _rng(arrays))
    return rates


def _direct_action(arrays: Arrays, priors: Priors, ids: Sequence[str], pool: DriverPaths) -> dict[str, CompanionRates]:
    if not ids:
        return {}
    paths = assign_paths(len(arrays[f"companion/{ids[0]}"]), len(pool.leverage), int(arrays["seed"]) + 2)
    horizons = {id_: Question.parse_id(id_).horizon for id_ in ids}
    rates = direct_action(priors, pool, paths, horizons.values(), _rng(arrays))
    return {id_: rates[horizon] for id_, horizon in horizons.items()}


def _rng(arrays: Arrays) -> np.random.Generator:
    return np.random.default_rng(int(arrays["seed"]) + 5)


def _companions(arrays: Arrays, recomputed: Mapping[str, CompanionRates], readings: Sequence[str]) -> dict[str, EditedQuestion]:
    """All companion questions; those that were not recomputed are the run's."""
    out = {}
    for id_ in map(str, arrays["companions"]):
        kept, kept_prior = (np.asarray(arrays[f"{group}/{id_}"], float) for group in ("companion", "companion_prior"))
        rates = recomputed.get(id_) or CompanionRates(kept, kept_prior)
        by_draw = rates.probability
        variance = by_draw.var(ddof=1) / len(by_draw)
        if rates.by_path_batch is not None:
            variance += rates.by_path_batch.var(ddof=1) / len(rates.by_path_batch)
        out[id_] = EditedQuestion(
            probability=float(by_draw.mean()),
            before=float(kept.mean()),
            prior=float(rates.prior.mean()),
            mcse=float(np.sqrt(variance)),
            interval=WeightedSample.equal(by_draw).interval(),
            by_reading=dict.fromkeys(readings, float(by_draw.mean())),
            expected=None if rates.expected is None else float(rates.expected.mean()),
        )
    return out
