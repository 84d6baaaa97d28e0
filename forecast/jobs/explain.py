"""What moved the forecast from one run to another: the difference as a sum of parts, in a fixed order, and Monte Carlo noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from forecast.data.tables import origin
from forecast.domain import month_text
from forecast.errors import ForecastError, GateError, InputError
from forecast.forecasting.result import Forecast
from forecast.forecasting.revised.noise import LEAST, Noise, cancelled, noise, stretched
from forecast.forecasting.revised.telescope import Leg, Told, Values, telescope
from forecast.forecasting.revised.update import Basis
from forecast.jobs.snapshot import basis_of, inputs_of
from forecast.jobs.states import Chain, State, chain
from forecast.jobs.tellers import Draws, fits_between, fitted
from forecast.jobs.workspace import Inputs
from forecast.model.transitions import MODEL_VERSION
from forecast.progress import Progress, silent
from forecast.report.payload import versions
from forecast.report.read import read_report

ORDER: Final = ("model", "settings", "prior", "revision", "time", "new", "noise")
"""The kinds of parts, in the order in which the changes are made."""
NOISE: Final = 2.0
"""A part of fewer than so many of its own standard errors is indistinguishable from noise."""
OTHER_SEED: Final = 7_919
"""Added to a run's seed for the second fit of its inputs."""


@dataclass(frozen=True, eq=False)
class End:
    """One of two forecasts: its inputs, its draws, what it says and the stated Monte Carlo errors by question, and the seed.

    model: the version it was made with; versions: of the packages; fresh: whether this process has just made it.
    """

    inputs: Inputs
    basis: Callable[[], Basis]
    values: Values
    mcse: Values
    seed: int
    model: str
    versions: Mapping[str, str]
    fresh: bool = False


def explain(a: Path, b: Path, progress: Progress = silent, again: bool = False) -> dict[str, Any]:
    """What moved the probabilities from run `a` to run `b`, as it stands in report.json. Nothing is written.

    If run b's report tells it already, that is given, unless `again`. Raises UsageError if a run did not keep its inputs, InputError if
    run b was made by another version of the model, StoreError if a run is damaged.
    """
    report = read_report(b)
    if report["moved"].get("from_run") == a.name and not again:
        return dict(report["moved"])
    after = _end(b, report)
    if after.model != MODEL_VERSION:
        raise _other_version(b, after.model)
    return _moved(a, _end(a, read_report(a)), after, not report.get("rests_on"), progress)


def moved(previous: Path, forecast: Forecast, inputs: Inputs, progress: Progress = silent) -> dict[str, Any]:
    """What moved a forecast just made from the run published before, for its report.

    A forecast that was weighted from earlier draws is explained without any fit. Raises what `explain` raises.
    """
    made = forecast.readings
    basis = Basis(forecast.situation, {name: f.draws for name, f in made.items()}, next(iter(made.values())).prior_draws)
    values = {id_: a.probability for id_, a in forecast.answers.items()}
    mcse = {id_: a.mcse for id_, a in forecast.answers.items()}
    after = End(inputs, lambda: basis, values, mcse, forecast.situation.seed, MODEL_VERSION, versions(), fresh=True)
    return _moved(previous, _end(previous, read_report(previous)), after, forecast.rests_on is None, progress)


def failure(found: Mapping[str, Any]) -> ForecastError | None:
    """What must be said aloud if the parts do not explain the whole; None if they do."""
    if not found.get("unexplained"):
        return None
    worst = found["unexplained"][0]
    q = found["questions"][worst]
    return ForecastError(
        f"Since run {found['from_run']} something that is in no part moved {worst} by {100 * q['noise']:+.2f} points, where chance has a "
        f"standard error of {100 * q['noise_se']:.2f}; {len(found['unexplained'])} of {len(found['questions'])} questions are so.",
        "Fit again with another --seed; if it stays, something changed that data, priors and versions do not tell.",
    )


def _end(run: Path, report: Mapping[str, Any]) -> End:
    inputs = inputs_of(run)
    values = {q["id"]: float(q["probability"]) for q in report["questions"]}
    mcse = {q["id"]: float(q["mcse"] or 0.0) for q in report["questions"]}
    return End(inputs, lambda: basis_of(run, inputs), values, mcse, int(report["seed"]), report["model_version"], report["versions"])


def _other_version(run: Path, version: str) -> InputError:
    return InputError(f"Run {run.name} was made with version {version} of the model; this is version {MODEL_VERSION}.", "Fit again.")


