"""What every page of HTML shares: templates in which each text is escaped, the style, and a policy that forbids all else.

A page runs no script, asks nothing of the network and sends nothing: its Content-Security-Policy allows the one style sheet in it, by its
digest, and nothing besides. So no element may have a style attribute of its own.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from forecast.report import words
from forecast.report.tables.table import Link
from forecast.storage.text import visible

if TYPE_CHECKING:
    from jinja2 import Environment

_SHADES: Final = "".join(f".p{i}{{--p:{i / 100:g}}}" for i in range(101))
"""Classes by which a cell is tinted, since it may have no style of its own: .p7 for a chance of 7 %."""


def page(template: str, sheets: tuple[str, ...], **names: Any) -> str:
    """The page of a template with these style sheets, all of the package; a text among `names` is escaped wherever it is shown."""
    from markupsafe import Markup

    style = _style(sheets)
    return unbroken(_environment().get_template(template).render(style=Markup(style), policy=policy(style), **names))


def policy(style: str) -> str:
    """The Content-Security-Policy of a page whose only `<style>` holds exactly this text."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def unbroken(page: str) -> str:
    """Numbers keep their signs and ranges their ends when lines break. Doing it again changes nothing."""
    return re.sub(r"(?<=[\d%])–(?=[\d<>])", "–\u2060", re.sub(r"(?<=[\d+]) %", "\u00a0%", page))


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
    for name in (
        "percent", "plain_percent", "headline_percent", "points", "number", "count", "month_words", "day_words", "time_words", "capital",
        "number_word", "bare",
    ):  # fmt: skip
        env.filters[name] = getattr(words, name)
    env.filters["link"] = lambda url, text: Link(text, url)
    return env


def _shown(value: Any) -> Any:
    """A value of a template before it is escaped: a text without the characters that no page may hold."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
