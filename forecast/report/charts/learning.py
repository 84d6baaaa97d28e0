"""What the data changed: parameters and skips, prior against posterior; replicated histories against the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.report.charts.rows import Axis, Bar, Dot, Row, rows_chart
from forecast.report.charts.svg import Size
from forecast.report.words import capital, number, plain_percent

Report = Mapping[str, Any]
SPREAD = 3.29
"""Width of a normal's central 90 % in sds."""


def parameters(report: Report, size: Size) -> Any:
    """Each parameter's posterior in units of its prior: 0 is the prior's median, 1 an sd of it. What was learnt is in colour."""
    rows = []
    for p in report["parameters"]:
        name = "one" if p["learnt"] else "soft"
        low, mid, high = (_in_prior_sds(p, p["posterior"][q]) for q in ("q05", "q50", "q95"))
        before = [_in_prior_sds(p, p["prior"][q]) for q in ("q05", "q95")]
        bars = (Bar(max(before[0], -3), min(before[1], 3), "line", 9), Bar(max(low, -3), min(high, 3), name, 2.5))
        rows.append(Row(f"{p['symbol']}  {p['words']}", "learnt" if p["learnt"] else "", (Dot(mid, name),), bars, strong=p["learnt"]))
    return rows_chart(rows, size, Axis(-3, 3, (-2, -1, 0, 1, 2), percent=False), left=345, right=52, reference=0)


def _in_prior_sds(p: Mapping[str, Any], value: float) -> float:
    """On a log scale where the prior is lopsided to the right, so that its quantiles lie even."""
    from math import log

    low, mid, high = (p["prior"][q] for q in ("q05", "q50", "q95"))
    if low > 0 and (high - mid) > 1.2 * (mid - low):
        low, mid, high, value = log(low), log(mid), log(high), log(max(value, 1e-12))
    return (value - mid) * SPREAD / (high - low) if high > low else 0.0


def skips(report: Report, size: Size) -> Any:
    """The chance that a step which reaches a level goes on: prior pale and hollow, posterior dark and filled, 90 % bars."""
    rows: list[Row] = []
    for direction, title in (("up", "Rises that reach a level go on to the next"), ("down", "Falls that reach a level go on to the next")):
        members = [s for s in report["skips"] if s["direction"] == direction]
        if members:
            rows.append(Row(title, heading=True))
        for s in members:
            a, b = s["prior"], s["posterior"]
            target = s["level"] + (1 if direction == "up" else -1)
            bars = (Bar(a["q05"], a["q95"], "line", 9), Bar(b["q05"], b["q95"], "one", 2.5))
            dots = (Dot(a["mean"], "soft", filled=False), Dot(b["mean"]))
            rows.append(
                Row(
                    f"On from {s['level']} to {target}  ({s['went_on']} of {s['went_on'] + s['stopped']} here)",
                    plain_percent(b["mean"]),
                    dots,
                    bars,
                )
            )
    return rows_chart(rows, size, Axis(0, 1, (0, 0.25, 0.5, 0.75, 1)), left=250)


def replicates(report: Report, size: Size) -> Any:
    """What the record shows, against histories the model invents; each statistic on a scale of its own, from 0."""
    posterior = {r["statistic"]: r for r in report["replicates"]["posterior"]}
    rows = []
    for r in report["replicates"]["prior"]:
        q = posterior.get(r["statistic"])
        top = max([r["q95"], r["observed"], *([q["q95"]] if q else [])])
        if top <= 1:  # yes or no: the table says it better
            continue
        bars = [Bar(r["q05"] / top, r["q95"] / top, "faint", 3, above=4)]
        if q:
            bars.append(Bar(q["q05"] / top, q["q95"] / top, "one", 3, above=-4))
        rows.append(Row(capital(r["statistic"]), number(r["observed"], 3), (Dot(r["observed"] / top, "two", size=60),), tuple(bars)))
    return rows_chart(rows, size, Axis(0, 1, (), percent=False), left=210, right=44)
