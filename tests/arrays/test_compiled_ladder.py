"""The compiled recursion against the one in NumPy, and where its code is kept."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecast
from forecast.arrays import compiled_ladder, ladder
from forecast.arrays.ladder import N_LEVELS, saturate_pressure
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import (
    LadderForecast,
    assign_paths,
    driver_array,
    forecast_ladder,
    make_kernel,
    probability_reached,
)
from forecast.forecasting.parameter_draws import ParameterDraws
from tests.support import synthetic

SIZES = (1, 63, 64, 65, 130)
"""Of draws: about the number that the compiled code works on at once."""


def drawn(rng: np.random.Generator, size: int, skips: float | None = None) -> ParameterDraws:
    """Draws in which every effect is at work; skips, where given, are all the same."""
    one = ("leverage", "leverage_on_falls", "just_risen", "overdose_level", "overdose_change", "opposition", "mobilisation")
    plain = synthetic.draws(size)
    return replace(
        plain,
        logit_rise=rng.normal(-2, 2, (size, 5)), log_stay=rng.normal(2, 2, (size, 5)), alpha=rng.normal(size=plain.alpha.shape),
        drift=rng.normal(size=plain.drift.shape), skip_up=rng.random((size, 4)) if skips is None else np.full((size, 4), skips),
        skip_down=rng.random((size, 4)) if skips is None else np.full((size, 4), skips), **{name: rng.normal(size=size) for name in one},
    )  # fmt: skip


def driven(rng: np.random.Generator, n: int, horizon: int) -> DriverPaths:
    series = ("leverage", "log2_deaths", "change", "opposition", "mobilisation")
    return synthetic.pool(n, horizon, **{name: rng.normal(size=(n, horizon + 1)) for name in series})


def arrays(forecast: LadderForecast) -> tuple[np.ndarray, ...]:
    return forecast.in_force, forecast.entered, forecast.fallen, *forecast.by_path_batch


@settings(max_examples=30)
@given(
    st.integers(0, 2**32), st.sampled_from(SIZES), st.integers(1, 4), st.integers(1, 5), st.integers(0, 5), st.booleans(),
    st.sampled_from([None, 0.0, 0.5, 1.0]), st.booleans(),
)  # fmt: skip
def test_it_is_the_recursion_in_numpy(
    seed: int, size: int, each: int, horizon: int, level: int, just_risen: bool, skips: float | None, weighted: bool
) -> None:
    rng = np.random.default_rng(seed)
    pool, paths = driven(rng, 8, horizon), assign_paths(size, 8, seed, each)
    weights = rng.dirichlet(np.ones(size)) if weighted else None
    office = rng.integers(0, 3, horizon)
    compiled, plain = (
        forecast_ladder(
            drawn(np.random.default_rng(seed), size, skips), pool, paths, level, just_risen, synthetic.ORIGIN, office,
            weights=weights, compiled=choice,
        )
        for choice in (True, False)
    )  # fmt: skip
    for found, expected in zip(arrays(compiled), arrays(plain), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(compiled.in_force.sum(1), 1.0, rtol=1e-12)
    draws, drivers = drawn(np.random.default_rng(seed), size, skips), driver_array(pool, saturate_pressure(pool.leverage))
    for target in range(1, N_LEVELS):
        reached = probability_reached(draws, drivers, paths, level, just_risen, synthetic.ORIGIN, office, target)
        np.testing.assert_allclose(reached.mean(1), plain.reached(target, horizon), rtol=1e-12, atol=1e-12)
        months = np.arange(synthetic.ORIGIN + 1, synthetic.ORIGIN + 1 + horizon)
        kernel = make_kernel(draws, pool, saturate_pressure(pool.leverage), paths, months, office)
        np.testing.assert_allclose(ladder.probability_reached(kernel, level, just_risen, target), reached, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("link", [saturate_pressure, lambda leverage: leverage])
def test_the_longest_horizon_and_all_paths_agree(link: Callable[[np.ndarray], np.ndarray]) -> None:
    rng = np.random.default_rng(3)
    pool, paths, draws = driven(rng, 40, 24), assign_paths(70, 40, 1), drawn(rng, 70)
    args = draws, pool, paths, 2, True, synthetic.ORIGIN, np.full(24, 4), link
    for found, expected in zip(arrays(forecast_ladder(*args, compiled=True)), arrays(forecast_ladder(*args)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_absurd_draws_are_finite_and_one_that_is_no_number_stays_one() -> None:
    draws = synthetic.draws(4, log_stay=np.log(1e-4), leverage=[900.0, -900.0, 0.0, np.nan], just_risen=[0.0, 0.0, 900.0, 0.0])
    pool = synthetic.pool(n=4, leverage=2.0)
    found = forecast_ladder(
        draws, pool, assign_paths(4, 4, 1, 1), 3, True, synthetic.ORIGIN, np.zeros(pool.horizon, int), compiled=True
    ).in_force  # fmt: skip
    np.testing.assert_allclose(found[..., :3].sum(1), 1.0)
    assert np.isnan(found[..., 3]).all()


@pytest.mark.parametrize("path", [-1, 8])
def test_a_path_that_is_not_there_is_refused(path: int) -> None:
    """Compiled code would read whatever is in memory there."""
    rng = np.random.default_rng(1)
    with pytest.raises(IndexError, match="paths"):
        forecast_ladder(
            drawn(rng, 2), driven(rng, 8, 3), np.array([[0], [path]]), 2, False, synthetic.ORIGIN, np.zeros(3, int), compiled=True
        )  # fmt: skip


def test_its_own_constants_are_those_of_the_ladder() -> None:
    assert compiled_ladder.LEVELS == N_LEVELS


PRINT_BITS = """
import hashlib, sys
import numpy as np
from forecast.arrays import compiled_ladder as c
rng = np.random.default_rng(1)
n = 100
odds, stops = rng.random((2, 6, n)), rng.random((2, 6, n))
paths = rng.integers(0, 9, (n, 5))
means = c.mean_probabilities(
    odds, stops, rng.random(n), rng.normal(size=(n, 12)), rng.normal(size=(2, 5, n)), rng.normal(size=(9, 12, 5)), paths,
    np.full(n, 1 / n), 2, False,
)
print(hashlib.sha256(b"".join(a.tobytes() for part in means for a in part)).hexdigest(), sum(c._compiled.stats.cache_hits.values()))
"""


def start(cache: Path) -> subprocess.Popen[str]:
    environ = os.environ | {"FORECAST_CACHE": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen([sys.executable, "-c", PRINT_BITS], stdout=subprocess.PIPE, text=True, env=environ)


@pytest.mark.slow
def test_compiled_now_or_loaded_gives_the_same_bits_in_all_processes(tmp_path: Path) -> None:
    """Three processes compile at once into one empty folder; a fourth loads what they left. Nothing is kept within the package."""
    package = Path(forecast.__file__).parent
    compiled = [process.communicate()[0].split() for process in [start(tmp_path) for _ in range(3)]]
    loaded, hits = start(tmp_path).communicate()[0].split()
    assert {bits for bits, _ in compiled} == {loaded}
    assert hits == "1"
    assert len(list(tmp_path.rglob("*.nbc"))) == 2  # one function each
    assert list(package.rglob("*.nbc")) == []


@pytest.mark.slow
def test_a_damaged_cache_is_said_and_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FORECAST_CACHE", str(tmp_path))
    compiled_ladder._compile(compiled_ladder._propagate, compiled_ladder._CUBE, compiled_ladder._CUBE)
    (index,) = tmp_path.rglob("*.nbi")
    index.write_bytes(index.read_bytes()[:40])
    with caplog.at_level(logging.WARNING):
        assert compiled_ladder._compile(compiled_ladder._propagate, compiled_ladder._CUBE, compiled_ladder._CUBE).signatures
    assert f"compiled code kept in {tmp_path}" in caplog.text
