"""`forecast priors`: the beliefs that go into the forecast, in words, as curves, and what they imply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forecast.cli._context import Context
from forecast.cli._group import Group, Lazy
from forecast.cli._lines import sentence, terminal_width, wrap
from forecast.cli._options import common, examples

if TYPE_CHECKING:
    from forecast.errors import Problem
    from forecast.jobs.prior_predictive import PriorPredictive
    from forecast.priors.files import Prior, Priors

WIDE = 120


@click.group(
    "priors",
    cls=Group,
    lazy={
        "try": Lazy("forecast.cli.priors_try:try_", "Say what edited priors would do to the newest published run."),
        "set": Lazy("forecast.cli.priors_set:set_", "Change priors in their files and add each edit to the history."),
        "log": Lazy("forecast.cli.priors_set:log", "Show what was changed in the priors, newest first, by whom and why."),
        "elicit": Lazy("forecast.cli.priors_elicit:elicit", "Turn what you would say into the prior NAME, and show what it implies."),
        "reference": Lazy("forecast.cli.reference:reference", "Fit the outside view, and say which priors of the ladder it gives."),
    },
    epilog=examples("forecast priors list", "forecast priors show ladder.rise.3", "forecast priors check"),
)
def priors() -> None:
    """See, try and change the priors: what is believed before Mexico's record speaks."""


@priors.command("list", epilog=examples("forecast priors list", "forecast priors list ladder", "forecast priors list --json"))
@common()
@click.argument("theme", required=False)
def list_(context: Context, theme: str | None) -> None:
    """List all priors, or those whose name starts with THEME, each in words."""
    from forecast.errors import InputError
    from forecast.priors.catalogue import nearest

    loaded = _load(context)
    chosen = [prior for name, prior in loaded.items() if theme is None or f"{name}.".startswith(f"{theme.rstrip('.')}.")]
    if not chosen:
        raise InputError(f"No prior has a name that starts with {theme!r}.", f"Did you mean {nearest(str(theme))}?")
    if context.json:
        context.say_json([_document(prior) for prior in chosen])
    else:
        for line in _table(chosen, terminal_width()):
            context.say(line)


@priors.command(epilog=examples("forecast priors show leverage.effect", "forecast priors show ladder.skip_up.3 --json"))
@common()
@click.argument("name")
def show(context: Context, name: str) -> None:
    """Show the prior NAME: in words, as a curve, what it implies, why it is so, who says so and since when."""
    from forecast.errors import InputError
    from forecast.priors.catalogue import nearest
    from forecast.priors.density import density
    from forecast.priors.implied import implied

    loaded = _load(context)
    if name not in loaded:
        raise InputError(f"There is no prior named {name!r}.", f"Did you mean {nearest(name)}? `forecast priors list` names them all.")
    prior, rows = loaded[name], implied(loaded, name)
    after = _after(context, name)
    if context.json:
        curve = density(prior.spec)
        drawn = {"axis": curve.axis, "x": curve.x.tolist(), "y": curve.y.tolist()} if curve else None
        said = [{"what": r.what, "unit": r.unit, "q05": r.low, "q50": r.middle, "q95": r.high} for r in rows]
        context.say_json({**_document(prior), "density": drawn, "implied": said, "posterior": after})
        return
    for line in _page(prior, [(r.what, r.unit, (r.low, r.middle, r.high)) for r in rows], min(terminal_width(), 100)):
        context.say(line)
    for line in _learnt(after):
        context.say(line)


@priors.command(epilog=examples("forecast priors check", "forecast priors check --predict", "forecast priors check --json"))
@common("seed")
@click.option("--predict", is_flag=True, help="Also say what the priors alone forecast, and which histories they would have written.")
def check(context: Context, predict: bool) -> None:
    """Check every prior file; say what is wrong, and what is odd without being wrong."""
    from forecast.errors import InputError
    from forecast.priors.check import odd
    from forecast.priors.files import load_priors

    folder = context.workspace.priors
    try:
        loaded = load_priors(folder)
        if wrong := _readings(context, loaded):
            raise InputError.of(wrong)
    except InputError as e:
        if context.json:
            context.say_json({"priors": 0, "digest": None, "errors": [_problem(p) for p in e.problems], "warnings": []})
        raise
    warnings = odd(loaded)
    predicted = _predict(context) if predict else None
    if context.json:
        found = {"priors": len(loaded), "digest": loaded.digest(), "errors": [], "warnings": [_problem(p) for p in warnings]}
        context.say_json(found | ({} if predicted is None else {"predictive": predicted.as_dict()}))
        return
    for problem in warnings:
        context.warn(f"odd: {problem}")
    odds = f"{len(warnings)} of them odd" if warnings else "nothing odd"
    context.say(f"{len(loaded)} priors in {len({p.file for p in loaded.values()})} files, nothing wrong, {odds}.")
    if predicted is not None:
        for line in predicted.lines():
            context.say(line)


def _predict(context: Context) -> PriorPredictive:
    from forecast.jobs.prior_predictive import DEFAULT_SEED, prior_predictive
    from forecast.jobs.workspace import load_workspace

    with context.progress() as progress:
        return prior_predictive(load_workspace(context.workspace), DEFAULT_SEED if context.seed is None else context.seed, progress)


