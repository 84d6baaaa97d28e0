"""The kind, shape and range of every array of `draws.npz`. The writer and every reader check against it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecast.domain import CHANNELS, FIRST_MONTH, TOP
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.model.events import ANSWERS, COUNTED, STREAMS
from forecast.model.tolerance_data import ADMINISTRATIONS, Drivers
from forecast.typing import Arrays

FORM: Final = 3
"""Version of the file. It goes up with every change of its arrays."""

type Axis = int | str
_CHANNELS: Final = len(CHANNELS)


@dataclass(frozen=True, slots=True)
class Form:
    """What one array must be; all its values are finite.

    kind       i for whole numbers, f for real numbers, U for texts
    axes       lengths; an axis with a name has the same length in all arrays
    low, high  range of the values
    """

    kind: str
    axes: tuple[Axis, ...]
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True, slots=True)
class Header:
    """Kind and shape of an array in a file, before its values are read."""

    kind: str
    shape: tuple[int, ...]

    @classmethod
    def of(cls, array: NDArray[Any]) -> Header:
        return cls(array.dtype.kind, array.shape)


def _real(*axes: Axis, low: float = -math.inf, high: float = math.inf) -> Form:
    return Form("f", axes, low, high)


def _whole(*axes: Axis, low: float = 0, high: float = math.inf) -> Form:
    return Form("i", axes, low, high)


_PARAMETERS: Final = {field.name: _real("S") for field in fields(ParameterDraws)} | {
    "logit_rise": _real("S", TOP),
    "log_stay": _real("S", TOP),
    "alpha": _real("S", ADMINISTRATIONS),
    "drift": _real("S", "knots"),
    "half_life": _real("S", low=0),
    "skip_up": _real("S", 4, low=0, high=1),
    "skip_down": _real("S", 4, low=0, high=1),
}
_POOL: Final = {field.name: _real("P", "H + 1") for field in fields(DriverPaths)} | {
    "arrivals": _whole("P", "H", len(STREAMS)),
    "measures": _real("P", _CHANNELS, "H + 1"),
    "impulses": _real("P", _CHANNELS, "H + 1"),
    "gains": _whole("P", _CHANNELS, "H + 1"),
    "reliefs": _whole("P", _CHANNELS, "H + 1"),
    "eta": _real("P", 3),
    "mobilising": _real("P"),
}
_DRIVERS: Final = {field.name: _real("T") for field in fields(Drivers)} | {"administration": _whole("T", high=ADMINISTRATIONS - 1)}
_FIXED: Final = {
    "form": _whole(),
    "seed": _whole(),
    "questions": Form("U", ("Q",)),
    "companions": Form("U", ("C",)),
    "readings": Form("U", ("R",)),
    "origin": _whole(low=FIRST_MONTH),
    "administrations": _whole("H", high=ADMINISTRATIONS - 1),
    "public_now": _whole(high=TOP),
    **{f"pool/{name}": form for name, form in _POOL.items()},
    **{f"drivers/{name}": form for name, form in _DRIVERS.items()},
    "leverage/scale": _real(low=0),
    "leverage/measures": _real(_CHANNELS, "T"),
    "leverage/gains": _whole(_CHANNELS, "T"),
    "leverage/reliefs": _whole(_CHANNELS, "T"),
    "mobilised/start": _whole(low=FIRST_MONTH),
    "mobilised/counts": _whole("W"),
    "polls/knots": _real("P", "quarters"),
    "polls/hyper": _real("P", 4),
    "polls/wording": _real("P", 3),
    "polls/start": _real("P"),
    "polls/intercept": _real("P"),
    "polls/log_likelihood": _real("P"),
    "events/log_likelihood": _real("P"),
    "opposition/hyper": _real("all draws of model 3", 4),
    "opposition/weights": _real("all draws of model 3", low=0),
    "companion/months": _whole(low=1),
    "companion/counted": _real(len(COUNTED), low=0),
    "companion/answers": _real(len(ANSWERS), low=0),
    "companion/determinations": _whole("determinations", low=-math.inf),
}


def _reading_forms(name: str, public_now: int) -> Iterator[tuple[str, Form]]:
    yield from ((f"{name}/{field}", form) for field, form in _PARAMETERS.items())
    yield f"merged/{name}", Form("U", (f"names that coincide with {name}",))
    yield f"{name}/levels", _whole("T", high=TOP)
    yield f"{name}/skips_up", _real(4, 2, low=0)
    yield f"{name}/skips_down", _real(4, 2, low=0)
    yield f"{name}/questions", _real("Q", "S", low=0, high=1)
    yield f"{name}/prior_questions", _real("Q", "S", low=0, high=1)
    yield f"{name}/slots", _real("Q", "slots", low=0, high=1)
    yield f"{name}/efficiency", _real("Q", low=0)
    for level in range(public_now + 1, TOP + 1):
        yield f"{name}/entered/{level}", _real("H", TOP + 1 - level, "S", low=0, high=1)


def forms(readings: Iterable[str], companions: Iterable[str], public_now: int) -> dict[str, Form]:
    """Name → form of every array; public_now: the level that is public at the origin."""
    out = dict(_FIXED)
    for name in readings:
        out |= _reading_forms(name, public_now)
    out |= {f"prior/{field}": form for field, form in _PARAMETERS.items()}
    for id_ in companions:
        out |= {f"companion/{id_}": _real("S", low=0), f"companion_prior/{id_}": _real("S", low=0)}
    return out


def check_headers(headers: Mapping[str, Header], read: Callable[[str], NDArray[Any]]) -> dict[str, Form]:
    """The forms of the arrays of a file, if it holds just these; `read` gives the values of one array.

    Empty for a file of another FORM, or of none. ValueError if an array is missing, unknown or of the wrong kind or shape.
    """
    if "form" not in headers or headers["form"] != Header("i", ()) or int(read("form")) != FORM:
        return {}
    for name in ("readings", "companions", "public_now"):
        if name not in headers:
            raise ValueError(f"there is no array {name}")
        _check_shape(name, headers[name], _FIXED[name], {})
        check_values(name, read(name), _FIXED[name])
    expected = forms(map(str, read("readings")), map(str, read("companions")), int(read("public_now")))
    if missing := expected.keys() - headers.keys():
        raise ValueError(f"there is no array {min(missing)}")
    if more := headers.keys() - expected.keys():
        raise ValueError(f"an array {min(more)} is not known")
    lengths: dict[str, int] = {}
    for name, form in expected.items():
        _check_shape(name, headers[name], form, lengths)
    if lengths["H + 1"] != lengths["H"] + 1:
        raise ValueError(f"paths of {lengths['H + 1']} months do not fit a horizon of {lengths['H']}")
    if int(read("origin")) - FIRST_MONTH + 1 != lengths["T"]:
        raise ValueError(f"drivers of {lengths['T']} months do not end at the origin")
    return expected


def _check_shape(name: str, header: Header, form: Form, lengths: dict[str, int]) -> None:
    """ValueError for a wrong kind or number of axes, or a length that is zero or differs from the form or from other arrays."""
    if header.kind != form.kind:
        raise ValueError(f"{name} is of kind {header.kind}, where {form.kind} was written")
    expected = tuple(
        lengths.get(axis, length) if isinstance(axis, str) else axis for axis, length in zip(form.axes, header.shape, strict=False)
    )
    if len(header.shape) != len(form.axes) or header.shape != expected or (0 in header.shape and name != "companion/determinations"):
        raise ValueError(f"{name} has the shape {header.shape}, where {form.axes} was written")
    lengths |= {axis: length for axis, length in zip(form.axes, header.shape, strict=True) if isinstance(axis, str)}


def check_values(name: str, values: NDArray[Any], form: Form) -> None:
    """ValueError for a number that is not finite or out of range, or for a name that is empty or repeated."""
    if form.kind == "U":
        if len(set(values.tolist())) != values.size or "" in values:
            raise ValueError(f"{name} has an empty or repeated name")
        return
    if not np.isfinite(values).all():
        raise ValueError(f"{name} has a value that is not a finite number")
    slack = 1e-6 if form.kind == "f" else 0.0  # of single precision, and of sums that should be one
    if values.size and (values.min() < form.low - slack or values.max() > form.high + slack):
        raise ValueError(f"{name} has values from {values.min():g} to {values.max():g}, not within {form.low:g} to {form.high:g}")


def check_arrays(arrays: Arrays) -> None:
    """ValueError if the arrays are not those of a file of this form."""
    expected = check_headers({name: Header.of(values) for name, values in arrays.items()}, arrays.__getitem__)
    for name, form in expected.items():
        check_values(name, arrays[name], form)
