"""The one table printer, and lines that fit."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.cli._text import _fitted, counted, table, wrap

LONG = "[bold]" + "long " * 40
ROWS = [{"id": "A1", "n": 3, "text": LONG + "\n"}, {"id": "A22", "n": 14, "text": "short"}]


def test_a_terminal_gets_a_table_of_its_own_width() -> None:
    lines = _fitted(("id", "n", "text"), ROWS, 80, fold=False)
    assert len(lines) == 3
    assert max(map(len, lines)) == 80
    assert lines[1].startswith("A1    3  [bold]long long")
    assert lines[1].endswith("…")
    assert lines[2] == "A22  14  short"
    folded = _fitted(("id", "n", "text"), ROWS, 80, fold=True)
    assert (" ".join(folded).count("long"), " ".join(folded).count("…")) == (40, 0)
    assert max(map(len, folded)) <= 80


def test_columns_without_room_are_left_out_but_never_the_last() -> None:
    rows = [{name: f"{name} of a row" for name in ("first", "second", "third", "last")}]
    assert _fitted(("first", "second", "third", "last"), rows, 61, fold=False)[0].split() == ["first", "second", "last"]
    assert _fitted(("first", "second", "third", "last"), rows, 20, fold=False)[0].split() == ["last"]


def test_nothing_is_cut_where_there_is_no_terminal() -> None:
    heading, row = table(("a", "number", "text"), [("x", "1", LONG)], right=[1])
    assert heading == "a  number  text"
    assert row == f"x       1  {LONG}".rstrip()


def test_words_break_at_spaces_only_and_a_number_keeps_its_sign() -> None:
    assert wrap("a well-known just-risen level", 12) == ["a well-known", "just-risen", "level"]
    assert wrap("about 12 % of them", 8) == ["about", "12 % of", "them"]


@settings(max_examples=30)
@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"])), st.integers(10, 60))
def test_wrapping_loses_no_letter(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(len(line) <= width for line in lines)


def test_nouns_agree_with_their_number() -> None:
    assert (counted(1, "run"), counted(0, "run"), counted(2, "entry", "entries")) == ("1 run", "0 runs", "2 entries")
