"""How far a distribution moves when a prior or a likelihood counts a little more or less: power-scaling.

A component with log density g is raised to the power α; draws then weigh e^{(α−1) g}. What is measured is how fast the weighted
distribution of a quantity leaves the unweighted one, by the cumulative Jensen–Shannon distance and a doubling of α.

Kallioinen, Paananen, Bürkner and Vehtari, Detecting and diagnosing prior and likelihood sensitivity with power-scaling, Statistics and
Computing 34 (2024). The numbers are those of priorsense and of `psense` in ArviZ, for draws that need not weigh alike.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from forecast.typing import Floats

type Label = Literal["prior–data conflict", "strong prior, weak likelihood", "no sensitivity"]

ALPHAS: Final = (0.99, 1.01)
"""The powers between which the speed is taken."""
THRESHOLD: Final = 0.05
"""From here on a component counts as one that matters. A normal that is all prior scores 0.074 under its own prior."""


def cumulative_jensen_shannon(values: Floats, before: Floats, after: Floats) -> float:
    """Cumulative Jensen–Shannon distance between two weightings [S] of the same values [S], each summing to one; between 0 and 1.

    The larger of that of the distribution functions and that of their complements, so that its sign does not matter.
    """
    return max(_one_sided(values, before, after), _one_sided(-values, before, after))


def _one_sided(values: Floats, before: Floats, after: Floats) -> float:
    order = np.argsort(values, kind="stable")
    width = np.diff(values[order])
    p, q = np.cumsum(before[order])[:-1], np.cumsum(after[order])[:-1]
    middle = _log2(0.5 * (p + q))
    areas = float(width @ p), float(width @ q)
    slack = 0.5 / np.log(2.0) * (areas[1] - areas[0])
    from_p = max(0.0, float(width @ (p * (_log2(p) - middle))) + slack)
    from_q = max(0.0, float(width @ (q * (_log2(q) - middle))) - slack)
    total = sum(areas)
    return float(np.sqrt((from_p + from_q) / total)) if total > 0 else 0.0


def _log2(x: Floats) -> Floats:
    """log₂ where there is one; 0 elsewhere, for it is multiplied by 0."""
    return np.log2(x, out=np.zeros_like(x), where=x > 0)


def normalised_weights(log_ratios: Floats) -> Floats:
    """Weights [S] that sum to one, from log ratios so small that their tail needs no smoothing: those at the ALPHAS."""
    weights = np.exp(log_ratios - log_ratios.max())
    return np.asarray(weights / weights.sum())


def sensitivity_gradient(lower: float, upper: float, alphas: tuple[float, float] = ALPHAS) -> float:
    """Distance a doubling of α, from the distances at the lower and the upper power."""
    return float((upper / np.log2(alphas[1]) - lower / np.log2(alphas[0])) / 2)


def diagnose(prior: float, likelihood: float, threshold: float = THRESHOLD) -> Label:
    """What the speeds of a quantity under its prior and under its likelihood say together."""
    if prior < threshold:
        return "no sensitivity"
    return "prior–data conflict" if likelihood >= threshold else "strong prior, weak likelihood"
