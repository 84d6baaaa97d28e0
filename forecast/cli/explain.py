"""`forecast explain`: what moved the forecast from one run to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


@click.command(
    epilog=examples("forecast explain", "forecast explain --question reach-3-12m --question fall-1-12m", "forecast explain --json")
)
@common()
@click.argument("first", metavar="[A", required=False)
@click.argument("second", metavar="B]", required=False)
@click.option("--question", "chosen", metavar="ID", multiple=True, help="Show this question; up to four. Else the headline and two more.")
@click.option("--again", is_flag=True, help="Work it out again, though the report of B tells it already.")
def explain(context: Context, first: str | None, second: str | None, chosen: tuple[str, ...], again: bool) -> None:
    """Split the change of the forecast from run A to run B into what made it.

    In a fixed order: the model, settings, prior edits, revisions of old values, time passing, new observations, and Monte Carlo noise. The
    parts add up exactly. Without A and B it is the last two published runs; with A alone, from A to the published one. If B's report does
    not tell it yet, it takes minutes.
    """
    from forecast.report.read import read_report
    from forecast.runs import store

    if len(chosen) > 4:
        raise UsageError("A terminal has room for four questions.", "Leave some out, or take --json.")
    reports = context.workspace.reports
    after = store.resolve(reports, second or "latest")
    report = read_report(after)
    stored = report["moved"]
    if first is None and stored and not again:
        found = dict(stored)
    else:
        before = store.resolve(reports, first) if first else _followed(reports, after)
        _check_ends(before, after, chosen)
        from forecast.jobs.explain import explain as work_out

        with context.progress() as progress:
            found = work_out(before, after, progress, again)
    told = report | {"moved": found}
    if context.json:
        context.say_json({"to_run": after.name, "headline": report["headline"], **found})
    else:
        for line in lines(told, _asked(found, chosen)):
            context.say(line)
    if found.get("unexplained"):
        from forecast.jobs.explain import failure

        trouble = failure(found)
        assert trouble is not None
        raise trouble


def _followed(reports: Path, run: Path) -> Path:
    """The run that was published before this one."""
    from forecast.runs.manifest import read_manifest
    from forecast.runs.store import list_runs

    follows = read_manifest(run).meta.get("follows")
    if follows is None:
        raise UsageError(
            f"No run was published before {run.name}.", "Publish another with `forecast refit`, or name two runs of `forecast runs list`."
        )
    found = next((r.path for r in list_runs(reports) if r.run_id == follows), None)
    if found is None:
        raise UsageError(
            f"Run {follows}, published before {run.name}, is no longer there.", "Name another: `forecast runs list` shows them."
        )
    return found


def _check_ends(before: Path, after: Path, chosen: Sequence[str]) -> None:
    """What takes minutes begins only with two sound runs that kept their inputs and both ask the questions chosen."""
    from forecast.report.read import read_report
    from forecast.runs.input_snapshot import FOLDER

    if before == after:
        raise UsageError(f"Both runs are {after.name}.", "Name two: `forecast runs list` shows them.")
    asked = [{q["id"] for q in read_report(run)["questions"]} for run in (before, after)]
    for run in (before, after):
        if not (run / FOLDER / "data").is_dir():
            raise UsageError(f"Run {run.name} did not keep the data and priors it was made from.", "Make a new one: `forecast run`.")
    _check_asked(asked[0] & asked[1], chosen)


def _asked(found: Mapping[str, Any], chosen: Sequence[str]) -> Sequence[str]:
    _check_asked(found["questions"], chosen)
    return chosen


def _check_asked(ids: Collection[str], chosen: Sequence[str]) -> None:
    from forecast.data.suggestions import nearest_words

    for id_ in chosen:
        if id_ not in ids:
            near = nearest_words(id_, ids, cutoff=0.0)
            raise UsageError(f"Not both runs asked {id_!r}.", f"The nearest that both did: {', '.join(near)}.")


_CELL = 12


def lines(report: Mapping[str, Any], chosen: Sequence[str] = (), width: int = 80) -> list[str]:
    """For a terminal: a part a row, in points; its label above the numbers if it is long."""
    from forecast.cli._text import wrap
    from forecast.report.what_moved import KINDS, alarm, aside, points, shown
    from forecast.report.words import capital, percent

    moved = report["moved"]
    ids = list(chosen) or shown(report)
    asked = [moved["questions"][id_] for id_ in ids]
    room = width - _CELL * len(ids)

    def row(label: str, cells: Sequence[str]) -> list[str]:
        *above, last = wrap(label, room - 1, subsequent_indent="    ")
        return [*above, f"{last:<{room}}" + "".join(f"{cell:>{_CELL}}" for cell in cells)]

    out = [f"From {moved['from_run']} (to {moved['from_origin']})", f"to   {report['run_id']} (to {moved['to_origin']}), in points", ""]
    out += [f"{'':<{room}}" + "".join(f"{id_:>{_CELL}}" for id_ in ids), *row("Before", [percent(q["before"]) + "  " for q in asked])]
    kind = ""
    for i, part in enumerate(moved["parts"]):
        if part["kind"] != kind:
            kind = part["kind"]
            out.append(capital(KINDS[kind]))
        cells = [points(q["parts"][i]) + (" ~" if q["within_noise"][i] else "  ") for q in asked]
        out += row(f"  {part['label']}{' *' if part['how'] == 'fitted' else ''}", cells)
    out += row("Monte Carlo noise", [points(q["noise"]) + "  " for q in asked])
    out += row("  its standard error", [f"{100 * q['remainder_se']:.2f}  " for q in asked])
    out += row("Now", [percent(q["after"]) + "  " for q in asked])
    notes = ["~ cannot be told from noise"] if any(any(q["within_noise"]) for q in asked) else []
    notes += ["* fitted anew, so it holds some noise"] if any(p["how"] == "fitted" for p in moved["parts"]) else []
    for text in ("; ".join(notes), aside(report), alarm(report)):
        out += ["", *wrap(text, width)] if text else []
    return out
