"""The words of the project: the glossary names code that exists, reports use its terms, and retired words appear in no text."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
import tokenize
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import click
import pytest

from forecast import workspace as places
from forecast.cli import main
from forecast.domain import LEVELS
from forecast.report.markdown import render_markdown
from forecast.report.payload.provenance import DEFINITIONS
from tests.cli.test_commands import ALL
from tests.fixtures.report_example import as_report, report_example

ROOT = places.PACKAGE.parent
DOCS = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]}
DOCS.pop("CHANGELOG.md")
GLOSSARY = DOCS["docs/glossary.md"]
ENTRIES = re.findall(r"^- \*\*(.+?)\*\*(.*)\n((?:  .+\n?)+)", GLOSSARY, re.MULTILINE)
TERMS = {word.strip() for term, _, _ in ENTRIES for word in term.split(",")}
NAMES = sorted({name for _, rest, _ in ENTRIES for name in re.findall(r"`([\w.]+)`", rest)})

RETIRED = (
    "a strip", "the strip", "strip of", "strip below", "whole strip", "tellers?", "telescopes?", "climb(s|ed|ing)?", "kin", "tidings",
    "told", "tellings?", "(rests?|resting|rested) on", "puts up with", "humps?", "held against", "looks away", "to one figure",
    "Mexicans execute", "before the record speaks",
)  # fmt: skip


def test_entries_are_in_the_form_that_is_read() -> None:
    assert len(ENTRIES) == len(re.findall(r"^- ", GLOSSARY, re.MULTILINE))
    assert len({term for term, _, _ in ENTRIES}) == len(ENTRIES)
    assert all(re.search(r"`[\w.]+`", rest) for _, rest, _ in ENTRIES)


def exists(name: str) -> bool:
    parts = name.split(".")
    for i in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(["forecast", *parts[:i]]))
        except ModuleNotFoundError:
            continue
        *owners, last = parts[i:] or [""]
        owner = attrgetter(".".join(owners))(module) if owners else module
        return not last or hasattr(owner, last) or last in owner.__annotations__
    return False


def test_the_names_of_the_glossary_exist() -> None:
    assert [name for name in NAMES if not exists(name)] == []


def test_the_report_defines_terms_of_the_glossary() -> None:
    defined = {word.strip().removesuffix(" of a month") for term, _ in DEFINITIONS for word in term.split(",")}
    assert defined <= TERMS
    assert all(level in DOCS["README.md"] for level in LEVELS)


def test_every_term_is_used_where_somebody_reads_it() -> None:
    """In help, a report or another page: a term that nobody meets needs no entry."""
    pages = [text for page, text in DOCS.items() if page != "docs/glossary.md"]
    read = " ".join(" ".join([*pages, *helps().values(), example()]).lower().split())
    assert [term for term in sorted(TERMS) if term.lower() not in read] == []


def helps() -> dict[str, str]:
    """The help of each command, by the command."""
    return {" ".join(path): command.get_help(click.Context(command)) for path, command in [((), main), *ALL.items()]}


def example() -> str:
    return render_markdown(as_report(report_example()))


def texts_of(source: Path) -> Iterator[str]:
    """Every sentence of a module: docstrings, strings with a blank in them, comments. Comments of several lines are one text."""
    with source.open("rb") as file:
        comments = [t for t in tokenize.tokenize(file.readline) if t.type == tokenize.COMMENT]
    for _, block in itertools.groupby(enumerate(comments), key=lambda pair: pair[1].start[0] - pair[0]):
        yield " ".join(token.string.lstrip("# ") for _, token in block)
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value


def retired(text: str) -> list[str]:
    """The retired words of a text, each with what stands around it."""
    flat = " ".join(text.split())
    words = re.compile(rf"(?<![\w-])({'|'.join(RETIRED)})(?![\w-])", re.IGNORECASE)
    return [flat[max(0, hit.start() - 40) : hit.end() + 40] for hit in words.finditer(flat)]


@pytest.mark.parametrize(("text", "is_retired"), [("what it\n rests on", True), ("Both were told", True), ("text.strip()", False)])
def test_a_retired_word_is_recognised(text: str, is_retired: bool) -> None:
    assert bool(retired(text)) == is_retired


SOURCES = sorted([*places.PACKAGE.rglob("*.py"), *places.PACKAGE.rglob("*.j2")])


def test_no_module_uses_a_retired_word() -> None:
    for source in SOURCES:
        texts = texts_of(source) if source.suffix == ".py" else [source.read_text("utf-8")]
        assert [hit for text in texts for hit in retired(text)] == [], source


PAGES = sorted(path for folder in ("data", "priors", "reports") for kind in ("*.md", "*.toml") for path in (ROOT / folder).glob(kind))


def test_no_page_uses_a_retired_word() -> None:
    """Docs, and the comments and texts in the files of data and priors. The changelog keeps the words of its time."""
    for page in [*DOCS, *(path.relative_to(ROOT).as_posix() for path in PAGES)]:
        assert retired((ROOT / page).read_text("utf-8")) == [], page


def test_no_help_and_no_report_uses_a_retired_word() -> None:
    assert {command: hits for command, text in helps().items() if (hits := retired(text))} == {}
    assert retired(example()) == []
