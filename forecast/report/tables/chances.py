"""Tables of chances: the ladder, readings, multiverse, scenarios, companion questions, prior against posterior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.domain import DISPUTED_ACT, LEVELS, PRESSURE_SCALE
from forecast.report.sentences import headline_question, rows_of
from forecast.report.tables.table import Cell, Table, table
from forecast.report.words import capital, day_words, number, percent, percent_range, plain_percent, points, window_words

Report = Mapping[str, Any]


def steps(report: Report, kind: str) -> list[tuple[int, dict[int, Mapping[str, Any]]]]:
    """The questions of a kind by level, highest first for rises and lowest last for falls; within a level by horizon in months."""
    by_level: dict[int, dict[int, Mapping[str, Any]]] = {}
    for q in report["questions"]:
        if q["kind"] == kind:
            by_level.setdefault(q["level"], {})[q["horizon_months"]] = q
    return sorted(by_level.items(), reverse=True)


def horizons(report: Report) -> list[int]:
    """The horizons in months that the ladder's questions have."""
    return sorted({q["horizon_months"] for q in report["questions"] if q["kind"] in ("reached_by", "in_force_at", "fallen_to")})


KINDS = {
    "reached_by": ("reached within", "or above"),
    "in_force_at": ("in force at the end of", "or above"),
    "fallen_to": ("fallen to within", "or below"),
}


def ladder(report: Report) -> Table:
    """Every ladder question in full: chance, interval, prior, publicly known, Monte Carlo error."""
    rows = []
    for kind, (_, side) in KINDS.items():
        for level, by_horizon in steps(report, kind):
            for h, q in sorted(by_horizon.items()):
                name = f"{level} {side} ({LEVELS[level]}), {KINDS[kind][0]} {h} months"
                i = q["interval"]
                rows.append(
                    (
                        name,
                        percent(q["probability"]),
                        percent_range(i["low"], i["high"]) if i else None,
                        percent(q["prior_probability"]),
                        percent(q["probability_known"]),
                        points(q["mcse"]).lstrip("+") if q["mcse"] is not None else None,
                        day_words(q["resolution_date"]),
                    )
                )
    prob = headline_question(report)["interval"]["prob"]
    columns = (
        "Question",
        "Chance",
        f"{plain_percent(prob)} interval",
        "Prior alone",
        "Publicly known",
        "Monte Carlo error, points",
        "Resolves on",
    )
    return table(columns, rows, range(1, 6))


def ladder_short(report: Report) -> Table:
    """Level against horizon, one figure a cell: for Markdown and the terminal."""
    hs = horizons(report)
    rows = []
    for kind in ("reached_by", "fallen_to"):
        for level, by_horizon in steps(report, kind):
            rows.append(
                [
                    f"{level} {KINDS[kind][1]}, {LEVELS[level]}",
                    *(percent(by_horizon[h]["probability"]) if h in by_horizon else None for h in hs),
                ]
            )
    return table(["Level", *(f"{h} months" for h in hs)], rows, range(1, len(hs) + 1))


def hangs_on(report: Report) -> Table:
    q = headline_question(report)
    readings = [r["headline"] for r in report["readings"]]
    rows: list[tuple[str, str, str]] = [
        (
            "The forecast, all readings weighted",
            percent(q["probability"]),
            f"{plain_percent(q['interval']['prob'])} interval {percent_range(q['interval']['low'], q['interval']['high'])}",
        ),
        ("The prior alone", percent(q["prior_probability"]), ""),
        ("Readings of the record", percent_range(min(readings), max(readings)), ""),
    ]
    for group in (DISPUTED_ACT, PRESSURE_SCALE):
        rows += [(capital(row["label"]), percent(row["probability"]), "main reading") for row in rows_of(report, group)]
    return table(("What", "Chance", "Of what"), rows, (1,))


