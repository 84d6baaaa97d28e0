"""The report as one HTML file that asks nothing of the network, and what every page of HTML shares.

A page runs no script and sends nothing: its Content-Security-Policy allows the one style sheet in it, by its digest, and nothing besides.
So no element may have a style attribute of its own. Every text is escaped wherever it is shown.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from forecast import formatting
from forecast.domain import LEVELS
from forecast.report import sentences
from forecast.report.figures import attribution, history, parameters, provenance, questions, readings, scenarios, sensitivity
from forecast.report.figures.catalogue import FIGURES, drawn_figures
from forecast.report.tables import Link
from forecast.storage.text import visible

if TYPE_CHECKING:
    from jinja2 import Environment

    from forecast.report.models.fit import Skip
    from forecast.report.models.forecast import QuestionEntry
    from forecast.report.models.report import Report

SECTIONS: Final = (
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
_SHADES: Final = "".join(f".p{i}{{--p:{i / 100:g}}}" for i in range(101))
"""Classes by which a cell is tinted, since it may have no style of its own: .p7 for a chance of 7 %."""
_FILTERS: Final = (
    "percent", "plain_percent", "headline_percent", "points", "number", "count", "month_words", "day_words", "time_words", "capital",
    "number_word", "bare",
)  # fmt: skip


def render_html(report: Report, drawn: bool = True) -> str:
    """The page. Text of the payload is escaped wherever it stands; only http(s) addresses become links.

    drawn: False for the page without its charts.
    """
    from markupsafe import Markup

    drawings = drawn_figures(report) if drawn else {}
    figures = {figure.name: (figure, Markup(drawings.get(figure.name, ""))) for figure in FIGURES}  # draw() escapes
    first, whole = report.sentences.headline, report.sentences.headline_long
    return page(
        "report.html.j2",
        ("style.css",),
        report=report,
        s=report.sentences,
        question=report.headline_question,
        lead=(first, whole.removeprefix(first).strip()) if whole.startswith(first) else (whole, ""),
        banners=sentences.banners(report),
        skip=_headline_skip(report),
        figures=figures,
        questions=questions,
        readings=readings,
        scenarios=scenarios,
        parameters=parameters,
        attribution=attribution,
        history=history,
        sensitivity=sensitivity,
        provenance=provenance,
        matrix=_matrix(report),
        next_dates=sentences.next_dates(report),
        percent_range=formatting.percent_range,
        bare_range=formatting.bare_range,
        window_words=formatting.window_words,
        title=sentences.TITLE,
        LEVELS=LEVELS,
        SECTIONS=SECTIONS,
    )  # fmt: skip


def _headline_skip(report: Report) -> Skip | None:
    """Whether a rise which reaches the level below the headline's goes on: much of the headline depends on it."""
    level = report.headline_question.level
    return next((s for s in report.skips if s.direction == "up" and level is not None and s.level == level - 1), None)


def _matrix(report: Report) -> dict[str, list[tuple[int, list[QuestionEntry | None]]]]:
    """The ladder's questions by kind: for each level the questions in order of horizon, None where there is none."""
    months = questions.horizons(report)
    return {kind: [(level, [by.get(h) for h in months]) for level, by in questions.by_level(report, kind)] for kind in questions.KINDS}


def page(template: str, sheets: tuple[str, ...], **names: Any) -> str:
    """The page of a template with these style sheets, all of the package; a text among `names` is escaped wherever it is shown."""
    from markupsafe import Markup

    style = _style(sheets)
    return unbroken(_environment().get_template(template).render(style=Markup(style), policy=policy(style), **names))


def policy(style: str) -> str:
    """The Content-Security-Policy of a page whose only `<style>` holds exactly this text."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def unbroken(text: str) -> str:
    """Numbers keep their signs and ranges their ends when lines break. Doing it again changes nothing."""
    return re.sub(r"(?<=[\d%])–(?=[\d<>])", "–\u2060", re.sub(r"(?<=[\d+]) %", "\u00a0%", text))


@cache
def _style(sheets: tuple[str, ...]) -> str:
    folder = files("forecast.report").joinpath("templates")
    return unbroken("\n".join([*(folder.joinpath(name).read_text(encoding="utf-8") for name in sheets), _SHADES]))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    env = Environment(
        loader=PackageLoader("forecast.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=_shown,
    )  # fmt: skip
    env.filters |= {name: getattr(formatting, name) for name in _FILTERS}
    env.filters["link"] = lambda url, text: Link(text, url)
    return env


def _shown(value: Any) -> Any:
    """A value of a template before it is escaped: a text without the characters that no page may hold."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
