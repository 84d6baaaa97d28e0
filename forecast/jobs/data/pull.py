"""Pull the newest official figures, source by source: if one fails, its data stay as they were and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from forecast.errors import ForecastError, SourceError
from forecast.progress import Progress, silent
from forecast.storage.text import visible
from forecast.workspace import Workspace, check_writable

if TYPE_CHECKING:
    from forecast.data.sources.connector import Connector
    from forecast.data.sources.http_client import Endpoint, Limits
    from forecast.data.tables import Data

type PullStatus = Literal["new rows", "nothing new", "failed", "not pulled"]


@dataclass(frozen=True, slots=True)
class PlannedPull:
    """A source that can be pulled: its series with what each is used for, and the addresses that would be asked."""

    source: str
    publisher: str
    file: str
    used_for: Mapping[str, str]
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PullOutcome:
    """The outcome of one source; `rows` is how many were written, `detail` why it failed or what is unusual."""

    source: str
    file: str
    used_for: Mapping[str, str]
    status: PullStatus
    rows: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One table of sources.toml: how recent its series is, and the connector that fills it (None: it is edited by hand)."""

    series: str
    used_for: str
    newest: str | None
    status: str
    pulled_by: str | None
    file: str
    publisher: str
    url: str
    terms: str
    citation: str


def list_sources(workspace: Workspace, today: date) -> tuple[SourceStatus, ...]:
    """Every series of sources.toml, in its order. Raises InputError for data that are refused."""
    from forecast.data.freshness import freshness
    from forecast.data.read import read_data
    from forecast.data.sources.registry import connector_of

    data = read_data(workspace.data)
    rows = []
    for state in freshness(data, today):
        source = data.sources[state.series]
        connector = connector_of(source)
        by = connector.key if connector else None
        texts = source.publisher, source.url, source.terms, source.citation
        rows.append(SourceStatus(state.series, source.used_for, state.newest, state.status, by, source.file, *texts))
    return tuple(rows)


def plan_pull(workspace: Workspace, names: Sequence[str] = ()) -> tuple[PlannedPull, ...]:
    """The requests that `pull_sources` would send; none is sent.

    Raises UsageError for a name of no source, InputError for data that are refused.
    """
    from forecast.data.read import read_data
    from forecast.data.sources.registry import select_connectors, series_uses

    chosen = select_connectors(names)
    data = read_data(workspace.data)
    return tuple(
        PlannedPull(
            c.key, c.publisher, c.target.record.file, series_uses(c, data.sources), tuple(f"https://{c.host}{r.target}" for r in c.requests)
        )
        for c in chosen
    )


def pull_sources(
    workspace: Workspace,
    names: Sequence[str] = (),
    *,
    now: datetime,
    environ: Mapping[str, str],
    progress: Progress = silent,
    on_outcome: Callable[[PullOutcome], None] = lambda outcome: None,
    endpoints: Mapping[str, Endpoint] | None = None,
    limits: Limits | None = None,
) -> tuple[PullOutcome, ...]:
    """Fetch the sources named, all if none is, and write what is new as a vintage published on the day of `now`.

    environ: the variables that may hold the publishers' keys. on_outcome: called with the outcome of each source as soon as it is done.
    endpoints: by host another endpoint to ask instead (tests play the publishers).
    Raises UsageError for an unknown source and for a workspace that must not be edited, InputError for refused data before any request,
    and SourceError, after all sources are done, naming those that failed.
    """
    from forecast.data.read import read_data
    from forecast.data.sources.http_client import Limits
    from forecast.data.sources.registry import select_connectors, series_uses

    chosen = select_connectors(names)
    check_writable(workspace)
    data = read_data(workspace.data)
    outcomes, causes = [], []
    for connector in chosen:
        try:
            outcome = _one(connector, data, workspace, now, environ, progress, endpoints or {}, limits or Limits())
        except Exception as e:  # any failure is this source's alone
            progress(connector.key, 1.0, "failed")
            causes.append(e)
            outcome = PullOutcome(
                connector.key, connector.target.record.file, series_uses(connector, data.sources), "failed", detail=_why(e)
            )
        outcomes.append(outcome)
        on_outcome(outcome)
    if causes:
        why = "".join(f"\n  {outcome.source}: {outcome.detail}" for outcome in outcomes if outcome.status == "failed")
        message = f"{len(causes)} of {len(outcomes)} sources failed; their data were not changed.{why}"
        raise SourceError(message) from ExceptionGroup("sources failed", causes)  # a traceback shows each
    return tuple(outcomes)


def _one(
    connector: Connector,
    data: Data,
    workspace: Workspace,
    now: datetime,
    environ: Mapping[str, str],
    progress: Progress,
    endpoints: Mapping[str, Endpoint],
    limits: Limits,
) -> PullOutcome:
    from forecast.data.sources.fetch_source import fetch_source
    from forecast.data.sources.http_client import Endpoint, open_client
    from forecast.data.sources.registry import series_uses

    used_for = series_uses(connector, data.sources)
    file = connector.target.record.file
    if not used_for:
        return PullOutcome(connector.key, file, {}, "not pulled", detail="sources.toml names no use for it")
    endpoint = endpoints.get(connector.host) or Endpoint(connector.host)

    def tell(done: float | None, words: str) -> None:
        progress(connector.key, done, words)

    tell(0.0, "")
    with open_client(limits) as http:
        brought = fetch_source(connector, list(used_for), workspace.data, now.date(), http, endpoint, limits, environ, tell)
    tell(1.0, f"{brought.rows} new rows" if brought.rows else "nothing new")
    return PullOutcome(connector.key, file, used_for, "new rows" if brought.rows else "nothing new", brought.rows, brought.note)


def _why(failure: Exception) -> str:
    """Why a source failed, in words; for an unexpected error, its kind and first line."""
    if isinstance(failure, ForecastError):
        return str(failure)
    if isinstance(failure, MemoryError):
        return "There is not enough memory to read what it sent."
    first = visible((str(failure).splitlines() or [""])[0][:200])
    return f"What it sent could not be read ({type(failure).__name__}{f': {first}' if first else ''}). `-v -v` shows the traceback."
