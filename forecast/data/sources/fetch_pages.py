"""A connector's questions, asked in turn: only what has changed, and page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from forecast.data.sources.connector import Request
from forecast.data.sources.http_client import Reply, Stamp
from forecast.errors import SourceError

MOST_PAGES: Final = 10
"""Each page may be as large as an answer may, so this also bounds what all of them take."""

type Ask = Callable[[str, Stamp | None], Reply]


@dataclass(frozen=True, slots=True)
class Answers:
    """All bodies in the order asked, and by what each first page can be known again."""

    bodies: tuple[bytes, ...]
    stamps: Mapping[str, Stamp]


def gather(
    requests: Sequence[Request], ask: Ask, held: Mapping[str, Stamp], tell: Callable[[float], None] = lambda done: None
) -> Answers | None:
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
    stamps: dict[str, Stamp] = {}
    for request, reply in first.items():
        whole = reply if reply.body is not None else ask(request.target, None)
        stamps[request.target] = whole.stamp
        bodies += _pages(request, whole.body or b"", ask)
    return Answers(tuple(bodies), {target: stamp for target, stamp in stamps.items() if stamp.headers()})


def _pages(request: Request, body: bytes, ask: Ask) -> list[bytes]:
    bodies = [body]
    following = request.then(request, body) if request.then else None
    while following is not None:
        if len(bodies) >= MOST_PAGES:
            raise SourceError(f"{request.path} has more than {MOST_PAGES} pages.", "That is not what was asked for; nothing was changed.")
        bodies.append(ask(following.target, None).body or b"")
        following = following.then(following, bodies[-1]) if following.then else None
    return bodies
