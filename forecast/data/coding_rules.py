"""Rules of the codebook in code: words that depend on one another, and the share of a poll that is opposed."""

from __future__ import annotations

from typing import Final

from forecast.domain import CHANNELS

ROLES: Final = {
    "A": ("decision", "claim", "request", "context"),
    "B": ("pressure", "request"),
    "C": ("opposition",),
    "D": ("context",),
}

MEXICAN_INSTRUMENTS: Final = (
    "senate_vote_in",
    "senate_vote_out",
    "hand_over",
    "deployment",
    "flight",
    "unit",
    "post",
    "law",
    "note",
    "statement",
    "other",
)
"""By what means Mexico granted or refused (family A)."""

CHANNEL_OF: Final = {
    **dict.fromkeys(("tariff", "trade_agreement", "supply_chain", "remittance"), "economic"),
    **dict.fromkeys(("visa", "condemnation", "certification", "ambassador", "aid", "recall"), "diplomatic"),
    **dict.fromkeys(
        ("designation", "charges", "troops", "border", "migration", "surveillance", "force_threat", "force_elsewhere", "force_legislation"),
        "security",
    ),
}
"""The channel of each instrument of pressure (family B); `other` has the channel of what it acts on."""

INSTRUMENTS: Final = {"A": MEXICAN_INSTRUMENTS, "B": (*CHANNEL_OF, "other"), "C": (), "D": ()}

LEVERAGE_CHANNELS: Final = CHANNELS


DEFAULT_UNDECIDED: Final = 6.0
"""Per cent assumed to have no side where only one side of a poll was published."""


def undecided_percent(side: float, other: float | None) -> float:
    """Per cent without a side in a one-sided report: as published, else 6, but no more than the published side leaves."""
    return other if other is not None else min(DEFAULT_UNDECIDED, 100.0 - side)


def opposed_share(opposed: float | None, in_favour: float | None, other: float | None = None) -> float | None:
    """Share opposed among those with a side, 0 to 1, from per cents; None if no side is known.

    In a one-sided report the missing side is the rest: 60 opposed and 35 other leave 5 in favour; 96 opposed alone leave 4, all undecided.
    """
    if opposed is not None and in_favour is not None:
        return opposed / (opposed + in_favour) if opposed + in_favour > 0 else None
    side = opposed if opposed is not None else in_favour
    if side is None:
        return None
    decided = max(100.0 - undecided_percent(side, other), side)  # rounded shares may sum to a little over 100
    if not decided:
        return None
    return side / decided if opposed is not None else 1.0 - side / decided
