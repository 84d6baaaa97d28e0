"""What moved the forecast since an earlier run: sentences, tables, and the headline as steps from the chance before to the chance now."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from forecast.report.models.report import Report


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
    asked = report.moved.get("questions", {})
    return [q for q in dict.fromkeys((report.headline, *BESIDE)) if q in asked]


def points(d: float) -> str:
    """A difference of probabilities in points to the hundredth, signed, so that a column adds up to the eye."""
    rounded = round(100 * d, 2)
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else '±'}{abs(rounded):.2f}"


def by_kind(moved: Mapping[str, Any], question: str) -> dict[str, float]:
    """What each kind of change added to a question, noise last; only kinds that occur."""
    q = moved.questions[question]
    sums: dict[str, float] = {}
    for part, value in zip(moved.parts, q.parts, strict=True):
        sums[part.kind] = sums.get(part.kind, 0.0) + value
    return {kind: sums[kind] for kind in KINDS if kind in sums} | {"noise": q.noise}


def summary(report: Report) -> str:
    """One sentence: from what to what, and by what kinds of change; empty if no run came before or the headline was not asked then."""
    moved = report.moved
    if not moved or report.headline not in moved.questions:
        return ""
    q = moved.questions[report.headline]
    kinds = by_kind(moved, report.headline)
    added = [f"{KINDS[kind]} {points(value)}" for kind, value in kinds.items() if kind != "noise"]
    chance = f"Monte Carlo noise {points(q.noise)} (standard error {100 * q.remainder_se:.2f})"
    return (
        f"Since run {moved.from_run}, which knew the world to {month_words(moved.from_origin)}, the headline went from "
        f"{percent(q.before)} to {percent(q.after)}, by {points(q.after - q.before)} points: {listed([*added, chance])}."
    )


def alarm(report: Report) -> str:
    """What must be said first if the parts do not explain the whole; empty if they do."""
    unexplained = report.moved.get("unexplained")
    if not unexplained:
        return ""
    q = report.moved.questions[unexplained[0]]
    return (
        f"Something that is in no part moved {listed(unexplained[:4])}{' and others' if len(unexplained) > 4 else ''}: "
        f"{points(q.noise)} points of {unexplained[0]} remain, where chance has a standard error of {100 * q.remainder_se:.2f}."
    )


def aside(report: Report) -> str:
    """What is not in the parts, in a sentence: rows that no model reads, questions that only one of the runs
    asked; and what must be known of the noise."""
    moved = report.moved
    parts = []
    if moved.unread:
        rows = listed(f"{n} of {file}" for file, n in moved.unread.items())
        parts.append(f"rows changed that no model reads: {rows}")
    for key, words in (("appeared", "asked for the first time"), ("gone", "asked no more")):
        if moved[key]:
            parts.append(f"{words}: {listed(moved[key])}")
    return " ".join(text for text in (f"{capital('; '.join(parts))}." if parts else "", moved.note) if text)


def headline_words(report: Report) -> str:
    """The headline's question, short: level 4 or above within 12 months."""
    q = headline_question(report)
    return f"level {q.level} or above within {q.horizon_months} months"


NAMES = {"reached_by": "level {} or above", "in_force_at": "level {} or above at the end", "fallen_to": "level {} or below"}


def parts(report: Report) -> Table:
    """A row a part, in points; a part that cannot be told from noise is marked ~. Chances before and after stand at the ends."""
    moved, ids = report.moved, shown(report)
    columns = ("Change", *(capital(name(report, id_)) for id_ in ids))
    if not ids:
        return table(columns, [], range(1, len(columns)))
    questions = [moved.questions[id_] for id_ in ids]
    rows: list[list[Cell | None]] = [["Before", *(percent(q.before) for q in questions)]]
    for i, part in enumerate(moved.parts):
        marked = [points(q.parts[i]) + ("\u00a0~" if q.within_noise[i] else "") for q in questions]
        rows.append([f"{capital(KINDS[part.kind])}: {part.label}", *marked])
    rows.append(["Monte Carlo noise", *(points(q.noise) for q in questions)])
    rows.append(["Its standard error", *(f"{100 * q.remainder_se:.2f}" for q in questions)])
    rows.append(["Now", *(percent(q.after) for q in questions)])
    return table(columns, rows, range(1, len(columns)))


