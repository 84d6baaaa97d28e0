"""The spec that a text means."""

from __future__ import annotations

from dataclasses import MISSING, fields
from difflib import get_close_matches

from forecast.priors.spec import FAMILIES, Constants, Quantiles, Scale, Spec
from forecast.priors.text import Call, SpecError, read_call


def parse(text: str, scale: Scale | None = None) -> Spec:
    """The inverse of `str(spec)`.

    `quantiles(...)` takes its `scale` from the quantity it is about, so it must be given for those. Raises SpecError.
    """
    call = read_call(text)
    family = {name.casefold(): cls for name, cls in FAMILIES.items()}.get(call.name.casefold())
    if family is None:
        near = get_close_matches(call.name, FAMILIES, 1, 0.0)[0]
        raise SpecError(call.name, f"one of {', '.join(FAMILIES)}", f"Did you mean {near}?")
    assert isinstance(family, type)
    if issubclass(family, Constants):
        return _constants(family, call, text)
    if family is not Quantiles:
        return family(**_arguments([f.name for f in fields(family)], _required(family), call, text))
    if scale is None:
        raise SpecError(text, "a family other than quantiles", "Quantiles are for the priors that are stated so.")
    names = ["q05", "q50", "q95"]
    return Quantiles(**_arguments(names, set(names), call, text), scale=scale)


def _required(family: type) -> set[str]:
    return {f.name for f in fields(family) if f.default is MISSING}


def _constants(family: type[Constants], call: Call, text: str) -> Spec:
    if call.positional:
        raise SpecError(text, "a name before each number", f"Write {family.__name__}(name=number, ...).")
    return family(call.named)


def _arguments(names: list[str], required: set[str], call: Call, text: str) -> dict[str, float]:
    given = dict(zip(names, call.positional, strict=False)) | call.named
    too_many = len(call.positional) > len(names) or len(given) < len(call.positional) + len(call.named)
    if too_many or not required <= set(given) <= set(names):
        raise SpecError(text, f"{call.name}({', '.join(names)})", f"Give {_count(required, names)}.")
    return given


def _count(required: set[str], names: list[str]) -> str:
    least, most = len(required), len(names)
    return f"{least} number{'s' if least > 1 else ''}" if least == most else f"{least} to {most} numbers"
