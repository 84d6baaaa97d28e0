"""`forecast priors`: the beliefs that go into the forecast; `list` shows them in words, `check` says what is wrong or odd."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._root import Group, Lazy
from forecast.cli._text import terminal_width, wrap

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
            "Show the prior NAME: in words, as a curve, what it implies, its posterior in the newest published run, and its reason.",
        ),
        "try": Lazy("forecast.cli.priors_try:try_", "Show how edited priors would change the newest published forecast."),
        "set": Lazy("forecast.cli.priors_set:set_", "Change priors in their files and add each edit to the history."),
        "undo": Lazy(
            "forecast.cli.priors_set:undo",
            "Undo changes of priors, and restore value, reason, source, author and date.",
        ),
        "log": Lazy("forecast.cli.priors_set:log", "Show who changed which prior, when and why, newest first."),
        "elicit": Lazy("forecast.cli.priors_elicit:elicit", "Build the prior NAME from your answers to a few questions."),
        "pool": Lazy(
            "forecast.cli.priors_pool:pool",
            "Pool several people's beliefs about the prior NAME, and show what the pool implies.",
        ),
        "sensitivity": Lazy(
            "forecast.cli.sensitivity:sensitivity",
            "Show how each prior and each block of data moves the headline of RUN, and where it crosses a threshold.",
        ),
        "reference": Lazy(
            "forecast.cli.reference:reference",
            "Fit the outside view (what other states did), and show the priors of the ladder that follow.",
        ),
    },
    epilog=examples("forecast priors list", "forecast priors show ladder.rise.3", "forecast priors check"),
)
def priors() -> None:
    """See, try and change the priors: what we assume before looking at Mexico's record."""


@priors.command("list", epilog=examples("forecast priors list", "forecast priors list ladder", "forecast priors list --json"))
@common()
@click.argument("theme", required=False)
def list_(context: Context, theme: str | None) -> None:
    """List all priors, or those whose name starts with THEME, each in words.

    The column "moves" shows which priors matter. It is the largest change of the headline of the newest published run, in percentage
    points, when the prior was moved by half a standard deviation, weighted down or up, or replaced by another choice.
    """
    from forecast.cli._text import print_rows
    from forecast.cli.priors import list_lines, list_rows
    from forecast.errors import InputError
    from forecast.priors.catalogue import name_remedy

    loaded = _load(context)
    chosen = [prior for name, prior in loaded.items() if theme is None or f"{name}.".startswith(f"{theme.rstrip('.')}.")]
    if not chosen:
        raise InputError(f"No prior has a name that starts with {theme!r}.", name_remedy(str(theme)))
    run, moves = _moves(context)
    if context.json:
        context.say_json([prior_document(prior) | {"headline_moves_by": moves.get(prior.name)} for prior in chosen])
    elif not sys.stdout.isatty():
        print_rows(context, ("name", "prior", "headline_moves_by", "words"), list_rows(chosen, moves))
    else:
        for line in list_lines(chosen, run, moves, terminal_width()):
            context.say(line)


@priors.command(epilog=examples("forecast priors check", "forecast priors check --predict", "forecast priors check --json"))
@common("seed")
@click.option("--predict", is_flag=True, help="Also show what the priors alone forecast, and the histories that they simulate.")
def check(context: Context, predict: bool) -> None:
    """Check every prior file and the history of edits. Show what is invalid, and warn of what is valid but unusual."""
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
        summary = {"priors": len(loaded), "digest": loaded.digest(), "errors": [], "warnings": [_problem(p) for p in warnings]}
        context.say_json(summary | ({} if predicted is None else {"predictive": predicted.as_dict()}))
        return
    for problem in warnings:
        context.warn(f"unusual: {problem}")
    unusual = f"{len(warnings)} unusual" if warnings else "none unusual"
    context.say(f"{len(loaded)} priors in {len({p.file for p in loaded.values()})} files: all valid, {unusual}.")
    if predicted is not None:
        for line in predicted.lines():
            context.say(line)


def _predict(context: Context) -> PriorPredictive:
    from forecast.forecasting.inputs import load_workspace
    from forecast.jobs.priors.predictive import DEFAULT_SEED, prior_predictive

    with context.progress() as progress:
        return prior_predictive(load_workspace(context.workspace), DEFAULT_SEED if context.seed is None else context.seed, progress)


