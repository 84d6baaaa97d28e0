"""A forecast without a fit: the draws of an earlier run weighted to what was added to the data since, where the rule allows it.

Only small additions qualify: every row of the run's data is still there and unchanged in meaning, files are covered as far or further,
priors, model and settings are the same, no level changed, and the headline stays near that of the fit, whose multiverse table is shown.
The weights always start from a run whose draws a sampler made (`fitted_in` in the manifest of a weighted run names it), so errors of
weighting never pile up; as the data grow away from that fit, k̂ rises and the rule asks for a new one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from forecast.arrays.psis import weight_problem
from forecast.data.diff import diff_data
from forecast.domain import FIRST_MONTH, PUBLISHED_CHOICE, Month, month_text
from forecast.errors import ForecastError
from forecast.forecasting.inputs import Inputs
from forecast.jobs.saved_run import SavedRun
from forecast.progress import Progress, silent
from forecast.reweighting.diagnostics import MCSE_MAX, ReweightingDiagnostics
from forecast.reweighting.edit_effects import edited_priors

if TYPE_CHECKING:
    from forecast.forecasting.driver_paths import DriverPaths
    from forecast.forecasting.fit_readings import ReadingForecast
    from forecast.forecasting.forecast_result import Forecast
    from forecast.forecasting.multiverse import UniverseResult
    from forecast.forecasting.origin_state import OriginState
    from forecast.inference.gate import Diagnostics
    from forecast.model.tolerance_data import History
    from forecast.report.models.fit import FitDiagnostics
    from forecast.report.models.forecast import Choice, QuestionEntry
    from forecast.reweighting.data_update import ReweightedForecast

MOVE_MAX: Final = 0.25
"""Share of its value by which the headline, or its main reading, may move: the multiverse table stays that of the fit."""


@dataclass(frozen=True, eq=False)
class ReweightedRun:
    """A forecast from weighted draws, or None and the reason in words why the rule does not allow it.

    fitted_in: the run whose draws were weighted.
    judged: reading → k̂, effective draws and Monte Carlo error; empty if no weights were computed.
    """

    forecast: Forecast | None
    reason: str
    fitted_in: str
    judged: Mapping[str, ReweightingDiagnostics]

    @property
    def accepted(self) -> bool:
        return self.forecast is not None

    @property
    def k_hat(self) -> float | None:
        """The largest over readings; −inf if all weights are equal."""
        return max((found.k_hat for found in self.judged.values()), default=None)

    @property
    def ess(self) -> float | None:
        """The smallest over readings."""
        return min((found.ess for found in self.judged.values()), default=None)


def reweight_run(inputs: Inputs, run: SavedRun, progress: Progress = silent) -> ReweightedRun:
    """The forecast of `inputs` from the draws of `run`, or of the run that `run` itself was weighted from.

    The seed is that of the fit, so that paths are the same and chance cancels in the difference of the two. A run without a snapshot, one
    that is damaged or gone, or one of another version is a reason not to; nothing is raised for it.
    """
    base = run.fit
    try:
        if reason := why_not(base.inputs, inputs, base.meta):
            return ReweightedRun(None, reason, base.name, {})
        return _weighted(inputs, base, progress)
    except ForecastError as e:
        return ReweightedRun(None, e.message, base.name, {})
    except KeyError as e:  # a report of another form
        return ReweightedRun(None, f"run {base.name} does not record its {e}", base.name, {})


def why_not(before: Inputs, now: Inputs, meta: Mapping[str, Any]) -> str:
    """What changed besides additions to the data, in words; empty if nothing did. `meta` is of the run that was made from `before`."""
    from forecast.jobs.input_fingerprint import settings_digest
    from forecast.model.tolerance_data import MODEL_VERSION

    if before.as_of or now.as_of:
        return "a run as of an earlier day is always fitted"
    if meta.get("model_version") != MODEL_VERSION:
        return f"the model is now version {MODEL_VERSION}, where it was {meta.get('model_version')}"
    if edited := edited_priors(before.priors, now.priors):
        return f"{_counted(len(edited), 'prior')} {_was(len(edited))} edited: {', '.join(edited[:3])}{', …' if len(edited) > 3 else ''}"
    if meta.get("settings_digest") != settings_digest(now):
        return "settings or scenarios were changed"
    found = diff_data(before.data, now.data)
    gone = Counter((c.file, c.what) for c in found.rows if c.meaning and c.what != "added")
    reasons = [f"{_counted(n, 'row')} of {file} {_was(n)} {what}" for (file, what), n in gone.items()]
    for file, (was, is_) in found.coverage.items():
        if was is None or is_ is None or is_ < was:
            reasons.append(f"{file} was covered through {was} and is now through {is_}")
    reasons += [f"{name} was changed" for name in sorted(found.meant)]
    return "; ".join(reasons)


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _was(n: int) -> str:
    return "was" if n == 1 else "were"


def _weighted(inputs: Inputs, base: SavedRun, progress: Progress) -> ReweightedRun:
    from forecast.forecasting.origin_state import build_origin_state
    from forecast.reweighting.data_update import reweight_to_inputs

    progress("weighing", None, "overdoses, opposition, events")
    basis = base.fitted_draws
    origin_state = build_origin_state(inputs.data, inputs.priors, basis.origin_state.seed)
    if reason := _recoded(basis.origin_state, origin_state):
        return ReweightedRun(None, reason, base.name, {})
    pool = origin_state.pool()
    progress("weighing", None, f"the draws of {base.name}")
    found = reweight_to_inputs(basis, origin_state, pool)
    progress("weighing", 1.0)
    if not found.accepted:
        return ReweightedRun(None, _refusal(found.diagnostics), base.name, found.diagnostics)
    if reason := _far(found, base.question(origin_state.data.questions.resolution.headline)):
        return ReweightedRun(None, reason, base.name, found.diagnostics)
    if any(len(next(iter(basis.draws.values())).drift.T) != len(w.draws.drift.T) for w in found.weighted.values()):
        return ReweightedRun(None, "the history has outgrown the slots of the fit", base.name, found.diagnostics)
    made = _as_forecast(inputs, origin_state, pool, found, base, progress)
    reason = f"only additions; k̂ {found.k_hat:.2f}" if np.isfinite(found.k_hat) else "only additions, which affect no reading's history"
    return ReweightedRun(made, f"{reason}, at least {found.ess:,.0f} effective draws", base.name, found.diagnostics)


def _recoded(was: OriginState, now: OriginState) -> str:
    """A change of level that the fit did not know or that is no more, in any reading, or another disputed act; empty if there is none.

    Such news is not small, and the choices shown beside the forecast, each a fit of its own, would not be those of this record.
    """
    from forecast.forecasting.multiverse import disputed_act
    from forecast.reweighting.data_update import MAIN

    for name, history in now.histories.items():
        if differ := _changes(history) ^ _changes(was.histories.get(name, was.histories[MAIN])):
            month, before, after = min(differ)
            return f"the history of {name} has another change of level ({month_text(month)}, {before} → {after})"
    return "" if disputed_act(was) == disputed_act(now) else "the disputed act is another"


def _far(found: ReweightedForecast, question: QuestionEntry) -> str:
    """Whether the headline moves further than the choices shown beside it allow, which stay those of the fit; empty if not.

    question: the headline's in the report of the fit.
    """
    from forecast.reweighting.data_update import MAIN

    headline = found.origin_state.data.questions.resolution.headline
    ratios = {
        "the headline": found.probability[headline] / question.probability,
        "the main reading": found.by_reading[headline][MAIN] / question.by_reading[MAIN],
    }
    far = [f"{what} moves by {abs(x - 1):.0%} of its value" for what, x in ratios.items() if abs(x - 1) > MOVE_MAX]
    return f"{' and '.join(far)}, where {MOVE_MAX:.0%} is allowed" if far else ""


def _changes(history: History) -> set[tuple[Month, int, int]]:
    """Months in which the level became another, with the levels before and after."""
    levels = history.levels.tolist()
    return {(Month(FIRST_MONTH + i), levels[i - 1], levels[i]) for i in range(1, len(levels)) if levels[i] != levels[i - 1]}


def _refusal(judged: Mapping[str, ReweightingDiagnostics]) -> str:
    """Why the rule forbids it, reading by reading."""
    reasons = []
    for name, found in judged.items():
        if why := weight_problem(found.k_hat, found.ess):
            reasons.append(f"in {name} {why}")
        elif not found.accepted:
            reasons.append(f"a Monte Carlo error above {MCSE_MAX:.0%} of the headline in {name}")
    return "; ".join(reasons)


def _as_forecast(
    inputs: Inputs, origin_state: OriginState, pool: DriverPaths, found: ReweightedForecast, base: SavedRun, progress: Progress
) -> Forecast:
    """The whole forecast, from draws resampled to equal weights."""
    from forecast.forecasting.forecast_result import DrawsSource, Forecast
    from forecast.forecasting.multiverse import disputed_act
    from forecast.forecasting.question_forecasts import forecast_questions
    from forecast.forecasting.questions import build_questions
    from forecast.forecasting.scenarios.run import feasible_scenarios, run_scenarios
    from forecast.inference.gate import worst_diagnostics
    from forecast.model.hyperparameters import tolerance_priors
    from forecast.reweighting.data_update import resample_reading

    report, trees, constants = base.report, base.posterior, tolerance_priors(inputs.priors)
    readings: dict[str, ReadingForecast] = {}
    for i, name in enumerate(found.weighted):
        progress("resampling", i / len(found.weighted), name)
        fit = name if name in trees else "main"
        diagnostics = _diagnostics(report.diagnostics.by_reading[fit])
        readings[name] = resample_reading(found, constants, pool, name, trees[fit], diagnostics)
    progress("resampling", 1.0)
    progress("scenarios", None)
    scenarios = run_scenarios(
        origin_state, {name: reading.draws for name, reading in readings.items()}, inputs.scenarios,
        lambda done, title: progress("scenarios", min(done, 0.999), title), {name: reading.ladder for name, reading in readings.items()},
    )  # fmt: skip
    progress("scenarios", 1.0)
    _, left_out = feasible_scenarios(origin_state, inputs.scenarios, pool)
    return Forecast(
        origin_state=origin_state,
        pool=pool,
        readings=readings,
        answers=forecast_questions(origin_state, readings, pool, build_questions(inputs.data.questions, origin_state.origin)),
        multiverse=[_of_the_fit(row, base) for row in report.multiverse],
        disputed=disputed_act(origin_state),
        scenarios=[s.as_dict() for s in scenarios],
        warnings=(*inputs.data.warnings, *left_out),
        diagnostics=worst_diagnostics({name: reading.diagnostics for name, reading in readings.items()}),
        as_of=inputs.as_of,
        draws_source=DrawsSource(base.name, found.k_hat if np.isfinite(found.k_hat) else None, found.ess),
    )


def _of_the_fit(row: Choice, base: SavedRun) -> UniverseResult:
    """A row of the multiverse table: most choices were fits, so draws of the published one cannot stand for them."""
    from forecast.forecasting.multiverse import UniverseResult

    label = f"the fit of run {base.name} (main reading)" if row.group == PUBLISHED_CHOICE else row.label
    note = "; ".join(part for part in (row.note, f"as fitted in run {base.name}") if part)
    return UniverseResult(label, row.group, note, row.probability, 0)


def _diagnostics(found: FitDiagnostics) -> Diagnostics:
    """What the gate found of a fit, as report.json has it."""
    from forecast.inference.gate import Diagnostics

    kept: dict[str, Any] = {f.name: tuple(v) if isinstance(v := getattr(found, f.name), list) else v for f in fields(Diagnostics)}
    return Diagnostics(**kept)
