"""One connector from question to file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx

from forecast.data.lock import editing
from forecast.data.read import read_table
from forecast.data.records import Record
from forecast.data.sources.append_vintage import admit
from forecast.data.sources.connector import Connector, Target, Token
from forecast.data.sources.fetch_pages import gather
from forecast.data.sources.http_cache import held_digest, recall, remember
from forecast.data.sources.http_client import Endpoint, Limits, Web
from forecast.data.sources.new_vintage import vintage
from forecast.data.tables import Table, whole_month
from forecast.errors import InputError, SourceError


@dataclass(frozen=True, slots=True)
class Brought:
    """How many rows a connector brought in, and what is worth saying about them."""

    rows: int
    note: str = ""


def bring(
    connector: Connector,
    names: Sequence[str],
    folder: Path,
    day: date,
    http: httpx.Client,
    endpoint: Endpoint,
    limits: Limits,
    environ: Mapping[str, str],
    progress: Callable[[float | None, str], None],
) -> Brought:
    """Fetch, parse and check the series `names` of a connector, and write what is new; the folder is locked only while it is written.

    Raises SourceError, or ForecastError for a folder that cannot be read or written, with nothing of this connector written.
    """
    secret = _secret(connector.token, environ)
    web = Web(http, endpoint, limits, connector.most_bytes, secret, connector.explain, lambda words: progress(None, words))
    target = connector.target
    path = folder / target.record.file

    def digest(held: Sequence[Record]) -> str:
        return held_digest([row for row in held if getattr(row, target.series) in names], whole_month(day))

    known = recall(folder, connector.key, digest(_sound(path, target).rows))
    answers = gather(connector.requests, web.fetch, known, lambda done: progress(0.8 * done, "fetching"))
    if answers is None:
        return Brought(0, "not changed since the last pull")
    progress(0.8, "checking")
    figures = connector.parse(answers.bodies)
    with editing(folder):
        table = _sound(path, target)
        held: Sequence[Record] = table.rows
        new = vintage(target, [series for series in connector.series if series.name in names], figures, held, day)
        if new.rows:
            held = admit(folder, target, table, new)
        remember(folder, connector.key, digest(held), answers.stamps)
    return Brought(len(new.rows), new.note)


def _sound(path: Path, target: Target) -> Table[Record]:
    table, problems = read_table(path, target.record)
    if problems:
        raise InputError.of(problems)
    return table


def _secret(token: Token | None, environ: Mapping[str, str]) -> dict[str, str]:
    """The header that carries the publisher's key, if there is one in the environment."""
    value = environ.get(token.variable, "") if token else ""
    if token is None or not value:
        return {}
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise SourceError(f"What {token.variable} holds cannot be a key.", "Correct or unset it.")
    return {token.header: value}
