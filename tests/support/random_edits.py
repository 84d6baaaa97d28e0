"""Edits of priors drawn at random, of every prior that draws can answer for, in groups: for comparing what is tried with what is fitted."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from forecast.priors.distributions import Beta, Fixed, Gamma, HalfNormal, LogNormal, Normal, Quantiles
from forecast.priors.load import Priors
from forecast.priors.specs import PriorSpec, Weights
from forecast.reweighting.edit_effects import FITTED

WIDTH = 3.29


def groups(priors: Priors, n: int, seed: int) -> list[dict[str, PriorSpec]]:
    """Every prior once, but for those that only a fit can follow, dealt into n edits."""
    rng = np.random.default_rng(seed)
    names = [name for name in priors if name not in FITTED]
    dealt = [names[i] for i in rng.permutation(len(names))]
    return [{name: near(priors.spec(name), name, rng) for name in dealt[k::n]} for k in range(n)]


def near(spec: PriorSpec, name: str, rng: np.random.Generator) -> PriorSpec:
    """Another prior of the family, moved by up to 1.3 of its spread, from not half to nearly twice as wide."""
    shift, wide = rng.uniform(-1.3, 1.3), math.exp(rng.uniform(-0.8, 0.6))
    return _rounded(_KINDS[type(spec)](spec, shift, wide, rng, name))


def _quantiles(spec: Quantiles, shift: float, wide: float) -> PriorSpec:
    if spec.scale == "beta":
        beta = spec.beta
        n, p = (beta.a + beta.b) / wide, beta.a / (beta.a + beta.b)
        p = p + shift * math.sqrt(p * (1 - p) / (beta.a + beta.b + 1))
        p = min(max(p, 0.03), 0.97)
        low, middle, high = Beta(p * n, (1 - p) * n).interval()
        return Quantiles(max(low, 1e-6), middle, high, "beta")
    at, half = spec.location + shift * spec.sd, wide * spec.sd * WIDTH / 2
    back = np.exp if spec.scale == "log" else lambda z: 1 / (1 + np.exp(-z))
    return Quantiles(*(float(back(z)) for z in (at - half, at, at + half)), scale=spec.scale)


def _parts(spec: Weights, rng: np.random.Generator) -> PriorSpec:
    drawn = rng.dirichlet([6 * max(v, 0.02) for v in spec.values.values()])
    shares = [round(float(p), 3) for p in drawn]
    shares[0] = round(1 - sum(shares[1:]), 3)
    return Weights(dict(zip(spec.values, shares, strict=True)))


_KINDS: dict[type[PriorSpec], Callable[..., PriorSpec]] = {
    Normal: lambda s, shift, wide, rng, name: Normal(s.mean + shift * s.sd, s.sd * wide),
    HalfNormal: lambda s, shift, wide, rng, name: HalfNormal(s.sd * wide),
    Beta: lambda s, shift, wide, rng, name: Beta(s.a * math.exp(shift), s.b * math.exp(-shift / 2)),
    Gamma: lambda s, shift, wide, rng, name: Gamma(s.shape * math.exp(shift), s.rate * wide),
    LogNormal: lambda s, shift, wide, rng, name: LogNormal(s.median * math.exp(shift * s.sd), s.sd * wide, s.shift),
    Quantiles: lambda s, shift, wide, rng, name: _quantiles(s, shift, wide),
    Fixed: lambda s, shift, wide, rng, name: Fixed(
        float(rng.uniform(0.5, 1.0)) if name == "outside_view.selection" else s.value * math.exp(shift)
    ),
    Weights: lambda s, shift, wide, rng, name: _parts(s, rng),
}  # fmt: skip


def _rounded(spec: PriorSpec) -> PriorSpec:
    """To four figures, as a person would write it; weights are rounded already."""
    if isinstance(spec, Weights):
        return spec
    fields = {f: getattr(spec, f) for f in spec.__dataclass_fields__}  # type: ignore[attr-defined]
    return type(spec)(**{f: float(f"{v:.4g}") if isinstance(v, float) else v for f, v in fields.items()})
