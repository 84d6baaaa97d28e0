"""What a new row changes in the forecast's inputs, before anything is fitted: the stream it enters, the months it moves, how it is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from forecast.data.clock import known
from forecast.data.event_groups import distinct_acts
from forecast.data.outcome import distinct_readings, reading_levels, real_time_levels
from forecast.data.records import Claim, Event, Poll
from forecast.data.shares import undecided
from forecast.data.tables import Data, history, origin
from forecast.domain import last_day, month_text
from forecast.errors import InputError


@dataclass(frozen=True, slots=True)
class EventEffects:
    """Of an event: the simulated stream it enters as an arrival, None if none, and the companion questions it counts for.

    concession, mobilisation: whether it is one that counts. displaced: rows that no longer count as arrivals.
    """

    stream: str | None
    concession: bool
    mobilisation: bool
    counted: tuple[str, ...]
    displaced: tuple[str, ...]
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """A run of months whose level changes; None is a month that was not in the history before."""

    start: str
    end: str
    before: int | None
    after: int


@dataclass(frozen=True, slots=True)
class ClaimEffects:
    """Of a claim: by reading, and for what was known at the time, the months whose outcome level changes."""

    readings: dict[str, tuple[Moved, ...]]
    known_then: tuple[Moved, ...]
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PollEffects:
    """Of a poll: whether the model uses it, and as what (share opposed among those with a side, month, wording, respondents)."""

    usable: bool
    share: float | None
    month: str | None
    wording: str | None
    n: int | None
    told: tuple[str, ...]


type Effects = EventEffects | ClaimEffects | PollEffects


def effects(before: Data, after: Data, row: Any, today: date | None = None) -> Effects:
    """What a row of `after` changes; `before` lacks it, and perhaps others that are added with it.

    today: the day by the clock; of a row that is published only later, it is said first that until then it changes nothing.
    """
    does = _effects(before, after, row)
    if today is None or known(row, today):
        return does
    told = (f"Left out until it is published, on {row.published}; then:", *does.told)
    return replace(does, usable=False, told=told) if isinstance(does, PollEffects) else replace(does, told=told)


def _effects(before: Data, after: Data, row: Any) -> Effects:
    if isinstance(row, Event):
        return event_effects(before, after, row)
    if isinstance(row, Claim):
        return claim_effects(before, after, row)
    assert isinstance(row, Poll)
    return poll_effects(after, row)


def event_effects(before: Data, after: Data, event: Event) -> EventEffects:
    """By the rules of model 4 (`forecast.model.events`), with the sentences a person wants before saying yes."""
    from forecast.model.events import arrivals, counted, is_concession, is_mobilisation, stream_of

    here, was = {e.id for e in arrivals(after.events)}, {e.id for e in arrivals(before.events)}
    arrives = event.id in here
    stood = {e.id for e in distinct_acts(before.events)}
    sole = {e.id for e in distinct_acts(after.events)}
    displaced = tuple(sorted((was & {e.id for e in before.events}) - here))
    name = stream_of(event) if arrives else None
    counts = counted(event) if event.id in sole else ()
    told = [*_arrival(after, event, stream_of(event), arrives, event.id in sole), *_leverage(after, event)]
    told += [f"Counts for the companion question {c}." for c in counts]
    if event.answers and event.id in sole:
        told.append(f"Counts as an answer of Washington: {event.answers}.")
    told += [f"{i} counts no longer: this row is the same act." for i in displaced if i in stood - sole]
    told += [f"{i} is no arrival any more: the concession of that month and episode is counted once." for i in displaced if i in sole]
    if event.date.month > origin(after):
        told.append(f"Nothing of this enters before the origin, now {month_text(origin(after))}, reaches {month_text(event.date.month)}.")
    return EventEffects(name, arrives and is_concession(event), arrives and is_mobilisation(event), counts, displaced, tuple(told))


def claim_effects(before: Data, after: Data, claim: Claim) -> ClaimEffects:
    """The outcome under every reading, rebuilt with and without the claim, as known when the claims were last read through."""
    names = [name for group in distinct_readings(after, _tau(after), history(after)).values() for name in group]
    moved = {name: found for name in names if (found := _moved(_levels(before, name), _levels(after, name)))}
    then = _moved(_then(before), _then(after))
    told = [f"{name}: {_run(run)}." for name, runs in moved.items() for run in runs]
    if not moved:
        told.append(f"No month changes: {_why_still(after, claim)}.")
    return ClaimEffects(moved, then, (*told, *(f"as known at the time: {_run(run)}." for run in then)))


def poll_effects(after: Data, poll: Poll) -> PollEffects:
    """How model 3 sees the poll, or why it does not."""
    from forecast.model.opposition_marginal import poll_shares

    seen = poll_shares([poll], origin(after))
    if not seen:
        return PollEffects(False, None, None, None, None, (f"Not used: {_why_unused(after, poll)}.",))
    share = seen[0]
    told = [f"Used: {100 * share.share:.1f} % opposed of those with a side, in {month_text(share.month)}, wording {share.wording}."]
    told += [f"Respondents not stated: {share.n} are assumed."] if share.n_assumed else []
    told += [f"One side only: {_left(poll):g} % are taken to have none."] if share.side_assumed else []
    return PollEffects(True, share.share, month_text(share.month), share.wording, share.n, tuple(told))


def _left(poll: Poll) -> float:
    side = poll.opposed_pct if poll.opposed_pct is not None else poll.in_favour_pct
    return undecided(side or 0.0, poll.other_pct)


def _arrival(data: Data, event: Event, name: str | None, arrives: bool, sole: bool) -> Iterator[str]:
    from forecast.model.events import is_concession, is_mobilisation

    if name is None:
        yield "Enters no stream of the model."
    elif arrives:
        kind = ", as a concession" if is_concession(event) else ", as mobilisation" if is_mobilisation(event) else ""
        yield f"Enters the stream {name} in {month_text(event.date.month)}{kind}."
    elif not sole:
        yield f"Enters no stream: another row of the same act counts ({';'.join(event.same_act_as)})."
    elif is_mobilisation(event):
        yield "Enters no stream: it answers a record of family A, and the outcome would explain itself."
    else:
        yield f"Enters no stream: the episode {event.episode} has its concession in {month_text(event.date.month)} already."


def _leverage(data: Data, event: Event) -> Iterator[str]:
    if event.kind == "measure":
        until = f"until {event.until}" if event.until else "with no end"
        yield f"Adds to {event.channel} leverage from {month_text(event.date.month)}, {until}."
    elif event.kind in ("threat", "act", "demonstration", "inducement"):
        yield f"Adds to {event.channel} leverage in {month_text(event.date.month)} and fades."
    elif event.kind == "relaxation":
        ends = f"ends {';'.join(event.ends)}" if event.ends else "takes from what is remembered"
        yield f"Lowers {event.channel} leverage: {ends}."


def _tau(data: Data) -> Any:
    return max(last_day(origin(data)), data.coverage[Claim.file])


def _levels(data: Data, reading: str) -> dict[int, int]:
    months = history(data)
    return dict(zip(months, reading_levels(data, reading, _tau(data), months).tolist(), strict=True))


def _then(data: Data) -> dict[int, int]:
    months = history(data)
    try:
        return dict(zip(months, real_time_levels(data.claims, months).tolist(), strict=True))
    except InputError:  # a month that no claim covered when it ended
        return {}


def _moved(before: dict[int, int], after: dict[int, int]) -> tuple[Moved, ...]:
    runs: list[tuple[int, int, int | None, int]] = []
    for month, level in after.items():
        old = before.get(month)
        if old == level:
            continue
        if runs and runs[-1][1] == month - 1 and runs[-1][2:] == (old, level):
            runs[-1] = (runs[-1][0], month, old, level)
        else:
            runs.append((month, month, old, level))
    return tuple(Moved(month_text(start), month_text(end), old, new) for start, end, old, new in runs)


def _run(run: Moved) -> str:
    span = run.start if run.start == run.end else f"{run.start} to {run.end}"
    return f"{span} {'new, level' if run.before is None else f'from level {run.before} to'} {run.after}"


def _why_still(data: Data, claim: Claim) -> str:
    if claim.stance != "documented":
        return f"only documented claims make the main reading, and this is {claim.stance}"
    if claim.start > origin(data):
        return f"it begins after the origin, {month_text(origin(data))}"
    return "its months have this level already, or from a claim published later"


def _why_unused(data: Data, poll: Poll) -> str:
    if poll.use == "no":
        return f"use is no ({poll.why_not})"
    if poll.wording in ("other", "intelligence_or_training"):
        return f"the model has no place for the wording {poll.wording}"
    return f"its field work is not over by the end of the origin, {month_text(origin(data))}, or began before 2000"


def named(rows: Sequence[Any]) -> list[str]:
    """The names of rows."""
    return [" ".join(str(getattr(row, column)) for column in row.key) for row in rows]
