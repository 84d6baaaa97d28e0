"""`forecast report`: a run read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    "--format", "form", type=click.Choice(["text", "html", "markdown"]), default="text", show_default=True, help="What to render."
)
@click.option("--output", metavar="FILE", help="Write there instead of printing; - is standard output.")
@force_option
@click.option("--schema", is_flag=True, help="Print the JSON Schema of report.json instead of a report.")
def report(context: Context, name: str, form: str, output: str | None, force: bool, schema: bool) -> None:
    """Render a run's report again, without fitting.

    RUN is the id of a run, a unique beginning of it, `latest`, or a folder. FILE may be a device or a pipe; one that is there already is
    left as it is without --force, and nothing is written inside data/, priors/ or reports/.
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
        context.say_json({"written": str(file.path)}) if context.json else context.say(f"Written to {file.path}")
