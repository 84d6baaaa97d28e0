"""The published run in a few facts, and the change since the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from forecast.domain import is_stale, month
from forecast.errors import StoreError
from forecast.runs import manifest

if TYPE_CHECKING:
    from forecast.report.models.report import Report

NOISE: Final = 2.0
"""A change within so many standard errors is not told from chance."""


@dataclass(frozen=True, slots=True)
class Published:
    """The published run. decision: how it came about (run, refitted, reweighted), None if it does not tell."""

    run_id: str
    created: str
    age_days: int
    decision: str | None
    origin: str
    stale: bool
    headline: str
    probability: float
    gate: str

    @classmethod
    def of(cls, path: Path, report: Report, today: date) -> Self:
        """Of a run's folder and its report."""
        decision = manifest.read_manifest(path).meta.get("decision")
        return cls(
            run_id=report.run_id,
            created=report.created,
            age_days=(today - date.fromisoformat(report.created[:10])).days,
            decision=decision and decision["kind"],
            origin=report.origin,
            stale=is_stale(month(report.origin), today),
            headline=report.sentences.short,
            probability=report.headline_question.probability,
            gate=report.diagnostics.status,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """The headline's probability in the run published before and in this one; noise_se: what chance alone may do, one standard error."""

    from_run: str
    before: float
    after: float
    noise_se: float

    @property
    def is_noise(self) -> bool:
        return abs(self.after - self.before) <= NOISE * self.noise_se


def change(path: Path, report: Report) -> Change | None:
    """Since the run published before, if there was one: as the report explains it, else from that run's manifest."""
    id_ = report.headline
    attribution = report.attribution
    if attribution and id_ in attribution.questions:
        q = attribution.questions[id_]
        return Change(attribution.from_run, q.before, q.after, q.noise_se)
    follows = manifest.read_manifest(path).meta.get("follows")
    if follows is None:
        return None
    try:
        before = (manifest.read_manifest(path.parent / follows).meta.get("probabilities") or {}).get(id_)
    except StoreError:  # it was removed
        return None
    if before is None:  # it did not ask that
        return None
    now = report.headline_question
    return Change(follows, before, now.probability, 2**0.5 * (now.mcse or 0.0))  # as if both had the same error
