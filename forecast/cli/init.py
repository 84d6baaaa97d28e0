"""`forecast init DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.workspace import create_workspace, find_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast.jobs.upgrade import Upgrade


@click.command(epilog=examples("forecast init mine", "forecast init --upgrade mine"))
@common()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init(context: Context, folder: Path) -> None:
    """Copy the bundled data and priors into a new folder."""
    workspace = create(context.environment.cwd / folder)
    document = {"data": str(workspace.data), "priors": str(workspace.priors), "reports": str(workspace.reports)}
    context.show(document, f"A workspace is ready in {folder}. Work there, or name it: forecast --workspace {folder} data check")
