"""Whether the published forecast must be brought up to its inputs, how, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from forecast.data.diff import DataDiff, diff_data
from forecast.errors import ForecastError
from forecast.forecasting.inputs import Inputs
from forecast.jobs.input_fingerprint import InputFingerprint
from forecast.jobs.saved_run import SavedRun
from forecast.priors.load import Priors
from forecast.runs import store

_NAMED: Final = 4
"""So many rows, priors or scenarios are named; of more, the rest is counted."""

MADE: Final = ("reweighted", "refitted")
"""Decisions that end in a run of their own."""


@dataclass(frozen=True, slots=True)
class RefitPlan:
    """What a refit is to do, and why.

    action: skip if nothing changed, finish a run that only needs publishing, reweight the draws of a run, or fit.
    reason: why, as a clause.
    run: the run that is published (skip), to be published (finish), or to be reweighted; None to fit.
    """

    action: Literal["skip", "finish", "reweight", "fit"]
    reason: str
    run: SavedRun | None = None


def decide(inputs: Inputs, reports: Path, published: SavedRun | None) -> RefitPlan:
    """Compare the inputs with those of the published run, by meaning. Raises StoreError if that run is damaged."""
    now = InputFingerprint.of(inputs)
    then = InputFingerprint.from_manifest(published.meta) if published else None
    if published is not None and published.is_other_version:
        return RefitPlan("fit", published.other_version)
    if published is not None and then == now:
        return RefitPlan("skip", f"the values of data, priors, model and settings are those of run {published.name}", published)
    if (finished := _finished(reports, published, now)) is not None:
        return RefitPlan("finish", f"run {finished.name} was finished by a refit that ended before publishing it", finished)
    if published is None or then is None:
        return RefitPlan("fit", "no run has been published yet")
    before = _kept(published)
    data_alone = before is not None and then == replace(now, data=then.data)
    return RefitPlan("reweight" if data_alone else "fit", why(then, now, before, inputs), published if data_alone else None)


def why(then: InputFingerprint, now: InputFingerprint, before: Inputs | None, after: Inputs) -> str:
    """What differs between a run and the present inputs. before: those of the run, if it kept them."""
    parts = []
    if then.data != now.data:
        parts.append("the data changed" + (_named(_data(diff_data(before.data, after.data))) if before else ""))
    if then.priors != now.priors:
        parts.append("priors changed" + (_named(_priors(before.priors, after.priors)) if before else ""))
    if then.model != now.model:
        parts.append(f"the model changed (version {then.model} → {now.model})")
    if then.settings is None:
        parts.append("the published run does not record its settings")
    elif then.settings != now.settings:
        parts.append("settings changed" + (_named(_settings(before, after)) if before else ""))
    return "; ".join(parts)


def _finished(reports: Path, published: SavedRun | None, now: InputFingerprint) -> SavedRun | None:
    """The newest run that was written to follow the published one and means what the inputs mean: only its publishing is wanting."""
    after = published.name if published else ""
    for run in reversed(store.list_runs(reports)):
        if run.run_id <= after:
            return None
        saved = SavedRun(run.path)
        if saved.problems():
            continue
        meta = saved.meta
        follows = published.name if published else None
        kind = (meta.get("decision") or {}).get("kind")
        if kind in MADE and meta.get("follows") == follows and InputFingerprint.from_manifest(meta) == now:
            return saved
    return None


def _kept(run: SavedRun) -> Inputs | None:
    """The inputs a run was made from, None if it kept none or this version does not read them."""
    try:
        return run.inputs
    except ForecastError:
        return None


def _data(differ: DataDiff) -> Iterator[str]:
    counts = Counter((change.file, change.what) for change in differ.rows if change.meaning)
    for (file, what), n in counts.items():
        yield f"{n} row{'' if n == 1 else 's'} {what} in {file}"
    for file, (old, new) in differ.coverage.items():
        yield f"{file} covered through {new or 'no day'}, before {old or 'no day'}"
    yield from sorted(differ.meant)


def _priors(before: Priors, after: Priors) -> Iterator[str]:
    for name in sorted({*before, *after}):
        old, new = (str(p.spec(name)) if name in p else "none" for p in (before, after))
        if old != new:
            yield f"{name}: {old} → {new}"


def _settings(before: Inputs, after: Inputs) -> Iterator[str]:
    old, new = ({s.name: s.says for s in inputs.scenarios} for inputs in (before, after))
    yield from (f"scenario {name}" for name in sorted({*old, *new}) if old.get(name) != new.get(name))
    if before.alternatives != after.alternatives:
        yield "the alternatives of the outside view"


def _named(items: Iterator[str]) -> str:
    all_ = list(items)
    rest = [f"and {len(all_) - _NAMED} more"] if len(all_) > _NAMED else []
    return f" ({', '.join([*all_[:_NAMED], *rest])})" if all_ else ""
