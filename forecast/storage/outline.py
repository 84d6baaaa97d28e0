"""Where the keys of a TOML text stand. One pass from left to right, before the text is parsed, that also bounds how deep it is nested."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

type Path = tuple[str | int, ...]
type Lines = Mapping[Path, int]

MAX_DEPTH: Final = 20
"""Names and brackets inside one another; the deepest file here has five."""

MAX_KEYS: Final = 100_000
"""Keys and elements of lists; an edit in the history of the priors has about 25."""

_TOKEN: Final = re.compile(
    r'''
    (?P<blank>[ \t]+|\#[^\n]*)
    |(?P<break>\n+)
    |(?P<string>"""(?:[^"\\]++|\\.|"(?!""))*+(?:"{3,5}|\Z)|\'\'\'(?:[^']++|'(?!''))*+(?:'{3,5}|\Z)|"(?:[^"\\\n]++|\\.)*+"?|'[^'\n]*+'?)
    |(?P<mark>[\[\]{}=,.])
    |(?P<bare>[^\s\[\]{}=,."'#]+)
    |(?P<other>.)
    ''',
    re.VERBOSE | re.DOTALL,
)


class OutlineError(Exception):
    """A text nested deeper than MAX_DEPTH or with more keys than MAX_KEYS: what was found and expected, and on which line."""

    def __init__(self, found: str, expected: str, line: int) -> None:
        super().__init__(f"line {line}: {found}")
        self.found, self.expected, self.line = found, expected, line


def outline(text: str) -> Lines:
    """The line, from 1, of every key, table and element of a list in a TOML text; of a text that is none, of as many as can be told.

    Raises OutlineError, before anything that recurses has seen the text.
    """
    reader = _Outline()
    for token in _TOKEN.finditer(text):
        reader.take(token.lastgroup or "", token[0])
    return reader.lines


def _quoted(token: str) -> str:
    """The name between quotes; as it is written, if it is none."""
    if "\\" not in token:
        return token[1:-1]
    try:
        return str(tomllib.loads(f"name = {token}")["name"])
    except tomllib.TOMLDecodeError:
        return token[1:-1]


@dataclass(slots=True)
class _Open:
    """A bracket of a value that is open, the path of what it holds, and the number of the element that a list is at."""

    bracket: str
    path: Path
    at: int = 0


class _Outline:
    """What is known between two tokens."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.line = 1
        self.table: Path = ()
        self.key: Path = ()
        self.last: dict[Path, int] = {}  # the number of the last element of each list of tables
        self.open: list[_Open] = []
        self.names: list[str] = []  # read since the key or the header began
        self.in_key = True
        self.header = 0  # brackets of a header that are open
        self.of_list = False  # it is [[name]]

    def take(self, kind: str, token: str) -> None:
        if kind == "break":
            self.line += len(token)
            if not self.open:
                self._begin_key()
        elif kind == "mark":
            self._mark(token)
        elif kind in ("string", "bare"):
            if self.in_key:
                self.names.append(token if kind == "bare" else _quoted(token))
            else:
                self._value()
        if len(self.names) + len(self.open) > MAX_DEPTH:
            raise OutlineError("names or brackets nested too deep", f"at most {MAX_DEPTH} inside one another", self.line)
        if len(self.lines) > MAX_KEYS:
            raise OutlineError("too many keys", f"at most {MAX_KEYS:,} keys and elements of lists", self.line)
        if kind == "string":
            self.line += token.count("\n")

    def _begin_key(self) -> None:
        self.names, self.in_key, self.header = [], True, 0

    def _mark(self, mark: str) -> None:
        if self.in_key and not self.open and mark in "[]":
            self._header(mark)
        elif self.in_key and mark == "=":
            around = self.open[-1].path if self.open else self.table
            for i in range(len(self.names)):  # the key a.b is a table a with a key b
                self.key = (*around, *self.names[: i + 1])
                self.lines.setdefault(self.key, self.line)
            self.names, self.in_key = [], False
        elif mark in "[{":
            self.open.append(_Open(mark, self._value()))
            self.names, self.in_key = [], mark == "{"
        elif mark in "]}" and self.open:
            self.open.pop()
            self.names, self.in_key = [], False
        elif mark == "," and self.open:
            self.open[-1].at += 1
            self.names, self.in_key = [], self.open[-1].bracket == "{"

    def _value(self) -> Path:
        """The path of the value that begins here: an element of a list, or what a key has."""
        if not (self.open and self.open[-1].bracket == "["):
            return self.key
        path = (*self.open[-1].path, self.open[-1].at)
        self.lines.setdefault(path, self.line)
        return path

    def _header(self, mark: str) -> None:
        if mark == "[":
            self.header += 1
            self.of_list = self.header == 2
        elif self.names:
            self._enter_table(self.names)
            self.names = []

    def _enter_table(self, names: list[str]) -> None:
        path: Path = ()
        for name in names:
            path = (*path, self.last[path], name) if path in self.last else (*path, name)
            self.lines.setdefault(path, self.line)
        if self.of_list:
            self.last[path] = self.last.get(path, -1) + 1
        if path in self.last:
            path = (*path, self.last[path])
            self.lines.setdefault(path, self.line)
        self.table = path
