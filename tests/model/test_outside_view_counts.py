"""Counting what other states did: toy spells counted by hand, and the bundled record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forecast.data.read import read_data
from forecast.data.records import ReferencePressure, Spell, State
from forecast.domain import month, month_text
from forecast.model.outside_view_data import SELECTIONS, Transitions, count_transitions, list_entries, list_transitions
from forecast.workspace import bundled_root


def spell(country: str, start: str, end: str, level: int, imposed: str = "no", drug_case: str = "CN") -> Spell:
    return Spell.model_validate(
        {
            "country": country, "start": start, "end": end, "level": level, "published": start, "published_basis": "rule", "disputed": "",
            "imposed": imposed, "drug_case": drug_case, "confidence": "high", "basis": "toy", "source": "toy",
        }
    )  # fmt: skip


def state(country: str, first: int, last: int, competitive: int = 1, income: str = "upper_middle", army: int = 1) -> State:
    return State.model_validate(
        {
            "country": country, "year_start": first, "year_end": last, "export_share_to_us": "high", "competitive_elections": competitive,
            "income": income, "capable_army": army, "published": f"{first + 1}-01-01", "published_basis": "rule",
            "notes": "", "source": "toy",
        }
    )  # fmt: skip


def pressure(country: str, first: int, last: int, kind: str) -> ReferencePressure:
    return ReferencePressure.model_validate(
        {
            "country": country, "year_start": first, "year_end": last, "kind": kind, "what": "toy", "published": f"{first + 1}-01-01",
            "published_basis": "rule", "confidence": "high", "source": "toy",
        }
    )  # fmt: skip


def every(transitions: Transitions) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.ones(transitions.state.size, dtype=bool)


def test_a_toy_history_is_counted_as_by_hand() -> None:
    # Jan-Mar at 1, April at 4 (a single act), May-June at 2; a request open in this year
    spells = [spell("A", "2000-01", "2000-03", 1), spell("A", "2000-04", "2000-04", 4), spell("A", "2000-05", "2000-06", 2)]
    t = list_transitions(spells, [], [pressure("A", 2000, 2000, "request")])
    c = count_transitions(t, every(t), "same")
    assert t.month.tolist() == [month(f"2000-0{m}") for m in (2, 3, 4, 5, 6)]
    # from 1, pressed, not just risen: two stays and the rise; from 4, just risen: the fall; from 2: a stay, not just risen after a fall
    assert [c.stay[0, 1, 1, 0], c.rise[0, 1, 1, 0], c.fall[0, 4, 1, 1], c.stay[0, 2, 1, 0]] == [2, 1, 1, 1]
    assert [c.rise.sum(), c.stay.sum(), c.fall.sum()] == [1, 3, 1]
    # up 1 to 4 goes on through 2 and 3 and stops at 4; down 4 to 2 goes on through 3 and stops at 2
    assert c.went_up.tolist() == [0, 1, 1, 0]
    assert c.stopped_up.tolist() == [0, 0, 0, 1]
    assert c.went_down.tolist() == [0, 0, 1, 0]
    assert c.stopped_down.tolist() == [0, 1, 0, 0]


def test_moves_to_the_ends_of_the_ladder_pass_every_level_between() -> None:
    t = list_transitions(
        [spell("A", "2000-01", "2000-01", 0), spell("A", "2000-02", "2000-02", 5), spell("A", "2000-03", "2000-03", 0)], [], []
    )
    c = count_transitions(t, every(t), "same")
    assert c.went_up.tolist() == c.went_down.tolist() == [1, 1, 1, 1]
    assert c.stopped_up.sum() == c.stopped_down.sum() == 0


def test_an_imposed_spell_is_exposure_and_never_entered() -> None:
    spells = [spell("A", "2000-01", "2000-02", 0), spell("A", "2000-03", "2000-05", 5, imposed="yes"), spell("A", "2000-06", "2000-07", 1)]
    t = list_transitions(spells, [], [])
    c = count_transitions(t, every(t), "same")
    assert month("2000-03") not in t.month
    # two months of exposure in the imposed spell (the first of them just risen), and the fall out of it, which the state chose
    assert c.stay[0, 5].sum() == 2
    assert c.stay[0, 5, 0, 1] == 1
    assert c.fall[0, 5].sum() == 1
    assert c.rise.sum() == 0


def test_gaps_cut_the_history() -> None:
    t = list_transitions([spell("A", "2000-01", "2000-03", 1), spell("A", "2000-06", "2000-07", 2)], [], [])
    assert t.month.tolist() == [month(m) for m in ("2000-02", "2000-03", "2000-07")]
    assert not t.just_risen.any()
    assert (t.to == t.level).all()


def test_mexico_ends_where_its_own_likelihood_begins() -> None:
    t = list_transitions([spell("Mexico", "2005-11", "2006-06", 2), spell("Peru", "2005-11", "2006-06", 2)], [], [])
    assert t.month[t.of(["Mexico"])].tolist() == [month("2005-12")]
    assert t.of(["Peru"]).sum() == 7


def test_pressure_is_of_the_year_of_the_month_or_of_the_year_before() -> None:
    rows = [pressure("A", 2001, 2001, "threat"), pressure("A", 2003, 2003, "decertification"), pressure("A", 2004, 2004, "host_invitation")]
    t = list_transitions([spell("A", "1999-12", "2005-12", 1)], [], rows)
    years = t.month // 12
    assert np.array_equal(t.pressed("same"), years == 2001)
    assert np.array_equal(t.pressed("previous"), years == 2002)
    assert not t.pressed("none").any()
    assert count_transitions(t, every(t), "same").stay[0, 1, 1].sum() == 12


def test_classes_select_months() -> None:
    spells = [
        spell("A", "2000-01", "2001-12", 1),
        spell("B", "2000-01", "2001-12", 1, drug_case="CT"),
        spell("Iraq", "2000-01", "2001-12", 1),
    ]
    states = [
        state("A", 2000, 2000),
        state("A", 2001, 2001, competitive=0),
        state("B", 2000, 2001, income="low"),
        state("Iraq", 2000, 2001),
    ]
    t = list_transitions(spells, states, [])
    got = {name: [int((select(t) & t.of([s])).sum()) for s in t.states] for name, select in SELECTIONS.items()}
    assert t.states == ("A", "B", "Iraq")
    assert got == {
        "all": [23, 23, 23],
        "all_but_failed": [23, 23, 0],
        "drug_cases": [23, 0, 23],
        "without_drug_cases": [0, 23, 0],
        "like_mexico": [11, 0, 23],
    }


def test_the_list_of_states_can_be_fixed_so_that_shapes_agree() -> None:
    t = list_transitions([spell("B", "2000-01", "2000-03", 1)], [], [], names=("A", "B", "C"))
    c = count_transitions(t, every(t), "same")
    assert c.stay.shape == (3, 6, 2, 2)
    assert c.stay.sum(axis=(1, 2, 3)).tolist() == [0, 2, 0]
    with pytest.raises(ValueError, match="place in the list: B"):
        list_transitions([spell("B", "2000-01", "2000-03", 1)], [], [], names=("A",))


def test_entries_know_how_long_they_lasted() -> None:
    spells = [
        spell("A", "2000-01", "2000-02", 3), spell("A", "2000-03", "2000-03", 4), spell("A", "2000-04", "2000-04", 3),
        spell("A", "2000-05", "2000-06", 4), spell("A", "2000-07", "2000-09", 5),
    ]  # fmt: skip
    found = list_entries(list_transitions(spells, [], []))
    assert [(e.month, e.before, e.after, e.months) for e in found] == [(month("2000-03"), 3, 4, 1), (month("2000-05"), 3, 4, 5)]


def test_the_bundled_record() -> None:
    data = read_data(Path(bundled_root()) / "data")
    t = list_transitions(data.spells, data.states, data.pressure)
    c = count_transitions(t, every(t), "same")
    assert len(t.states) == 29
    assert [t.state.size, c.rise.sum(), c.fall.sum(), t.entries.sum()] == [12_500, 53, 32, 11]
    assert (c.went_up + c.stopped_up)[1:].tolist() == [35, 28, 11]
    assert c.went_up[1:].tolist() == [19, 4, 6]
    assert [c.went_down[0], c.stopped_down[0]] == [0, 21]
    assert [c.fall[..., 1].sum(), t.just_risen.sum()] == [6, 56]
    found = list_entries(t)
    assert [(e.state, month_text(e.month)) for e in found] == [
        ("Honduras", "1988-04"), ("Pakistan", "1997-06"), ("Yemen", "2002-11"), ("Pakistan", "2004-06"), ("Haiti", "2007-07"),
        ("Yemen", "2009-12"), ("Iraq", "2014-08"), ("Libya", "2016-08"), ("Nigeria", "2025-12"),
        ("Syria", "2025-12"),
        ("Ecuador", "2026-03"),
    ]  # fmt: skip
    assert sum(e.months == 1 for e in found) == 4
