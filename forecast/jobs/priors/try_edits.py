"""What an edit of priors would do, from the draws of the newest run and in under a second; no data are read, no model is fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forecast.arrays.weighted_quantiles import INTERVAL
from forecast.errors import InputError, UsageError
from forecast.jobs.saved_run import SavedRun
from forecast.priors.distributions import PriorSpec
from forecast.priors.load import Priors, load_priors
from forecast.priors.plausibility import readings_differ
from forecast.reweighting.draws_archive import check_asked, check_form
from forecast.reweighting.edit_effects import FITTED
from forecast.reweighting.prior_edits import EditedForecast, How, ReweightingDiagnostics, edited_priors, reweight_to_priors
from forecast.runs.store import KeptRun, find_fitted_run
from forecast.workspace import Workspace

type Row = Mapping[str, Any]


@dataclass(frozen=True)
class EditTrial:
    """The forecast under edited priors. `questions` are as in report.json, beside each what the run said: `before` of the probability, and
    `before_known` of what will be publicly known (None where that is no other thing). edits and pending: name → what the workspace said
    and what the edit says; what the run said and what the workspace says since, which the answer includes. kept: a run in the store that
    was fitted under these very priors."""

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
        return {
            "run_id": self.run_id,
            "edits": {name: {"from": a, "to": b} for name, (a, b) in self.edits.items()},
            "pending": {name: {"from": a, "to": b} for name, (a, b) in self.pending.items()},
            "headline": self.headline_id,
            "questions": [dict(q) for q in self.questions],
            "k_hat": _finite(self.k_hat),
            "ess": self.ess,
            "accepted": self.accepted,
            "how": self.how,
            "by_reading": {
                n: {"probability": r.probability, "k_hat": _finite(r.k_hat), "ess": r.ess, "mcse": r.mcse, "accepted": r.accepted}
                for n, r in self.by_reading.items()
            },
            "notes": list(self.notes),
            "kept": self.kept and self.kept.as_dict(),
        }


def _finite(k_hat: float) -> float | None:
    """JSON has no infinities: −inf for weights that are all equal and have no tail, +inf for a tail that no Pareto fits."""
    return k_hat if math.isfinite(k_hat) else None


@dataclass(frozen=True)
class TrialBase:
    """The run that edits are tried on; its headline and questions as report.json has them.

    priors: those it was made from; now: those of the workspace; edited: the latter with the edits.
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
        return named(self.priors, {name: self.now.spec(name) for name in edited_priors(self.priors, self.now)})

    def kept(self, reports: Path, seed: int | None = None) -> KeptRun | None:
        """A run in the store that was fitted to the same data under the edited priors; None if there is none.

        Edits that only a fit to other states can follow have none: such a fit changes other priors with them.
        """
        names = edited_priors(self.priors, self.edited)
        return None if not names or set(FITTED) & set(names) else find_fitted_run(reports, self.run.meta, self.edited.digest(), seed)


def try_edits(workspace: Workspace, edits: Mapping[str, PriorSpec], run: str = "latest") -> EditTrial:
    """Every question under the priors of the workspace and the edits, by the draws of a run that may have been made before the former.

    Without edits: what was changed since the run. Raises UsageError if that is nothing, or without a run; InputError if the run does not
    tell what it was made from or was made by another version of this program, or if the edits cannot be; StoreError if the run is damaged.
    """
    before = check_edits(workspace, edits, run)
    arrays = before.run.draws
    check_form(arrays)
    check_asked(arrays, before.headline)
    found = reweight_to_priors(arrays, before.priors, before.edited, before.headline)
    return EditTrial(
        run_id=before.run.name,
        edits=named(before.now, edits),
        how=found.how,
        accepted=found.accepted,
        k_hat=found.k_hat,
        ess=found.ess,
        headline_id=before.headline,
        questions=[_row(q, found) for q in before.questions],
        by_reading=found.by_reading,
        notes=found.notes,
        pending=before.pending,
        kept=before.kept(workspace.reports),
    )


def named(priors: Priors, edits: Mapping[str, PriorSpec]) -> dict[str, tuple[str, str]]:
    """Name → what the prior said and what the edit says."""
    return {name: (str(priors.spec(name)), str(spec)) for name, spec in edits.items()}


def check_edits(workspace: Workspace, edits: Mapping[str, PriorSpec], run: str = "latest") -> TrialBase:
    """The run that edits are tried on, if they can be tried on it; raises what `try_edits` raises before it looks at draws."""
    saved = SavedRun.named(workspace.reports, run)
    now = load_priors(workspace.priors)
    then, edited = saved.priors, now.replace(edits)
    if not edits and not edited_priors(then, now):
        raise UsageError("No edit was given.", "Write one as leverage.effect = Normal(0.8, 0.3).")
    if wrong := readings_differ(edited, then.parts("readings.weights")):
        raise InputError.of(wrong)
    _ = saved.draws  # verified now; the other files of the run are not read
    return TrialBase(saved, then, now, edited, *saved.headline_and_questions)


def _row(q: Row, found: EditedForecast) -> dict[str, Any]:
    """A question of the report as the edits have it; exactly as it was where they do not touch it."""
    row, id_ = beside(q, q), q["id"]
    if id_ in found.known_moved and q.get("probability_known") is not None:
        row["probability_known"] = _unit(found.known[id_])
    if id_ not in found.moved:
        return row
    low, high = found.interval[id_]
    row |= {
        "probability": _unit(found.probability[id_]),
        "mcse": found.mcse[id_],
        "interval": {"prob": INTERVAL, "low": _unit(low), "high": _unit(high)},
        "prior_probability": _unit(found.prior[id_]),
        "by_reading": {name: _unit(p) for name, p in found.parts[id_].items()},
    }
    if q.get("expected") is not None:
        row["expected"] = found.expected[id_]
    return row


def beside(row: Row, before: Row) -> dict[str, Any]:
    """A question with what the run said to it."""
    return {**row, "before": before["probability"], "before_known": before.get("probability_known")}


def _unit(p: float) -> float:
    """Sums of exact recursions can pass one by a rounding error."""
    return float(min(max(p, 0.0), 1.0))
