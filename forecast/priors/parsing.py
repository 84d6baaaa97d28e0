"""The spec that a text means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import MappingProxyType

from forecast.data.suggestions import nearest_words
from forecast.priors.distributions import Beta, Fixed, Gamma, HalfNormal, LogNormal, Normal, Quantiles, Scale
from forecast.priors.parsing import Call, read_call
from forecast.priors.specs import Constants, NamedNumbers, PriorSpec, SpecError, Weights


def family_name(family: type[PriorSpec]) -> str:
    """The family's name as it is written in a prior file."""
    return "quantiles" if family is Quantiles else family.__name__


_ALL: tuple[type[PriorSpec], ...] = (Normal, HalfNormal, Beta, Gamma, LogNormal, Quantiles, Fixed, Weights, NamedNumbers)
FAMILIES: Mapping[str, type[PriorSpec]] = MappingProxyType({family_name(family): family for family in _ALL})


def parse(text: str, scale: Scale | None = None) -> PriorSpec:
    """The inverse of `str(spec)`.

    `quantiles(...)` takes its `scale` from the quantity it is about, so it must be given for those. Raises SpecError.
    """
    call = read_call(text)
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
        raise SpecError(text, "a family other than quantiles", "Quantiles are for the priors that are stated so.")
    return Quantiles(**numbers, scale=scale)


def _constants(family: type[Constants], call: Call, text: str) -> PriorSpec:
    if call.positional:
        raise SpecError(text, "a name before each number", f"Write {family.__name__}(name=number, ...).")
    return family(call.named)


def _arguments(names: list[str], required: set[str], call: Call, text: str) -> dict[str, float]:
    given = dict(zip(names, call.positional, strict=False)) | call.named
    too_many = len(call.positional) > len(names) or len(given) < len(call.positional) + len(call.named)
    if too_many or not required <= set(given) <= set(names):
        comma = " The comma parts numbers: write a decimal point." if len(call.positional) > len(names) else ""
        raise SpecError(text, f"{call.name}({', '.join(names)})", f"Give {_count(required, names)}.{comma}")
    return given


def _count(required: set[str], names: list[str]) -> str:
    least, most = len(required), len(names)
    return f"{least} number{'s' if least > 1 else ''}" if least == most else f"{least} to {most} numbers"
