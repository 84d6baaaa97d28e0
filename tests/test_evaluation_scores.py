"""Scores by hand and by closed forms; means whose windows overlap."""

from __future__ import annotations

from itertools import combinations
from math import inf, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scoringrules import crps_poisson

from forecast.evaluation.scores import brier, count_scores, log_score, mean, ranked, together

spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)).map(lambda s: (s[0], s[0] + s[1])), min_size=1, max_size=7)


def test_scores_by_hand() -> None:
    assert brier(0.3, True) == pytest.approx(0.49)
    assert brier(0.3, False) == pytest.approx(0.09)
    assert log_score(0.3, True) == pytest.approx(-log(0.3))
    assert log_score(0.3, False) == pytest.approx(-log(0.7))
    assert log_score(0.0, True) == log_score(1.0, False) == inf
    assert log_score(0.0, False) == 0.0
    # P(>= 1..3) = .9, .4, .1, and level 2 came: (.1)² + (.6)² + (.1)²
    assert ranked([0.9, 0.4, 0.1], [True, True, False]) == pytest.approx(0.01 + 0.36 + 0.01)


def test_a_count_is_scored_by_its_whole_distribution() -> None:
    rps, logarithmic = count_scores([0.2, 0.3, 0.4, 0.1], 2)
    assert rps == pytest.approx(0.2**2 + 0.5**2 + 0.1**2)  # (F(k) − 1[2 <= k])² over k = 0, 1, 2
    assert logarithmic == pytest.approx(-log(0.4))
    assert count_scores([0.2, 0.3, 0.4, 0.1], 7)[1] == pytest.approx(-log(0.1))  # beyond the last it is the last
    assert count_scores([1.0, 0.0], 1) == (1.0, inf)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.integers(0, 6))
def test_ranked_is_the_sum_of_squares_over_the_thresholds(at_least: list[float], came: int) -> None:
    """Also where a person's chances of higher levels are not smaller."""
    reached = [came > k for k in range(len(at_least))]
    assert ranked(at_least, reached) == pytest.approx(sum((p - y) ** 2 for p, y in zip(at_least, reached, strict=True)), abs=1e-12)


def test_of_a_poisson_count_it_is_the_closed_form_of_the_continuous_score() -> None:
    mu, count = 3.7, 5
    poisson = np.exp(-mu) * np.cumprod(np.concatenate([[1.0], mu / np.arange(1, 60)]))
    assert count_scores([*poisson[:-1], 1.0 - poisson[:-1].sum()], count)[0] == pytest.approx(float(crps_poisson(count, mu)))


def disjoint(several: list[tuple[int, int]]) -> int:
    """How many windows there can be of which no two share a month, by trying all."""
    for n in range(len(several), 0, -1):
        for some in combinations(several, n):
            if all(a[1] < b[0] or b[1] < a[0] for a, b in combinations(some, 2)):
                return n
    return 0


@given(several=spans)
def test_there_are_as_many_groups_as_windows_that_do_not_overlap(several: list[tuple[int, int]]) -> None:
    groups = together(several)
    assert set(groups) == set(range(disjoint(several)))
    for group in set(groups):
        mine = [span for span, g in zip(several, groups, strict=True) if g == group]
        assert max(start for start, _ in mine) <= min(end for _, end in mine), "they share a month"


def test_without_overlap_the_error_is_that_of_a_mean() -> None:
    values = [0.1, 0.4, 0.2, 0.7, 0.6]
    found = mean(values, [(12 * i, 12 * i + 11) for i in range(5)])
    assert (found.n, found.windows) == (5, 5)
    assert found.value == pytest.approx(0.4)
    assert found.error == pytest.approx(float(np.std(values, ddof=1)) / sqrt(5))


def test_questions_of_one_window_are_worth_one() -> None:
    """Each of five windows said ten times over: the error stays that of five."""
    values, windows = [0.1, 0.5, 0.2, 0.9, 0.4], [(12 * i, 12 * i + 11) for i in range(5)]
    once, often = mean(values, windows), mean(values * 10, windows * 10)
    assert often.error == pytest.approx(once.error)
    assert (often.n, often.windows) == (50, 5)


def test_of_a_few_windows_no_error_is_told() -> None:
    """Two windows that came out alike would have none."""
    assert mean([0.1, 0.1], [(1, 12), (13, 24)]).error is None
    assert mean([0.1, 0.5, 0.9], [(1, 12), (2, 13), (12, 20)]).windows == 1
