"""Kappa against an independent implementation, and the agreement of the bundled codings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from forecast.data.intercoder_agreement import cohens_kappa, intercoder_agreement
from forecast.data.read import read_data
from tests.support.data_editing import BUNDLED

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=60)


@given(PAIRS, st.booleans())
def test_kappa_equals_the_independent_one(pairs: list[tuple[int, int]], quadratic: bool) -> None:
    from sklearn.metrics import cohen_kappa_score

    first, second = ([pair[i] for pair in pairs] for i in (0, 1))
    assume(len({*first, *second}) > 1)
    theirs = cohen_kappa_score(first, second, labels=list(range(5)), weights="quadratic" if quadratic else None)
    assert cohens_kappa(first, second, range(5), quadratic=quadratic) == pytest.approx(theirs, abs=1e-12)


def test_kappa_of_a_worked_table() -> None:
    """Cohen (1960): 20 and 15 agreed, 5 and 10 not, of 50: (.7 − .5)/(1 − .5)."""
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohens_kappa(first, second, ("yes", "no")) == pytest.approx(0.4)
    assert cohens_kappa(first, first, ("yes", "no")) == 1.0


def test_one_word_throughout_is_full_agreement() -> None:
    assert cohens_kappa([2, 2], [2, 2], range(5)) == 1.0


def test_the_bundled_codings_agree_as_the_codebook_says() -> None:
    result = {row.field: row for row in intercoder_agreement(read_data(BUNDLED))}
    assert {field: round(row.value, 2) for field, row in result.items()} == {
        "role of family A": 0.90,
        "operation level": 0.90,
        "direction of decisions": 1.00,
        "kind of pressure (act as measure)": 0.93,
        "channel of pressure": 1.00,
        "direction of pressure": 1.00,
        "intensity of pressure": 0.87,
        "intensity of opposition": 0.95,
        "direction of opposition": 0.84,
    }
    assert (result["role of family A"].n, result["kind of pressure (act as measure)"].n, result["intensity of opposition"].n) == (
        75,
        84,
        43,
    )
    assert {row.statistic for field, row in result.items() if "intensity" in field or "level" in field} == {
        "Cohen's kappa, quadratic weights"
    }


def test_agreement_falls_when_the_second_coding_is_shuffled() -> None:
    data = read_data(BUNDLED)
    rng = np.random.default_rng(1)
    rows = data.coding_second
    pressure = [row for row in rows if row.id.startswith("B")]
    mixed = [row.model_copy(update={"id": pressure[i].id}) for row, i in zip(pressure, rng.permutation(len(pressure)), strict=True)]
    result = {row.field: row.value for row in intercoder_agreement(replace(data, coding_second=tuple(mixed)))}
    assert abs(result["channel of pressure"]) < 0.4
    assert abs(result["intensity of pressure"]) < 0.4
