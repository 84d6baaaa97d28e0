"""What a run is called: the second it was made, then a few characters of what it was made from, so that names sort by age."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

LATEST: Final = "latest"
_RUN_ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}")


def new_run_id(now: datetime, digest: str) -> str:
    """The id of a run made at `now` (any time zone, not naive) from inputs of this hexadecimal digest: `20261124T141500Z-ab12cd`."""
    if now.tzinfo is None:
        raise ValueError("a run is named by a time with its time zone")
    run_id = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest[:6]}"
    if not is_run_id(run_id):
        raise ValueError(f"{digest!r} is not a hexadecimal digest of at least six characters")
    return run_id


def is_run_id(name: str) -> bool:
    try:
        return _RUN_ID.fullmatch(name) is not None and bool(made_at(name))
    except ValueError:  # digits that are no time
        return False


def made_at(run_id: str) -> datetime:
    """When a run was made, in UTC, as its name says."""
    return datetime.strptime(run_id.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
