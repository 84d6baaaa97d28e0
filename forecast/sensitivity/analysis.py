"""What the headline is made of: what each prior and block of data does to it, where it flips, and what is fixed or cannot be seen.

All from the arrays of `draws.npz` and the priors, so that the command and the report say the same. NumPy only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forecast.model.tolerance_data import LOGIT_60
from forecast.priors.catalogue import CATALOGUE
from forecast.priors.descriptions import short_label
from forecast.priors.load import Priors
from forecast.sensitivity.analysis import ALL_DATA, ALL_PRIORS, COUNTS, DEATHS, POLLED, RECORD, SKIPS, components, month_of
from forecast.sensitivity.power_scaling import POWERS, THRESHOLD, TILTS, Label, PowerScaling, ScaledEffect, diagnose
from forecast.sensitivity.settings_sweep import Sweep, sweeps
from forecast.sensitivity.target_question import target_question
from forecast.sensitivity.tipping_points import MOST, Crossing, Point, SharedBias, TippingPoint, share, shared_bias, tipping_points
from forecast.typing import Arrays


@dataclass(frozen=True)
class Sensitivity:
    """Everything that was asked about the headline. `scaled` is in order of size, what cannot be scaled last."""

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
            "scaled": [_scaled(s, self.probability) for s in self.scaled],
            "flips": [_flip(f) for f in self.flips],
            "sweeps": [_sweep(s, self.probability) for s in self.sweeps],
            "shared_bias": _bias(self.bias),
        }

    @property
    def label(self) -> Label:
        """What the headline itself is, under all priors of model 5 together and under all that model 5 is fitted to."""
        speeds = {s.name: s.sensitivity or 0.0 for s in self.scaled}
        return diagnose(speeds[ALL_PRIORS], speeds[ALL_DATA])


def analyse_sensitivity(arrays: Arrays, priors: Priors, question: str) -> Sensitivity:
    """Ask everything about one question of the kind *reached by*; a few seconds.

    arrays: of `draws.npz`, or `archive.pack` of a forecast; priors: those that it was made with.
    """
    headline = target_question(arrays, priors, question)
    found = components(arrays, priors, headline)
    return Sensitivity(
        headline=question,
        probability=headline.probability,
        scaled=tuple(sorted(found, key=lambda s: (not s.moves, s.kind != "all", -_size(s, headline.probability)))),
        flips=tipping_points(headline, priors),
        sweeps=sweeps(arrays, priors, headline),
        bias=shared_bias(headline),
    )


def _size(s: PowerScaling, probability: float) -> float:
    return max((abs(m.probability - probability) for m in (*s.moves, *s.tilts)), default=0.0)


_DATA_WORDS: Final = {
    ALL_PRIORS: "all priors of tolerance",
    ALL_DATA: "all data of tolerance",
    RECORD: "record of rises and falls",
    f"{RECORD}.quiet": "months without a change",
    SKIPS: "how often moves went on",
    POLLED: "polls",
    COUNTS: "counts of events",
    DEATHS: "overdose counts",
}


def words_of(name: str) -> str:
    """A component in few words."""
    if name in CATALOGUE:
        return short_label(name)
    return _DATA_WORDS.get(name) or f"record of {month_of(name)}"


def _scaled(s: PowerScaling, probability: float) -> dict[str, Any]:
    return {
        "name": s.name,
        "kind": s.kind,
        "symbol": CATALOGUE[s.name].symbol if s.name in CATALOGUE else None,
        "words": words_of(s.name),
        "moves": [{"alpha": m.at} | _move(m, probability) for m in s.moves],
        "tilts": [{"sds": m.at} | _move(m, probability) for m in s.tilts],
        "sensitivity": s.sensitivity,
        "own": None if s.own is None else {"prior": s.own[0], "data": s.own[1]},
        "label": s.label,
        "note": s.note,
    }


def _move(m: ScaledEffect, probability: float) -> dict[str, Any]:
    return {
        "probability": m.probability, "difference": m.probability - probability, "k_hat": _finite(m.k_hat), "ess": m.ess,
    }  # fmt: skip


def _finite(k_hat: float) -> float | None:
    """JSON has no infinities: of weights that are all equal k̂ is −inf, of a tail that no Pareto fits +inf."""
    return k_hat if math.isfinite(k_hat) else None


def _flip(f: TippingPoint) -> dict[str, Any]:
    entry = CATALOGUE[f.name]
    return {
        "name": f.name, "symbol": entry.symbol, "words": words_of(f.name), "unit": entry.unit, "now": f.now, "low": f.low, "high": f.high,
        "crossings": [_crossing(line, c) for line, c in f.crossings.items()],
        "curve": [_point(p) for p in f.curve],
    }  # fmt: skip


def _crossing(line: float, c: Crossing | None) -> dict[str, Any]:
    return {"line": line, "value": c and c.value, "error": c and c.error, "rough": bool(c and c.rough)}


def _point(p: Point) -> dict[str, Any]:
    return {"value": p.value, "probability": p.probability, "mcse": p.mcse, "k_hat": _finite(p.k_hat), "trusted": p.trusted}


def _sweep(s: Sweep, probability: float) -> dict[str, Any]:
    return {
        "name": s.name, "words": words_of(s.name), "part": s.part, "value": s.at.value, "accepted": s.at.trusted,
        "probability": s.at.probability, "difference": s.at.probability - probability, "k_hat": _finite(s.at.k_hat),
    }  # fmt: skip


def _bias(b: SharedBias) -> dict[str, Any]:
    now = float(np.log(b.opposed_now / (1 - b.opposed_now))) - LOGIT_60

    def crossed(line: float, c: Crossing | None) -> dict[str, Any]:
        return _crossing(line, c) | {"sixty_is": c and share(c.value), "now_is": c and share(now + c.value)}

    chances = [p.probability for p in b.curve]
    return {
        "most": MOST, "trusted": b.trusted, "opposed_now": b.opposed_now, "low": min(chances), "high": max(chances),
        "sixty_at_most": [share(-MOST), share(MOST)],
        "crossings": [crossed(line, c) for line, c in b.crossings.items()],
        "halved": b.halved and crossed(b.halved.line, b.halved), "doubled": b.doubled and crossed(b.doubled.line, b.doubled),
        "curve": [_point(p) for p in b.curve],
    }  # fmt: skip