def _moves(context: Context) -> tuple[str | None, Mapping[str, float]]:
    """The newest published run and how far each prior moved it. A damaged run is only a warning, since the priors may still be right."""
    from forecast.errors import StoreError
    from forecast.jobs.priors.headline import headline_moves

    try:
        return headline_moves(context.workspace.reports) or (None, {})
    except StoreError as e:
        context.warn(str(e))
        return None, {}


def _load(context: Context) -> Priors:
    from forecast.priors.load import load_priors

    return load_priors(context.workspace.priors)


def _readings(context: Context, loaded: Priors) -> tuple[Problem, ...]:
    """Errors where the weights name other readings than readings.csv; none if that file is invalid, which `data check` reports."""
    from forecast.data.read import read_table
    from forecast.data.records import ReadingRow
    from forecast.priors.plausibility import check_reading_names

    table, problems = read_table(context.workspace.data / ReadingRow.file, ReadingRow)
    return () if problems else check_reading_names(loaded, {row.reading for row in table.rows})


def prior_document(prior: Prior) -> dict[str, Any]:
    """A prior for a program."""
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.descriptions import describe_prior
    from forecast.priors.distributions import Distribution
    from forecast.priors.specs import Constants

    entry, spec = CATALOGUE[prior.name], prior.spec
    q05, q50, q95 = spec.interval() if isinstance(spec, Distribution) else (None, None, None)
    return {
        "name": prior.name,
        "symbol": entry.symbol,
        "what": entry.what,
        "unit": entry.unit,
        "model": entry.model,
        "prior": str(spec),
        "words": describe_prior(prior.name, spec),
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


THEMES: Final = {
    "ladder": "how often the level rises and falls without pressure, and how far",
    "leverage": "how US pressure changes tolerance",
    "opposition": "what Mexicans think, and how that changes tolerance",
    "overdose": "how US overdose deaths change tolerance",
    "drift": "how tolerance changes for reasons that are not measured",
    "administration": "how much governments differ",
    "events": "what makes Washington demand more and Mexicans mobilise",
    "direct": "US action that Mexico resists",
    "exposure": "when what is covert becomes known",
    "companion": "how often the events of other questions happen",
    "readings": "how much each reading of the record counts",
    "outside_view": "how much other states count",
}
"""What the priors are about whose names begin with this word."""

LEAST: Final = 0.0005
"""A change of the headline smaller than this, 0.05 points, is shown as 0."""

UNKNOWN: Final = "–"


def list_rows(priors: Sequence[Prior], moves: Mapping[str, float]) -> list[dict[str, Any]]:
    """One mapping for each prior, in their order. headline_moves_by is a probability, or None where it is not known."""
    from forecast.priors.descriptions import describe_prior

    return [
        {"name": p.name, "prior": str(p.spec), "headline_moves_by": moves.get(p.name), "words": describe_prior(p.name, p.spec)}
        for p in priors
    ]


def list_lines(priors: Sequence[Prior], run: str | None, moves: Mapping[str, float], width: int) -> list[str]:
    """The priors under a heading for each theme, with a column of what they move if a run was published."""
    names = max(len(prior.name) for prior in priors)
    out: list[str] = []
    if run is not None:
        out += wrap(f"moves: the largest change of the headline of run {run}, in points; `forecast priors sensitivity` has more.", width)
    themes: dict[str, list[Prior]] = {}
    for prior in priors:
        themes.setdefault(prior.name.partition(".")[0], []).append(prior)
    for theme, members in themes.items():
        heading = f"{theme}: {THEMES[theme]}" if theme in THEMES else theme
        out += ["", *wrap(heading, width)] if out else wrap(heading, width)
        if run is not None:
            out.append(f"  {'':<{names}}  moves")
        for row in list_rows(members, moves):
            shown = f"{_points(row['headline_moves_by']):>5}  " if run is not None else ""
            first = f"  {row['name']:<{names}}  {shown}"
            out += wrap(f"{first}{row['prior']}", width, subsequent_indent=" " * len(first))
            out += wrap(row["words"], width, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return out


def _points(move: float | None) -> str:
    if move is None:
        return UNKNOWN
    return "0" if move < LEAST else f"{100 * move:.1f}"
