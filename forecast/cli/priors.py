"""`forecast priors`: the beliefs that go into the forecast, in words, as curves, and what they imply."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._root import Group, Lazy
from forecast.cli._text import terminal_width

if TYPE_CHECKING:
    from forecast.errors import Problem
    from forecast.jobs.priors.predictive import PriorPredictive
    from forecast.priors.load import Prior, Priors


@click.group(
    "priors",
    cls=Group,
    lazy={
        "show": Lazy(
            "forecast.cli.priors_show:show",
            "Show the prior NAME: in words, as a curve, what it implies, what the newest published run made of it, and why it is so.",
        ),
        "try": Lazy("forecast.cli.priors_try:try_", "Say what edited priors would do to the newest published run."),
        "set": Lazy("forecast.cli.priors_set:set_", "Change priors in their files and add each edit to the history."),
        "undo": Lazy(
            "forecast.cli.priors_set:undo",
            "Take changes of priors back: value, reason, source, author and date become what they were.",
        ),
        "log": Lazy("forecast.cli.priors_set:log", "Show what was changed in the priors, newest first, by whom and why."),
        "elicit": Lazy("forecast.cli.priors_elicit:elicit", "Turn what you would say into the prior NAME, and show what it implies."),
        "pool": Lazy(
            "forecast.cli.priors_pool:pool",
            "Pool several people's beliefs about the prior NAME, and say what the pool implies; nothing is written.",
        ),
        "sensitivity": Lazy(
            "forecast.cli.sensitivity:sensitivity",
            "Say what each prior and each block of data does to the headline of RUN, and where it flips.",
        ),
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
    """List all priors, or those whose name starts with THEME, each in words.

    The column "moves" says which matter: the most that a prior moved the headline of the newest published run, in percentage points, when
    it lay half a standard deviation lower or higher, counted for less or more, or was set to another choice.
    """
    from forecast.cli._prior_list import lines, rows
    from forecast.cli._text import print_rows
    from forecast.errors import InputError
    from forecast.priors.catalogue import nearest

    loaded = _load(context)
    chosen = [prior for name, prior in loaded.items() if theme is None or f"{name}.".startswith(f"{theme.rstrip('.')}.")]
    if not chosen:
        raise InputError(f"No prior has a name that starts with {theme!r}.", f"Did you mean {nearest(str(theme))}?")
    run, moves = _moves(context)
    if context.json:
        context.say_json([document(prior) | {"headline_moves_by": moves.get(prior.name)} for prior in chosen])
    elif not sys.stdout.isatty():
        print_rows(context, ("name", "prior", "headline_moves_by", "words"), rows(chosen, moves))
    else:
        for line in lines(chosen, run, moves, terminal_width()):
            context.say(line)


@priors.command(epilog=examples("forecast priors check", "forecast priors check --predict", "forecast priors check --json"))
@common("seed")
@click.option("--predict", is_flag=True, help="Also say what the priors alone forecast, and which histories they would have written.")
def check(context: Context, predict: bool) -> None:
    """Check every prior file and the history of edits; say what is wrong, and what is odd without being wrong."""
    from forecast.errors import InputError
    from forecast.priors.edit_log import read_history
    from forecast.priors.load import load_priors
    from forecast.priors.plausibility import plausibility_warnings

    folder = context.workspace.priors
    read_history(folder)
    try:
        loaded = load_priors(folder)
        if wrong := _readings(context, loaded):
            raise InputError.of(wrong)
    except InputError as e:
        if context.json:
            context.say_json({"priors": 0, "digest": None, "errors": [_problem(p) for p in e.problems], "warnings": []})
        raise
    warnings = plausibility_warnings(loaded)
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
    from forecast.forecasting.inputs import load_workspace
    from forecast.jobs.priors.predictive import DEFAULT_SEED, prior_predictive

    with context.progress() as progress:
        return prior_predictive(load_workspace(context.workspace), DEFAULT_SEED if context.seed is None else context.seed, progress)


def _moves(context: Context) -> tuple[str | None, Mapping[str, float]]:
    """The newest published run and what its priors moved; a damaged run is a warning, since no prior is wrong because of it."""
    from forecast.errors import StoreError
    from forecast.jobs.priors.headline_moves import prior_moves

    try:
        return prior_moves(context.workspace.reports) or (None, {})
    except StoreError as e:
        context.warn(str(e))
        return None, {}


def _load(context: Context) -> Priors:
    from forecast.priors.load import load_priors

    return load_priors(context.workspace.priors)


def _readings(context: Context, loaded: Priors) -> tuple[Problem, ...]:
    """Where the weights name other readings than the data; nothing while readings.csv itself is wrong, which `data check` says."""
    from forecast.data.read import read_table
    from forecast.data.records import ReadingRow
    from forecast.priors.plausibility import readings_differ

    table, problems = read_table(context.workspace.data / ReadingRow.file, ReadingRow)
    return () if problems else readings_differ(loaded, {row.reading for row in table.rows})


def document(prior: Prior) -> dict[str, Any]:
    """A prior for a program."""
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.descriptions import in_words
    from forecast.priors.distributions import Distribution
    from forecast.priors.named_constants import Constants

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
