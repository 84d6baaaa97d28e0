"""The drivers with their measurements and simulated futures: leverage and its checks, overdose deaths, opposition, mobilisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.report.charts.svg import Margin, Size, colour, framed, unscaled, values
from forecast.report.charts.time import band, fan, left_axis, line, note, origin_rule, years
from forecast.report.words import capital, month_before, number, year_of

Report = Mapping[str, Any]
MARGIN = Margin(left=34, right=8, top=10, bottom=24)
CHANNELS = {"economic": "two", "security": "four", "diplomatic": "three"}
WORDINGS = {
    "force_unqualified": ("one", "circle", "US forces"),
    "force_unilateral": ("two", "triangle-up", "…acting alone"),
    "force_coordinated": ("three", "square", "…coordinated"),
    "agents": ("four", "diamond", "US agents"),
}


def leverage(report: Report, size: Size) -> Any:
    """What each channel of pressure adds, stacked; 1 is the mean of the months its scale was frozen on."""
    import altair as alt

    d = report["drivers"]["leverage"]
    high = max([*d["value"], *d["future"]["q90"], 1.2]) * 1.08
    x, y = years(report, size), left_axis("y", 0, high, [t / 2 for t in range(int(high * 2) + 1)])
    floor, layers = [0.0] * len(d["months"]), []
    for channel, name in CHANNELS.items():
        top = [a + b for a, b in zip(floor, d["by_channel"][channel], strict=True)]
        layers.append(band(d["months"], floor, top, x, y, name, 0.6))
        floor = top
    layers.append(line(d["months"], d["value"], x, y, "ink", strokeWidth=1.25))
    layers += fan(d["future"], x, y, "ink")
    layers += origin_rule(report, x)
    height = 190
    legend = [{"x": 8, "y": 14 + 16 * i, "t": f"■ {channel}", "c": colour(name)} for i, (channel, name) in enumerate(CHANNELS.items())]
    text = alt.Chart(values(legend)).mark_text().encode(
        x=unscaled("X", "x:Q"), y=unscaled("Y", "y:Q"), text="t:N", color=unscaled("Color", "c:N")
    )  # fmt: skip
    return framed([*layers, text], size, height, MARGIN)


def checks(report: Report, size: Size) -> Any:
    """Series that leverage is set beside, each scaled to its own range, one strip a series."""
    import altair as alt

    d = report["drivers"]["leverage"]
    series = [("leverage", d["months"], d["value"], None), *((c["name"], c["months"], c["value"], c["correlation"]) for c in d["checks"])]
    step, tall, x = 62, 34, years(report, size)
    layers: list[Any] = []
    for i, (name, months, value, r) in enumerate(series):
        known = [v for v in value if v is not None]
        low, high = min(known), max(known)
        floor = step * (i + 1) - 4
        rows = [
            {"x": year_of(m), "y": None if v is None else floor - tall * (v - low) / (high - low or 1)}
            for m, v in zip(months, value, strict=True)
        ]
        shown = alt.Chart(values(rows)).mark_line(color=colour("ink" if r is None else "one"), strokeWidth=1.25)
        layers.append(shown.encode(x=x, y=unscaled("Y", "y:Q")))
        title = "Leverage" if r is None else f"{capital(name)}, correlation {number(r)}"
        label = alt.Chart(values([{"y": floor - tall - 12, "t": title}])).mark_text(color=colour("soft"))
        layers.append(label.encode(x=alt.value(-12), y=unscaled("Y", "y:Q"), text="t:N"))
    return framed(layers, size, step * len(series), Margin(left=16, right=8, top=4, bottom=24))


def overdoses(report: Report, size: Size) -> Any:
    """Deaths a month: final counts as dots, the estimate and its band, provisional totals spread over their twelve months, the future."""
    import altair as alt

    d = report["drivers"]["overdoses"]
    known = [v for v in [*d["q90"], *d["future"]["q90"], *(f["deaths"] for f in d["final"])] if v is not None]
    high = max(known) * 1.04
    step = next(s for s in (50, 100, 200, 500, 1000, 2000, 5000, 10**9) if high / s <= 5)
    x, y = (
        years(report, size),
        left_axis("y", 0, high, [step * i for i in range(int(high / step) + 1)], "replace(format(datum.value, ','), ',', ' ')"),
    )
    final = [{"x": year_of(f["month"]), "y": f["deaths"]} for f in d["final"]]
    spans = [
        {"x": year_of(month_before(p["period_end"], 11)) - 1 / 24, "x2": year_of(p["period_end"]) + 1 / 24, "y": total / 12}
        for p in d["provisional"]
        if (total := p["predicted"] or p["reported"])
    ]
    layers = [
        band(d["months"], d["q10"], d["q90"], x, y, "one", 0.25),
        line(d["months"], d["q50"], x, y, "one"),
        *fan(d["future"], x, y, "one"),
        alt.Chart(values(final or [{}])).mark_point(filled=True, size=9, color=colour("ink"), opacity=0.55).encode(x=x, y=y),
        alt.Chart(values(spans or [{}])).mark_rule(color=colour("two"), strokeWidth=1.75).encode(x=x, x2="x2:Q", y=y),
        *origin_rule(report, x),
    ]
    at = year_of(report["history"]["months"][0]) + 0.4
    layers += [
        note("● final count", at, 12, x, "ink"),
        note("— estimate, 80 % band", at, 28, x, "one"),
        note("— provisional total ÷ 12", at, 44, x, "two"),
    ]
    return framed(layers, size, 210, Margin(left=42, right=8, top=10, bottom=24))


def opposition(report: Report, size: Size) -> Any:
    """The share opposed to US force, with each poll by its wording, and the years without one shaded."""
    import altair as alt

    d = report["drivers"]["opposition"]
    known = [*d["q10"], *d["future"]["q10"], *(p["share"] for p in d["polls"])]
    low = max(0.0, int(min(v for v in known if v is not None) * 10) / 10)
    x, y = (
        years(report, size),
        left_axis("y", low, 1, [t / 10 for t in range(int(low * 10), 11, 2)], "format(datum.value * 100, '~g') + ' %'"),
    )
    layers: list[Any] = []
    height = 230
    if d["gap"]:
        gap = {"x": year_of(d["gap"]["start"]), "x2": year_of(d["gap"]["end"])}
        layers.append(alt.Chart(values([gap])).mark_rect(color=colour("line"), opacity=0.55).encode(x=x, x2="x2:Q"))
        layers.append(note("no poll on force", (gap["x"] + gap["x2"]) / 2, height - 12, x, align="center", fontStyle="italic"))
    layers += [band(d["months"], d["q10"], d["q90"], x, y, "one"), line(d["months"], d["q50"], x, y, "one"), *fan(d["future"], x, y, "one")]
    first = year_of(report["history"]["months"][0])
    present = [w for w in WORDINGS if any(p["wording"] == w for p in d["polls"])]
    for w in present:
        name, shape, _ = WORDINGS[w]
        rows = [{"x": year_of(p["date"]), "y": p["share"]} for p in d["polls"] if p["wording"] == w and year_of(p["date"]) >= first]
        marks = alt.Chart(values(rows or [{}])).mark_point(
            shape=shape, size=38, strokeWidth=1.25, fill=colour("paper"), stroke=colour(name), opacity=1
        )
        layers.append(marks.encode(x=x, y=y))
    layers += _wording_key(present, size, height)
    layers += origin_rule(report, x)
    return framed(layers, size, height, Margin(left=40, right=8, top=30 if not size.phone else 48, bottom=24))


def _wording_key(present: list[str], size: Size, height: int) -> list[Any]:
    import altair as alt

    columns = 2 if size.phone else 4
    across = (size.width - 48) / columns
    out: list[Any] = []
    for i, w in enumerate(present):
        name, shape, title = WORDINGS[w]
        row = [{"x": 5 + across * (i % columns), "y": (-18 if not size.phone else -36) + 17 * (i // columns), "t": title}]
        pixels = {"x": unscaled("X", "x:Q"), "y": unscaled("Y", "y:Q")}
        out.append(
            alt.Chart(values(row))
            .mark_point(shape=shape, size=38, strokeWidth=1.25, stroke=colour(name), fill=colour("paper"), opacity=1)
            .encode(**pixels)
        )
        out.append(alt.Chart(values(row)).mark_text(dx=9, color=colour(name)).encode(text="t:N", **pixels))
    return out


def mobilisation(report: Report, size: Size) -> Any:
    """The strength of mobilisation against US pressure by month."""
    d = report["drivers"]["opposition"]["mobilisation"]
    high = max([*d["value"], 1.0]) * 1.08
    x, y = years(report, size), left_axis("y", 0, high, [t / 2 for t in range(int(high * 2) + 1)])
    return framed([band(d["months"], [0.0] * len(d["months"]), d["value"], x, y, "three", 0.55)], size, 90, MARGIN)
