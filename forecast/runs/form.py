"""The form of a JSON document: a JSON Schema as a validator of pydantic's core, far faster than one that interprets the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic_core import CoreConfig, CoreSchema, SchemaValidator, ValidationError
from pydantic_core import core_schema as cs

from forecast.storage.text import character_name, refused_character

type Schema = Mapping[str, Any]

_BRANCH: Final = "|"  # stands in a place for the branch of a union, and is left out of what is printed
_ESCAPED: Final = re.compile(r"\\[ubf]")
"""How JSON writes most of the controls."""
_WORD: Final = 2**63 - 1
"""No whole number of a report is larger, whether its schema says so or not."""
_KNOWN: Final = frozenset({
    "$schema", "$defs", "$ref", "title", "description", "type", "enum", "const", "anyOf", "items", "minItems", "maxItems", "properties",
    "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties", "minimum", "maximum", "pattern", "minLength",
})  # fmt: skip


def compiled(schema: Schema) -> SchemaValidator:
    """The validator of a schema (JSON Schema 2020-12); numbers must be finite. ValueError for a keyword that is not known here."""
    definitions: list[CoreSchema] = [{**_translated(inner), "ref": name} for name, inner in schema.get("$defs", {}).items()]
    return SchemaValidator(cs.definitions_schema(_translated(schema), definitions), CoreConfig(strict=True))


def breaks(validator: SchemaValidator, value: Any) -> Iterator[str]:
    """Every place where a value breaks its schema, and how."""
    try:
        validator.validate_python(value)
    except ValidationError as e:
        for error in e.errors(include_url=False, include_context=False):
            place = "/".join(str(part) for part in error["loc"] if part != _BRANCH) or "top level"
            if error["type"] == "missing":
                yield f"{place}: it is missing"
            elif error["type"] == "extra_forbidden":
                yield f"{place}: no such field is known"
            else:
                yield f"{place}: {_shortened(repr(error['input']))} was found. {error['msg']}"


def refused_texts(value: Any) -> Iterator[str]:
    """Places of texts with characters that steer a terminal or end the chart library."""
    whole = json.dumps(value, ensure_ascii=False)
    if refused_character(whole) or _ESCAPED.search(whole):  # as a rule neither, which is seen far sooner than by walking
        yield from _refused_below(value, "")


def _refused_below(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, str):
        if (character := refused_character(value)) is not None:
            yield f"{place or 'top level'}: it holds the character {character_name(character)}"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _refused_below(str(key), f"{place}/…")
            yield from _refused_below(inner, f"{place}/{key}" if place else str(key))
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            if not isinstance(inner, float):
                yield from _refused_below(inner, f"{place}/{i}")


def _shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _translated(schema: Schema) -> CoreSchema:
    if unknown := schema.keys() - _KNOWN:
        raise ValueError(f"keywords of JSON Schema that are not translated: {sorted(unknown)}")
    if "$ref" in schema:
        return cs.definition_reference_schema(schema["$ref"].removeprefix("#/$defs/"))
    if "anyOf" in schema:
        return _union(schema["anyOf"])
    if "enum" in schema:
        return cs.literal_schema(schema["enum"])
    if "const" in schema:
        return cs.literal_schema([schema["const"]])
    if isinstance(schema["type"], list):
        return _union([{**schema, "type": kind} for kind in schema["type"]])
    return _of_type(schema)


def _union(branches: list[Schema]) -> CoreSchema:
    others = [branch for branch in branches if branch != {"type": "null"} and branch.get("type") != "null"]
    union = _translated(others[0]) if len(others) == 1 else cs.union_schema([(_translated(branch), _BRANCH) for branch in others])
    return union if len(others) == len(branches) else cs.nullable_schema(union)


def _of_type(schema: Schema) -> CoreSchema:
    """Each is strict by itself: what the validator as a whole is does not reach the fields of an object."""
    match schema["type"]:
        case "object":
            return _object(schema)
        case "array":
            items = _translated(schema["items"]) if "items" in schema else None
            return cs.list_schema(items, min_length=schema.get("minItems"), max_length=schema.get("maxItems"), strict=True)
        case "string":
            return cs.str_schema(pattern=schema.get("pattern"), min_length=schema.get("minLength"), strict=True)
        case "integer":
            return cs.int_schema(ge=schema.get("minimum", -_WORD), le=schema.get("maximum", _WORD), strict=True)
        case "number":
            return cs.float_schema(ge=schema.get("minimum"), le=schema.get("maximum"), allow_inf_nan=False, strict=True)
        case "boolean":
            return cs.bool_schema(strict=True)
        case "null":
            return cs.none_schema()
    raise ValueError(f"{schema['type']!r} is no type of JSON Schema")


def _object(schema: Schema) -> CoreSchema:
    more = schema.get("additionalProperties", True)
    values = _translated(more) if isinstance(more, Mapping) else cs.any_schema()
    if "properties" in schema:
        required = schema.get("required", ())
        fields = {name: cs.typed_dict_field(_translated(inner), required=name in required) for name, inner in schema["properties"].items()}
        if more is False:
            return cs.typed_dict_schema(fields, extra_behavior="forbid")
        return cs.typed_dict_schema(fields, extra_behavior="allow", extras_schema=values)
    names = _translated({"type": "string", **schema.get("propertyNames", {})})
    return cs.dict_schema(names, values, min_length=schema.get("minProperties"), max_length=schema.get("maxProperties"))
