"""What an edit of priors would do, from the draws of the newest run and in under a second; no data are read, no model is fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast.errors import InputError, Problem, UsageError
from forecast.forecasting.reweigh import ByReading, How, reweigh
from forecast.priors.catalogue import CATALOGUE, nearest, parse_prior
from forecast.priors.files import Priors, load_priors
from forecast.priors.spec import Spec
from forecast.priors.text import SpecError
from forecast.runs.draws import open_draws
from forecast.runs.manifest import read_manifest
from forecast.runs.store import resolve
from forecast.workspace import Workspace


@dataclass(frozen=True)
class Tried:
    """The forecast under edited priors. `questions` are as in report.json, the run's own beside them as `before`."""

    run_id: str
    edits: Mapping[str, tuple[str, str]]
    how: How
    accepted: bool
    k_hat: float
    ess: float
    headline_id: str
    questions: Sequence[Mapping[str, Any]]
    by_reading: Mapping[str, ByReading]

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
        }


def _finite(k_hat: float) -> float | None:
    """JSON has no infinities: −inf for weights that are all equal and have no tail, +inf for a tail that no Pareto fits."""
    return k_hat if math.isfinite(k_hat) else None


def parse_edits(texts: Sequence[str]) -> dict[str, Spec]:
    """Edits as written, `leverage.effect = Normal(0.8, 0.3)`. Raises InputError with all that is wrong in any of them."""
    found: dict[str, Spec] = {}
    problems = []
    for text in texts:
        name, _, spec = (part.strip() for part in text.partition("="))
        try:
            if not spec:
                raise SpecError(repr(text), "an edit of the form name = prior", "Write leverage.effect = Normal(0.8, 0.3), for instance.")
            if name not in CATALOGUE:
                raise SpecError(repr(name), "the name of a prior", f"Did you mean {nearest(name)}?")
            if name in found:
                raise SpecError(f"two edits of {name}", "one", "Leave one of them out.")
            found[name] = parse_prior(name, spec)
        except SpecError as e:
            problems.append(Problem("edit", e.found, e.expected, e.remedy, column=name or None))
    if problems:
        raise InputError.of(problems)
    return found


def try_edits(workspace: Workspace, edits: Mapping[str, Spec], run: str = "latest") -> Tried:
    """Every question under the edits. Raises UsageError without edits or a run, InputError if the run was made from other priors."""
    path, old, headline, _ = check_edits(workspace, edits, run)
    return _tried(path, old, old.replace(edits), edits, headline)


def check_edits(workspace: Workspace, edits: Mapping[str, Spec], run: str = "latest") -> tuple[Path, Priors, str, Mapping[str, float]]:
    """The run that edits are tried on, its priors, the id of its headline, and its probabilities by question."""
    if not edits:
        raise UsageError("No edit was given.", "Write one as leverage.effect = Normal(0.8, 0.3).")
    path = resolve(workspace.reports, run)
    old = load_priors(workspace.priors)
    meta = read_manifest(path).meta
    if meta.get("priors_digest") != old.digest():
        raise InputError(
            f"Run {path.name} was made from other priors than the workspace has now.", "Make a new one: `forecast run --publish`."
        )
    return path, old, str(meta["headline"]), meta.get("probabilities", {})


def _tried(path: Path, old: Priors, new: Priors, edits: Mapping[str, Spec], headline: str) -> Tried:
    with open_draws(path) as arrays:
        found = reweigh(arrays, old, new, headline)
    questions = [
        {
            "id": id_,
            "probability": p,
            "before": found.before[id_],
            "mcse": found.mcse[id_],
            "interval": {"prob": 0.8, "low": found.interval[id_][0], "high": found.interval[id_][1]},
            "prior_probability": found.prior[id_],
            "by_reading": dict(found.parts[id_]),
        }
        for id_, p in found.probability.items()
    ]
    named = {name: (str(old.spec(name)), str(spec)) for name, spec in edits.items()}
    return Tried(path.name, named, found.how, found.accepted, found.k_hat, found.ess, headline, questions, found.by_reading)
