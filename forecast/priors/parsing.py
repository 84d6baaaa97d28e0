"""Reading priors as a person writes them: `Normal(0.8, 1/3)`, and edits such as `leverage.effect = Normal(0.8, 0.3)`.

Numbers may be written as `0.8`, `1/3` or `logit(0.65)`; nothing is evaluated.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from types import MappingProxyType
from typing import Final

from forecast.data.suggestions import nearest_words, quoted
from forecast.errors import InputError, Problem, limited
from forecast.priors.catalogue import CATALOGUE, check_spec, name_remedy
from forecast.priors.distributions import Beta, Fixed, Gamma, HalfNormal, LogNormal, Normal, Quantiles, Scale
from forecast.priors.specs import Constants, NamedNumbers, PriorSpec, SpecError, Weights, family_name, logit
from forecast.storage.text import refused_lines

_ALL: tuple[type[PriorSpec], ...] = (Normal, HalfNormal, Beta, Gamma, LogNormal, Quantiles, Fixed, Weights, NamedNumbers)
FAMILIES: Mapping[str, type[PriorSpec]] = MappingProxyType({family_name(family): family for family in _ALL})
_LEADING_ZEROS: Final = re.compile(r"(?<![\w.])(?<![eE][-+])0+[0-9][\w.]*")


def parse_edits(texts: Sequence[str], file: str = "edit", lines: Sequence[int] = ()) -> dict[str, PriorSpec]:
    """Edits by name. `lines` are their line numbers in the file. Raises InputError with all problems."""
    edits: dict[str, PriorSpec] = {}
    problems = limited(_edit_problems(texts, file, lines or [None] * len(texts), edits))
    if problems:
        raise InputError.of(problems)
    return edits


def read_edits(text: str, file: str) -> dict[str, PriorSpec]:
    """The edits of a file, one on each line; # begins a comment. Raises InputError with all problems, by line."""
    if problems := limited(refused_lines(text, file)):
        raise InputError.of(problems)
    edits = {number: line.split("#")[0].strip() for number, line in enumerate(text.splitlines(), 1)}
    written = {number: edit for number, edit in edits.items() if edit}
    return parse_edits(list(written.values()), file, list(written))


def parse_prior(name: str, text: str) -> PriorSpec:
    """The spec that `text` states for the prior `name`. SpecError unless its family, support and numbers suit the prior."""
    entry = CATALOGUE[name]
    spec = parse(text, entry.scale)
    check_spec(entry, spec)
    return spec


def parse(text: str, scale: Scale | None = None) -> PriorSpec:
    """The inverse of `str(spec)`.

    `quantiles(...)` needs the `scale` of the quantity it is about. Raises SpecError.
    """
    call = _read_call(text)
    family = {name.casefold(): cls for name, cls in FAMILIES.items()}.get(call.name.casefold())
    if family is None:
        near = nearest_words(call.name, FAMILIES, 1, 0.0)[0]
        raise SpecError(call.name, f"one of {', '.join(FAMILIES)}", f"Did you mean {near}?")
    if issubclass(family, Constants):
        return _constants(family, call, text)
    stated = fields(family)  # type: ignore[arg-type]  # every distribution is a dataclass
    names = [f.name for f in stated if f.name != "scale"]
    numbers = _arguments(names, {f.name for f in stated if f.default is MISSING and f.name != "scale"}, call, text)
    if family is not Quantiles:
        return family(**numbers)
    if scale is None:
        raise SpecError(text, "a family other than quantiles", "Only some priors can be stated by quantiles.")
    return Quantiles(**numbers, scale=scale)


def _constants(family: type[Constants], call: _Call, text: str) -> PriorSpec:
    if call.positional:
        raise SpecError(text, "a name before each number", f"Write {family_name(family)}(name=number, ...).")
    return family(call.named)


def _arguments(names: list[str], required: set[str], call: _Call, text: str) -> dict[str, float]:
    given = dict(zip(names, call.positional, strict=False)) | call.named
    too_many = len(call.positional) > len(names) or len(given) < len(call.positional) + len(call.named)
    if too_many or not required <= set(given) <= set(names):
        comma = " A comma separates numbers: write decimals with a point." if len(call.positional) > len(names) else ""
        raise SpecError(text, f"{call.name}({', '.join(names)})", f"Give {_count(required, names)}.{comma}")
    return given


def _count(required: set[str], names: list[str]) -> str:
    least, most = len(required), len(names)
    return f"{least} number{'s' if least > 1 else ''}" if least == most else f"{least} to {most} numbers"


@dataclass(frozen=True, slots=True)
class _Call:
    """The parts of `name(0.8, shift=3)`."""

    name: str
    positional: tuple[float, ...]
    named: dict[str, float]


def _read_call(text: str) -> _Call:
    """The parts of one call with plain numbers; SpecError if the text is anything else."""
    if zeros := _LEADING_ZEROS.search(text):
        raise SpecError(repr(zeros[0]), "a number without zeros before it", "Remove the zeros before the first digit.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's warnings about literals do not help the person who wrote a prior
            node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _not_a_call(text) from None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise _not_a_call(text)
    positional = tuple(_number(arg, text) for arg in node.args)
    named = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise _not_a_call(text)
        named[keyword.arg] = _number(keyword.value, text)
    return _Call(node.func.id, positional, named)


def _number(node: ast.expr, text: str) -> float:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:
                raise SpecError(_short(text), "numbers of a usual size", "Write a smaller number.") from None
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand, text)
        case ast.BinOp(left=left, op=ast.Div(), right=right) if (below := _number(right, text)) != 0:
            return _number(left, text) / below
        case ast.Call(func=ast.Name(id="logit"), args=[arg], keywords=[]) if 0 < (p := _number(arg, text)) < 1:
            return logit(p)
    raise SpecError(_short(text), "plain numbers between the brackets", "Write 0.04, 1/3 or logit(0.65).")


def _not_a_call(text: str) -> SpecError:
    return SpecError(_short(text), "a prior such as Normal(0.8, 0.3) or quantiles(0.01, 0.04, 0.12)", "See `forecast priors list`.")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _edit_problems(texts: Sequence[str], file: str, lines: Sequence[int | None], edits: dict[str, PriorSpec]) -> Iterator[Problem]:
    """The problems of edits; the valid ones are added to `found`."""
    for text, line in zip(texts, lines, strict=True):
        name, _, spec = (part.strip() for part in text.partition("="))
        try:
            if not spec:
                example = "Write leverage.effect = Normal(0.8, 0.3), for instance."
                raise SpecError(quoted(text), "an edit of the form name = prior", example)
            if name not in CATALOGUE:
                raise SpecError(quoted(name), "the name of a prior", name_remedy(name))
            if name in edits:
                raise SpecError(f"two edits of {name}", "one", "Remove one of them.")
            edits[name] = parse_prior(name, spec)
        except SpecError as e:
            yield Problem(file, e.found, e.expected, e.remedy, line, quoted(name)[1:-1] if name else None)
