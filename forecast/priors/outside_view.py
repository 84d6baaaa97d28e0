"""What the outside view, the experience of other states, adds to the priors: a selection factor and alternative sets of priors.

The selection factor: the states compared are in their class because something happened there, so their rates of reaching level 4 and above
are too high. It acts on priors only, before Mexico's record: a factor f shifts the location of logit q_3 by log f, and the skip through
level 3, Beta(a, b), becomes Beta(fa, b + (1 − f)a), whose mean is f times what it was.

The sets are what the outside view says if it is asked differently. `forecast priors reference --write` writes them beside the ladder's own
priors; they are not read as priors themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from forecast.errors import InputError, Problem, limited
from forecast.priors.catalogue import CATALOGUE, name_remedy
from forecast.priors.distributions import WIDTH_90, Beta, Distribution, Quantiles
from forecast.priors.load import Priors
from forecast.priors.parsing import parse_prior
from forecast.priors.specs import PriorSpec, SpecError, expit
from forecast.storage.atomic import replace_text
from forecast.storage.toml import TomlDocument, read_toml_file

RISE = "ladder.rise.3"
SKIP = "ladder.skip_up.3"


def rise_after_selection(priors: Priors) -> tuple[float, float]:
    """Location and sd of logit q_3."""
    spec = priors.spec(RISE)
    assert isinstance(spec, Quantiles)
    return spec.location + math.log(priors.value("outside_view.selection")), spec.sd


def skip_after_selection(priors: Priors) -> Beta:
    """The prior of s_3."""
    stated, factor = as_beta(priors, SKIP), priors.value("outside_view.selection")
    return Beta(factor * stated.a, stated.b + (1 - factor) * stated.a)


def as_beta(priors: Priors, name: str) -> Beta:
    """The Beta of a skip as it is stated, by its parameters or by quantiles."""
    spec = priors.spec(name)
    if isinstance(spec, Quantiles):
        return spec.beta
    assert isinstance(spec, Beta)
    return spec


def after_selection(priors: Priors, name: str) -> Distribution:
    """The belief about one number as the model uses it: two are changed by the selection factor. TypeError for sets of numbers."""
    if name == RISE:
        location, sd = rise_after_selection(priors)
        low, middle, high = (expit(location + z * sd) for z in (-WIDTH_90 / 2, 0.0, WIDTH_90 / 2))
        return Quantiles(low, middle, high, "logit")
    if name == SKIP:
        return skip_after_selection(priors)
    if name.startswith("ladder.skip_"):
        return as_beta(priors, name)
    return priors.distribution(name)


type Alternatives = Mapping[str, Mapping[str, PriorSpec]]

ALTERNATIVES_FILE: Final = Path("outside_view") / "alternatives.toml"
DRUG_CASES: Final = "drug_cases"
SAME_YEAR: Final = "pressure_of_the_same_year"
YEAR_BEFORE: Final = "pressure_of_the_year_before"
_ANEW: Final = "Write the file again: `forecast priors reference --write`."
NAMES: Final = (DRUG_CASES, SAME_YEAR, YEAR_BEFORE)


def read_alternatives(folder: Path) -> Alternatives:
    """The sets in a workspace's `priors/`: name of the set → name of the prior → spec. Raises InputError with all problems."""
    document, problems = read_toml_file(folder / ALTERNATIVES_FILE, str(ALTERNATIVES_FILE))
    if document is None:
        raise InputError.of(problems)
    sets: dict[str, dict[str, PriorSpec]] = {}
    problems = [Problem(str(ALTERNATIVES_FILE), f"no table {name}", "one", _ANEW) for name in NAMES if name not in document.tables]
    problems += limited(_read_sets(document, sets))
    if problems:
        raise InputError.of(problems)
    return sets


def _read_sets(document: TomlDocument, sets: dict[str, dict[str, PriorSpec]]) -> Iterator[Problem]:
    """The problems of the sets; their valid priors are added to `found`."""
    for name, table in document.tables.items():
        sets[name] = {}
        if not isinstance(table, dict):
            yield Problem(str(ALTERNATIVES_FILE), f"{name}, which is not a table", f"a table [{name}]", _ANEW, document.line((name,)), name)
            continue
        for prior, text in table.items():
            try:
                if prior not in CATALOGUE:
                    raise SpecError(repr(prior), "the name of a prior", name_remedy(prior))
                sets[name][prior] = parse_prior(prior, str(text))
            except SpecError as e:
                yield Problem(str(ALTERNATIVES_FILE), e.found, e.expected, e.remedy, document.line((name, prior)), f"{name}.{prior}")


def alternatives_file(folder: Path, sets: Alternatives) -> dict[Path, bytes]:
    """The file, created empty if it is missing, and its new bytes. Raises ForecastError if it cannot be created."""
    path = folder / ALTERNATIVES_FILE
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        replace_text(path, "")
    lines = [
        "# Alternative sets of priors from the outside view. Written by `forecast priors reference --write`; edits are lost.",
        "",
    ]
    for name, specs in sets.items():
        lines += [f"[{name}]", *(f'"{prior}" = "{spec}"' for prior, spec in specs.items()), ""]
    return {path: "\n".join(lines).encode()}
