"""Writes that survive a crash: the bytes reach the disk before the name that promises them does."""

from __future__ import annotations

import os
from pathlib import Path

from forecast.runs.files import cannot_write, sync
from forecast.runs.scratch import scratch


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one, never a part. Raises ForecastError if it cannot be written."""
    with scratch(path.parent, path.name) as folder, cannot_write(path):
        made = folder / path.name
        made.write_text(text, encoding="utf-8")
        sync(made)
        os.replace(made, path)
        sync(path.parent)


def point(link: Path, target: str) -> None:
    """Make the symbolic link point to `target`, relative to its folder; a reader sees the old target or the new one."""
    with scratch(link.parent, link.name) as folder, cannot_write(link):
        made = folder / link.name
        made.symlink_to(target)
        os.replace(made, link)
        sync(link.parent)
