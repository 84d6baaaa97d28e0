"""`forecast priors show`: one prior in words, as a curve, in what it implies, and in what the newest run made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples, force_option
from forecast.cli._text import sentence, terminal_width, wrap

if TYPE_CHECKING:
    from forecast.jobs.priors.report import PriorReport
    from forecast.priors.implied import ImpliedQuantity
    from forecast.priors.load import Priors
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
    """Show the prior NAME: in words, as a curve, what it implies, what the newest published run made of it, and why it is so."""
    from forecast.cli.priors import prior_document
    from forecast.cli.priors_show import prior_page
    from forecast.errors import UsageError

    if figure is not None and not figure.lower().endswith(".svg"):
        raise UsageError(f"{figure} is no name of an SVG file.", f"Write --figure {name}.svg, for instance.")
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
            **prior_document(loaded[name]), "density": _curve(loaded, name), "implied": [_row(r) for r in rows], "edits": edits,
            "posterior": _after_document(after), "figure": drawn,
        })  # fmt: skip
        return
    for line in prior_page(loaded, name, rows, after, log, min(terminal_width(), 100)):
        context.say(line)
    if drawn:
        context.say(f"\nDrawn into {drawn}.")


def _figure(file: Output, loaded: Priors, name: str, rows: tuple[ImpliedQuantity, ...], after: PriorReport | None) -> str:
    """Draw the prior into a file. UsageError for what has no curve."""
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
    said = wrap(f"{sentence(describe_prior(name, spec))} {entry.what}", 98)
    reading = "main reading of " if after and after.on_forecast else ""
    blue = f" Blue: after the record, {reading}run {after.run_id}." if after and draws else ""
    key = f"{entry.unit[0].upper()}{entry.unit[1:]}. Grey: the prior.{blue}"
    svg = prior_svg(f"{name} ({entry.symbol}) = {spec}", said, drawn, draws, lambda x: format_value(name, x), key, chances)
    file.write(svg)
    return str(file.path)


def _curve(loaded: Priors, name: str) -> dict[str, Any] | None:
    from forecast.priors.density_curve import prior_density

    curve = prior_density(loaded.spec(name))
    return {"axis": curve.axis, "x": curve.x.tolist(), "y": curve.y.tolist()} if curve else None


def _row(r: ImpliedQuantity) -> dict[str, Any]:
    return {"what": r.what, "unit": r.unit, "q05": r.low, "q50": r.middle, "q95": r.high}


def _after_document(after: PriorReport | None) -> dict[str, Any] | None:
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
        "implied": [_row(r) for r in after.implied],
        "headline": after.on_forecast and asdict(after.on_forecast),
        "histories": [asdict(w) for w in after.written],
    }