def readings(report: Report) -> Table:
    rows: list[tuple[Cell | None, ...]] = [
        (
            capital(r["title"]),
            percent(r["weight"]),
            str(r["level_now"]),
            percent(r["headline"]),
            percent_range(r["headline_interval"]["low"], r["headline_interval"]["high"]),
            percent(r["headline_prior"]),
            r["why"],
        )
        for r in report["readings"]
    ]
    m = report["mixture"]
    rows.append(
        (
            "All, weighted",
            None,
            None,
            percent(m["mean"]),
            percent_range(m["interval"]["low"], m["interval"]["high"]),
            None,
            f"median {percent(m['median'])}",
        )
    )
    return table(("Reading", "Weight", "Level now", "Headline", "Interval", "Prior alone", "Why"), rows, range(1, 6))


def densities(report: Report, most: int = 40) -> Table:
    """The curves at no more than `most` points."""
    curves = [(capital(r["title"]), r["density"]) for r in report["readings"]] + [("All, weighted", report["mixture"]["density"])]
    x = curves[-1][1]["x"]
    every = max(1, -(-len(x) // most))
    rows = [[percent(x[i], 3), *(number(_at(c, x[i])) for _, c in curves)] for i in range(0, len(x), every)]
    return table(["Chance", *(name for name, _ in curves)], rows, range(len(curves) + 1))


def _at(curve: Mapping[str, Any], x: float) -> float:
    """The curve's height at the grid point nearest to x."""
    nearest = min(range(len(curve["x"])), key=lambda i: abs(curve["x"][i] - x))
    return float(curve["y"][nearest])


def weights(report: Report) -> Table:
    rows = [(capital(w["label"]), percent(w["weight_advisers"]), percent(w["headline"])) for w in report["weights_alternative"]]
    return table(("Other weights", "Weight of advisers stayed", "Headline"), rows, (1, 2))


def multiverse(report: Report) -> Table:
    base = report["multiverse"][0]["probability"] if report["multiverse"] else 0.0
    rows = [
        (capital(r["label"]), r["group"], percent(r["probability"]), points(r["probability"] - base), r["note"])
        for r in report["multiverse"]
    ]
    return table(("Choice", "Of what kind", "Headline, main reading", "Points", "Note"), rows, (2, 3))


def scenarios(report: Report) -> Table:
    rows = []
    for s in sorted(report["scenarios"], key=lambda s: -s["probability"]):
        i = s["interval"]
        rows.append(
            (
                s["title"],
                s["kind"],
                percent(s["probability"]),
                points(s["difference"]),
                percent_range(i["low"], i["high"]) if i else None,
                percent(s["plausibility"]),
                percent(s["fallen_1_12m"]),
            )
        )
    columns = ("Scenario", "Kind", "Headline", "Points", "Interval", "Plausibility", "Fallen to 1 or below, 12 months")
    return table(columns, rows, range(2, 7))


def scenario_horizons(report: Report) -> Table:
    hs = sorted({int(h) for s in report["scenarios"] for h in s["by_horizon"]})
    rows = [[s["title"], *(percent(s["by_horizon"].get(str(h))) for h in hs)] for s in report["scenarios"]]
    return table(["Scenario", *(f"{h} months" for h in hs)], rows, range(1, len(hs) + 1))


def companions(report: Report) -> Table:
    rows = []
    for q in report["questions"]:
        if q["kind"] in ("event", "count"):
            i = q["interval"]
            rows.append(
                (
                    q["text"],
                    window_words(q["window"]["start"], q["window"]["end"]),
                    percent(q["probability"]),
                    percent_range(i["low"], i["high"]) if i else None,
                    percent(q["prior_probability"]),
                    number(q["expected"]),
                    day_words(q["resolution_date"]),
                )
            )
    columns = ("Question", "Window", "Chance (of one or more)", "Interval", "Prior alone", "Expected number", "Resolves on")
    return table(columns, rows, range(2, 6))


def moved(report: Report) -> Table:
    rows = [
        (capital(r["quantity"]), percent(r["prior"]), percent(r["posterior"]), points(r["posterior"] - r["prior"]))
        for r in report["prior_vs_posterior"]
    ]
    return table(("Chance of", "Prior alone", "Forecast", "Points"), rows, (1, 2, 3))
