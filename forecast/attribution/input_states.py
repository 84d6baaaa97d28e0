"""The path from the inputs of one run to those of another, and the forecast of each state on it by the draws of one run.

The order is fixed: settings, prior edits one by one, then the steps of the data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from forecast.attribution.data_steps import data_steps
from forecast.data.diff import RowChange, diff_data
from forecast.data.records import ReadingRow
from forecast.data.tables import Data
from forecast.errors import ForecastError
from forecast.forecasting.inputs import Inputs
from forecast.priors.load import Priors
from forecast.progress import Progress
from forecast.reweighting.edit_effects import edited_priors

if TYPE_CHECKING:
    from forecast.reweighting.data_update import FittedDraws
    from forecast.reweighting.diagnostics import Influence

type Kind = Literal["start", "settings", "prior", "revision", "time", "new"]

MAX_PRIORS: Final = 10
"""Largest number of prior edits that are listed one by one; beyond it they are grouped by file."""

_WEIGHTS: Final = "readings.weights"


@dataclass(frozen=True, eq=False)
class InputState:
    """Data and priors that a forecast can be made from.

    kind, label, rows: what distinguishes the state from the one before; rows are the changed rows of data.
    """

    kind: Kind
    label: str
    rows: tuple[RowChange, ...]
    data: Data
    priors: Priors


@dataclass(frozen=True, eq=False)
class InputPath:
    """The states from the inputs of one run (the first) to those of another (the last).

    unread: changes of rows that no model reads; they are in no step.
    """

    states: tuple[InputState, ...]
    unread: tuple[RowChange, ...]


def intermediate_inputs(a: Inputs, b: Inputs) -> InputPath:
    """The path from the inputs `a` to `b`; a single state if nothing differs that a model reads."""
    states = [InputState("start", "", (), a.data, a.priors)]
    settings = diff_data(a.data, b.data)
    data, priors = replace(a.data, scales=b.data.scales, questions=b.data.questions, sources=b.data.sources), a.priors
    if settings.meant:
        label = "; ".join(_setting_label(name, *settings.settings[name]) for name in sorted(settings.meant))
        states.append(InputState("settings", label, (), data, priors))
    for label, names in _prior_edits(a.priors, b.priors):
        priors = priors.replace({name: b.priors.spec(name) for name in names})
        if _WEIGHTS in names and _reading_names(a.data.readings) != _reading_names(b.data.readings):
            data = replace(data, readings=b.data.readings)  # a reading and its weight come and go together
        states.append(InputState("prior", label, (), data, priors))
    steps = data_steps(data, b.data)
    states += [InputState(step.kind, step.label, step.rows, step.data, b.priors) for step in steps.steps]
    if len(states) > 1:
        states[-1] = replace(states[-1], data=b.data, priors=b.priors)
    return InputPath(tuple(states), steps.unread)


def _prior_edits(old: Priors, new: Priors) -> Iterator[tuple[str, Sequence[str]]]:
    names = edited_priors(old, new)
    if len(names) <= MAX_PRIORS:
        yield from ((f"{name}: {old.spec(name)} → {new.spec(name)}", [name]) for name in names)
        return
    file_of = {name: new[name].file or old[name].file for name in names}
    for file in dict.fromkeys(file_of.values()):
        of_file = [name for name in names if file_of[name] == file]
        yield f"{file or 'priors'}: {len(of_file)} edited ({', '.join(of_file[:3])}{', …' if len(of_file) > 3 else ''})", of_file


def _reading_names(rows: Sequence[ReadingRow]) -> set[str]:
    return {row.reading for row in rows}


def _setting_label(name: str, old: str, new: str) -> str:
    return f"{name}, {old or 'nothing'} → {new or 'nothing'}"


@dataclass(frozen=True, eq=False)
class StateForecast:
    """The forecast of one state.

    probability: question id → probability.
    influence: what each draw and each path adds to it, from which its Monte Carlo error follows.
    """

    probability: Mapping[str, float]
    influence: Influence


@dataclass(eq=False)
class StateForecaster:
    """Forecasts of the states of a path by the draws of one run, reweighted to each state.

    draws: the fitted draws.
    states: those of the path.
    own: states that are forecast whatever the weights, since the run published the forecast of that state from these draws.
    known: number of a state → its forecast, as far as they were made.
    """

    draws: FittedDraws
    states: Sequence[InputState]
    own: Collection[int]
    progress: Progress
    known: dict[int, StateForecast | None] = field(default_factory=dict)

    def forecast(self, i: int) -> StateForecast | None:
        """Of state `i`; None if the rule of reweighting (k̂, effective draws, Monte Carlo error) refuses it, or it has no forecast."""
        if i not in self.known:
            self.known[i] = self._reweight(i)
        return self.known[i]

    def carried(self) -> dict[int, StateForecast]:
        """The forecasts of all states that these draws can carry, by the state's number."""
        forecasts = {i: self.forecast(i) for i in range(len(self.states))}
        return {i: forecast for i, forecast in forecasts.items() if forecast is not None}

    def _reweight(self, i: int) -> StateForecast | None:
        from forecast.forecasting.origin_state import build_origin_state
        from forecast.reweighting.data_update import reweight_to_inputs

        state = self.states[i]
        self.progress("what moved", i / len(self.states), state.label or "the run before")
        fitted = self.draws.origin_state
        try:
            same = state.data is fitted.data and state.priors is fitted.priors
            origin_state = fitted if same else build_origin_state(state.data, state.priors, fitted.seed)
            reweighted = reweight_to_inputs(self.draws, origin_state)
        except ForecastError:  # no forecast can be made from this state; its step becomes one with the next
            return None
        return StateForecast(reweighted.probability, reweighted.influence) if i in self.own or reweighted.accepted else None
