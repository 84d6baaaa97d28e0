"""The gate: the checks that a posterior must pass before it is used.

Whether the draws are finite and complete is checked first: an interrupted sampler leaves chains padded with NaN and no divergences, and
every comparison with NaN is false. A quantity that does not vary means a stuck sampler, unless it was declared constant.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

RHAT_MAX = 1.01
ESS_MIN = 400.0
BFMI_MIN = 0.3


@dataclass(frozen=True)
class Diagnostics:
    """What the gate found. A number is None where an earlier reason made it meaningless.

    reasons       why the gate refuses the fit; empty if it passes
    finite        all draws are finite
    chains, draws number of chains, and of draws in each
    divergences   divergent transitions
    rhat_max      largest R-hat
    ess_bulk_min  smallest bulk effective sample size
    ess_tail_min  smallest tail effective sample size
    bfmi_min      smallest E-BFMI of a chain
    constant      quantities that were declared constant
    retried       this is the second fit, after the gate refused the first
    """

    reasons: tuple[str, ...]
    finite: bool
    chains: int
    draws: int
    divergences: int
    rhat_max: float | None
    ess_bulk_min: float | None
    ess_tail_min: float | None
    bfmi_min: float | None
    constant: tuple[str, ...]
    retried: bool = False

    @property
    def passed(self) -> bool:
        return not self.reasons

    def after_retry(self) -> Diagnostics:
        return replace(self, retried=True)

    def as_dict(self) -> dict[str, Any]:
        out: dict[str, Any] = {"status": "pass" if self.passed else "fail"}
        out |= {k: list(v) if isinstance(v, tuple) else v for k, v in self.__dict__.items()}
        return out


def scalar_draws(posterior: xr.Dataset) -> dict[str, NDArray[np.float64]]:
    """Every scalar of a posterior by name, `name[coord]` for those with a dim, as [chain, draw]."""
    out = {}
    for name, variable in posterior.data_vars.items():
        array = variable.transpose("chain", "draw", ...)
        flat = np.asarray(array.values, float).reshape(*array.shape[:2], -1)
        labels = _labels(array)
        for i, label in enumerate(labels):
            out[f"{name}{label}"] = flat[..., i]
    return out


def _labels(array: xr.DataArray) -> list[str]:
    labels = [""]
    for dim in array.dims[2:]:
        labels = [f"{prefix}[{value}]" for prefix in labels for value in array[dim].values]
    return labels


def diagnose(
    quantities: Mapping[str, NDArray[np.float64]],
    diverging: NDArray[np.bool_],
    energy: NDArray[np.float64],
    chains: int,
    draws: int,
    completed: bool = True,
    constant: Collection[str] = (),
) -> Diagnostics:
    """The diagnostics of named quantities [chain, draw].

    chains, draws  how many were asked for
    completed      the sampler reached its last draw
    constant       variables that cannot vary by definition
    """
    shapes = {q.shape for q in quantities.values()}
    n_chains = min((s[0] for s in shapes), default=0)
    n_draws = min((s[1] for s in shapes), default=0)
    divergences = int(np.sum(diverging))
    broken = [name for name, q in quantities.items() if not np.isfinite(q).all()]
    verdict = Diagnostics((), not broken, n_chains, n_draws, divergences, None, None, None, None, ())
    if broken or not np.isfinite(energy).all():
        where = f"{len(broken)} of {len(quantities)} quantities, first {broken[0]}" if broken else "the energy"
        return replace(verdict, finite=False, reasons=(f"not finite: draws that are NaN or infinite in {where}",))
    if n_chains < chains or n_draws < draws or len(shapes) != 1:
        return replace(verdict, reasons=(f"incomplete: {n_chains} chains of {n_draws} draws where {chains} of {draws} were asked for",))
    if not completed:
        return replace(verdict, reasons=("incomplete: the sampler stopped before its last draw",))

    fixed = tuple(sorted(name for name in quantities if _variable(name) in constant))
    moving = {name: q for name, q in quantities.items() if name not in fixed}
    reasons = [f"stuck: {name} does not vary in {what}" for name, q in moving.items() if (what := _stuck(q))]
    if reasons:
        return replace(verdict, reasons=tuple(reasons[:5]), constant=fixed)
    from arviz_stats.base import array_stats  # it takes a second to load, and commands without a fit read only what the gate found

    rhat = {name: float(array_stats.rhat(q, chain_axis=0, draw_axis=1)) for name, q in moving.items()}
    bulk = {name: float(array_stats.ess(q, chain_axis=0, draw_axis=1, method="bulk")) for name, q in moving.items()}
    tail = {name: float(array_stats.ess(q, chain_axis=0, draw_axis=1, method="tail", prob=(0.05, 0.95))) for name, q in moving.items()}
    bfmi = float(np.min(array_stats.bfmi(energy)))
    if moving:  # written so that NaN fails
        worst_rhat, worst_bulk, worst_tail = (
            max(rhat, key=rhat.__getitem__),
            min(bulk, key=bulk.__getitem__),
            min(tail, key=tail.__getitem__),
        )
        if not rhat[worst_rhat] < RHAT_MAX:
            reasons.append(f"R-hat {rhat[worst_rhat]:.3f} of {worst_rhat} (must be below {RHAT_MAX})")
        if not bulk[worst_bulk] >= ESS_MIN:
            reasons.append(f"bulk effective sample size {bulk[worst_bulk]:.0f} of {worst_bulk} (must be at least {ESS_MIN:.0f})")
        if not tail[worst_tail] >= ESS_MIN:
            reasons.append(f"tail effective sample size {tail[worst_tail]:.0f} of {worst_tail} (must be at least {ESS_MIN:.0f})")
    if divergences:
        reasons.append(f"{divergences} divergent transition{'s' if divergences > 1 else ''} (must be none)")
    if not bfmi > BFMI_MIN:
        reasons.append(f"E-BFMI {bfmi:.2f} (must be above {BFMI_MIN})")
    return replace(
        verdict, reasons=tuple(reasons), rhat_max=max(rhat.values(), default=None), ess_bulk_min=min(bulk.values(), default=None),
        ess_tail_min=min(tail.values(), default=None), bfmi_min=bfmi, constant=fixed,
    )  # fmt: skip


def _variable(scalar: str) -> str:
    """The variable a scalar belongs to: `drift` of `drift[2026-01]`."""
    return scalar.split("[", maxsplit=1)[0]


def _stuck(q: NDArray[np.float64]) -> str:
    flat = np.ptp(q, axis=1) == 0
    if flat.all():
        return "any chain"
    return f"chain {int(np.argmax(flat))}" if flat.any() else ""


def worst_diagnostics(by_reading: Mapping[str, Diagnostics]) -> Diagnostics:
    """The worst over readings, number by number. It passes only if all do."""
    all_ = list(by_reading.values())

    def extreme(name: str, pick: Any) -> Any:
        values = [getattr(d, name) for d in all_]
        return None if any(v is None for v in values) else pick(values)

    return Diagnostics(
        reasons=tuple(f"{name}: {reason}" for name, d in by_reading.items() for reason in d.reasons),
        finite=all(d.finite for d in all_),
        chains=min(d.chains for d in all_),
        draws=min(d.draws for d in all_),
        divergences=sum(d.divergences for d in all_),
        rhat_max=extreme("rhat_max", max),
        ess_bulk_min=extreme("ess_bulk_min", min),
        ess_tail_min=extreme("ess_tail_min", min),
        bfmi_min=extreme("bfmi_min", min),
        constant=tuple(sorted({c for d in all_ for c in d.constant})),
        retried=any(d.retried for d in all_),
    )
