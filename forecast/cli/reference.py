"""`forecast priors reference`: what the states compared say about the ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples

if TYPE_CHECKING:
    from forecast.jobs.reference import Reference

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
        "forecast priors reference --class all_but_failed=2 --class like_mexico=1 --drop Ecuador --json",
    ),
)
@common("as_of", "seed")
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
def reference(
    context: Context,
    write: bool,
    classes: dict[str, float] | None,
    drop: tuple[str, ...],
    pressure: Literal["same", "previous", "none"],
) -> None:
    """Fit the outside view, and say which priors of the ladder it gives.

    What was public on a day, if --as-of is given. The fits take about a minute, most of it compilation. --write with the default
    choices also writes what the outside view says when it is asked differently, which the report tries.
    """
    from forecast.data.read import read_data
    from forecast.data.select import as_of
    from forecast.jobs.reference import SEED, ask_differently, compile_reference, write_reference
    from forecast.jobs.reference import reference as fit
    from forecast.priors.alternatives import write_alternatives
    from forecast.priors.files import load_priors

    folder = context.workspace.priors
    priors, data = load_priors(folder), read_data(context.workspace.data)
    if context.as_of is not None:
        data = as_of(data, context.as_of)
    seed = SEED if context.seed is None else context.seed
    with context.progress() as progress:
        sampler = compile_reference(data)
        result = fit(data, priors, seed=seed, classes=classes, drop=drop, pressure=pressure, sampler=sampler, progress=progress)
        published = write and classes is None and not drop and pressure == "same"
        alternatives = ask_differently(data, priors, result, sampler=sampler, progress=progress) if published else None
    if alternatives is not None:
        write_alternatives(folder, alternatives)
    if write:
        write_reference(result, folder, now=context.now, by=BY)
    if context.json:
        context.say_json(document(result, written=write))
        return
    for line in _page(result, written=write):
        context.say(line)


def document(result: Reference, *, written: bool) -> dict[str, Any]:
    """The result as one JSON document."""
    from dataclasses import asdict

    from forecast.domain import month_text

    return {
        "priors": {name: str(spec) for name, spec in result.specs.items()},
        "changed": {name: {"from": str(old), "to": str(new)} for name, (old, new) in result.changed.items()},
        "written": written,
        "pressure": result.pressure,
        "dropped": list(result.dropped),
        "seed": result.seed,
        "classes": [
            {
                "name": c.name,
                "weight": c.weight,
                "months": c.months,
                "rises": int(c.counts.rise.sum()),
                "falls": int(c.counts.fall.sum()),
                "entries": c.entries,
                "diagnostics": c.diagnostics.as_dict(),
            }
            for c in result.classes
        ],
        "chances": [asdict(c) for c in result.chances],
        "entries": [asdict(e) | {"month": month_text(e.month)} for e in result.entries],
    }


def _page(result: Reference, *, written: bool) -> list[str]:
    from forecast.domain import month_text

    lines = ["Class            weight  months  rises  falls  entries of level 4 or 5"]
    for c in result.classes:
        lines.append(f"{c.name:15}  {c.weight:6.2f}  {c.months:6,}  {c.counts.rise.sum():5}  {c.counts.fall.sum():5}  {c.entries:7}")
    lines += ["", "Level 4 or 5 within twelve months, for a new state: mean (90 % of draws)"]
    lines.append(f"{'':15}  {'pressure':8}  {'from surveillance':24}  from embedded")
    by = {(c.of, c.pressed, c.start): f"{c.mean:.1%} ({c.q05:.1%} to {c.q95:.1%})" for c in result.chances}
    for of in dict.fromkeys(c.of for c in result.chances):
        lines += [f"{of:15}  {'open' if p else 'none':8}  {by[of, p, 2]:24}  {by[of, p, 3]}" for p in (False, True)]
    lines += ["", "Entries of level 4 or 5 (pressure in the same year, in the year before)"]
    for e in result.entries:
        pressed = f"{'yes' if e.pressed_same else 'no'}, {'yes' if e.pressed_previous else 'no'}"
        lines.append(f"{month_text(e.month)}  {e.state:20}  {e.before} to {e.after}  {e.months:4} months  {pressed}")
    lines += ["", f"{'Prior':20}  {'now':36}  the outside view"]
    for name, spec in result.specs.items():
        old = str(result.changed[name][0]) if name in result.changed else "the same"
        lines.append(f"{name:20}  {old:36}  {spec}")
    end = f"{len(result.changed)} of {len(result.specs)} priors differ"
    lines += ["", f"{end}; written." if written else f"{end}; nothing was written (--write does it)."]
    return lines
