"""What a new row changes in the inputs of the forecast, before anything is fitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from forecast.data.coding_rules import undecided_percent
from forecast.data.event_groups import counting_rules, counts_towards, distinct_acts
from forecast.data.outcome import distinct_readings, reading_levels, real_time_levels
from forecast.data.records import Claim, Event, Poll
from forecast.data.tables import Data, history_months, is_public, origin
from forecast.domain import last_day, month_text
from forecast.errors import InputError


@dataclass(frozen=True, slots=True)
class EventEffects:
    """What an event changes.

    stream: the simulated stream it enters as an arrival, None if none. concession, mobilisation: whether it counts as one. counted: the
    companion questions it counts for. displaced: ids of rows that no longer count as arrivals. explanation: sentences for a person.
    """

    stream: str | None
    concession: bool
    mobilisation: bool
    counted: tuple[str, ...]
    displaced: tuple[str, ...]
    explanation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LevelSpan:
    """Consecutive months whose level changes; `before` is None for months that were not in the history."""

    start: str
    end: str
    before: int | None
    after: int


@dataclass(frozen=True, slots=True)
class ClaimEffects:
    """What a claim changes: the months whose level changes, by reading and as known at the time (real_time)."""

    readings: dict[str, tuple[LevelSpan, ...]]
    real_time: tuple[LevelSpan, ...]
    explanation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PollEffects:
    """What a poll changes.

    usable: whether the model uses it. share: opposed among those with a side, 0 to 1. month, wording, n: as the model uses them.
    """

    usable: bool
    share: float | None
    month: str | None
    wording: str | None
    n: int | None
    explanation: tuple[str, ...]


type Effects = EventEffects | ClaimEffects | PollEffects


def row_effects(before: Data, after: Data, row: Any, today: date | None = None) -> Effects:
    """What a row of `after` changes; `before` lacks it, and perhaps others that are added with it.

    today: the day by the clock; the explanation of a row published later begins by saying that it is left out until then.
    """
    effects = _effects(before, after, row)
    if today is None or is_public(row, today):
        return effects
    explanation = (f"Left out until it is published, on {row.published}; then:", *effects.explanation)
    if isinstance(effects, PollEffects):
        return replace(effects, usable=False, explanation=explanation)
    return replace(effects, explanation=explanation)


def _effects(before: Data, after: Data, row: Any) -> Effects:
    if isinstance(row, Event):
        return event_effects(before, after, row)
    if isinstance(row, Claim):
        return claim_effects(before, after, row)
    assert isinstance(row, Poll)
    return poll_effects(after, row)


def event_effects(before: Data, after: Data, event: Event) -> EventEffects:
    """By the rules of model 4 (`forecast.model.events`), with an explanation for the person who confirms the row."""
    from forecast.model.events import COUNTED, arrivals, is_concession, is_mobilisation, stream_of

    arriving, arrived_before = {e.id for e in arrivals(after.events)}, {e.id for e in arrivals(before.events)}
    arrives = event.id in arriving
    distinct_before = {e.id for e in distinct_acts(before.events)}
    distinct = {e.id for e in distinct_acts(after.events)}
    displaced = tuple(sorted((arrived_before & {e.id for e in before.events}) - arriving))
    name = stream_of(event) if arrives else None
    rules = counting_rules(after.questions) if event.id in distinct else {}
    counts = tuple(slug for slug in COUNTED if slug in rules and counts_towards(event, rules[slug]))
    explanation = [*_arrival(event, stream_of(event), arrives, event.id in distinct), *_leverage(event)]
    explanation += [f"Counts for the companion question {c}." for c in counts]
    if event.answers and event.id in distinct:
        explanation.append(f"Counts as an answer from Washington: {event.answers}.")
    explanation += [f"{i} no longer counts: this row is the same act." for i in displaced if i in distinct_before - distinct]
    explanation += [f"{i} is no longer an arrival: an episode has at most one concession a month." for i in displaced if i in distinct]
    if event.date.month > origin(after):
        explanation.append(f"This takes effect once the origin, now {month_text(origin(after))}, reaches {month_text(event.date.month)}.")
    return EventEffects(name, arrives and is_concession(event), arrives and is_mobilisation(event), counts, displaced, tuple(explanation))


def claim_effects(before: Data, after: Data, claim: Claim) -> ClaimEffects:
    """The outcome under every reading, rebuilt with and without the claim, as known when the claims were last read through."""
    names = [name for group in distinct_readings(after, _tau(after), history_months(after)).values() for name in group]
    changed = {name: spans for name in names if (spans := _changed_spans(_levels(before, name), _levels(after, name)))}
    real_time = _changed_spans(_real_time(before), _real_time(after))
    explanation = [f"{name}: {_span_text(span)}." for name, spans in changed.items() for span in spans]
    if not changed:
        explanation.append(f"No month changes: {_why_unchanged(after, claim)}.")
    return ClaimEffects(changed, real_time, (*explanation, *(f"as known at the time: {_span_text(span)}." for span in real_time)))


def poll_effects(after: Data, poll: Poll) -> PollEffects:
    """How model 3 sees the poll, or why it does not."""
    from forecast.model.poll_shares import poll_shares

    shares = poll_shares([poll], origin(after))
    if not shares:
        return PollEffects(False, None, None, None, None, (f"Not used: {_why_unused(after, poll)}.",))
    share = shares[0]
    explanation = [f"Used: {100 * share.share:.1f} % opposed of those with a side, in {month_text(share.month)}, wording {share.wording}."]
    explanation += [f"Respondents not stated: {share.n} are assumed."] if share.n_assumed else []
    explanation += [f"One side only: {_assumed_undecided(poll):g} % are assumed to have none."] if share.side_assumed else []
    return PollEffects(True, share.share, month_text(share.month), share.wording, share.n, tuple(explanation))


def _assumed_undecided(poll: Poll) -> float:
    side = poll.opposed_pct if poll.opposed_pct is not None else poll.in_favour_pct
    return undecided_percent(side or 0.0, poll.other_pct)


def _arrival(event: Event, name: str | None, arrives: bool, distinct: bool) -> Iterator[str]:
    from forecast.model.events import is_concession, is_mobilisation

    if name is None:
        yield "The model counts it in no stream of events."
    elif arrives:
        kind = ", as a concession" if is_concession(event) else ", as mobilisation" if is_mobilisation(event) else ""
        yield f"Enters the stream {name} in {month_text(event.date.month)}{kind}."
    elif not distinct:
        yield f"Enters no stream: another row of the same act counts ({';'.join(event.same_act_as)})."
    elif is_mobilisation(event):
        yield "Enters no stream: it responds to a row of family A, so the outcome would explain itself."
    else:
        yield f"Enters no stream: the episode {event.episode} has its concession in {month_text(event.date.month)} already."


def _leverage(event: Event) -> Iterator[str]:
    if event.kind == "measure":
        until = f"until {event.until}" if event.until else "with no end"
        yield f"Adds to {event.channel} leverage from {month_text(event.date.month)}, {until}."
    elif event.kind in ("threat", "act", "demonstration", "inducement"):
        yield f"Adds to {event.channel} leverage in {month_text(event.date.month)} and fades."
    elif event.kind == "relaxation":
        ends = f"ends {';'.join(event.ends)}" if event.ends else "reduces what has not faded yet"
        yield f"Lowers {event.channel} leverage: {ends}."


def _tau(data: Data) -> Any:
    return max(last_day(origin(data)), data.coverage[Claim.file])


def _levels(data: Data, reading: str) -> dict[int, int]:
    months = history_months(data)
    return dict(zip(months, reading_levels(data, reading, _tau(data), months).tolist(), strict=True))


def _real_time(data: Data) -> dict[int, int]:
    months = history_months(data)
    try:
        return dict(zip(months, real_time_levels(data.claims, months).tolist(), strict=True))
    except InputError:  # a month that no claim covered when it ended
        return {}


def _changed_spans(before: dict[int, int], after: dict[int, int]) -> tuple[LevelSpan, ...]:
    runs: list[tuple[int, int, int | None, int]] = []
    for month, level in after.items():
        old = before.get(month)
        if old == level:
            continue
        if runs and runs[-1][1] == month - 1 and runs[-1][2:] == (old, level):
            runs[-1] = (runs[-1][0], month, old, level)
        else:
            runs.append((month, month, old, level))
    return tuple(LevelSpan(month_text(start), month_text(end), old, new) for start, end, old, new in runs)


def _span_text(span: LevelSpan) -> str:
    months = span.start if span.start == span.end else f"{span.start} to {span.end}"
    return f"{months} {'new, level' if span.before is None else f'from level {span.before} to'} {span.after}"


def _why_unchanged(data: Data, claim: Claim) -> str:
    if claim.stance != "documented":
        return f"only documented claims make the main reading, and this is {claim.stance}"
    if claim.start > origin(data):
        return f"its months are after the origin, {month_text(origin(data))}"
    return "its months have this level already, or from a claim published later"


def _why_unused(data: Data, poll: Poll) -> str:
    if poll.use == "no":
        return f"use is no ({poll.why_not})"
    if poll.wording in ("other", "intelligence_or_training"):
        return f"the model uses no polls with the wording {poll.wording}"
    return f"its field work is not over by the end of the origin, {month_text(origin(data))}, or began before 2000"


def row_names(rows: Sequence[Any]) -> list[str]:
    """The keys of rows, as text."""
    return [" ".join(str(getattr(row, column)) for column in row.key) for row in rows]
