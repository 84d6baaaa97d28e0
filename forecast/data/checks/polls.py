"""What a poll or a scheduled event can't say."""

from __future__ import annotations

from collections.abc import Iterator

from forecast.data.finding import finding
from forecast.data.records import OverdoseRelease, Poll, Scheduled
from forecast.data.suggestions import did_you_mean, shown
from forecast.data.tables import Table
from forecast.data.vocabulary import LEVERAGE_CHANNELS
from forecast.errors import Problem

ROUNDING = 100.5
"""Shares given in whole per cent may sum to a little over 100."""


def check_polls(table: Table[Poll]) -> Iterator[Problem]:
    """Field work that ends before it begins, shares over 100, a used row without a share, an unused one without a reason."""
    for i, poll in enumerate(table.rows):
        if poll.field_end.last < poll.field_start.first:
            yield finding(
                table, i, "field_end", shown(str(poll.field_end)), f"a day not before {poll.field_start}", "Correct one of the two."
            )
        total = sum(share or 0 for share in (poll.opposed_pct, poll.in_favour_pct, poll.other_pct))
        if total > ROUNDING:
            yield finding(
                table, i, "opposed_pct", f"shares that sum to {total:g}", "at most 100", "Check the three shares against the source."
            )
        if poll.use == "yes" and poll.opposed_pct is None and poll.in_favour_pct is None:
            yield finding(
                table,
                i,
                "opposed_pct",
                "no share opposed and none in favour",
                "at least one in a row that is used",
                "Fill one in, or set use to no and say why in why_not.",
            )
        if poll.use == "yes" and not (poll.opposed_pct or 0) + (poll.in_favour_pct or 0) and poll.opposed_pct is not None:
            yield finding(
                table, i, "opposed_pct", "nobody opposed and nobody in favour", "a share above 0 in a row that is used", "Check the shares."
            )
        if poll.use == "no" and not poll.why_not.strip():
            yield finding(table, i, "why_not", "nothing", "the reason why the row is not used", "Fill it in.")


def check_releases(table: Table[OverdoseRelease]) -> Iterator[Problem]:
    """A row has a total, and deaths with synthetic opioids are some of the deaths with any drug that the same release counts."""
    whole = {(row.published, row.period_end): row for row in table.rows if row.indicator == "all_drugs"}
    for i, row in enumerate(table.rows):
        if row.reported is None and row.predicted is None:
            yield finding(
                table, i, "reported", "neither a reported nor a predicted total", "at least one", "Fill one in, or delete the row."
            )
        beside = whole.get((row.published, row.period_end)) if row.indicator == "synthetic_opioids" else None
        for column in ("reported", "predicted"):
            part, total = getattr(row, column), getattr(beside, column, None)
            if part and total and part > total:
                yield finding(
                    table, i, column, f"{part:g}", f"at most the {total:g} for all drugs in this release", "Check both against the source."
                )


def check_calendar(table: Table[Scheduled]) -> Iterator[Problem]:
    """What a row's effect needs: an end its measure, a start its channel and intensity, both a probability."""
    needs = {"ends": ("event_id", "probability"), "starts": ("intensity", "probability")}
    for i, row in enumerate(table.rows):
        for column in needs.get(row.effect, ()):
            if getattr(row, column) in (None, ""):
                yield finding(table, i, column, "nothing", f"a value where effect is {row.effect}", "Fill it in, or set effect to none.")
            elif column == "probability" and not row.probability:
                yield finding(table, i, column, "0", f"more than 0 where effect is {row.effect}", "Correct it, or set effect to none.")
        if row.effect == "starts" and row.channel not in LEVERAGE_CHANNELS:
            yield finding(
                table,
                i,
                "channel",
                shown(row.channel),
                f"one of {', '.join(LEVERAGE_CHANNELS)} where effect is starts",
                did_you_mean(row.channel, LEVERAGE_CHANNELS),
            )
