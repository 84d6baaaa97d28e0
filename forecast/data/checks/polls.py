"""What is impossible or odd in polls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from statistics import median
from typing import Any, Final, Literal

from forecast.data.checks.expected import are_expected_duplicates, is_expected
from forecast.data.coding_rules import LEVERAGE_CHANNELS, opposed_share
from forecast.data.problems import row_problem
from forecast.data.records import OverdoseRelease, Poll, Scheduled
from forecast.data.suggestions import did_you_mean, quoted
from forecast.data.tables import RecordTable
from forecast.data.toml_file import Settings
from forecast.errors import Problem

ROUNDING = 100.5
"""Shares given in whole per cent may sum to a little over 100."""


def check_polls(table: RecordTable[Poll]) -> Iterator[Problem]:
    """Field work that ends before it begins, shares over 100, a used row without a share, an unused one without a reason."""
    for i, poll in enumerate(table.rows):
        if poll.field_end.last < poll.field_start.first:
            yield row_problem(
                table, i, "field_end", quoted(str(poll.field_end)), f"a day not before {poll.field_start}", "Correct one of the two."
            )
        total = sum(share or 0 for share in (poll.opposed_pct, poll.in_favour_pct, poll.other_pct))
        if total > ROUNDING:
            yield row_problem(
                table, i, "opposed_pct", f"shares that sum to {total:g}", "at most 100", "Check the three shares against the source."
            )
        if poll.use == "yes" and poll.opposed_pct is None and poll.in_favour_pct is None:
            yield row_problem(
                table,
                i,
                "opposed_pct",
                "no share opposed and none in favour",
                "at least one in a row that is used",
                "Fill one in, or set use to no and say why in why_not.",
            )
        if poll.use == "yes" and not (poll.opposed_pct or 0) + (poll.in_favour_pct or 0) and poll.opposed_pct is not None:
            yield row_problem(
                table, i, "opposed_pct", "nobody opposed and nobody in favour", "a share above 0 in a row that is used", "Check the shares."
            )
        if poll.use == "no" and not poll.why_not.strip():
            yield row_problem(table, i, "why_not", "nothing", "the reason why the row is not used", "Fill it in.")


def check_releases(table: RecordTable[OverdoseRelease]) -> Iterator[Problem]:
    """A row has a total, and deaths with synthetic opioids are some of the deaths with any drug that the same release counts."""
    whole = {(row.published, row.period_end): row for row in table.rows if row.indicator == "all_drugs"}
    for i, row in enumerate(table.rows):
        if row.reported is None and row.predicted is None:
            yield row_problem(
                table, i, "reported", "neither a reported nor a predicted total", "at least one", "Fill one in, or delete the row."
            )
        beside = whole.get((row.published, row.period_end)) if row.indicator == "synthetic_opioids" else None
        for column in ("reported", "predicted"):
            part, total = getattr(row, column), getattr(beside, column, None)
            if part and total and part > total:
                yield row_problem(
                    table, i, column, f"{part:g}", f"at most the {total:g} for all drugs in this release", "Check both against the source."
                )


def check_calendar(table: RecordTable[Scheduled]) -> Iterator[Problem]:
    """What a row's effect needs: an end its measure, a start its channel and intensity, both a probability."""
    needs = {"ends": ("event_id", "probability"), "starts": ("intensity", "probability")}
    for i, row in enumerate(table.rows):
        for column in needs.get(row.effect, ()):
            if getattr(row, column) in (None, ""):
                yield row_problem(
                    table, i, column, "nothing", f"a value where effect is {row.effect}", "Fill it in, or set effect to none."
                )
            elif column == "probability" and not row.probability:
                yield row_problem(table, i, column, "0", f"more than 0 where effect is {row.effect}", "Correct it, or set effect to none.")
        if row.effect == "starts" and row.channel not in LEVERAGE_CHANNELS:
            yield row_problem(
                table,
                i,
                "channel",
                quoted(row.channel),
                f"one of {', '.join(LEVERAGE_CHANNELS)} where effect is starts",
                did_you_mean(row.channel, LEVERAGE_CHANNELS),
            )


type Asked = tuple[int, Poll, float]  # index of the row, the poll, per cent opposed of those with a side

APART: Final = 40.0
"""Points of the opposed share between two polls on one question that call for a look."""

NEIGHBOURS: Final = timedelta(days=730)
"""Polls on one question further apart in time are not compared."""

LEAST_TOLD: Final = 95.0
"""Three shares that sum to less do not belong together …"""

LEAST_DECIDED: Final = 65.0
"""… and neither do two sides that leave more than a third of the sample undecided."""

LEAST_ALONE: Final = 15.0
"""Of a one-sided report the larger side is the one that is told, as a rule."""

SIZES: Final = 6
"""A sample is odd if it is so many times larger or smaller than the median of all others."""


