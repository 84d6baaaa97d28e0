"""report.json: every number of every output, from one finished forecast."""

from __future__ import annotations

import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version

from forecast.data.fingerprint import data_digest
from forecast.domain import is_stale, month_text
from forecast.forecasting.forecast_result import Forecast
from forecast.model.tolerance_data import MODEL_VERSION
from forecast.report.files import SCHEMA_VERSION
from forecast.report.models.fit import SensitivitySection
from forecast.report.models.forecast import Attribution, DrawsSourceEntry, Nothing, PastPerformance, ScenarioEntry
from forecast.report.models.report import Report, Sentences
from forecast.report.payload import drivers, history, parameters, provenance, questions, readings
from forecast.report.sentences import build_sentences
from forecast.reweighting.draws_archive import pack
from forecast.sensitivity.analysis import analyse_sensitivity

PACKAGES = ("tolerance-forecast", "pymc", "nutpie", "pytensor", "numba", "arviz", "xarray", "numpy", "scipy")
NO_SENTENCES = Sentences(
    headline="", headline_long="", prior="", disputed_act="", range_readings="", range_pressure="", never_observed="",
    what_would_change=[], short="",
)  # fmt: skip
"""Until all else is there."""


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that numbers depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def build_report(forecast: Forecast, run_id: str, created: datetime) -> Report:
    """The report of a run. Apart from `run_id`, `created`, and what depends on the day it is made, it is a function of inputs and seed."""
    state = forecast.origin_state
    today = created.astimezone(UTC).date()
    report = Report(
        schema_version=SCHEMA_VERSION,
        run_id=run_id,
        created=created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        origin=month_text(state.origin),
        as_of=forecast.as_of.isoformat() if forecast.as_of else None,
        stale=is_stale(state.origin, today),
        model_version=MODEL_VERSION,
        seed=state.seed,
        data_digest=data_digest(state.data),
        priors_digest=state.priors.digest(),
        versions=versions(),
        headline=state.data.questions.resolution.headline,
        sentences=NO_SENTENCES,
        questions=questions.questions(forecast),
        baselines=questions.question_baselines(forecast),
        readings=readings.readings(forecast),
        mixture=readings.mixture(forecast),
        weights_alternative=readings.alternative_weights(forecast),
        multiverse=readings.multiverse(forecast),
        ladder=questions.ladder(forecast),
        history=history.history(forecast),
        drivers=drivers.drivers(forecast),
        parameters=parameters.parameters(forecast),
        prior_vs_posterior=questions.prior_and_forecast(forecast),
        skips=parameters.skips(forecast),
        replicates=parameters.replicates(forecast),
        sensitivity=sensitivity(forecast),
        asked_answered=history.episodes(forecast),
        concessions=history.concessions(forecast),
        stakes=history.stakes(state.data),
        scenarios=[ScenarioEntry.model_validate(dict(s)) for s in forecast.scenarios],
        directions=provenance.directions(forecast),
        diagnostics=provenance.diagnostics(forecast),
        freshness=provenance.freshness(forecast, today),
        warnings=provenance.data_warnings(forecast.warnings),
        calendar=history.calendar(forecast),
        reliability=provenance.reliability(forecast),
        definitions=provenance.definitions(),
        resolution=state.data.questions.resolution.text.strip(),
        limitations=provenance.limitations(forecast),
        sources=provenance.sources(state.data),
        draws_source=DrawsSourceEntry(**asdict(forecast.draws_source)) if forecast.draws_source else None,
        moved=Attribution.model_validate(dict(forecast.moved)) if forecast.moved else Nothing(),
        past_performance=PastPerformance.model_validate(dict(forecast.past_performance)) if forecast.past_performance else None,
    )
    return report.model_copy(update={"sentences": build_sentences(report)})


def sensitivity(forecast: Forecast) -> SensitivitySection:
    """What the headline is made of, as `forecast priors sensitivity` has it, from what the run's draws will hold."""
    result = analyse_sensitivity(pack(forecast), forecast.origin_state.priors, forecast.headline.question.id)
    return SensitivitySection.model_validate(result.as_dict())
