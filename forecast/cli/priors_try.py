"""`forecast priors try`: what an edit would do, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples

if TYPE_CHECKING:
    from forecast.jobs.try_prior import Tried

FAMILY = ("reach-3-12m", "reach-4-3m", "reach-4-6m", "reach-4-12m", "reach-4-24m", "reach-5-12m", "fall-1-12m")
"""What is shown first: the headline and its kin."""


@click.command(
    "try",
    epilog=examples(
        "forecast priors try 'leverage.effect = Normal(0.8, 0.3)'",
        "forecast priors try 'ladder.rise.3 = quantiles(0.002, 0.012, 0.05)' 'opposition.effect = Normal(0, 0.05)' --all",
        "forecast priors try 'outside_view.selection = Fixed(1)' --json",
    ),
)
@common()
@click.argument("edits", nargs=-1, metavar="'NAME = PRIOR'…")
@click.option("--file", "file", metavar="FILE", help="Read edits from a file, one a line; - is standard input.")
@click.option("--all", "everything", is_flag=True, help="Show every question, not only the headline and its kin.")
@click.option("--refit", is_flag=True, help="Fit again with the edited priors instead, which takes minutes; nothing is written.")
def try_(context: Context, edits: tuple[str, ...], file: str | None, everything: bool, refit: bool) -> None:
    """Say what edited priors would do to the newest published run.

    From the run's draws, in under a second: by reweighting, or by redrawing what is conjugate. Where that can't be trusted it says so,
    and --refit answers.
    """
    from forecast.jobs.try_prior import parse_edits, try_edits

    specs = parse_edits([*edits, *_lines(file)])
    if refit:
        from forecast.jobs.refit_prior import refit_edits

        with context.progress() as progress:
            tried = refit_edits(context.workspace, specs, context.seed, progress)
    else:
        tried = try_edits(context.workspace, specs)
    if context.json:
        context.say_json(tried.as_dict())
        return
    for line in lines(tried, everything):
        context.say(line)


def _lines(file: str | None) -> list[str]:
    if file is None:
        return []
    with click.open_file(file, encoding="utf-8") as opened:
        return [text for line in opened if (text := line.split("#")[0].strip())]


def lines(tried: Tried, everything: bool) -> list[str]:
    """For a terminal of 80 columns."""
    from forecast.report.words import percent, points

    out = [f"{name}: {a}  →  {b}" for name, (a, b) in tried.edits.items()]
    out += ["", f"{'':<16}{'run':>10}{'edited':>10}{'points':>10}{'± MC':>9}{'prior':>10}{'80 %':>15}"]
    shown = [q for q in tried.questions if everything or q["id"] in FAMILY or q["id"] == tried.headline_id]
    for q in shown:
        low, high = q["interval"]["low"], q["interval"]["high"]
        mark = "*" if q["id"] == tried.headline_id else " "
        spread = f"{percent(low)}–{percent(high)}".replace(" %–", "–")
        out.append(
            f"{mark}{q['id']:<15}{percent(q['before']):>10}{percent(q['probability']):>10}{points(q['probability'] - q['before']):>10}"
            f"{100 * q['mcse']:>9.2g}{percent(q['prior_probability']):>10}{spread:>15}"
        )
    out += ["", f"{'reading':<20}{'headline':>10}{'k-hat':>8}{'ESS':>8}{'± MC':>9}"]
    for name, r in tried.by_reading.items():
        k_hat = f"{r.k_hat:.2f}" if r.k_hat > float("-inf") else "–"
        out.append(f"{name:<20}{percent(r.probability):>10}{k_hat:>8}{r.ess:>8.0f}{100 * r.mcse:>9.2g}")
    return [*out, "", verdict(tried)]


def verdict(tried: Tried) -> str:
    """Whether the answer may be used."""
    if tried.how == "refit":
        return (
            "Fitted again."
            if tried.accepted
            else "These draws cannot answer that: it needs a refit (--refit). The numbers are the run's own."
        )
    if tried.accepted:
        return f"Accepted ({tried.how})."
    return "Not accepted: the edit lies too far from the run's priors. The answer needs a refit (--refit); these numbers are rough."
