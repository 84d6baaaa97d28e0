"""`forecast priors reference`: fit the outside view class by class, pool, widen, and say which priors of the ladder it gives."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

import numpy as np
import xarray as xr

from forecast.data.records import Spell
from forecast.data.tables import Data
from forecast.errors import GateError, UsageError
from forecast.forecasting.inputs import Inputs
from forecast.inference.gate import Diagnostics, diagnose, scalar_draws
from forecast.inference.sample import Sampler, compile_sampler
from forecast.inference.settings import SamplerSettings
from forecast.model.outside_view import KEPT, build_outside_view, observed
from forecast.model.outside_view_data import (
    SELECTIONS,
    ComparableState,
    EntryRate,
    HighLevelEntry,
    PressureYear,
    TransitionCounts,
    Transitions,
    comparable_states,
    count_transitions,
    entry_rates,
    list_entries,
    list_transitions,
)
from forecast.model.outside_view_predictive import (
    NewStatePredictive,
    ladder_specs,
    predict_new_state,
    predictive_of_priors,
    pressure_specs,
    reach_probability,
)
from forecast.priors.apply_edits import write_edits
from forecast.priors.load import Priors, load_priors
from forecast.priors.outside_view import DRUG_CASES, SAME_YEAR, YEAR_BEFORE, Alternatives, alternatives_file
from forecast.priors.specs import PriorSpec
from forecast.progress import Progress, silent, within
from forecast.storage.locks import folder_lock
from forecast.workspace import Workspace, check_writable

SEED: Final = 2026
WHY: Final = "Fitted to the states compared."
FIRST: Final = SamplerSettings()
RETRY: Final = SamplerSettings(target_accept=0.97)
PRIOR_DRAWS: Final = 4_000


@dataclass(frozen=True, eq=False)
class ClassFit:
    """The outside view on one class: what was counted, the predictive for a new state, and the sampler's health."""

    name: str
    weight: float
    counts: TransitionCounts
    entries: int
    state: NewStatePredictive
    diagnostics: Diagnostics

    @property
    def months(self) -> int:
        return int((self.counts.rise + self.counts.stay + self.counts.fall).sum())


@dataclass(frozen=True, slots=True)
class NewStateChance:
    """P(level ≥ 4 within twelve months) of a new state, under pressure all the time or never: mean, and 5, 50, 95 % over draws."""

    of: str  # a class, or "priors"
    start: int
    pressed: bool
    mean: float
    q05: float
    q50: float
    q95: float


@dataclass(frozen=True, eq=False)
class ReferenceFit:
    """The fitted outside view. `specs` are the priors it gives, `changed` those that differ from the input priors, as (old, new)."""

    specs: Mapping[str, PriorSpec]
    changed: Mapping[str, tuple[PriorSpec, PriorSpec]]
    states: tuple[ComparableState, ...]
    rates: tuple[EntryRate, ...]
    classes: tuple[ClassFit, ...]
    chances: tuple[NewStateChance, ...]
    entries: tuple[HighLevelEntry, ...]
    pressure: PressureYear
    dropped: tuple[str, ...]
    seed: int


def compile_reference(data: Data) -> Sampler:
    """Compile the outside view for the states of these data; serves `reference` on them and on any earlier view or part of them."""
    return compile_sampler(build_outside_view(_names(data)), KEPT)


def check_choices(data: Data, classes: Mapping[str, float] | None, drop: Collection[str]) -> None:
    """UsageError for an unknown class or state, or weights that are all 0. It is checked before anything is compiled."""
    if classes is not None:
        _weights(classes)
    _without(data, drop)


