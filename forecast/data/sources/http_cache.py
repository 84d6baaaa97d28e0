"""What the publishers sent last, so that they are asked for changes only. No part of the data: losing it costs a download."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from forecast.data.records import Record
from forecast.data.sources.http_client import Stamp
from forecast.domain import Month
from forecast.storage.atomic_write import replace_whole
from forecast.storage.reading import UnreadableError, read_bounded

NAME: Final = ".fetched.json"
MOST_BYTES: Final = 1_000_000


def held_digest(rows: Sequence[Record], through: Month) -> str:
    """A digest of the rows held, and of the last month that has ended, since figures of later ones were left out.

    If either is other than at the last pull, what was sent then has to be sent again.
    """
    texts = [str(through), *sorted(row.model_dump_json() for row in rows)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def recall(folder: Path, key: str, held: str) -> Mapping[str, Stamp]:
    """The stamps of a connector's requests by target; none if the rows held are not those that the last pull left."""
    last = _read(folder).get(key)
    if not isinstance(last, dict) or last.get("held") != held:
        return {}
    stamps = last.get("stamps")
    found = {}
    for target, stamp in stamps.items() if isinstance(stamps, dict) else ():
        with suppress(TypeError, ValueError):
            found[target] = Stamp(*(_header(text) for text in stamp))
    return found


def remember(folder: Path, key: str, held: str, stamps: Mapping[str, Stamp]) -> None:
    """Keep what was sent; a folder that cannot be written only forgets."""
    entry = {"held": held, "stamps": {target: [stamp.etag, stamp.last_modified] for target, stamp in stamps.items()}}
    text = json.dumps({**_read(folder), key: entry}, indent=1, sort_keys=True)
    with suppress(OSError):
        replace_whole(folder / NAME, text.encode(), None)


def _read(folder: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_bounded(folder / NAME, MOST_BYTES))
    except (UnreadableError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _header(text: Any) -> str | None:
    """A value that may be sent back in a header; anything else was not written here."""
    if text is None:
        return None
    if not isinstance(text, str) or not text.isascii() or not text.isprintable():
        raise ValueError("not a header")
    return text
