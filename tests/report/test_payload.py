"""report.json as built from a forecast: its form, its sums, and what it takes from the data."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from forecast.data.outcome import reading_titles
from forecast.domain import HORIZONS, month_text
from forecast.forecasting.question_forecasts import monte_carlo_error
from forecast.formatting import capital
from forecast.report.figures.history import history_table
from forecast.report.figures.readings import densities_table
from forecast.report.files import canonical_json, validate
from forecast.report.html import render_html
from forecast.report.markdown import render_markdown
from forecast.report.models.report import Report
from forecast.report.payload.build import build_report
from tests.support.prior_forecasts import prior_forecast

pytestmark = pytest.mark.slow  # a forecast from draws of the prior takes seconds to make

CREATED = datetime(2026, 7, 3, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def built() -> Report:
    return build_report(prior_forecast(), "20260703T090000Z-abcdef", CREATED)


@pytest.fixture(scope="module")
def report(built: Report) -> dict[str, Any]:
    return built.document()


def test_it_has_the_form_of_its_schema_and_renders(built: Report, report: dict[str, Any]) -> None:
    validate(report)
    assert json.loads(canonical_json(report)) == report
    for text in (render_html(built), render_markdown(built)):
        assert built.sentences.never_observed in text


def test_a_probability_is_the_weighted_sum_over_readings(report: dict[str, Any]) -> None:
    weights = {r["name"]: r["weight"] for r in report["readings"]}
    assert sum(weights.values()) == pytest.approx(1)
    for q in report["questions"]:
        assert q["probability"] == pytest.approx(sum(weights[n] * p for n, p in q["by_reading"].items()), abs=1e-12), q["id"]


def test_questions_are_coherent(report: dict[str, Any]) -> None:
    p = {q["id"]: q["probability"] for q in report["questions"]}
    for h in HORIZONS:
        for k in range(1, 5):
            assert p[f"reach-{k}-{h}m"] >= p[f"reach-{k + 1}-{h}m"]
        for k in range(1, 6):
            assert p[f"reach-{k}-{h}m"] >= p[f"hold-{k}-{h}m"]
        assert p[f"fall-1-{h}m"] >= p[f"fall-0-{h}m"]
    for shorter, longer in itertools.pairwise(HORIZONS):
        assert p[f"reach-4-{shorter}m"] <= p[f"reach-4-{longer}m"]
        assert p[f"event-direct-action-{shorter}m"] <= p[f"event-direct-action-{longer}m"]


def test_what_is_publicly_known_is_at_most_what_happens(report: dict[str, Any]) -> None:
    for q in report["questions"]:
        if q["kind"] == "reached_by":
            assert q["probability_known"] <= q["probability"] + 1e-12
        else:
            assert q["probability_known"] is None


def test_windows_begin_after_the_origin_and_resolve_after_they_end(report: dict[str, Any]) -> None:
    for q in report["questions"]:
        assert q["window"]["start"] > report["origin"]
        if q["kind"] == "in_force_at":
            assert q["window"]["start"] == q["window"]["end"]
        assert q["resolution_date"][:7] > q["window"]["end"]


def test_every_question_of_the_contract_is_there_once(report: dict[str, Any]) -> None:
    ids = [q["id"] for q in report["questions"]]
    assert len(ids) == len(set(ids))
    wanted = {f"{kind}-{k}-{h}m" for kind in ("reach", "hold") for k in range(1, 6) for h in HORIZONS}
    wanted |= {f"fall-{k}-{h}m" for k in (0, 1) for h in HORIZONS}
    wanted |= {f"count-{s}-12m" for s in ("senate-vote-in", "mass-hand-over", "designation", "new-tariff")}
    wanted |= {"event-deemed-sufficient-6m", "event-deemed-insufficient-6m", "event-direct-action-12m"}
    assert wanted <= set(ids)
    assert report["headline"] in ids


def test_a_forecast_grows_stale_by_the_clock_that_is_passed_in(built: Report) -> None:
    late = build_report(prior_forecast(), "20260703T090000Z-abcdef", CREATED + timedelta(days=60))
    assert not built.stale
    assert late.stale
    assert built.origin == late.origin


def test_but_for_its_name_and_time_a_report_is_a_function_of_the_forecast(report: dict[str, Any]) -> None:
    again = build_report(prior_forecast(), "20260703T090001Z-abcdef", CREATED + timedelta(seconds=1)).document()
    again["run_id"], again["created"] = report["run_id"], report["created"]
    assert canonical_json(again) == canonical_json(report)


def test_the_record_is_that_of_the_data(report: dict[str, Any]) -> None:
    data = prior_forecast().origin_state.data
    history = report["history"]
    assert len(history["months"]) == len(history["main"]) == len(history["theta"]["q50"])
    assert history["months"][-1] == report["origin"] == month_text(prior_forecast().origin_state.origin)
    assert [c["after"] for c in history["changes"]] == [history["main"][history["months"].index(c["month"])] for c in history["changes"]]
    known = {e.id for e in data.events}
    named = [i for row in report["asked_answered"] for i in row["ids"]] + [row["id"] for row in report["concessions"]]
    assert set(named) <= known
    decided = {e.id for e in data.events if e.role == "decision" and e.operation_level is not None}
    assert decided <= {i for row in report["asked_answered"] for i in row["ids"]}


def test_force_polls_and_their_gap_are_shown(report: dict[str, Any]) -> None:
    opposition = report["drivers"]["opposition"]
    assert {"force_unqualified", "force_unilateral", "force_coordinated", "agents"} == {p["wording"] for p in opposition["polls"]}
    assert opposition["gap"] == {"start": "2012-05", "end": "2023-03"}


def test_a_change_that_no_parameter_learnt_from_is_not_called_learnt(report: dict[str, Any]) -> None:
    """Draws from the prior have learnt nothing."""
    for p in report["parameters"]:
        assert not p["learnt"], p["name"]


def test_a_reading_added_to_the_data_shows_its_title_everywhere(built: Report) -> None:
    """A row of readings.csv is all that is needed: the payload, the page, the Markdown and the tables take the title from it."""
    forecast = prior_forecast()
    data = forecast.origin_state.data
    title = "US agents were at the airport"
    row = data.readings[-1].model_copy(update={"reading": "airport", "title": title, "why": "An account that was never denied."})
    state = forecast.origin_state
    changed = replace(
        state,
        data=replace(data, readings=(*data.readings, row)),
        merged={name if name != "covert_true" else "airport": names for name, names in state.merged.items()} | {"airport": ("airport",)},
        weights={"airport" if name == "covert_true" else name: weight for name, weight in state.weights.items()},
    )
    renamed = {"airport" if name == "covert_true" else name: fit for name, fit in forecast.readings.items()}
    answers = {
        id_: replace(a, by_reading={"airport" if name == "covert_true" else name: p for name, p in a.by_reading.items()})
        for id_, a in forecast.answers.items()
    }
    report = build_report(replace(forecast, origin_state=changed, readings=renamed, answers=answers), built.run_id, CREATED)
    assert next(r for r in report.readings if r.name == "airport").title == title
    shown = capital(title)
    assert shown in densities_table(report).columns
    assert shown in history_table(report).columns
    for text in (render_html(report), render_markdown(report)):
        assert shown in text
    assert reading_titles(data) == {r.name: r.title for r in built.readings} | {"covert_true": "the covert claims are true"}


def test_monte_carlo_error_is_that_of_a_mean_of_independent_draws() -> None:
    rng = np.random.default_rng(1)
    draws = rng.normal(size=(2, 4_000))
    error = monte_carlo_error(draws, np.array([0.5, 0.5]), None)
    assert error == pytest.approx(np.sqrt(0.5 / 4_000), rel=0.1)