def fit_reference(
    data: Data,
    priors: Priors,
    *,
    seed: int = SEED,
    classes: Mapping[str, float] | None = None,
    drop: Collection[str] = (),
    pressure: PressureYear = "same",
    names: Collection[str] | None = None,
    sampler: Sampler | None = None,
    progress: Progress = silent,
) -> ReferenceFit:
    """Fit model 1 to each class and turn the predictives for a new state into priors of the ladder; nothing is written.

    data      as of a date, if that is wanted
    classes   weights by name of `SELECTIONS` in place of the prior `outside_view.classes`; made to sum to one
    drop      states left out
    pressure  the year whose request or threat acts on a month: "same" is the default, "previous" is free of hindsight within the year
    sampler   from `compile_reference`; with `names`, the states it was compiled for, if they are more than those of `data`

    Raises UsageError for an unknown class or state, GateError if a fit fails twice.
    """
    weights = _weights(priors.parts("outside_view.classes") if classes is None else classes)
    listed = _names(data) if names is None else tuple(sorted(names))
    transitions = list_transitions(_without(data, drop), data.states, data.pressure, names=listed)
    if sampler is None:
        progress("compiling the outside view")
        sampler = compile_sampler(build_outside_view(listed), KEPT)
        progress("compiling the outside view", 1.0)
    fits = []
    for i, (name, weight) in enumerate(weights.items()):
        progress("fitting the outside view", i / len(weights), name.replace("_", " "))
        fits.append(_fit(name, weight, transitions, pressure, sampler, seed + i))
    progress("fitting the outside view", 1.0)
    specs = ladder_specs({f.name: f.state for f in fits}, weights, priors.parts("outside_view.widening"))
    own = predictive_of_priors(priors.replace(specs), PRIOR_DRAWS, seed)
    return ReferenceFit(
        specs=specs,
        changed={name: (priors.spec(name), spec) for name, spec in specs.items() if priors.spec(name) != spec},
        states=comparable_states(_without(data, drop), transitions),
        rates=entry_rates(transitions, tuple(weights)),
        classes=tuple(fits),
        chances=tuple(c for name, state in [*((f.name, f.state) for f in fits), ("priors", own)] for c in _chances(name, state)),
        entries=list_entries(transitions),
        pressure=pressure,
        dropped=tuple(sorted(drop)),
        seed=seed,
    )


def count_states(data: Data, drop: Collection[str] = ()) -> tuple[tuple[ComparableState, ...], tuple[EntryRate, ...]]:
    """The states and the rates of reaching level 4 as they were counted; nothing is fitted. UsageError for an unknown state."""
    spells = _without(data, drop)
    transitions = list_transitions(spells, data.states, data.pressure)
    return comparable_states(spells, transitions), entry_rates(transitions)


def write_reference(
    result: ReferenceFit,
    where: Workspace,
    *,
    now: datetime,
    by: str,
    as_of: date | None = None,
    alternatives: Alternatives | None = None,
) -> None:
    """Write the priors that differ into their file and into its history, reasons and notes staying, and the alternatives beside them.

    as_of: the day as of which the states were read, if not today. All of it is written or nothing. Raises what `change` does, and
    UsageError in a workspace that must not be edited.
    """
    check_writable(where)
    weights = ", ".join(f"{f.name} {f.weight:.3g}" for f in result.classes)
    without = f" without {', '.join(result.dropped)}" if result.dropped else ""
    year = {"same": "of the same year", "previous": "of the year before", "none": "left out"}[result.pressure]
    then = f" as of {as_of}" if as_of else ""
    asked = f"reference_spells.csv{then}{without}, pressure {year}, seed {result.seed}"
    source = f"outside view: {asked}; pool of {weights}; rises and stays widened"
    with folder_lock(where.priors):
        beside = None if alternatives is None else alternatives_file(where.priors, alternatives)
        priors = load_priors(where.priors)
        write_edits(where.priors, priors, result.specs, why=WHY, by=by, source=source, now=now, keep_rationale=True, beside=beside)


def fit_alternatives(
    data: Data, priors: Priors, result: ReferenceFit, *, sampler: Sampler | None = None, progress: Progress = silent
) -> dict[str, dict[str, PriorSpec]]:
    """The sets of priors that the report compares with the published ones: one class alone, and pressure coded in two ways.

    `result` is of the same data, with pressure of the same year. Raises GateError if a fit fails twice.
    """
    before = fit_reference(data, priors, seed=result.seed, pressure="previous", sampler=sampler, progress=progress)
    drug_cases = {f.name: f.state for f in result.classes if f.name == DRUG_CASES}
    widening = priors.parts("outside_view.widening")
    return {
        DRUG_CASES: ladder_specs(drug_cases, dict.fromkeys(drug_cases, 1.0), widening),
        SAME_YEAR: _pressure(result),
        YEAR_BEFORE: _pressure(before),
    }


