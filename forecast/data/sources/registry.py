"""The connectors there are. A new one is a `Connector` in a file of this folder, and its name here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from forecast.data.settings import Source
from forecast.data.sources import indicators, overdose
from forecast.data.sources.connector import Connector
from forecast.data.suggestions import did_you_mean, quoted
from forecast.errors import UsageError

CONNECTORS: Final = (overdose.CONNECTOR, indicators.GEOPOLITICAL_RISK, indicators.TRADE_POLICY, indicators.EXCHANGE_RATE)


def select_connectors(names: Iterable[str]) -> tuple[Connector, ...]:
    """The connectors named, by themselves or by one of their series; all if none is named.

    Raises UsageError for an unknown name.
    """
    wanted = tuple(names)
    keys = set()
    for name in wanted:
        matching = [c.key for c in CONNECTORS if name in (c.key, *(s.name for s in c.series), _whole_file(c))]
        if not matching:
            raise UsageError(f"There is no source {quoted(name)}.", did_you_mean(name, [c.key for c in CONNECTORS]))
        keys |= set(matching)
    return tuple(c for c in CONNECTORS if not wanted or c.key in keys)


def series_uses(connector: Connector, sources: Mapping[str, Source]) -> dict[str, str]:
    """The series of a connector with what each is used for; a series that sources.toml does not name is not pulled."""
    file = connector.target.record.file
    stated = {(source.file, source.series): source.used_for for source in sources.values()}
    uses = {series.name: stated.get((file, series.name)) or stated.get((file, None)) for series in connector.series}
    return {name: use for name, use in uses.items() if use}


def connector_of(source: Source) -> Connector | None:
    """The connector that fills a table of sources.toml, if there is one."""
    ours = (c for c in CONNECTORS if c.target.record.file == source.file)
    return next((c for c in ours if source.series is None or source.series in {s.name for s in c.series}), None)


def _whole_file(connector: Connector) -> str | None:
    """The table that a connector fills alone, since its vintages are whole; its name is also a name of the connector."""
    return connector.target.table if connector.target.whole else None
