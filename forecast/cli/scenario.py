"""`forecast scenario`: the forecast under what-if scenarios, and how plausible they are."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._root import Group
from forecast.cli._text import print_rows, terminal_width, wrap

if TYPE_CHECKING:
    from forecast.forecasting.scenarios.run import ScenarioResult
    from forecast.jobs.scenario import InputsUsed, ListedScenario


@click.group("scenario", cls=Group, epilog=examples("forecast scenario list", "forecast scenario run trade-deal"))
def scenario() -> None:
    """List, run and write what-if scenarios."""


@scenario.command("list", epilog=examples("forecast scenario list", "forecast scenario list --json"))
@common()
def list_(context: Context) -> None:
    """List the scenarios in data/scenarios/, with their results in the newest published run."""
    from forecast.forecasting.scenarios.specification import without_templates
    from forecast.jobs.scenario import list_scenarios

    run_id, listed = list_scenarios(context.workspace)
    if context.json:
        rows = [
            {"name": row.scenario.name, "kind": row.scenario.says.kind, "title": row.scenario.says.title, "stored": row.stored}
            for row in listed
        ]
        context.say_json({"run_id": run_id, "scenarios": rows})
        return
    if not listed:
        context.say("There is no scenario in data/scenarios/; `forecast scenario new NAME` writes one.")
    else:
        print_rows(context, ("name", "kind", "headline", "title"), [_row(row) for row in listed], ("name", "headline", "title"), fold=True)
    _, templates = without_templates([row.scenario for row in listed])
    for problem in templates:
        context.warn(str(problem))
    if not run_id:
        context.warn("No run was published yet, so there are no results; `forecast run` makes one.")


def _row(listed: ListedScenario) -> dict[str, str]:
    """A scenario as cells: the headline under it in the newest published run, and the difference from the forecast."""
    stored, says = listed.stored, listed.scenario.says
    return {
        "name": listed.scenario.name,
        "kind": says.kind,
        "headline": f"{_percent(stored['probability'])} ({_points(stored['difference'])} points)" if stored else "",
        "title": says.title,
    }


@scenario.command(
    epilog=examples(
        "forecast scenario run trade-deal", "forecast scenario run escalating-tariffs pressure-eases", "forecast scenario run --json"
    )
)
@common()
@click.argument("names", metavar="[NAME]...", nargs=-1)
def run(context: Context, names: tuple[str, ...]) -> None:
    """Forecast under the scenarios NAME, or all, from the draws of the newest published run. Nothing is fitted or written.

    The answer uses the data and priors that the run was made from, which the run keeps. It says whether those of the workspace have
    changed since.
    """
    from forecast.jobs.scenario import run_on_draws

    with context.progress() as progress:
        answers = run_on_draws(context.workspace, names, context.now.astimezone(UTC).date(), progress)
    for problem in answers.left_out:
        context.warn(str(problem))
    if context.json:
        documents = [{**result.as_dict(), **_more(result)} for result in answers.results]
        context.say_json({
            "run_id": answers.run_id, "origin": answers.inputs.origin, "inputs": answers.inputs.as_dict(), "headline": "reach-4-12m",
            "scenarios": documents,
        })  # fmt: skip
        return
    for line in _inputs_lines(answers.run_id, answers.inputs):
        context.say(line)
    for result in answers.results:
        for line in _result_lines(result, context.verbosity > 0):
            context.say(line)


@scenario.command(epilog=examples("forecast scenario new border-closure"))
@common()
@click.argument("name")
def new(context: Context, name: str) -> None:
    """Write a commented template to data/scenarios/NAME.toml. An existing file is never replaced."""
    where = context.own_workspace
    from forecast.jobs.scenario import new_scenario

    path = new_scenario(where, name)
    context.show({"name": path.stem, "file": str(path)}, f"Wrote {path}. Edit it, then run `forecast scenario run {path.stem}`.")


def _more(result: ScenarioResult) -> dict[str, object]:
    """What report.json does not hold: every question, every reading, and which drivers move how far."""
    return {
        "by_reading": dict(result.by_reading),
        "paths": result.paths,
        "moved": [{"driver": m.driver, "scenario": m.here, "forecast": m.forecast, "tail": m.tail} for m in result.moved],
        "questions": {id_: {"probability": p, "baseline": result.baselines[id_]} for id_, p in result.questions.items()},
    }


def _inputs_lines(run_id: str, used: InputsUsed) -> list[str]:
    """Which inputs the answer uses."""
    text = f"From run {run_id} and the inputs it was made from: record to {used.origin}, data {used.data_digest[:12]}."
    inputs = {"data": used.data_changed, "priors": used.priors_changed}
    changed = [name for name, differs in inputs.items() if differs]
    refused = [name for name, differs in inputs.items() if differs is None]
    if changed:
        text += f" The {' and '.join(changed)} of the workspace have changed since; `forecast refit` makes a forecast from them."
    if refused:
        text += f" The {' and '.join(refused)} of the workspace have problems: see `forecast {refused[0]} check`."
    return wrap(f"{text} Months are counted from {used.origin}.")


def _result_lines(result: ScenarioResult, whole: bool) -> list[str]:
    low, high = result.interval
    direct = "event-direct-action-12m"
    lines = [
        f"Level 4 reached within 12 months: {_percent(result.probability)}, without it {_percent(result.baseline)}; the difference is "
        f"{_points(result.difference)} points (Monte Carlo error {100 * result.mcse:.2f}). "
        f"80 % interval: {_percent(low)} to {_percent(high)}.",
        "Within " + ", ".join(f"{h} months {_percent(p)}" for h, p in result.by_horizon.items()) + ".",
        f"Fallen to level 1 or below within 12 months: {_percent(result.fallen)}, without it {_percent(result.baselines['fall-1-12m'])}.",
        f"Direct US action that Mexico resists, within 12 months: {_percent(result.questions[direct])}, "
        f"without it {_percent(result.baselines[direct])}.",
        _plausibility(result),
    ]
    if whole:
        lines = [result.story, *(f"Assumes: {text}" for text in result.assumptions), *lines]
    lines += [f"Not represented: {text}" for text in result.not_represented]
    width = min(terminal_width(), 120)
    out = ["", f"{result.title} ({result.name}, {result.kind})"]
    for line in lines:
        out += wrap(line, width, initial_indent="  ", subsequent_indent="    ")
    return out


def _plausibility(result: ScenarioResult) -> str:
    if result.plausibility is None:
        return "It changes no driver of the simulation."
    if result.paths is not None:
        return f"Plausibility {_percent(result.plausibility)}: {result.paths} of the simulated paths meet the condition."
    first = result.moved[0]
    means = f"mean {first.driver} over the story's months {first.here:,.3g}, in the forecast {first.forecast:,.3g}"
    return f"Plausibility {_percent(result.plausibility)}: the share of simulated paths that go as far without the scenario ({means})."


def _percent(p: float) -> str:
    return f"{100 * p:.1f} %"


def _points(p: float) -> str:
    return f"{100 * p:+.1f}".replace("-", "\u2212")
