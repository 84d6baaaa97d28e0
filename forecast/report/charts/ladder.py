"""The ladder over the horizons, and what was asked of Mexico and what it answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.domain import LEVELS
from forecast.report.charts.svg import Margin, Size, colour, framed, unscaled, values
from forecast.report.charts.time import spread, years
from forecast.report.words import plain_percent, year_of

Report = Mapping[str, Any]
ANSWERS = {"granted": ("one", "circle"), "refused": ("two", "cross"), "mixed": ("three", "diamond"), "open": ("soft", "circle")}


def horizons(report: Report, size: Size) -> Any:
    """How the chance of each step that is not near certain grows with the horizon."""
    import altair as alt

    lines = []
    for kind, sign in (("reached_by", "or above"), ("fallen_to", "or below")):
        for level in range(len(LEVELS)):
            points = {q["horizon_months"]: q["probability"] for q in report["questions"] if q["kind"] == kind and q["level"] == level}
            if len(points) > 1 and min(points.values()) < 0.9:
                lines.append((level, f"{level} {sign}", kind, sorted(points.items())))
    if not lines:
        return framed([alt.Chart(values([{}])).mark_point(color=colour("ink"))], size, 10)
    height, right = 260, 118 if size.phone else 215
    top = min(1.0, max(p for *_, pts in lines for _, p in pts) * 1.08)
    hs = sorted({h for *_, pts in lines for h, _ in pts})
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[hs[0] - 1, hs[-1]], nice=False),
        axis=alt.Axis(
            values=hs, labelExpr=f"datum.value == {hs[-1]} ? '{hs[-1]} months' : datum.value", grid=False, labelOverlap=False, ticks=True
        ),
    )
    step = 0.1 if top <= 0.5 else 0.2
    axis = alt.Axis(values=[step * i for i in range(int(top / step) + 1)], labelExpr="format(datum.value * 100, '~g') + ' %'", grid=True)
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=axis)
    wanted = [height * (1 - pts[-1][1] / top) for *_, pts in lines]
    layers: list[Any] = []
    for (level, title, kind, pts), at in zip(lines, spread(wanted, 17), strict=True):
        name = "one" if kind == "reached_by" else "two"
        main = kind == "reached_by" and level == 4
        rows = [{"x": h, "y": p} for h, p in pts]
        dash = [1, 0] if kind == "reached_by" else [4, 3]
        layers.append(
            alt.Chart(values(rows)).mark_line(color=colour(name), strokeWidth=2.75 if main else 1.5, strokeDash=dash).encode(x=x, y=y)
        )
        layers.append(alt.Chart(values(rows)).mark_point(color=colour(name), filled=True, size=34, opacity=1).encode(x=x, y=y))
        words = f"{plain_percent(pts[-1][1])}  {title}" + ("" if size.phone else f", {LEVELS[level]}")
        text = alt.Chart(values([{"t": words}])).mark_text(color=colour(name), fontWeight="bold" if main else "normal", dx=8)
        layers.append(text.encode(x=alt.value(size.width - 42 - right), y=alt.value(min(max(at, 6), height - 6)), text="t:N"))
    return framed(layers, size, height, Margin(left=42, right=right, top=8, bottom=24))


def answers(report: Report, size: Size) -> Any:
    """Each episode at the level asked for and the time of its answer."""
    import altair as alt

    x = years(report, size)
    y = alt.Y("y:Q", scale=alt.Scale(domain=[-0.5, 5.5], nice=False), axis=None)
    rungs = [{"y": k, "t": f"{k} {name}"} for k, name in enumerate(LEVELS)]
    layers: list[Any] = [
        alt.Chart(values(rungs)).mark_rule(color=colour("line")).encode(y=y),
        alt.Chart(values(rungs)).mark_text(color=colour("soft"), dy=-8, fontSize=size.text - 0.5).encode(x=alt.value(-12), y=y, text="t:N"),
    ]
    key = []
    for i, (answer, (name, shape)) in enumerate(ANSWERS.items()):
        rows = [
            {"x": year_of(e["last"]), "y": e["level"]} for e in report["asked_answered"] if e["answer"] == answer and e["level"] is not None
        ]
        hollow = answer in ("open", "mixed")
        style: dict[str, Any] = {
            "shape": shape,
            "size": 80,
            "stroke": colour(name),
            "fill": colour("paper" if hollow else name),
            "opacity": 0.85,
            "strokeWidth": 1.5,
        }
        if rows:
            layers.append(alt.Chart(values(rows)).mark_point(**style).encode(x=x, y=y))
        pixels = {"x": unscaled("X", "px:Q"), "y": unscaled("Y", "py:Q")}
        at = [{"px": 6 + i * (size.width - 20) / 4, "py": -14, "t": answer}]
        key += [
            alt.Chart(values(at)).mark_point(**style).encode(**pixels),
            alt.Chart(values(at)).mark_text(dx=10, color=colour(name)).encode(text="t:N", **pixels),
        ]
    return framed([*layers, *key], size, 32 * len(LEVELS), Margin(left=16, right=8, top=28, bottom=24))
