"""`forecast cache`: the compiled code and the charts that runs leave behind, and how to remove them."""

from __future__ import annotations

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._root import Group
from forecast.cli._text import WIDTH, counted, table


@click.group("cache", cls=Group, epilog=examples("forecast cache show", "forecast cache clear"))
def cache() -> None:
    """Show or clear the compiled code and the charts that later commands use again."""


@cache.command("show", epilog=examples("forecast cache show", "forecast cache show --json"))
@common()
def show(context: Context) -> None:
    """Show where compiled code and charts are kept, and what is there.

    Each file is listed with the reason if this version of the program does not use it on this machine.
    """
    from forecast.inference.machine_code import entries
    from forecast.storage.caches import cache_folder, sizes_of_folders

    folder = cache_folder()
    listed, others = entries(folder), sizes_of_folders(folder)
    rows = [
        {"file": e.path.name, "bytes": e.size, "function": e.function, "written": e.written, "used": not e.damage, "why_not": e.damage}
        for e in listed
    ]
    lines = [f"Compiled code and charts are kept in {folder}."]
    if rows:
        cells = [(e.path.name, _size(e.size), e.written, e.damage or "used by this version") for e in listed]
        lines += ["", *table(("file", "size", "written", "state"), cells, WIDTH, right={1}, fold=True)]
    lines += [f"Folder {name}: {_size(size)}." for name, size in others.items()]
    if not rows and not others:
        lines.append("Nothing is there yet; the first run puts it there.")
    context.show({"folder": str(folder), "files": rows, "folder_bytes": others}, lines)


@cache.command("clear", epilog=examples("forecast cache clear"))
@common()
def clear(context: Context) -> None:
    """Remove all compiled code and charts. The next run makes them again, which takes some seconds; nothing else is lost."""
    from forecast.storage.caches import cache_folder, clear_cache

    folder = cache_folder()
    removed, size = clear_cache(folder)
    context.show({"folder": str(folder), "removed": removed, "bytes": size}, f"{counted(removed, 'file')} removed ({_size(size)}).")


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 50_000 else f"{size / 1e3:.0f} kB"
