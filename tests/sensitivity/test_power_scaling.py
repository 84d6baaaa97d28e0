"""The speed of a distribution under power-scaling: against ArviZ, and against what it must say of normals."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest
import xarray as xr
from arviz_stats import psense
from hypothesis import given
from hypothesis import strategies as st

from forecast.sensitivity.power_scaling import ALPHAS, WeightedValues, diagnose, normalised_weights, sensitivity_gradient
from forecast.typing import Floats


def even(n: int) -> Floats:
    return np.full(n, 1 / n)


def speed_of(values: Floats, log_density: Floats) -> float:
    before = WeightedValues(values, even(len(values)))
    lower, upper = (before.distance(normalised_weights((alpha - 1) * log_density)) for alpha in ALPHAS)
    return sensitivity_gradient(lower, upper)


def conjugate(prior: float, data: float, precision: float, rng: np.random.Generator, size: int = 40_000) -> tuple[Floats, Floats, Floats]:
    """Draws of a mean with an N(prior, 1) prior and data of a mean and a precision; log prior; log likelihood."""
    total = 1 + precision
    draws = (prior + precision * data) / total + rng.standard_normal(size) / np.sqrt(total)
    return draws, -0.5 * (draws - prior) ** 2, -0.5 * precision * (draws - data) ** 2


@pytest.mark.parametrize(("prior", "data", "precision"), [(0.0, 0.0, 0.2), (-1.0, 1.0, 1.0), (0.0, 3.0, 6.0)])
def test_it_is_what_arviz_says(prior: float, data: float, precision: float) -> None:
    draws, log_prior, log_likelihood = conjugate(prior, data, precision, np.random.default_rng(1), 4_000)

    def group(name: str, values: Floats) -> xr.Dataset:
        return xr.Dataset({name: (("chain", "draw"), values.reshape(4, -1))})

    tree = az.from_dict({"posterior": {"mu": draws.reshape(4, -1)}})
    tree["log_prior"] = xr.DataTree(group("mu", log_prior))
    tree["log_likelihood"] = xr.DataTree(group("y", log_likelihood))
    assert speed_of(draws, log_prior) == pytest.approx(float(psense(tree, group="prior")["mu"]), rel=0.01)
    assert speed_of(draws, log_likelihood) == pytest.approx(float(psense(tree, group="likelihood")["mu"]), rel=0.01)


@pytest.mark.parametrize(
    ("prior", "data", "precision", "label"),
    [
        (0.0, 0.0, 0.1, "strong prior, weak likelihood"),
        (0.0, 0.0, 10.0, "no sensitivity"),
        (0.0, 0.0, 1.0, "no sensitivity"),  # both speak, and say the same
        (-2.0, 2.0, 1.0, "prior–data conflict"),
    ],
)
def test_labels_of_conjugate_normals(prior: float, data: float, precision: float, label: str) -> None:
    draws, log_prior, log_likelihood = conjugate(prior, data, precision, np.random.default_rng(2))
    assert diagnose(speed_of(draws, log_prior), speed_of(draws, log_likelihood)) == label


@given(st.integers(0, 10_000), st.integers(2, 40))
def test_a_distance_is_one(seed: int, size: int) -> None:
    """Between 0 and 1, 0 only between equals, the same whichever comes first, whatever the sign and scale of the values."""
    rng = np.random.default_rng(seed)
    values, p, q = rng.standard_normal(size), rng.dirichlet(np.ones(size)), rng.dirichlet(np.ones(size))
    found = WeightedValues(values, p).distance(q)
    assert 0 < found <= 1 + 1e-9
    assert WeightedValues(values, p).distance(p) == pytest.approx(0, abs=1e-6)
    assert WeightedValues(values, q).distance(p) == pytest.approx(found)
    assert WeightedValues(-3 * values, p).distance(q) == pytest.approx(found)


def test_a_weight_counts_as_so_many_draws() -> None:
    rng = np.random.default_rng(3)
    values, often = rng.standard_normal(50), rng.integers(1, 4, 50)
    after = rng.dirichlet(np.ones(50))
    twice = WeightedValues(np.repeat(values, often), even(int(often.sum()))).distance(np.repeat(after / often, often))
    assert WeightedValues(values, often / often.sum()).distance(after) == pytest.approx(twice)


def test_values_that_do_not_vary_do_not_move() -> None:
    assert WeightedValues(np.ones(5), even(5)).distance(np.array([0.6, 0.1, 0.1, 0.1, 0.1])) == 0
