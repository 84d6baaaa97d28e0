"""Other things the outside view can be made to say: sets of priors that the report tries in place of the published ones.

Written by `forecast priors reference --write` beside the ladder's own priors; not read as priors themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from forecast.errors import InputError, Problem, limited
from forecast.priors.apply_edits import replace_text
from forecast.priors.catalogue import CATALOGUE, right_name
from forecast.priors.parsing import parse_prior
from forecast.priors.specs import PriorSpec, SpecError
from forecast.storage.toml import Document, read_toml_file

type Alternatives = Mapping[str, Mapping[str, PriorSpec]]

FILE: Final = Path("outside_view") / "alternatives.toml"
DRUG_CASES: Final = "drug_cases"
SAME_YEAR: Final = "pressure_of_the_same_year"
YEAR_BEFORE: Final = "pressure_of_the_year_before"
_ANEW: Final = "Write the file anew: `forecast priors reference --write`."
NAMES: Final = (DRUG_CASES, SAME_YEAR, YEAR_BEFORE)


def read_alternatives(folder: Path) -> Alternatives:
    """The sets in a workspace's `priors/`, by name, each a mapping from prior to spec. Raises InputError with all that is wrong."""
    document, problems = read_toml_file(folder / FILE, str(FILE))
    if document is None:
        raise InputError.of(problems)
    found: dict[str, dict[str, PriorSpec]] = {}
    problems = [Problem(str(FILE), f"no table {name}", "one", _ANEW) for name in NAMES if name not in document.tables]
    problems += limited(_read_sets(document, found))
    if problems:
        raise InputError.of(problems)
    return found


def _read_sets(document: Document, found: dict[str, dict[str, PriorSpec]]) -> Iterator[Problem]:
    """What is wrong with the sets; their priors go to `found`."""
    for name, table in document.tables.items():
        found[name] = {}
        if not isinstance(table, dict):
            yield Problem(str(FILE), f"{name}, which is no table", f"a table [{name}]", _ANEW, document.line((name,)), name)
            continue
        for prior, text in table.items():
            try:
                if prior not in CATALOGUE:
                    raise SpecError(repr(prior), "the name of a prior", right_name(prior))
                found[name][prior] = parse_prior(prior, str(text))
            except SpecError as e:
                yield Problem(str(FILE), e.found, e.expected, e.remedy, document.line((name, prior)), f"{name}.{prior}")


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
