"""How well two codings of the same records agree: Cohen's kappa, weighted quadratically where the scale has an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.data.tables import Data
from forecast.domain import TOP


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement on one field: the statistic, its value (1 is perfect, 0 is chance), and the number of records."""

    field: str
    statistic: str
    value: float
    n: int


def cohens_kappa(first: Sequence[Any], second: Sequence[Any], categories: Sequence[Any], *, quadratic: bool = False) -> float:
    """Cohen's kappa of two codings, 1 − Σ w·observed / Σ w·expected, with disagreement w 1 off the diagonal or (i − j)² if `quadratic`.

    `first` and `second` code the same records, `categories` lists all values in their order. 1 where chance leaves nothing to disagree on.
    Cohen (1960), Educational and Psychological Measurement 20; weighted: Cohen (1968), Psychological Bulletin 70.
    """
    place = {category: i for i, category in enumerate(categories)}
    k = len(categories)
    observed = np.zeros((k, k))
    np.add.at(observed, ([place[a] for a in first], [place[b] for b in second]), 1.0)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / observed.sum()
    i, j = np.indices((k, k))
    weight = (i - j) ** 2 if quadratic else (i != j)
    chance = float((weight * expected).sum())
    return 1.0 - float((weight * observed).sum()) / chance if chance else 1.0


type _Field = tuple[str, str, str, Sequence[Any], bool]

_SIGNS = ("+", "-")
_INTENSITIES = range(1, 6)
_FIELDS: tuple[_Field, ...] = (  # words, families, column, categories, whether they have an order
    ("role of family A", "A", "role", ("decision", "claim", "request", "context"), False),
    ("operation level", "A", "operation_level", range(TOP + 1), True),
    ("direction of decisions", "A", "direction", _SIGNS, False),
    ("kind of pressure (act as measure)", "B", "kind", ("threat", "measure", "relaxation", "inducement", "demonstration"), False),
    ("channel of pressure", "B", "channel", ("economic", "diplomatic", "security"), False),
    ("direction of pressure", "B", "direction", _SIGNS, False),
    ("intensity of pressure", "B", "intensity", _INTENSITIES, True),
    ("intensity of opposition", "C", "intensity", _INTENSITIES, True),
    ("direction of opposition", "C", "direction", _SIGNS, False),
)


def intercoder_agreement(data: Data) -> list[Agreement]:
    """The agreement of events.csv with its second coding, field by field, over the records for which both say something.

    The second coding was made before `act` was distinguished from `measure`, so the two count as one kind here.
    """
    second = {row.id: row for row in data.coding_second}
    agreements = []
    for words, families, column, categories, ordered in _FIELDS:
        read = _reader(column)
        pairs = [(read(e), read(second[e.id])) for e in data.events if e.family in families and e.id in second]
        pairs = [(a, b) for a, b in pairs if a in categories and b in categories]
        if pairs:
            value = cohens_kappa([a for a, _ in pairs], [b for _, b in pairs], categories, quadratic=ordered)
            agreements.append(Agreement(words, "Cohen's kappa, quadratic weights" if ordered else "Cohen's kappa", value, len(pairs)))
    return agreements


def _reader(column: str) -> Callable[[Any], Any]:
    if column == "kind":
        return lambda row: "measure" if row.kind == "act" else row.kind
    return lambda row: getattr(row, column)
