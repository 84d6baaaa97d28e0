"""Of a poll's missing side only what the row leaves open may be assumed; one poll under two ids, and fractions for per cents, are odd."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from forecast.data.checks.registry import find_oddities
from forecast.data.coding_rules import opposed_share
from forecast.data.read import read_all
from forecast.data.records import Poll
from forecast.data.settings import ExpectedOddity
from forecast.data.tables import RecordTable
from forecast.data.toml_file import Settings
from forecast.domain import month
from forecast.errors import Problem
from forecast.jobs.data.row_effects import poll_effects
from forecast.model.poll_shares import poll_shares
from tests.support.data_editing import BUNDLED

ORIGIN = month("2026-06")
PERCENT = st.floats(0, 100)


@pytest.fixture(scope="module")
def read() -> tuple[dict[str, RecordTable[Any]], Settings]:
    tables, settings, _ = read_all(BUNDLED)
    assert settings is not None
    return dict(tables), settings


def poll(**cells: Any) -> Poll:
    row = {
        "poll_id": "testhouse-2026-05:troops",
        "topic": "troops_of_a_test",
        "wording": "force_unqualified",
        "pollster": "Test House",
        "field_start": "2026-05-10",
        "field_end": "2026-05-12",
        "published": "2026-05-20",
        "published_basis": "source",
        "n": 1000,
        "opposed_pct": "",
        "in_favour_pct": "",
        "other_pct": "",
        "use": "yes",
        "why_not": "",
        "source": "invented",
        "url": "",
        "confidence": "high",
        "question": "May they come?",
    }
    return Poll.model_validate({**row, **cells})


def odd(read: tuple[dict[str, RecordTable[Any]], Settings], *polls: Poll, settings: Settings | None = None) -> list[Problem]:
    tables, usual = read
    edited = {**tables, "polls": RecordTable((*tables["polls"].rows, *polls))}
    return [p for p in find_oddities(edited, settings or usual) if "testhouse" in p.found]


@pytest.mark.parametrize(
    ("opposed", "in_favour", "other", "share"),
    [
        (60, None, 35, 60 / 65),
        (None, 60, 35, 5 / 65),
        (60, None, None, 60 / 94),
        (94, None, None, 1.0),
        (96, None, None, 1.0),
        (None, 96, None, 0.0),
        (60, None, 40, 1.0),
        (60, None, 40.5, 1.0),  # rounded shares
        (60, None, 0, 0.6),
        (60, 30, 10, 60 / 90),
        (None, None, 10, None),
        (0, None, 100, None),
    ],
)
def test_the_missing_side_is_what_the_row_leaves_open(
    opposed: float | None, in_favour: float | None, other: float | None, share: float | None
) -> None:
    assert opposed_share(opposed, in_favour, other) == (None if share is None else pytest.approx(share))


@given(PERCENT, PERCENT, st.booleans())
def test_no_row_is_overruled(side: float, other: float, known: bool) -> None:
    """Both sides and what is left sum to 100, and nothing that the row states is changed."""
    other = min(other, 100 - side)
    share = opposed_share(side, None, other if known else None)
    mirrored = opposed_share(None, side, other if known else None)
    if share is None or mirrored is None:
        assert side == 0
        return
    assert 0 <= share <= 1
    assert share + mirrored == pytest.approx(1)
    if share > 0:
        decided = side / share
        assert side - 1e-9 <= decided <= 100 + 1e-9
        assert not known or decided == pytest.approx(max(100 - other, side))


def test_the_model_and_what_is_said_of_a_poll_agree(read: tuple[dict[str, RecordTable[Any]], Settings]) -> None:
    (used,) = poll_shares([poll(opposed_pct=60, other_pct=35)], ORIGIN)
    assert used.share == pytest.approx(60 / 65)
    assert not used.side_assumed
    (used,) = poll_shares([poll(opposed_pct=97)], ORIGIN)
    assert used.side_assumed
    from forecast.data.read import read_data

    data = read_data(BUNDLED)
    assert "One side only: 3 % are assumed to have none." in poll_effects(data, poll(opposed_pct=97)).explanation
    assert "One side only: 6 % are assumed to have none." in poll_effects(data, poll(in_favour_pct=55)).explanation


@limits(max_examples=20)
@given(st.floats(0.01, 1), st.floats(0.01, 1), st.sampled_from(["both", "opposed", "in_favour"]))
def test_fractions_are_odd(read: tuple[dict[str, RecordTable[Any]], Settings], a: float, b: float, sides: str) -> None:
    cells = {"opposed_pct": a if sides != "in_favour" else "", "in_favour_pct": b if sides != "opposed" else ""}
    found = odd(read, poll(**cells))
    assert any("shares in per cent" in p.expected for p in found)


@pytest.mark.parametrize("cells", [{"opposed_pct": 60, "in_favour_pct": 30}, {"opposed_pct": 60}, {"opposed_pct": 97, "in_favour_pct": 1}])
def test_per_cents_are_not(read: tuple[dict[str, RecordTable[Any]], Settings], cells: dict[str, int]) -> None:
    assert odd(read, poll(**cells)) == []


@pytest.mark.parametrize(
    "differs", [{}, {"wording": "force_unilateral"}, {"topic": "another"}, {"question": "Another?"}, {"use": "no", "why_not": "x"}]
)
def test_one_poll_under_two_ids_is_odd(read: tuple[dict[str, RecordTable[Any]], Settings], differs: dict[str, str]) -> None:
    one = poll(opposed_pct=60, in_favour_pct=30)
    again = poll(opposed_pct=60, in_favour_pct=30, poll_id="testhouse-2026-05:again", pollster="test house", **differs)
    (found,) = odd(read, one, again)
    assert found.severity == "warning"
    assert "testhouse-2026-05:again, the same poll as testhouse-2026-05:troops" in found.found
    settings = read[1]
    entry = ExpectedOddity.model_validate({"kind": "duplicate", "what": f"{one.poll_id} and {again.poll_id}", "why": "two samples"})
    known = settings.sources["polls"]
    declared = known.model_copy(update={"expected": (*known.expected, entry)})
    told = Settings(settings.coverage, settings.scales, {**settings.sources, "polls": declared}, settings.questions)
    assert odd(read, one, again, settings=told) == []


@pytest.mark.parametrize("differs", [{"field_end": "2026-05-13"}, {"opposed_pct": 61}, {"pollster": "Another"}])
def test_two_polls_are_two(read: tuple[dict[str, RecordTable[Any]], Settings], differs: dict[str, Any]) -> None:
    one = poll(opposed_pct=60, in_favour_pct=30)
    assert odd(read, one, poll(**{"opposed_pct": 60, "in_favour_pct": 30, "poll_id": "testhouse-2026-05:b", **differs})) == []
