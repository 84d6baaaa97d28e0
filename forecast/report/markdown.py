"""The report as Markdown: short enough to forward, with the tables that carry it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from forecast.report import what_moved, words
from forecast.report.tables import chances, evidence, model
from forecast.report.tables import moved as moved_tables
from forecast.report.tables import sensitivity as made
from forecast.report.tables import standing as ledger
from forecast.report.tables.table import Cell, Link, Table
from forecast.storage.markup import markdown_bold, markdown_inline, markdown_link, markdown_text

Report = Mapping[str, Any]


def _cell(value: Cell) -> str:
    return markdown_link(value.text, value.url) if isinstance(value, Link) else markdown_inline(value)


def markdown_table(t: Table) -> str:
    """A pipe table; empty if there are no rows."""
    if not t.rows:
        return ""
    rule = ["---:" if i in t.numeric else "---" for i in range(len(t.columns))]
    lines = [[markdown_inline(c) for c in t.columns], rule, *([_cell(value) for value in row] for row in t.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {markdown_text(line)}" for line in lines)


def _stakes(report: Report) -> str:
    parts = []
    for side, kinds in evidence.stakes(report).items():
        for kind, rows in kinds.items():
            lines = [
                f"- {markdown_bold(a['argument'])} ({markdown_inline(a['status'])}): {markdown_inline(a['evidence'])}"
                + (f" — {markdown_inline(a['figure'])}" if a["figure"] else "")
                + (f". {markdown_link(a['source'], a['url'])}" if a["source"] else "")
                for a in rows
            ]
            parts.append(f"### {markdown_text(side)}: {markdown_inline(kind)}\n\n" + ("\n".join(lines) or "None is listed."))
    return "\n\n".join(parts)


def _warnings(report: Report) -> str:
    lines = []
    if report["diagnostics"]["status"] != "pass":
        lines.append(f"**The gate refused this fit.** {markdown_inline('; '.join(report['diagnostics']['reasons']))}")
    if report["stale"]:
        lines.append(f"**This forecast is stale**: it knows nothing after {words.month_words(report['origin'])}.")
    if report["as_of"]:
        lines.append(f"As of {words.day_words(report['as_of'])}: only what was published by then.")
    return "\n\n".join(lines)


def _moved(report: Report) -> str:
    told = what_moved.summary(report)
    if not told:
        return ""
    alarm = markdown_bold(what_moved.alarm(report))
    below = f"~: cannot be told from noise. {what_moved.aside(report)}"
    body = (alarm, markdown_text(told), markdown_table(moved_tables.parts(report)), markdown_text(below.strip()))
    return "\n\n".join(part for part in body if part)


def _made(report: Report) -> str:
    priors, blocks = markdown_table(made.priors_short(report)), markdown_table(made.data_short(report))
    flips = f"Where it flips, if an effect were known:\n\n{markdown_table(made.flips(report))}"
    said = (markdown_text(text) for text in (made.swept(report), made.shared_bias(report)) if text)
    return "\n\n".join([markdown_text(made.verdict(report)), priors, blocks, flips, *said])


def _sources(report: Report) -> str:
    lines = []
    for s in report["sources"]:
        texts = (markdown_inline(s[key]) for key in ("what", "citation", "terms"))
        lines.append(f"- {markdown_link(s['name'], s['url'])}: {'. '.join(texts)}.")
    return "\n".join(lines)


def _sections(report: Report) -> Iterable[tuple[str, str]]:
    d = report["diagnostics"]
    yield "What would change our mind", bullets(report["sentences"]["what_would_change"])
    yield "What moved it", _moved(report)
    yield "The ladder, by horizon", markdown_table(chances.ladder_short(report))
    yield "Readings of the record", markdown_table(chances.readings(report))
    yield "The main reading under other defensible choices", markdown_table(chances.multiverse(report))
    yield "Changes of level in the main reading", markdown_table(evidence.changes(report))
    yield "Events that moved it", markdown_table(evidence.events(report))
    yield "What the data changed", f"{markdown_table(chances.moved(report))}\n\n{markdown_table(model.parameters_short(report))}"
    yield "Steps that go on", markdown_table(model.skips(report))
    yield "Replicated histories", markdown_table(model.replicates(report))
    yield "What the number is made of", _made(report)
    yield "Asked and answered", markdown_table(evidence.asked(report))
    yield "What concessions bought", markdown_table(evidence.concessions(report))
    yield "What it would mean for both countries", _stakes(report)
    yield "Scenarios", markdown_table(chances.scenarios(report))
    yield "Questions that resolve often", markdown_table(chances.companions(report))
    yield "How such numbers have done", f"{markdown_text(ledger.summary(report))}\n\n{markdown_table(ledger.standing(report))}".strip()
    yield "The calendar ahead", markdown_table(evidence.calendar_next(report))
    yield "Diagnostics", f"The gate says {markdown_bold(d['status'])}.\n\n{markdown_table(model.diagnostics(report))}"
    yield "Freshness of the data", markdown_table(evidence.freshness(report))
    yield "What is odd in the data", markdown_table(evidence.warnings(report))
    yield "Definitions", "\n".join(f"- {markdown_bold(x['term'])}: {markdown_inline(x['text'])}" for x in report["definitions"])
    yield "How a question resolves", markdown_text(report["resolution"])
    yield "Limitations", bullets(report["limitations"])
    yield "Sources", _sources(report)


def render_markdown(report: Report) -> str:
    """The whole document. Text of the payload is escaped; sections without content are left out."""
    first, whole = report["sentences"]["headline"], report["sentences"]["headline_long"]
    run = f"Run {report['run_id']}, made {report['created']}, model version {report['model_version']}, seed {report['seed']}."
    parts = [
        "# Will Mexico tolerate US operations against cartels on its soil?",
        f"{markdown_bold(first)} {markdown_inline(whole.removeprefix(first))}",
        _warnings(report),
        *(f"## {title}\n\n{body}" for title, body in _sections(report) if body),
        f"---\n\n{markdown_text(run)}",
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"