def odd_polls(table: RecordTable[Poll], settings: Settings) -> Iterator[Problem]:
    """Two usable polls of one month and one kind of question that lie far apart, or one far from those before and after it."""
    usable = [(i, p, 100 * share) for i, p in enumerate(table.rows) if p.use == "yes" and (share := _share(p)) is not None]
    questions: dict[tuple[str, str], list[Asked]] = {}
    for one in sorted(usable, key=lambda one: (one[1].field_end.last, one[0])):
        questions.setdefault((one[1].topic, one[1].wording), []).append(one)
    for polls in questions.values():
        for n, (i, poll, share) in enumerate(polls):
            near = [other for other in polls[max(n - 1, 0) : n + 2] if other[0] != i and _within(other[1], poll)]
            same_month = [other for other in _same_month(polls, n) if abs(share - other[2]) >= APART]
            alone = bool(near) and all(abs(share - other[2]) >= APART for other in near)
            far = same_month or (near if alone and not (len(near) == 1 and n == 0) else [])
            if far and not _declared(settings, poll, "step"):
                _, other, theirs = far[0]
                yield _odd(
                    table,
                    i,
                    "opposed_pct",
                    f"{share:.0f} per cent opposed, {abs(share - theirs):.0f} points from {other.poll_id}",
                    f"polls on one question within {APART:.0f} points",
                    "Check wording and shares against the sources",
                )


def _same_month(polls: Sequence[Asked], n: int) -> Iterator[Asked]:
    """The polls before the n-th whose field work ended in its month, the latest first; `polls` are in order of that day."""
    for k in range(n - 1, -1, -1):
        if polls[k][1].field_end.month != polls[n][1].field_end.month:
            return
        yield polls[k]


def odd_shares(table: RecordTable[Poll], settings: Settings) -> Iterator[Problem]:
    """Shares that look like fractions, or that sum to too little to be of one question."""
    for i, poll in enumerate(table.rows):
        sides = [share for share in (poll.opposed_pct, poll.in_favour_pct) if share is not None]
        given = [share for share in (*sides, poll.other_pct) if share is not None]
        if _declared(settings, poll, "outlier"):
            continue
        if given and max(given) <= 1 and any(given):
            yield _odd(table, i, "opposed_pct", f"no share above {max(given):g}", "shares in per cent", "Write 60 for 60 %, not 0.6")
        elif len(given) == 3 and sum(given) < LEAST_TOLD:
            yield _odd(table, i, "opposed_pct", f"shares that sum to {sum(given):g}", "about 100", "Check the three shares")
        elif len(sides) == 2 and sum(sides) < LEAST_DECIDED and poll.other_pct is None:
            yield _odd(table, i, "opposed_pct", f"sides that sum to {sum(sides):g}", f"{LEAST_DECIDED:g} or more", "Fill in other_pct")
        elif len(sides) == 1 and sides[0] < LEAST_ALONE:
            remedy = "Check it, and fill in the other side"
            yield _odd(table, i, "opposed_pct", f"one side alone, at {sides[0]:g}", f"{LEAST_ALONE:g} or more", remedy)


def odd_sizes(table: RecordTable[Poll], settings: Settings) -> Iterator[Problem]:
    """A sample many times as large or as small as samples are."""
    sizes = [poll.n for poll in table.rows if poll.n]
    usual = median(sizes) if sizes else 0
    for i, poll in enumerate(table.rows):
        if poll.n and not usual / SIZES <= poll.n <= usual * SIZES and not _declared(settings, poll, "outlier"):
            yield _odd(table, i, "n", f"{poll.n} respondents", f"{usual / SIZES:.0f} to {usual * SIZES:.0f}", "Check it against the source")


def odd_twice(table: RecordTable[Poll], settings: Settings) -> Iterator[Problem]:
    """One poll under two ids: the same house, days and shares, and the same topic, wording or question. It would count twice."""
    seen: dict[Any, list[int]] = {}
    for i, poll in enumerate(table.rows):
        if poll.opposed_pct is None and poll.in_favour_pct is None:
            continue
        key = poll.pollster.casefold(), poll.field_start.last, poll.field_end.last, poll.opposed_pct, poll.in_favour_pct
        for j in seen.setdefault(key, []):
            other = table.rows[j]
            alike = poll.topic == other.topic or poll.wording == other.wording or poll.question.casefold() == other.question.casefold()
            if alike and not are_expected_duplicates(settings, poll.file, (poll.poll_id, other.poll_id)):
                yield _odd(
                    table, i, "poll_id", f"{poll.poll_id}, the same poll as {other.poll_id}", "each poll under one id", "Delete one of them"
                )
                break
        seen[key].append(i)


def _declared(settings: Settings, poll: Poll, kind: Literal["step", "outlier"]) -> bool:
    """A step excuses the distance from other polls, an outlier what a poll says by itself; the one never hides the other."""
    month = poll.field_end.month
    return is_expected(settings, poll.file, kind, month, month, poll.topic)


def _share(poll: Poll) -> float | None:
    return opposed_share(poll.opposed_pct, poll.in_favour_pct, poll.other_pct)


def _within(a: Poll, b: Poll) -> bool:
    return abs(a.field_end.last - b.field_end.last) <= NEIGHBOURS


def _odd(table: RecordTable[Any], i: int, column: str, found: str, wanted: str, do: str) -> Problem:
    return row_problem(table, i, column, found, wanted, f"{do}, or declare it expected in sources.toml.", "warning")