def _after(context: Context, name: str) -> dict[str, Any] | None:
    """What the newest published run made of a parameter of model 5; None without a run, or for a prior of another model."""
    from forecast.report.read import read_report
    from forecast.runs.store import latest

    run = latest(context.workspace.reports)
    if run is None:
        return None
    found = next((p for p in read_report(run)["parameters"] if p["name"] == name), None)
    return found and {"run_id": run.name, **{k: found[k] for k in ("posterior", "contraction", "shift", "learnt", "transitions")}}


def _learnt(after: dict[str, Any] | None) -> list[str]:
    """The posterior of the main reading, beside what it rests on."""
    from forecast.report.words import number

    if after is None:
        return []
    p = after["posterior"]
    verdict = "learnt" if after["learnt"] else "the prior still"
    return [
        "",
        f"After the record, main reading of run {after['run_id']}:",
        f"  5 / 50 / 95 %: {number(p['q05'])} / {number(p['q50'])} / {number(p['q95'])}",
        f"  contraction {after['contraction']:.2f}, shift {after['shift']:.2f} prior sds",
        f"  rests on {after['transitions']} change{'' if after['transitions'] == 1 else 's'} of level: {verdict}",
    ]


def _load(context: Context) -> Priors:
    from forecast.priors.files import load_priors

    return load_priors(context.workspace.priors)


def _readings(context: Context, loaded: Priors) -> tuple[Problem, ...]:
    """Where the weights name other readings than the data; nothing while readings.csv itself is wrong, which `data check` says."""
    from forecast.data.read import read_table
    from forecast.data.records import ReadingRow
    from forecast.priors.check import readings_differ

    table, problems = read_table(context.workspace.data / ReadingRow.file, ReadingRow)
    return () if problems else readings_differ(loaded, {row.reading for row in table.rows})


def _document(prior: Prior) -> dict[str, Any]:
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.parts import Constants
    from forecast.priors.spec import Distribution
    from forecast.priors.words import in_words

    entry, spec = CATALOGUE[prior.name], prior.spec
    q05, q50, q95 = spec.interval() if isinstance(spec, Distribution) else (None, None, None)
    return {
        "name": prior.name,
        "symbol": entry.symbol,
        "what": entry.what,
        "unit": entry.unit,
        "model": entry.model,
        "prior": str(spec),
        "words": in_words(prior.name, spec),
        "quantiles": {"q05": q05, "q50": q50, "q95": q95},
        "parts": dict(spec.values) if isinstance(spec, Constants) else None,
        "why": prior.rationale,
        "source": prior.source,
        "by": prior.author,
        "date": prior.date.isoformat(),
        "hindsight": prior.hindsight or None,
        "file": prior.file,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "row": problem.row,
        "column": problem.column,
        "found": problem.found,
        "expected": problem.expected,
        "remedy": problem.remedy,
    }


def _table(chosen: list[Prior], width: int) -> list[str]:
    """Three columns where there is room, else the words on a line of their own."""
    from forecast.priors.words import in_words

    names = max(len(prior.name) for prior in chosen)
    lines: list[str] = []
    for prior in chosen:
        words = in_words(prior.name, prior.spec)
        if width >= WIDE:
            column = names + 2
            cells = wrap(str(prior.spec), 36), wrap(words, width - column - 38)
            for i in range(max(map(len, cells))):
                spec, said = (cell[i] if i < len(cell) else "" for cell in cells)
                lines.append(f"{prior.name if i == 0 else '':<{column}}{spec:<38}{said}".rstrip())
        else:
            lines += wrap(f"{prior.name:<{names}}  {prior.spec}", width, subsequent_indent=" " * (names + 2))
            lines += wrap(words, width, initial_indent="    ", subsequent_indent="    ")
    return lines


def _page(prior: Prior, rows: list[tuple[str, str, tuple[float, float, float]]], width: int) -> list[str]:
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.density import draw
    from forecast.priors.words import in_words, number, percent, unit_text

    entry, spec = CATALOGUE[prior.name], prior.spec
    lines = [*wrap(f"{prior.name} ({entry.symbol}) = {spec}", width, subsequent_indent="    "), *wrap(entry.what, width), ""]
    lines += [*wrap(sentence(in_words(prior.name, spec)), width), ""]
    if drawing := draw(spec, lambda x: unit_text(prior.name, x), min(60, width)):
        lines += [*drawing, f"5, 50 and 95 % quantiles; {entry.unit}", ""]
    if rows:
        lines += wrap("What it implies, the other priors at their medians (5 to 95 % of this one):", width)
        for what, unit, values in rows:
            low, middle, high = map(percent if unit == "probability" else number, values)
            lines += wrap(f"{what}: {middle} ({low} to {high})", width, initial_indent="  ", subsequent_indent="    ")
        lines.append("")
    lines += wrap(f"Why: {prior.rationale}", width)
    if prior.hindsight:
        lines += wrap(f"Known when it was set: {prior.hindsight}", width)
    return lines + wrap(f"Source: {prior.source}. By {prior.author}, {prior.date}, in {prior.file}.", width)
