"""The ladder's questions and those that resolve often: charts, tables, and how earlier ones did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from forecast.domain import DISPUTED_ACT, LEVELS, PRESSURE_SCALE
from forecast.domain import Question as ForecastQuestion
from forecast.formatting import capital, count, day_words, number, percent, percent_range, plain_percent, points, window_words
from forecast.report.figures.dot_plot import QUARTERS, Bar, Dot, Row, dot_plot, percent_axis
from forecast.report.figures.svg_export import WIDTH, Margin, colour, field, fixed, framed, values
from forecast.report.figures.time_axis import spread
from forecast.report.sentences import choices_of
from forecast.report.tables import Table, interval_cell, table

if TYPE_CHECKING:
    from forecast.report.models.forecast import QuestionEntry
    from forecast.report.models.report import Report

KINDS: Final = {
    "reached_by": ("reached within", "or above"),
    "in_force_at": ("in force at the end of", "or above"),
    "fallen_to": ("fallen to within", "or below"),
}


def headline_chart(report: Report) -> Any:
    """The headline over its interval, and beneath it the prior, the readings and other choices of method."""
    q = report.headline_question
    bars = (Bar(q.interval.low, q.interval.high),) if q.interval else ()
    readings = [r.headline for r in report.readings]
    prior = () if q.prior_probability is None else (Dot(q.prior_probability, "soft", filled=False),)
    rows = [
        Row("The forecast", plain_percent(q.probability), (Dot(q.probability, size=130),), bars, strong=True),
        Row("The prior alone", plain_percent(q.prior_probability), prior),
        _span_row("Readings of the record", readings, "one"),
    ]
    for group, label in (
        (DISPUTED_ACT, "Main reading without the disputed act"),
        (PRESSURE_SCALE, "Main reading, other scales of pressure"),
    ):
        if choices := choices_of(report, group):
            rows.append(_span_row(label, [choice.probability for choice in choices], "two"))
    highest = max([*(bar.high for bar in bars), *(dot.x for row in rows for dot in row.dots)])
    return dot_plot(rows, percent_axis(highest), right=70, reference=q.probability)


def _span_row(label: str, probabilities: list[float], tint: str) -> Row:
    low, high = min(probabilities), max(probabilities)
    return Row(label, percent_range(low, high), tuple(Dot(p, tint) for p in probabilities), (Bar(low, high, tint, 1),))


def headline_table(report: Report) -> Table:
    q = report.headline_question
    readings = [r.headline for r in report.readings]
    interval = f"{plain_percent(q.interval.prob)} interval {interval_cell(q.interval)}" if q.interval else ""
    rows = [
        ("The forecast, all readings weighted", percent(q.probability), interval),
        ("The prior alone", percent(q.prior_probability), ""),
        ("Readings of the record", percent_range(min(readings), max(readings)), ""),
    ]
    for group in (DISPUTED_ACT, PRESSURE_SCALE):
        rows += [(capital(choice.label), percent(choice.probability), "main reading") for choice in choices_of(report, group)]
    return table(("What", "Chance", "Of what"), rows, (1,))


def by_level(report: Report, kind: str) -> list[tuple[int, dict[int, QuestionEntry]]]:
    """The questions of a kind by level, highest first; within a level by horizon in months."""
    levels: dict[int, dict[int, QuestionEntry]] = {}
    for q in report.questions:
        if q.kind == kind and q.level is not None:
            levels.setdefault(q.level, {})[q.horizon_months] = q
    return sorted(levels.items(), reverse=True)


def horizons(report: Report) -> list[int]:
    """The horizons in months that the ladder's questions have."""
    return sorted({q.horizon_months for q in report.questions if q.kind in KINDS})


