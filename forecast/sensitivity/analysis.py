"""How much the headline depends on each prior, each block of data and each setting, and where it crosses a line.

All from the arrays of `draws.npz` and the priors, so that the command and the report have the same numbers. No PyMC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from forecast.arrays.psis import finite_k_hat
from forecast.arrays.transforms import logit
from forecast.domain import FIRST_MONTH, Month, month_text
from forecast.model.tolerance_data import LOGIT_60
from forecast.priors.catalogue import CATALOGUE
from forecast.priors.descriptions import short_label
from forecast.priors.load import Priors
from forecast.reweighting.driver_update import ELASTICITIES, POLLS
from forecast.reweighting.importance_ratios import PARAMETER_READERS, skip_counts_of, skips_log_likelihood
from forecast.sensitivity.power_scaling import (
    POWERS,
    THRESHOLD,
    TILTS,
    DrawReweighter,
    Label,
    PathProbabilities,
    PathReweighter,
    PowerScaling,
    diagnose,
    parameter_prior,
    path_parameter_prior,
    scale_component,
    scale_prior,
)
from forecast.sensitivity.settings_sweep import Sweep, sweeps
from forecast.sensitivity.target_question import TargetQuestion, target_question
from forecast.sensitivity.tipping_points import BIAS_MAX, Crossing, SharedBias, TippingPoint, opposed_share, shared_bias, tipping_points
from forecast.typing import Arrays

ALL_PRIORS: Final = "all priors"
ALL_DATA: Final = "all data"
RECORD: Final = "record"
SKIPS: Final = "skips"
POLLED: Final = "polls"
COUNTS: Final = "events"
DEATHS: Final = "overdoses"
_BLOCK_WORDS: Final = {
    ALL_PRIORS: "all priors of tolerance",
    ALL_DATA: "all data of tolerance",
    RECORD: "record of rises and falls",
    f"{RECORD}.quiet": "months without a change",
    SKIPS: "how often moves went on",
    POLLED: "polls",
    COUNTS: "counts of events",
    DEATHS: "overdose counts",
}

_SETTING: Final = "A setting, not a distribution: it is swept."
_FITTED: Final = "Acts through the fit to other states, which the draws do not hold: see `forecast priors reference`."
_KNOWN: Final = "Acts on what is publicly known, not on the headline."
_ELSEWHERE: Final = "Acts on a question of its own, not on the headline."
_ESTIMATE: Final = "The draws hold the estimate of deaths, not how well each count fits it; final counts leave little open."
_NOTES: Final = {
    **dict.fromkeys(("leverage.weights", "readings.weights", "outside_view.selection"), _SETTING),
    **{name: _SETTING for name in CATALOGUE if name.startswith("leverage.half_life")},
    **dict.fromkeys(("outside_view.classes", "outside_view.widening"), _FITTED),
    **{name: _KNOWN for name in CATALOGUE if name.startswith("exposure")},
    **{name: _ELSEWHERE for name in CATALOGUE if name.startswith(("companion", "direct"))},
    "events.determination": _ELSEWHERE,
}
"""Why a prior cannot be scaled."""


@dataclass(frozen=True)
class Sensitivity:
    """The sensitivity of one question.

    scaled  every component, in order of its effect, those that cannot be scaled last
    flips   along each effect
    sweeps  at other settings
    bias    under a bias that all pollsters share
    """

    headline: str
    probability: float
    scaled: tuple[PowerScaling, ...]
    flips: tuple[TippingPoint, ...]
    sweeps: tuple[Sweep, ...]
    bias: SharedBias

    def as_dict(self) -> dict[str, Any]:
        """The form of `report.json`'s `sensitivity`."""
        return {
            "headline": self.headline,
            "probability": self.probability,
            "powers": list(POWERS),
            "tilts": list(TILTS),
            "threshold": THRESHOLD,
            "label": self.label,
            "scaled": [_scaled(s) for s in self.scaled],
            "flips": [_json(f) | _named(f.name) | {"unit": CATALOGUE[f.name].unit} for f in self.flips],
            "sweeps": [_sweep(s, self.probability) for s in self.sweeps],
            "shared_bias": _bias(self.bias),
        }

    @property
    def label(self) -> Label:
        """Of the headline under all priors of model 5 together, and under all data that model 5 is fitted to."""
        gradients = {s.name: s.sensitivity or 0.0 for s in self.scaled}
        return diagnose(gradients[ALL_PRIORS], gradients[ALL_DATA])


def analyse_sensitivity(arrays: Arrays, priors: Priors, question: str) -> Sensitivity:
    """The whole analysis of one question of the kind *reached by*; it takes some seconds.

    arrays: of `draws.npz`, or `draws_archive.pack` of a forecast; priors: those that it was made with.
    """
    target = target_question(arrays, priors, question)

    def size(s: PowerScaling) -> float:
        return max((abs(effect.difference) for effect in (*s.moves, *s.tilts)), default=0.0)

    return Sensitivity(
        headline=question,
        probability=target.probability,
        scaled=tuple(sorted(components(arrays, priors, target), key=lambda s: (not s.moves, s.kind != "all", -size(s)))),
        flips=tipping_points(target, priors),
        sweeps=sweeps(arrays, priors, target),
        bias=shared_bias(target),
    )


