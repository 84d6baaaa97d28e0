"""Types of cells: they reject whatever would have to be converted, trimmed or guessed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from forecast import domain
from forecast.data.suggestions import number_problem, whole_problem
from forecast.domain import PartialDate
from forecast.storage.text import text_problem


def _partial_date(cell: Any) -> Any:
    try:
        return PartialDate.parse(cell) if isinstance(cell, str) else cell
    except ValueError as e:
        raise PydanticCustomError("date", "{why}", {"why": str(e)}) from None


def _month(cell: Any) -> Any:
    try:
        return domain.month(cell) if isinstance(cell, str) else cell
    except ValueError as e:
        raise PydanticCustomError("month", "{why}", {"why": str(e)}) from None


def _ids(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    parts = tuple(_text(cell).split(";")) if cell else ()
    if any(part != part.strip() or not part for part in parts):
        raise PydanticCustomError("ids", "a list needs one ';' between its members and no blanks")
    if len(set(parts)) < len(parts):
        raise PydanticCustomError("ids", "a list names nothing twice")
    return parts


def _text(cell: Any) -> Any:
    if isinstance(cell, str) and (problem := text_problem(cell)):
        raise cell_error(*problem)
    return cell


def _whole(cell: Any) -> Any:
    if isinstance(cell, str) and (problem := whole_problem(cell)):
        raise cell_error(*problem)
    return cell


def _number(cell: Any) -> Any:
    if isinstance(cell, str) and (problem := number_problem(cell)):
        raise cell_error(*problem)
    return cell


def cell_error(found: str, expected: str, remedy: str) -> PydanticCustomError:
    """The error of a cell or value, with its sentence."""
    return PydanticCustomError("in_words", "{expected}", {"found": found, "expected": expected, "remedy": remedy})


def _not_blank(cell: Any) -> Any:
    if isinstance(cell, str) and not cell.strip():
        raise PydanticCustomError("blank", "a text that is not empty")
    return _text(cell)


MAX_NAME = 200
"""Characters of a name."""


def _name(cell: Any) -> Any:
    if isinstance(cell, str) and cell != cell.strip():
        raise PydanticCustomError("blanks", "a name without blanks before or after it")
    if isinstance(cell, str) and not (cell.isprintable() and len(cell) <= MAX_NAME):
        raise PydanticCustomError("name", f"a name of at most {MAX_NAME} printable characters")
    return _not_blank(cell)


def _none_if_empty(cell: Any) -> Any:
    return None if cell == "" else cell


type DateCell = Annotated[PartialDate, BeforeValidator(_partial_date)]
type MonthCell = Annotated[int, BeforeValidator(_month)]
type Opt[T] = Annotated[T | None, BeforeValidator(_none_if_empty)]
type IdList = Annotated[tuple[str, ...], BeforeValidator(_ids)]
type Whole = Annotated[int, BeforeValidator(_whole)]
type Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
type Level = Annotated[Whole, Field(ge=0, le=domain.TOP)]
type Intensity = Annotated[Whole, Field(ge=1, le=5)]
type Percent = Annotated[Number, Field(ge=0, le=100)]
type Deaths = Annotated[Number, Field(gt=0)]
type Share = Annotated[Number, Field(ge=0, le=1)]
type Count = Annotated[Whole, Field(ge=1)]
type Flag = Annotated[Whole, Field(ge=0, le=1)]
type Year = Annotated[Whole, Field(ge=1900, le=2100)]
type Text = Annotated[str, BeforeValidator(_text)]
type NonEmpty = Annotated[str, BeforeValidator(_not_blank)]
type Name = Annotated[str, BeforeValidator(_name)]
type YesNo = Literal["yes", "no"]
type Confidence = Literal["high", "medium", "low"]
type Evidence = Literal["source_read", "not_checked"]
type Sign = Literal["+", "-"]
type Role = Literal["decision", "claim", "request", "pressure", "opposition", "context"]
type Kind = Literal["threat", "measure", "act", "relaxation", "inducement", "demonstration"]