def questions(report: Report) -> Table:
    """Every question of both runs: before, now, and what each kind of change added."""
    moved = report.moved
    asked = moved.get("questions", {})
    kinds = [k for k in KINDS if any(k in by_kind(moved, id_) for id_ in asked)]
    rows = [
        [
            id_,
            percent(q.before),
            percent(q.after),
            points(q.after - q.before),
            *(points(by_kind(moved, id_).get(kind, 0.0)) for kind in kinds),
            f"{100 * q.remainder_se:.2f}",
        ]
        for id_, q in asked.items()
    ]
    columns = ("Question", "Before", "Now", "Points", *(capital(KINDS[k]) for k in kinds), "Its standard error")
    return table(columns, rows, range(1, len(columns)))


def name(report: Report, id_: str) -> str:
    """A question in few words: level 4 or above, 12 months."""
    q = next((q for q in report.questions if q.id == id_), None)
    if q is None or q.level is None:
        return id_
    return f"{NAMES[q.kind].format(q.level)}, {q.horizon_months} months"


MOST = 14
"""So many parts have a row each; of more, the smallest share one of their kind."""


def steps(report: Report, size: Size) -> Any:
    """A row a part: its bar begins where the row above ended. Upward and downward in two colours, what cannot be told from noise grey."""
    moved = report.moved
    q = moved.get("questions", {}).get(report.headline)
    rows: list[Row] = []
    at = [q.before] if q else []
    if q:
        rows.append(Row("Before", percent(q.before), (Dot(q.before, "soft", filled=False, size=110),)))
        for label, value, faint in _parts(moved, q):
            rows.append(_step(_cut(label, size), at[-1], value, faint))
            at.append(at[-1] + value)
        rows.append(Row("Now", percent(q.after), (Dot(q.after, size=130),), strong=True))
        at.append(q.after)
    return rows_chart(rows, size, _axis(min(at, default=0.0), max(at, default=0.1)), left=330, right=64, reference=at[-1] if at else None)


def _parts(moved: Mapping[str, Any], q: Mapping[str, Any]) -> list[tuple[str, float, bool]]:
    """Label, value and whether it is within the noise, of each part told alone or of those of a kind told together; noise last."""
    told = list(zip(moved.parts, q.parts, q.within_noise, strict=True))
    alone = sorted(range(len(told)), key=lambda i: -abs(told[i][1]))[:MOST] if len(told) > MOST else range(len(told))
    out: list[tuple[str, float, bool]] = []
    rest: dict[str, list[float]] = {}
    for i, (part, value, faint) in enumerate(told):
        if i in alone:
            out.append((part.label, value, faint))
        else:
            rest.setdefault(part.kind, []).append(value)
    out += [(f"{KINDS[kind]}, {len(values)} smaller parts", sum(values), True) for kind, values in rest.items()]
    return [*out, (f"{KINDS.noise}, standard error {100 * q.remainder_se:.2f}", q.noise, True)]


def _step(label: str, start: float, value: float, faint: bool) -> Row:
    colour = "soft" if faint else "one" if value > 0 else "two"
    bar = Bar(min(start, start + value), max(start, start + value), colour, 3 if faint else 7)
    return Row(label, points(value), (), (bar,))


def _cut(label: str, size: Size) -> str:
    most = 54 if size.phone else 52
    return label if len(label) <= most else f"{label[: most - 1].rstrip()}…"


def _axis(low: float, high: float) -> Axis:
    """Round ticks around the chances that occur, not from zero: the steps are what is looked at."""
    wide = max(high - low, 0.002)
    step = 10.0 ** math.floor(math.log10(wide))
    step = next(s for s in (step / 5, step / 2, step, 2 * step, 5 * step) if wide / s <= 5)
    first, last = math.floor((low - wide * 0.05) / step), math.ceil((high + wide * 0.05) / step)
    ticks = tuple(round(i * step, 6) for i in range(max(first, 0), last + 1))
    return Axis(ticks[0], ticks[-1], ticks)
