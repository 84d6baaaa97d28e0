"""What moved the forecast since an earlier run, in words, from the payload's `moved`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from forecast.report.sentences import headline_question
from forecast.report.words import capital, listed, month_words, percent

Report = Mapping[str, Any]

KINDS: Final[Mapping[str, str]] = {
    "model": "model",
    "settings": "settings",
    "prior": "prior edits",
    "revision": "old values revised",
    "time": "time passing",
    "new": "new observations",
    "several": "several at once",
    "noise": "Monte Carlo noise",
}
"""Kinds of parts, in the order in which changes are made; what could not be told apart, and what chance leaves, come last."""

BESIDE: Final = ("reach-3-12m", "fall-1-12m")
"""Questions shown beside the headline."""


def shown(report: Report) -> list[str]:
    """The headline's id and those beside it, as far as both runs asked them."""
    asked = report["moved"].get("questions", {})
    return [q for q in dict.fromkeys((report["headline"], *BESIDE)) if q in asked]


def points(d: float) -> str:
    """A difference of probabilities in points to the hundredth, signed, so that a column adds up to the eye."""
    rounded = round(100 * d, 2)
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else '±'}{abs(rounded):.2f}"


def by_kind(moved: Mapping[str, Any], question: str) -> dict[str, float]:
    """What each kind of change added to a question, noise last; only kinds that occur."""
    q = moved["questions"][question]
    sums: dict[str, float] = {}
    for part, value in zip(moved["parts"], q["parts"], strict=True):
        sums[part["kind"]] = sums.get(part["kind"], 0.0) + value
    return {kind: sums[kind] for kind in KINDS if kind in sums} | {"noise": q["noise"]}


def summary(report: Report) -> str:
    """One sentence: from what to what, and by what kinds of change; empty if no run came before or the headline was not asked then."""
    moved = report["moved"]
    if not moved or report["headline"] not in moved["questions"]:
        return ""
    q = moved["questions"][report["headline"]]
    kinds = by_kind(moved, report["headline"])
    added = [f"{KINDS[kind]} {points(value)}" for kind, value in kinds.items() if kind != "noise"]
    chance = f"Monte Carlo noise {points(q['noise'])} (standard error {100 * q['remainder_se']:.2f})"
    return (
        f"Since run {moved['from_run']}, which knew the world to {month_words(moved['from_origin'])}, the headline went from "
        f"{percent(q['before'])} to {percent(q['after'])}, by {points(q['after'] - q['before'])} points: {listed([*added, chance])}."
    )


def alarm(report: Report) -> str:
    """What must be said first if the parts do not explain the whole; empty if they do."""
    unexplained = report["moved"].get("unexplained")
    if not unexplained:
        return ""
    q = report["moved"]["questions"][unexplained[0]]
    return (
        f"Something that is in no part moved {listed(unexplained[:4])}{' and others' if len(unexplained) > 4 else ''}: "
        f"{points(q['noise'])} points of {unexplained[0]} remain, where chance has a standard error of {100 * q['remainder_se']:.2f}."
    )


def aside(report: Report) -> str:
    """What is not in the parts, in a sentence: rows that no model reads, questions that only one of the runs
    asked; and what must be known of the noise."""
    moved = report["moved"]
    parts = []
    if moved["unread"]:
        rows = listed(f"{n} of {file}" for file, n in moved["unread"].items())
        parts.append(f"rows changed that no model reads: {rows}")
    for key, words in (("appeared", "asked for the first time"), ("gone", "asked no more")):
        if moved[key]:
            parts.append(f"{words}: {listed(moved[key])}")
    return " ".join(text for text in (f"{capital('; '.join(parts))}." if parts else "", moved["note"]) if text)


def headline_words(report: Report) -> str:
    """The headline's question, short: level 4 or above within 12 months."""
    q = headline_question(report)
    return f"level {q['level']} or above within {q['horizon_months']} months"
