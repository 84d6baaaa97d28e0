"""Edits of priors as a person writes them: `leverage.effect = Normal(0.8, 0.3)`."""

from __future__ import annotations

from collections.abc import Sequence

from forecast.errors import InputError, Problem
from forecast.priors.catalogue import CATALOGUE, nearest, parse_prior
from forecast.priors.spec import Spec
from forecast.priors.text import SpecError


def parse_edits(texts: Sequence[str]) -> dict[str, Spec]:
    """What each edit means. Raises InputError with all that is wrong in any of them."""
    found: dict[str, Spec] = {}
    problems = []
    for text in texts:
        name, _, spec = (part.strip() for part in text.partition("="))
        try:
            if not spec:
                raise SpecError(repr(text), "an edit of the form name = prior", "Write leverage.effect = Normal(0.8, 0.3), for instance.")
            if name not in CATALOGUE:
                raise SpecError(repr(name), "the name of a prior", f"Did you mean {nearest(name)}?")
            if name in found:
                raise SpecError(f"two edits of {name}", "one", "Leave one of them out.")
            found[name] = parse_prior(name, spec)
        except SpecError as e:
            problems.append(Problem("edit", e.found, e.expected, e.remedy, column=name or None))
    if problems:
        raise InputError.of(problems)
    return found
