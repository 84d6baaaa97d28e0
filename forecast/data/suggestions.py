"""Wording of remedies: the nearest right word, a number that can be read in two ways, a cell quoted in a message."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final


def nearest_words(word: str, right: Iterable[str], n: int = 3, cutoff: float = 0.5) -> list[str]:
    """At most `n` members of `right` that look like `word`, the likest first, whatever their case; none below a likeness of `cutoff`."""
    by_lower = {w.lower(): w for w in right}
    return [by_lower[match] for match in difflib.get_close_matches(word.strip().lower(), by_lower, n, cutoff)]


def nearest(word: str, right: Iterable[str]) -> str | None:
    """The member of `right` that looks most like `word`; None if none is close."""
    return next(iter(nearest_words(word, right, 1)), None)


def did_you_mean(word: str, right: Iterable[str]) -> str:
    """A remedy in words: the nearest right word, or the whole list where nothing is near."""
    right = list(right)
    near = nearest(word, right)
    return f"Did you mean {near!r}?" if near else f"Write one of: {', '.join(right)}."


def quoted(text: str, width: int = 60) -> str:
    """A text in quotes for a message: control characters escaped, cut to `width` characters."""
    shown = f"'{text}'" if text.isprintable() else ascii(text)
    return shown if len(shown) <= width else shown[: width - 2] + "…'"


_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,14}")
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")
_LEADING_ZEROS: Final = re.compile(r"-?0+[0-9][0-9.]*")
_GROUPS: Final = re.compile(r"-?[1-9][0-9]{0,2}([ ,.'\u00a0\u202f])[0-9]{3}(\1[0-9]{3})*")
_COMMA: Final = re.compile(r"-?[0-9]+,[0-9]+")
_GROUPS_AND_DECIMALS: Final = re.compile(_GROUPS.pattern + r"(?!\1)[.,][0-9]+")

type ProblemWords = tuple[str, str, str]


def whole_problem(text: str) -> ProblemWords | None:
    """What is wrong with a whole number: found, expected and remedy; None if nothing is."""
    if _WHOLE.fullmatch(text):
        return None
    return quoted(text), "a whole number in plain digits", _remedy(text, whole=True)


def number_problem(text: str) -> ProblemWords | None:
    """The same for a number that may have decimals."""
    if _NUMBER.fullmatch(text):
        return None
    return quoted(text), "a number in plain digits with a decimal point", _remedy(text, whole=False)


def _remedy(text: str, whole: bool) -> str:
    """How to write the number; both readings if it has two."""
    if _LEADING_ZEROS.fullmatch(text):
        return "Take out the zeros before the first digit."
    together = re.sub(r"[^-0-9]", "", text)
    if _GROUPS.fullmatch(text):
        if _COMMA.fullmatch(text) and not whole:
            return f"Write {together} if the comma is a thousands separator, {text.replace(',', '.')} if it is a decimal comma."
        return f"Leave out the thousands separator: write {together}."
    if whole:
        return "Write digits only, such as 3; leave the cell empty if it may be unknown."
    if _COMMA.fullmatch(text):
        return f"Write a decimal point in place of the comma: {text.replace(',', '.')}."
    if _GROUPS_AND_DECIMALS.fullmatch(text):
        before, after = re.split(r"[.,](?=[0-9]+$)", text)
        return f"Leave out the thousands separator: write {re.sub(r'[^-0-9]', '', before)}.{after}."
    return "Write digits only, such as 3 or 0.25; leave the cell empty if it may be unknown."
