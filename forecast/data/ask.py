"""What to ask of someone who adds a row: which columns apply, which must be filled in, what may stand in them, in what order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from pydantic import ValidationError

from forecast.data.check_events import NEEDS, PRESSURE_NEEDS
from forecast.data.nearest import did_you_mean, shown
from forecast.data.records import Record
from forecast.data.refusal import sentence
from forecast.data.tables import RECORDS
from forecast.data.vocabulary import CHANNEL_OF, INSTRUMENTS, LEVERAGE_CHANNELS, ROLES
from forecast.errors import Problem

type Cells = Mapping[str, str]

LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "events": {
        "family": "A Mexico's decisions and what is alleged, B pressure by the US, C opposition in Mexico, D context",
        "id": "name of the row",
        "role": "what the record is",
        "date": "when it happened: YYYY-MM-DD, YYYY-MM or YYYY",
        "published": "when it could first be known",
        "instrument": "by what means",
        "channel": "the field it belongs to",
        "kind": "kind of pressure",
        "intensity": "how strong, 1 to 5",
        "count": "number of persons",
        "direction": "+ or -",
        "operation_level": "level of the operation, 0 to 5",
        "until": "day on which the measure ended",
        "ends": "ids of the measures it ends, with ';' between",
        "answers": "whether Washington itself calls what Mexico did enough",
        "episode": "name shared by rows on one act or quarrel",
        "caused_by": "ids of the records it answers",
        "same_act_as": "ids of earlier rows that are the same act",
        "disputed": "no, or what is contested and by whom",
        "evidence": "whether the source was read for this row",
        "confidence": "in the coding; low where no rule fits",
        "source": "who says so: outlet or document, and its day",
        "url": "where to read it",
        "description": "what happened, in your own words, on one line",
    },
    "claims": {
        "claim_id": "name of the row",
        "start": "first month, YYYY-MM",
        "end": "last month; empty: it goes on",
        "level": "level of the ladder, 0 to 5",
        "published": "day from which it could be known",
        "stance": "whether the evidence meets the rules",
        "supersedes": "ids of the claims it replaces, with ';' between",
        "basis_ids": "ids of the events it rests on",
        "confidence": "in the coding",
        "why": "the reason, in your own words, on one line",
    },
    "polls": {
        "pollster": "who asked",
        "topic": "subject of the question; questions of one pollster on one topic share a house effect",
        "field_start": "first day in the field: YYYY-MM-DD, YYYY-MM or YYYY",
        "field_end": "last day in the field",
        "poll_id": "name of the row",
        "wording": "what kind of US action the question names",
        "published": "when the figures became public",
        "published_basis": "how that day is known",
        "n": "number of respondents",
        "opposed_pct": "per cent opposed to US action (of favourability: with a bad opinion)",
        "in_favour_pct": "per cent in favour",
        "other_pct": "per cent with neither answer",
        "use": "whether the model may use it",
        "why_not": "why it is not used",
        "source": "where the figures were read",
        "url": "where to read it",
        "confidence": "in the figures",
        "question": "the question as asked",
    },
}
"""By table the columns in the order of asking, each with what is asked. The rules themselves are in CODEBOOK.md (`codebook.rules`)."""


def applies(name: str, column: str, cells: Cells) -> bool:
    """Whether a row with these cells can have something in a column."""
    family, role, kind = (cells.get(c, "") for c in ("family", "role", "kind"))
    if name == "polls":
        return column != "why_not" or cells.get("use") == "no"
    if name != "events":
        return True
    rules: Mapping[str, bool] = {
        "instrument": family in ("A", "B"),
        "kind": family == "B",
        "answers": family == "B" and role == "pressure",
        "intensity": family in ("B", "C"),
        "count": family == "A" and role in ("decision", "context"),
        "direction": family in ("B", "C") or role == "decision",
        "operation_level": "operation_level" in NEEDS.get(role, ()),
        "until": kind == "measure",
        "ends": kind == "relaxation",
        "episode": family == "A" or role == "request",
        "caused_by": family == "C",
    }
    return rules.get(column, True)


def required(name: str, cells: Cells) -> tuple[str, ...]:
    """The columns that a row with these cells must fill in, in the order of asking."""
    needed = {column for column in LABELS[name] if cell_problem(name, column, "")}
    if name == "events":
        needed |= set(NEEDS.get(cells.get("role", ""), ()))
        needed |= set(PRESSURE_NEEDS) if cells.get("family") == "B" else set()
    if name == "polls" and cells.get("use") == "no":
        needed.add("why_not")
    return tuple(column for column in LABELS[name] if column in needed)


def choices(name: str, column: str, cells: Cells) -> tuple[str, ...]:
    """The words that a column knows in a row with these cells; none if it takes other things than words."""
    if name == "events":
        family = cells.get("family", "")
        if column == "role" and family in ROLES:
            return ROLES[family]
        if column == "instrument" and family in INSTRUMENTS:
            return INSTRUMENTS[family]
        if column == "channel" and family == "B":
            return (CHANNEL_OF[cells["instrument"]],) if cells.get("instrument") in CHANNEL_OF else LEVERAGE_CHANNELS
    return _words(RECORDS[name].model_fields[column].annotation)


def cell_problem(name: str, column: str, text: str, cells: Cells | None = None) -> Problem | None:
    """What is wrong with one cell by itself; None if nothing is."""
    record: type[Record] = RECORDS[name]
    try:
        record.model_validate({column: text})
    except ValidationError as e:
        for error in e.errors(include_url=False):
            if error["loc"][:1] == (column,):
                return Problem(record.file, *sentence(error), column=column)
    words = choices(name, column, cells or {})
    if text and words and text not in words:
        return Problem(record.file, shown(text), f"one of {', '.join(words)}", did_you_mean(text, words), column=column)
    return None


def _words(annotation: Any) -> tuple[str, ...]:
    """The members of the Literal inside a column's type."""
    annotation = getattr(annotation, "__value__", annotation)
    found = get_args(annotation)
    if found and all(isinstance(word, str) for word in found):
        return found
    return next((words for inner in found if (words := _words(inner))), ())
