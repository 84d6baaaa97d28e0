"""What to ask of someone who adds a row: which columns apply, which must be filled in, what may stand in them, in what order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from pydantic import ValidationError

from forecast.data.checks.events import NEEDS, PRESSURE_NEEDS
from forecast.data.records import Record
from forecast.data.suggestions import did_you_mean, shown
from forecast.data.tables import RECORDS, Data, rows
from forecast.data.validation_messages import sentence
from forecast.data.vocabulary import CHANNEL_OF, INSTRUMENTS, LEVERAGE_CHANNELS, ROLES
from forecast.errors import Problem
from forecast.storage.text import text_problem

type Cells = Mapping[str, str]

LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "events": {
        "family": "who acts: A Mexico, decided or alleged; B US pressure; C opposition in Mexico; D context",
        "id": "name of the row",
        "role": "what kind of record it is",
        "date": "when it happened (YYYY-MM-DD, YYYY-MM or YYYY)",
        "published": "when it could first be known (YYYY-MM-DD, YYYY-MM or YYYY)",
        "instrument": "by what means",
        "channel": "the field it belongs to",
        "kind": "kind of pressure",
        "intensity": "how strong, from 1 to 5",
        "count": "number of persons",
        "direction": "+ for more, - for less",
        "operation_level": "level of the operation, from 0 to 5",
        "until": "day on which the measure ended (YYYY-MM-DD, YYYY-MM or YYYY)",
        "ends": "ids of the measures that it ends, separated by ';'",
        "answers": "whether Washington itself calls what Mexico did enough",
        "episode": "a name that all rows on one act or quarrel share",
        "caused_by": "ids of the earlier rows that it responds to, separated by ';'",
        "same_act_as": "ids of earlier rows on the same act, separated by ';'",
        "disputed": "'no', or what is contested and by whom",
        "evidence": "whether you have read the source yourself",
        "confidence": "how sure the coding is; low where no rule fits",
        "source": "who reports it: outlet or document, and its day",
        "url": "where to read it",
        "description": "what happened, in your own words, on one line",
    },
    "claims": {
        "claim_id": "name of the row",
        "start": "first month (YYYY-MM)",
        "end": "last month (YYYY-MM), unless it goes on",
        "level": "level of the ladder, from 0 to 5",
        "published": "when it could first be known (YYYY-MM-DD, YYYY-MM or YYYY)",
        "stance": "whether the evidence meets the rules",
        "supersedes": "ids of the claims that it replaces, separated by ';'",
        "basis_ids": "ids of the events that it rests on, separated by ';'",
        "confidence": "how sure the coding is",
        "why": "the reason, in your own words, on one line",
    },
    "polls": {
        "pollster": "who asked",
        "topic": "subject of the question; one pollster's questions on one topic share a house effect",
        "field_start": "first day of field work (YYYY-MM-DD, YYYY-MM or YYYY)",
        "field_end": "last day of field work (YYYY-MM-DD, YYYY-MM or YYYY)",
        "poll_id": "name of the row",
        "wording": "what kind of US action the question names",
        "published": "when the figures became public (YYYY-MM-DD, YYYY-MM or YYYY)",
        "published_basis": "how that day is known",
        "n": "number of respondents",
        "opposed_pct": "per cent opposed to US action (favourability: with a bad opinion)",
        "in_favour_pct": "per cent in favour",
        "other_pct": "per cent with neither answer",
        "use": "whether the model may use it",
        "why_not": "why it is not used",
        "source": "where the figures were read",
        "url": "where to read it",
        "confidence": "how sure the figures are",
        "question": "the question as it was asked",
    },
}
"""By table the columns in the order of asking, each with what is asked. The rules themselves are in CODEBOOK.md (`codebook.rules`)."""

RECURRING: Final[Mapping[str, tuple[str, ...]]] = {"events": ("channel", "episode"), "claims": (), "polls": ("pollster", "topic")}
"""Columns whose words are free, but should be those that earlier rows use."""


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


def choices_in_words(name: str, column: str) -> str:
    """The words that a column knows, for the help of a command, by family where they depend on it; empty if it has none."""
    if name == "events" and column in ("role", "instrument", "channel"):
        by_family = {family: choices(name, column, {"family": family}) for family in ROLES}
        return "; ".join(f"in family {family} one of {', '.join(words)}" for family, words in by_family.items() if words)
    words = choices(name, column, {})
    return f"one of {', '.join(words)}" if words else ""


def used_before(data: Data, name: str, column: str) -> tuple[str, ...]:
    """The words that earlier rows have in a column whose words are free but recur; none for other columns."""
    if column not in RECURRING[name]:
        return ()
    return tuple(sorted({text for row in rows(data, name) if (text := getattr(row, column))}))


def cell_problem(name: str, column: str, text: str, cells: Cells | None = None) -> Problem | None:
    """What is wrong with one cell by itself; None if nothing is."""
    record: type[Record] = RECORDS[name]
    if wrong := unwritable(text):
        return Problem(record.file, *wrong, column=column)
    words = choices(name, column, cells or {})
    if text and words and text not in words:
        return Problem(record.file, shown(text), f"one of {', '.join(words)}", did_you_mean(text, words), column=column)
    try:
        record.model_validate({column: text})
    except ValidationError as e:
        for error in e.errors(include_url=False):
            if error["loc"][:1] == (column,):
                return Problem(record.file, *sentence(error), column=column)
    return None


def unwritable(text: str) -> tuple[str, str, str] | None:
    """What is wrong with a text that could not stand in one line of a file: found, expected, remedy; None if it can."""
    if {"\n", "\r"} & set(text):
        return f"a line break in {shown(text)}", "text on one line", "Write it without."
    return text_problem(text)


def _words(annotation: Any) -> tuple[str, ...]:
    """The members of the Literal inside a column's type."""
    found = get_args(annotation) or get_args(getattr(annotation, "__value__", None))
    if found and all(isinstance(word, str) for word in found):
        return found
    return next((words for inner in found if (words := _words(inner))), ())
