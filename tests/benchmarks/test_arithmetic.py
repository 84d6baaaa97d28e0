"""The benchmarks' own arithmetic, and how they measure a process. The benchmarks themselves are no tests: `make bench`."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from tests.benchmarks.arithmetic import exponent, unmatched, worse
from tests.benchmarks.processes import BenchError, Cost, measure, median, ratios


def test_exponents_are_those_of_powers() -> None:
    sizes = (246, 492, 984)
    assert exponent(sizes, [s**2.0 for s in sizes]) == pytest.approx(2.0)
    assert exponent(sizes, [0.3 * s for s in sizes]) == pytest.approx(1.0)
    assert exponent((1, 4, 16), (1.0, 1.0, 1.0)) == 0.0


def test_a_fixed_cost_hides_growth_only_among_small_sizes() -> None:
    assert exponent((1, 4, 16, 64), [1.0 + size**2 for size in (1, 4, 16, 64)]) > 1.99


@pytest.mark.parametrize(("sizes", "seconds"), [((1,), (1.0,)), ((1, 2), (1.0,)), ((2, 1), (1.0, 1.0)), ((1, 2), (0.0, 1.0))])
def test_what_has_no_exponent_is_refused(sizes: tuple[int, ...], seconds: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="at least two"):
        exponent(sizes, seconds)


def test_only_what_is_worse_by_more_than_a_quarter_is_named() -> None:
    recorded = {"run": {"wall": 4.0, "cpu": 8.0}}
    assert worse(recorded, {"run": {"wall": 5.0, "cpu": 1.0}}) == []
    assert worse(recorded, {"run": {"wall": 5.01, "cpu": 1.0}}) == ["run: wall is 5.01, recorded 4"]
    assert len(worse(recorded, {"run": {"wall": math.nan, "cpu": 11.0}})) == 2


def test_rows_that_nobody_recorded_are_named_and_never_fail() -> None:
    recorded, measured = {"run": {"wall": 4.0}}, {"run": {"wall": 4.0, "cpu": 1.0}, "status": {"wall": 9.0}}
    assert worse(recorded, measured) == []
    assert unmatched(recorded, measured) == ["run: cpu", "status: wall"]
    assert worse({"gone": {"wall": 1.0}}, {}) == []


def test_a_process_is_measured_with_its_children(tmp_path: Path) -> None:
    """The child works and holds memory; the process itself only waits for it."""
    child = "x = bytearray(150_000_000)\nwhile __import__('time').process_time() < .2: pass"
    whole = f"import subprocess, sys\nsys.stderr.write('before\\n'); sys.stderr.flush()\nsubprocess.run([sys.executable, '-c', {child!r}])"
    cost = measure([sys.executable, "-c", whole], tmp_path)
    assert 0.2 <= cost.cpu < 30.0
    assert cost.wall >= 0.2
    assert 150 <= cost.memory < 300
    assert [line for _, line in cost.said] == ["before"]
    assert cost.said[0][0] < cost.wall - 0.15


def test_a_process_that_fails_is_no_measurement(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import sys; sys.exit('nothing there')"]
    with pytest.raises(BenchError, match=r"exit code 1:\nnothing there"):
        measure(words, tmp_path)
    assert measure(words, tmp_path, accept=(1,)).wall > 0
    with pytest.raises(BenchError, match="could not be started"):
        measure(["no-such-command"], tmp_path)


def test_the_memory_of_whoever_measures_is_not_counted(tmp_path: Path) -> None:
    held = bytearray(300_000_000)
    held[:: 1 << 12] = b"1" * len(held[:: 1 << 12])
    assert measure([sys.executable, "-S", "-c", "pass"], tmp_path).memory < 100


def test_medians_and_ratios() -> None:
    costs = [Cost(1.0, 5.0, 10.0), Cost(3.0, 1.0, 20.0), Cost(2.0, 3.0, 90.0)]
    assert median(costs) == Cost(2.0, 3.0, 20.0)
    assert ratios(median(costs), Cost(1.0, 2.0, 10.0)) == {"wall": 2.0, "cpu": 1.5, "memory": 2.0}
