"""The form of `report.json`: a JSON Schema in the package, and a check against it that says where a report breaks it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from forecast.errors import StoreError

_ROUNDING = 1e-12


@cache
def _text() -> str:
    return files("forecast.report").joinpath("report.schema.json").read_text(encoding="utf-8")


def report_schema() -> dict[str, Any]:
    """A fresh copy of the schema (JSON Schema 2020-12)."""
    schema: dict[str, Any] = json.loads(_text())
    return schema


def validate(report: Mapping[str, Any], most: int = 10) -> None:
    """Nothing if `report` has the schema's form, holds finite numbers only and series as long as their months.

    StoreError naming up to `most` places otherwise, each with what is wrong there.
    """
    problems = [*_breaks(report), *_not_finite(report, "")]
    if not problems:
        problems = list(_inconsistent(report))
    if problems:
        more = f" (and {len(problems) - most} more)" if len(problems) > most else ""
        raise StoreError(
            f"report.json does not have the form of its schema: {'; '.join(problems[:most])}{more}.",
            "If the file was edited, make the run again; if it was just written, this is an error in the program.",
        )


def _breaks(report: Mapping[str, Any]) -> Iterator[str]:
    from jsonschema import Draft202012Validator

    errors = sorted(Draft202012Validator(report_schema()).iter_errors(report), key=lambda e: [str(p) for p in e.absolute_path])
    for error in errors:
        yield f"{'/'.join(str(p) for p in error.absolute_path) or 'top level'}: {_shortened(error.message)}"


def _shortened(message: str, most: int = 200) -> str:
    return message if len(message) <= most else f"{message[: most // 2]} … {message[-most // 2 :]}"


def _not_finite(value: Any, path: str) -> Iterator[str]:
    """JSON has no NaN and no infinity, but Python's floats do, and comparisons with NaN let them pass a schema."""
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{path}: {value} is not a finite number"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _not_finite(inner, f"{path}/{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from _not_finite(inner, f"{path}/{i}")


def _inconsistent(report: Mapping[str, Any]) -> Iterator[str]:
    """What a schema cannot say: the headline is one of the questions, ids are unique, series are as long as their months."""
    ids = [q["id"] for q in report["questions"]]
    if report["headline"] not in ids:
        yield f"headline: there is no question {report['headline']!r}"
    if len(ids) != len(set(ids)):
        yield "questions: an id stands twice"
    yield from _uneven(report["history"] | report["history"]["theta"], "history", ("main", "q10", "q50", "q90"))
    drivers = report["drivers"]
    yield from _uneven(
        drivers["leverage"] | drivers["leverage"]["by_channel"], "drivers/leverage", ("value", "economic", "diplomatic", "security")
    )
    for i, check in enumerate(drivers["leverage"]["checks"]):
        yield from _uneven(check, f"drivers/leverage/checks/{i}", ("value",))
    for name in ("overdoses", "opposition"):
        yield from _uneven(drivers[name], f"drivers/{name}", ("q10", "q50", "q90"))
    for name in ("leverage", "overdoses", "opposition"):
        yield from _uneven(drivers[name]["future"], f"drivers/{name}/future", ("q10", "q50", "q90"))
    yield from _uneven(drivers["opposition"]["mobilisation"], "drivers/opposition/mobilisation", ("value",))
    for name, levels in report["history"]["by_reading"].items():
        if len(levels) != len(report["history"]["months"]):
            yield f"history/by_reading/{name}: {len(levels)} values for {len(report['history']['months'])} months"
    yield from _moved(report["moved"])
    for where, holder in [*((f"readings/{r['name']}", r) for r in report["readings"]), ("mixture", report["mixture"])]:
        if len(holder["density"]["x"]) != len(holder["density"]["y"]):
            yield f"{where}/density: x and y differ in length"


def _moved(moved: Mapping[str, Any]) -> Iterator[str]:
    """Before, parts and noise add up to after."""
    for id_, q in moved.get("questions", {}).items():
        if not len(q["parts"]) == len(q["within_noise"]) == len(moved["parts"]):
            yield f"moved/questions/{id_}: not as many values as there are parts"
        elif abs(q["before"] + sum(q["parts"]) + q["noise"] - q["after"]) > _ROUNDING:
            yield f"moved/questions/{id_}: before, parts and noise do not add up to after"


def _uneven(holder: Mapping[str, Any], path: str, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if len(holder[name]) != len(holder["months"]):
            yield f"{path}/{name}: {len(holder[name])} values for {len(holder['months'])} months"