def horizons_chart(report: Report) -> Any:
    """How the chance of each step that is not near certain grows with the horizon."""
    import altair as alt

    lines = []
    for kind in ("reached_by", "fallen_to"):
        for level, by_horizon in reversed(by_level(report, kind)):
            curve = sorted((h, q.probability) for h, q in by_horizon.items())
            if len(curve) > 1 and min(p for _, p in curve) < 0.9:
                lines.append((level, kind, curve))
    if not lines:
        return framed([alt.Chart(values([{}])).mark_point(color=colour("ink"))], 10)
    height, right = 260, 128
    top = min(1.0, max(p for *_, curve in lines for _, p in curve) * 1.08)
    months = sorted({h for *_, curve in lines for h, _ in curve})
    last = f"datum.value == {months[-1]} ? '{months[-1]} months' : datum.value"
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[months[0] - 1, months[-1]], nice=False),
        axis=alt.Axis(values=months, labelExpr=last, grid=False, labelOverlap=False, ticks=True),
    )
    step = 0.1 if top <= 0.5 else 0.2
    axis = alt.Axis(values=[step * i for i in range(int(top / step) + 1)], labelExpr="format(datum.value * 100, '~g') + ' %'", grid=True)
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=axis)
    ends = [height * (1 - curve[-1][1] / top) for *_, curve in lines]
    layers: list[Any] = []
    for (level, kind, curve), at in zip(lines, spread(ends, 17), strict=True):
        rises, data = kind == "reached_by", values([{"x": h, "y": p} for h, p in curve])
        tint, main = colour("one" if rises else "two"), rises and level == report.headline_question.level
        mark = alt.Chart(data).mark_line(color=tint, strokeWidth=2.75 if main else 1.5, strokeDash=[1, 0] if rises else [4, 3])
        words = f"{plain_percent(curve[-1][1])}  {level} {KINDS[kind][1]}"
        text = alt.Chart(values([{"t": words}])).mark_text(color=tint, fontWeight="bold" if main else "normal", dx=8)
        layers += [
            mark.encode(x=x, y=y),
            alt.Chart(data).mark_point(color=tint, filled=True, size=34, opacity=1).encode(x=x, y=y),
            text.encode(x=fixed("X", WIDTH - 42 - right), y=fixed("Y", min(max(at, 6), height - 6)), text=field("Text", "t:N")),
        ]
    return framed(layers, height, Margin(left=42, right=right, top=8, bottom=24))


def ladder_table(report: Report) -> Table:
    """Every ladder question in full: chance, interval, prior, publicly known, Monte Carlo error."""
    rows = [
        (
            f"{level} {side} ({LEVELS[level]}), {verb} {h} months",
            percent(q.probability),
            interval_cell(q.interval),
            percent(q.prior_probability),
            percent(q.probability_known),
            None if q.mcse is None else points(q.mcse).lstrip("+"),
            day_words(q.resolution_date),
        )
        for kind, (verb, side) in KINDS.items()
        for level, by_horizon in by_level(report, kind)
        for h, q in sorted(by_horizon.items())
    ]
    interval = report.headline_question.interval
    columns = (
        "Question", "Chance", f"{plain_percent(interval.prob)} interval" if interval else "Interval", "Prior alone", "Publicly known",
        "Monte Carlo error, points", "Resolves on",
    )  # fmt: skip
    return table(columns, rows, range(1, 6))


def short_ladder_table(report: Report) -> Table:
    """Level against horizon, one number a cell: for Markdown and the terminal."""
    months = horizons(report)
    rows = [
        [f"{level} {KINDS[kind][1]}, {LEVELS[level]}", *(percent(by[h].probability) if h in by else None for h in months)]
        for kind in ("reached_by", "fallen_to")
        for level, by in by_level(report, kind)
    ]
    return table(["Level", *(f"{h} months" for h in months)], rows, range(1, len(months) + 1))


def levels_table(report: Report) -> Table:
    """What the levels mean, and how often the main reading has each."""
    rows = [
        (f"{r.level} {r.name}", r.meaning, count(r.months_at_level_main), "yes" if r.ever_observed else "never")
        for r in reversed(report.ladder)
    ]
    return table(("Level", "What is tolerated", "Months in the main reading", "Observed"), rows, (2,))


