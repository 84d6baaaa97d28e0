"""report.json: every number of every output, from one finished forecast."""

from __future__ import annotations

import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from forecast.data.fingerprint import data_digest
from forecast.domain import is_stale, month_text
from forecast.forecasting.forecast_result import Forecast
from forecast.model.tolerance_data import MODEL_VERSION
from forecast.report.parts import baselines, beliefs, chances, drivers, foundations, record, sensitivity
from forecast.report.read import SCHEMA_VERSION
from forecast.report.sentences import build_sentences

PACKAGES = ("tolerance-forecast", "pymc", "nutpie", "pytensor", "numba", "arviz", "xarray", "numpy", "scipy")


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def build_report(forecast: Forecast, run_id: str, created: datetime) -> dict[str, Any]:
    """The payload of a run. Apart from `run_id`, `created`, and what depends on the day it is made, it is a function of inputs and seed."""
    origin_state = forecast.origin_state
    today = created.astimezone(UTC).date()
    report: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id,
        "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "origin": month_text(origin_state.origin),
        "as_of": forecast.as_of.isoformat() if forecast.as_of else None,
        "stale": is_stale(origin_state.origin, today),
        "model_version": MODEL_VERSION,
        "seed": origin_state.seed,
        "data_digest": data_digest(origin_state.data),
        "priors_digest": origin_state.priors.digest(),
        "versions": versions(),
        "headline": origin_state.data.questions.resolution.headline,
        "sentences": {},
        "questions": chances.questions(forecast),
        "baselines": baselines.frozen(forecast),
        "readings": chances.readings(forecast),
        "mixture": chances.mixture(forecast),
        "weights_alternative": chances.weights_alternative(forecast),
        "multiverse": chances.multiverse(forecast),
        "ladder": chances.ladder(forecast),
        "history": record.history(forecast),
        "drivers": drivers.drivers(forecast),
        "parameters": beliefs.parameters(forecast),
        "prior_vs_posterior": chances.prior_vs_posterior(forecast),
        "skips": beliefs.skips(forecast),
        "replicates": beliefs.replicates(forecast),
        "sensitivity": sensitivity.sensitivity(forecast),
        "asked_answered": record.asked_answered(forecast),
        "concessions": record.concessions(forecast),
        "stakes": record.stakes(origin_state.data),
        "scenarios": [dict(s) for s in forecast.scenarios],
        "directions": foundations.directions(forecast),
        "diagnostics": foundations.diagnostics(forecast),
        "freshness": foundations.freshness(forecast, today),
        "warnings": foundations.warnings(forecast.warnings),
        "calendar": record.calendar(forecast),
        "reliability": foundations.reliability(forecast),
        "definitions": foundations.definitions(),
        "resolution": origin_state.data.questions.resolution.text.strip(),
        "limitations": foundations.limitations(forecast),
        "sources": foundations.sources(origin_state.data),
        "rests_on": asdict(forecast.draws_source) if forecast.draws_source else None,
        "moved": dict(forecast.moved),
        "standing": dict(forecast.past_performance),
    }
    report["sentences"] = build_sentences(report)
    return report
