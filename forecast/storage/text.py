"""Bytes to text, in one way for every file and pipe, and the characters that no text of a person may hold.

Refused are characters that damage a chart, steer a terminal or hide what a line says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from forecast.errors import InputError, Problem, UsageError
from forecast.storage.files import MAX_BYTES, UnreadableError, read_bounded

_REFUSED: Final = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f"  # C0 controls, but for tab, line feed and carriage return
    "\x80-\x9f"  # C1 controls
    "\u2028\u2029"  # line ends that only some programs see
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of writing
    "\ud800-\udfff"  # halves of a pair: no text in UTF-8 has them
    "\ufdd0-\ufdef" + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17)) + "]"
)
_BLANKS: Final = "\t\n\r"

LONGEST: Final = 20_000
"""Characters of one cell or one string; the longest that a person writes is far shorter."""

DELETE_CHARACTER: Final = "Delete it: it is invisible, and steers a screen or hides what the line says."

_MARK: Final = b"\xef\xbb\xbf"
_BREAK: Final = re.compile(r"\r\n|\r|\n")
_LONE_RETURN: Final = re.compile(r"\r(?!\n)")
_UTF_8: Final = "Save the file again as UTF-8 ('CSV UTF-8' in a spreadsheet)."
_ESCAPED: Final = re.compile(r"\\[ubf]")
"""How JSON writes most of the controls."""


def read_text(path: Path, name: str, limit: int = MAX_BYTES) -> tuple[str, list[Problem]]:
    """The text of a file, or an empty one and what is wrong with it; `name` is what problems call the file.

    A byte-order mark is left out, and a lone carriage return ends a line as a line feed does.
    """
    try:
        return decode_text(read_bounded(path, limit), name, limit)
    except UnreadableError as e:
        return "", [Problem(name, e.found, e.expected, e.remedy)]


def read_input_text(source: Path | bytes, name: str) -> str:
    """The text of a file that a command was given, or of bytes from its standard input.

    Raises UsageError if there is no such file, InputError with what is wrong with it.
    """
    if isinstance(source, Path) and not source.exists(follow_symlinks=False):
        raise UsageError(f"There is no file {source}.", "Give the path of a file, or - for standard input.")
    text, problems = decode_text(source, name) if isinstance(source, bytes) else read_text(source, name)
    if problems:
        raise InputError.of(problems)
    return text


def decode_text(raw: bytes, name: str, limit: int = MAX_BYTES) -> tuple[str, list[Problem]]:
    """The text of bytes that have been read already, at most one more than `limit`, so that too many are noticed."""

    def refuse(found: str, expected: str, remedy: str, at: int | None = None) -> tuple[str, list[Problem]]:
        return "", [Problem(name, found, expected, remedy, None if at is None else _line(raw[:at]))]

    if len(raw) > limit:
        return refuse(f"more than {limit:,} bytes", f"at most {limit:,} bytes", "Leave out what is not needed, or name the right file.")
    if not raw.removeprefix(_MARK).strip():
        return refuse("an empty file", "text", "Restore the file from a copy or from version control.")
    if wide := _wide(raw):
        return refuse(f"text in {wide}", "text in UTF-8", _UTF_8, 0)
    if (at := raw.find(b"\0")) >= 0:
        return refuse("a NUL byte", "text", "The file is damaged or not text: restore it, or delete the byte.", at)
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as e:
        return refuse(f"the byte 0x{raw[e.start]:02x}", "text in UTF-8", f"{_UTF_8} It looks like Latin-1.", e.start)
    return _LONE_RETURN.sub("\n", text), []


def refused_lines(text: str, name: str) -> Iterator[Problem]:
    """A problem for each line with a refused character."""
    if refused_character(text) is None:
        return
    for number, line in enumerate(_BREAK.split(text), 1):
        if character := refused_character(line):
            found = f"the character {character_name(character)} at place {line.index(character) + 1} of the line"
            yield Problem(name, found, "plain text", DELETE_CHARACTER, number)


def text_problem(text: str, line: bool = False) -> tuple[str, str, str] | None:
    """What is wrong with one cell, string or argument: found, expected and remedy; None if nothing is.

    line: a name or a title, which has no tab and no line break either.
    """
    if len(text) > LONGEST:
        return f"{len(text):,} characters", f"at most {LONGEST:,}", "Shorten it."
    character = refused_character(text, line)
    if character is None:
        return None
    if character in "\t\n\r":
        return f"the character {character_name(character)}", "text on one line", "Write it without line breaks and tabs."
    if "\ud800" <= character <= "\udfff":
        return "bytes that are not UTF-8", "text in UTF-8", "Write it again in UTF-8."
    return f"the character {character_name(character)}", "plain text", DELETE_CHARACTER


def _wide(raw: bytes) -> str:
    """The encoding with two or four bytes a character that bytes are in; empty if they are in none."""
    if raw[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "UTF-32"
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16"
    start = raw[:1000]
    zeros = [start[i::2].count(0) for i in (0, 1)]  # text in Latin letters has a NUL in every second byte
    return "UTF-16" if len(start) > 3 and min(zeros) == 0 and max(zeros) > len(start) // 3 else ""


def _line(before: bytes) -> int:
    """The line, counted from 1 as an editor does, on which the byte after these stands."""
    return before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n") + 1


def refused_character(text: str, line: bool = False) -> str | None:
    """The first character of a text that is refused, None if all may stand.

    line: also refuse tab, line feed and carriage return, in a name or a title.
    """
    if text.isprintable():  # nothing that is refused is; seen far sooner than by searching
        return None
    if hit := _REFUSED.search(text):
        return hit[0]
    return next((c for c in text if c in _BLANKS), None) if line else None


def refused_texts(document: Any, written: str | None = None) -> Iterator[str]:
    """Places of texts with refused characters in a document of JSON, which is `written` so."""
    whole = json.dumps(document, ensure_ascii=False) if written is None else written
    if refused_character(whole) or _ESCAPED.search(whole):  # as a rule neither, which is seen far sooner than by walking
        yield from _refused_below(document, "")


def _refused_below(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, str):
        if (character := refused_character(value)) is not None:
            yield f"{place or 'top level'}: it holds the character {character_name(character)}"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _refused_below(str(key), f"{place}/…")
            yield from _refused_below(inner, f"{place}/{key}" if place else str(key))
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            if not isinstance(inner, float):
                yield from _refused_below(inner, f"{place}/{i}")


def character_name(character: str) -> str:
    """A character as it can be printed: U+001B."""
    return f"U+{ord(character):04X}"


def visible(text: str, *, line: bool = False) -> str:
    """A text that cannot steer a terminal: refused characters become escapes such as \\x1b, all others stay.

    line: tab, line feed and carriage return become escapes too, so that the text fits in one line or cell.
    """
    shown = _REFUSED.sub(lambda hit: _escaped(hit[0]), text)
    return re.sub(f"[{_BLANKS}]", lambda hit: _escaped(hit[0]), shown) if line else shown


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def json_escaped(document: str) -> str:
    """The same for JSON: refused characters, which stand in strings only, become JSON escapes (\\u001b), so that its meaning stays."""
    return _REFUSED.sub(lambda hit: "".join(f"\\u{unit:04x}" for unit in _utf16_units(hit[0])), document)


def _utf16_units(character: str) -> list[int]:
    raw = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2)]
