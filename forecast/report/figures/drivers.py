"""The drivers with their measurements and simulated futures: leverage and its checks, overdose deaths, opposition, mobilisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from forecast.domain import CHANNELS
from forecast.formatting import capital, count, day_words, month_before, month_words, number, percent, year_of
from forecast.report.figures.svg_export import WIDTH, Margin, colour, field, fixed, framed, unscaled, values
from forecast.report.figures.time_axis import Series, band, fan, left_axis, line, note, origin_rule, years
from forecast.report.tables import Row, Table, table

if TYPE_CHECKING:
    from forecast.report.models.base import Fan
    from forecast.report.models.report import Report

MARGIN: Final = Margin(left=34, right=8, top=10, bottom=24)
TINTS: Final = {"economic": "two", "security": "four", "diplomatic": "three"}
"""Colours of the channels, in the order in which they are stacked."""
WORDINGS: Final = {
    "force_unqualified": ("one", "circle", "US forces"),
    "force_unilateral": ("two", "triangle-up", "…acting alone"),
    "force_coordinated": ("three", "square", "…coordinated"),
    "agents": ("four", "diamond", "US agents"),
}


def known(*series: Series) -> list[float]:
    """The values that are there."""
    return [v for one in series for v in one if v is not None]


def _halves(high: float) -> list[float]:
    return [t / 2 for t in range(int(high * 2) + 1)]


def leverage_chart(report: Report) -> Any:
    """What each channel of pressure adds, stacked; 1 is the mean of the months its scale was frozen on."""
    import altair as alt

    d = report.drivers.leverage
    high = max([*known(d.value, d.future.q90), 1.2]) * 1.08
    x, y = years(report), left_axis(0, high, _halves(high))
    floor, layers = [0.0] * len(d.months), []
    for channel, name in TINTS.items():
        top = [a + (b or 0.0) for a, b in zip(floor, getattr(d.by_channel, channel), strict=True)]
        layers.append(band(d.months, floor, top, x, y, name, 0.6))
        floor = top
    legend = [{"x": 8, "y": 14 + 16 * i, "t": f"■ {channel}", "c": colour(name)} for i, (channel, name) in enumerate(TINTS.items())]
    text = alt.Chart(values(legend)).mark_text()
    layers += [
        line(d.months, d.value, x, y, "ink", strokeWidth=1.25),
        *fan(d.future, x, y, "ink"),
        origin_rule(report, x),
        text.encode(x=unscaled("X", "x:Q"), y=unscaled("Y", "y:Q"), text=field("Text", "t:N"), color=unscaled("Color", "c:N")),
    ]
    return framed(layers, 190, MARGIN)


def leverage_table(report: Report) -> Table:
    d = report.drivers.leverage
    rows: list[Row] = [
        [m, number(d.value[i]), *(number(getattr(d.by_channel, channel)[i]) for channel in CHANNELS)] for i, m in enumerate(d.months)
    ]
    f = d.future
    rows += [
        [f"{m} (simulated)", f"{number(f.q50[i])} ({number(f.q10[i])} to {number(f.q90[i])})", *([None] * len(CHANNELS))]
        for i, m in enumerate(f.months)
    ]
    return table(["Month", "Leverage", *(capital(c) for c in CHANNELS)], rows, range(1, len(CHANNELS) + 2))


def checks_chart(report: Report) -> Any:
    """Series that leverage is set beside, each scaled to its own range, one row a series."""
    import altair as alt

    d = report.drivers.leverage
    checked = [(f"{capital(c.name)}, correlation {number(c.correlation)}", c.months, c.value) for c in d.checks]
    step, tall, x, y = 62, 34, years(report), unscaled("Y", "y:Q")
    layers: list[Any] = []
    for i, (title, months, value) in enumerate([("Leverage", d.months, d.value), *checked]):
        low, high = min(known(value)), max(known(value))
        floor = step * (i + 1) - 4
        rows = [
            {"x": year_of(m), "y": None if v is None else floor - tall * (v - low) / (high - low or 1)}
            for m, v in zip(months, value, strict=True)
        ]
        shown = alt.Chart(values(rows)).mark_line(color=colour("one" if i else "ink"), strokeWidth=1.25)
        label = alt.Chart(values([{"y": floor - tall - 12, "t": title}])).mark_text(color=colour("soft"))
        layers += [shown.encode(x=x, y=y), label.encode(x=fixed("X", -12), y=y, text=field("Text", "t:N"))]
    return framed(layers, step * (1 + len(checked)), Margin(left=16, right=8, top=4, bottom=24))


def checks_table(report: Report) -> Table:
    d = report.drivers.leverage
    by_month = [dict(zip(c.months, c.value, strict=True)) for c in d.checks]
    rows = [[m, number(d.value[i]), *(number(value.get(m)) for value in by_month)] for i, m in enumerate(d.months)]
    names = [f"{capital(c.name)} (correlation {number(c.correlation)})" for c in d.checks]
    return table(["Month", "Leverage", *names], rows, range(1, len(names) + 2))


def overdoses_chart(report: Report) -> Any:
    """Deaths a month: final counts as dots, the estimate and its band, provisional totals spread over their twelve months, the future."""
    import altair as alt

    d = report.drivers.overdoses
    high = max(known(d.q90, d.future.q90, [f.deaths for f in d.final])) * 1.04
    step = next(s for s in (50, 100, 200, 500, 1000, 2000, 5000, 10**9) if high / s <= 5)
    ticks = [step * i for i in range(int(high / step) + 1)]
    x, y = years(report), left_axis(0, high, ticks, "replace(format(datum.value, ','), ',', ' ')")
    final = [{"x": year_of(f.month), "y": f.deaths} for f in d.final]
    spans = [
        {"x": year_of(month_before(p.period_end, 11)) - 1 / 24, "x2": year_of(p.period_end) + 1 / 24, "y": total / 12}
        for p in d.provisional
        if (total := p.predicted or p.reported)
    ]
    at = year_of(report.history.months[0]) + 0.4
    layers = [
        band(d.months, d.q10, d.q90, x, y, "one", 0.25),
        line(d.months, d.q50, x, y, "one"),
        *fan(d.future, x, y, "one"),
        alt.Chart(values(final or [{}])).mark_point(filled=True, size=9, color=colour("ink"), opacity=0.55).encode(x=x, y=y),
        alt.Chart(values(spans or [{}])).mark_rule(color=colour("two"), strokeWidth=1.75).encode(x=x, x2=field("X2", "x2:Q"), y=y),
        origin_rule(report, x),
        note("● final count", at, 12, x, "ink"),
        note("— estimate, 80 % band", at, 28, x, "one"),
        note("— provisional total ÷ 12", at, 44, x, "two"),
    ]
    return framed(layers, 210, Margin(left=42, right=8, top=10, bottom=24))


def overdoses_table(report: Report) -> Table:
    d = report.drivers.overdoses
    final = {f.month: f.deaths for f in d.final}
    rows: list[Row] = [(m, count(final.get(m)), *_band(d, i)) for i, m in enumerate(d.months)]
    rows += [(f"{m} (simulated)", None, *_band(d.future, i)) for i, m in enumerate(d.future.months)]
    return table(("Month", "Final count", "Estimate 10 %", "50 %", "90 %"), rows, range(1, 5))


def _band(series: Fan, i: int) -> list[str]:
    return [count(q[i]) for q in (series.q10, series.q50, series.q90)]


def provisional_table(report: Report) -> Table:
    rows = [
        (f"12 months to {month_words(p.period_end)}", day_words(p.published), count(p.reported), count(p.predicted))
        for p in report.drivers.overdoses.provisional
    ]
    return table(("Period", "Published", "Reported", "Predicted"), rows, (2, 3))


def opposition_chart(report: Report) -> Any:
    """The share opposed to US force, with each poll by its wording, and the years without one shaded."""
    import altair as alt

    d, height = report.drivers.opposition, 230
    low = max(0.0, int(min(known(d.q10, d.future.q10, [p.share for p in d.polls])) * 10) / 10)
    ticks = [t / 10 for t in range(int(low * 10), 11, 2)]
    x, y = years(report), left_axis(low, 1, ticks, "format(datum.value * 100, '~g') + ' %'")
    layers: list[Any] = []
    if d.gap:
        start, end = year_of(d.gap.start), year_of(d.gap.end)
        shaded = alt.Chart(values([{"x": start, "x2": end}])).mark_rect(color=colour("line"), opacity=0.55)
        layers.append(shaded.encode(x=x, x2=field("X2", "x2:Q")))
        layers.append(note("no poll on force", (start + end) / 2, height - 12, x, align="center", fontStyle="italic"))
    layers += [band(d.months, d.q10, d.q90, x, y, "one"), line(d.months, d.q50, x, y, "one"), *fan(d.future, x, y, "one")]
    first = year_of(report.history.months[0])
    present = [w for w in WORDINGS if any(p.wording == w for p in d.polls)]
    for w in present:
        rows = [{"x": year_of(p.date), "y": p.share} for p in d.polls if p.wording == w and year_of(p.date) >= first]
        layers.append(alt.Chart(values(rows or [{}])).mark_point(**_poll_mark(w)).encode(x=x, y=y))
    layers += [*_wording_key(present), origin_rule(report, x)]
    return framed(layers, height, Margin(left=40, right=8, top=48, bottom=24))


def _poll_mark(wording: str) -> dict[str, Any]:
    tint, shape, _ = WORDINGS[wording]
    return {"shape": shape, "size": 38, "strokeWidth": 1.25, "fill": colour("paper"), "stroke": colour(tint), "opacity": 1}


def _wording_key(present: list[str]) -> list[Any]:
    import altair as alt

    columns, top = 2, -36
    across = (WIDTH - 48) / columns
    pixels = {"x": unscaled("X", "x:Q"), "y": unscaled("Y", "y:Q")}
    out: list[Any] = []
    for i, w in enumerate(present):
        tint, _, title = WORDINGS[w]
        row = values([{"x": 5 + across * (i % columns), "y": top + 17 * (i // columns), "t": title}])
        out.append(alt.Chart(row).mark_point(**_poll_mark(w)).encode(**pixels))
        out.append(alt.Chart(row).mark_text(dx=9, color=colour(tint)).encode(text=field("Text", "t:N"), **pixels))
    return out


def mobilisation_chart(report: Report) -> Any:
    """The strength of mobilisation against US pressure by month."""
    d = report.drivers.opposition.mobilisation
    high = max([*known(d.value), 1.0]) * 1.08
    x, y = years(report), left_axis(0, high, _halves(high))
    return framed([band(d.months, [0.0] * len(d.months), d.value, x, y, "three", 0.55)], 90, MARGIN)


def opposition_table(report: Report) -> Table:
    d = report.drivers.opposition
    mobilised = dict(zip(d.mobilisation.months, d.mobilisation.value, strict=True))
    rows: list[Row] = [
        (m, percent(d.q10[i]), percent(d.q50[i]), percent(d.q90[i]), number(mobilised.get(m))) for i, m in enumerate(d.months)
    ]
    f = d.future
    rows += [(f"{m} (simulated)", percent(f.q10[i]), percent(f.q50[i]), percent(f.q90[i]), None) for i, m in enumerate(f.months)]
    return table(("Month", "Opposed 10 %", "50 %", "90 %", "Mobilisation"), rows, range(1, 5))


def polls_table(report: Report) -> Table:
    rows = [
        (day_words(p.date), p.pollster, p.wording.replace("_", " "), percent(p.share), count(p.n)) for p in report.drivers.opposition.polls
    ]
    return table(("Date", "Pollster", "Wording", "Opposed", "n"), rows, (3, 4))
