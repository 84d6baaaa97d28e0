"""A digest of what the data mean: two sets of data with the same digest give the same forecast."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any, Final

from pydantic import BaseModel

from forecast.data.tables import RECORDS, Data
from forecast.domain import PartialDate

TEXT_ONLY: Final = frozenset(
    {
        "argument",
        "basis",
        "description",
        "disputed",
        "figure",
        "notes",
        "published_basis",
        "question",
        "source",
        "title",
        "url",
        "what",
        "why",
        "why_not",
    }
)
"""Columns that are text for readers and enter no model."""

TEXT_ONLY_OF: Final = {"stakes": frozenset({"evidence"})}
"""The same, for columns that are text in one file only."""

_TEXTS: Final = {table: TEXT_ONLY | columns for table, columns in TEXT_ONLY_OF.items()}
_encode: Final = json.JSONEncoder(sort_keys=True).encode

WORDING: Final = frozenset({"title", "text", "rule"})
"""Keys of questions.toml that are wording; which rows count for a question is not."""


def data_digest(data: Data) -> str:
    """SHA-256, in hex, of a canonical form of the data's meaning.

    Left out: columns that are only text, sources.toml, warnings, the order of rows and of lists of ids, comments and spelling of numbers.
    """
    form: dict[str, Any] = {name: sorted(row_meaning(name, row) for row in getattr(data, name)) for name in RECORDS}
    form["coverage"] = {file: through.isoformat() for file, through in data.coverage.items()}
    form["scales"] = [data.scales.leverage, data.scales.mobilisation, data.scales.window_start, data.scales.window_end]
    form["questions"] = _plain(data.questions, WORDING)
    return hashlib.sha256(json.dumps(form, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def row_meaning(table: str, row: BaseModel) -> str:
    """A canonical form of what a row means: rows with the same form are the same to every model."""
    return _encode(_plain(row, _TEXTS.get(table, TEXT_ONLY)))


def _plain(value: Any, without: frozenset[str]) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, BaseModel):
        return {key: _plain(v, without) for key, v in vars(value).items() if key not in without}
    if isinstance(value, dict):
        return {key: _plain(v, without) for key, v in value.items()}
    if isinstance(value, PartialDate):
        return [value.first.isoformat(), value.last.isoformat()]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return sorted((_plain(v, without) for v in value), key=str)
    return value
