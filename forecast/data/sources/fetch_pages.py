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
"""Each page is bounded in size, so this bounds the whole answer."""

type Ask = Callable[[str, Validators | None], Reply]


@dataclass(frozen=True, slots=True)
class FetchedPages:
    """All bodies in the order asked, and the validators of each first page."""

    bodies: tuple[bytes, ...]
    validators: Mapping[str, Validators]


def fetch_pages(
    requests: Sequence[Request], ask: Ask, known: Mapping[str, Validators], report: Callable[[float], None] = lambda done: None
) -> FetchedPages | None:
    """All pages of all requests; None if the publisher says for every request that nothing has changed since the validators `known`.

    Validators are sent only if all requests have them, since part of an answer is of no use. Raises SourceError as `ask` does.
    """
    conditional = all(request.target in known for request in requests)
    first: dict[Request, Reply] = {}
    for i, request in enumerate(requests):
        first[request] = ask(request.target, known[request.target] if conditional else None)
        report((i + 1) / (len(requests) + 1))
    if all(reply.body is None for reply in first.values()):
        return None
    bodies: list[bytes] = []
    validators: dict[str, Validators] = {}
    for request, reply in first.items():
        whole = reply if reply.body is not None else ask(request.target, None)
        validators[request.target] = whole.validators
        bodies += _pages(request, whole.body or b"", ask)
    return FetchedPages(tuple(bodies), {target: sent for target, sent in validators.items() if sent.headers()})


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
    """A digest of the rows held and of the last month that has ended, since figures of later months were left out.

    If it differs from that of the last pull, everything is fetched again.
    """
    texts = [str(through), *sorted(row.model_dump_json() for row in rows)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def load_validators(folder: Path, key: str, held: str) -> Mapping[str, Validators]:
    """The validators of a connector's requests by target; empty if the rows held are not those that the last pull left."""
    last = _read(folder).get(key)
    if not isinstance(last, dict) or last.get("held") != held:
        return {}
    saved = last.get("stamps")
    validators = {}
    for target, texts in saved.items() if isinstance(saved, dict) else ():
        with suppress(TypeError, ValueError):
            validators[target] = Validators(*(_header(text) for text in texts))
    return validators


def save_validators(folder: Path, key: str, held: str, validators: Mapping[str, Validators]) -> None:
    """Save the validators; if the folder cannot be written, the next pull fetches everything."""
    entry = {"held": held, "stamps": {target: [sent.etag, sent.last_modified] for target, sent in validators.items()}}
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
    """A value that may be sent in a header. ValueError for anything else, which this program did not write."""
    if text is None:
        return None
    if not isinstance(text, str) or not text.isascii() or not text.isprintable():
        raise ValueError("not a header")
    return text
