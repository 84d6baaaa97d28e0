"""Every named prior and every block of data, power-scaled; or why one is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from forecast.domain import FIRST_MONTH, Month, month_text
from forecast.priors.catalogue import CATALOGUE
from forecast.priors.load import Priors
from forecast.reweighting.driver_update import ELASTICITIES, POLLS, parameter_by_path
from forecast.reweighting.importance_ratios import PARAMETER_READERS
from forecast.sensitivity.power_scaling import (
    ParameterPrior,
    PathEvaluations,
    PowerScaling,
    Terms,
    parameter_prior,
    scale_component,
    scale_paths,
    scale_prior,
    scale_prior_of_paths,
    skips_likelihood,
)
from forecast.sensitivity.target_question import TargetQuestion
from forecast.typing import Arrays

ALL_PRIORS: Final = "all priors"
ALL_DATA: Final = "all data"
RECORD: Final = "record"
SKIPS: Final = "skips"
POLLED: Final = "polls"
COUNTS: Final = "events"
DEATHS: Final = "overdoses"

SETTING: Final = "A setting, not a distribution: it is swept."
FITTED: Final = "Acts through the fit to other states, which the draws do not hold: see `forecast priors reference`."
KNOWN: Final = "Acts on what is publicly known, not on the headline."
ELSEWHERE: Final = "Acts on a question of its own, not on the headline."
ESTIMATE: Final = "The draws hold the estimate of deaths, not how well each count fits it; final counts leave little open."
OLDER: Final = "The draws of this run are from before it was kept what this takes."
_NOTES: Final = {
    **dict.fromkeys(("leverage.weights", "readings.weights", "outside_view.selection"), SETTING),
    **{name: SETTING for name in CATALOGUE if name.startswith("leverage.half_life")},
    **dict.fromkeys(("outside_view.classes", "outside_view.widening"), FITTED),
    **{name: KNOWN for name in CATALOGUE if name.startswith("exposure")},
    **{name: ELSEWHERE for name in CATALOGUE if name.startswith(("companion", "direct"))},
    "events.determination": ELSEWHERE,
}


def components(arrays: Arrays, priors: Priors, headline: TargetQuestion) -> Iterator[PowerScaling]:
    """All of them, those of model 5 together first."""
    seen = _Seen(arrays, priors, headline)
    yield scale_component(ALL_PRIORS, "all", headline, seen.total(seen.prior(n) for n in PARAMETER_READERS))
    yield scale_component(ALL_DATA, "all", headline, seen.total([seen.record, seen.skips]))
    yield scale_component(RECORD, "data", headline, seen.record)
    yield scale_component(SKIPS, "data", headline, seen.skips)
    yield from _months(headline)
    for name in PARAMETER_READERS:
        yield scale_prior(name, headline, priors, seen.skips if name.startswith("ladder.skip") else seen.record)
    yield from _paths(arrays, priors, headline)
    yield PowerScaling(DEATHS, "data", note=ESTIMATE)
    yield from (PowerScaling(name, "prior", note=note) for name, note in _NOTES.items())


def month_of(name: str) -> str | None:
    """The month of a part of the record, `record.2026-01`; None of other components."""
    return name.partition(".")[2] or None if name.startswith(f"{RECORD}.") else None


@dataclass(frozen=True, eq=False)
class _Seen:
    """Log densities at the draws, by reading."""

    arrays: Arrays
    priors: Priors
    headline: TargetQuestion

    def prior(self, name: str) -> Terms:
        return {r.name: parameter_prior(r.draws, self.priors, name).log_density for r in self.headline.readings}

    @cached_property
    def record(self) -> Terms:
        return {r.name: r.log_likelihood.sum(1) for r in self.headline.readings}

    @cached_property
    def skips(self) -> Terms:
        return {
            r.name: skips_likelihood(r.draws, (self.arrays[f"{r.name}/skips_up"], self.arrays[f"{r.name}/skips_down"]))
            for r in self.headline.readings
        }

    def total(self, terms: Any) -> Terms:
        parts = list(terms)
        return {r.name: np.sum([t[r.name] for t in parts], axis=0) for r in self.headline.readings}


def _months(headline: TargetQuestion) -> Iterator[PowerScaling]:
    """The record in parts: each month in which some reading has a change, and all months in which none has."""
    changes = np.any([np.diff(r.history.levels) != 0 for r in headline.readings], axis=0)
    for t in np.flatnonzero(changes):
        name = f"{RECORD}.{month_text(Month(FIRST_MONTH + int(t) + 1))}"
        yield scale_component(name, "data", headline, {r.name: r.log_likelihood[:, t] for r in headline.readings})
    yield scale_component(f"{RECORD}.quiet", "data", headline, {r.name: r.log_likelihood[:, ~changes].sum(1) for r in headline.readings})


def _paths(arrays: Arrays, priors: Priors, headline: TargetQuestion) -> Iterator[PowerScaling]:
    """What acts through the drivers: priors and data of models 3 and 4."""
    if "events/log_likelihood" not in arrays:
        yield from (PowerScaling(name, "data", note=OLDER) for name in (POLLED, COUNTS))
        yield from (PowerScaling(name, "prior", note=OLDER) for name in (*ELASTICITIES, *POLLS))
        return
    behind = PathEvaluations.of(arrays, headline)
    events, polls = (np.asarray(arrays[f"{name}/log_likelihood"], float) for name in ("events", "polls"))
    yield scale_paths(COUNTS, behind, events, opposed=False)
    yield scale_paths(POLLED, behind, polls, opposed=True)
    for names, met, opposed in ((ELASTICITIES, events, False), (POLLS, polls, True)):
        for name in names:
            found = ParameterPrior(parameter_by_path(arrays, name), priors.distribution(name))
            yield scale_prior_of_paths(name, behind, found, met, opposed)
