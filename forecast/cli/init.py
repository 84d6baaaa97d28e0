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
@click.option("--upgrade", is_flag=True, help="Upgrade the workspace in DIR, which an earlier version made.")
def init(context: Context, folder: Path, upgrade: bool) -> None:
    """Copy the bundled data and priors into a new folder.

    With --upgrade, bring an existing workspace to the form that this version reads: all its files, or none. Its values, the history of its
    priors, its ledger and its runs stay as they are.
    """
    if upgrade:
        from forecast.jobs.upgrade import upgrade_workspace

        upgraded = find_workspace(folder, {}, context.environment.cwd)
        result = upgrade_workspace(upgraded)
        context.show({"workspace": str(upgraded.root), **result.as_dict()}, _upgrade_lines(result, folder))
        return
    workspace = create_workspace(context.environment.cwd / folder)
    document = {"data": str(workspace.data), "priors": str(workspace.priors), "reports": str(workspace.reports)}
    context.show(document, f"A workspace is ready in {folder}. Work there, or name it: forecast --workspace {folder} data check")


def _upgrade_lines(result: Upgrade, folder: Path) -> Iterator[str]:
    yield f"Upgraded {folder}:" if result.changes else f"{folder} has the present form already; nothing was changed."
    for change in result.changes:
        yield f"  {change.file}: {change.what}"
    if result.prior_edits:
        yield f"The history of the priors has {result.prior_edits} edits. It verifies, and was not altered."
    if result.ledger_entries is None:
        yield "The ledger is damaged; it was not altered. `forecast questions verify` says what is wrong."
    elif result.ledger_entries:
        yield f"The ledger has {result.ledger_entries} entries. It verifies, and was not altered."
    if n := len(result.other_versions):
        runs = "1 run was" if n == 1 else f"{n} runs were"
        yield f"{runs} made by another version: {'it stays' if n == 1 else 'they stay'} as written. `forecast refit` makes a new one."