def _pressure(result: ReferenceFit) -> dict[str, PriorSpec]:
    return pressure_specs({f.name: f.state for f in result.classes}, {f.name: f.weight for f in result.classes})


def _names(data: Data) -> tuple[str, ...]:
    return tuple(sorted({s.country for s in data.spells}))


def _weights(given: Mapping[str, float]) -> dict[str, float]:
    if unknown := sorted(set(given) - set(SELECTIONS)):
        raise UsageError(f"There is no class of states named {unknown[0]!r}.", f"The classes are {', '.join(SELECTIONS)}.")
    counted = {name: weight for name, weight in given.items() if weight > 0}
    if not counted or not all(math.isfinite(w) and w >= 0 for w in given.values()):
        raise UsageError(
            "The weights of the classes must be plain numbers, one of them above 0 and none below.",
            "Write all_but_failed=0.5, for instance.",
        )
    total = sum(counted.values())
    return {name: weight / total for name, weight in counted.items()}


def _without(data: Data, drop: Collection[str]) -> tuple[Spell, ...]:
    if unknown := sorted(set(drop) - set(_names(data))):
        raise UsageError(f"There is no comparable state named {unknown[0]!r}.", f"The states are {', '.join(_names(data))}.")
    return tuple(s for s in data.spells if s.country not in drop)


def _fit(name: str, weight: float, transitions: Transitions, pressure: PressureYear, sampler: Sampler, seed: int) -> ClassFit:
    selected = SELECTIONS[name](transitions)
    counts = count_transitions(transitions, selected, pressure)
    posterior, diagnostics = sample_counts(name, counts, sampler, seed)
    return ClassFit(
        name, weight, counts, int((selected & transitions.entries).sum()), predict_new_state(posterior, counts, seed), diagnostics
    )


def sample_counts(what: str, counts: TransitionCounts, sampler: Sampler, seed: int) -> tuple[xr.Dataset, Diagnostics]:
    """The posterior of model 1 given these counts, through the gate: one retry with another seed, then GateError."""
    for attempt, settings in enumerate((FIRST, RETRY)):
        run = sampler(observed(counts), seed + 1_000 * attempt, settings)
        posterior, stats = run["posterior"].to_dataset()[list(KEPT)], run["sample_stats"].to_dataset()
        diagnostics = diagnose(scalar_draws(posterior), stats["diverging"].values, stats["energy"].values, settings.chains, settings.draws)
        if diagnostics.passed:
            return posterior, diagnostics.after_retry() if attempt else diagnostics
    raise GateError(f"The outside view on {what} was not sampled soundly: {'; '.join(diagnostics.reasons)}.", "Try another seed.")


def _chances(of: str, state: NewStatePredictive) -> list[NewStateChance]:
    out = []
    for start in (2, 3):
        for pressed in (False, True):
            p = reach_probability(state, start, pressed=pressed)
            low, middle, high = np.quantile(p, [0.05, 0.5, 0.95])
            out.append(NewStateChance(of, start, pressed, float(p.mean()), float(low), float(middle), float(high)))
    return out


def with_priors_as_of(inputs: Inputs, progress: Progress = silent) -> Inputs:
    """The inputs with the ladder's priors fitted to what was public about other states on `inputs.as_of`; unchanged without that date.

    Priors that people wrote stay. They were set with hindsight, and the report says so. Raises GateError if a fit fails twice.
    """
    if inputs.as_of is None:
        return inputs
    fitted = fit_reference(inputs.data, inputs.priors, progress=within(progress, "outside view"))
    return replace(inputs, priors=inputs.priors.replace(fitted.specs))
