"""Density curves of priors and posteriors, for figures and for the terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from forecast.arrays.transforms import expit
from forecast.arrays.weighted_quantiles import WeightedSample
from forecast.priors.distributions import PROBABILITIES, Distribution, Fixed, Gamma, LogNormal, Quantiles
from forecast.priors.specs import PriorSpec
from forecast.typing import Floats

type Axis = Literal["linear", "log", "logit"]

EDGE: Final = 0.002
BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_BRAILLE: Final = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""The dots of a braille character by column, from below."""


@dataclass(frozen=True, slots=True, eq=False)
class DensityCurve:
    """A density curve.

    x     [points] in the prior's own unit, evenly spaced on `axis`
    y     [points] density per unit of the axis
    axis  the scale of the axis"""

    x: Floats
    y: Floats
    axis: Axis


def axis_of(spec: Distribution) -> Axis:
    """The scale on which the prior is nearly symmetric."""
    if isinstance(spec, Quantiles) and spec.scale != "beta":
        return spec.scale
    return "log" if isinstance(spec, LogNormal | Gamma) else "linear"


def prior_density(spec: PriorSpec, points: int = 241, span: tuple[float, float] | None = None) -> DensityCurve | None:
    """The curve over the middle 99.6 % of the probability. None for settings, weights and tables, which have no spread.

    span: another range, on the prior's axis.
    """
    if not isinstance(spec, Distribution) or isinstance(spec, Fixed):
        return None
    axis = axis_of(spec)
    low, high = span or axis_range(spec)
    x = from_axis(axis, np.linspace(low, high, points))
    return DensityCurve(x, np.exp(spec.logpdf(x)) * axis_jacobian(axis, x), axis)


def axis_range(spec: Distribution, after: WeightedSample | None = None) -> tuple[float, float]:
    """The range of the axis that holds the middle 99.6 % of the prior, and of the posterior if there is one."""
    axis = axis_of(spec)
    ends = to_axis(axis, spec.quantile([EDGE, 1 - EDGE]))
    if after is not None:
        others = to_axis(axis, after.quantile([EDGE, 1 - EDGE]))
        ends = np.array([min(ends[0], others[0]), max(ends[1], others[1])])
    return float(ends[0]), float(ends[1])


def posterior_density(
    after: WeightedSample, spec: Distribution, points: int = 241, span: tuple[float, float] | None = None
) -> DensityCurve:
    """The curve of draws on the axis of their prior: a normal kernel density estimate, reflected at the ends of the support.

    The bandwidth is Silverman's (1986), 0.9 min(sd, IQR/1.34) n^(−1/5), n the effective number of draws.
    """
    axis = axis_of(spec)
    z, weights = to_axis(axis, after.values), after.weights
    n = 1.0 / float(weights @ weights)
    sd = float(np.sqrt(weights @ (z - weights @ z) ** 2))
    q25, q75 = to_axis(axis, after.quantile([0.25, 0.75]))
    width = max(0.9 * min(sd, (q75 - q25) / 1.34) * n**-0.2, 1e-12)
    low, high = span or axis_range(spec, after)
    at = np.linspace(low, high, points)
    y = _kernel(at, z, weights, width)
    if axis == "linear":
        for end in spec.support:
            if np.isfinite(end):
                y += _kernel(2 * end - at, z, weights, width)
    return DensityCurve(from_axis(axis, at), y, axis)


def _kernel(at: Floats, z: Floats, weights: Floats, width: float) -> Floats:
    """A kernel density estimate from weights in bins a fifth of the bandwidth wide; it looks the same as one from all draws."""
    edges = np.linspace(z.min() - width, z.max() + width, int(np.clip(5 * np.ptp(z) / width + 10, 20, 4_000)))
    mass, _ = np.histogram(z, edges, weights=weights)
    middles = (edges[1:] + edges[:-1]) / 2
    return np.asarray(np.exp(-0.5 * ((at[:, None] - middles) / width) ** 2) @ mass / (width * np.sqrt(2 * np.pi)))


def text_histogram(
    spec: PriorSpec, label: Callable[[float], str], width: int = 60, height: int = 5, after: WeightedSample | None = None
) -> list[str]:
    """Lines of a histogram in block characters with the 5, 50 and 95 % quantiles beneath. No lines for a prior without a spread.

    after: the posterior. The prior is then shaded, and the posterior is drawn over it as a line, to the same scale.
    """
    if not isinstance(spec, Distribution) or isinstance(spec, Fixed):
        return []
    span = axis_range(spec, after)
    curve = prior_density(spec, width, span)
    assert curve is not None
    if after is None:
        rows = _filled(curve.y / curve.y.max(), height)
    else:
        line = posterior_density(after, spec, 2 * width, span)
        top = max(curve.y.max(), line.y.max())
        rows = _lined(curve.y / top, line.y / top, height + 2)
    ends = to_axis(curve.axis, curve.x[[0, -1]])
    share = (to_axis(curve.axis, spec.quantile(PROBABILITIES)) - ends[0]) / (ends[1] - ends[0])
    at = [round(float(s) * (width - 1)) for s in share]
    rule = "".join("┴" if i in at else "─" for i in range(width))
    return [row.rstrip() for row in rows] + [rule, _labels(at, [label(q) for q in spec.interval()])]


def _filled(heights: Floats, rows: int) -> list[str]:
    eighths = np.rint(8 * rows * heights).astype(int)
    return ["".join(BLOCKS[min(max(e - 8 * row, 0), 8)] for e in eighths) for row in reversed(range(rows))]


def _lined(shaded: Floats, line: Floats, rows: int) -> list[str]:
    """Two curves of heights 0..1: one shaded, one character a column; one as a line of braille dots, two a column."""
    fill = np.rint(2 * rows * shaded).astype(int)
    level = np.rint((4 * rows - 1) * line).astype(int)
    dots = np.zeros((rows, len(shaded)), int)
    for i, here in enumerate(level):
        before = level[i - 1] if i else here
        for y in range(min(here, before + 1), max(here, before - 1) + 1):
            dots[y // 4, i // 2] |= _BRAILLE[i % 2][y % 4]
    return [
        "".join(chr(0x2800 + d) if d else "░" if fill[i] > 2 * row else " " for i, d in enumerate(dots[row]))
        for row in reversed(range(rows))
    ]


def _labels(at: list[int], texts: list[str]) -> str:
    """The texts centred under their positions, moved apart where they would touch."""
    line = ""
    for place, text in zip(at, texts, strict=True):
        start = max(place - len(text) // 2, len(line) + 2 if line else 0)
        line = line.ljust(start) + text
    return line


def axis_jacobian(axis: Axis, x: Floats) -> Floats:
    """The factor from a density per unit of `x` to a density per unit of the axis."""
    if axis == "linear":
        return np.ones_like(x)
    return x if axis == "log" else x * (1 - x)


def to_axis(axis: Axis, x: Floats) -> Floats:
    """From the unit of a prior to its axis."""
    if axis == "linear":
        return x
    return np.log(x) if axis == "log" else np.log(x) - np.log1p(-x)


def from_axis(axis: Axis, z: Floats) -> Floats:
    """The inverse of `to_axis`."""
    if axis == "linear":
        return z
    return np.exp(z) if axis == "log" else expit(z)
