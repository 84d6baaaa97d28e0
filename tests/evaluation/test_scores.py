"""Scores by hand and by closed forms; means whose windows overlap."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from math import inf, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.evaluation import scores
from forecast.evaluation.scores import brier_score, count_scores, log_score, mean_score, ranked_probability_score, separate_windows

spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)).map(lambda s: (s[0], s[0] + s[1])), min_size=1, max_size=7)


def test_scores_by_hand() -> None:
    assert brier_score(0.3, True) == pytest.approx(0.49)
    assert brier_score(0.3, False) == pytest.approx(0.09)
    assert log_score(0.3, True) == pytest.approx(-log(0.3))
    assert log_score(0.3, False) == pytest.approx(-log(0.7))
    assert log_score(0.0, True) == log_score(1.0, False) == inf
    assert log_score(0.0, False) == 0.0
    # P(>= 1..3) = .9, .4, .1, and level 2 came: (.1)² + (.6)² + (.1)²
    assert ranked_probability_score([0.9, 0.4, 0.1], [True, True, False]) == pytest.approx(0.01 + 0.36 + 0.01)


def test_a_count_is_scored_by_its_whole_distribution() -> None:
    rps, logarithmic = count_scores([0.2, 0.3, 0.4, 0.1], 2)
    assert rps == pytest.approx(0.2**2 + 0.5**2 + 0.1**2)  # (F(k) − 1[2 <= k])² over k = 0, 1, 2
    assert logarithmic == pytest.approx(-log(0.4))
    assert count_scores([0.2, 0.3, 0.4, 0.1], 7)[1] == pytest.approx(-log(0.1))  # beyond the last it is the last
    assert count_scores([1.0, 0.0], 1) == (1.0, inf)


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.integers(0, 6))
def test_ranked_is_the_sum_of_squares_over_the_thresholds(at_least: list[float], came: int) -> None:
    """Also where a person's chances of higher levels are not smaller."""
    reached = [came > k for k in range(len(at_least))]
    assert ranked_probability_score(at_least, reached) == pytest.approx(
        sum((p - y) ** 2 for p, y in zip(at_least, reached, strict=True)), abs=1e-12
    )


def test_of_a_poisson_count_it_is_the_closed_form_of_the_continuous_score() -> None:
    crps_poisson = scores._rules().crps_poisson
    mu, count = 3.7, 5
    poisson = np.exp(-mu) * np.cumprod(np.concatenate([[1.0], mu / np.arange(1, 60)]))
    assert count_scores([*poisson[:-1], 1.0 - poisson[:-1].sum()], count)[0] == pytest.approx(float(crps_poisson(count, mu)))


@pytest.mark.slow
@pytest.mark.parametrize("before", ["", "import numba; "], ids=["alone", "after numba"])
def test_the_rules_are_imported_without_numba_which_others_can_import(before: str) -> None:
    """In a process of its own: what is imported stays. The stand-in for Numba is an empty module, since the real one takes seconds."""
    script = f"""
import sys, types
sys.meta_path.insert(0, types.SimpleNamespace(find_spec=lambda name, *_: spec if name == "numba" else None))
from importlib.machinery import ModuleSpec
loader = types.SimpleNamespace(create_module=lambda _: None, exec_module=lambda _: None)
spec = ModuleSpec("numba", loader)
{before}
from forecast.evaluation.scores import _rules, brier_score
assert abs(brier_score(0.3, True) - 0.49) < 1e-12
assert list(_rules().backends) == ["numpy"]
print("numba" in sys.modules)
import numba
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{bool(before)}\n"), done.stderr


def disjoint(several: list[tuple[int, int]]) -> int:
    """How many windows there can be of which no two share a month, by trying all."""
    for n in range(len(several), 0, -1):
        for some in combinations(several, n):
            if all(a[1] < b[0] or b[1] < a[0] for a, b in combinations(some, 2)):
                return n
    return 0


@settings(max_examples=30)
@given(starts=st.lists(st.integers(0, 40), min_size=1, max_size=8), length=st.integers(1, 12))
def test_separate_windows_are_the_most_that_do_not_overlap(starts: list[int], length: int) -> None:
    several = [(start, start + length - 1) for start in starts]
    assert separate_windows(several) == disjoint(several)


@settings(max_examples=30)
@given(several=spans)
def test_short_windows_do_not_vouch_for_long_ones(several: list[tuple[int, int]]) -> None:
    """Each counts as long as the longest, so there are at most as many as that goes into all months."""
    longest = max(end - start for start, end in several)
    assert separate_windows(several) == disjoint([(end - longest, end) for _, end in several]) <= disjoint(several)


def test_windows_in_a_chain_are_as_many_as_do_not_overlap() -> None:
    assert separate_windows([(1, 12), (7, 18), (13, 24)]) == 2
    assert separate_windows([(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]) == 5
    assert separate_windows([(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (1, 24)]) == 1


def test_without_overlap_the_error_is_that_of_a_mean() -> None:
    values = [0.1, 0.4, 0.2, 0.7, 0.6]
    found = mean_score(values, [(12 * i, 12 * i + 11) for i in range(5)])
    assert (found.n, found.windows) == (5, 5)
    assert found.value == pytest.approx(0.4)
    assert found.error == pytest.approx(float(np.std(values, ddof=1)) / sqrt(5))


def test_questions_of_one_window_are_worth_one() -> None:
    """Each of five windows said ten times over: the error stays that of five."""
    values, windows = [0.1, 0.5, 0.2, 0.9, 0.4], [(12 * i, 12 * i + 11) for i in range(5)]
    once, often = mean_score(values, windows), mean_score(values * 10, windows * 10)
    assert often.error == pytest.approx(once.error)
    assert (often.n, often.windows) == (50, 5)


def test_of_a_few_windows_no_error_is_told() -> None:
    """Two windows that came out alike would have none."""
    assert mean_score([0.1, 0.1], [(1, 12), (13, 24)]).error is None
    assert mean_score([0.1, 0.5, 0.9], [(1, 12), (2, 13), (12, 20)]).windows == 1


HELD = {
    "one a month": lambda i: 1,
    "five a month": lambda i: 5,
    "many now and then": lambda i: (1, 9, 1, 1)[i % 4],
    "more of late": lambda i: 1 + i // 12,
}
"""How many questions a month has."""


def history(rng: np.random.Generator, held: list[int]) -> list[float]:
    """Differences of monthly questions about twelve months each: the sum of what happens in these, and something of a question's own."""
    windows = np.convolve(rng.normal(size=len(held) + 11), np.ones(12), "valid")
    return [float(windows[i] + rng.normal()) for i, n in enumerate(held) for _ in range(n)]


@pytest.mark.slow
@pytest.mark.parametrize("months", [60, 120])
@pytest.mark.parametrize("how", HELD)
def test_the_error_is_that_which_repeated_histories_show(months: int, how: str) -> None:
    """The spread of many histories' means is what each of them says of its own, whatever overlaps."""
    rng = np.random.default_rng(20_260_601)
    held = [HELD[how](i) for i in range(months)]
    windows = [(i, i + 11) for i, n in enumerate(held) for _ in range(n)]
    found = [mean_score(history(rng, held), windows) for _ in range(600)]
    errors = [m.error for m in found if m.error is not None]
    assert len(errors) == len(found)
    assert float(np.sqrt(np.mean(np.square(errors)))) == pytest.approx(float(np.std([m.value for m in found])), rel=0.15)
