"""What an edit of priors would do: from the draws of the newest run in under a second, or by a new fit. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.arrays.psis import finite_k_hat
from forecast.arrays.weighted_quantiles import INTERVAL
from forecast.errors import InputError, UsageError
from forecast.jobs.saved_run import SavedRun
from forecast.priors.load import Priors, load_priors
from forecast.priors.plausibility import check_reading_names
from forecast.priors.specs import PriorSpec
from forecast.progress import Progress, silent
from forecast.reweighting.diagnostics import ReweightingDiagnostics
from forecast.reweighting.draws_archive import check_asked, check_form
from forecast.reweighting.edit_effects import FITTED, How, edited_priors
from forecast.reweighting.prior_edits import EditedForecast, reweight_to_priors
from forecast.runs.store import KeptRun, find_fitted_run
from forecast.workspace import Workspace

if TYPE_CHECKING:
    from forecast.forecasting.forecast_result import Forecast
    from forecast.forecasting.inputs import Inputs

type Row = Mapping[str, Any]


@dataclass(frozen=True)
class EditTrial:
    """The forecast under edited priors.

    run_id       the run whose draws or data it takes
    edits        name → the prior in the workspace, and the edit
    how          by weights, computed anew, or by a fit
    accepted     whether the draws carry the answer
    k_hat, ess   the worst over readings
    headline_id  of the headline's question
    questions    as in report.json, each with the run's own answer: `before` of the probability, `before_known` of what will be publicly
                 known (None where that is the same question)
    by_reading   how well each reading answers the headline
    notes        sentences that go with the answer
    pending      name → the prior in the run, and in the workspace, where it was changed since; the answer includes these changes
    kept         a run in the store that was fitted under just these priors
    """

    run_id: str
    edits: Mapping[str, tuple[str, str]]
    how: How
    accepted: bool
    k_hat: float
    ess: float
    headline_id: str
    questions: Sequence[Row]
    by_reading: Mapping[str, ReweightingDiagnostics]
    notes: tuple[str, ...] = ()
    pending: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    kept: KeptRun | None = None

    @property
    def headline(self) -> float:
        return float(next(q["probability"] for q in self.questions if q["id"] == self.headline_id))

    @property
    def before(self) -> float:
        return float(next(q["before"] for q in self.questions if q["id"] == self.headline_id))

    def as_dict(self) -> dict[str, Any]:
        """The form of `priors try --json`."""
        return {
            "run_id": self.run_id,
            "edits": {name: {"from": a, "to": b} for name, (a, b) in self.edits.items()},
            "pending": {name: {"from": a, "to": b} for name, (a, b) in self.pending.items()},
            "headline": self.headline_id,
            "questions": [dict(q) for q in self.questions],
            "k_hat": finite_k_hat(self.k_hat),
            "ess": self.ess,
            "accepted": self.accepted,
            "how": self.how,
            "by_reading": {
                n: {"probability": r.probability, "k_hat": finite_k_hat(r.k_hat), "ess": r.ess, "mcse": r.mcse, "accepted": r.accepted}
                for n, r in self.by_reading.items()
            },
            "notes": list(self.notes),
            "kept": self.kept and self.kept.as_dict(),
        }


@dataclass(frozen=True)
class TrialBase:
    """The run that edits are tried on.

    run        as it is saved
    priors     those it was made from
    now        those of the workspace
    edited     those of the workspace with the edits
    headline   id of the headline's question
    questions  as report.json has them
    """

    run: SavedRun
    priors: Priors
    now: Priors
    edited: Priors
    headline: str
    questions: tuple[Row, ...]

    @property
    def pending(self) -> dict[str, tuple[str, str]]:
        """What was changed in the workspace since the run."""
        return _from_to(self.priors, {name: self.now.spec(name) for name in edited_priors(self.priors, self.now)})

    def kept(self, reports: Path, seed: int | None = None) -> KeptRun | None:
        """A run in the store that was fitted to the same data under the edited priors; None if there is none.

        Edits that only a fit to other states can follow have none: such a fit changes other priors with them.
        """
        names = edited_priors(self.priors, self.edited)
        return None if not names or set(FITTED) & set(names) else find_fitted_run(reports, self.run.meta, self.edited.digest(), seed)


def try_edits(workspace: Workspace, edits: Mapping[str, PriorSpec], run: str = "latest") -> EditTrial:
    """Every question under the priors of the workspace and the edits, by the draws of a run, which may be older than those priors.

    Without edits: what was changed since the run. Raises UsageError if that is nothing, or without a run; InputError if the run does not
    record what it was made from or is of another version of this program, or if the edits are invalid; StoreError if the run is damaged.
    """
    base = check_edits(workspace, edits, run)
    arrays = base.run.draws
    check_form(arrays)
    check_asked(arrays, base.headline)
    forecast = reweight_to_priors(arrays, base.priors, base.edited, base.headline)
    return EditTrial(
        run_id=base.run.name,
        edits=_from_to(base.now, edits),
        how=forecast.how,
        accepted=forecast.accepted,
        k_hat=forecast.k_hat,
        ess=forecast.ess,
        headline_id=base.headline,
        questions=[_row(q, forecast) for q in base.questions],
        by_reading=forecast.diagnostics,
        notes=forecast.notes,
        pending=base.pending,
        kept=base.kept(workspace.reports),
    )


def check_edits(workspace: Workspace, edits: Mapping[str, PriorSpec], run: str = "latest") -> TrialBase:
    """The run that edits are tried on, if they can be tried on it; raises what `try_edits` raises before it looks at draws."""
    saved = SavedRun.named(workspace.reports, run)
    now = load_priors(workspace.priors)
    then, edited = saved.priors, now.replace(edits)
    if not edits and not edited_priors(then, now):
        raise UsageError("No edit was given.", "Write one as leverage.effect = Normal(0.8, 0.3).")
    if wrong := check_reading_names(edited, then.parts("readings.weights")):
        raise InputError.of(wrong)
    _ = saved.draws  # verified now; the other files of the run are not read
    return TrialBase(saved, then, now, edited, *saved.headline_and_questions)


def refit_edits(workspace: Workspace, edits: Mapping[str, PriorSpec], seed: int | None = None, progress: Progress = silent) -> EditTrial:
    """Every question under the priors of the workspace and the edits, fitted to the data that the newest run was made from.

    Where a run in the store was fitted to just that by the same seed, its numbers are taken and nothing is fitted.
    Raises what `fit`, `fit_reference`, `SavedRun.inputs` and `try_edits` raise.
    """
    from forecast.forecasting.inputs import DEFAULT_SEED
    from forecast.jobs.run import fit
    from forecast.report.payload.questions import questions

    base = check_edits(workspace, edits)
    changes = {name: base.edited.spec(name) for name in edited_priors(base.priors, base.edited)}
    before = {q["id"]: q for q in base.questions}
    seed = DEFAULT_SEED if seed is None else seed
    if (kept := base.kept(workspace.reports, seed)) is not None:
        trial = try_edits(workspace, edits, kept.run_id)  # weighted by nothing, since its priors are those asked for
        rows = [_beside(q, before[q["id"]]) for q in trial.questions]
        return replace(trial, run_id=base.run.name, how="refit", questions=rows, pending=base.pending, kept=kept)
    forecast = fit(_with_edits(base.run.inputs, changes, progress), seed, progress, explored=False)
    by_reading = {name: _diagnose_fit(forecast, name) for name in forecast.readings}
    return EditTrial(
        run_id=base.run.name,
        edits=_from_to(base.now, edits),
        how="refit",
        accepted=True,
        k_hat=float("-inf"),
        ess=min(r.ess for r in by_reading.values()),
        headline_id=base.headline,
        questions=[_beside(q.model_dump(), before[q.id]) for q in questions(forecast)],
        by_reading=by_reading,
        pending=base.pending,
    )


def _with_edits(inputs: Inputs, edits: Mapping[str, PriorSpec], progress: Progress) -> Inputs:
    """The inputs under the edits.

    Classes and widening act through the priors of the ladder that a fit to other states gives; an edit of such a prior itself stands.
    """
    from forecast.jobs.priors.reference import fit_reference

    priors = inputs.priors.replace(edits)
    if any(name in FITTED for name in edits):
        specs = fit_reference(inputs.data, priors, progress=progress).specs
        priors = priors.replace({**specs, **edits})
    return replace(inputs, priors=priors)


def _diagnose_fit(forecast: Forecast, reading: str) -> ReweightingDiagnostics:
    """The headline of one reading, its Monte Carlo error, and how many independent draws its draws are worth."""
    import numpy as np

    from forecast.forecasting.question_forecasts import monte_carlo_error

    answer, ladder = forecast.headline, forecast.readings[reading].ladder
    draws, one = answer.draws[[list(forecast.readings).index(reading)]], np.ones(1)
    slots = ladder.path_batch_means(answer.question.kind, answer.question.level or 0, answer.question.horizon)
    by_draws = monte_carlo_error(draws, one, None)
    ess = float(draws.var(ddof=1)) / by_draws**2 if by_draws > 0 else float(draws.size)
    return ReweightingDiagnostics(answer.by_reading[reading], float("-inf"), ess, monte_carlo_error(draws, one, slots), fitted=True)


def _from_to(priors: Priors, edits: Mapping[str, PriorSpec]) -> dict[str, tuple[str, str]]:
    """Name → the prior before and after the edit, as text."""
    return {name: (str(priors.spec(name)), str(spec)) for name, spec in edits.items()}


def _row(q: Row, forecast: EditedForecast) -> dict[str, Any]:
    """A question of the report under the edits; exactly as it was where they do not touch it."""
    row, id_ = _beside(q, q), q["id"]
    edited = forecast.questions[id_]
    if id_ in forecast.known_moved and edited.known is not None and q.get("probability_known") is not None:
        row["probability_known"] = _clip(edited.known)
    if id_ not in forecast.moved:
        return row
    low, high = edited.interval
    row |= {
        "probability": _clip(edited.probability),
        "mcse": edited.mcse,
        "interval": {"prob": INTERVAL, "low": _clip(low), "high": _clip(high)},
        "prior_probability": _clip(edited.prior),
        "by_reading": {name: _clip(p) for name, p in edited.by_reading.items()},
    }
    if q.get("expected") is not None:
        row["expected"] = edited.expected
    return row


def _beside(row: Row, before: Row) -> dict[str, Any]:
    """A question with the run's own answer."""
    return {**row, "before": before["probability"], "before_known": before.get("probability_known")}


def _clip(p: float) -> float:
    """Sums of exact recursions can exceed one by a rounding error."""
    return float(min(max(p, 0.0), 1.0))
