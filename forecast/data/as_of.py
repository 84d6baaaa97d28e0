"""What was public on a day: the only place where rows are selected by `published`."""

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

    A row is included once its `published` has come (its last day, where only a month or a year is known). What it says of later days is
    removed: an `until` after `day` becomes empty, a spell ends with the last whole month, years end with the year of `day`. References to
    rows not yet published are dropped, coverage ends at `day`, and warnings are computed anew. Every vintage published by then is kept.
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
    """The data without rows published after `today` and references to them, and covered no further than the clock allows.

    Unlike `as_of` it keeps what is known today of later days, such as an `until` that lies ahead or the dates of a calendar. So the result
    and its digest stay the same from day to day unless a row becomes public.
    """
    return replace(data, **_published(data, today), coverage=capped_coverage(data.coverage, today))


def _published(data: Data, day: date) -> dict[str, Any]:
    """The rows of every table that were public at the end of `day`, without references to other rows."""
    kept: dict[str, Any] = {name: tuple(row for row in getattr(data, name) if is_public(row, day)) for name in RECORDS}
    ids = {event.id for event in kept["events"]}
    claim_ids = {claim.claim_id for claim in kept["claims"]}
    kept["events"] = tuple(_event(event, ids) for event in kept["events"])
    kept["claims"] = tuple(
        _with(c, supersedes=_known_ids(c.supersedes, claim_ids), basis_ids=_known_ids(c.basis_ids, ids)) for c in kept["claims"]
    )
    kept["calendar"] = tuple(_scheduled(row, ids) for row in kept["calendar"])
    kept["coding_second"] = tuple(row for row in kept["coding_second"] if row.id in ids)
    return kept


def newest_vintages[R: (OverdoseFinal, Indicator)](rows: Iterable[R]) -> tuple[R, ...]:
    """The newest vintage of each month of each series, by series and month."""
    latest: dict[tuple[str, Month], R] = {}
    for row in rows:
        held = latest.get((row.series, Month(row.month)))
        if held is None or held.published.last <= row.published.last:
            latest[row.series, Month(row.month)] = row
    return tuple(latest[key] for key in sorted(latest))


def _event(event: Event, ids: set[str]) -> Event:
    return _with(
        event,
        ends=_known_ids(event.ends, ids),
        caused_by=_known_ids(event.caused_by, ids),
        same_act_as=_known_ids(event.same_act_as, ids),
    )


def _spell(spell: Spell, through: Month) -> Spell | None:
    return _with(spell, end=min(spell.end, through)) if spell.start <= through else None


def _scheduled(row: Scheduled, ids: set[str]) -> Scheduled:
    """A scheduled end has no effect until the measure that it ends is public."""
    return row if not row.event_id or row.event_id in ids else _with(row, event_id="", effect="none", probability=None)


def _known_ids(named: tuple[str, ...], ids: set[str]) -> tuple[str, ...]:
    return tuple(name for name in named if name in ids)


def _with[R: Record](row: R, **changes: Any) -> R:
    """A copy with these changes; the row itself if nothing changes, as for most rows."""
    return row if all(getattr(row, k) == v for k, v in changes.items()) else row.model_copy(update=changes)
