"""`forecast priors reference`: what the states compared say about the ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples

if TYPE_CHECKING:
    from forecast.data.tables import Data
    from forecast.jobs.priors.reference import Reference
    from forecast.jobs.priors.try_edits import EditTrial

BY = "forecast priors reference"


def _class_weight(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, float] | None:
    weights: dict[str, float] = {}
    for text in given:
        name, _, number = text.partition("=")
        try:
            weights[name.strip()] = float(number) if number else 1.0
        except ValueError:
            raise click.BadParameter(f"{text!r} is not of the form NAME=WEIGHT.", ctx, param) from None
    return weights or None


@click.command(
    "reference",
    epilog=examples(
        "forecast priors reference",
        "forecast priors reference --states",
        "forecast priors reference --class all_but_failed=2 --class like_mexico=1 --drop Ecuador --json",
    ),
)
@common("as_of", "seed")
@click.option("--states", is_flag=True, help="Show the comparable states as they were counted, and fit nothing.")
@click.option("--write", is_flag=True, help="Write them into priors/ladder.toml; without it nothing is written.")
@click.option("--class", "classes", multiple=True, metavar="NAME=WEIGHT", callback=_class_weight, help="Pool these classes instead.")
@click.option("--drop", multiple=True, metavar="STATE", help="Leave a state out.")
@click.option(
    "--pressure",
    type=click.Choice(["same", "previous", "none"]),
    default="same",
    show_default=True,
    help="The year whose US request or threat acts on a month.",
)
@click.option("--refit", is_flag=True, help="Fit the forecast again with these priors too, if the draws of the newest run cannot tell.")
def reference(
    context: Context,
    states: bool,
    write: bool,
    classes: dict[str, float] | None,
    drop: tuple[str, ...],
    pressure: Literal["same", "previous", "none"],
    refit: bool,
) -> None:
    """Fit the outside view, and say which priors of the ladder it gives.

    What was public on a day, if --as-of is given. The fits take about a minute, most of it compilation. Where the priors differ from
    those that stand, it also says what they would do to the newest published run. --write with the default choices also writes what the
    outside view says when it is asked differently, which the report tries.
    """
    from forecast.cli._reference_view import page
    from forecast.cli._text import terminal_width
    from forecast.data.as_of import as_of
    from forecast.data.read import read_data
    from forecast.jobs.priors.reference import SEED, ask_differently, check_choices, compile_reference, write_reference
    from forecast.jobs.priors.reference import reference as fit
    from forecast.priors.load import load_priors

    if states and (write or classes or pressure != "same" or refit):
        raise click.UsageError("--states fits nothing, so that of the other choices only --drop and --as-of go with it.")
    where = context.own_workspace if write else context.workspace
    priors, data = load_priors(where.priors), read_data(where.data)
    if context.as_of is not None:
        data = as_of(data, context.as_of)
    check_choices(data, classes, drop)
    if states:
        _counted(context, data, drop)
        return
    seed = SEED if context.seed is None else context.seed
    with context.progress() as progress:
        sampler = compile_reference(data)
        result = fit(data, priors, seed=seed, classes=classes, drop=drop, pressure=pressure, sampler=sampler, progress=progress)
        published = write and classes is None and not drop and pressure == "same"
        alternatives = ask_differently(data, priors, result, sampler=sampler, progress=progress) if published else None
    tried = _tried(context, result, refit)
    if write:
        write_reference(result, where, now=context.now, by=BY, as_of=context.as_of, alternatives=alternatives)
    if context.json:
        context.say_json(document(result, tried, written=write) | {"workspace": str(where.root)})
        return
    for line in page(result, tried, written=write, width=min(terminal_width(), 100)):
        context.say(line)
    if write:
        context.say_written(where, ["priors/"])


def _tried(context: Context, result: Reference, refit: bool) -> EditTrial | str:
    """What these priors would do to the newest run: from its draws, or fitted again where they can't tell and that was asked for."""
    from forecast.cli._headline_effect import tried_on_newest

    edits = {name: new for name, (_, new) in result.changed.items()}
    tried = tried_on_newest(context, edits)
    if isinstance(tried, str) or tried.accepted or not refit:
        return tried
    from forecast.jobs.priors.try_edits import refit_edits

    with context.progress() as progress:
        return refit_edits(context.workspace, edits, None, progress)


def _counted(context: Context, data: Data, drop: tuple[str, ...]) -> None:
    """The states and rates alone."""
    from dataclasses import asdict

    from forecast.cli._reference_view import rates_table, states_table
    from forecast.jobs.priors.reference import states_compared

    listed, rates = states_compared(data, drop)
    if context.json:
        context.say_json({"states": [asdict(s) for s in listed], "rates": [asdict(r) for r in rates]})
        return
    for line in [*states_table(listed), "", *rates_table(rates)]:
        context.say(line)


def document(result: Reference, tried: EditTrial | str, *, written: bool) -> dict[str, Any]:
    """The result as one JSON document."""
    from dataclasses import asdict

    from forecast.domain import month_text
    from forecast.model.outside_view_priors import medians

    return {
        "priors": {name: str(spec) for name, spec in result.specs.items()},
        "changed": {name: {"from": str(old), "to": str(new)} for name, (old, new) in result.changed.items()},
        "written": written,
        "pressure": result.pressure,
        "dropped": list(result.dropped),
        "seed": result.seed,
        "tried": tried if isinstance(tried, str) else tried.as_dict(),
        "states": [asdict(s) for s in result.states],
        "rates": [asdict(r) for r in result.rates],
        "classes": [
            {
                "name": c.name,
                "weight": c.weight,
                "months": c.months,
                "rises": int(c.counts.rise.sum()),
                "falls": int(c.counts.fall.sum()),
                "entries": c.entries,
                "medians": medians(c.state),
                "diagnostics": c.diagnostics.as_dict(),
            }
            for c in result.classes
        ],
        "chances": [asdict(c) for c in result.chances],
        "entries": [asdict(e) | {"month": month_text(e.month)} for e in result.entries],
    }
