"""Charts whose rows are chances: what the headline hangs on, the multiverse strip, scenarios, prior against posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forecast.domain import DISPUTED_ACT, PRESSURE_SCALE, Question
from forecast.report.charts.rows import Axis, Bar, Dot, Row, percent_axis, rows_chart
from forecast.report.charts.svg import Size
from forecast.report.sentences import headline_question, rows_of
from forecast.report.words import capital, percent, percent_range, plain_percent

Report = Mapping[str, Any]


def hangs_on(report: Report, size: Size) -> Any:
    """The headline over its interval, and beneath it what the same sentence names."""
    q = headline_question(report)
    i = q["interval"]
    readings = [r["headline"] for r in report["readings"]]
    rows = [
        Row("The forecast", plain_percent(q["probability"]), (Dot(q["probability"], size=130),), (Bar(i["low"], i["high"]),), strong=True),
        Row("The prior alone", plain_percent(q["prior_probability"]), (Dot(q["prior_probability"], "soft", filled=False),)),
        Row("Readings of the record", percent_range(min(readings), max(readings)), tuple(Dot(v) for v in readings), (_span(readings),)),
    ]
    for group, label in (
        (DISPUTED_ACT, "Main reading without the disputed act"),
        (PRESSURE_SCALE, "Main reading, other scales of pressure"),
    ):
        chances = [row["probability"] for row in rows_of(report, group)]
        if chances:
            rows.append(
                Row(label, percent_range(min(chances), max(chances)), tuple(Dot(v, "two") for v in chances), (_span(chances, "two"),))
            )
    highest = max([i["high"], *(d.x for r in rows for d in r.dots)])
    return rows_chart(rows, size, percent_axis(highest), left=262, right=70, reference=q["probability"])


def _span(chances: list[float], name: str = "one") -> Bar:
    return Bar(min(chances), max(chances), name, 1)


def multiverse(report: Report, size: Size) -> Any:
    """One dot a defensible choice, grouped by what was chosen; the published one marked by a line."""
    base = report["multiverse"][0]["probability"] if report["multiverse"] else None
    rows: list[Row] = []
    for title, members in _headed(report["multiverse"]):
        rows += [Row(capital(title), heading=True)] if title else []
        for row in members:
            p, first = row["probability"], row is report["multiverse"][0]
            dot = Dot(p, "one" if first else "two", size=120 if first else 70)
            rows.append(Row(capital(row["label"]), percent(p), (dot,), (Bar(min(base, p), max(base, p), "faint", 1.5),), strong=first))
    highest = max([row["probability"] for row in report["multiverse"]], default=0.1)
    return rows_chart(rows, size, percent_axis(highest), left=270, reference=base)


def _headed(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Rows under their group's name. Lone rows need no name of their own: those that come first have none, the others share one."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["group"], []).append(row)
    first: list[Mapping[str, Any]] = []
    named: list[tuple[str, list[Mapping[str, Any]]]] = []
    others: list[Mapping[str, Any]] = []
    for name, members in groups.items():
        if len(members) > 1:
            named.append((name, members))
        else:
            (others if named else first).extend(members)
    return [(title, members) for title, members in [("", first), *named, ("other choices", others)] if members]


def scenarios(report: Report, size: Size) -> Any:
    """Each scenario's chance over its interval, against the forecast's."""
    base = headline_question(report)["probability"]
    ordered = sorted(report["scenarios"], key=lambda s: -s["probability"])
    rows = [
        Row(s["title"], percent(s["probability"]), (Dot(s["probability"], _kind(s), s["kind"] == "intervened"),), (_interval(s),))
        for s in ordered
    ]
    highest = max([s["interval"]["high"] if s["interval"] else s["probability"] for s in ordered], default=0.1)
    return rows_chart(rows, size, percent_axis(highest), left=300, reference=base)


def _kind(scenario: Mapping[str, Any]) -> str:
    return "two" if scenario["kind"] == "intervened" else "three"


def _interval(scenario: Mapping[str, Any]) -> Bar:
    i = scenario["interval"] or {"low": scenario["probability"], "high": scenario["probability"]}
    return Bar(i["low"], i["high"], "faint", 3)


def what_moved(report: Report, size: Size) -> Any:
    """Prior chance and posterior chance of each question, joined."""
    rows = [
        Row(
            capital(r["quantity"]),
            f"{plain_percent(r['prior']).removesuffix(' %')} → {plain_percent(r['posterior'])}",
            (Dot(r["prior"], "soft", filled=False), Dot(r["posterior"])),
            (Bar(min(r["prior"], r["posterior"]), max(r["prior"], r["posterior"]), "faint", 2),),
        )
        for r in report["prior_vs_posterior"]
    ]
    highest = max([max(r["prior"], r["posterior"]) for r in report["prior_vs_posterior"]], default=1)
    return rows_chart(rows, size, percent_axis(highest), left=260, right=84)


def companions(report: Report, size: Size) -> Any:
    """The questions that resolve often: forecast filled, prior hollow."""
    rows = []
    for q in report["questions"]:
        if q["kind"] in ("event", "count"):
            dots = (
                (Dot(q["prior_probability"], "soft", filled=False), Dot(q["probability"]))
                if q["prior_probability"] is not None
                else (Dot(q["probability"]),)
            )
            rows.append(Row(companion_title(q), percent(q["probability"]), dots))
    return rows_chart(rows, size, Axis(0, 1, (0, 0.25, 0.5, 0.75, 1)), left=230)


def companion_title(q: Mapping[str, Any]) -> str:
    """A companion question in few words, from its id: `count-new-tariff-12m` → new tariff, 12 months."""
    companion = Question.parse_id(q["id"]).companion or ""
    return f"{companion.replace('-', ' ')}, {q['horizon_months']} months".capitalize()
