"""What is published, how old it is, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from forecast.domain import is_stale, month
from forecast.errors import InputError, StoreError
from forecast.report.read import read_report
from forecast.runs import lock, manifest, store
from forecast.workspace import Workspace

SHOWN_DATES = 3


@dataclass(frozen=True)
class Status:
    """The state of a workspace's published forecast; `troubles` is empty if it is healthy."""

    workspace: str
    run_id: str | None
    created: str | None
    age_days: int | None
    origin: str | None
    headline: str | None
    gate: str | None
    stale: bool | None
    late: tuple[str, ...]
    inputs: str
    lock: str | None
    coming: tuple[str, ...]
    troubles: tuple[str, ...]
    remedy: str

    def as_dict(self) -> dict[str, Any]:
        return {k: list(v) if isinstance(v, tuple) else v for k, v in self.__dict__.items()}


def examine(where: Workspace, now: datetime) -> Status:
    """Read the published run and compare it with the present data, priors and day."""
    owner = lock.owner(where.reports)
    held = str(owner) if owner else None
    today = now.astimezone(UTC).date()
    inputs, digests, late = _inputs(where, today)
    try:
        path = store.latest(where.reports)
        report = read_report(path) if path else None
    except StoreError as e:
        return _nothing(
            where,
            inputs,
            held,
            late,
            (f"the store is damaged: {e.message.rstrip('.')}",),
            "Run `forecast runs verify` to see what is left.",
        )
    if path is None or report is None:
        return _nothing(where, inputs, held, late, ("no run has been published",), "`forecast run` makes and publishes the first.")
    stale = is_stale(month(report["origin"]), today)
    if digests and digests != (report["data_digest"], report["priors_digest"]):
        inputs = "changed since the published run"
    troubles = []
    if stale:
        troubles.append(f"the forecast is stale: it knows nothing after {report['origin']}")
    if report["diagnostics"]["status"] != "pass":
        troubles.append("the published run did not pass the gate")
    if inputs.startswith("refused"):
        troubles.append("the present data or priors are refused")
    ahead = [c for c in report["calendar"] if c["date"] >= today.isoformat()[: len(c["date"])]]
    made = manifest.read_manifest(path)
    return Status(
        workspace=str(where.data.parent),
        run_id=report["run_id"],
        created=report["created"],
        age_days=(today - date.fromisoformat(report["created"][:10])).days,
        origin=report["origin"],
        headline=report["sentences"]["short"],
        gate=report["diagnostics"]["status"] if made else None,
        stale=stale,
        late=late,
        inputs=inputs,
        lock=held,
        coming=tuple(f"{c['date']}  {c['what']}" for c in ahead[:SHOWN_DATES]),
        troubles=tuple(troubles),
        remedy="Bring the event ledger up to date, raise covered_through in data/coverage.toml, and run `forecast run --publish`."
        if stale
        else "",
    )


def _inputs(where: Workspace, today: date) -> tuple[str, tuple[str, str] | None, tuple[str, ...]]:
    """How the present inputs stand, their digests if they can be read, and the series that are late."""
    from forecast.data.digest import data_digest
    from forecast.data.freshness import freshness
    from forecast.jobs.workspace import load_workspace

    try:
        read = load_workspace(where)
    except InputError as e:
        return f"refused: {len(e.problems)} problems; see `forecast data check` and `forecast priors check`", None, ()
    late = tuple(f.series for f in freshness(read.data, today) if f.status == "late")
    return "as in the published run", (data_digest(read.data), read.priors.digest()), late


def _nothing(where: Workspace, inputs: str, held: str | None, late: tuple[str, ...], troubles: tuple[str, ...], remedy: str) -> Status:
    blank = dict.fromkeys(("run_id", "created", "age_days", "origin", "headline", "gate", "stale"))
    return Status(
        workspace=str(where.data.parent), **blank, late=late, inputs="" if inputs.startswith("as in") else inputs,
        lock=held, coming=(), troubles=troubles, remedy=remedy,
    )  # fmt: skip


def lines(found: Status) -> list[str]:
    """For a terminal, a fact a line."""
    facts = {
        "workspace": found.workspace,
        "run": found.run_id and f"{found.run_id}, made {found.created}, {found.age_days} days ago",
        "headline": found.headline,
        "origin": found.origin and f"{found.origin}{', STALE' if found.stale else ''}",
        "gate": found.gate,
        "inputs": found.inputs or None,
        "late": ", ".join(found.late) or None,
        "lock": found.lock,
        "coming": found.coming[0] if found.coming else None,
    }
    out = [f"{name:<10} {value}" for name, value in facts.items() if value]
    return out + [f"{'':<10} {more}" for more in found.coming[1:]]
