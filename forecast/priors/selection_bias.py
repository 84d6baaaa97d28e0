"""The selection factor: comparable states are in the class because something happened, so rates of reaching level 4 and above are too high.

It acts on priors only, before Mexico's record: a factor f shifts the location of logit q_3 by log f, and the skip through level 3,
Beta(a, b), becomes Beta(fa, b + (1 − f)a), whose mean is f times what it was.
"""

from __future__ import annotations

import math

from forecast.priors.distributions import WIDTH_90, Beta, Distribution, Quantiles
from forecast.priors.load import Priors

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
    """The belief about one number as the model has it: as stated, but for the two the factor acts on. TypeError for sets of numbers."""
    if name == RISE:
        location, sd = rise_after_selection(priors)
        low, middle, high = (1 / (1 + math.exp(-(location + z * sd))) for z in (-WIDTH_90 / 2, 0.0, WIDTH_90 / 2))
        return Quantiles(low, middle, high, "logit")
    if name == SKIP:
        return skip_after_selection(priors)
    if name.startswith("ladder.skip_"):
        return as_beta(priors, name)
    return priors.distribution(name)
