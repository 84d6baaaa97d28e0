"""`forecast priors sensitivity`: how far each prior and each block of data moves the headline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._text import WIDTH, wrap

if TYPE_CHECKING:
    from forecast.report.models.fit import SensitivitySection

SHOWN = 10
"""Rows of each kind that are shown without --all."""
_LABELS = {
    "prior–data conflict": "conflict",
    "strong prior, weak likelihood": "strong prior",
    "no sensitivity": "no sensitivity",
}


@click.command(
    "sensitivity",
    epilog=examples("forecast priors sensitivity", "forecast priors sensitivity --all", "forecast priors sensitivity latest --json"),
)
@common()
@click.argument("run", required=False, default="latest")
@click.option(
    "--all", "everything", is_flag=True, help="Show every prior, block of data and setting, and the reasons why some are not scaled."
)
def sensitivity(context: Context, run: str, everything: bool) -> None:
    """Show how each prior and each block of data moves the headline of RUN, and where it crosses a threshold.

    It uses the run's draws and takes about ten seconds; no model is fitted. The report has the same numbers.
    """
    from forecast.jobs.priors.report import sensitivity_of

    analysis = sensitivity_of(context.workspace, run)
    if context.json:
        context.say_json(analysis)
        return
    for line in sensitivity_lines(analysis, everything):
        context.say(line)


def sensitivity_lines(analysis: dict[str, Any], everything: bool = False) -> Iterator[str]:
    """For a terminal of 80 columns."""
    from forecast.formatting import percent
    from forecast.report.figures import sensitivity as figures
    from forecast.report.models.fit import SensitivitySection

    s = SensitivitySection.model_validate({key: value for key, value in analysis.items() if key != "run_id"})
    yield f"{s.headline} of run {analysis['run_id']}: {percent(s.probability)}"
    yield from wrap(figures.verdict(s), WIDTH)
    yield from _priors(s, everything)
    yield from _data(s, everything)
    yield from _tipping_points(s)
    yield ""
    yield from wrap(f"Settings fixed in the fit. {figures.settings_summary(s)}", WIDTH)
    if everything:
        for row in figures.settings_table(s).rows:
            yield f"  {row[0]:<52}{row[1]:>9}{row[2]:>9}  {'rough' if row[3] == 'approximate' else ''}".rstrip()
    yield ""
    yield from wrap(f"A bias shared by all pollsters. {figures.shared_bias_summary(s)}", WIDTH)
    if everything:
        yield from ["", "Not scaled:"]
        for reason, names in figures.not_scaled_table(s).rows:
            yield from wrap(f"{names}. {reason}", WIDTH, "  ", "    ")


def _priors(s: SensitivitySection, everything: bool) -> Iterator[str]:
    from forecast.formatting import points

    rows = [c for c in s.scaled if c.kind == "prior" and c.moves]
    less, more = s.powers
    yield ""
    yield from wrap(
        f"Priors: change of the headline in points if a prior is shifted {-s.tilts[0]:g} sd down or up, or weighted {less:g} or {more:g} "
        "times; and how prior and data share in its parameter.",
        WIDTH,
    )
    yield f"{'':<32}{'lower':>7}{'higher':>8}{'less':>8}{'more':>7}  what it is"
    for c in rows if everything else rows[:SHOWN]:
        moves = [points(move.difference) for move in (*c.tilts, *c.moves)]
        yield f"{c.words:<32}{moves[0]:>7}{moves[1]:>8}{moves[2]:>8}{moves[3]:>7}  {_LABELS.get(c.label or '', '')}"
    if not everything and len(rows) > SHOWN:
        yield f"… {len(rows) - SHOWN} more, smaller, with --all"
    yield from wrap(
        "strong prior: the prior decides, the data say little. conflict: prior–data conflict, both say much and differ. no sensitivity: "
        f"the prior hardly matters. The threshold is a distance of {s.threshold:g} when the weight is doubled.",
        WIDTH,
    )


def _data(s: SensitivitySection, everything: bool) -> Iterator[str]:
    from forecast.formatting import points
    from forecast.report.figures.sensitivity import component_name

    rows = [c for c in s.scaled if c.kind != "prior" and c.moves]
    yield ""
    yield f"Data: change of the headline in points if a block is weighted {s.powers[0]:g} or {s.powers[1]:g} times."
    yield f"{'':<32}{'less':>23}{'more':>7}"
    for c in rows if everything else rows[:SHOWN]:
        less, more = (points(move.difference) for move in c.moves)
        yield f"{component_name(c):<32}{less:>23}{more:>7}"
    if not everything and len(rows) > SHOWN:
        yield f"… {len(rows) - SHOWN} more, smaller, with --all"


def _tipping_points(s: SensitivitySection) -> Iterator[str]:
    from forecast.formatting import plain_percent
    from forecast.report.figures.sensitivity import crossing_value, effect_value, headline_span

    yield ""
    yield from wrap("Tipping points: the value of an effect, if it were known exactly, at which the headline is", WIDTH)
    columns = [plain_percent(c.line) for c in s.flips[0].crossings]
    yield f"{'':<29}{'now':>7}{''.join(f'{column:>8}' for column in columns)}  range"
    for f in s.flips:
        cells = "".join(f"{crossing_value(f, c).replace(' %', '%'):>8}" for c in f.crossings)
        searched = f"{effect_value(f, f.low)}…{effect_value(f, f.high)}".replace(" %", "%")
        if all(c.value is None for c in f.crossings):
            cells = f"{f'nowhere: {headline_span(f)}':>32}"
        yield f"{f.words:<29}{effect_value(f, f.now).replace(' %', '%'):>7}{cells}  {searched}"
    rough = " ~: approximate, too few draws near this value." if any(c.rough for f in s.flips for c in f.crossings) else ""
    yield from wrap(
        f"The range searched is 0.1 to 99.9 % of the prior; nowhere: the headline does not reach the value, and stays as shown.{rough}",
        WIDTH,
    )
