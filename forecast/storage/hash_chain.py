"""Records that carry digests, so that altering, removing, inserting or exchanging one of them is noticed.

`sealed_json` ends a JSON document with the digest of all its bytes; `chained_digest` is the digest of a record and of all before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

DIGEST_KEY = "sha256"
"""The key of a record under which its digest stands."""


def sealed_json(body: Mapping[str, Any]) -> str:
    """The body as a JSON document whose last line is the digest of all bytes before it. ValueError for what JSON cannot hold."""
    start = json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False).removesuffix("\n}")
    return start + _seal(hashlib.sha256(start.encode()).hexdigest())


def read_sealed_json(raw: bytes) -> dict[str, Any]:
    """What a sealed document says. ValueError, in words that follow the file's name, if it is not byte for byte what was written."""
    if not _is_sealed(raw):
        raise ValueError(explain_alteration(raw, _is_sealed))
    body = json.loads(raw)
    if not isinstance(body, dict):
        raise ValueError("it is no record")
    return body


def chained_digest(previous: str, record: Mapping[str, Any]) -> str:
    """SHA-256 of a record, without its own digest, and of the digest of the record before it."""
    body = {key: value for key, value in record.items() if key != DIGEST_KEY}
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def explain_alteration(raw: bytes, is_original: Callable[[bytes], bool]) -> str:
    """Why the bytes of a file are not those that were written, in words that follow the file's name.

    Line ends changed by git or an editor are distinguished from tampering. is_original: whether bytes are those written; it may raise
    ValueError for bytes that it cannot read.
    """
    try:
        only_line_ends = b"\r\n" in raw and is_original(raw.replace(b"\r\n", b"\n"))
    except ValueError:
        only_line_ends = False
    if only_line_ends:
        return (
            "its line ends were changed to CRLF, as git does under core.autocrlf, and nothing else was; write '* -text' into the "
            "workspace's .gitattributes, delete the file and check it out again"
        )
    return "it was altered since it was written"


def _is_sealed(raw: bytes) -> bool:
    start = raw[: -len(_seal(""))]
    return raw == start + _seal(hashlib.sha256(start).hexdigest()).encode()


def _seal(digest: str) -> str:
    """The end of a sealed document; its length does not depend on the digest."""
    return f',\n "{DIGEST_KEY}": "{digest:<64}"\n}}\n'
