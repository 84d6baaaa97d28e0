"""Scenarios, what was asked of Mexico and what it answered, what is at stake, and the calendar ahead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from forecast.domain import LEVELS
from forecast.formatting import capital, count, day_words, percent, points, year_of
from forecast.report.figures.dot_plot import Bar, Dot, Row, dot_plot, percent_axis
from forecast.report.figures.svg_export import WIDTH, Margin, colour, field, framed, unscaled, values
from forecast.report.figures.time_axis import level_axis, level_names, years
from forecast.report.tables import Table, interval_cell, table

if TYPE_CHECKING:
    from forecast.report.models.evidence import CalendarEntry, StakeEntry
    from forecast.report.models.report import Report

ANSWERS: Final = {"granted": ("one", "circle"), "refused": ("two", "cross"), "mixed": ("three", "diamond"), "open": ("soft", "circle")}


def scenarios_chart(report: Report) -> Any:
    """Each scenario's chance over its interval, against the forecast's."""
    rows, highest = [], 0.1 if not report.scenarios else 0.0
    for s in sorted(report.scenarios, key=lambda s: -s.probability):
        intervened = s.kind == "intervened"
        low, high = (s.interval.low, s.interval.high) if s.interval else (s.probability, s.probability)
        dot = Dot(s.probability, "two" if intervened else "three", filled=intervened)
        rows.append(Row(s.title, percent(s.probability), (dot,), (Bar(low, high, "faint", 3),)))
        highest = max(highest, high)
    return dot_plot(rows, percent_axis(highest), reference=report.headline_question.probability)


def scenarios_table(report: Report) -> Table:
    rows = [
        (
            s.title, s.kind, percent(s.probability), points(s.difference), interval_cell(s.interval), percent(s.plausibility),
            percent(s.fallen_1_12m),
        )
        for s in sorted(report.scenarios, key=lambda s: -s.probability)
    ]  # fmt: skip
    columns = ("Scenario", "Kind", "Headline", "Points", "Interval", "Plausibility", "Fallen to 1 or below, 12 months")
    return table(columns, rows, range(2, 7))


def scenario_horizons_table(report: Report) -> Table:
    months = sorted({int(h) for s in report.scenarios for h in s.by_horizon})
    rows = [[s.title, *(percent(s.by_horizon.get(str(h))) for h in months)] for s in report.scenarios]
    return table(["Scenario", *(f"{h} months" for h in months)], rows, range(1, len(months) + 1))


def answers_chart(report: Report) -> Any:
    """Each episode at the level asked for and the time of its answer."""
    import altair as alt

    x, y = years(report), level_axis()
    rungs = values([{"y": k} for k in range(len(LEVELS))])
    layers: list[Any] = [alt.Chart(rungs).mark_rule(color=colour("line")).encode(y=y), level_names(y, -12)]
    key: list[Any] = []
    pixels = {"x": unscaled("X", "px:Q"), "y": unscaled("Y", "py:Q")}
    for i, (answer, (name, shape)) in enumerate(ANSWERS.items()):
        rows = [{"x": year_of(e.last), "y": e.level} for e in report.asked_answered if e.answer == answer and e.level is not None]
        style: dict[str, Any] = {
            "shape": shape, "size": 80, "stroke": colour(name), "fill": colour("paper" if answer in ("open", "mixed") else name),
            "opacity": 0.85, "strokeWidth": 1.5,
        }  # fmt: skip
        if rows:
            layers.append(alt.Chart(values(rows)).mark_point(**style).encode(x=x, y=y))
        at = values([{"px": 6 + i * (WIDTH - 20) / 4, "py": -14, "t": answer}])
        key += [
            alt.Chart(at).mark_point(**style).encode(**pixels),
            alt.Chart(at).mark_text(dx=10, color=colour(name)).encode(text=field("Text", "t:N"), **pixels),
        ]
    return framed([*layers, *key], 32 * len(LEVELS), Margin(left=16, right=8, top=28, bottom=24))


def episodes_table(report: Report) -> Table:
    rows = [
        (
            capital(e.what),
            None if e.level is None else f"{e.level} {LEVELS[e.level]}",
            day_words(e.first) if e.first == e.last else f"{day_words(e.first)} – {day_words(e.last)}",
            e.answer,
            ", ".join(e.ids),
        )
        for e in report.asked_answered
    ]
    return table(("Asked", "Kind", "When", "Answer", "Records"), rows)


def concessions_table(report: Report) -> Table:
    rows = [
        (
            day_words(c.date),
            capital(c.what),
            c.response,
            c.response_date and day_words(c.response_date),
            count(c.days),
            ", ".join(id_ for id_ in (c.id, c.response_id) if id_),
        )
        for c in report.concessions
    ]
    return table(("Date", "Conceded", "Washington's answer", "On", "Days", "Records"), rows, (4,))


def concession_counts(report: Report) -> list[tuple[str, int]]:
    """How many concessions Washington answered in each way, in words."""
    words = {"sufficient": "answered as sufficient", "insufficient": "answered as insufficient", "none stated": "without a stated answer"}
    return [(text, sum(c.response == response for c in report.concessions)) for response, text in words.items()]


def stakes_by_side(report: Report) -> dict[str, dict[str, Sequence[StakeEntry]]]:
    """The arguments by side, then gains and costs: both sides, both kinds, in the order of the file."""
    sides = dict.fromkeys(row.side for row in report.stakes)
    kinds = dict.fromkeys(row.kind for row in report.stakes)
    return {side: {kind: [r for r in report.stakes if (r.side, r.kind) == (side, kind)] for kind in kinds} for side in sides}


def acts(entry: CalendarEntry) -> bool:
    """Whether a date does something in the simulation."""
    return entry.effect not in (None, "", "none")


def calendar_table(report: Report) -> Table:
    return _calendar_table(report.calendar)


def next_dates_table(report: Report, most: int = 10) -> Table:
    """The dates that act on the model, and the nearest others but for releases of overdose counts, which come every month."""
    others = [e for e in report.calendar if not acts(e) and e.channel != "overdose"]
    nearest = sorted(others, key=lambda e: year_of(e.date))[:most]
    return _calendar_table(sorted((e for e in report.calendar if acts(e) or e in nearest), key=lambda e: year_of(e.date)))


def _calendar_table(entries: Sequence[CalendarEntry]) -> Table:
    rows = [(day_words(e.date), capital(e.what), e.channel, e.effect if acts(e) else None, percent(e.probability)) for e in entries]
    return table(("Date", "What", "Channel", "Effect in the model", "Probability"), rows, (4,))
