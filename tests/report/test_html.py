"""The page: nothing from the network, nothing unescaped, every chart described and with its table, every number from the payload."""

import base64
import copy
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from forecast.errors import StoreError
from forecast.report.figures.catalogue import FIGURES
from forecast.report.files import write_report_files
from forecast.report.html import SECTIONS, render_html
from forecast.report.models.report import Report
from tests.fixtures.report_example import as_report, report_example, with_sentences

VOID = {"meta", "link", "br", "img", "input", "hr", "path", "line"}
FETCHING = {"src", "srcset", "poster", "data", "action", "formaction", "background", "manifest", "ping", "xlink:href", "cite"}
HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)> & "quoted" \'single\''


class Page(HTMLParser):
    """Every start tag in order with its attributes, the path of open tags, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, Mapping[str, str | None], tuple[str, ...]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.unbalanced.append(tag)
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return plain("".join(self.texts))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u2060", "")


@cache
def html() -> str:
    return render_html(as_report())


@cache
def page() -> Page:
    return Page(html())


def hostile_report() -> Report:
    """The example with markup in every text a person can type, other numbers, and dangerous addresses."""
    report = copy.deepcopy(report_example())

    def poison(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: poison(v) for k, v in value.items()}
        return [poison(v) for v in value] if isinstance(value, list) else f"{value} {HOSTILE}" if isinstance(value, str) else value

    for part in ("history", "asked_answered", "concessions", "stakes", "calendar", "definitions", "limitations", "warnings", "sources"):
        for row in report[part]["events"] + report[part]["changes"] if part == "history" else report[part]:
            if isinstance(row, dict):
                free = {
                    k: v
                    for k, v in row.items()
                    if k
                    in ("what", "why", "short", "argument", "evidence", "figure", "source", "text", "term", "name", "citation", "terms")
                }
                row.update(poison(free))
    report["limitations"] = poison(report["limitations"])
    report["stakes"][0]["url"] = "javascript:alert(1)"
    report["sources"][0]["url"] = "data:text/html,<script>alert(1)</script>"
    report["sources"][1]["url"] = 'https://example.org/"onmouseover="alert(1)'
    for row in (*report["multiverse"], *report["parameters"]):
        row.update({k: poison(row[k]) for k in ("label", "note", "words") if k in row})
    for q in report["questions"]:
        if q["id"] == report["headline"]:
            q["probability"] = 0.3141
    return as_report(with_sentences(report))


@cache
def hostile() -> Page:
    return Page(render_html(hostile_report()))


def test_the_page_is_well_formed() -> None:
    assert page().open == []
    assert page().unbalanced == []
    ids = [a["id"] for _, a, _ in page().tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_nothing_is_fetched() -> None:
    for tag, attributes, _ in page().tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "img", "base", "form", "image", "use")
        assert not FETCHING & attributes.keys()
        href = attributes.get("href")
        assert href is None or (tag == "a" and re.match(r"#|https?://", href))
        assert not any(name.startswith("on") for name in attributes)
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html()))
    assert "@import" not in html()
    assert "@font-face" not in html()


def test_the_policy_allows_the_one_style_sheet_and_nothing_else() -> None:
    sheets = re.findall(r"<style>(.*?)</style>", html(), re.DOTALL)
    assert len(sheets) == 1
    digest = base64.b64encode(hashlib.sha256(sheets[0].encode()).digest()).decode()
    policies = [a["content"] for tag, a, _ in page().tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"]
    assert html().index("Content-Security-Policy") < html().index("<style>")
    assert not any("style" in attributes for _, attributes, _ in page().tags)


def test_a_cell_of_the_ladder_is_tinted_by_its_chance() -> None:
    tinted = [a["class"] or "" for tag, a, path in page().tags if tag == "td" and re.match(r"p\d+", a.get("class") or "")]
    assert "p8 here" in tinted
    assert all(f".{name.split()[0]}{{--p:" in html() for name in tinted)


def test_internal_links_lead_somewhere() -> None:
    ids = {a["id"] for _, a, _ in page().tags if "id" in a}
    for tag, attributes, _ in page().tags:
        href = attributes.get("href") or ""
        if tag == "a" and href.startswith("#"):
            assert href[1:] in ids
    assert all(f"url(#{i})" not in html() or i in ids for i in re.findall(r"url\(#([^)]*)\)", html()))


def test_sections_stand_in_order_and_in_the_table_of_contents() -> None:
    sections = [a["id"] for tag, a, _ in page().tags if tag == "section"]
    assert sections == [anchor for anchor, _ in SECTIONS]
    listed = [a["href"] for tag, a, path in page().tags if tag == "a" and "nav" in path]
    assert listed == [f"#{anchor}" for anchor, _ in SECTIONS]


def test_every_chart_is_described_and_followed_by_its_table() -> None:
    figures = html().split("<figure ")[1:]
    assert len(figures) == len(FIGURES)
    for figure in figures:
        figure = figure.split("</figure>")[0]
        svgs = re.findall(r"<svg [^>]*>", figure)
        assert len(svgs) == 1
        for svg in svgs:
            assert 'role="img"' in svg
            assert re.search(r'aria-label="[^"]{8,}"', svg)
        assert figure.count("<title>") == figure.count("<desc>") == 1
        after = figure[figure.rindex("</svg>") :]
        assert "<details" in after
        assert re.search(r"<tbody>\s*<tr>", after)


def test_charts_take_their_colours_from_the_page() -> None:
    for svg in re.findall(r"<svg .*?</svg>", html(), re.DOTALL):
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?!\))", re.sub(r"url\(#[^)]*\)", "", svg))
        assert not re.search(r'(?:fill|stroke)="(?!var\(|none|transparent)', svg)


@pytest.mark.slow
def test_text_of_the_payload_is_escaped_everywhere() -> None:
    tags = {tag for tag, _, _ in hostile().tags}
    assert tags == {tag for tag, _, _ in page().tags}
    assert all(not name.startswith("on") for _, a, _ in hostile().tags for name in a)
    assert hostile().open == []
    assert hostile().unbalanced == []
    assert hostile().text.count("<script>") > 50


@pytest.mark.slow
def test_only_web_addresses_become_links() -> None:
    hrefs = [a["href"] or "" for tag, a, _ in hostile().tags if tag == "a"]
    assert all(re.match(r"#|https?://", href) for href in hrefs)
    assert any("example.org" in href for href in hrefs)


@pytest.mark.slow
def test_numbers_come_from_the_payload() -> None:
    assert "About 8 %" in page().text
    assert "About 30 %" in hostile().text
    assert "About 8 %" not in hostile().text
    assert "31 %" in hostile().text


def test_templates_hold_no_numbers_in_their_words() -> None:
    folder = Path(__file__).parents[2] / "forecast/report/templates"
    for path in folder.glob("*.j2"):
        words = re.sub(r"\{[{%#].*?[#%}]\}|<[^>]*>|&\w+;", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"\d", words), path.name


def test_the_headline_is_said_with_all_that_belongs_to_it() -> None:
    sentences = report_example()["sentences"]
    for part in ("prior", "disputed_act", "range_readings", "range_pressure", "never_observed"):
        assert sentences[part]
        assert sentences[part] in sentences["headline_long"]
    assert plain(sentences["headline_long"]) in " ".join(page().text.split())


def test_a_stale_or_refused_forecast_says_so() -> None:
    assert "This forecast is stale" in page().text
    assert "refused this fit" not in page().text


def _contrast(a: str, b: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((light(a), light(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_colours_stand_out_in_light_and_dark(scheme: int) -> None:
    blocks = re.findall(r":root \{([^}]*--ink[^}]*)\}", html())
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", blocks[scheme]))
    for name in ("ink", "soft", "one", "two", "three", "four"):
        assert _contrast(colours[name], colours["paper"]) >= 4.5, name


def test_files_are_written_only_when_all_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.report.html.render_html", lambda report: html())
    broken = as_report(headline="reach-4-13m")
    with pytest.raises(StoreError):
        write_report_files(broken, tmp_path)
    assert list(tmp_path.iterdir()) == []
    written: list[str] = []
    paths = write_report_files(as_report(), tmp_path, lambda path, text: written.append(f"{path.name} {len(text)}"))
    assert [p.name for p in paths] == ["report.json", "report.html", "report.md"]
    assert len(written) == 3
