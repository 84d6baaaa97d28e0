"""Edits of priors as a person writes them: `leverage.effect = Normal(0.8, 0.3)`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forecast.data.suggestions import quoted
from forecast.errors import InputError, Problem, limited
from forecast.priors.catalogue import CATALOGUE, right_name
from forecast.priors.parsing import parse_prior
from forecast.priors.specs import PriorSpec, SpecError
from forecast.storage.text import refused_lines


def parse_edits(texts: Sequence[str], file: str = "edit", lines: Sequence[int] = ()) -> dict[str, PriorSpec]:
    """What each edit means; `lines` are those of the file that they come from. Raises InputError with all that is wrong in any of them."""
    found: dict[str, PriorSpec] = {}
    problems = limited(_problems(texts, file, lines or [None] * len(texts), found))
    if problems:
        raise InputError.of(problems)
    return found


def read_edits(text: str, file: str) -> dict[str, PriorSpec]:
    """The edits of a file, one a line; # begins a comment. Raises InputError with all that is wrong, by line."""
    if problems := limited(refused_lines(text, file)):
        raise InputError.of(problems)
    edits = {number: line.split("#")[0].strip() for number, line in enumerate(text.splitlines(), 1)}
    written = {number: edit for number, edit in edits.items() if edit}
    return parse_edits(list(written.values()), file, list(written))


def _problems(texts: Sequence[str], file: str, lines: Sequence[int | None], found: dict[str, PriorSpec]) -> Iterator[Problem]:
    """What is wrong with edits; the others go to `found`."""
    for text, line in zip(texts, lines, strict=True):
        name, _, spec = (part.strip() for part in text.partition("="))
        try:
            if not spec:
                example = "Write leverage.effect = Normal(0.8, 0.3), for instance."
                raise SpecError(quoted(text), "an edit of the form name = prior", example)
            if name not in CATALOGUE:
                raise SpecError(quoted(name), "the name of a prior", right_name(name))
            if name in found:
                raise SpecError(f"two edits of {name}", "one", "Leave one of them out.")
            found[name] = parse_prior(name, spec)
        except SpecError as e:
            yield Problem(file, e.found, e.expected, e.remedy, line, quoted(name)[1:-1] if name else None)
