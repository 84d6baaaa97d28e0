"""`forecast priors show`: one prior in words, as a curve, in what it implies, in what the newest run made of it, and why it is so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples, force_option
from forecast.cli._text import sentence, terminal_width, wrap

if TYPE_CHECKING:
    from forecast.jobs.priors.edits import EditLog
    from forecast.jobs.priors.report import PriorReport
    from forecast.priors.distributions import Distribution
    from forecast.priors.implied import ImpliedQuantity
    from forecast.priors.load import Prior, Priors
    from forecast.report.models.forecast import QuestionEntry
    from forecast.storage.output import Output


@click.command(
    "show",
    epilog=examples(
        "forecast priors show leverage.effect",
        "forecast priors show ladder.skip_up.3 --json",
        "forecast priors show ladder.rise.3 --figure rise.svg",
    ),
)
@common()
@click.argument("name")
@click.option("--figure", metavar="FILE.svg", help="Also draw it into this file, as SVG.")
@force_option
def show(context: Context, name: str, figure: str | None, force: bool) -> None:
    """Show the prior NAME: in words, as a curve, what it implies, its posterior in the newest published run, and its reason."""
    from forecast.cli.priors import prior_document
    from forecast.errors import UsageError

    if figure is not None and not figure.lower().endswith(".svg"):
        raise UsageError(f"{figure} is not the name of an SVG file.", f"Write --figure {name}.svg, for instance.")
    file = None if figure is None else context.output(figure, force)
    from forecast.jobs.priors.edits import read_edit_log
    from forecast.jobs.priors.report import prior_report
    from forecast.priors.catalogue import check_known
    from forecast.priors.implied import implied_quantities
    from forecast.priors.load import load_priors

    loaded = load_priors(context.workspace.priors)
    check_known(name)
    rows, after = implied_quantities(loaded, name), prior_report(context.workspace, loaded, name)
    log = read_edit_log(context.workspace, name)
    drawn = _figure(file, loaded, name, rows, after) if file else None
    if context.json:
        edits = [edit.as_dict() for edit in reversed(log.history.edits)]
        context.say_json({
            **prior_document(loaded[name]), "density": _curve(loaded, name), "implied": [r.as_dict() for r in rows], "edits": edits,
            "posterior": _posterior_document(after), "figure": drawn,
        })  # fmt: skip
        return
    for line in prior_page(loaded, name, rows, after, log, min(terminal_width(), 100)):
        context.say(line)
    if drawn:
        context.say(f"\nDrawn into {drawn}.")


def _figure(file: Output, loaded: Priors, name: str, rows: tuple[ImpliedQuantity, ...], after: PriorReport | None) -> str:
    """Draw the prior into a file. UsageError if it has no curve."""
    from forecast.errors import UsageError
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.descriptions import describe_prior, format_value
    from forecast.priors.distributions import Distribution, Fixed
    from forecast.report.figures.prior_svg import prior_svg

    entry, spec = CATALOGUE[name], loaded.spec(name)
    if not isinstance(spec, Distribution) or isinstance(spec, Fixed):
        raise UsageError(f"{name} is a setting and has no curve.", f"`forecast priors show {name}` says what it is.")
    drawn = after.prior if after and after.draws and after.prior else spec
    draws = after.draws if after else None
    became = after.implied if after and draws else ()
    chances = [
        (r.what, (r.low, r.middle, r.high), (became[i].low, became[i].middle, became[i].high) if became else None)
        for i, r in enumerate(rows)
        if r.unit == "probability"
    ]
    if after and after.on_forecast:
        chances.insert(0, ("the headline (main reading), all else as fitted", after.on_forecast.before, after.on_forecast.after))
    text = wrap(f"{sentence(describe_prior(name, spec))} {entry.what}", 98)
    reading = "main reading of " if after and after.on_forecast else ""
    blue = f" Blue: after the data, {reading}run {after.run_id}." if after and draws else ""
    key = f"{entry.unit[0].upper()}{entry.unit[1:]}. Grey: the prior.{blue}"
    svg = prior_svg(f"{name} ({entry.symbol}) = {spec}", text, drawn, draws, lambda x: format_value(name, x), key, chances)
    file.write(svg)
    return str(file.path)


def _curve(loaded: Priors, name: str) -> dict[str, Any] | None:
    from forecast.priors.density_curve import prior_density

    curve = prior_density(loaded.spec(name))
    return {"axis": curve.axis, "x": curve.x.tolist(), "y": curve.y.tolist()} if curve else None


def _posterior_document(after: PriorReport | None) -> dict[str, Any] | None:
    from dataclasses import asdict

    from forecast.priors.density_curve import posterior_density

    if after is None or after.draws is None or after.prior is None or after.quantiles is None:
        return None
    curve = posterior_density(after.draws, after.prior)
    return {
        "run_id": after.run_id,
        "same_prior": after.same,
        **dict(zip(("q05", "q50", "q95"), after.quantiles, strict=True)),
        "contraction": after.contraction,
        "shift": after.shift,
        "learnt": after.learnt,
        "transitions": after.transitions,
        "density": {"axis": curve.axis, "x": curve.x.tolist(), "y": curve.y.tolist()},
        "implied": [r.as_dict() for r in after.implied],
        "headline": after.on_forecast and asdict(after.on_forecast),
        "histories": [asdict(w) for w in after.written],
    }


IMPLIED_HEADING: Final = "What it implies, with the other priors at their medians (5 to 95 % of this one):"
EDITS: Final = 3
"""Number of edits shown."""


def prior_page(
    loaded: Priors, name: str, rows: tuple[ImpliedQuantity, ...], after: PriorReport | None, log: EditLog, width: int
) -> Iterator[str]:
    """The whole page, in lines of at most `width` columns."""
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.descriptions import describe_prior

    entry, prior = CATALOGUE[name], loaded[name]
    yield from wrap(f"{name} ({entry.symbol}) = {prior.spec}", width, subsequent_indent="    ")
    yield from wrap(entry.what, width)
    yield ""
    yield from wrap(sentence(describe_prior(name, prior.spec)), width)
    yield ""
    yield from _drawing(loaded, name, after, width)
    yield from _implied(rows, after, width)
    if after is not None:
        yield from _forecast(after, width)
        yield from _histories(after)
    yield from wrap(f"Why: {prior.rationale}", width)
    if prior.hindsight:
        yield from wrap(f"Known when it was set: {prior.hindsight}", width)
    yield from wrap(f"Source: {prior.source}. By {prior.author}, {prior.date}, in {prior.file}.", width)
    yield from _edits(log, prior, width)


def _drawing(loaded: Priors, name: str, after: PriorReport | None, width: int) -> Iterator[str]:
    """The curve of the prior, with the posterior drawn over it, and the quantiles of both."""
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.density_curve import text_histogram
    from forecast.priors.descriptions import format_value
    from forecast.priors.distributions import Distribution
    from forecast.priors.outside_view import RISE, SKIP

    entry, columns = CATALOGUE[name], min(60, width)

    def unit(x: float) -> str:
        return format_value(name, x)

    if after is None or after.prior is None or after.draws is None:
        lines = text_histogram(loaded.spec(name), unit, columns)
        if lines:
            yield from [*lines, f"5, 50 and 95 % quantiles; {entry.unit}", ""]
        yield from _nothing_learnt(name, loaded[name], after, width)
        return
    quantiles = after.quantiles
    assert isinstance(after.prior, Distribution)
    assert quantiles
    yield from text_histogram(after.prior, unit, columns, after=after.draws)
    scaled = ", the selection factor applied" if name in (RISE, SKIP) else ""
    reading = "main reading of run" if after.on_forecast else "run"
    yield from wrap(f"░░ prior{scaled}; ⠒⠒ after the data, {reading} {after.run_id}", width)
    yield ""
    yield f"{entry.unit:<26}{'5 %':>10}{'50 %':>10}{'95 %':>10}"
    yield f"{'  prior':<26}" + "".join(f"{unit(q):>10}" for q in after.prior.interval())
    yield f"{'  after the data':<26}" + "".join(f"{unit(q):>10}" for q in quantiles)
    yield from wrap(sentence(_verdict(after)), width)
    if not after.same:
        yield from wrap("The prior was changed since that run. This shows the earlier prior and its posterior.", width)
    yield ""


def _verdict(after: PriorReport) -> str:
    """How far the data moved the prior, in words and in the two measures."""
    assert after.contraction is not None
    assert after.shift is not None
    moved = "its mean hardly moved" if after.shift < 0.1 else f"its mean moved by {after.shift:.2f} prior sds"
    n = after.transitions
    rests = "" if n is None else f"; {n or 'no'} change{'' if n == 1 else 's'} of level bear on it"
    verdict = "learnt" if after.learnt else "not learnt"
    return f"{verdict}: {_spread(after.contraction)}, {moved}{rests}"


def _spread(contraction: float) -> str:
    """How much narrower the standard deviation became, and the contraction of the variance."""
    narrower = 1 - max(1 - contraction, 0.0) ** 0.5
    measure = f"(contraction {contraction:.2f})".replace("-0.00", "0.00").replace("-", "−")
    if abs(narrower) < 0.025:
        return f"as wide as before {measure}"
    return f"{abs(100 * narrower):.0f} % {'narrower' if narrower > 0 else 'wider'} than before {measure}"


def _nothing_learnt(name: str, prior: Prior, after: PriorReport | None, width: int) -> Iterator[str]:
    """Why there is no posterior to draw, and what the run shows instead."""
    from forecast.formatting import fine_percent
    from forecast.priors.distributions import Fixed
    from forecast.priors.specs import Constants

    if after is None:
        text = "Publish a run to see how the data change it: `forecast run --publish`."
    elif isinstance(prior.spec, Fixed | Constants):
        text = f"This is a setting: the data do not change it. `forecast priors try '{name} = …'` shows what another value would do."
    else:
        text = "No data bear on it: the forecast uses the prior as it is."
    yield from wrap(text, width)
    q = after.question if after else None
    if q and name == "readings.weights":
        parts = ", ".join(f"{reading.replace('_', ' ')} {fine_percent(p)}" for reading, p in q.by_reading.items())
        yield from wrap(f"The headline is {fine_percent(q.probability)}; by reading: {parts}.", width)
    elif q:
        yield from _asked(q, width)
    yield ""


def _asked(q: QuestionEntry, width: int) -> list[str]:
    from forecast.formatting import fine_percent

    prior = "" if q.prior_probability is None else f"; {fine_percent(q.prior_probability)} by the prior alone"
    least = "At least one: " if q.kind == "count" else ""
    return wrap(f"{q.text} {least}{fine_percent(q.probability)}{prior}.", width)


def _implied(rows: tuple[ImpliedQuantity, ...], after: PriorReport | None, width: int) -> Iterator[str]:
    if not rows:
        return
    later = dict(zip((r.what for r in rows), after.implied, strict=True)) if after and after.implied else {}
    yield from wrap(IMPLIED_HEADING, width)
    for row in rows:
        text = f"{row.what}: {format_implied(row)}"
        if row.what in later:
            text += f"; after the data {format_implied(later[row.what])}"
        yield from wrap(text, width, initial_indent="  ", subsequent_indent="    ")
    yield ""


def proposal_lines(priors: Priors, name: str, spec: Distribution, width: int) -> Iterator[str]:
    """A prior that may become `spec`: its curve, and what it would imply beside what the current one implies."""
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.density_curve import text_histogram
    from forecast.priors.descriptions import format_value
    from forecast.priors.implied import implied_quantities

    yield from text_histogram(spec, lambda x: format_value(name, x), min(60, width))
    yield from [f"5, 50 and 95 % quantiles; {CATALOGUE[name].unit}", ""]
    pairs = list(zip(implied_quantities(priors.replace({name: spec}), name), implied_quantities(priors, name), strict=True))
    if pairs:
        yield from wrap(IMPLIED_HEADING, width)
        for new, old in pairs:
            yield from wrap(f"{new.what}: {format_implied(new)}; now {format_implied(old)}", width, "  ", "    ")
        yield ""


def format_implied(row: ImpliedQuantity) -> str:
    """A quantity in the form 12 % (3.3 % to 37 %)."""
    from forecast.formatting import fine_percent, trimmed

    low, middle, high = map(fine_percent if row.unit == "probability" else trimmed, (row.low, row.middle, row.high))
    return f"{middle} ({low} to {high})"


def _forecast(after: PriorReport, width: int) -> Iterator[str]:
    """How the headline depends on the prior, before and after the data; or the question that it is about."""
    from forecast.formatting import fine_percent, points

    effect = after.on_forecast
    if effect is None:
        if after.question and after.draws is not None:
            yield from [*_asked(after.question, width), ""]
        return
    yield from wrap("The headline with this one at its 5, 50 and 95 % (main reading, all else as fitted):", width)
    yield f"{'  prior':<26}" + "".join(f"{fine_percent(p):>10}" for p in effect.before)
    yield f"{'  after the data':<26}" + "".join(f"{fine_percent(p):>10}" for p in effect.after)
    if max(effect.before) - min(effect.before) < 0.01:
        text = "The headline hardly depends on it."
    else:
        text = (
            f"By changing it, the data move the headline by {points(effect.moved)} points; the range of the headline that it causes is "
            f"{_spread(effect.contraction)}."
        )
    yield from [*wrap(text, width), ""]


def _histories(after: PriorReport) -> Iterator[str]:
    from forecast.formatting import fine_percent, trimmed

    if not after.written:
        return
    yield "Histories of the same months simulated from the priors, this one fixed at its"
    yield "5, 50 and 95 % (means; more: `forecast priors check --predict`):"
    yield f"{'':<28}{'record':>8}{'5 %':>10}{'50 %':>10}{'95 %':>10}"
    for row in after.written:
        record = ("yes" if row.record else "no") if row.share else f"{row.record:.0f}"
        yield f"{f'  {row.words}':<28}{record:>8}" + "".join(f"{fine_percent(w) if row.share else trimmed(w):>10}" for w in row.written)
    yield ""


def _edits(log: EditLog, prior: Prior, width: int) -> Iterator[str]:
    """The last edits, and a note if the file was edited by hand."""
    edits = log.history.edits
    if any(hand.until is None for hand in log.by_hand):
        yield "Its file was edited by hand since: see `forecast priors log`."
    if not edits:
        return
    yield from wrap(f"Changed {len(edits)} time{'' if len(edits) == 1 else 's'}, newest first (`forecast priors log {prior.name}`):", width)
    for edit in reversed(edits[-EDITS:]):
        text = f"{edit.time:%Y-%m-%d} {edit.old} → {edit.new}, {edit.by}: {edit.why}"
        yield from wrap(text, width, initial_indent="  ", subsequent_indent="    ")
