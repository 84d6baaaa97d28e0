"""What a manifest may say: the types of its frame, and of what the writer of a run noted of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import PurePosixPath
from typing import Any, Final

from pydantic_core import SchemaValidator

from forecast.runs.form import breaks, compiled, refused_texts

type Schema = dict[str, Any]

MAX_BYTES: Final = 256_000_000
"""No file of a run is larger: the draws have ten megabytes, the posterior sixteen."""


def _fields(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """An object with these fields; others are let pass, since later versions may note more."""
    return {"type": "object", "properties": properties, "required": list(required)}


def _by_name(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


_TEXT: Final[Schema] = {"type": "string"}
_RUN_ID: Final[Schema] = {"type": "string", "pattern": "^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}$"}
_MONTH: Final[Schema] = {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_NUMBER: Final[Schema] = {"type": "number"}
_CHANCE: Final[Schema] = {"type": "number", "minimum": 0, "maximum": 1}
_DAYS: Final = ("as_of", "today")
_META: Final[Mapping[str, Schema]] = {
    **dict.fromkeys(("created", "model_version", "data_digest", "priors_digest", "settings_digest", "headline", "gate", *_DAYS), _TEXT),
    "origin": _MONTH,
    "seed": {"type": "integer"},
    "probability": _CHANCE,
    "probabilities": _by_name(_CHANCE),
    "interval": _fields(("low", "high"), low=_CHANCE, high=_CHANCE),
    "priors": _by_name(_fields(("spec",), spec=_TEXT, revision=_TEXT)),
    "sampling": _by_name(_by_name({"type": ["string", "number", "null"]})),
    "fitted_in": _RUN_ID,
    "follows": _RUN_ID,
    "decision": _fields(("kind",), kind=_TEXT, reason=_or_null(_TEXT)),
    "ledger": _fields(("entries", "digest"), entries=_COUNT, digest=_TEXT),
    "k_hat": _NUMBER,
    "ess": _NUMBER,
}
"""Each may be absent or null: earlier versions noted less."""
_SHA256: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_FILE: Final = _fields(("sha256", "bytes"), sha256=_SHA256, bytes=_COUNT | {"maximum": MAX_BYTES})
_BODY: Final = _fields(
    ("run_id", "files", "meta"),
    run_id=_RUN_ID,
    files=_by_name(_FILE),
    meta={"type": "object", "properties": {name: _or_null(schema) for name, schema in _META.items()}},
)


@cache
def _validator() -> SchemaValidator:
    return compiled(_BODY)


def check_types(body: Any) -> None:
    """ValueError, naming the first place, if the content of a manifest has the wrong types."""
    for said in breaks(_validator(), body):
        raise ValueError(said)
    for said in _problems(body):
        raise ValueError(said)


def _problems(body: Mapping[str, Any]) -> Iterator[str]:
    """What the schema cannot say: files lie within the run, days exist, texts are plain."""
    for name in body["files"]:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            yield f"files: {name} does not lie within the run"
    for key in _DAYS:
        try:
            date.fromisoformat(body["meta"].get(key) or "2000-01-01")
        except ValueError:
            yield f"meta/{key}: there is no day {body['meta'][key]}"
    yield from refused_texts(body)
