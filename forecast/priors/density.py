"""A prior as a curve: for a figure, and for the terminal in block characters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from forecast.priors.quadrature import PROBABILITIES, expit
from forecast.priors.spec import Distribution, Fixed, Gamma, LogNormal, Quantiles, Spec

type Floats = NDArray[np.float64]
type Axis = Literal["linear", "log", "logit"]

EDGE: Final = 0.002
BLOCKS: Final = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True, eq=False)
class Density:
    """A curve over `x` in the prior's own unit, evenly spaced on `axis`; `y` is the density per unit of that axis."""

    x: Floats
    y: Floats
    axis: Axis


def axis_of(spec: Distribution) -> Axis:
    """The scale on which the prior is close to symmetric."""
    if isinstance(spec, Quantiles) and spec.scale != "beta":
        return spec.scale
    return "log" if isinstance(spec, LogNormal | Gamma) else "linear"


def density(spec: Spec, points: int = 241) -> Density | None:
    """The curve over the middle 99.6 % of the mass; None for settings, weights and tables, which have no spread."""
    if not isinstance(spec, Distribution) or isinstance(spec, Fixed):
        return None
    axis = axis_of(spec)
    low, high = _onto(axis, spec.quantile([EDGE, 1 - EDGE]))
    z = np.linspace(low, high, points)
    x = _back(axis, z)
    stretch = {"linear": np.ones_like(x), "log": x, "logit": x * (1 - x)}[axis]
    return Density(x, np.exp(spec.logpdf(x)) * stretch, axis)


def draw(spec: Spec, label: Callable[[float], str], width: int = 60, height: int = 5) -> list[str]:
    """Lines of a histogram in block characters with the 5, 50 and 95 % quantiles beneath; none for a prior without a spread."""
    curve = density(spec, width)
    if curve is None:
        return []
    assert isinstance(spec, Distribution)
    eighths = np.rint(8 * height * curve.y / curve.y.max()).astype(int)
    rows = ["".join(BLOCKS[min(max(e - 8 * row, 0), 8)] for e in eighths) for row in reversed(range(height))]
    ends = _onto(curve.axis, curve.x[[0, -1]])
    share = (_onto(curve.axis, spec.quantile(PROBABILITIES)) - ends[0]) / (ends[1] - ends[0])
    at = [round(float(s) * (width - 1)) for s in share]
    rule = "".join("┴" if i in at else "─" for i in range(width))
    return [row.rstrip() for row in rows] + [rule, _labels(at, [label(q) for q in spec.interval()], width)]


def _labels(at: list[int], texts: list[str], width: int) -> str:
    """The texts centred under their places, moved apart where they would touch."""
    line = ""
    for place, text in zip(at, texts, strict=True):
        start = max(place - len(text) // 2, len(line) + 2 if line else 0)
        line = line.ljust(start) + text
    return line


def _onto(axis: Axis, x: Floats) -> Floats:
    if axis == "linear":
        return x
    return np.log(x) if axis == "log" else np.log(x) - np.log1p(-x)


def _back(axis: Axis, z: Floats) -> Floats:
    if axis == "linear":
        return z
    return np.exp(z) if axis == "log" else expit(z)
