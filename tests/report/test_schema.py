"""What a report must be, and what is refused."""

import copy
import json
import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from forecast.errors import StoreError
from forecast.report.files import SCHEMA_VERSION, _question_problems, canonical_json, checked, validate
from forecast.report.models.base import Part
from forecast.report.models.forecast import QuestionEntry
from forecast.report.models.report import Report, report_schema
from tests.fixtures.report_example import report_example

type Document = dict[str, Any]
EXAMPLE = json.loads(canonical_json(report_example()))


def test_the_schema_is_itself_valid_and_strict_in_every_object() -> None:
    schema = report_schema()
    Draft202012Validator.check_schema(schema)
    assert set(schema["required"]) == set(schema["properties"])
    for part in (schema, *(part for part in schema["$defs"].values() if "properties" in part)):
        assert part["additionalProperties"] is False, part
        assert part["description"], part


def test_the_example_is_accepted_and_survives_json() -> None:
    report = report_example()
    validate(report)
    validate(json.loads(canonical_json(report)))
    assert Report.model_validate(report).document() == report


def _question(report: Document, **changes: Any) -> None:
    report["questions"][0].update(changes)


MUTATIONS: dict[str, tuple[Callable[[Document], Any], str]] = {
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


def test_json_refuses_what_is_not_a_number() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"x": math.nan})


def parts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every part of a document; of a long list, the first two."""
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, held in inner:
        yield (*path, key)
        yield from parts(held, (*path, key))


PARTS = list(parts(EXAMPLE))
OTHER_VALUES = [None, "", "x", -1, 0.5, 7, True, [], {}, [[]], "2026-01", {"x": 1}]


def changed(data: st.DataObject, places: list[tuple[str | int, ...]]) -> Document:
    """The example with another value in one place."""
    report = copy.deepcopy(EXAMPLE)
    *above, last = data.draw(st.sampled_from(places))
    holder: Any = report
    for key in above:
        holder = holder[key]
    holder[last] = data.draw(st.sampled_from(OTHER_VALUES))
    return report


@cache
def independent() -> Any:
    return Draft202012Validator(report_schema())


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=20)
def test_the_models_refuse_what_the_schema_built_from_them_refuses(data: st.DataObject) -> None:
    """The schema is read by an independent library, whatever one part of a report becomes."""
    report = changed(data, PARTS)
    assert independent().is_valid(report) == (checked(report)[0] is not None)


@given(data=st.data())
@settings(max_examples=8)
def test_what_priors_try_checks_of_the_questions_is_no_stricter_than_the_models(data: st.DataObject) -> None:
    report = changed(data, [place for place in PARTS if place[0] in ("questions", "headline")])
    if not checked(report)[1]:
        assert list(_question_problems(report)) == []


@pytest.mark.parametrize("key", ["probability", "probability_known", "prior_probability", "expected", "mcse"])
@pytest.mark.parametrize("value", ["x", -1.0, True, math.nan, [], {}])
def test_what_priors_try_reads_of_a_question_is_checked_without_pydantic(key: str, value: Any) -> None:
    report = copy.deepcopy(EXAMPLE)
    report["questions"][3][key] = value
    assert list(_question_problems(report))


def classes(parent: type[Part]) -> Iterator[type[Part]]:
    for child in parent.__subclasses__():
        yield child
        yield from classes(child)


def test_every_part_is_strict_and_says_what_it_is() -> None:
    assert Report.model_fields["schema_version"].annotation.__args__ == (SCHEMA_VERSION,)  # type: ignore[union-attr]
    found = list(classes(Part))
    assert len(found) > 50
    for part in found:
        assert part.__doc__, part
        config = part.model_config
        assert (config["strict"], config["extra"], config["allow_inf_nan"], config["frozen"]) == (True, "forbid", False, True), part


@pytest.mark.parametrize(
    ("key", "value"),
    [("horizon_months", 12.0), ("horizon_months", "12"), ("level", True), ("probability", "0.1"), ("text", b"x"), ("mcse", True)],
)
def test_a_value_of_another_type_is_not_converted(key: str, value: Any) -> None:
    question = copy.deepcopy(EXAMPLE["questions"][0]) | {key: value}
    with pytest.raises(ValueError, match=key):
        QuestionEntry.model_validate(question)


def test_a_command_prints_the_schema(command: Callable[..., Any]) -> None:
    result = command("report", "--schema")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == report_schema()
