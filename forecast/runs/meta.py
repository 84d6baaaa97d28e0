"""What a manifest may say: the types of its frame, and of what the writer of a run noted of it."""

from __future__ import annotations

from datetime import date
from pathlib import PurePosixPath
from typing import Annotated, Any, NotRequired, TypedDict

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from forecast.runs.names import is_run_id
from forecast.storage.characters import refused_character


def _inside(name: str) -> str:
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or refused_character(name, line=True):
        raise ValueError("a file lies within its run")
    return name


def _run_id(text: str) -> str:
    if not is_run_id(text):
        raise ValueError("that is not the id of a run")
    return text


def _plain(text: str) -> str:
    if refused_character(text):
        raise ValueError("a text holds no control characters")
    return text


def _day(text: str) -> str:
    date.fromisoformat(text)
    return text


type Text = Annotated[str, AfterValidator(_plain)]
type RunId = Annotated[str, AfterValidator(_run_id)]
type Day = Annotated[str, AfterValidator(_day)]
type Month = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
type Count = Annotated[int, Field(ge=0)]
type Chance = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _File(TypedDict):
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    bytes: Count


class _Interval(TypedDict):
    low: Chance
    high: Chance


class _Decision(TypedDict):
    kind: Text
    reason: NotRequired[Text | None]


class _Head(TypedDict):
    entries: Count
    digest: Text


class _Prior(TypedDict):
    spec: Text
    revision: NotRequired[Text | None]


class _Meta(TypedDict, total=False):
    """All of it may be absent or null: earlier versions noted less."""

    created: Text | None
    origin: Month | None
    as_of: Day | None
    today: Day | None
    model_version: Text | None
    seed: int | None
    data_digest: Text | None
    priors_digest: Text | None
    settings_digest: Text | None
    headline: Text | None
    gate: Text | None
    probability: Chance | None
    probabilities: dict[Text, Chance] | None
    interval: _Interval | None
    priors: dict[Text, _Prior] | None
    sampling: dict[Text, dict[Text, Any]] | None
    fitted_in: RunId | None
    follows: RunId | None
    decision: _Decision | None
    ledger: _Head | None
    k_hat: float | None
    ess: float | None


class _Body(TypedDict):
    run_id: RunId
    files: dict[Annotated[str, AfterValidator(_inside)], _File]
    meta: _Meta


_BODY = TypeAdapter(_Body)


def check_types(body: Any) -> None:
    """ValueError, naming the first place, if the content of a manifest has the wrong types."""
    try:
        _BODY.validate_python(body, strict=True)
    except ValidationError as e:
        error = e.errors(include_url=False, include_context=False)[0]
        place = "/".join(map(str, error["loc"])) or "top level"
        raise ValueError(f"{place}: {error['msg']}") from None
