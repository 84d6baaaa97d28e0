"""The report as one HTML file that asks nothing of the network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from forecast.domain import LEVELS
from forecast.report import sentences, what_moved, words
from forecast.report.figures import FIGURES
from forecast.report.tables import chances, evidence, model
from forecast.report.tables import sensitivity as made
from forecast.report.tables import standing as ledger
from forecast.report.tables.table import Link

if TYPE_CHECKING:
    from jinja2 import Environment

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


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    env = Environment(
        loader=PackageLoader("forecast.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    for name in (
        "percent",
        "plain_percent",
        "headline_percent",
        "points",
        "number",
        "count",
        "month_words",
        "day_words",
        "capital",
        "number_word",
        "bare",
    ):
        env.filters[name] = getattr(words, name)
    env.filters["link"] = lambda url, text: Link(text, url)
    env.globals.update(
        percent_range=words.percent_range,
        bare_range=words.bare_range,
        window_words=words.window_words,
        listed=words.listed,
        LEVELS=LEVELS,
        SECTIONS=SECTIONS,
    )
    return env


def render_html(report: Report) -> str:
    """The page. Text of the payload is escaped wherever it stands; only http(s) addresses become links.

    KeyError or jinja2's UndefinedError if the payload lacks a part: validate it first.
    """
    from markupsafe import Markup

    figures = {figure.name: (figure, Markup(figure.svg(report))) for figure in FIGURES}  # draw() escapes
    page = _environment().get_template("report.html.j2").render(
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
    )  # fmt: skip
    return unbroken(page)


def unbroken(page: str) -> str:
    """Numbers keep their signs and ranges their ends when lines break."""
    return re.sub(r"(?<=[\d%])–(?=[\d<>])", "–\u2060", re.sub(r"(?<=[\d+]) %", "\u00a0%", page))


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
