"""Changing a prior file in place: comments and layout stay, and a reader sees the old file or the new one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecast.errors import ForecastError, InputError, Problem
from forecast.priors.catalogue import CATALOGUE, check_suits, nearest
from forecast.priors.distributions import PriorSpec
from forecast.priors.text import SpecError
from forecast.storage.atomic_write import replace_whole, sweep_beside
from forecast.storage.text import read_text
from forecast.storage.toml import parsed


def edited_text(path: Path, specs: Mapping[str, PriorSpec], said: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of the file `path` with the priors named set to these specs.

    said: by prior the keys that change with it (why, source, by, date); others, such as a hindsight note, stay. Raises InputError, with
    all problems, for names or specs that cannot be, a prior that the file lacks, or a file that is not TOML.
    """
    import tomlkit

    text, problems = read_text(path, path.name)
    problems = problems or parsed(text, path.name)[1]
    if problems:
        raise InputError.of(problems)
    document = tomlkit.parse(text)
    problems = []
    for name, spec in specs.items():
        try:
            if name not in CATALOGUE:
                raise SpecError(repr(name), "the name of a prior", f"Did you mean {nearest(name)}?")
            check_suits(CATALOGUE[name], spec)
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


def replace_text(path: Path, text: str) -> None:
    """Write a text file whole: under another name first, onto the disk, then renamed. Raises ForecastError if that fails.

    The caller holds the folder (`data.lock.editing`): what a killed writer left in it is removed.
    """
    target = path.resolve()
    sweep_beside(target.parent)
    try:
        replace_whole(target, text.encode(), target.stat().st_mode & 0o777 if target.exists() else 0o644)
    except OSError as e:
        raise ForecastError(
            f"{path} could not be written: {e.strerror or e}.", "The old file stands; check the disk and permissions."
        ) from e
