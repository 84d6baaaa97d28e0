"""What moved the forecast from one run to another: the difference as a sum of parts, in a fixed order, and Monte Carlo noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from forecast.attribution.input_states import InputState, StateForecast, StateForecaster, intermediate_inputs
from forecast.attribution.sequential import NEGLIGIBLE, Contribution, Values, attribute_sequentially, in_quadrature, unexplained
from forecast.data.tables import origin
from forecast.domain import month_text
from forecast.errors import ForecastError, InputError
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.inputs import Inputs
from forecast.jobs.saved_run import SavedRun
from forecast.model.tolerance_data import MODEL_VERSION
from forecast.progress import Progress, silent
from forecast.report.payload.build import versions
from forecast.reweighting.data_update import FittedDraws

ORDER: Final = ("model", "settings", "prior", "revision", "time", "new", "noise")
"""The kinds of parts, in the order in which the changes are made."""
NOISE_Z: Final = 2.0
"""A part below this many of its own standard errors is within the noise."""
SHARED: Final = "Both forecasts use draws of the same fit, so sampling noise cancels except for resampling error."
LATER: Final = "All parts are computed with the draws of the later run."
EARLIER: Final = "All parts are computed with the draws of the earlier run; those of the later run are too far from its inputs."
JOINT: Final = (
    "The draws cannot be reweighted to all inputs between the runs. The steps they do not reach are one part, with the noise of both runs."
)


@dataclass(frozen=True, eq=False)
class RunEndpoint:
    """One of the two forecasts that are compared.

    inputs: what it was made from.
    values, mcse: question id → published probability, and its stated Monte Carlo standard error.
    draws: loads the draws it was made of.
    fit: id of the run whose fit the draws come from; weighted: whether that is another run; fitted: loads the draws of that fit.
    seed, model, versions: of the run, of the model, of the packages.
    fresh: whether this process has just made it.
    """

    inputs: Inputs
    values: Values
    mcse: Values
    draws: Callable[[], FittedDraws]
    fit: str
    weighted: bool
    fitted: Callable[[], FittedDraws]
    seed: int
    model: str
    versions: Mapping[str, str]
    fresh: bool = False


@dataclass(frozen=True, eq=False)
class _Comparison:
    """The forecasts that an attribution needs.

    carried: number of a state → its forecast, all by the same draws.
    first, last: forecasts of the two runs' own inputs by their own draws; None if the run's model is another, or nothing needs it.
    shared: whether both runs come from one fit. note: whose draws these are.
    """

    carried: Mapping[int, StateForecast]
    first: StateForecast | None
    last: StateForecast | None
    shared: bool
    note: str


def explain(a: SavedRun, b: SavedRun, progress: Progress = silent, again: bool = False) -> dict[str, Any]:
    """What moved the probabilities from run `a` to run `b`, in the form of `moved` in report.json. Nothing is written or fitted.

    If the report of run b has it already, that is given, unless `again`. Raises UsageError if a run did not keep its inputs, InputError
    if run b was made by another version of the model or a run has another form, StoreError if a run is damaged.
    """
    b.check()
    attribution = b.report.attribution
    if attribution and attribution.from_run == a.name and not again:
        return attribution.model_dump()
    after = _endpoint(b)
    if after.model != MODEL_VERSION:
        raise InputError(f"Run {b.name} was made with version {after.model} of the model; this is version {MODEL_VERSION}.", "Fit again.")
    return _attribution(a, _endpoint(a), after, progress)


def moved(previous: SavedRun, forecast: Forecast, inputs: Inputs, progress: Progress = silent) -> dict[str, Any]:
    """What moved a forecast that was just made from the run published before, for its report. Raises what `explain` raises."""
    readings = forecast.readings
    prior = next(iter(readings.values())).prior_draws
    draws = FittedDraws(forecast.origin_state, {name: reading.draws for name, reading in readings.items()}, prior)
    source = forecast.draws_source
    after = RunEndpoint(
        inputs=inputs,
        values={id_: a.probability for id_, a in forecast.answers.items()},
        mcse={id_: a.mcse for id_, a in forecast.answers.items()},
        draws=lambda: draws,
        fit=source.fitted_in if source else "",
        weighted=source is not None,
        fitted=(lambda: _fit_of(previous, source.fitted_in).fitted_draws) if source else (lambda: draws),
        seed=forecast.origin_state.seed,
        model=MODEL_VERSION,
        versions=versions(),
        fresh=True,
    )
    return _attribution(previous, _endpoint(previous), after, progress)


def failure(moved: Mapping[str, Any]) -> ForecastError | None:
    """The alarm if the parts do not explain the whole difference; None if they do."""
    if not moved.get("unexplained"):
        return None
    worst = moved["unexplained"][0]
    q = moved["questions"][worst]
    return ForecastError(
        f"Since run {moved['from_run']}, a cause that no part shows moved {worst} by {100 * q['noise']:+.2f} points; chance alone has a "
        f"standard error of {100 * q['remainder_se']:.2f}. This is so for {len(moved['unexplained'])} of {len(moved['questions'])} "
        "questions.",
        "Fit again with another --seed. If the change remains, its cause is not in data, priors or versions.",
    )


def _fit_of(previous: SavedRun, fitted_in: str) -> SavedRun:
    """The run whose draws a forecast reweights: as a rule the one that the run before comes from too."""
    return previous.fit if previous.fit.name == fitted_in else SavedRun(previous.path.parent / fitted_in)


def _endpoint(run: SavedRun) -> RunEndpoint:
    run.check()
    report = run.report
    weighted = run.fit is not run and run.fit.path.is_dir()  # if the fit was pruned, the draws taken from it stand in for it
    fit = run.fit if weighted else run
    return RunEndpoint(
        inputs=run.inputs,
        values={q.id: q.probability for q in report.questions},
        mcse={q.id: q.mcse or 0.0 for q in report.questions},
        draws=lambda: run.fitted_draws,
        fit=fit.name,
        weighted=weighted,
        fitted=lambda: fit.fitted_draws,
        seed=report.seed,
        model=report.model_version,
        versions=report.versions,
    )


def _attribution(run: SavedRun, before: RunEndpoint, after: RunEndpoint, progress: Progress) -> dict[str, Any]:
    path = intermediate_inputs(before.inputs, after.inputs)
    compared = _compare(before, after, path.states, progress)
    program = _program_change(before, after, compared)
    start = compared.first.probability if program and compared.first else before.values
    end = compared.last.probability if program and compared.last and not after.fresh else after.values
    model = "" if before.model == MODEL_VERSION else f"model version {before.model} → {after.model}"
    carried = {i: forecast.probability for i, forecast in compared.carried.items()}
    split = attribute_sequentially(start, end, carried, len(path.states) - 1, same_model=not model)
    joint = any(part.joint for part in split.contributions)
    noise_se, remainder_se = _noise(before, after, compared, joint)
    parts = [_part(path.states, part, model) for part in split.contributions]
    values = [part.values for part in split.contributions]
    errors = [_part_se(part, before, after, compared) for part in split.contributions]
    if program:
        parts.insert(0, {"kind": "model", "label": _program_label(before, after), "how": "reweighted", "rows": {}})
        values.insert(0, program)
        errors.insert(0, dict.fromkeys(program, 0.0))
    progress("what moved", 1.0)
    return {
        "from_run": run.name,
        "from_origin": month_text(origin(before.inputs.data)),
        "to_origin": month_text(origin(after.inputs.data)),
        "order": list(ORDER),
        "parts": parts,
        "questions": {
            q: {
                "before": before.values[q],
                "after": after.values[q],
                "parts": [part[q] for part in values],
                "parts_se": [se[q] for se in errors],
                "noise": noise,
                "noise_se": noise_se[q],
                "remainder_se": remainder_se[q],
                "within_noise": [abs(part[q]) <= NOISE_Z * se[q] for part, se in zip(values, errors, strict=True)],
            }
            for q, noise in split.remainder.items()
        },
        "unexplained": list(unexplained(split.remainder, remainder_se)),
        "note": f"{compared.note} {JOINT}" if joint else compared.note,
        "unread": dict(Counter(c.file for c in path.unread)),
        "appeared": [q for q in after.values if q not in before.values],
        "gone": [q for q in before.values if q not in after.values],
    }


def _compare(before: RunEndpoint, after: RunEndpoint, states: Sequence[InputState], progress: Progress) -> _Comparison:
    """Forecast the states by one set of draws: of the fit behind both runs, else of the later run, else of the earlier one.

    The later run's draws are taken if they carry the whole path, then the earlier run's, then those that carry more of it. The choice
    depends on the weights alone, never on what remains of the difference.
    """
    top = len(states) - 1

    def forecaster(draws: FittedDraws, *own: int) -> StateForecaster:
        return StateForecaster(draws, states, own, progress)

    known = before.model == MODEL_VERSION
    if known and before.fit == after.fit:
        fit = forecaster(before.fitted(), 0, top)
        first = (forecaster(before.draws(), 0) if before.weighted else fit).forecast(0)
        last = None if after.fresh else (forecaster(after.draws(), top) if after.weighted else fit).forecast(top)
        return _Comparison(fit.carried(), first, last, True, SHARED)
    later, earlier = forecaster(after.draws(), top), forecaster(before.draws(), 0) if known else None
    carrier, note = later, LATER
    if earlier and not later.forecast(0) and (earlier.forecast(top) or len(earlier.carried()) > len(later.carried())):
        carrier, note = earlier, EARLIER
    return _Comparison(carrier.carried(), earlier.forecast(0) if earlier else None, later.forecast(top), False, note)


def _program_change(before: RunEndpoint, after: RunEndpoint, compared: _Comparison) -> Values:
    """By how much this program, with a run's own draws and inputs, differs from what the run published. Empty if it is rounding.

    No chance is in it: the draws and the random numbers are those of the run.
    """
    change = {q: 0.0 for q in before.values if q in after.values}
    for own, published, sign in ((compared.first, before.values, 1), (None if after.fresh else compared.last, after.values, -1)):
        if own:
            change = {q: x + sign * (own.probability[q] - published[q]) for q, x in change.items()}
    return change if any(abs(x) > NEGLIGIBLE for x in change.values()) else {}


def _part_se(part: Contribution, before: RunEndpoint, after: RunEndpoint, compared: _Comparison) -> Values:
    """The Monte Carlo standard error of a part: of the paired difference, or of both runs if the part is joint."""
    first, last = compared.carried.get(part.first), compared.carried.get(part.last)
    if not part.joint:
        assert first is not None
        assert last is not None
        return first.influence.difference_se(last.influence, same_draws=True, same_paths=True)
    if part.first == 0 and last:
        return _between_runs(compared.first, before, last, before.seed == after.seed)
    assert first
    return _between_runs(compared.last, after, first, before.seed == after.seed)


def _between_runs(own: StateForecast | None, run: RunEndpoint, other: StateForecast, same_paths: bool) -> Values:
    """The standard error of the difference between what a run published and a forecast by the draws of another."""
    if own is None:
        return in_quadrature(other.influence.se(), run.mcse)
    return own.influence.difference_se(other.influence, same_draws=False, same_paths=same_paths)


def _noise(before: RunEndpoint, after: RunEndpoint, compared: _Comparison, joint: bool) -> tuple[Values, Values]:
    """Standard errors of after − before by chance alone, and of what remains of it after the parts.

    Of runs that share a fit the resampling of weighted draws remains, of others the noise of both at the run whose draws were not used.
    Nothing remains if a joint part ends in that run's published number.
    """
    top, same_paths = max(compared.carried), before.seed == after.seed
    none = dict.fromkeys(before.values, 0.0)
    if compared.shared:
        start, end = compared.carried[0].influence, compared.carried[top].influence
        resampled = [influence.resampling_se() for run, influence in ((before, start), (after, end)) if run.weighted]
        remainder = in_quadrature(none, *resampled)
        return in_quadrature(start.difference_se(end, same_draws=True, same_paths=True), remainder), remainder
    assert compared.last
    whole = _between_runs(compared.first, before, compared.last, same_paths)
    if joint:
        return whole, none
    if compared.note == EARLIER:
        return whole, _between_runs(compared.last, after, compared.carried[top], same_paths)
    return whole, _between_runs(compared.first, before, compared.carried[0], same_paths)


def _part(states: Sequence[InputState], part: Contribution, model: str) -> dict[str, Any]:
    """A part in words. A part of several steps has all their labels. model: the change of model, if a joint part holds it."""
    steps = states[part.first + 1 : part.last + 1]
    kinds: list[str] = [s.kind for s in steps]
    labels = [s.label for s in steps]
    if model and part.joint:
        kinds, labels = ["model", *kinds], [model, *labels]
    label = labels[0] if len(labels) == 1 else f"together: {'; '.join(labels)}"
    rows = Counter(c.file for s in steps for c in s.rows)
    kind = kinds[0] if len(set(kinds)) == 1 else "several"
    return {"kind": kind, "label": label, "how": "joint" if part.joint else "reweighted", "rows": dict(rows)}


def _program_label(before: RunEndpoint, after: RunEndpoint) -> str:
    changed = [f"{k} {v} → {after.versions.get(k)}" for k, v in before.versions.items() if after.versions.get(k) != v]
    return ", ".join(changed) or "the same inputs, read or simulated otherwise by a program of the same version"
