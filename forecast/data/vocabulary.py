"""The codebook's words that depend on one another: which roles, instruments and channels a family of records knows."""

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
"""The channel of each instrument of pressure (family B); `other` takes the channel of what it acts on."""

INSTRUMENTS: Final = {"A": MEXICAN_INSTRUMENTS, "B": (*CHANNEL_OF, "other"), "C": (), "D": ()}

LEVERAGE_CHANNELS: Final = CHANNELS
