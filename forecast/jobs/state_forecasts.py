"""Draws that tell states: those of a run, or of a fit made for the purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from forecast.attribution.input_states import InputState
from forecast.attribution.sequential import Values
from forecast.errors import ForecastError
from forecast.forecasting.inputs import Inputs
from forecast.progress import Progress, within
from forecast.reweighting.data_update import FittedDraws, reweight_to_inputs
from forecast.reweighting.diagnostics import Influence


@dataclass(eq=False)
class ReweightedForecaster:
    """What fitted draws say of each state: weighted to it, if the rule of weighting allows it.

    own: the states they always tell, since a published forecast of it was made of them.
    """

    basis: FittedDraws
    states: tuple[InputState, ...]
    own: tuple[int, ...]
    progress: Progress
    said: dict[int, tuple[Values, Influence] | None] = field(default_factory=dict)

    def __call__(self, i: int) -> Values | None:
        found = self._found(i)
        return found and found[0]

    def error(self, i: int) -> Values:
        """Monte Carlo standard errors of what they say of a state they tell."""
        return self._spread(i).se()

    def comb_error(self, i: int) -> Values:
        """By how much a forecast of a state may differ for its draws being taken whole."""
        return self._spread(i).resampling_se()

    def apart(self, i: int, other: ReweightedForecaster, j: int) -> Values:
        """Monte Carlo standard errors of what `other` says of state j less what these say of state i."""
        same_paths = self.basis.situation.seed == other.basis.situation.seed
        return self._spread(i).difference_se(other._spread(j), self is other, same_paths)

    def _spread(self, i: int) -> Influence:
        found = self._found(i)
        assert found is not None, "only of states that are told"
        return found[1]

    def _found(self, i: int) -> tuple[Values, Influence] | None:
        if i not in self.said:
            self.said[i] = self._say(i)
        return self.said[i]

    def _say(self, i: int) -> tuple[Values, Influence] | None:
        from forecast.forecasting.origin_state import build_origin_state

        state = self.states[i]
        self.progress("what moved", i / len(self.states), state.label or "the run before")
        try:
            found = reweight_to_inputs(self.basis, build_origin_state(state.data, state.priors, self.basis.situation.seed))
        except ForecastError:  # no forecast can be made from this state: it is told together with the next
            return None
        if i not in self.own and not found.accepted:
            return None
        return found.probability, found.influence


@dataclass(frozen=True, eq=False)
class Fit:
    """A fit of one state: its draws, what it says and the stated Monte Carlo errors."""

    basis: FittedDraws
    values: Values
    mcse: Values


def fitted(inputs: Inputs, state: InputState, seed: int, progress: Progress) -> Fit:
    """Fit a state for real; the progress of the fit is said as part of what moved. Raises GateError if it fails twice."""
    from forecast.jobs.run import fit

    changed = replace(inputs, data=state.data, priors=state.priors, scenarios=())
    made = fit(changed, seed, within(progress, "what moved"), explored=False)
    some = next(iter(made.readings.values()))
    basis = FittedDraws(made.situation, {name: f.draws for name, f in made.readings.items()}, some.prior_draws)
    return Fit(basis, {q: a.probability for q, a in made.answers.items()}, {q: a.mcse for q, a in made.answers.items()})


def fits_between(
    inputs: Inputs, states: tuple[InputState, ...], seed: int, progress: Progress
) -> Callable[[int], ReweightedForecaster | None]:
    """For states that the draws of neither run tell; what cannot be fitted is None."""

    def between(i: int) -> ReweightedForecaster | None:
        try:
            return ReweightedForecaster(fitted(inputs, states[i], seed, progress).basis, states, (i,), progress)
        except ForecastError:
            return None

    return between
