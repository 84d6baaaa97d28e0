"""The report as Markdown: short enough to forward, with the tables that carry it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from forecast.report.figures import attribution, history, parameters, provenance, questions, readings, scenarios, sensitivity
from forecast.report.sentences import TITLE, banners
from forecast.report.tables import markdown_table
from forecast.storage.markup import markdown_bold, markdown_inline, markdown_link, markdown_text

if TYPE_CHECKING:
    from forecast.report.models.report import Report


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {markdown_text(line)}" for line in lines)


def render_markdown(report: Report) -> str:
    """The whole document. Text of the payload is escaped; sections without content are left out."""
    first, whole = report.sentences.headline, report.sentences.headline_long
    run = f"Run {report.run_id}, made {report.created}, model version {report.model_version}, seed {report.seed}."
    parts = [
        f"# {TITLE}",
        f"{markdown_bold(first)} {markdown_inline(whole.removeprefix(first))}",
        *(f"{markdown_bold(strong)} {markdown_inline(text)}".strip() for strong, text in banners(report)),
        *(f"## {title}\n\n{body}" for title, body in _sections(report) if body),
        f"---\n\n{markdown_text(run)}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sections(report: Report) -> Iterator[tuple[str, str]]:
    yield "What would change our mind", bullets(report.sentences.what_would_change)
    yield "What moved it", _attribution(report)
    yield "The ladder, by horizon", markdown_table(questions.short_ladder_table(report))
    yield "Readings of the record", markdown_table(readings.readings_table(report))
    yield "The main reading under other defensible choices", markdown_table(readings.multiverse_table(report))
    yield "Changes of level in the main reading", markdown_table(history.changes_table(report))
    yield "Events that moved it", markdown_table(history.events_table(report))
    before_and_after = (questions.prior_and_forecast_table(report), parameters.short_parameters_table(report))
    yield "What the data changed", "\n\n".join(map(markdown_table, before_and_after))
    yield "Changes that skip a level", markdown_table(parameters.skips_table(report))
    yield "Simulated histories", markdown_table(parameters.replicates_table(report))
    yield "What the number is made of", _sensitivity(report)
    yield "Asked and answered", markdown_table(scenarios.episodes_table(report))
    yield "What concessions brought", markdown_table(scenarios.concessions_table(report))
    yield "What it would mean for both countries", _stakes(report)
    yield "Scenarios", markdown_table(scenarios.scenarios_table(report))
    yield "Questions that resolve often", markdown_table(questions.companions_table(report))
    performance = (markdown_text(questions.past_performance_summary(report)), markdown_table(questions.past_performance_table(report)))
    yield "How earlier numbers did", "\n\n".join(performance).strip()
    yield "The calendar ahead", markdown_table(scenarios.next_dates_table(report))
    gate = f"The gate says {markdown_bold(report.diagnostics.status)}."
    yield "Diagnostics", f"{gate}\n\n{markdown_table(provenance.diagnostics_table(report))}"
    yield "Freshness of the data", markdown_table(provenance.freshness_table(report))
    yield "What is unusual in the data", markdown_table(provenance.warnings_table(report))
    yield "Definitions", "\n".join(f"- {markdown_bold(d.term)}: {markdown_inline(d.text)}" for d in report.definitions)
    yield "How a question resolves", markdown_text(report.resolution)
    yield "Limitations", bullets(report.limitations)
    yield (
        "Sources",
        "\n".join(
            f"- {markdown_link(s.name, s.url)}: {'. '.join(map(markdown_inline, (s.what, s.citation, s.terms)))}." for s in report.sources
        ),
    )


def _attribution(report: Report) -> str:
    summary = attribution.attribution_summary(report)
    if not summary:
        return ""
    alarm = markdown_bold(attribution.attribution_alarm(report))
    below = f"{attribution.attribution_marks(report)} {attribution.attribution_aside(report)}"
    body = (alarm, markdown_text(summary), markdown_table(attribution.parts_table(report)), markdown_text(below.strip()))
    return "\n\n".join(part for part in body if part)


def _sensitivity(report: Report) -> str:
    s = report.sensitivity
    tables = [markdown_table(t) for t in (sensitivity.priors_table(s, sensitivity.SHORT), sensitivity.data_table(s, sensitivity.SHORT))]
    flips = (
        f"The value of an effect, if it were known, at which the headline crosses a line:\n\n{markdown_table(sensitivity.flips_table(s))}"
    )
    sentences = (markdown_text(text) for text in (sensitivity.settings_summary(s), sensitivity.shared_bias_summary(s)) if text)
    return "\n\n".join([markdown_text(sensitivity.verdict(s)), *tables, flips, *sentences])


def _stakes(report: Report) -> str:
    parts = []
    for side, kinds in scenarios.stakes_by_side(report).items():
        for kind, stakes in kinds.items():
            lines = [
                f"- {markdown_bold(a.argument)} ({markdown_inline(a.status)}): {markdown_inline(a.evidence)}"
                + (f" — {markdown_inline(a.figure)}" if a.figure else "")
                + (f". {markdown_link(a.source, a.url)}" if a.source else "")
                for a in stakes
            ]
            parts.append(f"### {markdown_text(side)}: {markdown_inline(kind)}\n\n" + ("\n".join(lines) or "None is listed."))
    return "\n\n".join(parts)
