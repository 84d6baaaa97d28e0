"""The form of `report.json`: a JSON Schema in the package, and a check against it that says where a report breaks it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from pydantic_core import SchemaValidator

from forecast.errors import StoreError
from forecast.runs.form import breaks, compiled, refused_texts

_ROUNDING: Final = 1e-12
_MIXED: Final = 1e-3
"""By so much a probability may differ from the weighted mean over readings."""


@cache
def _text() -> str:
    return files("forecast.report").joinpath("report.schema.json").read_text(encoding="utf-8")


def report_schema() -> dict[str, Any]:
    """A fresh copy of the schema (JSON Schema 2020-12)."""
    schema: dict[str, Any] = json.loads(_text())
    return schema


@cache
def _validator() -> SchemaValidator:
    return compiled(report_schema())


def problems(report: Any) -> list[str]:
    """Every place where a report breaks its schema, holds what no text may hold, or contradicts itself, with what is wrong there."""
    return list(breaks(_validator(), report)) or [*refused_texts(report), *_inconsistent(report)]


def validate(report: Mapping[str, Any], most: int = 10) -> None:
    """Nothing if `report` has the schema's form, holds finite numbers and plain text only, and agrees with itself.

    StoreError naming up to `most` places otherwise, each with what is wrong there.
    """
    if wrong := problems(report):
        raise StoreError(
            f"report.json does not have the form of its schema: {first(wrong, most)}.",
            "If the file was edited, make the run again; if it was just written, this is an error in the program.",
        )


def first(wrong: Sequence[str], most: int) -> str:
    """Up to `most` problems on one line, and how many more there are."""
    more = f" (and {len(wrong) - most} more)" if len(wrong) > most else ""
    return f"{'; '.join(wrong[:most])}{more}"


def _inconsistent(report: Mapping[str, Any]) -> Iterator[str]:
    """What a schema cannot say: what is named is there, days exist, readings are mixed as stated, series are as long as their months."""
    yield from _dates(report)
    yield from _questions(report)
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


def _dates(report: Mapping[str, Any]) -> Iterator[str]:
    days = {"created": report["created"], "as_of": report["as_of"], "origin": f"{report['origin']}-01"}
    days |= {f"questions/{q['id']}/window/{end}": f"{q['window'][end]}-01" for q in report["questions"] for end in ("start", "end")}
    for place, text in days.items():
        try:
            if text is not None:
                datetime.fromisoformat(text)
        except ValueError:
            yield f"{place}: there is no day {text}"
    for q in report["questions"]:
        if q["window"]["start"] > q["window"]["end"]:
            yield f"questions/{q['id']}/window: it ends before it starts"


def _questions(report: Mapping[str, Any]) -> Iterator[str]:
    """Ids are unique and have a baseline each, and each probability is the weighted mean over the readings."""
    ids = [q["id"] for q in report["questions"]]
    if report["headline"] not in ids:
        yield f"headline: there is no question {report['headline']!r}"
    if len(ids) != len(set(ids)):
        yield "questions: an id stands twice"
    if lacking := set(ids) - {row["id"] for row in report["baselines"]}:
        yield f"baselines: {', '.join(sorted(lacking))} has none"
    weights = {reading["name"]: reading["weight"] for reading in report["readings"]}
    if len(weights) != len(report["readings"]) or abs(sum(weights.values()) - 1) > _MIXED:
        yield "readings: a name stands twice, or the weights do not add up to one"
    for q in report["questions"]:
        chances = q["by_reading"]
        if chances.keys() != weights.keys():
            yield f"questions/{q['id']}/by_reading: it does not name the readings"
        elif abs(sum(weights[name] * chance for name, chance in chances.items()) - q["probability"]) > _MIXED:
            yield f"questions/{q['id']}/probability: it is not the weighted mean of its readings"


def _moved(moved: Mapping[str, Any]) -> Iterator[str]:
    """Before, parts and noise add up to after."""
    for id_, q in moved.get("questions", {}).items():
        if not len(q["parts"]) == len(q["parts_se"]) == len(q["within_noise"]) == len(moved["parts"]):
            yield f"moved/questions/{id_}: not as many values as there are parts"
        elif abs(q["before"] + sum(q["parts"]) + q["noise"] - q["after"]) > _ROUNDING:
            yield f"moved/questions/{id_}: before, parts and noise do not add up to after"


def _uneven(holder: Mapping[str, Any], path: str, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if len(holder[name]) != len(holder["months"]):
            yield f"{path}/{name}: {len(holder[name])} values for {len(holder['months'])} months"
