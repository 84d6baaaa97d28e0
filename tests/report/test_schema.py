"""What a report must be, and what is refused."""

import copy
import functools
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from forecast.errors import StoreError
from forecast.report.render import canonical_json
from forecast.report.schema import report_schema, validate
from forecast.runs.form import breaks, compiled
from tests.fixtures.report_example import report_example

Report = dict[str, Any]
EXAMPLE = json.loads(canonical_json(report_example()))


def test_the_schema_is_itself_valid_and_strict_where_it_is_fixed() -> None:
    schema = report_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == set(schema["properties"])


def test_the_example_is_accepted_and_survives_json() -> None:
    report = report_example()
    validate(report)
    validate(json.loads(canonical_json(report)))


def _question(report: Report, **changes: Any) -> None:
    report["questions"][0].update(changes)


MUTATIONS: dict[str, tuple[Callable[[Report], Any], str]] = {
    "a question without its probability": (lambda r: r["questions"][0].pop("probability"), "0/probability: it is missing"),
    "a probability above one": (lambda r: _question(r, probability=1.2), "questions/0/probability: 1.2 was found"),
    "a probability that is no number": (lambda r: _question(r, probability=math.nan), "probability: nan was found"),
    "a probability that is text": (lambda r: _question(r, probability="0.1"), "questions/0/probability"),
    "infinity deep inside": (lambda r: r["drivers"]["leverage"]["value"].__setitem__(3, math.inf), "leverage/value/3: inf was"),
    "an unknown part": (lambda r: r.update(surprise=1), "surprise: no such field is known"),
    "an unknown field of a question": (lambda r: _question(r, odds=2.0), "questions/0/odds: no such field is known"),
    "a part left out": (lambda r: r.pop("stakes"), "stakes: it is missing"),
    "a kind that does not exist": (lambda r: _question(r, kind="touched"), "questions/0/kind"),
    "an id of another form": (lambda r: _question(r, id="Reach 4"), "questions/0/id"),
    "a month that does not exist": (lambda r: r.update(origin="2026-13"), "origin"),
    "a level off the ladder": (lambda r: r["readings"][0].update(level_now=6), "readings/0/level_now"),
    "a headline that is no question": (lambda r: r.update(headline="reach-4-13m"), "there is no question 'reach-4-13m'"),
    "an id twice": (lambda r: r["questions"].append(dict(r["questions"][0])), "an id stands twice"),
    "a series shorter than its months": (lambda r: r["history"]["main"].pop(), "history/main: 245 values for 246 months"),
    "a reading's history cut short": (lambda r: r["history"]["by_reading"]["covert_true"].pop(), "history/by_reading/covert_true"),
    "a density whose axes differ": (lambda r: r["mixture"]["density"]["x"].pop(), "mixture/density"),
    "a future cut short": (lambda r: r["drivers"]["overdoses"]["future"]["q90"].pop(), "drivers/overdoses/future/q90"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_breaks_the_form_is_refused_and_named(name: str) -> None:
    change, said = MUTATIONS[name]
    report = copy.deepcopy(report_example())
    change(report)
    with pytest.raises(StoreError) as caught:
        validate(report)
    assert said in caught.value.message
    assert caught.value.remedy


def test_many_faults_are_counted_and_not_all_printed() -> None:
    report = report_example()
    for q in report["questions"]:
        q["probability"] = 2
    with pytest.raises(StoreError, match=r"and \d+ more"):
        validate(report)


def test_json_refuses_what_is_not_a_number(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"x": math.nan})


def parts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every part of a document; of a long list, the first two."""
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, held in inner:
        yield (*path, key)
        yield from parts(held, (*path, key))


PARTS = list(parts(EXAMPLE))


@functools.cache
def validators() -> tuple[Any, Any]:
    return Draft202012Validator(report_schema()), compiled(report_schema())


@given(data=st.data())
@settings(max_examples=20)
def test_the_fast_validator_refuses_what_an_independent_one_refuses(data: st.DataObject) -> None:
    """What the schema says, as jsonschema reads it, whatever one part of a report becomes."""
    report = copy.deepcopy(EXAMPLE)
    *above, last = data.draw(st.sampled_from(PARTS))
    holder: Any = report
    for key in above:
        holder = holder[key]
    holder[last] = data.draw(st.sampled_from([None, "", "x", -1, 0.5, 7, True, [], {}, [[]], "2026-01", {"x": 1}]))
    independent, fast = validators()
    assert independent.is_valid(report) == (not list(breaks(fast, report)))


def test_a_keyword_that_is_not_translated_is_refused() -> None:
    with pytest.raises(ValueError, match="uniqueItems"):
        compiled({"type": "array", "uniqueItems": True})


@pytest.mark.parametrize(
    ("schema", "wrong"),
    [
        ({"type": "number", "minimum": 0}, (True, "1")),
        ({"type": "integer"}, (True, "1", 1.0)),
        ({"type": "string"}, (1, b"x")),
        ({"type": "boolean"}, (1, "yes")),
        ({"type": "array"}, ({}, (1,))),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_a_field_of_an_object_is_as_strict_as_a_value_alone(schema: dict[str, Any], wrong: tuple[Any, ...]) -> None:
    inner = {"type": "object", "properties": {"a": schema}}
    for whole in (inner, {"$defs": {"it": inner}, "$ref": "#/$defs/it"}):
        for value in wrong:
            assert list(breaks(compiled(whole), {"a": value})), value
