"""What moved the forecast from one run to another: the difference as a sum of parts, in a fixed order, and Monte Carlo noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forecast.attribution.input_states import InputPath, InputState, intermediate_inputs
from forecast.attribution.residual_noise import FACTOR_MAX, NEGLIGIBLE, Noise, error_inflation, in_quadrature, scaled
from forecast.attribution.sequential import Attribution, Contribution, Values, attribute_sequentially
from forecast.data.tables import origin
from forecast.domain import month_text
from forecast.errors import ForecastError, GateError, InputError
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.inputs import Inputs
from forecast.jobs.snapshot import basis_of, inputs_of
from forecast.jobs.state_forecasts import Fit, ReweightedForecaster, fits_between, fitted
from forecast.model.tolerance_data import MODEL_VERSION
from forecast.progress import Progress, silent
from forecast.report.payload import versions
from forecast.report.read import read_report
from forecast.reweighting.data_update import FittedDraws
from forecast.runs.manifest import read_manifest
from forecast.runs.retention import FITTED_IN

ORDER: Final = ("model", "settings", "prior", "revision", "time", "new", "noise")
"""The kinds of parts, in the order in which the changes are made."""
NOISE: Final = 2.0
"""A part of fewer than so many of its own standard errors is indistinguishable from noise."""
OTHER_SEED: Final = 7_919
"""Added to a run's seed for the second fit of its inputs."""
SAME_DRAWS: Final = "The draws of one fit told both forecasts, so that chance cancels but for the rounding of weights to whole draws."
UNCHECKED: Final = "The second fit of the same inputs, which checks the stated errors, did not pass the gate: they stand unchecked."
BEYOND: Final = "Two fits of the same inputs differ by {:.1f} times their stated errors: that is no chance, so it stretches nothing."


@dataclass(frozen=True, eq=False)
class RunEndpoint:
    """One of two forecasts: its inputs, its draws, what it says and the stated Monte Carlo errors by question, and the seed.

    fit: the run that the sampler made the draws for; weighted: whether that is another run, so that these draws are the fit's, each taken
    as often as it weighs; fitted: the draws of the fit. model: the version it was made with; versions: of the packages; fresh: whether
    this process has just made it.
    """

    inputs: Inputs
    basis: Callable[[], FittedDraws]
    values: Values
    mcse: Values
    seed: int
    model: str
    versions: Mapping[str, str]
    fit: str
    weighted: bool
    fitted: Callable[[], FittedDraws]
    fresh: bool = False


def explain(a: Path, b: Path, progress: Progress = silent, again: bool = False) -> dict[str, Any]:
    """What moved the probabilities from run `a` to run `b`, as it stands in report.json. Nothing is written.

    If run b's report tells it already, that is given, unless `again`. Raises UsageError if a run did not keep its inputs, InputError if
    run b was made by another version of the model or a run was reported in another form, StoreError if a run is damaged.
    """
    report = read_report(b)
    if report["moved"].get("from_run") == a.name and not again:
        return dict(report["moved"])
    after = _end(b, report)
    if after.model != MODEL_VERSION:
        raise InputError(f"Run {b.name} was made with version {after.model} of the model; this is version {MODEL_VERSION}.", "Fit again.")
    return _moved(a, _end(a, read_report(a)), after, progress)


def moved(previous: Path, forecast: Forecast, inputs: Inputs, progress: Progress = silent) -> dict[str, Any]:
    """What moved a forecast just made from the run published before, for its report.

    A forecast made of the draws behind that run is explained without any fit. Raises what `explain` raises.
    """
    made = forecast.readings
    basis = FittedDraws(forecast.origin_state, {name: f.draws for name, f in made.items()}, next(iter(made.values())).prior_draws)
    values = {id_: a.probability for id_, a in forecast.answers.items()}
    mcse = {id_: a.mcse for id_, a in forecast.answers.items()}
    rests = forecast.draws_source
    after = RunEndpoint(
        inputs, lambda: basis, values, mcse, forecast.origin_state.seed, MODEL_VERSION, versions(), rests.fitted_in if rests else "",
        rests is not None, (lambda: basis_of(previous.parent / rests.fitted_in)) if rests else (lambda: basis), fresh=True,
    )  # fmt: skip
    return _moved(previous, _end(previous, read_report(previous)), after, progress)


