"""What an edit of priors acts on: the weights of draws, skips, drivers, other questions, or only a new fit."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from forecast.priors.catalogue import COMPANIONS
from forecast.priors.load import Priors
from forecast.priors.outside_view import RISE, SKIP
from forecast.reweighting.driver_update import ELASTICITIES, LEVERAGE, POLLS
from forecast.reweighting.importance_ratios import PARAMETER_READERS

type How = Literal["reweighted", "recomputed", "refit"]

READING_WEIGHTS: Final = "readings.weights"
SELECTION: Final = "outside_view.selection"
DELAYS: Final = ("exposure.delay.3", "exposure.delay.4")
NEVER_DISCLOSED: Final = ("exposure.never.3", "exposure.never.4")
DIRECT: Final = ("direct.rate", "direct.leverage")
COUNTED: Final = (*(f"companion.{slug}" for slug in COMPANIONS), "events.determination")
FITTED: Final = ("outside_view.classes", "outside_view.widening")
"""Priors of model 1, whose fit to other states gives the priors of the ladder: an edit takes effect only by a new fit."""


def edited_priors(old: Priors, new: Priors) -> tuple[str, ...]:
    """The names of the priors that differ."""
    return tuple(name for name in old if old.spec(name) != new.spec(name))


def answerable(names: Collection[str]) -> bool:
    """Whether draws can answer edits of these priors."""
    return not any(n in FITTED for n in names)


@dataclass(frozen=True)
class EditEffects:
    """The priors that changed.

    names      all of them
    densities  of model 5, those whose density ratio weights the draws
    skips      of model 5, those whose draws are moved
    The selection factor is in the prior of a rise and of a skip, so its edit counts as an edit of both.
    """

    names: tuple[str, ...]
    densities: frozenset[str]
    skips: frozenset[str]

    @classmethod
    def of(cls, old: Priors, new: Priors) -> EditEffects:
        names = edited_priors(old, new)
        touched = {*names, RISE, SKIP} if SELECTION in names else {*names}
        skips = frozenset(n for n in touched if n.startswith("ladder.skip"))
        return cls(names, frozenset(n for n in touched if n in PARAMETER_READERS) - skips, skips)

    def any(self, of: Collection[str]) -> bool:
        return any(n in of for n in self.names)

    @property
    def rebuilds(self) -> bool:
        """Whether the drivers change, over history or on the paths."""
        return self.any(LEVERAGE) or self.any(ELASTICITIES) or self.any(POLLS)

    @property
    def ladder(self) -> bool:
        """Whether the edit touches the questions about levels."""
        return bool(self.densities or self.skips or self.rebuilds or READING_WEIGHTS in self.names)

    @property
    def how(self) -> How:
        """Reweighted if any edited prior weights draws or paths; the selection factor counts as recomputed."""
        if not answerable(self.names):
            return "refit"
        weighs = self.rebuilds or bool(self.densities & {*self.names}) or not self.names
        return "reweighted" if weighs else "recomputed"

    def notes(self) -> Iterator[str]:
        """Sentences that go with any answer."""
        for name in self.names:
            if name in NEVER_DISCLOSED:
                yield f"{name} is used only in the words of the report: no probability depends on it."
        if fitted := [n for n in self.names if n in FITTED]:
            says = "acts" if len(fitted) == 1 else "act"
            yield f"{' and '.join(fitted)} {says} through a fit to other states, which gives the priors of the ladder: left out here."
