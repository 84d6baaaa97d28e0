"""What is impossible or odd in polls, overdose releases and scheduled events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from statistics import median
from typing import Any, Final, Literal

from forecast.data.checks.expected import are_expected_duplicates, is_expected, oddity
from forecast.data.coding_rules import LEVERAGE_CHANNELS, opposed_share
from forecast.data.problems import Finding
from forecast.data.records import OverdoseRelease, Poll, Scheduled
from forecast.data.suggestions import did_you_mean, quoted
from forecast.data.tables import RecordTable
from forecast.data.toml_file import Settings

MAX_SUM = 100.5
"""Shares rounded to whole per cent may sum to a little over 100."""


def check_polls(table: RecordTable[Poll]) -> Iterator[Finding]:
    """Field work that ends before it begins, shares over 100, a used row without a share, an unused one without a reason."""
    for i, poll in enumerate(table.rows):
        if poll.field_end.last < poll.field_start.first:
            yield (i, "field_end", quoted(str(poll.field_end)), f"a day not before {poll.field_start}", "Correct one of the two.")
        total = sum(share or 0 for share in (poll.opposed_pct, poll.in_favour_pct, poll.other_pct))
        if total > MAX_SUM:
            yield (i, "opposed_pct", f"shares that sum to {total:g}", "at most 100", "Check the three shares against the source.")
        if poll.use == "yes" and poll.opposed_pct is None and poll.in_favour_pct is None:
            found = "no share opposed and none in favour"
            expected = "at least one in a row that is used"
            yield i, "opposed_pct", found, expected, "Fill one in, or set use to no and say why in why_not."
        if poll.use == "yes" and not (poll.opposed_pct or 0) + (poll.in_favour_pct or 0) and poll.opposed_pct is not None:
            yield (i, "opposed_pct", "nobody opposed and nobody in favour", "a share above 0 in a row that is used", "Check the shares.")
        if poll.use == "no" and not poll.why_not.strip():
            yield (i, "why_not", "nothing", "the reason why the row is not used", "Fill it in.")


def check_releases(table: RecordTable[OverdoseRelease]) -> Iterator[Finding]:
    """A row has a total, and deaths with synthetic opioids are some of the deaths with any drug that the same release counts."""
    whole = {(row.published, row.period_end): row for row in table.rows if row.indicator == "all_drugs"}
    for i, row in enumerate(table.rows):
        if row.reported is None and row.predicted is None:
            yield (i, "reported", "neither a reported nor a predicted total", "at least one", "Fill one in, or delete the row.")
        beside = whole.get((row.published, row.period_end)) if row.indicator == "synthetic_opioids" else None
        for column in ("reported", "predicted"):
            part, total = getattr(row, column), getattr(beside, column, None)
            if part and total and part > total:
                yield (i, column, f"{part:g}", f"at most the {total:g} for all drugs in this release", "Check both against the source.")


def check_calendar(table: RecordTable[Scheduled]) -> Iterator[Finding]:
    """An effect has what it needs: an end its measure, a start its channel and intensity, both a probability."""
    needs = {"ends": ("event_id", "probability"), "starts": ("intensity", "probability")}
    for i, row in enumerate(table.rows):
        for column in needs.get(row.effect, ()):
            if getattr(row, column) in (None, ""):
                yield (i, column, "nothing", f"a value where effect is {row.effect}", "Fill it in, or set effect to none.")
            elif column == "probability" and not row.probability:
                yield (i, column, "0", f"more than 0 where effect is {row.effect}", "Correct it, or set effect to none.")
        if row.effect == "starts" and row.channel not in LEVERAGE_CHANNELS:
            found = quoted(row.channel)
            expected = f"one of {', '.join(LEVERAGE_CHANNELS)} where effect is starts"
            yield i, "channel", found, expected, did_you_mean(row.channel, LEVERAGE_CHANNELS)


type IndexedPoll = tuple[int, Poll, float]  # index of the row, the poll, per cent opposed of those with a side

MAX_DISTANCE: Final = 40.0
"""Percentage points between the opposed shares of two polls on one question; more is odd."""

COMPARED_WITHIN: Final = timedelta(days=730)
"""Polls on one question further apart in time are not compared."""

MIN_THREE_SHARES: Final = 95.0
"""Three shares that sum to less are not answers to one question."""

MIN_TWO_SIDES: Final = 65.0
"""Nor are two sides that leave more than a third of the sample undecided."""

MIN_ONE_SIDE: Final = 15.0
"""A report of one side usually gives the larger one; less is odd."""

SAMPLE_FACTOR: Final = 6
"""A sample this many times larger or smaller than the median is odd."""


def odd_distances(table: RecordTable[Poll], settings: Settings) -> Iterator[Finding]:
    """Two usable polls of one month and one kind of question that lie far apart, or one far from those before and after it."""
    usable = [(i, p, 100 * share) for i, p in enumerate(table.rows) if p.use == "yes" and (share := _share(p)) is not None]
    questions: dict[tuple[str, str], list[IndexedPoll]] = {}
    for entry in sorted(usable, key=lambda entry: (entry[1].field_end.last, entry[0])):
        questions.setdefault((entry[1].topic, entry[1].wording), []).append(entry)
    for polls in questions.values():
        for n, (i, poll, share) in enumerate(polls):
            near = [other for other in polls[max(n - 1, 0) : n + 2] if other[0] != i and _are_comparable(other[1], poll)]
            same_month = [other for other in _same_month(polls, n) if abs(share - other[2]) >= MAX_DISTANCE]
            alone = bool(near) and all(abs(share - other[2]) >= MAX_DISTANCE for other in near)
            far = same_month or (near if alone and not (len(near) == 1 and n == 0) else [])
            if far and not _is_declared(settings, poll, "step"):
                _, other, theirs = far[0]
                found = f"{share:.0f} per cent opposed, {abs(share - theirs):.0f} points from {other.poll_id}"
                expected = f"polls on one question within {MAX_DISTANCE:.0f} points"
                yield oddity(i, "opposed_pct", found, expected, "Check wording and shares against the sources")


def _same_month(polls: Sequence[IndexedPoll], n: int) -> Iterator[IndexedPoll]:
    """The polls before the n-th whose field work ended in its month, the latest first; `polls` are in order of that day."""
    for k in range(n - 1, -1, -1):
        if polls[k][1].field_end.month != polls[n][1].field_end.month:
            return
        yield polls[k]


def odd_shares(table: RecordTable[Poll], settings: Settings) -> Iterator[Finding]:
    """Shares that look like fractions, or that sum to too little to be of one question."""
    for i, poll in enumerate(table.rows):
        sides = [share for share in (poll.opposed_pct, poll.in_favour_pct) if share is not None]
        given = [share for share in (*sides, poll.other_pct) if share is not None]
        if _is_declared(settings, poll, "outlier"):
            continue
        if given and max(given) <= 1 and any(given):
            yield oddity(i, "opposed_pct", f"no share above {max(given):g}", "shares in per cent", "Write 60 for 60 %, not 0.6")
        elif len(given) == 3 and sum(given) < MIN_THREE_SHARES:
            yield oddity(i, "opposed_pct", f"shares that sum to {sum(given):g}", "about 100", "Check the three shares")
        elif len(sides) == 2 and sum(sides) < MIN_TWO_SIDES and poll.other_pct is None:
            yield oddity(i, "opposed_pct", f"sides that sum to {sum(sides):g}", f"{MIN_TWO_SIDES:g} or more", "Fill in other_pct")
        elif len(sides) == 1 and sides[0] < MIN_ONE_SIDE:
            remedy = "Check it, and fill in the other side"
            yield oddity(i, "opposed_pct", f"one side alone, at {sides[0]:g}", f"{MIN_ONE_SIDE:g} or more", remedy)


def odd_samples(table: RecordTable[Poll], settings: Settings) -> Iterator[Finding]:
    """A sample far larger or smaller than usual."""
    sizes = [poll.n for poll in table.rows if poll.n]
    usual = median(sizes) if sizes else 0
    for i, poll in enumerate(table.rows):
        if poll.n and not usual / SAMPLE_FACTOR <= poll.n <= usual * SAMPLE_FACTOR and not _is_declared(settings, poll, "outlier"):
            found = f"{poll.n} respondents"
            expected = f"{usual / SAMPLE_FACTOR:.0f} to {usual * SAMPLE_FACTOR:.0f}"
            yield oddity(i, "n", found, expected, "Check it against the source")


def odd_repeated_polls(table: RecordTable[Poll], settings: Settings) -> Iterator[Finding]:
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
                yield oddity(
                    i, "poll_id", f"{poll.poll_id}, the same poll as {other.poll_id}", "each poll under one id", "Delete one of them"
                )
                break
        seen[key].append(i)


def _is_declared(settings: Settings, poll: Poll, kind: Literal["step", "outlier"]) -> bool:
    """A declared step excuses the distance from other polls, a declared outlier the shares of the poll itself."""
    month = poll.field_end.month
    return is_expected(settings, poll.file, kind, month, month, poll.topic)


def _share(poll: Poll) -> float | None:
    return opposed_share(poll.opposed_pct, poll.in_favour_pct, poll.other_pct)


def _are_comparable(a: Poll, b: Poll) -> bool:
    return abs(a.field_end.last - b.field_end.last) <= COMPARED_WITHIN