def failure(found: Mapping[str, Any]) -> ForecastError | None:
    """What must be said aloud if the parts do not explain the whole; None if they do."""
    if not found.get("unexplained"):
        return None
    worst = found["unexplained"][0]
    q = found["questions"][worst]
    return ForecastError(
        f"Since run {found['from_run']} something that is in no part moved {worst} by {100 * q['noise']:+.2f} points, where chance has a "
        f"standard error of {100 * q['remainder_se']:.2f}; {len(found['unexplained'])} of {len(found['questions'])} questions are so.",
        "Fit again with another --seed; if it stays, something changed that data, priors and versions do not tell.",
    )


def _end(run: Path, report: Mapping[str, Any]) -> RunEndpoint:
    inputs = inputs_of(run)
    values = {q["id"]: float(q["probability"]) for q in report["questions"]}
    mcse = {q["id"]: float(q["mcse"] or 0.0) for q in report["questions"]}
    fit = run.parent / (read_manifest(run).meta.get(FITTED_IN) or run.name)
    kept = fit != run and fit.is_dir()  # else it was pruned: the draws taken from it stand in for it
    return RunEndpoint(
        inputs, lambda: basis_of(run, inputs), values, mcse, int(report["seed"]), report["model_version"], report["versions"],
        fit.name if kept else run.name, kept, lambda: basis_of(fit if kept else run),
    )  # fmt: skip


def _moved(run: Path, before: RunEndpoint, after: RunEndpoint, progress: Progress) -> dict[str, Any]:
    way = intermediate_inputs(before.inputs, after.inputs)
    states, top = way.states, len(way.states) - 1
    paired = before.fit == after.fit and before.model == MODEL_VERSION

    def draws(basis: FittedDraws, *own: int) -> ReweightedForecaster:
        return ReweightedForecaster(basis, states, own, progress)

    sure = (0, top) if paired else (0,)
    known = before.model == MODEL_VERSION
    start = draws(before.basis() if known else fitted(before.inputs, states[0], before.seed, progress).basis, *sure)
    finish = draws(after.basis(), top)
    first = draws(before.fitted(), *sure) if before.weighted and known else start
    last = first if paired else draws(after.fitted(), top) if after.weighted else finish
    found = attribute_sequentially(
        before.values, after.values, top + 1, first, last, None if paired else fits_between(after.inputs, states, after.seed, progress)
    )
    program = _program(before, after, start(0) or {}, None if after.fresh else finish(top))
    remainder = {q: x - program.get(q, 0.0) for q, x in found.noise.items()}
    combs = [teller.comb_error(i) for end, teller, i in ((before, first, 0), (after, last, top)) if end.weighted]
    if paired:
        chance = _paired(first, top, combs)
    else:
        again, note = _again(after, states[top], progress)
        values = after.values if after.fresh else finish(top) or {}
        chance = _noise(found, first, last, top, combs, values, after.mcse, again, note)
    progress("what moved", 1.0)
    errors = [leg.told[0].apart(leg.first, leg.told[1], leg.last) for leg in found.legs]
    return _as_document(run, before, after, way, found, errors, program, remainder, chance)


def _program(before: RunEndpoint, after: RunEndpoint, start: Values, finish: Values | None) -> Values:
    """What the program's own change did: a run's draws, told by this program, against what the run said. Empty if it is rounding.

    start: run a's inputs, by its draws or, if the model is another, by a fit of this one; finish: run b's inputs by its draws.
    """
    ids = [q for q in before.values if q in after.values]
    moved = {q: start[q] - before.values[q] + (after.values[q] - finish[q] if finish else 0.0) for q in ids if q in start}
    return moved if before.model != MODEL_VERSION or any(abs(x) > NEGLIGIBLE for x in moved.values()) else {}


def _paired(draws: ReweightedForecaster, top: int, combs: Sequence[Values]) -> Noise:
    """Of forecasts told by the same draws: what chance is in the difference; what remains is the rounding of weights to whole draws."""
    whole = draws.apart(0, draws, top)
    return Noise(in_quadrature(whole, *combs), in_quadrature(dict.fromkeys(whole, 0.0), *combs), None, SAME_DRAWS)


