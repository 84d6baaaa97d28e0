"""The headline of the published runs over time, and beneath it what each was the first to be made from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from forecast.formatting import MONTHS, plain_percent
from forecast.report.figures.dot_plot import percent_axis
from forecast.report.figures.plot import AxisScale, Margin, Plot, Size, Tint, mark, percent_tick
from forecast.report.figures.time_axis import spread

if TYPE_CHECKING:
    from forecast.report.run_index import RunSummary


GAP: Final = 13
"""Pixels that two runs lie apart at least."""

LANE: Final = 17

LABEL: Final = 82
"""Pixels that the date of a run takes."""

KINDS: Final[dict[str, Tint]] = {"data": "three", "priors": "two", "model": "four", "settings": "soft"}
"""What may have changed, and its colour."""

PLOT: Final = 190


def max_runs(size: Size) -> int:
    """How many runs the chart has room for."""
    return int((size.width - 92) / GAP) + 1


def headlines_chart(runs: Sequence[RunSummary], size: Size) -> Plot:
    """One dot a published run over its interval, at the time it was made; diamonds where data, priors, model or settings are new.

    `runs` are oldest first, all with a probability. Runs made shortly after each other are moved apart; the newest are shown where not
    all have room.
    """
    shown = list(runs)[-max_runs(size) :]
    margin = Margin(left=54, right=38, top=10, bottom=6)
    inner = size.width - margin.left - margin.right
    places = apart([run.created for run in shown], inner)
    lanes = [kind for kind in KINDS if any(c.kind == kind for run in shown for c in run.changes)]
    labels_at = PLOT + (24 if lanes else 16) + LANE * len(lanes)
    axis = percent_axis(max(run.interval[1] if run.interval else run.probability or 0 for run in shown))
    y = AxisScale(axis.low, axis.high, axis.ticks, percent_tick, length=PLOT)
    dots: list[dict[str, Any]] = [{"x": place, "y": run.probability} for place, run in zip(places, shown, strict=True)]
    bars = [{"x": place, "y": run.interval[0], "y2": run.interval[1]} for place, run in zip(places, shown, strict=True) if run.interval]
    steps = [*dots, {"x": inner, "y": dots[-1]["y"]}]
    diamonds = [
        {"x": place, "y": PLOT + 18 + LANE * lanes.index(kind), "fill": KINDS[kind]}
        for place, run in zip(places, shown, strict=True)
        for kind in dict.fromkeys(c.kind for c in run.changes)
    ]
    rules = [{"x": place, "y": 0, "y2": labels_at - 10} for place in sorted({d["x"] for d in diamonds})]
    titles = [{"x": -margin.left, "y": PLOT + 18 + LANE * i, "text": kind, "fill": KINDS[kind]} for i, kind in enumerate(lanes)]
    now = {"x": inner, "y": dots[-1]["y"], "text": plain_percent(shown[-1].probability)}
    dates = [{**d, "y": labels_at} for d in _dates(shown, places, inner)]
    marks = [
        mark("rule", [{"y": 0}], None, y, stroke="faint"),
        mark("rule", rules, stroke="line", dash=(2, 3)),
        mark("rule", bars, None, y, stroke="one", width=5, cap="round", opacity=0.3),
        mark("line", steps, None, y, stroke="one", width=1.5, step=True),
        mark("point", dots, None, y, fill="one", size=64),
        mark("text", [now], None, y, fill="one", bold=True, dx=8),
        mark("text", titles),
        mark("point", diamonds, shape="diamond", size=58),
        mark("text", dates, fill="soft", align="center"),
    ]
    return Plot(marks, size, labels_at + 8, margin)


def apart(times: Sequence[datetime], width: float) -> list[float]:
    """Where on a line of `width` pixels each time lies: true to time, but no two nearer than `GAP`. One alone stands at the right.

    In order of time; with more than `width / GAP + 1` of them the first fall off at the left.
    """
    if not times:
        return []
    whole = (times[-1] - times[0]).total_seconds() or 1.0
    return spread([width * (1 - (times[-1] - time).total_seconds() / whole) for time in times], GAP, width)


def _dates(shown: Sequence[RunSummary], places: Sequence[float], width: float) -> list[dict[str, Any]]:
    """Dates under the runs, from the newest back, as many as have room; the time of day where the label to the left has the same day."""
    chosen: list[int] = []
    for i in reversed(range(len(shown))):
        if not chosen or places[i] <= places[chosen[-1]] - LABEL:
            chosen.append(i)
    chosen.reverse()
    texts = [_day(shown[i].created) for i in chosen]
    for k, (a, b) in enumerate(pairwise(chosen), 1):
        if shown[a].created.date() == shown[b].created.date():
            texts[k] = f"{shown[b].created:%H:%M}"
    half = LABEL / 2 - 6
    return [{"x": min(max(places[i], half - 48), width + 32 - half), "text": t} for i, t in zip(chosen, texts, strict=True)]


def _day(time: datetime) -> str:
    return f"{time.day} {MONTHS[time.month - 1][:3]} {time.year}"