def prior_and_forecast_chart(report: Report) -> Any:
    """Prior chance and forecast of each question, joined."""
    pairs = report.prior_vs_posterior
    rows = [
        Row(
            capital(pair.quantity),
            f"{plain_percent(pair.prior).removesuffix(' %')} → {plain_percent(pair.posterior)}",
            (Dot(pair.prior, "soft", filled=False), Dot(pair.posterior)),
            (Bar(min(pair.prior, pair.posterior), max(pair.prior, pair.posterior), "faint", 2),),
        )
        for pair in pairs
    ]
    highest = max([max(pair.prior, pair.posterior) for pair in pairs], default=1)
    return dot_plot(rows, percent_axis(highest), right=84)


def prior_and_forecast_table(report: Report) -> Table:
    rows = [(capital(r.quantity), percent(r.prior), percent(r.posterior), points(r.posterior - r.prior)) for r in report.prior_vs_posterior]
    return table(("Chance of", "Prior alone", "Forecast", "Points"), rows, (1, 2, 3))


def companions_chart(report: Report) -> Any:
    """The questions that resolve often: forecast filled, prior hollow."""
    rows = []
    for q in _companions(report):
        prior = () if q.prior_probability is None else (Dot(q.prior_probability, "soft", filled=False),)
        rows.append(Row(_companion_title(q), percent(q.probability), (*prior, Dot(q.probability))))
    return dot_plot(rows, QUARTERS)


def _companions(report: Report) -> list[QuestionEntry]:
    return [q for q in report.questions if q.kind in ("event", "count")]


def _companion_title(q: QuestionEntry) -> str:
    """A companion question in few words, from its id: `count-new-tariff-12m` → New tariff, 12 months."""
    companion = ForecastQuestion.parse_id(q.id).companion or ""
    return f"{companion.replace('-', ' ')}, {q.horizon_months} months".capitalize()


def companions_table(report: Report) -> Table:
    rows = [
        (
            q.text,
            window_words(q.window.start, q.window.end),
            percent(q.probability),
            interval_cell(q.interval),
            percent(q.prior_probability),
            number(q.expected),
            day_words(q.resolution_date),
        )
        for q in _companions(report)
    ]
    columns = ("Question", "Window", "Chance (of one or more)", "Interval", "Prior alone", "Expected number", "Resolves on")
    return table(columns, rows, range(2, 6))


_SCORED: Final = {
    "reached_by": "Levels reached within {} months",
    "in_force_at": "Levels in force after {} months",
    "fallen_to": "Levels fallen to within {} months",
    "event": "Events within {} months",
    "count": "Numbers of events within {} months",
    "count_any": "At least one event within {} months",
}


def past_performance_table(report: Report) -> Table:
    """Scores of earlier numbers, a row a kind of question and horizon; no rows before any question is resolved."""
    performance = report.past_performance
    rows = [
        (
            _SCORED[s.kind].format(s.horizon_months),
            str(s.n),
            str(s.windows),
            "Brier" if s.measure == "brier" else "RPS",
            *(None if score is None else f"{score:.3f}" for score in (s.model, s.persistence, s.climatology)),
        )
        for s in (performance.scores if performance else ())
    ]
    return table(("Questions", "Resolved", "Separate windows", "Score", "Forecast", "Persistence", "Climatology"), rows, (1, 2, 4, 5, 6))


def past_performance_summary(report: Report) -> str:
    """How many earlier questions are in each state, and what their scores can show; empty for the first published run."""
    performance = report.past_performance
    if performance is None:
        return ""
    states = ", ".join(f"{n} {state}" for state, n in performance.questions.items() if n)
    return f"Of the questions of earlier runs in the ledger: {states}. {performance.caution}"
