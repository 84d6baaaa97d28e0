"""The page is drawn once before a fit, with the workspace's texts: what cannot be shown costs no minutes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from forecast.data.records import Record
from forecast.data.tables import RECORDS, Data, rows
from forecast.errors import InputError, Problem
from forecast.forecasting.scenarios.specification import Scenario
from forecast.storage.characters import character_name, refused_character


def rehearse(data: Data, scenarios: Sequence[Scenario]) -> None:
    """Draw the page and its Markdown from the texts of a workspace and invented numbers, and drop them.

    InputError (exit code 3) that names every text with a character that no page can show.
    """
    if problems := [*_of_tables(data), *_of_settings(data), *_of_scenarios(scenarios)]:
        raise InputError.of(problems)
    from forecast.report.charts.svg import PAGE
    from forecast.report.dummy import dummy
    from forecast.report.html import render_html
    from forecast.report.markdown import render_markdown

    report = dummy(data, scenarios)
    render_html(report, (PAGE,))  # a phone's charts hold the same texts
    render_markdown(report)


def _of_tables(data: Data) -> Iterator[Problem]:
    for name, record in RECORDS.items():
        for row in rows(data, name):
            yield from _refused(record.file, row.model_dump(), _key(row))


def _key(row: Record) -> str:
    """What names a row for a person: the cells of its key."""
    return " ".join(str(getattr(row, column)) for column in row.key)


def _of_settings(data: Data) -> Iterator[Problem]:
    yield from _refused("questions.toml", data.questions.model_dump())
    for key, source in data.sources.items():
        yield from _refused("sources.toml", {key: source.model_dump()})


def _of_scenarios(scenarios: Sequence[Scenario]) -> Iterator[Problem]:
    for scenario in scenarios:
        yield from _refused(f"{scenario.name}.toml", scenario.says.model_dump())


def _refused(file: str, cells: Mapping[str, Any], row: str = "") -> Iterator[Problem]:
    for place, text in _texts(cells):
        if character := refused_character(text):
            where = f" in {row}" if row and row not in text else ""
            yield Problem(
                file,
                f"the character {character_name(character)}{where}",
                "only characters that can be shown",
                "Take it out: it is not visible, but it would damage the report.",
                column=place,
            )


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text of nested tables with its place, as in `companion.designation.text`."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, place)
