"""Reports that hold what a test needs in a form that every reader accepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.forecasting.forecast_result import Forecast
from forecast.report.payload.questions import questions
from tests.fixtures.report_example import report_example

EXAMPLE = report_example()


def sound_report(run_id: str, **parts: Any) -> dict[str, Any]:
    """The example as the report of a run, with these parts in place of its own; every question has a baseline and a chance by reading."""
    return mixed(EXAMPLE | {"run_id": run_id, "moved": {}} | parts)


def question_rows(forecast: Forecast) -> list[dict[str, Any]]:
    """The questions of a forecast as they are in report.json."""
    return [q.model_dump() for q in questions(forecast)]


def mixed(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report of which every question has a baseline, and a chance by reading that mixes to what is said."""
    made: dict[str, Any] = dict(report)
    known = {row["id"]: row for row in EXAMPLE["baselines"]}
    made["questions"] = [_mixed(q, report) for q in report["questions"]]
    ids = [q["id"] for q in made["questions"]]
    made["baselines"] = [known.get(id_, {"id": id_, "persistence": 0.1, "climatology": 0.2, "counts": None}) for id_ in ids]
    return made


def sound_change(before: float, after: float, noise_se: float, unexplained: bool = False, from_run: str = "before") -> dict[str, Any]:
    """The `moved` of a report in which the headline alone changed, by noise."""
    asked = {
        "before": before, "after": after, "parts": [], "parts_se": [],
        "noise": after - before, "noise_se": noise_se, "remainder_se": noise_se,
        "within_noise": [],
    }  # fmt: skip
    headline = EXAMPLE["headline"]
    told = {"from_run": from_run, "parts": [], "questions": {headline: asked}, "unexplained": [headline] if unexplained else []}
    return EXAMPLE["moved"] | told


def _mixed(question: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    """A question whose readings mix to its probability."""
    weights = {reading["name"]: reading["weight"] for reading in report["readings"]}
    chances = question["by_reading"]
    if chances.keys() == weights.keys() and abs(sum(weights[n] * p for n, p in chances.items()) - question["probability"]) < 1e-6:
        return dict(question)
    return {**question, "by_reading": dict.fromkeys(weights, question["probability"])}
