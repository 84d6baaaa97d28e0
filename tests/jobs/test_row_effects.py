"""What a new row is said to change is what changes: each bundled row taken out and put back, against the models' own functions."""

from __future__ import annotations

import pytest

from forecast.data.outcome import main_levels, real_time_levels
from forecast.data.read import read_data
from forecast.data.records import Claim, Event, Poll
from forecast.data.tables import Data, history_months, origin
from forecast.domain import last_day, month, month_text
from forecast.jobs.data.row_effects import LevelSpan, claim_effects, event_effects, poll_effects
from forecast.model.events import arrivals, is_concession, is_mobilisation, stream_of
from forecast.model.poll_shares import poll_shares
from tests.support.data_editing import BUNDLED, with_rows


@pytest.fixture(scope="module")
def data() -> Data:
    return read_data(BUNDLED)


def without(data: Data, row: Event | Claim) -> Data:
    name = "events" if isinstance(row, Event) else "claims"
    return with_rows(data, **{name: tuple(r for r in getattr(data, name) if r is not row)})


def test_every_event_enters_the_stream_that_the_model_puts_it_in(data: Data) -> None:
    enter = {e.id: stream_of(e) for e in arrivals(data.events)}
    for event in data.events:
        output = event_effects(without(data, event), data, event)
        assert output.stream == enter.get(event.id)
        assert output.concession == (event.id in enter and is_concession(event))
        assert output.mobilisation == (event.id in enter and is_mobilisation(event))
        assert output.explanation


def test_a_row_that_takes_the_place_of_another_says_so(data: Data) -> None:
    other = next(e for e in arrivals(data.events) if e.family == "C" and not e.same_act_as and not e.caused_by)
    decision = next(e for e in data.events if e.role == "decision" and e.direction == "+")
    new = decision.model_copy(
        update={"id": "A999", "date": other.date, "published": other.published, "same_act_as": (other.id,), "episode": ""}
    )
    output = event_effects(data, with_rows(data, events=(*data.events, new)), new)
    assert output.stream == "concession"
    assert output.displaced == (other.id,)
    assert f"{other.id} no longer counts: this row is the same act." in output.explanation


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"caused_by": ("A071",)}, "it responds to a row of family A"),
        ({"same_act_as": ("C042",)}, "another row of the same act counts (C042)"),
    ],
)
def test_what_enters_nothing_says_why(data: Data, changes: dict[str, tuple[str, ...]], words: str) -> None:
    like = next(e for e in data.events if e.id == "C042")
    new = like.model_copy(update={"id": "C999", "caused_by": (), **changes})
    output = event_effects(data, with_rows(data, events=(*data.events, new)), new)
    assert (output.stream, output.mobilisation) == (None, False)
    assert words in " ".join(output.explanation)


def test_the_second_concession_of_a_month_and_episode_is_none(data: Data) -> None:
    like = next(e for e in arrivals(data.events) if is_concession(e) and e.episode)
    new = like.model_copy(update={"id": "A999", "same_act_as": ()})
    output = event_effects(data, with_rows(data, events=(*data.events, new)), new)
    assert not output.concession
    assert f"the episode {like.episode} has its concession" in " ".join(output.explanation)


def test_an_event_after_the_origin_waits(data: Data) -> None:
    like = data.events[-1]
    new = like.model_copy(update={"id": "B999", "date": like.date.parse("2026-07-01")})
    output = event_effects(data, with_rows(data, events=(*data.events, new)), new)
    assert output.explanation[-1] == "This takes effect once the origin, now 2026-06, reaches 2026-07."


def test_a_claim_moves_the_months_whose_level_differs_without_it(data: Data) -> None:
    months, tau = history_months(data), last_day(origin(data))
    full, then = main_levels(data.claims, tau, months), real_time_levels(data.claims, months)
    for claim in data.claims[1:]:  # without the first no month would have a level
        before = without(data, claim)
        output = claim_effects(before, data, claim)
        for runs, new, old in (
            (output.readings.get("main", ()), full, main_levels(before.claims, tau, months)),
            (output.real_time, then, real_time_levels(before.claims, months)),
        ):
            moved = {m: (run.before, run.after) for run in runs for m in range(month(run.start), month(run.end) + 1)}
            assert moved == {m: (int(a), int(b)) for m, a, b in zip(months, old, new, strict=True) if a != b}
        assert output.explanation


def test_what_a_claim_leaves_alone_is_said_with_the_reason(data: Data) -> None:
    denied = next(c for c in data.claims if c.stance == "denied")
    assert "only documented claims" in claim_effects(without(data, denied), data, denied).explanation[0]
    new = data.claims[-1].model_copy(update={"claim_id": "OC99", "start": month("2026-08")})
    assert "its months are after the origin" in claim_effects(data, with_rows(data, claims=(*data.claims, new)), new).explanation[0]


def test_months_that_a_later_origin_brings_are_new(data: Data) -> None:
    later = with_rows(data, coverage={**data.coverage, "events.csv": last_day(origin(data) + 1)})
    output = claim_effects(data, later, later.claims[-1])
    assert output.readings["main"] == (LevelSpan("2026-07", "2026-07", None, 2),)


def test_a_poll_is_used_as_model_3_uses_it(data: Data) -> None:
    used = {share.poll_id: share for share in poll_shares(data.polls, origin(data))}
    for poll in data.polls:
        output = poll_effects(data, poll)
        assert output.usable == (poll.poll_id in used)
        if output.usable:
            share = used[poll.poll_id]
            assert (output.share, output.month, output.n) == (share.share, month_text(share.month), share.n)
        else:
            assert output.explanation[0].startswith("Not used: ")
    late: Poll = data.polls[-2].model_copy(
        update={
            "wording": "agents",
            "use": "yes",
            "field_start": data.events[0].date.parse("2026-07"),
            "field_end": data.events[0].date.parse("2026-07"),
        }
    )
    assert "its field work is not over" in poll_effects(data, late).explanation[0]
