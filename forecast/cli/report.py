"""`forecast report` and `forecast diff`: runs that exist already, shown or compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples, force_option
from forecast.cli._streams import as_json


@click.command(
    epilog=examples(
        "forecast report",
        "forecast report latest --format markdown",
        "forecast report --format html --output mine.html",
        "forecast report --schema",
    )
)
@common()
@click.argument("name", metavar="[RUN]", default="latest")
@click.option(
    "--format", "form", type=click.Choice(["text", "html", "markdown"]), default="text", show_default=True, help="The form of the report."
)
@click.option("--output", metavar="FILE", help="Write to this file instead of printing; - is standard output.")
@force_option
@click.option("--schema", is_flag=True, help="Print the JSON Schema of report.json instead of a report.")
def report(context: Context, name: str, form: str, output: str | None, force: bool, schema: bool) -> None:
    """Show a run's report again, without fitting.

    RUN is the id of a run, a unique beginning of an id, `latest`, or a folder. FILE may be a device or a pipe. A file that exists is
    replaced only with --force, and nothing is written inside data/, priors/ or reports/.
    """
    file = None if output in (None, "-") else context.output(str(output), force)
    if schema:
        from forecast.report.models.report import report_schema

        document: Mapping[str, Any] = report_schema()
    else:
        from forecast.report.files import load_document, load_report, render
        from forecast.runs import manifest, store

        run = store.resolve(context.workspace.reports, name)
        manifest.check(run)
        document = load_document(run) if context.json else {}
    if document and file is None:
        context.say_json(document)
        return
    text = as_json(document, "utf-8") + "\n" if document else render(load_report(run), form)
    if file is None:
        context.say(text.rstrip("\n"))
        return
    file.write(text)
    if not file.through:  # a pipe may be this very output
        context.show({"written": str(file.path)}, f"Written to {file.path}")


@click.command(
    epilog=examples("forecast diff latest latest", "forecast diff latest latest --format markdown", "forecast diff latest latest --json")
)
@common()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown"]), default="text", show_default=True, help="Markdown suits a pull request."
)
@click.option("--all", "everything", is_flag=True, help="Show every row and every question.")
def diff(context: Context, first: str, second: str, form: Literal["text", "markdown"], everything: bool) -> None:
    """List what differs between run A and run B: data, priors, settings, code and forecast.

    A run is named by its id, a unique beginning of it, `latest`, or a folder. `forecast explain` shows which of these changes moved the
    forecast, and by how much.
    """
    from forecast.jobs.diff import diff as compare
    from forecast.report.diff_view import render_diff
    from forecast.runs import store

    reports = context.workspace.reports
    differences = compare(store.resolve(reports, first), store.resolve(reports, second))
    context.show(differences, render_diff(differences, form, everything).rstrip("\n"))
