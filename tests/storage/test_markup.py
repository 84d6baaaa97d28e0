"""Text in Markdown comes back as it was when a CommonMark parser reads it, wherever it stands; addresses of the web alone become links."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from forecast.data.data_readme import _item, _paragraph
from forecast.report.diff_view import _markdown
from forecast.report.markdown import bullets
from forecast.report.tables import markdown_table, table
from forecast.storage.markup import markdown_bold, markdown_inline, markdown_link, markdown_text, web_address
from forecast.storage.text import refused_character, visible

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKS = (
    "#", "# x", "- x", "+", "1. x", "12)", "---", "===", "***", "~~x~~", "```", "> x", "<b>", "<!--", "&amp;", "&#35;", "[a](b)",
    "![", "]: x",
    "*x*", "_x_", "a_b", "__", "`x`", "\\", "|", "\\|", "    x", "\t", "\n\n", "  \n", "https://example.org", "<https://example.org>",
    "$x$",
    "www.example.org", "\x00", "\x1b[31m", "\u202e", "\u2028", "\u00a0", "😀", "שלום",
)  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(MARKS), st.text(max_size=8)), min_size=1, max_size=6).map("".join)
PLACES: dict[str, tuple[Callable[[str], str], set[str]]] = {
    "paragraph": (markdown_text, {"p"}),
    "bold": (lambda text: f"{markdown_bold(text)} x", {"p", "strong"}),
    "item": (lambda text: bullets([text]), {"ul", "li"}),
    "heading": (lambda text: f"### {markdown_inline(text)}", {"h3"}),
    "difference": (_markdown, {"p"}),
    "cell": (
        lambda text: markdown_table(table(("x",), [(text,)])), {"table", "thead", "tbody", "tr", "th", "td"},
    ),
    "link": (lambda text: markdown_link(text, "https://example.org/a?b=1|2&copy;3"), {"p", "a"}),
    "wrapped paragraph": (lambda text: "\n".join(_paragraph(markdown_inline(text), 12)), {"p"}),
    "wrapped item": (lambda text: "\n".join(_item(markdown_inline(text))), {"ul", "li"}),
}  # fmt: skip


class Read(HTMLParser):
    """The tags and the text of rendered Markdown."""

    def __init__(self, markdown: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.text = ""
        self.feed(PARSER.render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def one_line(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", visible(text)).strip()


@settings(max_examples=40)
@given(text=TEXTS)
@example(text="\\|")
@example(text="a\\")
@example(text="Mexico - which\n1. never\n--- agreed")
def test_a_text_comes_back_and_brings_nothing_along(text: str) -> None:
    expected = one_line(text)
    if not expected:
        return
    for place, (write, tags) in PLACES.items():
        result = Read(write(text))
        assert result.tags <= tags, place
        output = one_line(result.text.replace("\n", " "))
        output = output.removesuffix(" x") if place == "bold" else output.removeprefix("x ") if place == "cell" else output
        assert output == expected, place


def test_plain_words_stay_readable_as_they_are_written() -> None:
    for plain in ("Mérida, 20 % (2014–15)", "opposition.poll_noise = HalfNormal(0.02)", "2.5 points + 3", "1 234"):
        assert markdown_text(plain) == plain


def test_bare_addresses_do_not_become_links_on_github() -> None:
    assert markdown_inline("see https://www.example.org") == r"see https\://www\.example.org"


def test_a_blank_text_in_bold_is_no_rule() -> None:
    assert markdown_bold(" \n") == ""


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "file:///etc/passwd",
        "//example.org", "",
        "https:", "http://", "https:///x", "https://exa\x00mple.org", "https://example.org/\u202ex",
        "https://[", "ftp://example.org", None, " ",
        "\x01javascript:alert(1)", "vbscript:x",
    ],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_no_link(url: str | None) -> None:
    assert web_address(url) is None
    assert markdown_link("name", url) == "name"


def test_an_address_of_the_web_is_encoded_where_it_must_be() -> None:
    assert web_address(" https://example.org/a?b=1&c=%20#d ") == "https://example.org/a?b=1&c=%20#d"
    assert web_address('http://example.org/"><script> |\\`{}') == "http://example.org/%22%3E%3Cscript%3E%20%7C%5C%60%7B%7D"
    assert web_address("https://example.org/2014–15") == "https://example.org/2014%E2%80%9315"


@given(TEXTS)
def test_no_address_leaves_its_link(text: str) -> None:
    address = f"https://example.org/{text}"
    result = web_address(address)
    if refused_character(address.strip(), line=True):
        assert result is None
    elif result is not None:
        assert re.fullmatch(r"[!#-;=?-\[\]_a-z~]*", result)
        assert Read(markdown_link("name", address)).text.strip() == "name"