def _moved(run: Path, before: End, after: End, fits: bool, progress: Progress) -> dict[str, Any]:
    if before.model != MODEL_VERSION and not fits:
        raise _other_version(run, before.model)
    way = chain(before.inputs, after.inputs)
    states, top = way.states, len(way.states) - 1
    own = before.basis() if before.model == MODEL_VERSION else fitted(before.inputs, states[0], before.seed, progress).basis
    first, last = Draws(own, states, 0, progress), Draws(after.basis(), states, top, progress)
    between = fits_between(after.inputs, states, after.seed, progress) if fits else None
    found = telescope(before.values, after.values, top + 1, first, last, between)
    program = _program(before, after, first(0) or {}, None if after.fresh else last(top))
    remainder = {q: x - program.get(q, 0.0) for q, x in found.noise.items()}
    chance = _noise(before, after, found, first, last, top, fits, progress)
    chance = replace(chance, share=_told_twice(found, first, last, chance))
    progress("what moved", 1.0)
    return _told(run, before, after, way, found, program, remainder, chance)


def _program(before: End, after: End, start: Values, finish: Values | None) -> Values:
    """What the program's own change did: a run's draws, told by this program, against what the run said. Empty if it is rounding.

    start: run a's inputs, by its draws or, if the model is another, by a fit of this one; finish: run b's inputs by its draws.
    """
    ids = [q for q in before.values if q in after.values]
    moved = {q: start[q] - before.values[q] + (after.values[q] - finish[q] if finish else 0.0) for q in ids if q in start}
    return moved if before.model != MODEL_VERSION or any(abs(x) > LEAST for x in moved.values()) else {}


def _noise(before: End, after: End, found: Told, first: Draws, last: Draws, top: int, fits: bool, progress: Progress) -> Noise:
    """From the stated Monte Carlo errors, and from two fits of identical inputs with different seeds: the two runs if they are, else run b
    and another fit of its inputs."""
    factor = None
    if not top:
        factor = stretched(before.values, after.values, before.mcse, after.mcse)
    elif fits:
        progress("what moved", None, "a second fit of the same inputs, for the noise")
        try:
            again = fitted(after.inputs, last.states[top], after.seed + OTHER_SEED, progress)
            factor = stretched(after.values, again.values, after.mcse, again.mcse)
        except GateError:
            factor = None
    handed = top if found.handed is None else found.handed
    here, there = first.share[max(first.share)], last.share.get(handed, 1.0)
    return noise(before.mcse, after.mcse, here, there, 1 + found.fits, factor)


def _told_twice(found: Told, first: Draws, last: Draws, chance: Noise) -> float:
    """The share of the noise that is left in a part: one of middling size is told by the draws of the other run too.

    The largest would not do, for its error grows with it. If those draws cannot tell it, one next to where they took over or end; else 1.
    """

    def size(leg: Leg) -> float:
        return sum(abs(x) / max(chance.se[q], LEAST) for q, x in leg.values.items())

    legs = sorted((leg for leg in found.legs if leg.how == "reweighted" and size(leg) > 0), key=size)
    handed = found.legs[-1].last if found.handed is None and found.legs else found.handed
    if not legs or handed is None:
        return 1.0
    for leg in (legs[len(legs) // 2], min(legs, key=lambda leg: abs(leg.last - handed))):
        other = first if leg.first >= handed else last
        a, b = other(leg.first), other(leg.last)
        if a and b:
            return cancelled(leg.values, {q: b[q] - a[q] for q in leg.values}, chance.se)
    return 1.0


def _told(run: Path, before: End, after: End, way: Chain, found: Told, program: Values, remainder: Values, chance: Noise) -> dict[str, Any]:
    """The form in which report.json has it."""
    parts = [_part(way.states, leg) for leg in found.legs]
    legs: list[Values] = [leg.values for leg in found.legs]
    if program:
        how = "reweighted" if before.model == MODEL_VERSION else "fitted"
        parts.insert(0, {"kind": "model", "label": _programs(before, after), "how": how, "rows": {}})
        legs.insert(0, program)
    left = [1.0 if part["how"] == "fitted" else chance.share for part in parts]
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
                "within_noise": [abs(leg[q]) <= NOISE * share * chance.se[q] for leg, share in zip(legs, left, strict=True)],
            }
            for q in remainder
        },
        "unexplained": list(chance.unexplained(remainder)),
        "factor": chance.factor,
        "share": chance.share,
        "fits": found.fits,
        "unread": dict(Counter(c.file for c in way.unread)),
        "appeared": [q for q in after.values if q not in before.values],
        "gone": [q for q in before.values if q not in after.values],
    }


def _part(states: Sequence[State], leg: Leg) -> dict[str, Any]:
    """A leg in words; of several steps that could not be told apart, all their labels."""
    some = states[leg.first + 1 : leg.last + 1]
    kinds = {s.kind for s in some}
    label = some[0].label if len(some) == 1 else f"together: {'; '.join(s.label for s in some)}"
    rows = Counter(c.file for s in some for c in s.rows)
    return {"kind": some[0].kind if len(kinds) == 1 else "several", "label": label, "how": leg.how, "rows": dict(rows)}


def _programs(before: End, after: End) -> str:
    if before.model != after.model:
        return f"model version {before.model} → {after.model}"
    differ = [f"{k} {v} → {after.versions.get(k)}" for k, v in before.versions.items() if after.versions.get(k) != v]
    return ", ".join(differ) or "the same inputs, read or simulated otherwise by a program of the same version"
