"""What the data changed: parameters and skips, prior against posterior; replicated histories against the record."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any, Final

from forecast.formatting import capital, count, number, percent, percent_range, plain_percent
from forecast.report.figures.dot_plot import QUARTERS, Axis, Bar, Dot, Row, dot_plot
from forecast.report.tables import Table, table

if TYPE_CHECKING:
    from forecast.report.models.fit import PriorSummary, QuantileTriple, Skip
    from forecast.report.models.report import Report

SPREAD: Final = 3.29
"""Width of a normal's central 90 % in standard deviations."""


def _quantiles(q: QuantileTriple, digits: int = 2) -> str:
    return " / ".join(number(v, digits) for v in (q.q05, q.q50, q.q95))


def parameters_chart(report: Report) -> Any:
    """Each parameter's posterior in units of its prior: 0 is the prior's median, 1 an sd of it. What was learnt is in colour."""
    rows = []
    for p in report.parameters:
        tint = "one" if p.learnt else "soft"
        low, middle, high = (in_prior_sds(p.prior, v) for v in (p.posterior.q05, p.posterior.q50, p.posterior.q95))
        prior = Bar(max(in_prior_sds(p.prior, p.prior.q05), -3), min(in_prior_sds(p.prior, p.prior.q95), 3), "line", 9)
        bars = (prior, Bar(max(low, -3), min(high, 3), tint, 2.5))
        rows.append(Row(f"{p.symbol}  {p.words}", "learnt" if p.learnt else "", (Dot(middle, tint),), bars, strong=p.learnt))
    return dot_plot(rows, Axis(-3, 3, (-2, -1, 0, 1, 2), percent=False), right=52, reference=0)


def in_prior_sds(prior: PriorSummary, value: float) -> float:
    """On a log scale where the prior is lopsided to the right, so that its quantiles lie even."""
    low, middle, high = prior.q05, prior.q50, prior.q95
    if low > 0 and (high - middle) > 1.2 * (middle - low):
        low, middle, high, value = log(low), log(middle), log(high), log(max(value, 1e-12))
    return (value - middle) * SPREAD / (high - low) if high > low else 0.0


def parameters_table(report: Report) -> Table:
    rows = [
        (
            f"{p.symbol} ({p.name})", capital(p.words), p.unit, p.prior.text, _quantiles(p.prior),
            f"{number(p.posterior.mean)} ± {number(p.posterior.sd)}", _quantiles(p.posterior), number(p.contraction), number(p.shift),
            "learnt" if p.learnt else "prior", count(p.transitions),
        )
        for p in report.parameters
    ]  # fmt: skip
    columns = (
        "Parameter", "In words", "Unit", "Prior", "Prior 5 / 50 / 95 %", "Posterior", "Posterior 5 / 50 / 95 %", "Contraction", "Shift",
        "What it is", "Transitions",
    )  # fmt: skip
    return table(columns, rows, (7, 8, 10))


def short_parameters_table(report: Report) -> Table:
    """The same in five columns, learnt ones first: for Markdown."""
    rows = [
        (
            p.symbol, capital(p.words), _quantiles(p.prior), _quantiles(p.posterior),
            f"learnt, {count(p.transitions)} transitions" if p.learnt else "prior",
        )
        for p in sorted(report.parameters, key=lambda p: not p.learnt)
    ]  # fmt: skip
    return table(("", "In words", "Prior 5 / 50 / 95 %", "Posterior 5 / 50 / 95 %", "What it is"), rows)


def skips_chart(report: Report) -> Any:
    """The chance that a step which reaches a level goes on: prior pale and hollow, posterior dark and filled, 90 % bars."""
    rows: list[Row] = []
    for direction, title in (("up", "Rises that reach a level go on to the next"), ("down", "Falls that reach a level go on to the next")):
        members = [s for s in report.skips if s.direction == direction]
        rows += [Row(title, heading=True)] if members else []
        for s in members:
            bars = (Bar(s.prior.q05, s.prior.q95, "line", 9), Bar(s.posterior.q05, s.posterior.q95, "one", 2.5))
            dots = (Dot(s.prior.mean, "soft", filled=False), Dot(s.posterior.mean))
            label = f"On from {s.level} to {_target(s)}  ({s.went_on} of {s.went_on + s.stopped} here)"
            rows.append(Row(label, plain_percent(s.posterior.mean), dots, bars))
    return dot_plot(rows, QUARTERS)


def _target(skip: Skip) -> int:
    return skip.level + (1 if skip.direction == "up" else -1)


def skips_table(report: Report) -> Table:
    rows = [
        (
            f"{'Rise' if s.direction == 'up' else 'Fall'} that reaches {s.level} goes on to {_target(s)}",
            percent(s.prior.mean), percent_range(s.prior.q05, s.prior.q95),
            percent(s.posterior.mean), percent_range(s.posterior.q05, s.posterior.q95),
            count(s.went_on), count(s.stopped),
        )
        for s in report.skips
    ]  # fmt: skip
    return table(("Step", "Prior", "90 %", "Posterior", "90 %", "Went on here", "Stopped here"), rows, range(1, 7))


def replicates_chart(report: Report) -> Any:
    """What the record shows, against histories the model simulates; each statistic on a scale of its own, from 0."""
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
    return dot_plot(rows, Axis(0, 1, (), percent=False), right=44)


def replicates_table(report: Report) -> Table:
    posterior = {r.statistic: r for r in report.replicates.posterior}
    rows = []
    for r in report.replicates.prior:
        q = posterior.get(r.statistic)
        after = (_quantiles(q, 3), percent(q.tail_p)) if q else (None, None)
        rows.append((capital(r.statistic), number(r.observed, 3), _quantiles(r, 3), percent(r.tail_p), *after))
    columns = ("Of the record", "Observed", "Prior 5 / 50 / 95 %", "Prior tail", "Posterior 5 / 50 / 95 %", "Posterior tail")
    return table(columns, rows, range(1, 6))
