"""One bounded reader: what is no regular file of a sensible size is refused in words, at once."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from forecast.storage.files import MissingError, UnreadableError, read_bounded
from forecast.storage.text import character_name, refused_character, visible


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 30)


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "fifo": (_fifo, "a named pipe"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "a device"),
    "folder": (Path.mkdir, "a folder"),
    "large": (_sparse, "1,073,741,824 bytes"),
    "loop": (lambda path: path.symlink_to(path.name), "symbolic links"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_regular_file_is_refused_in_words(tmp_path: Path, kind: str) -> None:
    make, words = WRONG[kind]
    make(tmp_path / "it")
    with pytest.raises(UnreadableError) as refused:
        read_bounded(tmp_path / "it")
    assert words in refused.value.found
    assert refused.value.remedy.endswith(".")


@pytest.mark.parametrize("name", ["none", "none/below", "file/below"])
def test_what_is_not_there_is_said_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(MissingError):
        read_bounded(tmp_path / name)


def test_the_bound_is_inclusive_and_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("it")
    assert read_bounded(tmp_path / "link", 5) == b"12345"
    with pytest.raises(UnreadableError, match="5 bytes"):
        read_bounded(tmp_path / "it", 4)


def test_refused_are_controls_surrogates_directions_and_noncharacters_and_nothing_else() -> None:
    directions = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    marks = {0x061C, 0x200E, 0x200F, 0x2028, 0x2029}

    def expected(c: str) -> bool:
        number = ord(c)
        return (
            (unicodedata.category(c) == "Cc" and c not in "\t\n\r")
            or unicodedata.category(c) == "Cs"
            or unicodedata.bidirectional(c) in directions
            or number in marks
            or 0xFDD0 <= number <= 0xFDEF
            or number & 0xFFFE == 0xFFFE
        )

    everything = list(map(chr, range(0x110000)))
    refused = set(filter(expected, everything))
    allowed = "".join(c for c in everything if c not in refused)
    assert refused_character(allowed) is None
    assert refused_character(allowed.translate(dict.fromkeys(map(ord, "\t\n\r"))), line=True) is None
    for c in refused:
        assert refused_character(c) == refused_character(c, line=True) == c, character_name(c)
    assert [refused_character(c, line=True) for c in "\t\n\r"] == list("\t\n\r")


def test_what_is_printed_steers_no_terminal() -> None:
    assert visible("é\x1b[31m\ud800\u202e\n") == "é\\x1b[31m\\ud800\\u202e\n"
