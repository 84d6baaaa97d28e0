"""Priors after a run: how its data changed each, and how much its headline depends on them. Nothing is fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from forecast import domain
from forecast.arrays.weighted_quantiles import WeightedSample
from forecast.errors import StoreError
from forecast.jobs.saved_run import SavedRun
from forecast.priors.density_curve import axis_of, axis_range, from_axis, to_axis
from forecast.priors.distributions import PROBABILITIES, Distribution, Fixed
from forecast.priors.implied import ImpliedQuantity, implied_quantities
from forecast.priors.load import Priors
from forecast.priors.outside_view import after_selection
from forecast.reweighting.draws_archive import check_asked, check_form
from forecast.reweighting.driver_update import ELASTICITIES, POLLS, parameter_by_path
from forecast.reweighting.importance_ratios import PARAMETER_FIELDS
from forecast.runs.manifest import RESTORE
from forecast.sensitivity.analysis import analyse_sensitivity
from forecast.sensitivity.prior_effects import LEARNT_CONTRACTION, LEARNT_SHIFT, histories, path_profile, posterior, profile
from forecast.typing import Floats
from forecast.workspace import Workspace

if TYPE_CHECKING:
    from forecast.report.models.forecast import QuestionEntry
    from forecast.report.models.report import Report

type Three = tuple[float, float, float]

_KNOTS: Final = 7
_PARTS: Final = (np.arange(400) + 0.5) / 400
_WRITTEN: Final = {
    "changes": "changes of level",
    "one_month_spells": "spells of one month",
    "skips": "changes that skip a level",
    "ever_4": "ever at level 4 or above",
    "ever_0": "ever at level 0",
}


@dataclass(frozen=True)
class OnForecast:
    """The headline of the main reading over a prior and over its posterior, all else as fitted.

    before, after  its 5, 50 and 95 % quantiles
    contraction    1 − variance after/before
    moved          change of the mean
    """

    before: Three
    after: Three
    contraction: float
    moved: float


@dataclass(frozen=True)
class ReplicatedStatistic:
    """A statistic of the record, and its mean over histories simulated from the priors, this one fixed at its 5, 50 and 95 % quantile.

    share: whether it is a share of histories
    """

    words: str
    share: bool
    record: float
    written: Three


@dataclass(frozen=True, eq=False)
class PriorReport:
    """A prior after the data of a run.

    prior        as that run had it, the selection factor applied; None if it is not about one number
    same         whether the workspace still has it
    draws        its posterior; None if no data of the run bear on it
    contraction  1 − posterior over prior variance
    shift        of the mean, in prior sds
    transitions  number of changes of level that bear on it
    implied      what the posterior's quantiles imply, as for the prior
    headline     the text of the headline's question
    on_forecast  the headline over prior and posterior
    written      statistics of histories simulated from the priors
    question     the question that the prior alone decides
    """

    run_id: str
    prior: Distribution | None
    same: bool
    draws: WeightedSample | None = None
    contraction: float | None = None
    shift: float | None = None
    transitions: int | None = None
    implied: tuple[ImpliedQuantity, ...] = ()
    headline: str = ""
    on_forecast: OnForecast | None = None
    written: tuple[ReplicatedStatistic, ...] = ()
    question: QuestionEntry | None = None

    @property
    def learnt(self) -> bool:
        return (self.contraction or 0.0) >= LEARNT_CONTRACTION or (self.shift or 0.0) >= LEARNT_SHIFT

    @property
    def quantiles(self) -> Three | None:
        if self.draws is None:
            return None
        low, middle, high = self.draws.quantile(PROBABILITIES)
        return float(low), float(middle), float(high)


def prior_report(where: Workspace, priors: Priors, name: str) -> PriorReport | None:
    """How the data of the newest published run changed the prior `name`; None without a run. StoreError if the run is damaged."""
    run = SavedRun.latest(where.reports)
    if run is None:
        return None
    run.check()
    report, then = run.report, run.priors
    spec = then.spec(name)
    same, question = spec == priors.spec(name), _question(report, name)
    headline = report.headline_question
    if not isinstance(spec, Distribution) or isinstance(spec, Fixed):
        return PriorReport(run.name, None, same, question=headline if name == "readings.weights" else None)
    prior = after_selection(then, name)
    arrays = run.draws
    draws = posterior(arrays, name, prior)
    if draws is None:
        return PriorReport(run.name, prior, same, question=question)
    after = _three(draws.quantile(PROBABILITIES))
    row = next((p for p in report.parameters if p.name == name), None)
    contraction, shift = (row.contraction, row.shift) if row else _learnt(prior, draws)
    fitted, by_path = name in PARAMETER_FIELDS, name in POLLS or name in ELASTICITIES
    return PriorReport(
        run.name,
        prior,
        same,
        draws,
        contraction,
        shift,
        row.transitions if row else _skipped(report, name),
        implied_quantities(then, name, after),
        headline.text,
        _on_forecast(then, arrays, name, prior, draws, report.headline) if fitted or by_path else None,
        _written(arrays, name, _three(prior.quantile(PROBABILITIES))) if fitted else (),
        question,
    )


def _question(report: Report, name: str) -> QuestionEntry | None:
    """The companion question that a rate decides."""
    slug = "direct-action" if name.startswith("direct.") else name.removeprefix("companion.") if name.startswith("companion.") else None
    chosen = [q for q in report.questions if q.level is None and domain.Question.parse_id(q.id).companion == slug]
    return next((q for q in chosen if q.horizon_months == 12), chosen[0] if chosen else None)


def _skipped(report: Report, name: str) -> int | None:
    """Number of changes of level that reached the level a skip goes on from."""
    for s in report.skips:
        if name == f"ladder.skip_{s.direction}.{s.level}":
            return s.went_on + s.stopped
    return None


def _learnt(prior: Distribution, draws: WeightedSample) -> tuple[float, float]:
    """Contraction and shift on the axis of the prior, as the report has them for the parameters in its table."""
    axis = axis_of(prior)
    before, after = to_axis(axis, prior.quantile(_PARTS)), WeightedSample(to_axis(axis, draws.values), draws.weights)
    return 1 - after.variance / float(before.var()), abs(after.mean - float(before.mean())) / float(before.std())


def _on_forecast(
    priors: Priors, arrays: Mapping[str, Any], name: str, prior: Distribution, draws: WeightedSample, question: str
) -> OnForecast:
    axis = axis_of(prior)
    if name in PARAMETER_FIELDS:
        knots = np.linspace(*axis_range(prior, draws), _KNOTS)
        heights = np.log(np.maximum(profile(arrays, name, [float(v) for v in from_axis(axis, knots)], question), 1e-300))
        log_headline: Callable[[Floats], Floats] = lambda z: np.interp(z, knots, heights)  # noqa: E731  # two ways of one thing
    else:  # draws cover only the posterior, so a straight line through them goes on from there
        at, probabilities = path_profile(arrays, priors, name, to_axis(axis, parameter_by_path(arrays, name)), question)
        log_headline = np.polynomial.Polynomial.fit(at, np.log(probabilities), 1)

    def headline(values: Floats) -> Floats:
        return np.asarray(np.exp(log_headline(to_axis(axis, values))))

    before = headline(prior.quantile(_PARTS))
    after = WeightedSample(headline(draws.values), draws.weights)
    return OnForecast(
        _three(np.quantile(before, PROBABILITIES)),
        _three(after.quantile(PROBABILITIES)),
        1 - after.variance / float(before.var()) if before.var() > 0 else 0.0,
        after.mean - float(before.mean()),
    )


def _written(arrays: Mapping[str, Any], name: str, at: Three) -> tuple[ReplicatedStatistic, ...]:
    record, written = histories(arrays, name, at)
    return tuple(
        ReplicatedStatistic(words, key.startswith("ever"), record[key], _three(np.array([w[key].mean() for w in written])))
        for key, words in _WRITTEN.items()
    )


def _three(values: Floats) -> Three:
    low, middle, high = (float(v) for v in values)
    return low, middle, high


def sensitivity_of(workspace: Workspace, run: str = "latest") -> dict[str, Any]:
    """The `sensitivity` of report.json of a run, with its id, from its draws alone.

    Raises UsageError without a run, InputError if its draws are of another form or the priors it was made from are not known,
    StoreError if the run is damaged.
    """
    saved = SavedRun.named(workspace.reports, run)
    headline = saved.meta.get("headline")
    if headline is None:
        raise StoreError(f"Run {saved.name} does not say which question its headline is.", RESTORE)
    arrays = dict(saved.draws)  # each is read many times
    check_form(arrays)
    check_asked(arrays, headline)
    return {"run_id": saved.name, **analyse_sensitivity(arrays, saved.priors, headline).as_dict()}
