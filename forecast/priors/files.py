"""The prior files of a workspace, read whole or refused with all that is wrong in them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from forecast.errors import InputError, Problem
from forecast.priors.catalogue import CATALOGUE, check_suits, nearest, parse_prior
from forecast.priors.parts import Constants
from forecast.priors.spec import Distribution, Fixed, Spec
from forecast.priors.text import SpecError

KEYS = ("prior", "why", "source", "by", "date", "hindsight")
OPTIONAL = ("hindsight",)


@dataclass(frozen=True, slots=True)
class Prior:
    """A named belief and where it comes from; `hindsight` says what was already known when it was set, if that matters."""

    name: str
    spec: Spec
    rationale: str
    source: str
    author: str
    date: date
    hindsight: str
    file: str


@dataclass(frozen=True, slots=True)
class Priors(Mapping[str, Prior]):
    """All named priors, in the order of the catalogue."""

    entries: Mapping[str, Prior]

    def __post_init__(self) -> None:
        in_order = {name: self.entries[name] for name in CATALOGUE}
        object.__setattr__(self, "entries", MappingProxyType(in_order))

    def __getitem__(self, name: str) -> Prior:
        return self.entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __reduce__(self) -> tuple[type[Priors], tuple[dict[str, Prior]]]:
        return Priors, (dict(self.entries),)  # a mapping proxy cannot be pickled

    def spec(self, name: str) -> Spec:
        return self.entries[name].spec

    def distribution(self, name: str) -> Distribution:
        """The belief about one number; TypeError for weights and tables."""
        spec = self.spec(name)
        if not isinstance(spec, Distribution):
            raise TypeError(f"{name} is not about one number: {spec}")
        return spec

    def value(self, name: str) -> float:
        """A setting; TypeError for what is not fixed."""
        spec = self.spec(name)
        if not isinstance(spec, Fixed):
            raise TypeError(f"{name} is not a setting: {spec}")
        return spec.value

    def parts(self, name: str) -> Mapping[str, float]:
        """Weights or a table by part; TypeError for what is about one number."""
        spec = self.spec(name)
        if not isinstance(spec, Constants):
            raise TypeError(f"{name} has no parts: {spec}")
        return spec.values

    def replace(self, edits: Mapping[str, Spec]) -> Priors:
        """These priors with other specs. Raises InputError with every edit that cannot be."""
        problems = []
        for name, spec in edits.items():
            if name not in CATALOGUE:
                problems.append(Problem("edit", repr(name), "the name of a prior", f"Did you mean {nearest(name)}?"))
                continue
            try:
                check_suits(CATALOGUE[name], spec)
            except SpecError as e:
                problems.append(Problem("edit", e.found, e.expected, e.remedy, column=name))
        if problems:
            raise InputError.of(problems)
        return Priors({name: _edited(prior, edits.get(name)) for name, prior in self.entries.items()})

    def digest(self) -> str:
        """SHA-256 of what the priors say; rationale, author and layout do not count."""
        text = "\n".join(f"{name} = {prior.spec}" for name, prior in sorted(self.entries.items()))
        return hashlib.sha256(text.encode()).hexdigest()


def load_priors(folder: Path) -> Priors:
    """Read every `*.toml` in `folder`. Raises InputError with all that is wrong: files unreadable, priors unknown, missing, impossible."""
    problems: list[Problem] = []
    found: dict[str, Prior] = {}
    for path in sorted(folder.glob("*.toml")):
        for prior in _read_file(path, problems):
            if prior.name in found:
                other = f"one entry; {found[prior.name].file} has it too"
                problems.append(Problem(path.name, f"a second {prior.name}", other, "Take one out."))
            found.setdefault(prior.name, prior)
    problems += list(_missing(folder, found, tuple(problems)))
    if problems:
        raise InputError.of(problems)
    return Priors(found)


def _missing(folder: Path, found: Mapping[str, Prior], problems: Iterable[Problem]) -> Iterator[Problem]:
    """Files and priors that are not there, but for those of which something else was already said."""
    mentioned = {problem.column for problem in problems}
    unread = {problem.file for problem in problems if problem.found.startswith(UNREADABLE)}
    here = {path.name for path in folder.glob("*.toml")}
    for name, entry in CATALOGUE.items():
        file = f"{entry.file}.toml"
        if file not in here | unread:
            unread.add(file)
            yield Problem(file, "no such file", f"it in {folder}", "Restore it; `forecast init DIR` makes a folder with all of them.")
        if name not in found and name not in mentioned and file not in unread:
            yield Problem(file, f"no {name}", f'a table ["{name}"]', f"Add it: {entry.what}", column=name)


UNREADABLE = "text that is not TOML"


def _read_file(path: Path, problems: list[Problem]) -> Iterator[Prior]:
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except UnicodeDecodeError as e:
        problems.append(Problem(path.name, f"{UNREADABLE}: byte {e.start} is not UTF-8", "UTF-8 text", "Save the file as UTF-8."))
        return
    except OSError as e:
        problems.append(Problem(path.name, f"{UNREADABLE}: {e.strerror}", "a file that can be read", "Check the file and its permissions."))
        return
    except (ValueError, RecursionError) as e:  # of them TOMLDecodeError; the others are numbers and nesting beyond all measure
        line = re.search(r"at line (\d+)", str(e))
        row = int(line[1]) if line else text.count("\n") + 1
        problems.append(Problem(path.name, f"{UNREADABLE}: {e}", "TOML", "Mend the line, or the one before it.", row))
        return
    lines = _lines(text)
    for name, table in tables.items():
        prior = _read_prior(path.name, name, table, lines, problems)
        if prior:
            yield prior


def _read_prior(file: str, name: str, table: Any, lines: Mapping[str, int], problems: list[Problem]) -> Prior | None:
    before = len(problems)

    def refuse(found: str, expected: str, remedy: str, key: str = "") -> None:
        row = lines.get(f"{name}\n{key}", lines.get(f"{name}\n"))
        problems.append(Problem(file, found, expected, remedy, row, name))

    if name not in CATALOGUE:
        inner = [f"{name}.{key}" for key, value in table.items() if isinstance(value, dict)] if isinstance(table, dict) else []
        hint = f'Put the whole name in quotes: ["{nearest(inner[0])}"].' if inner else f"Did you mean {nearest(name)}?"
        refuse(repr(name), "the name of a prior", hint)
        return None
    if not isinstance(table, dict):
        refuse(f"{name} = {table!r}", f'a table ["{name}"] with {", ".join(KEYS)}', "Write it so.")
        return None
    if CATALOGUE[name].file != file.removesuffix(".toml"):
        refuse(f"{name} in {file}", f"it in {CATALOGUE[name].file}.toml", "Move it there.")
    for key in table.keys() - KEYS:
        refuse(f"the key {key!r}", f"one of {', '.join(KEYS)}", f"Did you mean {_nearest_key(key)}?", key)
    for key in KEYS:
        _check_key(key, table, refuse)
    spec = None
    if isinstance(table.get("prior"), str):
        try:
            spec = parse_prior(name, table["prior"])
        except SpecError as e:
            refuse(e.found, e.expected, e.remedy, "prior")
    if spec is None or len(problems) > before:
        return None
    rationale, source, author, hindsight = (" ".join(table.get(key, "").split()) for key in ("why", "source", "by", "hindsight"))
    return Prior(name, spec, rationale, source, author, table["date"], hindsight, file)


def _check_key(key: str, table: Mapping[str, Any], refuse: Any) -> None:
    value = table.get(key)
    if value is None:
        if key not in OPTIONAL:
            refuse(f"no {key}", f"a {key}", "Every prior says what it is, why, from what source, by whom and when.")
    elif key == "date":
        if not isinstance(value, date) or isinstance(value, datetime):
            refuse(f"date = {value!r}", "a day such as 2026-11-24, without quotes", "Write it so.", key)
    elif not isinstance(value, str) or not value.strip():
        refuse(f"{key} = {value!r}", "a text", "Put it in quotes.", key)


def _nearest_key(key: str) -> str:
    from difflib import get_close_matches

    return get_close_matches(key, KEYS, 1, 0.0)[0]


def _edited(prior: Prior, spec: Spec | None) -> Prior:
    if spec is None or spec == prior.spec:
        return prior
    return Prior(prior.name, spec, "", "an edit that stands in no file", "", prior.date, "", "")


_HEADER = re.compile(r"""\s*\[\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*\]""")
_KEY = re.compile(r"""\s*["']?([\w.-]+)["']?\s*=""")


def _lines(text: str) -> dict[str, int]:
    """Line numbers of tables ("name\\n") and of their keys ("name\\nkey"), as an editor shows them."""
    found: dict[str, int] = {}
    name = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            name = next(part for part in header.groups() if part is not None)
            name = name.split(".")[0] if header[3] else name
            found.setdefault(f"{name}\n", number)
        elif key := _KEY.match(line):
            found.setdefault(f"{name}\n{key[1]}" if name else f"{key[1]}\n", number)
    return found