def components(arrays: Arrays, priors: Priors, target: TargetQuestion) -> Iterator[PowerScaling]:
    """Every named prior and every block of data, power-scaled, or why one is not; those of model 5 together first."""
    draws = DrawReweighter(target)
    by_prior = {name: parameter_prior(target, priors, name) for name in PARAMETER_READERS}
    record = np.array([r.record.by_month.sum(1) for r in target.readings])
    skips = np.array([skips_log_likelihood(r.draws, skip_counts_of(arrays, r.name)) for r in target.readings])
    yield scale_component(ALL_PRIORS, "all", draws, np.sum([p.log_density for p in by_prior.values()], axis=0))
    yield scale_component(ALL_DATA, "all", draws, record + skips)
    yield scale_component(RECORD, "data", draws, record)
    yield scale_component(SKIPS, "data", draws, skips)
    changes = np.any([np.diff(r.history.levels) != 0 for r in target.readings], axis=0)
    for t in np.flatnonzero(changes):  # each month in which some reading has a change; all others together are the quiet ones
        name = f"{RECORD}.{month_text(Month(FIRST_MONTH + int(t) + 1))}"
        yield scale_component(name, "data", draws, np.array([r.record.by_month[:, t] for r in target.readings]))
    quiet = np.array([r.record.by_month[:, ~changes].sum(1) for r in target.readings])
    yield scale_component(f"{RECORD}.quiet", "data", draws, quiet)
    for name, parameter in by_prior.items():
        yield scale_prior(name, draws, parameter, skips if name.startswith("ladder.skip") else record)
    evaluated = PathProbabilities.of(arrays, target)
    for block, names in ((COUNTS, ELASTICITIES), (POLLED, POLLS)):
        paths, data = PathReweighter(evaluated, opposed=names is POLLS), np.asarray(arrays[f"{block}/log_likelihood"], float)
        yield scale_component(block, "data", paths, data)
        for name in names:
            yield scale_prior(name, paths, path_parameter_prior(arrays, priors, name), data)
    yield PowerScaling(DEATHS, "data", note=_ESTIMATE)
    yield from (PowerScaling(name, "prior", note=note) for name, note in _NOTES.items())


def words_of(name: str) -> str:
    """A component in few words."""
    if name in CATALOGUE:
        return short_label(name)
    return _BLOCK_WORDS.get(name) or f"record of {name.partition('.')[2]}"


def _json(result: Any) -> dict[str, Any]:
    """A dataclass as JSON objects and lists; an infinite k̂ is None."""

    def plain(key: str, value: Any) -> Any:
        if key == "k_hat":
            return finite_k_hat(value)
        return list(value) if isinstance(value, tuple) else value

    return asdict(result, dict_factory=lambda items: {key: plain(key, value) for key, value in items})


def _scaled(s: PowerScaling) -> dict[str, Any]:
    row = _json(s)
    for moves, at in (("moves", "alpha"), ("tilts", "sds")):
        row[moves] = [{at: move.pop("at"), **move} for move in row[moves]]
    return row | _named(s.name) | {"label": s.label}


def _named(name: str) -> dict[str, str | None]:
    return {"symbol": CATALOGUE[name].symbol if name in CATALOGUE else None, "words": words_of(name)}


def _sweep(s: Sweep, probability: float) -> dict[str, Any]:
    point = _json(s.at)
    return {
        "name": s.name, "words": words_of(s.name), "part": s.part, "value": s.at.value, "accepted": s.at.trusted,
        "probability": s.at.probability, "difference": s.at.probability - probability, "k_hat": point["k_hat"],
    }  # fmt: skip


def _bias(b: SharedBias) -> dict[str, Any]:
    now = float(logit(b.opposed_now)) - LOGIT_60

    def crossed(c: Crossing) -> dict[str, Any]:
        sixty, present = (None if c.value is None else opposed_share(d + c.value) for d in (0.0, now))
        return asdict(c) | {"sixty_is": sixty, "now_is": present}

    probabilities = [p.probability for p in b.curve]
    return {
        "most": BIAS_MAX, "trusted": b.trusted, "opposed_now": b.opposed_now, "low": min(probabilities), "high": max(probabilities),
        "sixty_at_most": [opposed_share(-BIAS_MAX), opposed_share(BIAS_MAX)],
        "crossings": [crossed(c) for c in b.crossings],
        "halved": b.halved and crossed(b.halved), "doubled": b.doubled and crossed(b.doubled),
        "curve": [_json(p) for p in b.curve],
    }  # fmt: skip
