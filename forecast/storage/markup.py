"""Text for Markdown and for links: whatever a text holds, it is shown and never acts."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlsplit

from forecast.storage.text import refused_character, visible

_MARKS: Final = re.compile(r"([\\`*\[\]|#~$]|(?<![^\W_])_|_(?![^\W_]))")
"""An underscore within a word marks nothing."""
_CODE: Final = re.compile(r"(`[^`]+`)")
_BLOCK: Final = re.compile(r"^(?=[-+=])|^(\d+)(?=[.)](?: |$))")
_BLANKS: Final = re.compile(r"[ \t\n\r]+")
_OF_ADDRESSES: Final = ":/?#[]@!$&'()*+,;=%-._~"
"""What RFC 3986 lets stand in an address besides letters and digits."""


def markdown_inline(text: str, code: bool = False) -> str:
    """Text within a line or a table's cell that Markdown shows as it is: one line, no markup, no HTML, no link.

    code: what stands between single backticks is set as code, as where the project's own words name a column.
    """
    line = visible(_BLANKS.sub(" ", text)).strip()
    return "".join(part if i % 2 else _escaped(part) for i, part in enumerate(_CODE.split(line))) if code else _escaped(line)


def _escaped(text: str) -> str:
    shown = _MARKS.sub(r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return shown.replace("://", r"\://").replace("www.", r"www\.")  # GitHub makes links of bare addresses


def markdown_text(text: str) -> str:
    """The same at the beginning of a block, where a dash or a number would begin a list."""
    return line_start(markdown_inline(text))


def line_start(line: str) -> str:
    """A line of Markdown that goes on with its paragraph: what would begin a list or underline a heading is escaped."""
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
    """The address as it may stand in a link, percent-encoded where RFC 3986 asks for it; None if it is not http(s) to a host."""
    address = (url or "").strip()
    if refused_character(address, line=True):
        return None
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:  # half of a pair of brackets
        return None
    return quote(address, safe=_OF_ADDRESSES) if host and parts.scheme in ("http", "https") else None
