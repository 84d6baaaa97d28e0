"""A payload with the texts of a workspace and invented numbers: what the page is drawn from before there is a forecast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from forecast.data.row_summary import short
from forecast.data.tables import Data, origin
from forecast.domain import FIRST_MONTH, LEVELS, PUBLISHED_CHOICE, Month, Question, month_text
from forecast.forecasting.questions import build_questions
from forecast.forecasting.scenarios.specification import Scenario
from forecast.model.tolerance_data import MODEL_VERSION
from forecast.report.parts import chances, foundations, record
from forecast.report.read import SCHEMA_VERSION
from forecast.report.sentences import build_sentences

type Rows = list[dict[str, Any]]

_CHANCE: Final = 0.1
_INTERVAL: Final = {"prob": 0.8, "low": 0.05, "high": 0.2}
_MARKED: Final = 12
"""Events shown with a flag of their own; the chart of flags holds numbers, so that a few are enough. Every event is in a table."""


def dummy(data: Data, scenarios: Sequence[Scenario]) -> dict[str, Any]:
    """A report in the form of its schema. Everything a person wrote that the page shows is in it; its numbers mean nothing."""
    at = origin(data)
    months = [month_text(m) for m in (FIRST_MONTH, at)]
    names = list(dict.fromkeys(row.reading for row in data.readings))
    asked = build_questions(data.questions, at)
    report: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION, "run_id": "dummy", "created": "2000-01-01T00:00:00Z", "origin": month_text(at), "as_of": None,
        "stale": False, "model_version": MODEL_VERSION, "seed": 0, "data_digest": "dummy", "priors_digest": "dummy", "versions": {},
        "headline": data.questions.resolution.headline, "sentences": {},
        "questions": [_question(q, names) for q in asked],
        "baselines": [{"id": q.id, "persistence": None, "climatology": None, "counts": None} for q in asked],
        "readings": [_reading(data, name, 1 / len(names)) for name in names],
        "mixture": {"mean": _CHANCE, "median": _CHANCE, "interval": _INTERVAL, "density": _density()}, "weights_alternative": [],
        "multiverse": [{"label": "as published", "group": PUBLISHED_CHOICE, "probability": _CHANCE, "note": ""}],
        "ladder": [
            {"level": k, "name": name, "meaning": chances.MEANINGS[k], "months_at_level_main": 0, "ever_observed": False}
            for k, name in enumerate(LEVELS)
        ],
        "history": _history(data, months, names), "drivers": _drivers(data, months, at), "parameters": [], "prior_vs_posterior": [],
        "skips": [], "replicates": {"observed": {}, "prior": [], "posterior": []},
        "sensitivity": _sensitivity(data.questions.resolution.headline),
        "asked_answered": [
            {
                "episode": e.episode or e.id, "first": e.date.text, "last": e.date.text, "level": None, "answer": "open", "what": e.id,
                "ids": [e.id],
            }
            for e in data.events
        ],
        "concessions": [
            {
                "date": e.date.text, "id": e.id, "what": e.description, "response": "none stated", "response_id": None,
                "response_date": None, "days": None,
            }
            for e in data.events
        ],
        "stakes": record.stakes(data), "scenarios": [_scenario(s) for s in scenarios], "directions": {}, "diagnostics": _diagnostics(),
        "freshness": [
            {
                "series": s.name, "file": s.file, "newest": None, "published": None, "expected_next": None, "status": "fresh",
                "used_for": s.used_for,
            }
            for s in data.sources.values()
        ],
        "warnings": foundations.warnings(data.warnings),
        "calendar": [
            {"date": c.date.text, "what": c.what, "effect": c.effect, "probability": c.probability, "channel": c.channel}
            for c in data.calendar
        ],
        "reliability": [], "definitions": foundations.definitions(), "resolution": data.questions.resolution.text.strip(),
        "limitations": [], "sources": foundations.sources(data), "rests_on": None, "moved": {}, "standing": {},
    }  # fmt: skip
    report["sentences"] = build_sentences(report)
    return report


def _question(q: Question, readings: Sequence[str]) -> dict[str, Any]:
    return {
        "id": q.id, "text": q.text, "level": q.level, "kind": q.kind, "horizon_months": q.horizon,
        "window": {"start": month_text(q.start), "end": month_text(q.end)}, "resolution_date": month_text(q.end), "probability": _CHANCE,
        "probability_known": None, "expected": None, "mcse": None, "interval": _INTERVAL, "prior_probability": _CHANCE,
        "by_reading": dict.fromkeys(readings, _CHANCE),
    }  # fmt: skip


def _reading(data: Data, name: str, weight: float) -> dict[str, Any]:
    why = "; ".join(row.why for row in data.readings if row.reading == name)
    return {
        "name": name, "title": chances.TITLES.get(name, name), "weight": weight, "level_now": 0, "why": why, "headline": _CHANCE,
        "headline_interval": _INTERVAL, "headline_prior": _CHANCE, "density": _density(),
    }  # fmt: skip


def _density() -> dict[str, list[float]]:
    return {"x": [0.05, 0.1, 0.2], "y": [1.0, 2.0, 1.0]}


def _history(data: Data, months: Sequence[str], readings: Sequence[str]) -> dict[str, Any]:
    marked = data.events[-_MARKED:]
    return {
        "months": months, "main": [0, 0], "by_reading": {name: [0, 1] for name in readings},
        "theta": {"q10": [-1.0, -1.0], "q50": [0.0, 0.0], "q90": [1.0, 1.0]},
        "changes": [
            {
                "month": months[0], "from": 0, "to": c.level, "claim_id": c.claim_id, "confidence": c.confidence, "why": c.why,
                "events": list(c.basis_ids),
            }
            for c in data.claims
        ],
        "events": [
            {"date": e.date.text, "id": e.id, "family": e.family, "what": e.description, "short": short(e)} for e in marked
        ],
    }  # fmt: skip


def _drivers(data: Data, months: Sequence[str], at: Month) -> dict[str, Any]:
    two = [0.1, 0.2]
    future = {"months": [month_text(Month(at + h)) for h in (1, 24)], "q10": two, "q50": two, "q90": two}
    band = {"months": months, "q10": two, "q50": two, "q90": two, "future": future}
    return {
        "leverage": {
            "months": months, "value": two, "by_channel": {"economic": two, "diplomatic": two, "security": two}, "future": future,
            "checks": [],
        },
        "overdoses": {**band, "final": [], "provisional": []},
        "opposition": {
            **band, "gap": None, "mobilisation": {"months": months, "value": two},
            "polls": [
                {"date": month_text(at), "share": 0.5, "wording": p.wording, "pollster": p.pollster, "n": None} for p in data.polls
            ],
        },
    }  # fmt: skip


def _scenario(scenario: Scenario) -> dict[str, Any]:
    says = scenario.says
    return {
        "name": scenario.name, "title": says.title, "kind": says.kind, "story": " ".join(says.story.split()),
        "assumptions": list(says.assumptions), "probability": _CHANCE, "baseline": _CHANCE, "difference": 0.0, "mcse": None,
        "interval": _INTERVAL, "plausibility": None, "by_horizon": {}, "fallen_1_12m": None,
    }  # fmt: skip


def _diagnostics() -> dict[str, Any]:
    return {
        "status": "pass", "reasons": [], "finite": True, "chains": 4, "draws": 1, "divergences": 0, "rhat_max": None,
        "ess_bulk_min": None, "ess_tail_min": None, "bfmi_min": None, "constant": [], "retried": False, "by_reading": {},
    }  # fmt: skip


def _sensitivity(headline: str) -> dict[str, Any]:
    move: dict[str, Any] = {"probability": _CHANCE, "difference": 0.0, "k_hat": None, "ess": 1.0}
    scaled = [
        {
            "name": name, "kind": "all", "symbol": None, "words": name, "moves": [{"alpha": 0.8} | move, {"alpha": 1.25} | move],
            "tilts": [], "sensitivity": None, "own": None, "label": None, "note": "",
        }
        for name in ("all priors", "all data")
    ]  # fmt: skip
    bias = {
        "most": 2.0, "trusted": 2.0, "opposed_now": 0.5, "low": _CHANCE, "high": _CHANCE, "sixty_at_most": [0.2, 0.9], "crossings": [],
        "halved": None, "doubled": None, "curve": [],
    }  # fmt: skip
    return {
        "headline": headline, "probability": _CHANCE, "powers": [0.8, 1.25], "tilts": [-0.5, 0.5], "threshold": 0.05,
        "label": "no sensitivity", "scaled": scaled, "flips": [], "sweeps": [], "shared_bias": bias,
    }  # fmt: skip
