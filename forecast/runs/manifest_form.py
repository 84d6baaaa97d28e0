"""The form of a manifest: the types of its frame, and of what the writer of a run noted of it.

It is a schema for pydantic's core, because every command reads manifests at its start and importing pydantic itself takes a tenth of a
second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import PurePosixPath
from typing import Any, Final

from pydantic_core import CoreSchema, SchemaValidator, ValidationError
from pydantic_core import core_schema as cs

from forecast.storage.text import refused_texts

MAX_BYTES: Final = 256_000_000
"""No file of a run is larger: the draws have ten megabytes, the posterior sixteen."""
_DAYS: Final = ("as_of", "today")


def _fields(required: Mapping[str, CoreSchema], optional: Mapping[str, CoreSchema] | None = None) -> CoreSchema:
    """An object with these fields; others are let pass, since later versions may note more."""
    fields = {name: cs.typed_dict_field(schema) for name, schema in required.items()}
    fields |= {name: cs.typed_dict_field(schema, required=False) for name, schema in (optional or {}).items()}
    return cs.typed_dict_schema(fields, extra_behavior="allow")


def _by_name(values: CoreSchema) -> CoreSchema:
    return cs.dict_schema(cs.str_schema(strict=True), values, strict=True)


@cache
def _validator() -> SchemaValidator:
    text = cs.str_schema(strict=True)
    run_id = cs.str_schema(pattern="^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}$", strict=True)
    count = cs.int_schema(ge=0, strict=True)
    number = cs.float_schema(allow_inf_nan=False, strict=True)
    probability = cs.float_schema(ge=0, le=1, allow_inf_nan=False, strict=True)
    texts = ("created", "model_version", "data_digest", "priors_digest", "settings_digest", "headline", "gate", *_DAYS)
    meta: dict[str, CoreSchema] = dict.fromkeys(texts, text) | {
        "origin": cs.str_schema(pattern="^[0-9]{4}-(0[1-9]|1[0-2])$", strict=True),
        "seed": cs.int_schema(strict=True),
        "probability": probability,
        "probabilities": _by_name(probability),
        "interval": _fields({"low": probability, "high": probability}),
        "priors": _by_name(_fields({"spec": text}, {"revision": text})),
        "sampling": _by_name(_by_name(cs.nullable_schema(cs.union_schema([text, number])))),
        "fitted_in": run_id,
        "follows": run_id,
        "decision": _fields({"kind": text}, {"reason": cs.nullable_schema(text)}),
        "ledger": _fields({"entries": count, "digest": text}),
        "k_hat": number,
        "ess": number,
    }
    optional = {name: cs.nullable_schema(schema) for name, schema in meta.items()}  # earlier versions noted less
    sha256 = cs.str_schema(pattern="^[0-9a-f]{64}$", strict=True)
    file = _fields({"sha256": sha256, "bytes": cs.int_schema(ge=0, le=MAX_BYTES, strict=True)})
    return SchemaValidator(_fields({"run_id": run_id, "files": _by_name(file), "meta": _fields({}, optional)}))


def check_manifest(body: Any) -> None:
    """ValueError, naming the first place, if the content of a manifest has the wrong types."""
    try:
        _validator().validate_python(body)
    except ValidationError as e:
        raise ValueError(next(broken_places(e))) from None
    for problem in _problems(body):
        raise ValueError(problem)


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


def broken_places(error: ValidationError) -> Iterator[str]:
    """Every place where a document breaks its form, and how."""
    for e in error.errors(include_url=False, include_context=False):
        place = "/".join(str(part) for part in e["loc"]) or "top level"
        if e["type"] == "missing":
            yield f"{place}: it is missing"
        elif e["type"] == "extra_forbidden":
            yield f"{place}: no such field is known"
        else:
            value = repr(e["input"])
            yield f"{place}: {value if len(value) <= 60 else f'{value[:59]}…'} was found. {e['msg']}"
