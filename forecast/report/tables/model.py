"""Tables of the model: parameters, skips, replicated histories, diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.report.tables.table import Table, table
from forecast.report.words import capital, count, number, percent, percent_range

Report = Mapping[str, Any]


def parameters(report: Report) -> Table:
    rows = []
    for p in report["parameters"]:
        prior, post = p["prior"], p["posterior"]
        rows.append(
            (
                f"{p['symbol']} ({p['name']})",
                capital(p["words"]),
                p["unit"],
                prior["text"],
                _quantiles(prior),
                f"{number(post['mean'])} ± {number(post['sd'])}",
                _quantiles(post),
                number(p["contraction"]),
                number(p["shift"]),
                "learnt" if p["learnt"] else "prior",
                count(p["transitions"]),
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
    ordered = sorted(report["parameters"], key=lambda p: not p["learnt"])
    rows = [
        (
            p["symbol"],
            capital(p["words"]),
            _quantiles(p["prior"]),
            _quantiles(p["posterior"]),
            f"learnt, {count(p['transitions'])} transitions" if p["learnt"] else "prior",
        )
        for p in ordered
    ]
    return table(("", "In words", "Prior 5 / 50 / 95 %", "Posterior 5 / 50 / 95 %", "What it is"), rows)


def _quantiles(q: Mapping[str, float]) -> str:
    return " / ".join(number(q[k]) for k in ("q05", "q50", "q95"))


def skips(report: Report) -> Table:
    rows = []
    for s in report["skips"]:
        target = s["level"] + (1 if s["direction"] == "up" else -1)
        rows.append(
            (
                f"{'Rise' if s['direction'] == 'up' else 'Fall'} that reaches {s['level']} goes on to {target}",
                percent(s["prior"]["mean"]),
                percent_range(s["prior"]["q05"], s["prior"]["q95"]),
                percent(s["posterior"]["mean"]),
                percent_range(s["posterior"]["q05"], s["posterior"]["q95"]),
                count(s["went_on"]),
                count(s["stopped"]),
            )
        )
    return table(("Step", "Prior", "90 %", "Posterior", "90 %", "Went on here", "Stopped here"), rows, range(1, 7))


def replicates(report: Report) -> Table:
    posterior = {r["statistic"]: r for r in report["replicates"]["posterior"]}
    rows = []
    for r in report["replicates"]["prior"]:
        q = posterior.get(r["statistic"])
        rows.append(
            (
                capital(r["statistic"]),
                number(r["observed"], 3),
                _span(r),
                percent(r["tail_p"]),
                _span(q) if q else None,
                percent(q["tail_p"]) if q else None,
            )
        )
    columns = ("Of the record", "Observed", "Prior 5 / 50 / 95 %", "Prior tail", "Posterior 5 / 50 / 95 %", "Posterior tail")
    return table(columns, rows, range(1, 6))


def _span(r: Mapping[str, float]) -> str:
    return " / ".join(number(r[k], 3) for k in ("q05", "q50", "q95"))


def diagnostics(report: Report) -> Table:
    d = report["diagnostics"]
    rows = [
        ("Gate", d["status"]),
        ("All draws finite", "yes" if d["finite"] else "no"),
        ("Chains × draws", f"{count(d['chains'])} × {count(d['draws'])}"),
        ("Divergences", count(d["divergences"])),
        ("Largest R-hat", number(d["rhat_max"], 4)),
        ("Smallest bulk ESS", count(d["ess_bulk_min"])),
        ("Smallest tail ESS", count(d["ess_tail_min"])),
        ("Smallest E-BFMI", number(d["bfmi_min"])),
        ("Sampled again", "yes" if d["retried"] else "no"),
        ("Constant by definition", ", ".join(d["constant"])),
        ("Reasons", "; ".join(d["reasons"])),
    ]
    return table(("Check (worst over readings)", "Value"), rows)


def directions(report: Report) -> Table:
    d = report["directions"]
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
        ("Run", report["run_id"]),
        ("Made", report["created"]),
        ("Model version", report["model_version"]),
        ("Seed", str(report["seed"])),
        ("Digest of the data", report["data_digest"]),
        ("Digest of the priors", report["priors_digest"]),
        *report["versions"].items(),
    ]
    return table(("What", "Value"), rows)
