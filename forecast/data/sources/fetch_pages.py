"""The pages of a connector's answer, asked for only if they have changed since the last pull."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forecast.data.records import Record
from forecast.data.sources.connector import Request
from forecast.data.sources.http_client import Reply, Validators
from forecast.domain import Month
from forecast.errors import SourceError
from forecast.storage.atomic import replace_file
from forecast.storage.files import UnreadableError, read_bounded

MAX_PAGES: Final = 10
"""Each page may be as large as an answer may, so this also bounds what all of them take."""

type Ask = Callable[[str, Validators | None], Reply]


@dataclass(frozen=True, slots=True)
class FetchedPages:
    """All bodies in the order asked, and by what each first page can be known again."""

    bodies: tuple[bytes, ...]
    stamps: Mapping[str, Validators]


def fetch_pages(
    requests: Sequence[Request], ask: Ask, held: Mapping[str, Validators], tell: Callable[[float], None] = lambda done: None
) -> FetchedPages | None:
    """Ask for everything; None if the publisher says of every question that nothing has changed since the stamps `held`.

    A stamp is only worth sending where all questions have one: half an answer is none. Raises SourceError as `ask` does.
    """
    known = all(request.target in held for request in requests)
    first: dict[Request, Reply] = {}
    for i, request in enumerate(requests):
        first[request] = ask(request.target, held[request.target] if known else None)
        tell((i + 1) / (len(requests) + 1))
    if all(reply.body is None for reply in first.values()):
        return None
    bodies: list[bytes] = []
    stamps: dict[str, Validators] = {}
    for request, reply in first.items():
        whole = reply if reply.body is not None else ask(request.target, None)
        stamps[request.target] = whole.stamp
        bodies += _pages(request, whole.body or b"", ask)
    return FetchedPages(tuple(bodies), {target: stamp for target, stamp in stamps.items() if stamp.headers()})


def _pages(request: Request, body: bytes, ask: Ask) -> list[bytes]:
    bodies = [body]
    following = request.then(request, body) if request.then else None
    while following is not None:
        if len(bodies) >= MAX_PAGES:
            raise SourceError(f"{request.path} has more than {MAX_PAGES} pages.", "That is not what was asked for; nothing was changed.")
        bodies.append(ask(following.target, None).body or b"")
        following = following.then(following, bodies[-1]) if following.then else None
    return bodies


CACHE_NAME: Final = ".fetched.json"
MAX_CACHE_BYTES: Final = 1_000_000


def held_digest(rows: Sequence[Record], through: Month) -> str:
    """A digest of the rows held, and of the last month that has ended, since figures of later ones were left out.

    If either is other than at the last pull, what was sent then has to be sent again.
    """
    texts = [str(through), *sorted(row.model_dump_json() for row in rows)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def load_validators(folder: Path, key: str, held: str) -> Mapping[str, Validators]:
    """The stamps of a connector's requests by target; none if the rows held are not those that the last pull left."""
    last = _read(folder).get(key)
    if not isinstance(last, dict) or last.get("held") != held:
        return {}
    stamps = last.get("stamps")
    found = {}
    for target, stamp in stamps.items() if isinstance(stamps, dict) else ():
        with suppress(TypeError, ValueError):
            found[target] = Validators(*(_header(text) for text in stamp))
    return found


def save_validators(folder: Path, key: str, held: str, stamps: Mapping[str, Validators]) -> None:
    """Keep what was sent; a folder that cannot be written only forgets."""
    entry = {"held": held, "stamps": {target: [stamp.etag, stamp.last_modified] for target, stamp in stamps.items()}}
    text = json.dumps({**_read(folder), key: entry}, indent=1, sort_keys=True)
    with suppress(OSError):
        replace_file(folder / CACHE_NAME, text.encode(), None)


def _read(folder: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_bounded(folder / CACHE_NAME, MAX_CACHE_BYTES))
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
