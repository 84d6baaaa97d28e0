"""Model 5's density three times: its graph in PyMC, in NumPy, and as the kernel that the sampler calls."""

from __future__ import annotations

import ctypes
import functools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor import function
from pytensor.compile.mode import Mode

from forecast.inference.machine_code import MachineCode, machine_code
from forecast.model import tolerance_density as density
from forecast.model import tolerance_kernel as kernel
from forecast.model.tolerance import build_model
from forecast.model.tolerance_data import History, TolerancePriors, model_data
from forecast.storage.caches import cache_folder
from tests.support import synthetic

PLAIN = Mode("py", optimizer=None)
VARIANTS: dict[str, dict[str, object]] = {
    "as given": {},
    "symmetric": {"symmetric": True},
    "terms off": {"drift_sd": 0.0, "administration_sd": 0.0, "mobilisation_sd": 0.0, "opposition": np.zeros(2)},
    "short half-life": {"half_life": np.array([math.log(0.5), 0.3, 0.0])},
    "long half-life": {"half_life": np.array([math.log(5_000.0), 0.3, 6.0])},
}


def history(seed: int, months: int = 120) -> History:
    """A record with every level and move, and every driver at work."""
    rng = np.random.default_rng(seed)
    levels = np.clip(np.cumsum(rng.integers(-2, 3, months) * (rng.random(months) < 0.3)) + 2, 0, 5)
    series = {name: rng.normal(0, 0.7, months) for name in ("log2_deaths", "change", "opposition")}
    series |= {name: rng.gamma(2, 0.4, months) for name in ("pressure", "mobilisation")}
    return History(levels, synthetic.drivers(months, **series, administration=np.minimum(np.arange(months) // 40, 7)))


def constants(variant: str) -> TolerancePriors:
    return replace(synthetic.constants(), **VARIANTS[variant])


@functools.cache
def compiled() -> MachineCode:
    return machine_code(kernel.__name__, "value_and_gradient", lambda _: "", cache_folder())


def by_kernel(point: np.ndarray, data: density.ModelData) -> tuple[int, float, np.ndarray]:
    """Status, value and gradient of the compiled kernel."""
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)(compiled().address)
    gradient, value, packed = np.zeros(len(point)), np.zeros(1), density.pack(data)
    status = call(len(point), point.ctypes.data, gradient.ctypes.data, value.ctypes.data, packed.ctypes.data)
    return status, float(value[0]), gradient


@pytest.mark.parametrize("variant", VARIANTS)
def test_numpy_has_the_density_and_the_parameters_of_the_graph(variant: str) -> None:
    past, priors = history(1), constants(variant)
    model, data = build_model(past, priors), model_data(past, priors)
    assert [v.name for v in model.value_vars] == list(density.free_parameters(density.knots_of(data)))
    points = np.random.default_rng(2).normal(0, 0.8, (3, sum(density.free_parameters(density.knots_of(data)).values())))
    named = density.parameters(points, data)
    with model:
        outputs = [model.logp(), *model.replace_rvs_by_values([model[name] for name in named])]
        graph = function(model.value_vars, outputs, mode=PLAIN, on_unused_input="ignore")
    shapes = {name: np.shape(value) for name, value in model.initial_point().items()}
    for i, (point, value) in enumerate(zip(points, density.log_density(points, data), strict=True)):
        parts = np.split(point, np.cumsum([math.prod(shape) for shape in shapes.values()])[:-1])
        expected, *of_graph = graph(*(part.reshape(shapes[v.name]) for part, v in zip(parts, model.value_vars, strict=True)))
        assert value == pytest.approx(float(expected), rel=1e-10)
        for name, array in zip(named, of_graph, strict=True):
            np.testing.assert_allclose(named[name][i], array, rtol=1e-10, atol=1e-12, err_msg=name)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(list(VARIANTS)), st.integers(0, 10_000), st.floats(0.1, 2.5))
def test_the_kernel_has_the_density_of_numpy_and_its_slope(variant: str, seed: int, spread: float) -> None:
    data = model_data(history(seed), constants(variant))
    n = sum(density.free_parameters(density.knots_of(data)).values())
    point = np.random.default_rng(seed).normal(0, spread, n)
    status, value, gradient = by_kernel(point, data)
    step = 1e-5
    near = density.log_density(np.concatenate([point[None], point + step * np.eye(n), point - step * np.eye(n)]), data)
    slope = (near[1 : n + 1] - near[n + 1 :]) / (2 * step)
    assert status == 0
    assert value == pytest.approx(near[0], rel=1e-12, abs=1e-10)
    np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-5 * max(1.0, abs(gradient).max()))


def test_log_odds_beyond_the_range_of_exponentials_are_exact() -> None:
    priors = replace(synthetic.constants(), leverage=np.array([1.6, 400.0]), leverage_on_falls=np.array([0.0, 400.0]))
    data = model_data(history(3), priors)
    point = np.random.default_rng(5).normal(0, 1, sum(density.free_parameters(density.knots_of(data)).values()))
    point[10:12] = 2.5, -2.0
    status, value, gradient = by_kernel(point, data)
    assert status == 0
    assert value == pytest.approx(float(density.log_density(point, data)), rel=1e-12)
    assert np.isfinite(gradient).all()


def test_a_density_that_is_not_finite_and_a_point_of_another_length_are_reported() -> None:
    data = model_data(history(3), synthetic.constants())
    point = np.zeros(sum(density.free_parameters(density.knots_of(data)).values()))
    assert by_kernel(point, data)[0] == 0
    assert by_kernel(point[:-1].copy(), data)[0] != 0
    point[0] = math.nan
    assert by_kernel(point, data)[0] != 0
