"""The sentences that go with the number, made from the payload's numbers and nothing else.

`payload.py` calls `build_sentences` last, and stores what it returns; the renderers only print it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.domain import DISPUTED_ACT, LEVELS, PRESSURE_SCALE, PUBLISHED_CHOICE
from forecast.report.words import (
    capital,
    day_words,
    headline_percent,
    listed,
    number_word,
    percent,
    percent_range,
    plain_percent,
    points,
    window_words,
    year_of,
)

Report = Mapping[str, Any]


def fit_words(report: Report) -> str:
    """Whose fit the choices of the strip belong to, if the forecast was weighted from an earlier one; empty if it is its own."""
    return f"the fit of run {report['rests_on']['fitted_in']}" if report["rests_on"] else ""


def headline_question(report: Report) -> Mapping[str, Any]:
    """The question that `headline` names; KeyError if there is none."""
    return next((q for q in report["questions"] if q["id"] == report["headline"]), None) or _missing(report["headline"])


def _missing(name: str) -> Mapping[str, Any]:
    raise KeyError(f"the report's headline names a question it does not hold: {name}")


def rows_of(report: Report, group: str) -> list[Mapping[str, Any]]:
    """The multiverse rows of one group."""
    return [row for row in report["multiverse"] if row["group"] == group]


def headline(report: Report) -> str:
    q = headline_question(report)
    window = window_words(q["window"]["start"], q["window"]["end"]).replace(" – ", " to ")
    return f"About {headline_percent(q['probability'])}: the chance that Mexico tolerates {_levels(q['level'])} at some time from {window}."


def _levels(level: int) -> str:
    names = listed([name.removesuffix(" action") for name in LEVELS[level:]], "or")
    return f"{names} US action on its soil (level {level} or above)" if level >= 4 else f"level {level} or above ({names})"


def interval(report: Report) -> str:
    i = headline_question(report)["interval"]
    return f"{plain_percent(i['prob'])} interval {percent_range(i['low'], i['high'])}"


def prior(report: Report) -> str:
    return f"the prior alone says {plain_percent(headline_question(report)['prior_probability'])}"


def disputed_act(report: Report) -> str:
    published, without = rows_of(report, PUBLISHED_CHOICE), rows_of(report, DISPUTED_ACT)
    if not published or not without:
        return ""
    before, after = published[0]["probability"], without[0]["probability"]
    verb = "falls" if after < before else "rises"
    where = f"in {fit}, " if (fit := fit_words(report)) else ""
    return f"{where}{without[0]['label']} the main reading {verb} from {plain_percent(before)} to {plain_percent(after)}"


def range_readings(report: Report) -> str:
    values = [r["headline"] for r in report["readings"]]
    return f"the {number_word(len(values))} readings of the record run from {plain_percent(min(values))} to {plain_percent(max(values))}"


def range_pressure(report: Report) -> str:
    values = [row["probability"] for row in rows_of(report, PRESSURE_SCALE)]
    if not values:
        return ""
    low, high = plain_percent(min(values)), plain_percent(max(values))
    return f"other scales of pressure put the main reading{_there(report)} between {low} and {high}"


def _there(report: Report) -> str:
    """What stands behind "the main reading" where it is that of an earlier fit: whose, and what it said."""
    published = rows_of(report, PUBLISHED_CHOICE)
    return f" of {fit_words(report)} ({plain_percent(published[0]['probability'])})" if report["rests_on"] and published else ""


def never_observed(report: Report) -> str:
    level, since = headline_question(report)["level"], report["history"]["months"][0][:4]
    if any(row["ever_observed"] for row in report["ladder"] if row["level"] >= level):
        return f"a level of {level} or above has been observed here since {since}"
    return f"a level of {level} or above has never been observed here since {since}"


def what_would_change(report: Report, most: int = 7) -> list[str]:
    """What moves the headline most, of what the run itself has computed: readings, skips, scenarios, choices, dates ahead."""
    lines = [*_readings_change(report), *_skip_change(report), *_scenarios_change(report), *_choices_change(report)]
    return lines[:most]


def _readings_change(report: Report) -> list[str]:
    p = headline_question(report)["probability"]
    others = sorted((r for r in report["readings"] if r["name"] != "main"), key=lambda r: -abs(r["headline"] - p) * r["weight"])
    return [
        f"Proof that the reading “{r['title']}” is right: {plain_percent(r['headline'])} "
        f"(it has {plain_percent(r['weight'])} of the weight)."
        for r in others[:1]
    ]


def _skip_change(report: Report) -> list[str]:
    level = headline_question(report)["level"]
    row = next((s for s in report["skips"] if s["direction"] == "up" and s["level"] == level - 1), None)
    if row is None:
        return []
    return [
        f"Whether a rise that reaches level {level - 1} goes on to {level}: the model gives it "
        f"{plain_percent(row['posterior']['mean'])}, from {row['went_on']} of {row['went_on'] + row['stopped']} rises here "
        f"and the outside view."
    ]


def _scenarios_change(report: Report) -> list[str]:
    by_size = sorted(report["scenarios"], key=lambda s: s["difference"] or 0.0)
    chosen = [s for s in (by_size[-1:] + by_size[:1]) if s["difference"]] if len(by_size) > 1 else by_size
    return [f"{s['title']}: {percent(s['probability'])} ({points(s['difference'])} points, {s['kind']})." for s in chosen]


def _choices_change(report: Report) -> list[str]:
    published = rows_of(report, PUBLISHED_CHOICE)
    if not published:
        return []
    base = published[0]["probability"]
    by_size = sorted(report["multiverse"], key=lambda row: row["probability"])
    lines = []
    for row in [by_size[0], by_size[-1]]:
        if row["probability"] != base:
            lines.append(
                f"Another choice of method, “{row['label']}”: {plain_percent(row['probability'])} under the main reading{_there(report)}."
            )
    return lines


def short(report: Report) -> str:
    q = headline_question(report)
    window = window_words(q["window"]["start"], q["window"]["end"])
    return f"Level {q['level']} or above reached, {window}: about {headline_percent(q['probability'])} ({interval(report)})"


def build_sentences(report: Report) -> dict[str, Any]:
    """All that `report.json` says in words, from a payload whose other parts are complete.

    KeyError if the question that `headline` names is missing. A clause whose numbers the payload lacks is the empty string.
    """
    parts = {
        "prior": prior(report),
        "disputed_act": disputed_act(report),
        "range_readings": range_readings(report),
        "range_pressure": range_pressure(report),
        "never_observed": never_observed(report),
    }
    in_the_same_breath = capital("; ".join(part for part in [interval(report), *parts.values()] if part)) + "."
    return {
        "headline": headline(report),
        "headline_long": f"{headline(report)} {in_the_same_breath}",
        **parts,
        "what_would_change": what_would_change(report),
        "short": short(report),
    }


def next_dates(report: Report, most: int = 3) -> list[str]:
    """The nearest dates of the calendar that act on the forecast."""
    acting = [row for row in report["calendar"] if row["effect"] not in (None, "", "none")]
    return [f"{row['what']} ({day_words(row['date'])})" for row in sorted(acting, key=lambda row: year_of(row["date"]))[:most]]
