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
        _upgrade(context, folder)
        return
    made = create_workspace(context.environment.cwd / folder)
    if context.json:
        context.say_json({"data": str(made.data), "priors": str(made.priors), "reports": str(made.reports)})
    else:
        context.say(f"A workspace is ready in {folder}. Work there, or name it: forecast --workspace {folder} data check")


def _upgrade(context: Context, folder: Path) -> None:
    from forecast.jobs.upgrade import upgrade_workspace

    where = find_workspace(folder, {}, context.environment.cwd)
    done = upgrade_workspace(where)
    if context.json:
        context.say_json({"workspace": str(where.root), **done.as_dict()})
    else:
        for line in _upgraded(done, folder):
            context.say(line)


def _upgraded(done: Upgrade, folder: Path) -> Iterator[str]:
    yield f"Upgraded {folder}:" if done.changes else f"{folder} has the present form already; nothing was changed."
    for change in done.changes:
        yield f"  {change.file}: {change.what}"
    if done.prior_edits:
        yield f"The history of the priors has {done.prior_edits} edits. It verifies, and was not altered."
    if done.ledger_entries is None:
        yield "The ledger is damaged; it was not altered. `forecast questions verify` says what is wrong."
    elif done.ledger_entries:
        yield f"The ledger has {done.ledger_entries} entries. It verifies, and was not altered."
    if n := len(done.other_versions):
        runs = "1 run was" if n == 1 else f"{n} runs were"
        yield f"{runs} made by another version: {'it stays' if n == 1 else 'they stay'} as written. `forecast refit` makes a new one."
