"""What was public on a day: the one place where records are chosen by `published`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from forecast.data.checks.registry import find_oddities
from forecast.data.records import Event, Indicator, OverdoseFinal, Record, Scheduled, Spell
from forecast.data.tables import RECORDS, Data, RecordTable, capped_coverage, is_public, last_whole_month
from forecast.data.toml_file import Settings
from forecast.domain import Month


def as_of(data: Data, day: date) -> Data:
    """The data as they stood at the end of `day`.

    A record is there once its `published` (its last day, where only a month or a year is known) has come. What a record says of later
    days is taken back: an `until` after `day` reads empty, a spell ends with the last whole month, years end with the year of `day`.
    References to records not yet published are dropped, coverage ends at `day`, oddities are looked for anew. Every vintage published by
    then is kept.
    """
    kept = _published(data, day)
    kept["events"] = tuple(_with(e, until=e.until if e.until and e.until.last <= day else None) for e in kept["events"])
    kept["spells"] = tuple(spell for row in kept["spells"] if (spell := _spell(row, last_whole_month(day))))
    for name in ("states", "pressure"):
        kept[name] = tuple(_with(row, year_end=min(row.year_end, day.year)) for row in kept[name] if row.year_start <= day.year)
    coverage = {file: min(through, day) for file, through in data.coverage.items()}
    settings = Settings(coverage, data.scales, data.sources, data.questions)
    warnings = find_oddities({name: RecordTable(rows) for name, rows in kept.items()}, settings)
    return replace(data, **kept, coverage=coverage, warnings=tuple(warnings))


def as_of_now(data: Data, today: date) -> Data:
    """The data without what is only published after `today`, references to it included, and covered no further than the clock allows.

    Unlike `as_of` this takes nothing back that is known today of later days: an `until` that lies ahead, a calendar that is covered to
    the year after next. So it gives the same from day to day while nothing comes to be published, and so does its digest.
    """
    return replace(data, **_published(data, today), coverage=capped_coverage(data.coverage, today))


def _published(data: Data, day: date) -> dict[str, Any]:
    """The rows of every table that were public at the end of `day`, without references to others."""
    kept: dict[str, Any] = {name: tuple(row for row in getattr(data, name) if is_public(row, day)) for name in RECORDS}
    ids = {event.id for event in kept["events"]}
    claim_ids = {claim.claim_id for claim in kept["claims"]}
    kept["events"] = tuple(_event(event, ids) for event in kept["events"])
    kept["claims"] = tuple(
        _with(c, supersedes=_visible(c.supersedes, claim_ids), basis_ids=_visible(c.basis_ids, ids)) for c in kept["claims"]
    )
    kept["calendar"] = tuple(_scheduled(row, ids) for row in kept["calendar"])
    kept["coding_second"] = tuple(row for row in kept["coding_second"] if row.id in ids)
    return kept


def newest_vintages[R: (OverdoseFinal, Indicator)](rows: Iterable[R]) -> tuple[R, ...]:
    """Of each month of each series the vintage published last, by series and month."""
    latest: dict[tuple[str, Month], R] = {}
    for row in rows:
        held = latest.get((row.series, Month(row.month)))
        if held is None or held.published.last <= row.published.last:
            latest[row.series, Month(row.month)] = row
    return tuple(latest[key] for key in sorted(latest))


def _event(event: Event, ids: set[str]) -> Event:
    return _with(
        event,
        ends=_visible(event.ends, ids),
        caused_by=_visible(event.caused_by, ids),
        same_act_as=_visible(event.same_act_as, ids),
    )


def _spell(spell: Spell, through: Month) -> Spell | None:
    return _with(spell, end=min(spell.end, through)) if spell.start <= through else None


def _scheduled(row: Scheduled, ids: set[str]) -> Scheduled:
    """Without the measure that it ends, a scheduled end has no effect yet."""
    return row if not row.event_id or row.event_id in ids else _with(row, event_id="", effect="none", probability=None)


def _visible(named: tuple[str, ...], ids: set[str]) -> tuple[str, ...]:
    return tuple(name for name in named if name in ids)


def _with[R: Record](row: R, **changes: Any) -> R:
    """The row itself where nothing changes: most rows of most days."""
    return row if all(getattr(row, k) == v for k, v in changes.items()) else row.model_copy(update=changes)
