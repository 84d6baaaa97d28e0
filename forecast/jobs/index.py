"""The runs of a store as their manifests describe them, and `reports/index.html`, which shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from forecast.errors import StoreError
from forecast.formatting import listed, month_words
from forecast.report.files import REPORT, is_current, load_document
from forecast.report.run_index import InputChange, RunSummary, render_index
from forecast.runs import manifest, store
from forecast.storage.atomic import replace_text
from forecast.storage.locks import folder_lock

INDEX: Final = "index.html"
_IN_FULL: Final = 3
"""Up to so many edited priors are listed with old and new value; more are listed by name only."""


def write_index(reports: Path, now: datetime) -> Path:
    """Write `reports/index.html` anew from the manifests; the same runs and day give the same page.

    One writer at a time, so that none puts an older list over a newer. Raises ForecastError if it cannot be written.
    """
    path = reports / INDEX
    with folder_lock(reports):
        replace_text(path, render_index(entries(reports), now))
    return path


def entries(reports: Path) -> tuple[RunSummary, ...]:
    """All runs, oldest first, damaged ones too: which were published, and what each of those was the first to be made from."""
    metas: dict[str, Mapping[str, Any]] = {}
    found: dict[str, RunSummary] = {}
    for run in store.list_runs(reports):
        try:
            held = manifest.read_manifest(run.path)
            if held.run_id != run.run_id:
                raise StoreError(f"it holds the manifest of run {held.run_id}.")
            found[run.run_id] = _summary(run, held)
            if REPORT in held.digests:
                document = load_document(run.path)
                found[run.run_id] = replace(found[run.run_id], other_version=not is_current(document))
            metas[run.run_id] = held.meta
        except StoreError as e:
            found[run.run_id] = RunSummary(
                run.run_id, store.made_at(run.run_id), latest=run.latest, published=run.latest, damage=_short(e, reports)
            )
    before: Mapping[str, Any] | None = None
    for run_id in published(found, metas):
        changes = () if before is None else changed(before, metas[run_id])
        found[run_id] = replace(found[run_id], published=True, changes=changes)
        before = metas[run_id]
    return tuple(found.values())


def _short(error: StoreError, reports: Path) -> str:
    return error.message.replace(f"{reports}/", "")


def published(found: Mapping[str, RunSummary], metas: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Ids of the runs that are or were `latest`, oldest first: each names the one it follows.

    Where that one is gone or damaged, or the run was not written for publishing, the chain goes on from the newest older one that was.
    """
    at = next((e.run_id for e in found.values() if e.latest), None)
    chain: list[str] = []
    while at is not None and at not in chain:
        if at in metas:
            chain.append(at)
        if at in metas and _for_publishing(metas[at]):
            at = metas[at].get("follows")
        else:
            newer = at
            older = (run_id for run_id in sorted(metas, reverse=True) if run_id < newer)
            at = next((run_id for run_id in older if _for_publishing(metas[run_id])), None)
    return chain[::-1]


def _for_publishing(meta: Mapping[str, Any]) -> bool:
    """Whether a run was written to be published: such a run notes what it follows, and the head of the ledger."""
    return bool(meta.get("follows") or meta.get("ledger"))


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[InputChange, ...]:
    """What the later of two runs was made from that the earlier was not; what a manifest does not record counts as the same."""
    out = []
    differs = {key: _differs(before, after, key) for key in ("data_digest", "priors_digest", "model_version", "settings_digest")}
    if differs["data_digest"]:
        moved = f"the origin moves to {month_words(after['origin'])}" if _differs(before, after, "origin") else ""
        out.append(InputChange("data", f"new data, {moved}" if moved else "new data"))
    if differs["priors_digest"]:
        out.append(InputChange("priors", _edits(before.get("priors") or {}, after.get("priors") or {})))
    if differs["model_version"]:
        out.append(InputChange("model", f"model version {before['model_version']} → {after['model_version']}"))
    if differs["settings_digest"]:
        out.append(InputChange("settings", "other settings"))
    return tuple(out)


def _differs(before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> bool:
    return before.get(key) is not None and after.get(key) is not None and before[key] != after[key]


def _edits(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The priors that say something else, by name."""
    edits = [
        (name, before[name]["spec"], new["spec"])
        for name, new in after.items()
        if name in before and before[name].get("spec") != new.get("spec")
    ]
    if not edits:
        return "other priors"
    if len(edits) <= _IN_FULL:
        return "prior" + ("s " if len(edits) > 1 else " ") + listed(f"{name} {old} → {new}" for name, old, new in edits)
    return f"{len(edits)} priors: {listed(name for name, _, _ in edits)}"


def _summary(run: store.StoredRun, held: manifest.Manifest) -> RunSummary:
    meta = held.meta
    interval, decision = meta.get("interval"), meta.get("decision") or {}
    return RunSummary(
        run.run_id,
        store.made_at(run.run_id),
        latest=run.latest,
        page="report.html" in held.digests,
        origin=meta.get("origin"),
        as_of=meta.get("as_of"),
        question=meta.get("headline"),
        probability=meta.get("probability"),
        interval=(interval["low"], interval["high"]) if interval else None,
        gate=meta.get("gate"),
        decision=decision.get("kind"),
        reason=decision.get("reason"),
    )


def as_rows(found: Sequence[RunSummary]) -> list[dict[str, Any]]:
    """The same for a program, newest first."""
    return [
        {
            "run_id": e.run_id,
            "created": e.created.isoformat(),
            "latest": e.latest,
            "published": e.published,
            "origin": e.origin,
            "as_of": e.as_of,
            "question": e.question,
            "probability": e.probability,
            "interval": e.interval and {"low": e.interval[0], "high": e.interval[1]},
            "gate": e.gate,
            "decision": e.decision and {"kind": e.decision, "reason": e.reason},
            "changes": [{"kind": c.kind, "words": c.words} for c in e.changes],
            "damage": e.damage,
            "other_version": e.other_version,
        }
        for e in reversed(found)
    ]
