"""The report as one HTML file that asks nothing of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forecast.domain import LEVELS
from forecast.report import sentences, what_moved, words
from forecast.report.charts.svg import SIZES, Size
from forecast.report.figures import FIGURES
from forecast.report.page import page
from forecast.report.tables import chances, evidence, model
from forecast.report.tables import sensitivity as made
from forecast.report.tables import standing as ledger

Report = Mapping[str, Any]

SECTIONS = (
    ("headline", "The headline"),
    ("change", "What would change our mind"),
    ("moved", "What moved it"),
    ("ladder", "The ladder, by horizon"),
    ("readings", "Readings and choices"),
    ("history", "Tolerance over time"),
    ("drivers", "The drivers"),
    ("learnt", "What the data changed"),
    ("made", "What the number is made of"),
    ("asked", "Asked and answered"),
    ("stakes", "What it would mean"),
    ("scenarios", "Scenarios"),
    ("companions", "Questions that resolve often"),
    ("calendar", "The calendar ahead"),
    ("diagnostics", "Diagnostics"),
    ("freshness", "Freshness of the data"),
    ("definitions", "Definitions and resolution"),
    ("limitations", "Limitations"),
    ("sources", "Sources"),
)
"""Anchor and title of each section, in order; the table of contents is made from it."""


def render_html(report: Report, sizes: Sequence[Size] = SIZES) -> str:
    """The page. Text of the payload is escaped wherever it stands; only http(s) addresses become links.

    sizes: for which charts are drawn; a page to be read needs them all.
    KeyError or jinja2's UndefinedError if the payload lacks a part: validate it first.
    """
    from markupsafe import Markup

    figures = {figure.name: (figure, Markup(figure.svg(report, sizes))) for figure in FIGURES}  # draw() escapes
    return page(
        "report.html.j2",
        ("style.css",),
        report=report,
        s=report["sentences"],
        question=sentences.headline_question(report),
        lead=_lead(report),
        beside=_beside(report),
        figures=figures,
        chances=chances,
        evidence=evidence,
        model=model,
        made=made,
        ledger=ledger,
        matrix=_matrix(report),
        moved=_moved(report),
        next_dates=sentences.next_dates(report),
        percent_range=words.percent_range,
        bare_range=words.bare_range,
        window_words=words.window_words,
        LEVELS=LEVELS,
        SECTIONS=SECTIONS,
    )  # fmt: skip


def _lead(report: Report) -> tuple[str, str]:
    """The headline sentence, and what is said in the same breath."""
    first, whole = report["sentences"]["headline"], report["sentences"]["headline_long"]
    return (first, whole[len(first) :].strip()) if whole.startswith(first) else (whole, "")


def _moved(report: Report) -> Mapping[str, str]:
    """What moved it, in words; empty where no run came before."""
    told = what_moved.summary(report)
    return {"summary": told, "alarm": what_moved.alarm(report), "aside": what_moved.aside(report) if told else ""}


def _beside(report: Report) -> Mapping[str, Any] | None:
    """The skip that carries the headline: whether a rise which reaches the level below goes on."""
    level = sentences.headline_question(report)["level"]
    return next((s for s in report["skips"] if s["direction"] == "up" and level is not None and s["level"] == level - 1), None)


def _matrix(report: Report) -> dict[str, list[tuple[int, list[Any]]]]:
    """The ladder's questions by kind: for each level the questions in order of horizon, None where there is none."""
    hs = chances.horizons(report)
    return {kind: [(level, [by.get(h) for h in hs]) for level, by in chances.steps(report, kind)] for kind in chances.KINDS}
