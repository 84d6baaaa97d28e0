"""`forecast priors try`: what edits would do to the newest published run, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._text import wrap

if TYPE_CHECKING:
    from forecast.jobs.priors.try_edits import EditTrial
    from forecast.priors.specs import PriorSpec
    from forecast.runs.store import KeptRun


RELATED_QUESTIONS = ("reach-3-12m", "reach-4-3m", "reach-4-6m", "reach-4-12m", "reach-4-24m", "reach-5-12m", "fall-1-12m")
"""Questions that are always shown: the headline and those like it."""
WIDTH: Final = 80


@click.command(
    "try",
    epilog=examples(
        "forecast priors try 'leverage.effect = Normal(0.8, 0.3)'",
        "forecast priors try 'ladder.rise.3 = quantiles(0.002, 0.012, 0.05)' 'opposition.effect = Normal(0, 0.05)' --all",
        "forecast priors try 'leverage.half_life.security = Fixed(12)' 'opposition.house_sd = HalfNormal(0.3)'",
        "forecast priors try 'outside_view.selection = Fixed(1)' --json",
    ),
)
@common("seed")
@click.argument("edits", nargs=-1, metavar="'NAME = PRIOR'…")
@click.option("--file", metavar="FILE", help="Read edits from a file, one a line; - is standard input.")
@click.option("--all", "everything", is_flag=True, help="Show every question, not only the headline and related questions.")
@click.option("--refit", is_flag=True, help="Fit the model with the edited priors. This takes minutes and writes nothing.")
def try_(context: Context, edits: tuple[str, ...], file: str | None, everything: bool, refit: bool) -> None:
    """Show how edited priors would change the newest published forecast.

    The command reweights the run's draws, which takes under a second. It warns if the result is unreliable; then use --refit. If a run in
    reports/ was fitted with exactly these priors to the same data, its numbers are shown too. Several edits are applied together. Priors
    that were set since the run are included; without an edit only those are tried.
    """
    from forecast.jobs.priors.try_edits import try_edits
    from forecast.priors.parsing import parse_edits, read_edits

    if context.seed is not None and not refit:
        raise click.UsageError("--seed needs --refit.")
    specs = parse_edits(edits)
    if file is not None:
        specs = _joined(specs, read_edits(*_read(context, file)))
    if refit:
        from forecast.jobs.priors.try_edits import refit_edits

        with context.progress() as progress:
            tried = refit_edits(context.workspace, specs, context.seed, progress)
    else:
        tried = try_edits(context.workspace, specs)
    if context.json:
        context.say_json(tried.as_dict())
        return
    for line in trial_lines(tried, everything):
        context.say(line)


def _read(context: Context, file: str) -> tuple[str, str]:
    """The text of a file, and what problems call it."""
    from forecast.storage.text import read_input_text

    source, called = context.read_argument(file)
    return read_input_text(source, called), called


def _joined(words: dict[str, PriorSpec], file: dict[str, PriorSpec]) -> dict[str, PriorSpec]:
    from forecast.errors import UsageError

    if twice := words.keys() & file.keys():
        raise UsageError(f"{min(twice)} is edited both on the command line and in the file.", "Leave one of the two out.")
    return words | file


def trial_lines(tried: EditTrial, everything: bool) -> list[str]:
    """For a terminal of 80 columns."""
    from forecast.formatting import percent, points

    out = [line for name, (a, b) in tried.edits.items() for line in _edit(name, a, b)]
    if tried.pending:
        out += ["Set since that run, and included:"] if out else ["Set since that run:"]
        out += [line for name, (a, b) in tried.pending.items() for line in _edit(name, a, b)]
    out += ["", f"{'':<26}{'run':>8}{'edited':>8}{'points':>8}{'± MC':>7}{'prior':>8}{'80 %':>15}"]
    shown = [
        q for q in tried.questions if everything or q["id"] in RELATED_QUESTIONS or q["id"] == tried.headline_id or _companion_moved(q)
    ]
    for q in shown:
        low, high = q["interval"]["low"], q["interval"]["high"]
        mark = "*" if q["id"] == tried.headline_id else " "
        spread = f"{percent(low)}–{percent(high)}".replace(" %–", "–")
        out.append(
            f"{mark}{q['id']:<25}{percent(q['before']):>8}{percent(q['probability']):>8}{points(q['probability'] - q['before']):>8}"
            f"{100 * q['mcse']:>7.2g}{percent(q['prior_probability']):>8}{spread:>15}"
        )
    if known := [q for q in shown if q["before_known"] is not None and q["before_known"] != q["probability_known"]]:
        out += ["", "Publicly known within 60 days of the window:"]
        for q in known:
            was, now = q["before_known"], q["probability_known"]
            mark = "*" if q["id"] == tried.headline_id else " "
            out.append(f"{mark}{q['id']:<25}{percent(was):>8}{percent(now):>8}{points(now - was):>8}")
    out += ["", f"{'reading':<26}{'headline':>8}{'k-hat':>8}{'ESS':>8}{'± MC':>7}"]
    for name, r in tried.by_reading.items():
        k_hat = f"{r.k_hat:.2f}" if r.k_hat > float("-inf") else "–"
        out.append(f"{name:<26}{percent(r.probability):>8}{k_hat:>8}{r.ess:>8.0f}{100 * r.mcse:>7.2g}")
    if tried.kept and tried.how != "refit":
        out += ["", *_kept(tried, tried.kept, shown)]
    return [*out, "", *(line for note in (*tried.notes, trial_verdict(tried)) for line in wrap(note, WIDTH))]


def _kept(tried: EditTrial, kept: KeptRun, shown: Sequence[Mapping[str, Any]]) -> list[str]:
    """The fitted probabilities of a kept run, beside the reweighted ones."""
    from forecast.formatting import percent, points

    out = wrap(f"Run {kept.run_id} was fitted with exactly these priors, to the same data:", WIDTH)
    out.append(f"{'':<26}{'edited':>8}{'fitted':>8}{'points':>8}")
    for q in shown:
        if (fitted := kept.probabilities.get(q["id"])) is not None:
            mark = "*" if q["id"] == tried.headline_id else " "
            out.append(f"{mark}{q['id']:<25}{percent(q['probability']):>8}{percent(fitted):>8}{points(fitted - q['probability']):>8}")
    return out


def _edit(name: str, a: str, b: str) -> list[str]:
    line = f"{name}: {a}  →  {b}"
    return [line] if len(line) <= WIDTH else [f"{name}:", f"  {a}", f"  →  {b}"]


def _companion_moved(q: Mapping[str, Any]) -> bool:
    """Whether a companion question moved. There are many of them, and most edits leave them unchanged."""
    return q["level"] is None and q["probability"] != q["before"]


def trial_verdict(tried: EditTrial) -> str:
    """Whether the result can be relied on."""
    if tried.how == "refit" and tried.accepted:
        if tried.kept is None:
            return "Fitted again."
        return (
            f"These are the numbers of run {tried.kept.run_id}, which was fitted so before; nothing was fitted now. "
            "Give another --seed to fit again."
        )
    if tried.accepted:
        return f"Accepted ({tried.how})."
    if tried.kept:
        return f"Not accepted: these draws cannot show the effect. Use the fitted numbers of run {tried.kept.run_id}."
    if tried.how == "refit":
        return "These draws cannot show the effect of this edit: it needs a refit (--refit)."
    return "Not accepted: the edit lies too far from the run's priors. The answer needs a refit (--refit); these numbers are rough."


def try_on_latest_run(context: Context, edits: Mapping[str, PriorSpec]) -> EditTrial | str:
    """The edits tried on the newest published run, or a sentence that says why that was not possible."""
    from forecast.errors import ForecastError
    from forecast.jobs.priors.try_edits import try_edits
    from forecast.runs.store import latest

    if not edits:
        return "The headline does not change: the prior is the same."
    try:
        if latest(context.workspace.reports) is None:
            return "Publish a run to see the effect on the headline: `forecast run --publish`."
        return try_edits(context.workspace, edits)
    except ForecastError as e:
        return f"The effect on the headline cannot be computed. {e}"


def describe_effect(tried: EditTrial | str) -> str:
    """The headline before and after, and whether the result can be relied on."""
    from forecast.formatting import fine_percent

    if isinstance(tried, str):
        return tried
    if tried.how == "refit":
        return f"Only a refit can compute the effect on the headline ({fine_percent(tried.before)} now): `forecast priors try --refit`."
    if tried.accepted:
        k_hat = f", k-hat {tried.k_hat:.2f}".replace(" -", " −") if abs(tried.k_hat) < 100 else ""
        how = f"({tried.how}{k_hat}; run {tried.run_id})"
        return f"The headline: {fine_percent(tried.before)} now, {fine_percent(tried.headline)} with it {how}."
    return (
        f"The headline: {fine_percent(tried.before)} now, roughly {fine_percent(tried.headline)} with it. That is too far from run "
        f"{tried.run_id} to rely on; use `forecast priors try --refit`."
    )
