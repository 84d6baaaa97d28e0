"""The form for a new row: which columns apply, which are required, what they may hold, and the rules of the codebook to show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import ValidationError

from forecast.data.checks.dates import COVERED_COLUMN, OCCURRED_COLUMN
from forecast.data.checks.events import REQUIRED_BY_ROLE, REQUIRED_OF_PRESSURE
from forecast.data.coding_rules import CHANNEL_OF, INSTRUMENTS, LEVERAGE_CHANNELS, ROLES
from forecast.data.problems import describe_error
from forecast.data.records import Record
from forecast.data.suggestions import did_you_mean, quoted
from forecast.data.tables import RECORDS, Data, table_rows
from forecast.domain import PartialDate, last_day, month_of
from forecast.errors import Problem
from forecast.storage.text import read_text, text_problem

type Cells = Mapping[str, str]

ORDER: Final[Mapping[str, tuple[str, ...]]] = {
    "events": (
        "family", "id", "role", "date", "published", "instrument", "channel", "kind", "intensity", "count", "direction", "operation_level",
        "until", "ends", "answers", "episode", "caused_by", "same_act_as", "disputed", "evidence", "confidence", "source", "url",
        "description",
    ),
    "claims": tuple(RECORDS["claims"].model_fields),
    "polls": (
        "pollster", "topic", "field_start", "field_end", "poll_id", "wording", "published", "published_basis", "n", "opposed_pct",
        "in_favour_pct", "other_pct", "use", "why_not", "source", "url", "confidence", "question",
    ),
}  # fmt: skip
"""The columns of each table in the order of asking: what others follow from comes first."""

FORMATS: Final[Mapping[str, str]] = {
    "DateCell": " (YYYY-MM-DD, YYYY-MM or YYYY)",
    "MonthCell": " (YYYY-MM)",
    "IdList": ", separated by ';'",
}
"""By type of cell how it is written."""


def _label(name: str, column: str) -> str:
    field = RECORDS[name].model_fields[column]
    names = (getattr(kind, "__name__", "") for kind in (field.annotation, *get_args(field.annotation)))
    return f"{field.description}{next((FORMATS[kind] for kind in names if kind in FORMATS), '')}"


LABELS: Final = {name: {column: _label(name, column) for column in order} for name, order in ORDER.items()}
"""By table the columns in the order of asking, each with what is asked. The rules themselves are in CODEBOOK.md (`codebook_passages`)."""

RECURRING: Final[Mapping[str, tuple[str, ...]]] = {"events": ("channel", "episode"), "claims": (), "polls": ("pollster", "topic")}
"""Columns with free words that should be those of earlier rows."""


def column_applies(name: str, column: str, cells: Cells) -> bool:
    """Whether a column can have a value in a row with these cells."""
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
        "operation_level": "operation_level" in REQUIRED_BY_ROLE.get(role, ()),
        "until": kind == "measure",
        "ends": kind == "relaxation",
        "episode": family == "A" or role == "request",
        "caused_by": family == "C",
    }
    return rules.get(column, True)


def required_columns(name: str, cells: Cells) -> tuple[str, ...]:
    """The columns that are required in a row with these cells, in the order of asking."""
    needed = {column for column in LABELS[name] if cell_problem(name, column, "")}
    if name == "events":
        needed |= set(REQUIRED_BY_ROLE.get(cells.get("role", ""), ()))
        needed |= set(REQUIRED_OF_PRESSURE) if cells.get("family") == "B" else set()
    if name == "polls" and cells.get("use") == "no":
        needed.add("why_not")
    return tuple(column for column in LABELS[name] if column in needed)


def choices(name: str, column: str, cells: Cells) -> tuple[str, ...]:
    """The words that a column allows in a row with these cells; empty if it is not limited to words."""
    if name == "events":
        family = cells.get("family", "")
        if column == "role" and family in ROLES:
            return ROLES[family]
        if column == "instrument" and family in INSTRUMENTS:
            return INSTRUMENTS[family]
        if column == "channel" and family == "B":
            return (CHANNEL_OF[cells["instrument"]],) if cells.get("instrument") in CHANNEL_OF else LEVERAGE_CHANNELS
    return _words(RECORDS[name].model_fields[column].annotation)


def choices_text(name: str, column: str) -> str:
    """The words that a column allows, for the help of a command, by family where they depend on it."""
    if name == "events" and column in ("role", "instrument", "channel"):
        by_family = {family: choices(name, column, {"family": family}) for family in ROLES}
        return "; ".join(f"in family {family} one of {', '.join(words)}" for family, words in by_family.items() if words)
    words = choices(name, column, {})
    return f"one of {', '.join(words)}" if words else ""


def words_in_use(data: Data, name: str, column: str) -> tuple[str, ...]:
    """The words of earlier rows in a column of RECURRING; empty for other columns."""
    if column not in RECURRING[name]:
        return ()
    return tuple(sorted({text for row in table_rows(data, name) if (text := getattr(row, column))}))


def cell_problem(name: str, column: str, text: str, cells: Cells | None = None) -> Problem | None:
    """What is wrong with one cell by itself; None if nothing is."""
    record: type[Record] = RECORDS[name]
    if problem := line_problem(text):
        return Problem(record.file, *problem, column=column)
    words = choices(name, column, cells or {})
    if text and words and text not in words:
        return Problem(record.file, quoted(text), f"one of {', '.join(words)}", did_you_mean(text, words), column=column)
    try:
        record.model_validate({column: text})
    except ValidationError as e:
        for error in e.errors(include_url=False):
            if error["loc"][:1] == (column,):
                return Problem(record.file, *describe_error(error), column=column)
    return None


def line_problem(text: str) -> tuple[str, str, str] | None:
    """Why a text does not fit in one line of a file: found, expected, remedy; None if it does."""
    if {"\n", "\r"} & set(text):
        return f"a line break in {quoted(text)}", "text on one line", "Write it without."
    return text_problem(text)


def _words(annotation: Any) -> tuple[str, ...]:
    """The members of the Literal inside a column's type."""
    members = get_args(annotation) or get_args(getattr(annotation, "__value__", None))
    if members and all(isinstance(word, str) for word in members):
        return members
    return next((words for inner in members if (words := _words(inner))), ())


