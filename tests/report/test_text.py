"""Markdown and the terminal: well formed, escaped, within the width."""

import copy
import re

import pytest
from forecast.report.read import render
from forecast.report.tables.evidence import calendar_next
from forecast.report.tables.table import Link, table
from forecast.report.terminal import headline_table
from markdown_it import MarkdownIt

from forecast.errors import InputError
from forecast.report.markdown import markdown_table, render_markdown
from forecast.report.sentences import build_sentences, headline_question
from tests.fixtures.report_example import report_example


def test_every_markdown_table_has_as_many_cells_in_each_row() -> None:
    lines = render_markdown(report_example()).splitlines()
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("|"):
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    tables = [b for b in blocks if b]
    assert len(tables) > 12
    for block in tables:
        cells = {len(re.split(r"(?<!\\)\|", line)) for line in block}
        assert len(cells) == 1
        assert re.fullmatch(r"\|( ---:? \|)+", block[1])
    parsed = MarkdownIt("commonmark").enable("table").parse("\n".join(lines))
    assert sum(token.type == "table_open" for token in parsed) == len(tables)


def test_markdown_shows_text_as_it_is() -> None:
    bad = "a|b <script>x</script> [click](javascript:x) *star* _low_ `tick` # & \\ \n next"
    text = markdown_table(table(("A", "B"), [(bad, Link("x](y", "javascript:alert(1)"))]))
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = [child for token in tokens if token.children for child in token.children]
    assert {child.type for child in inline} == {"text"} | {child.type for child in inline if child.type == "text_special"}
    assert "".join(child.content for child in inline if child.content).startswith("ABa|b <script>x</script> [click](javascript:x) *star*")
    assert len(text.splitlines()) == 3


def test_markdown_links_only_web_addresses() -> None:
    text = markdown_table(table(("A",), [(Link("name", "https://example.org/a?b=1|2"),), (Link("name", "file:///etc"),)]))
    assert "[name](<https://example.org/a?b=1%7C2>)" in text
    assert "file:" not in text


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 2 cells"):
        table(("A", "B"), [("only one",)])


@pytest.mark.parametrize("width", [50, 80, 120])
def test_the_terminal_table_keeps_its_width(width: int) -> None:
    report = report_example()
    text = headline_table(report, width)
    assert max(len(line) for line in text.splitlines()) <= width
    squeezed = " ".join(text.split())
    assert report["sentences"]["headline_long"] in squeezed
    assert "4 or above" in text
    assert "8.1 %" in text
    assert "Gate: pass" in text
    assert "overdose deaths, provisional" in squeezed


def test_the_terminal_prints_no_control_characters() -> None:
    report = report_example()
    report["sentences"]["headline_long"] += " \x1b[31mred\x07"
    report["readings"][0]["name"] = "ma\x1bin"
    assert not any(ord(c) < 32 and c != "\n" for c in headline_table(report))


def test_a_refused_fit_is_said_first() -> None:
    report = report_example()
    report["diagnostics"].update(status="fail", reasons=["12 divergences"])
    assert headline_table(report).startswith("THE GATE REFUSED THIS FIT: 12 divergences")
    assert "**The gate refused this fit.** 12 divergences" in render_markdown(report)


def test_sentences_follow_the_numbers() -> None:
    report = copy.deepcopy(report_example())
    headline_question(report)["probability"] = 0.0027  # type: ignore[index]
    report["readings"][3]["headline"] = 0.52
    report["multiverse"] = [row for row in report["multiverse"] if row["group"] != "disputed act"]
    said = build_sentences(report)
    assert said["headline"].startswith("About 0.3 %:")
    assert said["range_readings"].endswith("from 4 % to 52 %")
    assert said["disputed_act"] == ""
    assert ";;" not in said["headline_long"].replace("; ;", ";;")
    report["ladder"][4]["ever_observed"] = True
    assert "has been observed here" in build_sentences(report)["never_observed"]


def test_choices_of_an_earlier_fit_are_said_to_be_so() -> None:
    """A forecast without a fit shows the strip of the one whose draws it weighs, beside that one's number and not its own."""
    report = copy.deepcopy(report_example())
    own = build_sentences(report)
    run = "20261024-140211-77aa"
    report["rests_on"] = {"fitted_in": run, "k_hat": 0.1, "ess": 1_900.0}
    said = build_sentences(report)
    assert said["disputed_act"] == f"in the fit of run {run}, {own['disputed_act']}"
    assert said["range_pressure"].startswith(f"other scales of pressure put the main reading of the fit of run {run} (6 %) between ")
    choices = [text for text in said["what_would_change"] if text.startswith("Another choice of method")]
    assert choices
    assert all(text.endswith(f"under the main reading of the fit of run {run} (6 %).") for text in choices)
    assert f"Main reading of the fit of run {run} 6 %;" in " ".join(headline_table(report).split())


def test_a_headline_without_its_question_is_an_error() -> None:
    report = report_example()
    report["headline"] = "reach-9-1m"
    with pytest.raises(KeyError, match="reach-9-1m"):
        build_sentences(report)


def test_the_calendar_shows_what_acts_and_what_is_near() -> None:
    report = report_example()
    releases = [
        {"date": f"2026-{m:02d}", "what": "CDC release", "effect": "none", "probability": None, "channel": "overdose"} for m in range(7, 13)
    ]
    far = [
        {"date": f"2028-{m:02d}-01", "what": f"Far {m}", "effect": "none", "probability": None, "channel": "political"}
        for m in range(1, 13)
    ]
    late = [{"date": "2028-12-31", "what": "Late but acting", "effect": "ends", "probability": 0.5, "channel": "economic"}]
    report["calendar"] += releases + far + late
    shown = [row[1] for row in calendar_next(report).rows]
    assert "CDC release" not in shown
    assert shown[-1] == "Late but acting"
    assert "Far 12" not in shown
    assert len(shown) < len(report["calendar"])


@pytest.mark.parametrize("form", ["text", "html", "markdown"])
def test_a_report_of_another_form_is_told_as_such(form: str) -> None:
    with pytest.raises(InputError, match="another version of this program"):
        render({**report_example(), "schema_version": "1"}, form)
