"""Changing a prior file in place: comments and layout stay, and a reader sees the old file or the new one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecast.errors import InputError, Problem
from forecast.priors.catalogue import CATALOGUE, check_spec, right_name
from forecast.priors.specs import PriorSpec, SpecError
from forecast.storage.text import read_text
from forecast.storage.toml import parse_toml


def edit_prior_text(path: Path, specs: Mapping[str, PriorSpec], said: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of the file `path` with the priors named set to these specs.

    said: by prior the keys that change with it (why, source, by, date); others, such as a hindsight note, stay. Raises InputError, with
    all problems, for names or specs that cannot be, a prior that the file lacks, or a file that is not TOML.
    """
    import tomlkit

    text, problems = read_text(path, path.name)
    problems = problems or parse_toml(text, path.name)[1]
    if problems:
        raise InputError.of(problems)
    document = tomlkit.parse(text)
    problems = []
    for name, spec in specs.items():
        try:
            if name not in CATALOGUE:
                raise SpecError(repr(name), "the name of a prior", right_name(name))
            check_spec(CATALOGUE[name], spec)
            if name not in document:
                raise SpecError(f"no {name}", f'a table ["{name}"]', "Add it first, with its rationale.")
        except SpecError as e:
            problems.append(Problem(path.name, e.found, e.expected, e.remedy, column=name))
    if problems:
        raise InputError.of(problems)
    for name, spec in specs.items():
        for key, value in {"prior": str(spec), **said[name]}.items():
            if document[name].get(key) != value:
                document[name][key] = value
    return tomlkit.dumps(document)
