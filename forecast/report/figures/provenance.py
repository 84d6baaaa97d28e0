"""Tables of what the forecast stands on: diagnostics, directions, versions, freshness, warnings, agreement of coders."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast.report.models.report import Report


def diagnostics(report: Report) -> Table:
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


def directions(report: Report) -> Table:
    d = report.directions
    words = {
        "share_leverage_up": "More leverage never lowers the chance",
        "share_opposition_down": "Less opposition never lowers the chance",
    }
    rows = [
        (words.get(k, capital(k.replace("_", " "))), percent(v) if isinstance(v, float) and 0 <= v <= 1 else str(v)) for k, v in d.items()
    ]
    return table(("Direction", "Share of draws"), rows)


def versions(report: Report) -> Table:
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


def freshness(report: Report) -> Table:
    rows = [
        (
            capital(f.series),
            f.newest,
            day_words(f.published) if f.published else None,
            day_words(f.expected_next) if f.expected_next else None,
            f.status,
            f.used_for,
            f.file,
        )
        for f in report.freshness
    ]
    return table(("Series", "Newest", "Published", "Expected next", "Status", "Used for", "File"), rows)


def warnings(report: Report) -> Table:
    rows = [(w.file, count(w.row), w.column, w.text) for w in report.warnings]
    return table(("File", "Row", "Column", "What is odd"), rows, (1,))


def reliability(report: Report) -> Table:
    rows = [(capital(r.field), r.statistic, number(r.value), count(r.n)) for r in report.reliability]
    return table(("Coded twice", "Agreement", "Value", "Records"), rows, (2, 3))
