"""`forecast priors reference`: what the experience of other states says about the ladder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples

if TYPE_CHECKING:
    from forecast.data.tables import Data
    from forecast.jobs.priors.reference import NewStateChance, ReferenceFit
    from forecast.jobs.priors.try_edits import EditTrial
    from forecast.model.outside_view_data import ComparableState, EntryRate, HighLevelEntry


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
@click.option("--states", is_flag=True, help="Show the comparable states and their counts, without a fit.")
@click.option("--write", is_flag=True, help="Write the priors into priors/ladder.toml. Without it nothing is written.")
@click.option("--class", "classes", multiple=True, metavar="NAME=WEIGHT", callback=_class_weight, help="Pool these classes instead.")
@click.option("--drop", multiple=True, metavar="STATE", help="Leave a state out.")
@click.option(
    "--pressure",
    type=click.Choice(["same", "previous", "none"]),
    default="same",
    show_default=True,
    help="The year whose US request or threat acts on a month.",
)
@click.option(
    "--refit", is_flag=True, help="Also fit the forecast with these priors, if the draws of the newest run cannot show their effect."
)
def reference(
    context: Context,
    states: bool,
    write: bool,
    classes: dict[str, float] | None,
    drop: tuple[str, ...],
    pressure: Literal["same", "previous", "none"],
    refit: bool,
) -> None:
    """Fit the outside view (what other states did), and show the priors of the ladder that follow.

    With --as-of, only what was public on that day is used. The fits take about a minute, most of it compilation. If the priors differ from
    the current ones, the command also shows how they would change the newest published run. --write with the default choices also writes
    the alternative sets of priors that the report compares.
    """
    from forecast.cli._text import terminal_width
    from forecast.cli.reference import page
    from forecast.data.as_of import as_of
    from forecast.data.read import read_data
    from forecast.jobs.priors.reference import SEED, check_choices, compile_reference, fit_alternatives, write_reference
    from forecast.jobs.priors.reference import fit_reference as fit
    from forecast.priors.load import load_priors

    if states and (write or classes or pressure != "same" or refit):
        raise click.UsageError("--states fits nothing. It can be combined with --drop and --as-of only.")
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
        alternatives = fit_alternatives(data, priors, result, sampler=sampler, progress=progress) if published else None
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


def _tried(context: Context, result: ReferenceFit, refit: bool) -> EditTrial | str:
    """The effect of these priors on the newest run: from its draws, or by a new fit if they cannot show it and --refit was given."""
    from forecast.cli.priors_try import try_on_latest_run

    edits = {name: new for name, (_, new) in result.changed.items()}
    tried = try_on_latest_run(context, edits)
    if isinstance(tried, str) or tried.accepted or not refit:
        return tried
    from forecast.jobs.priors.try_edits import refit_edits

    with context.progress() as progress:
        return refit_edits(context.workspace, edits, None, progress)


def _counted(context: Context, data: Data, drop: tuple[str, ...]) -> None:
    """Print the states and the rates only."""
    from dataclasses import asdict

    from forecast.jobs.priors.reference import count_states

    listed, rates = count_states(data, drop)
    if context.json:
        context.say_json({"states": [asdict(s) for s in listed], "rates": [asdict(r) for r in rates]})
        return
    for line in [*states_table(listed), "", *rates_table(rates)]:
        context.say(line)


def document(result: ReferenceFit, tried: EditTrial | str, *, written: bool) -> dict[str, Any]:
    """The result as one JSON document."""
    from dataclasses import asdict

    from forecast.domain import month_text
    from forecast.model.outside_view_predictive import medians

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


SHORT = {"all_but_failed": "not failed", "without_drug_cases": "not drugs"}
MARKS = {"all_but_failed": "F", "drug_cases": "D", "like_mexico": "M"}


def page(result: ReferenceFit, tried: EditTrial | str, *, written: bool, width: int) -> Iterator[str]:
    """The whole output of `forecast priors reference`, in lines."""
    without = f" without {', '.join(result.dropped)}" if result.dropped else ""
    yield f"{len(result.states)} states{without}; `forecast priors reference --states` lists them."
    yield ""
    yield f"{'class':<20}{'weight':>7}{'months':>9}{'rises':>7}{'falls':>7}{'entries of 4 or 5':>20}"
    for c in result.classes:
        yield f"{_words(c.name):<20}{c.weight:>7.2f}{c.months:>9,}{c.counts.rise.sum():>7}{c.counts.fall.sum():>7}{c.entries:>20}"
    yield from ["", *rates_table(result.rates), "", *_chances(result.chances), "", *_entries(result.entries), ""]
    yield from [*_follow(result), "", *_stand(result), ""]
    end = f"{len(result.changed)} of {len(result.specs)} priors differ"
    yield f"{end}; written." if written else f"{end}; nothing was written (use --write)."
    if result.changed:
        yield from ["", *_would(tried, width)]


def states_table(listed: Sequence[ComparableState]) -> Iterator[str]:
    """One line for each state, with its counts."""
    yield f"{'state':<20}{'spells':>7}{'levels':>8}{'months':>8}{'rises':>7}{'falls':>7}{'entries':>9}  classes"
    for s in listed:
        low, high = s.level
        levels = f"{low}–{high}" if high > low else f"{low}"
        spells = f"{s.spells}{'*' if s.imposed else ''}"
        marks = ", ".join(f"{MARKS[c]}{'' if n == s.months else f' {n}'}" for c, n in s.classes.items() if n)
        yield f"{s.name:<20}{spells:>7}{levels:>8}{s.months:>8}{s.rises:>7}{s.falls:>7}{s.entries:>9}  {marks or '–'}"
    yield ""
    yield "entries: rises to level 4 or 5. * some spells were imposed, not chosen."
    yield "Classes: F all but failed, D drug cases, M like Mexico; a number: months in the"
    yield "class if not all. Mexico counts to 2005; the forecast is fitted to it from 2006."


def rates_table(rates: Sequence[EntryRate]) -> Iterator[str]:
    """How often the states of each class entered level 4 or 5."""
    from forecast.formatting import fine_percent

    yield "Entries of level 4 or 5 a year spent below it, counted (90 %); pressure as coded"
    yield "in the same year:"
    for r in rates:
        spread = f"{fine_percent(r.q50):>8}  ({fine_percent(r.q05)} to {fine_percent(r.q95)})"
        yield f"{_words(r.of):<20}{'open' if r.pressed else 'none':<6}{r.entries:>3} in {r.years:>5,.0f} years  {spread}"


def _chances(chances: Sequence[NewStateChance]) -> Iterator[str]:
    from forecast.formatting import fine_percent

    yield "Level 4 or 5 within twelve months, for a new state: mean (90 % of draws)"
    yield f"{'':<20}{'pressure':<10}{'from surveillance':<26}from embedded"
    by = {
        (c.of, c.pressed, c.start): f"{fine_percent(c.mean)} ({fine_percent(c.q05).removesuffix(' %')}–{fine_percent(c.q95)})"
        for c in chances
    }
    for of in dict.fromkeys(c.of for c in chances):
        for pressed in (False, True):
            yield f"{_words(of):<20}{'open' if pressed else 'none':<10}{by[of, pressed, 2]:<26}{by[of, pressed, 3]}"


def _entries(entries: Sequence[HighLevelEntry]) -> Iterator[str]:
    from forecast.domain import month_text

    yield "Entries of level 4 or 5 (pressure in the same year, in the year before)"
    for e in entries:
        pressed = f"{'yes' if e.pressed_same else 'no'}, {'yes' if e.pressed_previous else 'no'}"
        yield f"{month_text(e.month)}  {e.state:20}  {e.before} to {e.after}  {e.months:4} months  {pressed}"


def _follow(result: ReferenceFit) -> Iterator[str]:
    """How each prior is derived: the median of each class, and the widened pool of their predictive distributions."""
    from forecast.model.outside_view_predictive import medians
    from forecast.priors.descriptions import format_value
    from forecast.priors.distributions import Distribution

    by_class = {c.name: medians(c.state) for c in result.classes}
    room = len(by_class) <= 3
    yield "How the priors are derived: medians for a new state by class, then the pool"
    yield (
        f"{'':<19}"
        + "".join(f"{SHORT.get(name, _words(name))[:11]:>12}" for name in by_class)
        + (f"{'5, 50, 95 % of prior':>24}" if room else "")
    )
    for name, spec in result.specs.items():
        assert isinstance(spec, Distribution)
        cells = "".join(f"{format_value(name, of[name]):>12}" for of in by_class.values())
        quantiles = ", ".join(format_value(name, q).removesuffix(" %") for q in spec.interval())
        yield f"{name:<19}{cells}" + (f"{quantiles:>24}" if room else "")


def _stand(result: ReferenceFit) -> Iterator[str]:
    """The priors as they are written to the files, where they differ from the current ones."""
    if not result.changed:
        yield "The current priors are those of the outside view."
        return
    yield "Current prior → outside view"
    for name, (old, new) in result.changed.items():
        yield f"{name:<19}{old}"
        yield f"{'':<17}→ {new}"


def _would(tried: EditTrial | str, width: int) -> Iterator[str]:
    from forecast.cli._text import wrap
    from forecast.cli.priors_try import trial_lines

    if isinstance(tried, str):
        yield from wrap(tried, width)
        return
    yield f"Their effect on the newest published run, {tried.run_id}:"
    shown = list(trial_lines(tried, False))
    yield from shown[shown.index("") :]  # the edits are printed above


def _words(name: str) -> str:
    return {"priors": "the priors", "like_mexico": "like Mexico"}.get(name, name.replace("_", " "))
