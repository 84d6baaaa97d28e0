"""Markdown and the terminal: well formed, escaped, within the width."""

import copy
import re

import pytest
from markdown_it import MarkdownIt

from forecast.errors import InputError
from forecast.report.figures.scenarios import next_dates_table
from forecast.report.files import check_version
from forecast.report.markdown import render_markdown
from forecast.report.sentences import build_sentences
from forecast.report.tables import Link, markdown_table, table
from forecast.report.text_view import render_text
from tests.fixtures.report_example import as_report, report_example


def test_every_markdown_table_has_as_many_cells_in_each_row() -> None:
    lines = render_markdown(as_report()).splitlines()
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
    report = as_report()
    text = render_text(report, width)
    assert max(len(line) for line in text.splitlines()) <= width
    squeezed = " ".join(text.split())
    assert report.sentences.headline_long in squeezed
    assert "4 or above" in text
    assert "8.1 %" in text
    assert "Gate: pass" in text
    assert "overdose deaths, provisional" in squeezed


def test_the_terminal_prints_no_control_characters() -> None:
    report = report_example()
    report["sentences"]["headline_long"] += " \x1b[31mred\x07"
    report["readings"][0]["name"] = "ma\x1bin"
    assert not any(ord(c) < 32 and c != "\n" for c in render_text(as_report(report)))


def test_a_refused_fit_is_said_first() -> None:
    report = report_example()
    report["diagnostics"].update(status="fail", reasons=["12 divergences"])
    refused = as_report(report)
    assert render_text(refused).startswith("THE GATE REFUSED THIS FIT. 12 divergences")
    assert "**The gate refused this fit.** 12 divergences" in render_markdown(refused)


def test_sentences_follow_the_numbers() -> None:
    report = copy.deepcopy(report_example())
    next(q for q in report["questions"] if q["id"] == report["headline"])["probability"] = 0.0027
    report["readings"][3]["headline"] = 0.52
    report["multiverse"] = [row for row in report["multiverse"] if row["group"] != "disputed act"]
    sentences = build_sentences(as_report(report))
    assert sentences.headline.startswith("About 0.3 %:")
    assert sentences.range_readings.endswith("from 4 % to 52 %")
    assert sentences.disputed_act == ""
    assert ";;" not in sentences.headline_long.replace("; ;", ";;")
    report["ladder"][4]["ever_observed"] = True
    assert "has been observed here" in build_sentences(as_report(report)).never_observed


def test_choices_of_an_earlier_fit_are_said_to_be_so() -> None:
    """A forecast without a fit shows the multiverse table of the run whose draws it weights, beside that run's number and not its own."""
    report = copy.deepcopy(report_example())
    own = build_sentences(as_report(report))
    run = "20261024-140211-77aa"
    report["draws_source"] = {"fitted_in": run, "k_hat": 0.1, "ess": 1_900.0}
    weighted = as_report(report)
    sentences = build_sentences(weighted)
    assert sentences.disputed_act == f"in the fit of run {run}, {own.disputed_act}"
    assert sentences.range_pressure.startswith(f"other scales of pressure put the main reading of the fit of run {run} (6 %) between ")
    choices = [text for text in sentences.what_would_change if text.startswith("Another choice of method")]
    assert choices
    assert all(text.endswith(f"under the main reading of the fit of run {run} (6 %).") for text in choices)
    assert f"Main reading of the fit of run {run} 6 %;" in " ".join(render_text(weighted).split())


def test_a_headline_without_its_question_is_an_error() -> None:
    report = report_example()
    report["headline"] = "reach-9-1m"
    with pytest.raises(KeyError, match="reach-9-1m"):
        build_sentences(as_report(report))


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
    shown = [row[1] for row in next_dates_table(as_report(report)).rows]
    assert "CDC release" not in shown
    assert shown[-1] == "Late but acting"
    assert "Far 12" not in shown
    assert len(shown) < len(report["calendar"])


def test_a_report_of_another_form_is_named_as_such() -> None:
    with pytest.raises(InputError, match=r"another version of this program. Its report has form 1; this version reads 3."):
        check_version({**report_example(), "schema_version": "1"}, "20261124T141503Z-aaaaaa")
