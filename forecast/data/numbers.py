"""Numbers as a person may write them in a cell, and what to say of those that can be read in two ways."""

from __future__ import annotations

import re
from typing import Final

from forecast.data.suggestions import shown

_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,14}")
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")
_LEADING_ZEROS: Final = re.compile(r"-?0+[0-9][0-9.]*")
_GROUPS: Final = re.compile(r"-?[1-9][0-9]{0,2}([ ,.'\u00a0\u202f])[0-9]{3}(\1[0-9]{3})*")
_COMMA: Final = re.compile(r"-?[0-9]+,[0-9]+")
_GROUPS_AND_DECIMALS: Final = re.compile(_GROUPS.pattern + r"(?!\1)[.,][0-9]+")

type Words = tuple[str, str, str]


def whole_problem(text: str) -> Words | None:
    """What is wrong with a whole number: found, expected and remedy; None if nothing is."""
    if _WHOLE.fullmatch(text):
        return None
    return shown(text), "a whole number in plain digits", _remedy(text, whole=True)


def number_problem(text: str) -> Words | None:
    """The same for a number that may have decimals."""
    if _NUMBER.fullmatch(text):
        return None
    return shown(text), "a number in plain digits with a decimal point", _remedy(text, whole=False)


def _remedy(text: str, whole: bool) -> str:
    """Both readings of a number that has two."""
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
