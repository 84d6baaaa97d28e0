"""`forecast report`: a run read again."""

from __future__ import annotations

from pathlib import Path

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples


@click.command(
    epilog=examples("forecast report", "forecast report latest --format markdown", "forecast report --format html --output mine.html")
)
@common()
@click.argument("name", metavar="[RUN]", default="latest")
@click.option(
    "--format", "form", type=click.Choice(["text", "html", "markdown"]), default="text", show_default=True, help="What to render."
)
@click.option("--output", metavar="FILE", help="Write there instead of printing; - is standard output.")
def report(context: Context, name: str, form: str, output: str | None) -> None:
    """Render a run's report again, without fitting.

    RUN is the id of a run, a unique beginning of it, `latest`, or a folder.
    """
    from forecast.report.read import read_any_form, read_report, render
    from forecast.runs import manifest, store
    from forecast.runs.whole import write_whole

    run = store.resolve(context.workspace.reports, name)
    if context.json:
        manifest.check(run)
        context.say_json(read_any_form(run))
        return
    text = render(read_report(run), form)
    if output in (None, "-"):
        context.say(text.rstrip("\n"))
    else:
        path = Path(context.surroundings.cwd / str(output))
        write_whole(path, text)
        context.say(f"Written to {path}")
