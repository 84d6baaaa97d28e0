"""Texts escaped for Markdown and links, so that whatever they hold is shown as it is."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlsplit

from forecast.storage.text import refused_character, visible

_MARKS: Final = re.compile(r"([\\`*\[\]|#~$]|(?<![^\W_])_|_(?![^\W_]))")
"""Characters with a meaning in Markdown; an underscore within a word has none."""
_CODE: Final = re.compile(r"(`[^`]+`)")
_BLOCK: Final = re.compile(r"^(?=[-+=])|^(\d+)(?=[.)](?: |$))")
_BLANKS: Final = re.compile(r"[ \t\n\r]+")
_OF_ADDRESSES: Final = ":/?#[]@!$&'()*+,;=%-._~"
"""The characters that RFC 3986 allows in an address besides letters and digits."""


def markdown_inline(text: str, code: bool = False) -> str:
    """The text escaped for a line or a cell of a table: one line, no markup, no HTML, no link.

    code: text between single backticks is set as code.
    """
    line = visible(_BLANKS.sub(" ", text)).strip()
    return "".join(part if i % 2 else _escaped(part) for i, part in enumerate(_CODE.split(line))) if code else _escaped(line)


def _escaped(text: str) -> str:
    shown = _MARKS.sub(r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return shown.replace("://", r"\://").replace("www.", r"www\.")  # GitHub makes links of bare addresses


def markdown_text(text: str) -> str:
    """The same at the beginning of a paragraph, where a dash or a number would begin a list."""
    return line_start(markdown_inline(text))


def line_start(line: str) -> str:
    """A line of Markdown within a paragraph: what would begin a list or underline a heading is escaped."""
    return _BLOCK.sub(r"\1\\", line)


def markdown_bold(text: str) -> str:
    """The text in bold; nothing for a blank text, whose stars would be a rule across the page."""
    shown = markdown_inline(text)
    return f"**{shown}**" if shown else ""


def markdown_link(text: str, url: str | None) -> str:
    """A link to an address of the web; only the text if it is none."""
    target = web_address(url)
    return f"[{markdown_inline(text)}](<{target.replace('&', '&amp;')}>)" if target else markdown_inline(text)


def web_address(url: str | None) -> str | None:
    """The address for a link, percent-encoded where RFC 3986 requires it; None if it is not http(s) to a host."""
    address = (url or "").strip()
    if refused_character(address, line=True):
        return None
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:  # half of a pair of brackets
        return None
    return quote(address, safe=_OF_ADDRESSES) if host and parts.scheme in ("http", "https") else None
