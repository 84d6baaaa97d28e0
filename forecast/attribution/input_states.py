"""The way from the inputs of one run to those of another: settings, prior edits one by one, then the data's steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from forecast.attribution.data_steps import MAX_STEPS as MOST_DATA
from forecast.attribution.data_steps import data_steps
from forecast.data.diff import RowChange, compare
from forecast.data.records import ReadingRow
from forecast.data.tables import Data
from forecast.forecasting.inputs import Inputs
from forecast.priors.load import Priors
from forecast.reweighting.edit_effects import edited_priors

type Kind = Literal["start", "settings", "prior", "revision", "time", "new"]

MOST_PRIORS: Final = 10
"""So many edits of priors are told one by one; of more, file by file."""

_WEIGHTS: Final = "readings.weights"


@dataclass(frozen=True, eq=False)
class InputState:
    """Data and priors that a forecast can be made from, and what distinguishes them from the state before."""

    kind: Kind
    label: str
    rows: tuple[RowChange, ...]
    data: Data
    priors: Priors


@dataclass(frozen=True, eq=False)
class InputPath:
    """States from one run's inputs (the first) to another's (the last), and changes of rows that no model reads."""

    states: tuple[InputState, ...]
    unread: tuple[RowChange, ...]


def intermediate_inputs(a: Inputs, b: Inputs) -> InputPath:
    """In the order: settings, priors, revisions of old values, time, new observations. One state if nothing differs that a model reads."""
    states = [InputState("start", "", (), a.data, a.priors)]

    def step(kind: Kind, label: str, data: Data, priors: Priors, rows: tuple[RowChange, ...] = ()) -> None:
        states.append(InputState(kind, label, rows, data, priors))

    differ = compare(a.data, b.data)
    data, priors = replace(a.data, scales=b.data.scales, questions=b.data.questions, sources=b.data.sources), a.priors
    if differ.meant:
        step("settings", "; ".join(_setting(name, *differ.settings[name]) for name in sorted(differ.meant)), data, priors)
    for label, names in _edits(a.priors, b.priors):
        priors = priors.replace({name: b.priors.spec(name) for name in names})
        if _WEIGHTS in names and _names(a.data.readings) != _names(b.data.readings):  # a reading and its weight come and go together
            data = replace(data, readings=b.data.readings)
        step("prior", label, data, priors)
    found = data_steps(data, b.data, MOST_DATA)
    for s in found.steps:
        step(s.kind, s.label, s.data, b.priors, s.rows)
    states[-1] = replace(states[-1], data=b.data, priors=b.priors) if len(states) > 1 else states[-1]
    return InputPath(tuple(states), found.unread)


def _edits(old: Priors, new: Priors) -> Iterator[tuple[str, Sequence[str]]]:
    names = edited_priors(old, new)
    if len(names) <= MOST_PRIORS:
        yield from ((f"{name}: {old.spec(name)} → {new.spec(name)}", [name]) for name in names)
        return
    for file in dict.fromkeys(new[name].file or old[name].file for name in names):
        some = [name for name in names if (new[name].file or old[name].file) == file]
        yield f"{file or 'priors'}: {len(some)} edited ({', '.join(some[:3])}{', …' if len(some) > 3 else ''})", some


def _names(rows: Sequence[ReadingRow]) -> set[str]:
    return {row.reading for row in rows}


def _setting(name: str, old: str, new: str) -> str:
    return f"{name}, {old or 'nothing'} → {new or 'nothing'}"
