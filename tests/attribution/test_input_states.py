"""The way from one run's inputs to another's: settings, then priors, then data, and nothing left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forecast.attribution.input_states import MAX_PRIORS, intermediate_inputs
from forecast.forecasting.inputs import Inputs, load_workspace
from forecast.priors.parsing import parse_prior
from tests.conftest import NOW
from tests.support.data_editing import BUNDLED


@pytest.fixture
def inputs() -> Inputs:
    return load_workspace(BUNDLED.parent, today=NOW.date())


def with_priors(inputs: Inputs, **edits: str) -> Inputs:
    named = {name.replace("__", "."): text for name, text in edits.items()}
    return replace(inputs, priors=inputs.priors.replace({name: parse_prior(name, text) for name, text in named.items()}))


def test_the_same_inputs_are_one_state(inputs: Inputs) -> None:
    (state,) = intermediate_inputs(inputs, inputs).states
    assert (state.kind, state.data, state.priors) == ("start", inputs.data, inputs.priors)


def test_settings_come_first_then_priors_then_data(inputs: Inputs) -> None:
    data = inputs.data
    other = replace(data, scales=replace(data.scales, leverage=2.0), polls=data.polls[1:])
    b = replace(with_priors(inputs, leverage__effect="Normal(1, 1)", drift__sd="HalfNormal(0.4)"), data=other)
    states = intermediate_inputs(inputs, b).states
    assert [s.kind for s in states] == ["start", "settings", "prior", "prior", "revision"]
    assert states[1].label.startswith("scales.toml: leverage, ")
    assert states[1].data.scales == other.scales
    assert states[1].priors == inputs.priors
    assert [s.label.split(":")[0] for s in states[2:4]] == ["leverage.effect", "drift.sd"]
    assert str(states[2].priors.spec("drift.sd")) == "HalfNormal(0.5)"
    assert (states[-1].data, states[-1].priors) == (other, b.priors)


def test_many_priors_are_told_by_file(inputs: Inputs) -> None:
    rises = {f"ladder__rise__{j}": "quantiles(0.01, 0.03, 0.1)" for j in range(5)}
    stays = {f"ladder__stay__{j}": "quantiles(4, 20, 70)" for j in range(1, 6)}
    b = with_priors(inputs, **rises, **stays, drift__sd="HalfNormal(0.4)")
    assert len(rises) + len(stays) + 1 > MAX_PRIORS
    assert [s.label.partition(" (")[0] for s in intermediate_inputs(inputs, b).states[1:]] == [
        "ladder.toml: 10 edited",
        "drift.toml: 1 edited",
    ]


def test_a_new_reading_comes_with_its_weight(inputs: Inputs) -> None:
    row = inputs.data.readings[1].model_copy(update={"reading": "another"})
    weights = "weights(main=0.4, advisers_stayed=0.3, denials_true=0.1, covert_true=0.1, another=0.1)"
    b = with_priors(inputs, readings__weights=weights)
    b = replace(b, data=replace(b.data, readings=(*b.data.readings, row)))
    states = intermediate_inputs(inputs, b).states
    assert [s.kind for s in states] == ["start", "prior"]
    for s in states:
        assert {r.reading for r in s.data.readings} == set(s.priors.parts("readings.weights"))


def test_what_differs_in_words_alone_is_no_state(inputs: Inputs) -> None:
    events = (inputs.data.events[0].model_copy(update={"description": "other words"}), *inputs.data.events[1:])
    assert len(intermediate_inputs(inputs, replace(inputs, data=replace(inputs.data, events=events))).states) == 1
