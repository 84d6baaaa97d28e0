"""TOML is read one way: with the line of every key, bounded in depth and size, and without the characters that no text may hold."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import MAX_PROBLEMS
from forecast.storage.toml import MAX_TOML, key_lines, parse_toml, read_toml_file

ROOT = Path(__file__).parents[2]
BUNDLED = sorted([*ROOT.glob("data/**/*.toml"), *ROOT.glob("priors/**/*.toml")])

TEXT = '''a = 1
b.c = "x # no remark" # d = 2
[t."u.v"]
k = """
[no] = 'header'
"""
l = [
  { x = 1, y = [2,
   3] },
  { x = 2 },
]
[[s]]
z = 1
[[s]]
z = 2
[s.q]
w = { a = { b = 1 } }
'''


def paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path} | {deeper for key, each in inner for deeper in paths(each, (*path, key))}


def test_every_key_has_the_line_an_editor_shows() -> None:
    lines = key_lines(TEXT)
    assert {path for path in paths(tomllib.loads(TEXT)) if path} == set(lines)
    output = {("a",): 1, ("b", "c"): 2, ("t", "u.v", "k"): 4, ("t", "u.v", "l"): 7, ("t", "u.v", "l", 0, "y", 1): 9}
    output |= {("t", "u.v", "l", 1, "x"): 10, ("s", 0, "z"): 13, ("s", 1): 14, ("s", 1, "z"): 15, ("s", 1, "q", "w", "a", "b"): 17}
    assert {path: lines[path] for path in output} == output


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.name)
def test_every_key_of_the_bundled_files_has_its_line(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = key_lines(text)
    assert {p for p in paths(tomllib.loads(text)) if p} == set(lines)
    rows = text.split("\n")
    for keys, line in lines.items():
        assert isinstance(keys[-1], int) or str(keys[-1]) in rows[line - 1]


@given(st.text(st.sampled_from("a.=[]{}\"'\\,\n #1"), max_size=60))
def test_any_text_has_an_outline_and_is_read_or_refused(text: str) -> None:
    key_lines(text)
    document, problems = parse_toml(text, "x.toml")
    assert (document is None) == bool(problems)
    try:
        assert document is None or document.tables == tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert document is None


def test_what_a_key_of_a_key_says_is_found_on_the_line_around_it() -> None:
    document, _ = parse_toml("[t]\na = 1\n", "x.toml")
    assert document is not None
    assert (document.line(("t", "nothing")), document.line(("nothing",))) == (1, None)


@pytest.mark.parametrize(
    ("text", "row", "words"),
    [
        ("a = 1\nb = " + "[" * 1_000_000, 2, "nested too deep"),
        ("a = 1\nb = " + "{a=" * 1_000_000, 2, "nested too deep"),
        ("a" + ".a" * 1_000_000 + " = 1", 1, "nested too deep"),
        ("[a" + ".a" * 1_000_000 + "]", 1, "nested too deep"),
        pytest.param("\n".join(f"a{i} = 1" for i in range(250_000)), 100_001, "too many keys", marks=pytest.mark.slow),
        pytest.param("a = [" + "1," * 1_000_000 + "]", 1, "too many keys", marks=pytest.mark.slow),
        ("a = 0x" + "f" * 1_000_000, 1, "more than 18 digits"),
        ("a = " + "9" * 1_000_000, 1, "not TOML"),
        pytest.param('a = """' + '\\"""' * 500_000, 1, "not TOML", marks=pytest.mark.slow),
        pytest.param('a = "' + "\\n" * 1_000_000 + '"', 1, "1,000,000 characters", marks=pytest.mark.slow),
        pytest.param("\n" * 3_900_000 + "a", 3_900_001, "not TOML", marks=pytest.mark.slow),
    ],
    ids=range(11),
)
def test_what_is_made_to_hurt_is_refused_within_seconds(text: str, row: int, words: str) -> None:
    begun = time.process_time()
    document, problems = parse_toml(text, "x.toml")
    assert time.process_time() - begun < 10
    assert document is None
    assert [(p.file, p.row) for p in problems] == [("x.toml", row)]
    assert words in problems[0].found


def test_a_file_larger_than_any_that_a_person_writes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"#" * (MAX_TOML + 1))
    [problem] = read_toml_file(tmp_path / "x.toml", "x.toml")[1]
    assert problem.found == f"{MAX_TOML + 1:,} bytes"


def test_refused_characters_are_named_where_they_stand_however_they_are_written() -> None:
    text = 'a = "x"\n# \u202e\nb = "\x1b"\n'
    assert [(p.row, p.found) for p in parse_toml(text, "x.toml")[1]] == [
        (2, "the character U+202E at place 3 of the line"),
        (3, "the character U+001B at place 6 of the line"),
    ]
    text = 'a = "x"\n[t]\nb = ["y", "\\u001b"]\n"c\\u2028" = 1\n"d\\n" = 1\n'
    assert [(p.row, p.column, p.found) for p in parse_toml(text, "x.toml")[1]] == [
        (3, "t.b.1", "the character U+001B"),
        (4, "t", "the character U+2028 in a key"),
        (5, "t", "the character U+000A in a key"),
    ]


def test_many_problems_are_cut_and_said_to_be_cut() -> None:
    for text in ("\x1b\n" * 1000, "\n".join(f'a{i} = "\\u001b"' for i in range(1000))):
        problems = parse_toml(text, "x.toml")[1]
        assert len(problems) == MAX_PROBLEMS + 1
        assert problems[-1].found == f"more than {MAX_PROBLEMS} problems"
