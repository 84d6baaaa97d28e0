"""The main job: fit the model, forecast, and write a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from forecast.data.fingerprint import data_digest
from forecast.errors import GateError
from forecast.forecasting.driver_paths import NO_INTERVENTION, DriverPaths, Intervention
from forecast.forecasting.fit_readings import ReadingForecast, compiled_sampler, forecast_reading
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.inputs import DEFAULT_SEED, Inputs
from forecast.forecasting.multiverse import disputed_act, run_multiverse
from forecast.forecasting.origin_state import build_origin_state
from forecast.forecasting.question_forecasts import forecast_questions
from forecast.forecasting.questions import build_questions
from forecast.forecasting.scenarios.run import feasible_scenarios, run_scenarios
from forecast.inference.gate import worst_diagnostics
from forecast.inference.settings import MULTIVERSE
from forecast.jobs.input_fingerprint import sampling, settings_digest
from forecast.jobs.saved_run import INPUTS
from forecast.model.hyperparameters import tolerance_priors
from forecast.progress import Progress, listener_of, silent
from forecast.report.files import write_report_files
from forecast.report.models.report import Report
from forecast.report.payload.build import build_report
from forecast.report.rehearsal import rehearse
from forecast.reweighting.draws_archive import pack
from forecast.reweighting.universe_weights import weigh_universe
from forecast.runs import store
from forecast.runs.draws_files import write_draws, write_posterior
from forecast.workspace import write_snapshot

UNPUBLISHED: Final[Mapping[str, Any]] = {"follows": None, "decision": {"kind": "run", "reason": "", "seconds": None}}
"""What the manifest of a run records that was not written to be published."""
FOR_THIS_RUN = "made for this run"
"""The revision of a prior that stands in no file: one fitted to what was public of other states by an earlier day."""


@dataclass(frozen=True, eq=False)
class WrittenRun:
    """A run on disk: its id, its folder and its report."""

    run_id: str
    path: Path
    report: Report


def fit(
    inputs: Inputs,
    seed: int = DEFAULT_SEED,
    progress: Progress | bool = silent,
    engine: Literal["nutpie", "pymc"] = "nutpie",
    explored: bool = True,
) -> Forecast:
    """Fit every reading, check the fits by the gate, and forecast every question. GateError if a fit fails twice; nothing is written.

    progress: a listener, or True to print a line now and then.
    explored: also try the other defensible choices and run the scenarios, which a report wants. The report's page is then drawn once
    before anything is fitted: InputError if a text of the workspace cannot be shown.

    >>> result = fit(inputs, seed=7)
    >>> 0 < result.probability("reach-4-12m") < 1
    True
    """
    progress = listener_of(progress)
    if explored:
        rehearse(inputs.data, inputs.scenarios)
    progress("drivers", None, "overdoses, opposition, events")
    origin_state = build_origin_state(inputs.data, inputs.priors, seed)
    constants = tolerance_priors(inputs.priors)
    pool = origin_state.pool()
    progress("drivers", 1.0)
    progress("compile", None, "the model of tolerance, once")
    sampler = compiled_sampler(origin_state, constants, engine)
    progress("compile", 1.0)
    readings: dict[str, ReadingForecast] = {}
    for i, name in enumerate(origin_state.histories):
        report = _part(progress, "fit", name, i, len(origin_state.histories))
        readings[name] = forecast_reading(origin_state, sampler, pool, name, constants, seed + 10 * i, report=report)
    progress("fit", 1.0)
    diagnostics = worst_diagnostics({name: reading.diagnostics for name, reading in readings.items()})
    if not diagnostics.passed:
        raise GateError(
            f"The fit did not pass the gate, so it is not published: {'; '.join(diagnostics.reasons)}.",
            "The published forecast stays as it was. Try another --seed; if that fails too, check recent changes to data and priors "
            "(`forecast diff`).",
        )
    answers = forecast_questions(origin_state, readings, pool, build_questions(inputs.data.questions, origin_state.origin))
    headline = answers[inputs.data.questions.resolution.headline].question
    asked, disputed = (headline.level or 0, headline.horizon), disputed_act(origin_state)
    multiverse = [] if not explored else run_multiverse(
        origin_state, sampler, pool, seed + 100, asked[0], asked[1], disputed, inputs.alternatives, MULTIVERSE,
        _stage(progress, "other choices"), lambda choice: weigh_universe(origin_state, readings["main"], pool, choice, *asked),
    )  # fmt: skip
    progress("other choices", 1.0)
    progress("scenarios", None)
    chosen = inputs.scenarios if explored else ()
    scenarios = run_scenarios(
        origin_state, {name: reading.draws for name, reading in readings.items()}, chosen, _stage(progress, "scenarios"),
        {name: reading.ladder for name, reading in readings.items()},
    )  # fmt: skip
    progress("scenarios", 1.0)
    _, left_out = feasible_scenarios(origin_state, chosen, pool)
    return Forecast(
        origin_state=origin_state,
        pool=pool,
        readings=readings,
        answers=answers,
        multiverse=multiverse,
        disputed=disputed,
        scenarios=[s.as_dict() for s in scenarios],
        warnings=(*inputs.data.warnings, *left_out),
        diagnostics=diagnostics,
        as_of=inputs.as_of,
    )


def simulate(inputs: Inputs, seed: int = DEFAULT_SEED, intervention: Intervention = NO_INTERVENTION) -> DriverPaths:
    """Simulated paths of leverage, overdoses and opposition after the origin. An intervention changes them as a scenario does.

    >>> paths = simulate(inputs, seed=7)
    >>> paths.leverage.ndim, bool((paths.leverage >= 0).all())
    (2, True)
    """
    return build_origin_state(inputs.data, inputs.priors, seed).pool(intervention)


def _stage(progress: Progress, stage: str) -> Callable[[float, str], None]:
    return lambda done, words: progress(stage, min(done, 0.999), words)


def _part(progress: Progress, stage: str, name: str, i: int, parts: int) -> Callable[[float, str], None]:
    """The progress of part `i` of a stage in several parts."""
    return _stage(
        lambda stage, done=None, words="": progress(stage, None if done is None else (i + done) / parts, f"{name}, {words}"), stage
    )


def write_report(
    forecast: Forecast,
    reports: Path,
    now: datetime,
    progress: Progress = silent,
    inputs: Inputs | None = None,
    notes: Mapping[str, Any] | None = None,
) -> WrittenRun:
    """Write a run of a finished forecast: whole or not at all. It does not become `latest`.

    inputs: what the forecast was made from, as `load_workspace` gave it; the run keeps the files, and names the revision of every prior.
    notes: what else the manifest is to say, as of a run that is published: what it follows, and what was decided and why.

    >>> run = write_report(result, folder, datetime(2026, 11, 24, tzinfo=UTC))
    >>> sorted(path.name for path in run.path.glob("report.*"))
    ['report.html', 'report.json', 'report.md']
    """
    digest = data_digest(forecast.origin_state.data) + forecast.origin_state.priors.digest()
    run_id = store.new_run_id(now, digest)
    progress("report", None)
    report = build_report(forecast, run_id, now)

    def write(folder: Path) -> None:
        write_report_files(report, folder)
        write_posterior(folder, {name: reading.posterior for name, reading in forecast.readings.items()})
        write_draws(folder, pack(forecast))
        write_snapshot(folder / INPUTS, {} if inputs is None else inputs.snapshot)

    path = store.write_run(reports, run_id, write, {**meta(report), **made_from(forecast, inputs), **UNPUBLISHED, **(notes or {})})
    progress("report", 1.0)
    return WrittenRun(run_id, path, report)


def made_from(forecast: Forecast, inputs: Inputs | None) -> dict[str, Any]:
    """For the manifest: what the inputs were, beside the digests that the report holds.

    today: the day by which the data were published (null: all rows); fitted_in: the run whose draws were weighted (null: fitted here);
    sampling: how much was sampled; priors: the exact revision of each.
    """
    fitted_in = forecast.draws_source.fitted_in if forecast.draws_source else None
    specs = {name: str(prior.spec) for name, prior in forecast.origin_state.priors.items()}
    if inputs is None:
        priors = {name: {"spec": spec} for name, spec in specs.items()}
        return {"today": None, "fitted_in": fitted_in, "priors": priors, "settings_digest": None, "sampling": None}
    return {
        "today": inputs.today.isoformat() if inputs.today else None,
        "fitted_in": fitted_in,
        "settings_digest": settings_digest(inputs),
        "sampling": sampling(),
        "priors": {
            name: dict(known) if known["spec"] == specs[name] else {"spec": specs[name], "revision": FOR_THIS_RUN}
            for name, known in inputs.revisions.items()
        },
    }


def meta(report: Report) -> dict[str, Any]:
    """What the manifest records of a run besides its files."""
    q = report.headline_question
    keys = ("created", "origin", "as_of", "model_version", "seed", "data_digest", "priors_digest", "versions", "headline")
    return {key: getattr(report, key) for key in keys} | {
        "probability": q.probability,
        "probabilities": {q.id: q.probability for q in report.questions},
        "by_reading": dict(q.by_reading),
        "interval": q.interval and q.interval.model_dump(),
        "gate": report.diagnostics.status,
    }
