"""`forecast priors sensitivity`: what the headline is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._text import wrap

type Found = Mapping[str, Any]

WIDTH = 80
SHOWN = 10
"""Rows of each kind that are shown unless all are asked for."""
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
@click.option("--all", "everything", is_flag=True, help="Show every prior, block of data and setting, and why some are not scaled.")
def sensitivity(context: Context, run: str, everything: bool) -> None:
    """Say what each prior and each block of data does to the headline of RUN, and where it flips.

    From the run's draws, in some ten seconds; no model is fitted. The report says the same.
    """
    from forecast.jobs.priors.report import sensitivity_of

    found = sensitivity_of(context.workspace, run)
    if context.json:
        context.say_json(found)
        return
    for line in lines(found, everything):
        context.say(line)


def lines(found: Found, everything: bool = False) -> Iterator[str]:
    """For a terminal of 80 columns."""
    from forecast.report.tables import sensitivity as made
    from forecast.report.words import percent

    report = {"sensitivity": found}
    yield f"{found['headline']} of run {found['run_id']}: {percent(found['probability'])}"
    yield from wrap(made.verdict(report), WIDTH)
    yield from _priors(made.scaled(report), found, everything)
    yield from _data(made.scaled(report), found, everything)
    yield from _flips(report)
    yield ""
    yield from wrap(f"Settings fixed in the fit. {made.swept(report)}", WIDTH)
    if everything:
        for row in made.sweeps(report).rows:
            yield f"  {row[0]:<52}{row[1]:>9}{row[2]:>9}  {'rough' if row[3] == 'rough' else ''}".rstrip()
    yield ""
    yield from wrap(f"A bias that all pollsters share. {made.shared_bias(report)}", WIDTH)
    if everything:
        yield from ["", "Not scaled:"]
        for reason, names in made.not_scaled(report).rows:
            yield from wrap(f"{names}. {reason}", WIDTH, "  ", "    ")


def _priors(scaled: Iterable[Found], found: Found, everything: bool) -> Iterator[str]:
    from forecast.report.words import points

    rows = [row for row in scaled if row["kind"] == "prior"]
    down, _ = found["tilts"]
    less, more = found["powers"]
    yield ""
    yield from wrap(
        f"Priors: points of the headline if a prior lay {-down:g} sd lower or higher, or counted {less:g} or {more:g} "
        "times; and what prior and data make of its parameter.",
        WIDTH,
    )
    yield f"{'':<32}{'lower':>7}{'higher':>8}{'less':>8}{'more':>7}  what it is"
    for row in rows if everything else rows[:SHOWN]:
        moves = [points(m["difference"]) for m in (*row["tilts"], *row["moves"])]
        yield f"{row['words']:<32}{moves[0]:>7}{moves[1]:>8}{moves[2]:>8}{moves[3]:>7}  {_LABELS[row['label']]}"
    if not everything and len(rows) > SHOWN:
        yield f"… {len(rows) - SHOWN} more, smaller, with --all"
    yield from wrap(
        "strong prior: it is the prior, the data say little. conflict: prior–data conflict, both speak and they differ. no sensitivity: "
        f"the prior does not matter to it. The line is drawn where doubling the power moves a distribution by {found['threshold']:g}.",
        WIDTH,
    )


def _data(scaled: Iterable[Found], found: Found, everything: bool) -> Iterator[str]:
    from forecast.report.tables.sensitivity import label
    from forecast.report.words import points

    rows = [row for row in scaled if row["kind"] != "prior"]
    yield ""
    yield f"Data: points of the headline if a block counted {found['powers'][0]:g} or {found['powers'][1]:g} times."
    yield f"{'':<32}{'less':>23}{'more':>7}"
    for row in rows if everything else rows[:SHOWN]:
        less, more = (points(m["difference"]) for m in row["moves"])
        yield f"{label(row):<32}{less:>23}{more:>7}"
    if not everything and len(rows) > SHOWN:
        yield f"… {len(rows) - SHOWN} more, smaller, with --all"


def _flips(report: Mapping[str, Any]) -> Iterator[str]:
    from forecast.report.tables import sensitivity as made
    from forecast.report.words import plain_percent

    flips = report["sensitivity"]["flips"]
    yield ""
    yield from wrap("Where it flips: the value of an effect, if it were known, at which the headline is", WIDTH)
    lines_ = [plain_percent(c["line"]) for c in flips[0]["crossings"]]
    yield f"{'':<29}{'now':>7}{''.join(f'{line:>8}' for line in lines_)}  range"
    for f in flips:
        cells = "".join(f"{made.crossed(f, c).replace(' %', '%'):>8}" for c in f["crossings"])
        looked = f"{made.value(f, f['low'])}…{made.value(f, f['high'])}".replace(" %", "%")
        if all(c["value"] is None for c in f["crossings"]):
            cells = f"{f'nowhere: {made.span(f)}':>32}"
        yield f"{f['words']:<29}{made.value(f, f['now']).replace(' %', '%'):>7}{cells}  {looked}"
    rough = " ~: rough, the draws carry it badly." if any(c["rough"] for f in flips for c in f["crossings"]) else ""
    yield from wrap(f"Looked for in the range, 0.1 to 99.9 % of the prior; nowhere: where the headline stays in it.{rough}", WIDTH)
