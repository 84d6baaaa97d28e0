"""From what pydantic found in a cell or a key to a sentence for the person who wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic_core import ErrorDetails

from forecast.data.suggestions import did_you_mean, shown

_EXPECTED = {
    "date": ("a date of the form YYYY, YYYY-MM or YYYY-MM-DD", "Write a day that the calendar has."),
    "month": ("a month of the form YYYY-MM", "Write a month from 01 to 12 after a year of four digits."),
    "blank": ("a text", "Fill it in: this column is never empty."),
    "string_too_short": ("a text", "Fill it in: it is never empty."),
    "name": ("a name of at most 200 printable characters", "Write a short name without line breaks."),
    "blanks": ("a name without blanks before or after it", "Delete the blanks."),
    "missing": ("a value", "Add it."),
    "date_type": ("a date", "Write it as 2026-06-30, without quotes."),
    "datetime_type": ("a date", "Write it as 2026-06-30, without quotes."),
    "string_pattern_mismatch": ("a month of the form YYYY-MM", "Write a month from 01 to 12 after a year of four digits."),
    "finite_number": ("a finite number", "Write a number that has an end."),
}

_BOUNDS = {"greater_than_equal": "≥", "less_than_equal": "≤", "greater_than": ">", "less_than": "<"}


def sentence(error: ErrorDetails) -> tuple[str, str, str]:
    """What was found, what was expected, and the remedy, for one error of a validated row or setting."""
    kind, context, cell = error["type"], error.get("ctx", {}), error["input"]
    found = "nothing" if cell == "" or kind == "missing" else shown(cell) if isinstance(cell, str) else shown(repr(cell)).strip("'")
    if kind in _EXPECTED:
        return found, *_EXPECTED[kind]
    if kind in _BOUNDS:
        bound = next(context[k] for k in ("ge", "le", "gt", "lt") if k in context)
        return found, f"a value {_BOUNDS[kind]} {bound:g}", "Check the figure against its source."
    if kind in ("literal_error", "enum"):
        words = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return found, f"one of {', '.join(words)}", did_you_mean(str(cell), words) if cell != "" else "Fill it in."
    if kind == "in_words":
        return context["found"], context["expected"], context["remedy"]
    if kind == "ids":
        return found, error["msg"], "Correct the cell."
    return found, _plain(error["msg"]), "Correct it."


def _plain(message: str) -> str:
    return re.sub(r"^Input should be ", "", message)


def place(loc: Iterable[Any]) -> str:
    """The dotted path of a key."""
    return shown(".".join(str(part) for part in loc), 120)[1:-1]
