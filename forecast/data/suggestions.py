"""The right word nearest to a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, right: Iterable[str]) -> str | None:
    """The member of `right` that looks most like `word`; None if none is close."""
    by_lower = {w.lower(): w for w in right}
    close = difflib.get_close_matches(word.strip().lower(), list(by_lower), n=1, cutoff=0.5)
    return by_lower[close[0]] if close else None


def did_you_mean(word: str, right: Iterable[str]) -> str:
    """A remedy in words: the nearest right word, or the whole list where nothing is near."""
    right = list(right)
    near = nearest(word, right)
    return f"Did you mean {near!r}?" if near else f"Write one of: {', '.join(right)}."


def shown(text: str, width: int = 60) -> str:
    """A cell as it may be printed: quoted, control characters escaped, cut to `width`."""
    quoted = ascii(text) if any(not c.isprintable() for c in text) else f"'{text}'"
    return quoted if len(quoted) <= width else quoted[: width - 2] + "…'"