def day_problem(name: str, column: str, text: str, cells: Mapping[str, str], today: date) -> Problem | None:
    """What is wrong with a well-formed day in a row with these cells; None for other columns, or if nothing is."""
    record = RECORDS[name]
    day = _day(text) if column in (COVERED_COLUMN[record], "published") else None
    if day is None:
        return None
    if day.last > today:
        expected = f"a day not after today, {today} by this machine's clock"
        remedy = "Correct it, or the clock." if day.first > today else "A month or a year counts as its last day: write the day."
        return Problem(record.file, quoted(text), expected, remedy, column=column)
    earlier = OCCURRED_COLUMN.get(record, "")
    before = _day(cells.get(earlier, "")) if column == "published" else None
    if before is not None and day.last < before.first:
        return Problem(record.file, quoted(text), f"a day not before {before}, its {earlier}", "Correct it.", column=column)
    return None


def beyond_coverage(name: str, column: str, text: str, through: date) -> date | None:
    """The last day that a cell means, if it lies after the day through which the file has been read; else None."""
    day = _day(text) if column == COVERED_COLUMN[RECORDS[name]] else None
    return day.last if day is not None and day.last > through else None


def offered_coverage(day: date, today: date) -> date:
    """The day to which coverage may be raised for a row of `day`: the end of its month, or today while that is still to come."""
    return min(last_day(month_of(day)), today)


def _day(text: str) -> PartialDate | None:
    try:
        return PartialDate.parse(text)
    except ValueError:
        return None


RELATED_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "family": ("role",),
    "operation_level": ("level",),
    "instrument": ("channel",),
    "field_end": ("published_basis",),
}
"""Columns whose rule is in a passage on another column."""

RULE_SECTIONS: Final = range(1, 8)
"""The sections with rules; later ones are on reliability and cases."""


def codebook_passages(folder: Path, column: str) -> list[str]:
    """The lines of the codebook on a column, indented below the headings of their sections; empty if there is no codebook."""
    text, problems = read_text(folder / "CODEBOOK.md", "CODEBOOK.md")
    names = (column, *RELATED_COLUMNS.get(column, ()))
    lines: list[str] = []
    previous = ""
    for section, block in [] if problems else _blocks(text):
        if any(_names(block, name) for name in names):
            lines += [section] if section != previous else []
            lines += [f"  {line}" for line in _plain(block)]
            previous = section
    return lines


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Paragraphs, bullets and tables of the sections with rules, each with its section's heading."""
    for part in re.split(r"^## ", text.replace("\r\n", "\n"), flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        number = re.match(r"\d+", heading)
        if number and int(number[0]) in RULE_SECTIONS:
            for block in re.split(r"\n\s*\n|\n(?=- )", body):
                if block.strip():
                    yield f"Codebook, section {heading.strip()}", block.strip()


def _names(block: str, column: str) -> bool:
    """Whether a block is about a column: it names it in backticks, or in a heading of a table."""
    heads = [cell.strip() for cell in block.splitlines()[0].split("|")] if block.startswith("|") else []
    return f"`{column}`" in block or column in heads


def _plain(block: str) -> Iterator[str]:
    """The lines of a block without markup, for a table one a row."""
    if not block.startswith("|"):
        yield _unmarked(block.removeprefix("- "))
        return
    heads, _, *rows = ([_unmarked(cell) for cell in line.strip().strip("|").split("|")] for line in block.splitlines())
    for first, *rest in rows:
        cells = [
            cell if i == 0 or len(rest) == 1 else f"{head}: {cell}" for i, (head, cell) in enumerate(zip(heads[1:], rest, strict=False))
        ]
        yield f"{first}: {'; '.join(cells)}"


def _unmarked(text: str) -> str:
    return re.sub(r"[`*]", "", " ".join(text.split()))
