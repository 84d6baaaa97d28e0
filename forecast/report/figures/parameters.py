"""What the data changed: parameters and skips, prior against posterior; replicated histories against the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecast.report.models.report import Report


SPREAD = 3.29
"""Width of a normal's central 90 % in sds."""


def parameters(report: Report, size: Size) -> Any:
    """Each parameter's posterior in units of its prior: 0 is the prior's median, 1 an sd of it. What was learnt is in colour."""
    rows = []
    for p in report.parameters:
        name = "one" if p.learnt else "soft"
        low, mid, high = (_in_prior_sds(p, p.posterior[q]) for q in ("q05", "q50", "q95"))
        before = [_in_prior_sds(p, p.prior[q]) for q in ("q05", "q95")]
        bars = (Bar(max(before[0], -3), min(before[1], 3), "line", 9), Bar(max(low, -3), min(high, 3), name, 2.5))
        rows.append(Row(f"{p.symbol}  {p.words}", "learnt" if p.learnt else "", (Dot(mid, name),), bars, strong=p.learnt))
    return rows_chart(rows, size, Axis(-3, 3, (-2, -1, 0, 1, 2), percent=False), left=345, right=52, reference=0)


def _in_prior_sds(p: Mapping[str, Any], value: float) -> float:
    """On a log scale where the prior is lopsided to the right, so that its quantiles lie even."""
    from math import log

    low, mid, high = (p.prior[q] for q in ("q05", "q50", "q95"))
    if low > 0 and (high - mid) > 1.2 * (mid - low):
        low, mid, high, value = log(low), log(mid), log(high), log(max(value, 1e-12))
    return (value - mid) * SPREAD / (high - low) if high > low else 0.0


def parameters(report: Report) -> Table:
    rows = []
    for p in report.parameters:
        prior, post = p.prior, p.posterior
        rows.append(
            (
                f"{p.symbol} ({p.name})",
                capital(p.words),
                p.unit,
                prior.text,
                _quantiles(prior),
                f"{number(post.mean)} ± {number(post.sd)}",
                _quantiles(post),
                number(p.contraction),
                number(p.shift),
                "learnt" if p.learnt else "prior",
                count(p.transitions),
            )
        )
    columns = (
        "Parameter",
        "In words",
        "Unit",
        "Prior",
        "Prior 5 / 50 / 95 %",
        "Posterior",
        "Posterior 5 / 50 / 95 %",
        "Contraction",
        "Shift",
        "What it is",
        "Transitions",
    )
    return table(columns, rows, (7, 8, 10))


def parameters_short(report: Report) -> Table:
    """The same in five columns, learnt ones first: for Markdown."""
    ordered = sorted(report.parameters, key=lambda p: not p.learnt)
    rows = [
        (
            p.symbol,
            capital(p.words),
            _quantiles(p.prior),
            _quantiles(p.posterior),
            f"learnt, {count(p.transitions)} transitions" if p.learnt else "prior",
        )
        for p in ordered
    ]
    return table(("", "In words", "Prior 5 / 50 / 95 %", "Posterior 5 / 50 / 95 %", "What it is"), rows)


def _quantiles(q: Mapping[str, float]) -> str:
    return " / ".join(number(q[k]) for k in ("q05", "q50", "q95"))


def skips(report: Report, size: Size) -> Any:
    """The chance that a step which reaches a level goes on: prior pale and hollow, posterior dark and filled, 90 % bars."""
    rows: list[Row] = []
    for direction, title in (("up", "Rises that reach a level go on to the next"), ("down", "Falls that reach a level go on to the next")):
        members = [s for s in report.skips if s.direction == direction]
        if members:
            rows.append(Row(title, heading=True))
        for s in members:
            a, b = s.prior, s.posterior
            target = s.level + (1 if direction == "up" else -1)
            bars = (Bar(a.q05, a.q95, "line", 9), Bar(b.q05, b.q95, "one", 2.5))
            dots = (Dot(a.mean, "soft", filled=False), Dot(b.mean))
            rows.append(
                Row(
                    f"On from {s.level} to {target}  ({s.went_on} of {s.went_on + s.stopped} here)",
                    plain_percent(b.mean),
                    dots,
                    bars,
                )
            )
    return rows_chart(rows, size, Axis(0, 1, (0, 0.25, 0.5, 0.75, 1)), left=250)


def skips(report: Report) -> Table:
    rows = []
    for s in report.skips:
        target = s.level + (1 if s.direction == "up" else -1)
        rows.append(
            (
                f"{'Rise' if s.direction == 'up' else 'Fall'} that reaches {s.level} goes on to {target}",
                percent(s.prior.mean),
                percent_range(s.prior.q05, s.prior.q95),
                percent(s.posterior.mean),
                percent_range(s.posterior.q05, s.posterior.q95),
                count(s.went_on),
                count(s.stopped),
            )
        )
    return table(("Step", "Prior", "90 %", "Posterior", "90 %", "Went on here", "Stopped here"), rows, range(1, 7))


def replicates(report: Report, size: Size) -> Any:
    """What the record shows, against histories the model invents; each statistic on a scale of its own, from 0."""
    posterior = {r.statistic: r for r in report.replicates.posterior}
    rows = []
    for r in report.replicates.prior:
        q = posterior.get(r.statistic)
        top = max([r.q95, r.observed, *([q.q95] if q else [])])
        if top <= 1:  # yes or no: the table says it better
            continue
        bars = [Bar(r.q05 / top, r.q95 / top, "faint", 3, above=4)]
        if q:
            bars.append(Bar(q.q05 / top, q.q95 / top, "one", 3, above=-4))
        rows.append(Row(capital(r.statistic), number(r.observed, 3), (Dot(r.observed / top, "two", size=60),), tuple(bars)))
    return rows_chart(rows, size, Axis(0, 1, (), percent=False), left=210, right=44)


def replicates(report: Report) -> Table:
    posterior = {r.statistic: r for r in report.replicates.posterior}
    rows = []
    for r in report.replicates.prior:
        q = posterior.get(r.statistic)
        rows.append(
            (
                capital(r.statistic),
                number(r.observed, 3),
                _span(r),
                percent(r.tail_p),
                _span(q) if q else None,
                percent(q.tail_p) if q else None,
            )
        )
    columns = ("Of the record", "Observed", "Prior 5 / 50 / 95 %", "Prior tail", "Posterior 5 / 50 / 95 %", "Posterior tail")
    return table(columns, rows, range(1, 6))


def _span(r: Mapping[str, float]) -> str:
    return " / ".join(number(r[k], 3) for k in ("q05", "q50", "q95"))
