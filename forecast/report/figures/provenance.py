"""Tables of how the forecast was made: diagnostics, directions, versions, freshness, warnings, agreement of coders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast.formatting import capital, count, day_words, number, percent
from forecast.report.tables import Table, table

if TYPE_CHECKING:
    from forecast.report.models.report import Report


def diagnostics_table(report: Report) -> Table:
    d = report.diagnostics
    rows = [
        ("Gate", d.status),
        ("All draws finite", "yes" if d.finite else "no"),
        ("Chains × draws", f"{count(d.chains)} × {count(d.draws)}"),
        ("Divergences", count(d.divergences)),
        ("Largest R-hat", number(d.rhat_max, 4)),
        ("Smallest bulk ESS", count(d.ess_bulk_min)),
        ("Smallest tail ESS", count(d.ess_tail_min)),
        ("Smallest E-BFMI", number(d.bfmi_min)),
        ("Sampled again", "yes" if d.retried else "no"),
        ("Constant by definition", ", ".join(d.constant)),
        ("Reasons", "; ".join(d.reasons)),
    ]
    return table(("Check (worst over readings)", "Value"), rows)


def directions_table(report: Report) -> Table:
    d = report.directions
    rows = [] if d is None else [
        ("More leverage never lowers the chance", percent(d.share_leverage_up)),
        ("Less opposition never lowers the chance", percent(d.share_opposition_down)),
        ("More leverage, among all draws", percent(d.share_leverage_up_all)),
        ("Less opposition, among all draws", percent(d.share_opposition_down_all)),
        ("Note", d.note),
    ]  # fmt: skip
    return table(("Direction", "Share of draws"), rows)


def versions_table(report: Report) -> Table:
    rows = [
        ("Run", report.run_id),
        ("Made", report.created),
        ("Model version", report.model_version),
        ("Seed", str(report.seed)),
        ("Digest of the data", report.data_digest),
        ("Digest of the priors", report.priors_digest),
        *report.versions.items(),
    ]
    return table(("What", "Value"), rows)


def freshness_table(report: Report) -> Table:
    rows = [
        (
            capital(f.series), f.newest, f.published and day_words(f.published), f.expected_next and day_words(f.expected_next), f.status,
            f.used_for, f.file,
        )
        for f in report.freshness
    ]  # fmt: skip
    return table(("Series", "Newest", "Published", "Expected next", "Status", "Used for", "File"), rows)


def warnings_table(report: Report) -> Table:
    rows = [(w.file, count(w.row), w.column, w.text) for w in report.warnings]
    return table(("File", "Row", "Column", "What is unusual"), rows, (1,))


def reliability_table(report: Report) -> Table:
    rows = [(capital(r.field), r.statistic, number(r.value), count(r.n)) for r in report.reliability]
    return table(("Coded twice", "Agreement", "Value", "Records"), rows, (2, 3))
