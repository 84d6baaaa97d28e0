"""Reading the prior files of a workspace; all problems are reported at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from forecast.data.suggestions import nearest_words
from forecast.errors import InputError, Problem, limited
from forecast.priors.catalogue import CATALOGUE, RENAMED, check_spec, closest_name, name_remedy
from forecast.priors.distributions import Distribution, Fixed
from forecast.priors.parsing import parse_prior
from forecast.priors.specs import Constants, PriorSpec, SpecError
from forecast.storage.toml import TomlDocument, read_toml_file

KEYS = ("prior", "why", "source", "by", "date", "hindsight")
OPTIONAL = ("hindsight",)
UPGRADE = "If an earlier version made this workspace, `forecast init --upgrade DIR` upgrades it."


@dataclass(frozen=True, slots=True)
class Prior:
    """A named belief and its origin.

    spec       the belief
    rationale  the reason for it
    hindsight  what was already known when it was set, if that matters
    file       name of its file in priors/"""

    name: str
    spec: PriorSpec
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

    def spec(self, name: str) -> PriorSpec:
        return self.entries[name].spec

    def distribution(self, name: str) -> Distribution:
        """The belief about one number; TypeError for weights and tables."""
        spec = self.spec(name)
        if not isinstance(spec, Distribution):
            raise TypeError(f"{name} is not about one number: {spec}")
        return spec

    def median(self, name: str) -> float:
        """The median of a belief about one number; TypeError for weights and tables."""
        return self.distribution(name).interval()[1]

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

    def replace(self, edits: Mapping[str, PriorSpec]) -> Priors:
        """These priors with other specs. Raises InputError with every invalid edit."""
        problems = []
        for name, spec in edits.items():
            if name not in CATALOGUE:
                problems.append(Problem("edit", repr(name), "the name of a prior", name_remedy(name)))
                continue
            try:
                check_spec(CATALOGUE[name], spec)
            except SpecError as e:
                problems.append(Problem("edit", e.found, e.expected, e.remedy, column=name))
        if problems:
            raise InputError.of(problems)
        return Priors({name: _edited(prior, edits.get(name)) for name, prior in self.entries.items()})

    def digest(self) -> str:
        """SHA-256 of the names and specs; rationale, author and layout do not count."""
        text = "\n".join(f"{name} = {prior.spec}" for name, prior in sorted(self.entries.items()))
        return hashlib.sha256(text.encode()).hexdigest()


def load_priors(folder: Path) -> Priors:
    """Read every `*.toml` in `folder`. Raises InputError with all problems: unreadable files, unknown, missing or invalid priors."""
    problems: list[Problem] = []
    valid: dict[str, Prior] = {}
    unread: set[str] = set()
    for path in sorted(folder.glob("*.toml")):
        document, wrong = read_toml_file(path, path.name)
        problems += wrong
        if document is None:
            unread.add(path.name)
        else:
            problems += limited(_read_file(path.name, document, valid))
    problems += list(_missing(folder, valid, problems, unread))
    if problems:
        raise InputError.of(problems)
    return Priors(valid)


def _missing(folder: Path, valid: Mapping[str, Prior], problems: Iterable[Problem], unread: set[str]) -> Iterator[Problem]:
    """Missing files and priors, except those that have another problem already."""
    mentioned = {RENAMED.get(problem.column or "", problem.column) for problem in problems}
    here = {path.name for path in folder.glob("*.toml")}
    for name, entry in CATALOGUE.items():
        file = f"{entry.file}.toml"
        if file not in here | unread:
            unread.add(file)
            yield Problem(file, "no such file", f"it in {folder}", "Restore it; `forecast init DIR` makes a folder with all of them.")
        if name not in valid and name not in mentioned and file not in unread:
            yield Problem(file, f"no {name}", f'a table ["{name}"]', f"Add it: {entry.what}", column=name)


def _read_file(file: str, document: TomlDocument, valid: dict[str, Prior]) -> Iterator[Problem]:
    """The problems of a file; its valid priors are added to `found`."""
    for name, table in document.tables.items():
        problems: list[Problem] = []
        prior = _read_prior(file, name, table, document, problems)
        yield from problems
        if prior and name in valid:
            yield Problem(file, f"a second {name}", f"one entry; {valid[name].file} has it too", "Take one out.")
        elif prior:
            valid[name] = prior


def _read_prior(file: str, name: str, table: Any, document: TomlDocument, problems: list[Problem]) -> Prior | None:
    def refuse(found: str, expected: str, remedy: str, key: str = "") -> None:
        problems.append(Problem(file, found, expected, remedy, document.line((name, key)), name))

    if name not in CATALOGUE:
        inner = [f"{name}.{key}" for key, value in table.items() if isinstance(value, dict)] if isinstance(table, dict) else []
        hint = f'Put the whole name in quotes: ["{closest_name(inner[0])}"].' if inner else _name_in_file(name)
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
    if spec is None or problems:
        return None
    rationale, source, author, hindsight = (" ".join(table.get(key, "").split()) for key in ("why", "source", "by", "hindsight"))
    return Prior(name, spec, rationale, source, author, table["date"], hindsight, file)


def _check_key(key: str, table: Mapping[str, Any], refuse: Any) -> None:
    value = table.get(key)
    if value is None:
        if key not in OPTIONAL:
            refuse(f"no {key}", f"a {key}", "Every prior needs its value, reason, source, author and date.")
    elif key == "date":
        if not isinstance(value, date) or isinstance(value, datetime):
            refuse(f"date = {value!r}", "a day such as 2026-11-24, without quotes", "Write it so.", key)
    elif not isinstance(value, str) or not value.strip():
        refuse(f"{key} = {value!r}", "a text", "Put it in quotes.", key)


def _name_in_file(name: str) -> str:
    """What to write instead of an unknown name in a prior file. An old name there means a workspace of an earlier version."""
    return f"{name_remedy(name)} {UPGRADE}" if name in RENAMED else name_remedy(name)


def _nearest_key(key: str) -> str:
    return nearest_words(key, KEYS, 1, 0.0)[0]


def _edited(prior: Prior, spec: PriorSpec | None) -> Prior:
    if spec is None or spec == prior.spec:
        return prior
    return Prior(prior.name, spec, "", "an edit that is in no file", "", prior.date, "", "")
