"""`forecast report`: a run read again."""

from __future__ import annotations

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples, force_option
from forecast.cli._streams import as_json


@click.command(
    epilog=examples("forecast report", "forecast report latest --format markdown", "forecast report --format html --output mine.html")
)
@common()
@click.argument("name", metavar="[RUN]", default="latest")
@click.option(
    "--format", "form", type=click.Choice(["text", "html", "markdown"]), default="text", show_default=True, help="What to render."
)
@click.option("--output", metavar="FILE", help="Write there instead of printing; - is standard output.")
@force_option
def report(context: Context, name: str, form: str, output: str | None, force: bool) -> None:
    """Render a run's report again, without fitting.

    RUN is the id of a run, a unique beginning of it, `latest`, or a folder. FILE may be a device or a pipe; one that is there already is
    left as it is without --force, and nothing is written inside data/, priors/ or reports/.
    """
    file = None if output in (None, "-") else context.output(str(output), force)
    from forecast.report.files import load_document, load_report, render
    from forecast.runs import manifest, store

    run = store.resolve(context.workspace.reports, name)
    manifest.check(run)
    text = as_json(load_document(run), "utf-8") if context.json else render(load_report(run), form).rstrip("\n")
    if file is not None:
        file.write(f"{text}\n")
        if not file.through:  # a pipe may be this very output
            context.say_json({"written": str(file.path)}) if context.json else context.say(f"Written to {file.path}")
    else:
        context.say_json(load_document(run)) if context.json else context.say(text)
