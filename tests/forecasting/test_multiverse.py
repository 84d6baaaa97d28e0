"""The choices that the strip tries: each is there once, and changes what it says it changes."""

from __future__ import annotations

import numpy as np
import pytest

from forecast import workspace as places
from forecast.forecasting.multiverse import Universe, disputed_act, universes
from forecast.priors.outside_view import read_alternatives
from tests.support.bundled_state import bundled_origin_state

OFF = {
    "pressure off": ("leverage", "leverage_on_falls"),
    "falls no likelier just after a rise": ("just_risen",),
    "opposition off": ("opposition",),
    "leverage only (model S)": ("overdose_level", "overdose_change", "opposition"),
}
"""Effects that a choice leaves out, mean and spread."""


@pytest.fixture(scope="module")
def strip() -> dict[str, Universe]:
    origin_state = bundled_origin_state()
    found = list(universes(origin_state, disputed_act(origin_state), read_alternatives(places.bundled_root() / "priors")))
    assert len({u.label for u in found}) == len(found)
    return {u.label: u for u in found}


def test_the_published_choice_comes_first_and_all_promised_are_there(strip: dict[str, Universe]) -> None:
    assert next(iter(strip)) == "as published (main reading)"
    promised = (
        "coded as known", "without the disputed act", "linear", "capped at 1", "as yes or no", "symmetric", "as coded elsewhere",
        "year before", "pressure off", "factor 1", "factor 0.5", "drug cases", "no going on through 3", "just after a rise", "weak priors",
        "opposition off", "model S",
    )  # fmt: skip
    for words in promised:
        assert any(words in label for label in strip), words


def test_only_coding_changes_levels(strip: dict[str, Universe]) -> None:
    published = strip["as published (main reading)"].levels
    changed = {label for label, u in strip.items() if not np.array_equal(u.levels, published)}
    assert {strip[label].group for label in changed} == {"coding", "disputed act"}


def test_the_disputed_act_is_the_newest_rise(strip: dict[str, Universe]) -> None:
    published = strip["as published (main reading)"].levels
    without = next(u for u in strip.values() if u.group == "disputed act").levels
    assert np.flatnonzero(published != without).tolist() == [240]  # January 2026
    assert published[240] == 3
    assert without[240] == 2


def test_links_are_what_their_labels_say(strip: dict[str, Universe]) -> None:
    leverage = np.array([0.0, 0.4, 1.0, 1.5])
    np.testing.assert_allclose(strip["pressure linear"].link(leverage), leverage)
    np.testing.assert_allclose(strip["pressure capped at 1"].link(leverage), [0, 0.4, 1, 1])
    np.testing.assert_allclose(strip["pressure as yes or no"].link(leverage), [0, 0, 1, 1])


def test_priors_change_where_they_should(strip: dict[str, Universe]) -> None:
    here = strip["as published (main reading)"].constants
    assert strip["selection factor 1"].constants.rise[3, 0] == pytest.approx(here.rise[3, 0] - np.log(0.75))
    assert strip["no going on through 3"].constants.skip_up[2, 0] == 0
    assert strip["pressure symmetric"].constants.symmetric
    assert strip["weak priors"].constants.leverage[1] == pytest.approx(2 * here.leverage[1])
    assert strip["drug cases alone"].constants.rise[3, 0] < here.rise[3, 0]
    for label, names in OFF.items():
        for name in names:
            assert getattr(here, name).any(), name
            assert not getattr(strip[label].constants, name).any(), (label, name)
