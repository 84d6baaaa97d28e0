"""Tables of the evidence: the record, drivers, what was asked and answered, stakes, dates, freshness, sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forecast.domain import LEVELS
from forecast.report.tables.table import Cell, Table, table
from forecast.report.words import capital, count, day_words, month_words, number, percent, year_of

Report = Mapping[str, Any]


def rungs(report: Report) -> Table:
    rows = [
        (f"{r['level']} {r['name']}", r["meaning"], count(r["months_at_level_main"]), "yes" if r["ever_observed"] else "never")
        for r in reversed(report["ladder"])
    ]
    return table(("Level", "What is tolerated", "Months in the main reading", "Observed"), rows, (2,))


def changes(report: Report) -> Table:
    rows = [
        (
            month_words(c["month"]),
            f"{c['from']}\u00a0→\u00a0{c['to']}",
            c["why"],
            f"{c['claim_id']}, confidence {c['confidence']}",
            ", ".join(c["events"]),
        )
        for c in report["history"]["changes"]
    ]
    return table(("Month", "Level", "Why", "Claim", "Records"), rows)


def events(report: Report) -> Table:
    rows = [(str(i), day_words(e["date"]), e["what"], e["id"]) for i, e in enumerate(report["history"]["events"], 1)]
    return table(("No.", "Date", "What happened", "Record"), rows)


def history(report: Report) -> Table:
    h = report["history"]
    names = [n for n in h["by_reading"] if n != "main"]
    theta = h["theta"]
    rows = [
        [m, str(h["main"][i]), *(str(h["by_reading"][n][i]) for n in names), *(number(theta[q][i]) for q in ("q10", "q50", "q90"))]
        for i, m in enumerate(h["months"])
    ]
    titles = {r["name"]: r["title"] for r in report["readings"]}
    return table(
        ["Month", "Level, main", *(capital(titles.get(n, n)) for n in names), "θ 10 %", "θ 50 %", "θ 90 %"], rows, range(1, len(names) + 5)
    )


def leverage(report: Report) -> Table:
    d = report["drivers"]["leverage"]
    channels = list(d["by_channel"])
    rows: list[list[str | None]] = [
        [m, number(d["value"][i]), *(number(d["by_channel"][c][i]) for c in channels)] for i, m in enumerate(d["months"])
    ]
    f = d["future"]
    ahead = [f"{number(f['q50'][i])} ({number(f['q10'][i])} to {number(f['q90'][i])})" for i in range(len(f["months"]))]
    rows += [[f"{m} (simulated)", ahead[i], *([None] * len(channels))] for i, m in enumerate(f["months"])]
    return table(["Month", "Leverage", *(capital(c) for c in channels)], rows, range(1, len(channels) + 2))


def checks(report: Report) -> Table:
    d = report["drivers"]["leverage"]
    by_month = {c["name"]: dict(zip(c["months"], c["value"], strict=True)) for c in d["checks"]}
    rows = [[m, number(d["value"][i]), *(number(v.get(m)) for v in by_month.values())] for i, m in enumerate(d["months"])]
    return table(
        ["Month", "Leverage", *(f"{capital(c['name'])} (correlation {number(c['correlation'])})" for c in d["checks"])],
        rows,
        range(1, len(by_month) + 2),
    )


def overdoses(report: Report) -> Table:
    d = report["drivers"]["overdoses"]
    final = {f["month"]: f["deaths"] for f in d["final"]}
    rows: list[tuple[Cell | None, ...]] = [
        (m, count(final.get(m)), count(d["q10"][i]), count(d["q50"][i]), count(d["q90"][i])) for i, m in enumerate(d["months"])
    ]
    f = d["future"]
    rows += [(f"{m} (simulated)", None, count(f["q10"][i]), count(f["q50"][i]), count(f["q90"][i])) for i, m in enumerate(f["months"])]
    return table(("Month", "Final count", "Estimate 10 %", "50 %", "90 %"), rows, range(1, 5))


def provisional(report: Report) -> Table:
    rows = [
        (f"12 months to {month_words(p['period_end'])}", day_words(p["published"]), count(p["reported"]), count(p["predicted"]))
        for p in report["drivers"]["overdoses"]["provisional"]
    ]
    return table(("Period", "Published", "Reported", "Predicted"), rows, (2, 3))


def opposition(report: Report) -> Table:
    d = report["drivers"]["opposition"]
    mobilised = dict(zip(d["mobilisation"]["months"], d["mobilisation"]["value"], strict=True))
    rows: list[tuple[Cell | None, ...]] = [
        (m, percent(d["q10"][i]), percent(d["q50"][i]), percent(d["q90"][i]), number(mobilised.get(m))) for i, m in enumerate(d["months"])
    ]
    f = d["future"]
    rows += [
        (f"{m} (simulated)", percent(f["q10"][i]), percent(f["q50"][i]), percent(f["q90"][i]), None) for i, m in enumerate(f["months"])
    ]
    return table(("Month", "Opposed 10 %", "50 %", "90 %", "Mobilisation"), rows, range(1, 5))


def polls(report: Report) -> Table:
    rows = [
        (day_words(p["date"]), p["pollster"], p["wording"].replace("_", " "), percent(p["share"]), count(p["n"]))
        for p in report["drivers"]["opposition"]["polls"]
    ]
    return table(("Date", "Pollster", "Wording", "Opposed", "n"), rows, (3, 4))


def asked(report: Report) -> Table:
    rows = [
        (capital(e["what"]), _rung(e["level"]), _period(e["first"], e["last"]), e["answer"], ", ".join(e["ids"]))
        for e in report["asked_answered"]
    ]
    return table(("Asked", "Kind", "When", "Answer", "Records"), rows)


def _rung(level: int | None) -> str | None:
    return None if level is None else f"{level} {LEVELS[level]}"


def _period(first: str, last: str) -> str:
    return day_words(first) if first == last else f"{day_words(first)} – {day_words(last)}"


def concessions(report: Report) -> Table:
    rows = [
        (
            day_words(c["date"]),
            capital(c["what"]),
            c["response"],
            day_words(c["response_date"]) if c["response_date"] else None,
            count(c["days"]),
            _ids(c),
        )
        for c in report["concessions"]
    ]
    return table(("Date", "Conceded", "Washington's answer", "On", "Days", "Records"), rows, (4,))


def _ids(c: Mapping[str, Any]) -> str:
    return ", ".join(i for i in (c["id"], c["response_id"]) if i)


def calendar(report: Report) -> Table:
    rows = [
        (
            day_words(e["date"]),
            capital(e["what"]),
            e["channel"],
            None if e["effect"] in (None, "", "none") else e["effect"],
            percent(e["probability"]),
        )
        for e in report["calendar"]
    ]
    return table(("Date", "What", "Channel", "Effect in the model", "Probability"), rows, (4,))


def calendar_next(report: Report, most: int = 10) -> Table:
    """The dates that act on the model, and the nearest others but for releases of overdose counts, which come every month."""
    rows = report["calendar"]
    acting = [i for i, e in enumerate(rows) if e["effect"] not in (None, "", "none")]
    others = [i for i, e in enumerate(rows) if i not in acting and e["channel"] != "overdose"]
    shown = sorted({*acting, *sorted(others, key=lambda i: year_of(rows[i]["date"]))[:most]}, key=lambda i: year_of(rows[i]["date"]))
    return calendar({"calendar": [rows[i] for i in shown]})


def freshness(report: Report) -> Table:
    rows = [
        (
            capital(f["series"]),
            f["newest"],
            day_words(f["published"]) if f["published"] else None,
            day_words(f["expected_next"]) if f["expected_next"] else None,
            f["status"],
            f["used_for"],
            f["file"],
        )
        for f in report["freshness"]
    ]
    return table(("Series", "Newest", "Published", "Expected next", "Status", "Used for", "File"), rows)


def warnings(report: Report) -> Table:
    rows = [(w["file"], count(w["row"]), w["column"], w["text"]) for w in report["warnings"]]
    return table(("File", "Row", "Column", "What is odd"), rows, (1,))


def reliability(report: Report) -> Table:
    rows = [(capital(r["field"]), r["statistic"], number(r["value"]), count(r["n"])) for r in report["reliability"]]
    return table(("Coded twice", "Agreement", "Value", "Records"), rows, (2, 3))


def stakes(report: Report) -> dict[str, dict[str, Sequence[Mapping[str, Any]]]]:
    """The arguments by side, then gains and costs: both sides, both kinds, in the order of the file."""
    sides = dict.fromkeys(row["side"] for row in report["stakes"])
    kinds = dict.fromkeys(row["kind"] for row in report["stakes"])
    return {s: {k: [r for r in report["stakes"] if r["side"] == s and r["kind"] == k] for k in kinds} for s in sides}
