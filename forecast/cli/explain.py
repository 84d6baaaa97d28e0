"""`forecast explain`: what moved the forecast from one run to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from forecast.jobs.saved_run import SavedRun
    from forecast.report.models.report import Report

MAX_QUESTIONS = 4
"""Questions that have room beside each other on a terminal."""


@click.command(
    epilog=examples("forecast explain", "forecast explain --question reach-3-12m --question fall-1-12m", "forecast explain --json")
)
@common()
@click.argument("first", metavar="[A", required=False)
@click.argument("second", metavar="B]", required=False)
@click.option(
    "--question", "chosen", metavar="ID", multiple=True, help="Show this question, up to four. Default: the headline and two more."
)
@click.option("--again", is_flag=True, help="Compute the parts again even if the report of B has them.")
def explain(context: Context, first: str | None, second: str | None, chosen: tuple[str, ...], again: bool) -> None:
    """Show what moved the forecast from run A to run B.

    The change is split into parts in a fixed order: model, settings, prior edits, revisions of old values, time passing, new observations,
    Monte Carlo noise. The parts add up to the change. Without A and B, the last two published runs are compared; with A alone, A and the
    published run. No sampler runs. If the report of B does not have the parts yet, they take about a minute.
    """
    if len(chosen) > MAX_QUESTIONS:
        raise UsageError("A terminal has room for four questions.", "Name fewer, or use --json.")
    from forecast.jobs.saved_run import SavedRun
    from forecast.report.models.forecast import Attribution

    reports = context.workspace.reports
    after = SavedRun.named(reports, second or "latest")
    after.check()
    report = after.report
    if first is None and report.attribution and not again:
        moved = report.attribution.model_dump()
    else:
        before = SavedRun.named(reports, first) if first else _previous_run(reports, after)
        _check_runs(before, after, chosen)
        from forecast.jobs.explain import explain as compute

        with context.progress() as progress:
            moved = compute(before, after, progress, again)
    _check_questions(moved["questions"], chosen)
    if context.json:
        context.say_json({"to_run": after.name, "headline": report.headline, **moved})
    else:
        for line in lines(report.model_copy(update={"moved": Attribution.model_validate(moved)}), chosen):
            context.say(line)
    if moved.get("unexplained"):
        from forecast.jobs.explain import failure

        alarm = failure(moved)
        assert alarm is not None
        raise alarm


def _previous_run(reports: Path, run: SavedRun) -> SavedRun:
    """The run that was published before this one."""
    from forecast.jobs.saved_run import SavedRun
    from forecast.runs.store import list_runs

    follows = run.meta.get("follows")
    if follows is None:
        raise UsageError(
            f"No run was published before {run.name}.", "Publish another with `forecast refit`, or name two runs of `forecast runs list`."
        )
    previous = next((r.path for r in list_runs(reports) if r.run_id == follows), None)
    if previous is None:
        raise UsageError(
            f"Run {follows}, published before {run.name}, is no longer there.", "Name another run: `forecast runs list` shows them."
        )
    return SavedRun(previous)


def _check_runs(before: SavedRun, after: SavedRun, chosen: Sequence[str]) -> None:
    """Both runs must be sound, have kept their inputs and asked the chosen questions; checked before the long computation starts."""
    if before.path == after.path:
        raise UsageError(f"Both runs are {after.name}.", "Name two different runs: `forecast runs list` shows them.")
    for run in (before, after):
        run.check()
        if not run.keeps_inputs:
            raise UsageError(f"Run {run.name} did not keep the data and priors it was made from.", "Make a new one: `forecast run`.")
    _check_questions(set.intersection(*({q.id for q in run.report.questions} for run in (before, after))), chosen)


def _check_questions(ids: Collection[str], chosen: Sequence[str]) -> None:
    from difflib import get_close_matches

    for id_ in chosen:
        if id_ not in ids:
            near = get_close_matches(id_, ids, 3, 0.0)
            raise UsageError(f"{id_!r} is not a question of both runs.", f"The nearest that are: {', '.join(near)}.")


_CELL = 12


def lines(report: Report, chosen: Sequence[str] = (), width: int = 80) -> list[str]:
    """For a terminal: one row a part, in percentage points; a long label stands above its numbers.

    The printed parts add up to the printed change: they are rounded by largest remainder.
    """
    from forecast.cli._text import wrap
    from forecast.formatting import capital, fixed_points, percent
    from forecast.report.figures.attribution import (
        JOINT,
        KINDS,
        WITHIN_NOISE,
        attribution_alarm,
        attribution_aside,
        attribution_marks,
        rounded_changes,
        shown_questions,
    )

    attribution = report.attribution
    assert attribution is not None
    ids = list(chosen) or shown_questions(report)
    questions = [attribution.questions[id_] for id_ in ids]
    columns = [rounded_changes(q) for q in questions]
    room = width - _CELL * len(ids)

    def row(label: str, cells: Sequence[str]) -> Iterator[str]:
        *above, last = wrap(label, room - 1, subsequent_indent="    ")
        yield from above
        yield f"{last:<{room}}" + "".join(f"{cell:>{_CELL}}" for cell in cells)

    out = [
        f"From {attribution.from_run} (to {attribution.from_origin})",
        f"to   {report.run_id} (to {attribution.to_origin}), in points",
        "",
        f"{'':<{room}}" + "".join(f"{id_:>{_CELL}}" for id_ in ids),
        *row("Before", [percent(q.before) + "  " for q in questions]),
    ]
    kind = ""
    for i, part in enumerate(attribution.parts):
        if part.kind != kind:
            kind = part.kind
            out.append(capital(KINDS[kind]))
        cells = [
            fixed_points(parts[i]) + (f" {WITHIN_NOISE}" if q.within_noise[i] else "  ")
            for q, (parts, _, _) in zip(questions, columns, strict=True)
        ]
        out += row(f"  {part.label}{f' {JOINT}' if part.how == 'joint' else ''}", cells)
        if part.how == "joint":
            out += row("  its standard error", [f"{100 * q.parts_se[i]:.2f}  " for q in questions])
    out += row("Monte Carlo noise", [fixed_points(noise) + "  " for _, noise, _ in columns])
    out += row("  its standard error", [f"{100 * q.remainder_se:.2f}  " for q in questions])
    out += row("Total change", [fixed_points(total) + "  " for _, _, total in columns])
    out += row("Now", [percent(q.after) + "  " for q in questions])
    for text in (attribution_marks(report, ids).removesuffix("."), attribution_aside(report), attribution_alarm(report)):
        out += ["", *wrap(text, width)] if text else []
    return out
