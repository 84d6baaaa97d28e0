"""Other things the outside view can be made to say: sets of priors that the report tries in place of the published ones.

Written by `forecast priors reference --write` beside the ladder's own priors; not read as priors themselves.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from forecast.errors import InputError, Problem
from forecast.priors.catalogue import CATALOGUE, nearest, parse_prior
from forecast.priors.spec import Spec
from forecast.priors.text import SpecError
from forecast.priors.write import replace_text

type Alternatives = Mapping[str, Mapping[str, Spec]]

FILE: Final = Path("outside_view") / "alternatives.toml"
DRUG_CASES: Final = "drug_cases"
SAME_YEAR: Final = "pressure_of_the_same_year"
YEAR_BEFORE: Final = "pressure_of_the_year_before"
NAMES: Final = (DRUG_CASES, SAME_YEAR, YEAR_BEFORE)


def read_alternatives(folder: Path) -> Alternatives:
    """The sets in a workspace's `priors/`, by name, each a mapping from prior to spec. Raises InputError with all that is wrong."""
    path = folder / FILE
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        problem = Problem(str(FILE), f"a file that cannot be read ({e})", "TOML", "Write it anew: `forecast priors reference --write`.")
        raise InputError.of([problem]) from e
    found: dict[str, dict[str, Spec]] = {}
    problems = [
        Problem(str(FILE), f"no table {name}", "one", "Write the file anew: `forecast priors reference --write`.")
        for name in NAMES
        if name not in document
    ]
    for name, table in document.items():
        found[name] = {}
        for prior, text in table.items():
            try:
                if prior not in CATALOGUE:
                    raise SpecError(repr(prior), "the name of a prior", f"Did you mean {nearest(prior)}?")
                found[name][prior] = parse_prior(prior, str(text))
            except SpecError as e:
                problems.append(Problem(str(FILE), e.found, e.expected, e.remedy, column=f"{name}.{prior}"))
    if problems:
        raise InputError.of(problems)
    return found


def alternatives_written(folder: Path, sets: Alternatives) -> dict[Path, bytes]:
    """The file, there already or made empty, and what it is to hold. Raises ForecastError if it cannot be made."""
    path = folder / FILE
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        replace_text(path, "")
    lines = [
        "# What the outside view says when it is asked differently. Written by `forecast priors reference --write`; an edit is lost.",
        "",
    ]
    for name, specs in sets.items():
        lines += [f"[{name}]", *(f'"{prior}" = "{spec}"' for prior, spec in specs.items()), ""]
    return {path: "\n".join(lines).encode()}
