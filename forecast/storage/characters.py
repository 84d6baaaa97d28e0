"""Characters that no text of a person holds: they end a chart library, steer a terminal, or hide what a line says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

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


def refused_character(text: str, line: bool = False) -> str | None:
    """The first character of a text that is refused, None if all may stand.

    line: also refuse tab, line feed and carriage return, in a name or a title.
    """
    if hit := _REFUSED.search(text):
        return hit[0]
    return next((c for c in text if c in _BLANKS), None) if line else None


def character_name(character: str) -> str:
    """A character as it can be printed: U+001B."""
    return f"U+{ord(character):04X}"


_ESCAPED: Final = re.compile(r"\\[ubf]")
"""How JSON writes most of the controls."""


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


def visible(text: str) -> str:
    """A text that steers no terminal: refused characters become escapes such as \\x1b, all else stays as it is."""
    return _REFUSED.sub(lambda hit: hit[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def json_escaped(document: str) -> str:
    """JSON with its refused characters, which stand in strings only, as escapes (\\u001b): it says the same, and steers no terminal."""
    return _REFUSED.sub(lambda hit: "".join(f"\\u{unit:04x}" for unit in _utf16(hit[0])), document)


def _utf16(character: str) -> list[int]:
    raw = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2)]
