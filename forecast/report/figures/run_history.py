"""The headline of the published runs over time, and beneath it what each was the first to be made from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from forecast.formatting import MONTHS, plain_percent
from forecast.report.figures.dot_plot import percent_axis
from forecast.report.figures.svg_export import WIDTH, Margin, colour, field, fixed, framed, unscaled, values
from forecast.report.figures.time_axis import spread

if TYPE_CHECKING:
    from forecast.report.run_index import RunSummary


GAP: Final = 13
"""Pixels that two runs lie apart at least."""

LANE: Final = 17

LABEL: Final = 82
"""Pixels that the date of a run takes."""

KINDS: Final = {"data": "three", "priors": "two", "model": "four", "settings": "soft"}
"""What may have changed, and its colour."""

PLOT: Final = 190

MAX_RUNS: Final = (WIDTH - 92) // GAP + 1
"""How many runs the chart has room for."""


def headlines_chart(runs: Sequence[RunSummary]) -> Any:
    """One dot a published run over its interval, at the time it was made; diamonds where data, priors, model or settings are new.

    `runs` are oldest first, all with a probability. Runs made shortly after each other are moved apart; the newest are shown where not
    all have room.
    """
    import altair as alt

    shown = list(runs)[-MAX_RUNS:]
    margin = Margin(left=54, right=38, top=10, bottom=6)
    inner = WIDTH - margin.left - margin.right
    places = apart([run.created for run in shown], inner)
    lanes = [kind for kind in KINDS if any(c.kind == kind for run in shown for c in run.changes)]
    labels_at = PLOT + (24 if lanes else 16) + LANE * len(lanes)
    axis = percent_axis(max(run.interval[1] if run.interval else run.probability or 0 for run in shown))
    x, lane = unscaled("X", "x:Q"), unscaled("Y", "y:Q")
    scale = alt.Scale(domain=[axis.low, axis.high], range=[PLOT, 0], nice=False, zero=False)
    y_axis = alt.Axis(values=list(axis.ticks), labelExpr="format(datum.value * 100, '~g') + ' %'", grid=True)
    y = alt.Y("y:Q", scale=scale, axis=y_axis)
    dots = [{"x": place, "y": run.probability} for place, run in zip(places, shown, strict=True)]
    bars = [{"x": place, "y": run.interval[0], "y2": run.interval[1]} for place, run in zip(places, shown, strict=True) if run.interval]
    steps = [*dots, {"x": inner, "y": dots[-1]["y"]}]
    marks: list[dict[str, Any]] = [
        {"x": place, "y": PLOT + 18 + LANE * lanes.index(kind), "c": colour(KINDS[kind])}
        for place, run in zip(places, shown, strict=True)
        for kind in dict.fromkeys(c.kind for c in run.changes)
    ]
    layers: list[Any] = [alt.Chart(values([{"y": 0}])).mark_rule(color=colour("faint")).encode(y=y)]
    rules = [{"x": place} for place in sorted({m["x"] for m in marks})]
    if rules:
        dotted = alt.Chart(values(rules)).mark_rule(color=colour("line"), strokeDash=[2, 3])
        layers.append(dotted.encode(x=x, y=fixed("Y", 0), y2=fixed("Y2", labels_at - 10)))
    if bars:
        layers.append(
            alt.Chart(values(bars))
            .mark_rule(color=colour("one"), strokeWidth=5, strokeCap="round", opacity=0.3)
            .encode(x=x, y=y, y2=field("Y2", "y2:Q"))
        )
    layers += [
        alt.Chart(values(steps)).mark_line(color=colour("one"), strokeWidth=1.5, interpolate="step-after").encode(x=x, y=y),
        alt.Chart(values(dots)).mark_point(color=colour("one"), filled=True, size=64, opacity=1).encode(x=x, y=y),
        alt.Chart(values([{"t": plain_percent(shown[-1].probability), "y": dots[-1]["y"]}]))
        .mark_text(color=colour("one"), fontWeight="bold", dx=8)
        .encode(x=fixed("X", inner), y=y, text=field("Text", "t:N")),
    ]
    if marks:
        titles = [{"y": PLOT + 18 + LANE * i, "t": kind, "c": colour(KINDS[kind])} for i, kind in enumerate(lanes)]
        tint = unscaled("Color", "c:N")
        layers += [
            alt.Chart(values(titles))
            .mark_text(align="left")
            .encode(x=fixed("X", -margin.left), y=lane, text=field("Text", "t:N"), color=tint),
            alt.Chart(values(marks)).mark_point(shape="diamond", filled=True, size=58, opacity=1).encode(x=x, y=lane, color=tint),
        ]
    dates = _dates(shown, places, inner)
    layers.append(
        alt.Chart(values([{**d, "y": labels_at} for d in dates]))
        .mark_text(color=colour("soft"), align="center")
        .encode(x=x, y=lane, text=field("Text", "t:N"))
    )
    return framed(layers, labels_at + 8, margin)


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
    return [{"x": min(max(places[i], half - 48), width + 32 - half), "t": t} for i, t in zip(chosen, texts, strict=True)]


def _day(time: datetime) -> str:
    return f"{time.day} {MONTHS[time.month - 1][:3]} {time.year}"
