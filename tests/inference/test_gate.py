"""The gate: poisoned posteriors, each refused for the reason it should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.inference.gate import BFMI_MIN, Diagnostics, diagnose, scalar_draws, worst_diagnostics

CHAINS, DRAWS = 4, 1_000


class Posterior(SimpleNamespace):
    """A clean posterior of three quantities, to be poisoned."""

    def __init__(self, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        super().__init__(
            quantities={name: rng.normal(size=(CHAINS, DRAWS)) for name in ("a", "b", "c")},
            diverging=np.zeros((CHAINS, DRAWS), bool),
            energy=rng.normal(size=(CHAINS, DRAWS)),
            chains=CHAINS,
            draws=DRAWS,
        )

    def examined(self, **more: Any) -> Diagnostics:
        return diagnose(**(vars(self) | more))


def slow(rng: np.random.Generator, rho: float) -> np.ndarray:
    """An AR(1): effective size about (1 − ρ)/(1 + ρ) of the draws."""
    x = rng.normal(size=(CHAINS, DRAWS))
    for t in range(1, DRAWS):
        x[:, t] = rho * x[:, t - 1] + np.sqrt(1 - rho**2) * x[:, t]
    return x


def test_a_clean_posterior_passes_and_says_its_numbers() -> None:
    found = Posterior().examined()
    assert found.passed
    assert found.reasons == ()
    assert (found.finite, found.chains, found.draws, found.divergences, found.constant, found.retried) == (True, 4, 1_000, 0, (), False)
    assert found.rhat_max is not None and 0.99 < found.rhat_max < 1.01  # noqa: PT018 the first half is for the type
    assert found.ess_bulk_min is not None and 3_000 < found.ess_bulk_min < 5_000  # noqa: PT018
    assert found.bfmi_min is not None and 1.8 < found.bfmi_min < 2.2  # noqa: PT018 energies that are independent: 2
    assert found.as_dict()["status"] == "pass"


def nan_chain(p: Posterior) -> None:
    p.quantities["b"][2] = np.nan


def one_infinite(p: Posterior) -> None:
    p.quantities["c"][0, 7] = np.inf


def interrupted(p: Posterior) -> None:
    """What a sampler leaves that was stopped: the rest of every array NaN, and no divergence to be seen."""
    for q in p.quantities.values():
        q[:, 400:] = np.nan
    p.energy[:, 400:] = np.nan


def nan_energy(p: Posterior) -> None:
    p.energy[1, 3] = np.nan


def missing_chain(p: Posterior) -> None:
    p.quantities = {name: q[:3] for name, q in p.quantities.items()}
    p.diverging, p.energy = p.diverging[:3], p.energy[:3]


def truncated(p: Posterior) -> None:
    p.quantities = {name: q[:, :900] for name, q in p.quantities.items()}
    p.diverging, p.energy = p.diverging[:, :900], p.energy[:, :900]


def ragged(p: Posterior) -> None:
    p.quantities["a"] = p.quantities["a"][:, :900]


def nothing(p: Posterior) -> None:
    p.quantities = {}


def stuck_chain(p: Posterior) -> None:
    p.quantities["b"][3] = 0.25


def undeclared_constant(p: Posterior) -> None:
    p.quantities["b"][:] = 1.0


def divergent(p: Posterior) -> None:
    p.diverging[2, 5] = True


def autocorrelated(p: Posterior) -> None:
    p.quantities["c"] = slow(np.random.default_rng(3), 0.9)


def rare_tail(p: Posterior) -> None:
    """The middle mixes well; which tail a stretch of a hundred draws visits does not."""
    rng = np.random.default_rng(5)
    visits = np.repeat(rng.random((CHAINS, DRAWS // 100)) < 0.15, 100, axis=1)
    p.quantities["a"] = np.where(visits & (rng.random((CHAINS, DRAWS)) < 0.5), 8.0 + p.quantities["a"], p.quantities["a"])


def shifted_chain(p: Posterior) -> None:
    p.quantities["a"][1] += 0.6


def other_spread(p: Posterior) -> None:
    p.quantities["a"][1] *= 3.0


def bad_energy(p: Posterior) -> None:
    p.energy = np.cumsum(p.energy, axis=1)


@pytest.mark.parametrize(
    ("poison", "reason", "where"),
    [
        (nan_chain, "not finite", "1 of 3 quantities, first b"),
        (one_infinite, "not finite", "first c"),
        (interrupted, "not finite", "3 of 3"),
        (nan_energy, "not finite", "energy"),
        (missing_chain, "incomplete", "3 chains of 1000 draws where 4 of 1000"),
        (truncated, "incomplete", "4 chains of 900 draws"),
        (ragged, "incomplete", "900"),
        (nothing, "incomplete", "0 chains"),
        (stuck_chain, "stuck", "b does not vary in chain 3"),
        (undeclared_constant, "stuck", "b does not vary in any chain"),
        (divergent, "1 divergent transition", ""),
        (autocorrelated, "bulk effective sample size", "of c"),
        (rare_tail, "tail effective sample size", "of a"),
        (shifted_chain, "R-hat", "of a"),
        (other_spread, "R-hat", "of a"),
        (bad_energy, "E-BFMI", str(BFMI_MIN)),
    ],
)
def test_poisoned_posteriors(poison: Callable[[Posterior], None], reason: str, where: str) -> None:
    p = Posterior()
    poison(p)
    found = p.examined()
    assert not found.passed
    assert found.as_dict()["status"] == "fail"
    assert any(r.startswith(reason) and where in r for r in found.reasons), found.reasons
    if reason in ("not finite", "incomplete", "stuck"):
        assert all(r.startswith(reason) for r in found.reasons)  # nothing else is said about what cannot be judged
        assert (found.rhat_max, found.ess_bulk_min, found.ess_tail_min, found.bfmi_min) == (None,) * 4
    assert found.finite == (reason != "not finite")


def test_a_sampler_that_says_it_did_not_finish_is_believed() -> None:
    found = Posterior().examined(completed=False)
    assert found.reasons == ("incomplete: the sampler stopped before its last draw",)


def test_finite_comes_before_complete_and_complete_before_stuck() -> None:
    p = Posterior()
    for poison in (stuck_chain, divergent, truncated):
        poison(p)
    assert p.examined().reasons[0].startswith("incomplete")
    p.quantities["a"][0, 0] = np.nan
    assert p.examined().reasons[0].startswith("not finite")


def test_declared_constants_are_exempt_and_listed() -> None:
    p = Posterior()
    undeclared_constant(p)
    p.quantities |= {f"drift[{year}]": np.zeros((CHAINS, DRAWS)) for year in (2006, 2007)}
    assert not p.examined(constant=("b",)).passed
    found = p.examined(constant=("b", "drift", "not there"))
    assert found.passed
    assert found.constant == ("b", "drift[2006]", "drift[2007]")


def test_a_declared_constant_must_still_be_finite() -> None:
    p = Posterior()
    p.quantities["b"][:] = np.nan
    assert not p.examined(constant=("b",)).passed


def test_constants_alone_pass_on_the_sampler() -> None:
    """When nothing can vary, what is left to judge is the sampler."""
    p = Posterior()
    p.quantities = {"b": np.ones((CHAINS, DRAWS))}
    found = p.examined(constant=("b",))
    assert found.passed
    assert (found.rhat_max, found.ess_bulk_min) == (None, None)
    divergent(p)
    assert not p.examined(constant=("b",)).passed


def test_all_that_is_wrong_with_a_complete_posterior_is_said_at_once() -> None:
    p = Posterior()
    for poison in (divergent, autocorrelated, shifted_chain, bad_energy):
        poison(p)
    assert len(p.examined().reasons) >= 4


def test_scalars_are_named_by_their_coordinates() -> None:
    posterior = xr.Dataset(
        {"x": (("chain", "draw"), np.zeros((2, 3))), "y": (("draw", "chain", "who"), np.arange(12.0).reshape(3, 2, 2))},
        coords={"who": ["p", "q"]},
    )
    found = scalar_draws(posterior)
    assert found.keys() == {"x", "y[p]", "y[q]"}
    assert found["y[q]"].tolist() == [[1, 5, 9], [3, 7, 11]]


def test_the_worst_over_readings() -> None:
    good = Posterior(2).examined()
    p = Posterior()
    divergent(p)
    bad = replace(p.examined(), constant=("b",)).after_retry()
    found = worst_diagnostics({"main": good, "other": bad})
    assert found.reasons == ("other: 1 divergent transition (must be none)",)
    assert found.rhat_max == max(good.rhat_max or 0, bad.rhat_max or 0)
    assert found.ess_bulk_min == min(good.ess_bulk_min or 9e9, bad.ess_bulk_min or 9e9)
    assert (found.divergences, found.retried, found.constant) == (1, True, ("b",))
    q = Posterior()
    nan_chain(q)
    unread = worst_diagnostics({"main": good, "third": q.examined()})
    assert not unread.finite
    assert unread.rhat_max is None  # a number that one reading lacks is no worst