def _again(after: RunEndpoint, state: InputState, progress: Progress) -> tuple[Fit | None, str]:
    """A second fit of run b's inputs with another seed; None and why if the gate refused it."""
    progress("what moved", None, "a second fit of the same inputs, for the noise")
    try:
        return fitted(after.inputs, state, after.seed + OTHER_SEED, progress), ""
    except GateError:
        return None, UNCHECKED


def _noise(
    found: Attribution[ReweightedForecaster], first: ReweightedForecaster, last: ReweightedForecaster, top: int, combs: Sequence[Values],
    values: Values, mcse: Values, again: Fit | None,
    note: str,
) -> Noise:  # fmt: skip
    """Of forecasts told by draws of their own: the errors of both at the state told twice, stretched as fits of the same inputs say.

    values, mcse: of run b; again: a second fit of its inputs. It is compared with run b and, if they tell these inputs, with the draws of
    run a; the smaller difference counts. So the difference that is judged never says by itself how large it may be.
    """
    factor = None
    if again is not None:
        pairs = [(values, mcse)]
        if found.handed == top and (told := first(top)) is not None:
            pairs.append((told, first.error(top)))
        factor = min(error_inflation(said, again.values, error, again.mcse) for said, error in pairs)
        if factor > FACTOR_MAX:
            factor, note = 1.0, BEYOND.format(factor)
    scale = (factor or 1.0) * (1 + found.fits) ** 0.5  # each time that draws change hands there is the same noise again
    se = in_quadrature(scaled(_joint_se(found, first, last, top), scale), *combs)
    return Noise(se, se, factor, note)


def _joint_se(found: Attribution[ReweightedForecaster], first: ReweightedForecaster, last: ReweightedForecaster, top: int) -> Values:
    """The errors of two sets of draws together: where they tell the same state, else where each tells its own."""
    i = top if found.handed is None else found.handed
    both = first(i) is not None and last(i) is not None
    return first.apart(i, last, i) if both else first.apart(0, last, top)


def _as_document(
    run: Path, before: RunEndpoint, after: RunEndpoint, way: InputPath, found: Attribution[ReweightedForecaster],
    errors: list[Values], program: Values, remainder: Values,
    chance: Noise,
) -> dict[str, Any]:  # fmt: skip
    """The form in which report.json has it. errors: of each leg, its standard errors by question."""
    parts = [_part(way.states, leg) for leg in found.legs]
    legs: list[Values] = [leg.values for leg in found.legs]
    if program:
        same = before.model == MODEL_VERSION  # then draws were told again, without noise
        parts.insert(0, {"kind": "model", "label": _programs(before, after), "how": "reweighted" if same else "fitted", "rows": {}})
        legs.insert(0, program)
        errors = [dict.fromkeys(program, 0.0) if same else chance.se, *errors]
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
                "parts": [leg[q] for leg in legs],
                "noise": remainder[q],
                "noise_se": chance.se[q],
                "remainder_se": chance.remainder_se[q],
                "within_noise": [abs(leg[q]) <= NOISE * (chance.factor or 1.0) * se[q] for leg, se in zip(legs, errors, strict=True)],
            }
            for q in remainder
        },
        "unexplained": list(chance.unexplained(remainder)),
        "factor": chance.factor,
        "note": chance.note,
        "fits": found.fits,
        "unread": dict(Counter(c.file for c in way.unread)),
        "appeared": [q for q in after.values if q not in before.values],
        "gone": [q for q in before.values if q not in after.values],
    }


def _part(states: Sequence[InputState], leg: Contribution[ReweightedForecaster]) -> dict[str, Any]:
    """A leg in words; of several steps that could not be told apart, all their labels."""
    some = states[leg.first + 1 : leg.last + 1]
    kinds = {s.kind for s in some}
    label = some[0].label if len(some) == 1 else f"together: {'; '.join(s.label for s in some)}"
    rows = Counter(c.file for s in some for c in s.rows)
    return {"kind": some[0].kind if len(kinds) == 1 else "several", "label": label, "how": leg.how, "rows": dict(rows)}


def _programs(before: RunEndpoint, after: RunEndpoint) -> str:
    if before.model != after.model:
        return f"model version {before.model} → {after.model}"
    differ = [f"{k} {v} → {after.versions.get(k)}" for k, v in before.versions.items() if after.versions.get(k) != v]
    return ", ".join(differ) or "the same inputs, read or simulated otherwise by a program of the same version"
