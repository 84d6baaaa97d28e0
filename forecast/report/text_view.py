"""The headline in a terminal: plain text, no wider than asked for."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from forecast.formatting import month_words, number, plain_percent
from forecast.report.figures.attribution import attribution_alarm, attribution_summary
from forecast.report.figures.questions import short_ladder_table
from forecast.report.sentences import banners, fit_words, next_dates
from forecast.report.tables import text_table
from forecast.storage.text import visible

if TYPE_CHECKING:
    from forecast.report.models.report import Report


def render_text(report: Report, width: int = 80) -> str:
    """The headline sentence, the ladder by horizon, readings, what moves it most, gate and freshness; lines of at most `width` columns.

    A width below 50 counts as 50.
    """
    width = max(width, 50)
    alarm, summary = attribution_alarm(report), attribution_summary(report)
    changes = [wrapped(text, width, "  ") for text in (alarm and f"NOT EXPLAINED: {alarm}", summary) if text]
    blocks = [
        *(wrapped(f"{strong.upper()} {text}".strip(), width) for strong, text in banners(report)),
        wrapped(report.sentences.headline_long, width),
        text_table(short_ladder_table(report), width),
        _readings(report, width),
        _multiverse(report, width),
        "\n".join(changes),
        _state(report, width),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def wrapped(text: str, width: int, indent: str = "") -> str:
    """A paragraph in lines of at most `width` columns; a number and its sign stay on one line."""
    bound = text.replace(" %", "\u00a0%")
    return textwrap.fill(visible(bound, line=True), width, subsequent_indent=indent, break_on_hyphens=False).replace("\u00a0", " ")


def _readings(report: Report, width: int) -> str:
    parts = [f"{r.name.replace('_', ' ')} {plain_percent(r.headline)} (weight {plain_percent(r.weight)})" for r in report.readings]
    return wrapped(f"Readings: {'; '.join(parts)}.", width, "  ")


def _multiverse(report: Report, width: int, most: int = 4) -> str:
    """The choices that move the main reading furthest."""
    if not report.multiverse:
        return ""
    published, *others = report.multiverse
    furthest = sorted(others, key=lambda choice: -abs(choice.probability - published.probability))[:most]
    parts = [f"{choice.label} {plain_percent(choice.probability)}" for choice in furthest]
    where = f" of {fit}" if (fit := fit_words(report)) else ""
    return wrapped(
        f"Main reading{where} {plain_percent(published.probability)}; other choices that move it most: {'; '.join(parts)}.", width, "  "
    )


def _state(report: Report, width: int) -> str:
    d = report.diagnostics
    late = [f.series for f in report.freshness if f.status == "late"]
    measured = f"R-hat {number(d.rhat_max, 4)}, ESS {number(d.ess_bulk_min)}, divergences {d.divergences}"
    fresh = f"Late: {', '.join(late)}." if late else "All series are fresh."
    ahead = "".join(f" Next: {date}." for date in next_dates(report, 1))
    return wrapped(
        f"Gate: {d.status} ({measured}). Events read to {month_words(report.origin)}. {fresh}{ahead} Run {report.run_id}.", width, "  "
    )
