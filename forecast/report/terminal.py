"""The headline in a terminal: plain text, no wider than asked for."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from forecast.report import sentences, what_moved, words
from forecast.report.tables import chances
from forecast.report.tables.table import Table

Report = Mapping[str, Any]


def headline_table(report: Report, width: int = 80) -> str:
    """The headline sentence, the ladder by horizon, readings, what moves it most, gate and freshness; lines of at most `width` columns.

    A width below 50 counts as 50.
    """
    width = max(width, 50)
    parts = [
        *_banners(report, width),
        _wrapped(report["sentences"]["headline_long"], width),
        aligned(chances.ladder_short(report), width),
        _readings(report, width),
        _multiverse(report, width),
        _moved(report, width),
        _state(report, width),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _banners(report: Report, width: int) -> list[str]:
    out = []
    if report["diagnostics"]["status"] != "pass":
        out.append(_wrapped(f"THE GATE REFUSED THIS FIT: {'; '.join(report['diagnostics']['reasons'])}", width))
    if report["stale"]:
        out.append(_wrapped(f"STALE: it knows nothing after {words.month_words(report['origin'])}.", width))
    if report["as_of"]:
        out.append(f"As of {words.day_words(report['as_of'])}: only what was published by then.")
    return out


def _wrapped(text: str, width: int, indent: str = "") -> str:
    bound = text.replace(" %", "\u00a0%")  # a number and its sign stay on one line
    return textwrap.fill(printable(bound), width, subsequent_indent=indent, break_on_hyphens=False).replace("\u00a0", " ")


def printable(text: str) -> str:
    """Without control characters: what a person typed into a file must not steer the terminal."""
    return "".join(c for c in " ".join(text.split(" ")) if c.isprintable() or c == "\u00a0")


def aligned(t: Table, width: int) -> str:
    rows = [[printable(str(c)) for c in row] for row in (t.columns, *t.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(t.columns))]
    widths[0] = min(widths[0], width - sum(w + 2 for w in widths[1:]))
    lines = [_row(row, widths) for row in rows]
    return "\n".join([lines[0], "─" * min(width, sum(widths) + 2 * (len(widths) - 1)), *lines[1:]])


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = _cut(cells[0], widths[0]).ljust(widths[0])
    return "  ".join([first, *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))]).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _readings(report: Report, width: int) -> str:
    parts = [
        f"{r['name'].replace('_', ' ')} {words.plain_percent(r['headline'])} (weight {words.plain_percent(r['weight'])})"
        for r in report["readings"]
    ]
    return _wrapped(f"Readings: {'; '.join(parts)}.", width, "  ")


def _multiverse(report: Report, width: int, most: int = 4) -> str:
    """The choices that move the main reading furthest."""
    if not report["multiverse"]:
        return ""
    base = report["multiverse"][0]["probability"]
    furthest = sorted(report["multiverse"][1:], key=lambda row: -abs(row["probability"] - base))[:most]
    parts = [f"{row['label']} {words.plain_percent(row['probability'])}" for row in furthest]
    where = f" of {fit}" if (fit := sentences.fit_words(report)) else ""
    return _wrapped(f"Main reading{where} {words.plain_percent(base)}; other choices that move it most: {'; '.join(parts)}.", width, "  ")


def _moved(report: Report, width: int) -> str:
    alarm = what_moved.alarm(report)
    return "\n".join(_wrapped(text, width, "  ") for text in (alarm and f"NOT EXPLAINED: {alarm}", what_moved.summary(report)) if text)


def _state(report: Report, width: int) -> str:
    d = report["diagnostics"]
    late = [f["series"] for f in report["freshness"] if f["status"] == "late"]
    measured = f"R-hat {words.number(d['rhat_max'], 4)}, ESS {words.number(d['ess_bulk_min'])}, divergences {d['divergences']}"
    gate = f"Gate: {d['status']} ({measured})."
    fresh = f"Late: {', '.join(late)}." if late else "All series fresh."
    next_dates = sentences.next_dates(report, 1)
    ahead = f" Next: {next_dates[0]}." if next_dates else ""
    return _wrapped(f"{gate} Known to {words.month_words(report['origin'])}. {fresh}{ahead} Run {report['run_id']}.", width, "  ")
