"""From one set of data to another in steps: in the fixed order, every row once, and a forecast can be made of each state between."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.attribution.data_steps import MAX_STEPS, DataStep, data_steps
from forecast.data.as_of import as_of
from forecast.data.diff import diff_data
from forecast.data.outcome import distinct_readings, reading_levels
from forecast.data.read import read_data
from forecast.data.records import Event
from forecast.data.tables import Data, history_months, origin
from forecast.domain import last_day, month
from forecast.errors import ForecastError
from forecast.forecasting.origin_state import build_origin_state, claims_day
from forecast.priors.load import load_priors
from tests.support.data_editing import BUNDLED, with_rows


@functools.cache
def on(day: str) -> Data:
    return as_of(read_data(BUNDLED), date.fromisoformat(day))


DAYS = [
    ("2026-05-31", "2026-06-30"),
    ("2026-03-31", "2026-06-30"),
    ("2025-12-31", "2026-01-31"),
    ("2014-10-31", "2014-11-30"),
    ("2012-12-31", "2013-05-15"),
    ("2007-06-30", "2026-06-30"),
    ("2026-06-30", "2026-05-31"),
    ("2025-02-10", "2025-02-20"),
]


def sound(data: Data) -> None:
    """Every month has its level under every reading, and no row names one that is not there."""
    months = history_months(data)
    for name in distinct_readings(data, claims_day(data), months):
        assert len(reading_levels(data, name, claims_day(data), months)) == len(months)
    ids, claims = {e.id for e in data.events}, {c.claim_id for c in data.claims}
    assert {i for e in data.events for i in (*e.ends, *e.caused_by, *e.same_act_as)} <= ids
    assert {i for c in data.claims for i in c.basis_ids} <= ids
    assert {i for c in data.claims for i in c.supersedes} <= claims
    assert len(ids) == len(data.events)


@pytest.mark.parametrize("days", DAYS)
def test_every_state_on_the_way_is_sound_and_every_change_is_made_once(days: tuple[str, str]) -> None:
    old, new = map(on, days)
    found = data_steps(old, new)
    assert found.steps[-1].data == new
    assert len(found.steps) <= MAX_STEPS
    for step in found.steps:
        sound(step.data)
    kinds = [step.kind for step in found.steps]
    assert kinds == sorted(kinds, key=["revision", "time", "new"].index)
    assert kinds.count("time") == (origin(old) != origin(new) or claims_day(old) != claims_day(new))
    made = [c for step in found.steps for c in step.rows] + list(found.unread)
    assert sorted(made, key=repr) == sorted((c for c in diff_data(old, new).rows if c.meaning), key=repr)


@pytest.mark.slow
@settings(max_examples=60)
@given(st.dates(date(2007, 1, 31), date(2026, 6, 30)), st.dates(date(2007, 1, 31), date(2026, 6, 30)))
def test_from_any_day_to_any_other(a: date, b: date) -> None:
    found = data_steps(on(f"{a:%Y-%m}-28"), on(f"{b:%Y-%m}-28"))
    for step in found.steps:
        sound(step.data)


@pytest.mark.parametrize("days", [pytest.param(d, marks=pytest.mark.slow if d == DAYS[1] else pytest.mark.soak) for d in DAYS])
def test_the_situation_can_be_assessed_in_every_state(days: tuple[str, str]) -> None:
    priors = load_priors(BUNDLED.parent / "priors")
    for step in data_steps(on(days[0]), on(days[1])).steps:
        made = build_origin_state(step.data, priors, 7)
        assert np.isfinite(made.pool().leverage).all()


def test_nothing_to_do_is_no_step() -> None:
    assert data_steps(on("2026-06-30"), on("2026-06-30")).steps == ()


def test_time_alone_lets_the_levels_go_on() -> None:
    """The covert act of March 2026 is of its month; the documented level 2 has no end, and goes on without a claim about June."""
    old = on("2026-05-31")
    later = replace(old, coverage=on("2026-06-30").coverage)
    (step,) = data_steps(old, later).steps
    assert (step.kind, step.label) == ("time", "2026-06 as if nothing had happened")
    was, now = (reading_levels(d, "covert_true", claims_day(d), history_months(d)) for d in (old, step.data))
    assert now.tolist() == [*was.tolist(), 2]


def test_a_level_whose_claim_has_ended_goes_on_until_another_says_otherwise() -> None:
    new = on("2026-06-30")
    last = next(c for c in new.claims if c.claim_id == "OC33")
    may = month("2026-05")
    closed = tuple(c.model_copy(update={"end": max(may, c.start)}) if c.end is None else c for c in new.claims if c is not last)
    old = replace(new, claims=closed, coverage=on("2026-05-31").coverage)
    after = replace(old, claims=(*old.claims, last.model_copy(update={"level": 4})), coverage=new.coverage)
    time, claim = data_steps(old, after).steps
    june = [reading_levels(s.data, "main", claims_day(s.data), history_months(s.data))[-1] for s in (time, claim)]
    assert june == [2, 4]


def test_a_claim_about_earlier_months_is_a_revision_and_one_about_later_months_is_new() -> None:
    found = data_steps(on("2026-03-31"), on("2026-06-30")).steps
    kind = {c.key[0]: s.kind for s in found for c in s.rows if c.table in ("claims", "readings")}
    assert kind == {"covert_true": "revision", "OC31": "new", "OC33": "new"}
    recoded = next(s.data for s in found if any(c.table == "readings" for c in s.rows))
    assert origin(recoded) == month("2026-03")  # known since May, it is about March, where the old data end
    assert reading_levels(recoded, "covert_true", claims_day(recoded), history_months(recoded))[-1] == 4


def test_a_further_vintage_revises_and_a_further_month_is_new() -> None:
    found = data_steps(on("2026-05-31"), on("2026-06-30")).steps
    before = {(r.indicator, r.period_end) for r in on("2026-05-31").overdose_releases}
    for step in found:
        for c in step.rows:
            if c.table == "overdose_releases":
                assert (step.kind == "revision") == ((c.row.indicator, c.row.period_end) in before)


def event(like: str, data: Data, **cells: Any) -> Event:
    found: Event = next(e for e in data.events if e.id == like).model_copy(update=cells)
    return found


def with_events(data: Data, *events: Event) -> Data:
    new = {e.id: e for e in events}
    return replace(data, events=(*(new.pop(e.id, e) for e in data.events), *new.values()))


def standing(data: Data) -> Event:
    return next(e for e in data.events if e.kind == "measure" and e.until is None)


def steps_of(old: Data, new: Data) -> list[tuple[str, list[str]]]:
    return [(s.kind, [c.key[0] for c in s.rows]) for s in data_steps(old, new).steps]


def test_a_measure_that_ended_since_is_news_and_comes_with_what_ended_it() -> None:
    old, now = on("2026-05-31"), on("2026-06-30").coverage
    measure = standing(old)
    day = measure.date.parse("2026-06-11")
    ended = measure.model_copy(update={"until": day})
    relaxed = event(measure.id, old, id="B999", kind="relaxation", date=day, published=day, direction="-", ends=(measure.id,), until=None)
    assert steps_of(old, replace(with_events(old, ended, relaxed), coverage=now)) == [("time", []), ("new", ["B999", measure.id])]


def test_an_end_that_is_written_in_later_for_an_earlier_month_is_a_revision() -> None:
    old = on("2026-05-31")
    measure = standing(old)
    ended = measure.model_copy(update={"until": measure.date.parse("2026-05-02")})
    assert steps_of(old, with_events(old, ended)) == [("revision", [measure.id])]


def test_an_effect_published_before_its_cause_waits_for_it() -> None:
    old, now = on("2026-05-31"), on("2026-06-30").coverage
    like = next(e for e in old.events if e.family == "C")
    days = [like.date.parse(f"2026-06-{d:02d}") for d in (5, 10, 20)]
    cause = event(like.id, old, id="C998", date=days[0], published=days[2], same_act_as=(), caused_by=())
    effect = event(like.id, old, id="C999", date=days[1], published=days[1], same_act_as=(), caused_by=("C998",))
    assert steps_of(old, replace(with_events(old, effect, cause), coverage=now)) == [("time", []), ("new", ["C998"]), ("new", ["C999"])]
    twins = [e.model_copy(update={"caused_by": (other,)}) for e, other in ((cause, "C999"), (effect, "C998"))]
    assert [rows for _, rows in steps_of(old, replace(with_events(old, *twins), coverage=now))[1:]] == [["C999"], ["C998"]]


def test_two_rows_of_one_act_come_together() -> None:
    old, now = on("2026-05-31"), on("2026-06-30").coverage
    day = standing(old).date.parse("2026-06-05")
    one = event(standing(old).id, old, id="B998", date=day, published=day, same_act_as=(), caused_by=(), kind="threat")
    two = one.model_copy(update={"id": "B999", "same_act_as": ("B998",)})
    assert steps_of(old, replace(with_events(old, two, one), coverage=now)) == [("time", []), ("new", ["B998", "B999"])]


def test_many_records_are_told_as_series() -> None:
    found: tuple[DataStep, ...] = data_steps(on("2026-03-31"), on("2026-06-30")).steps
    labels = [s.label for s in found if any(c.table == "events" for c in s.rows)]
    assert labels == [
        "what Mexico granted or refused (6 rows of events.csv, family A)",
        "pressure (8 rows of events.csv, family B)",
        "opposition (11 rows of events.csv, family C)",
        "context (1 row of events.csv, family D)",
    ]


@pytest.mark.slow
def test_what_no_model_reads_changes_nothing() -> None:
    """The unread changes alone, made to the old data, leave the situation as it was, to the last bit."""
    old, new = on("2014-10-31"), on("2015-03-31")
    unread = data_steps(old, new).unread
    assert {c.table for c in unread} >= {"indicators", "spells", "coding_second"}
    tables: dict[str, list[Any]] = {}
    for c in unread:
        rows = tables.setdefault(c.table, list(getattr(old, c.table)))
        if c.old in rows:
            rows.remove(c.old)
        rows += [c.new] if c.new else []
    changed = with_rows(old, **{name: tuple(rows) for name, rows in tables.items()})
    priors = load_priors(BUNDLED.parent / "priors")
    a, b = (build_origin_state(d, priors, 7).pool() for d in (old, changed))
    for name, values in a.__dict__.items():
        assert np.array_equal(values, getattr(b, name)), name


def test_coverage_of_claims_alone_is_time() -> None:
    old = on("2026-05-31")
    later = replace(old, coverage={**old.coverage, "outcome_claims.csv": last_day(month("2026-06"))})
    (step,) = data_steps(old, later).steps
    assert step.label == "claims read through 2026-06-30, before 2026-05-31"
    assert not data_steps(old, replace(old, coverage={**old.coverage, "polls.csv": date(2026, 1, 1)})).steps


def test_a_month_without_any_claim_before_it_stays_an_error() -> None:
    old = on("2026-05-31")
    without = replace(old, claims=tuple(c for c in old.claims if c.start > month("2010-01")), coverage=on("2026-06-30").coverage)
    with pytest.raises(ForecastError, match="covers 2006-01"):
        sound(data_steps(old, without).steps[-1].data)
