"""The generator of data/README.md from the data: `python -m forecast.data.data_readme [FOLDER]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any

from forecast.data.freshness import PERIOD_COLUMN
from forecast.data.row_query import PERIOD_COLUMNS
from forecast.data.settings import Source
from forecast.data.tables import RECORDS, Data
from forecast.domain import PartialDate, month_text
from forecast.storage.atomic import replace_file
from forecast.storage.markup import line_start, markdown_bold, markdown_inline, web_address

NAME = "README.md"
WIDTH = 140


HEAD = """# The data

<!-- Written by `python -m forecast.data.data_readme` from the files and sources.toml: change those, not this. -->

Plain CSV and TOML, edited by hand and read strictly: `forecast data check` names every problem with its file, line and column,
`forecast data show FILE` prints and filters. Dates are ISO; in `date` and `published` a month or a year counts as its last day; `start` and
`end` are whole months, both inclusive; a list of ids has `;` between them. What the words mean is in CODEBOOK.md.

| file | rows | period | read through | used as |
|---|---:|---|---|---|"""

BELOW = """
A *driver* moves the forecast, a *check* stands beside one, *context* is only shown. Beside the tables: `coverage.toml` says how far each
file has been read, `sources.toml` where it comes from, `scales.toml` holds the frozen units of the drivers, `questions.toml` the questions
and how they resolve; `scenarios/` holds the what-ifs."""


def readme_text(data: Data) -> str:
    """The text of data/README.md: what each file is, its period, rows, source, use, rule of publication and known flaws."""
    lines = [HEAD, *(_line(data, name) for name in RECORDS), BELOW]
    for name in RECORDS:
        lines += ["", *_section(data, name)]
    return "\n".join(lines) + "\n"


def write_readme(folder: Path, data: Data) -> Path:
    """Write the text into a workspace's `data/`; returns the file."""
    path = folder / NAME
    replace_file(path, readme_text(data).encode(), None)
    return path


def _line(data: Data, name: str) -> str:
    file = RECORDS[name].file
    uses = sorted({source.used_for for source in _sources(data, file).values()}, key=("driver", "check", "context").index)
    cells = f"[`{file}`](#{_anchor(file)})", f"{len(getattr(data, name)):,}", _period(data, name), str(data.coverage[file]), ", ".join(uses)
    return f"| {' | '.join(cells)} |"


def _anchor(heading: str) -> str:
    return heading.lower().replace(".", "")


def _period(data: Data, name: str) -> str:
    if name not in PERIOD_COLUMN:
        return "–"
    first = PERIOD_COLUMNS[name][0]
    starts = [value for row in getattr(data, name) if (value := getattr(row, first)) is not None]
    ends = [value for row in getattr(data, name) if (value := getattr(row, PERIOD_COLUMN[name])) is not None]
    return f"{_text(min(starts, key=_order))} to {_text(max(ends, key=_order))}" if starts and ends else "–"


def _order(value: Any) -> Any:
    return value.last if isinstance(value, PartialDate) else value


def _text(value: Any) -> str:
    return str(value) if isinstance(value, PartialDate) or value < 10_000 else month_text(value)


def _section(data: Data, name: str) -> Iterator[str]:
    record = RECORDS[name]
    yield f"## {record.file}"
    yield ""
    yield from _paragraph(" ".join((record.__doc__ or "").split()))
    yield ""
    for column, field in record.model_fields.items():
        yield from _item(f"`{column}`: {_sentence(field.description or '')}")
    for key, source in _sources(data, record.file).items():
        yield ""
        yield from _source(key, source)


def _source(key: str, source: Source) -> Iterator[str]:
    name = f" (series `{source.series}`)" if source.series else f" (`{key}`)"
    yield from _paragraph(f"{markdown_bold(source.name)}{name}, {source.used_for}.")
    address = web_address(source.url)
    where = f" <{address}>" if address else ""
    lag = f" {source.cadence.capitalize()}, {source.lag_days} days after the period." if source.cadence != "irregular" else ""
    yield from _item(
        f"Source: {_sentence(source.publisher)}{where}{lag} Terms: {_sentence(source.terms)} Cite: {_sentence(source.citation)}"
    )
    yield from _item(f"Published: {_sentence(source.published_rule)}")
    for flaw in source.known_flaws:
        yield from _item(f"Flaw: {_sentence(flaw)}")
    for e in source.expected:
        span = "" if not e.from_ else f" ({e.from_} to {e.to})" if e.to and e.to != e.from_ else f" ({e.from_})"
        yield from _item(f"Expected: {_sentence(f'{e.kind}, {e.what}{span}: {e.why}')}")


def _sources(data: Data, file: str) -> dict[str, Source]:
    return {key: source for key, source in data.sources.items() if source.file == file}


def _sentence(text: str) -> str:
    """A text of a file as a sentence of Markdown."""
    shown = markdown_inline(text, code=True)
    return shown if shown.endswith((".", "!", "?")) else f"{shown}."


def _paragraph(text: str, width: int = WIDTH) -> list[str]:
    """Lines of Markdown, of which none begins a list by where it was broken."""
    return [line_start(line) for line in wrap(text, width, break_long_words=False, break_on_hyphens=False)]


def _item(text: str) -> list[str]:
    first, *others = _paragraph(text, WIDTH - 2)
    return [f"- {first}", *(f"  {line}" for line in others)]


if __name__ == "__main__":
    from forecast.data.read import read_data
    from forecast.errors import InputError

    where = Path(sys.argv[1] if len(sys.argv) > 1 else "data")
    try:
        sys.stdout.write(f"{write_readme(where, read_data(where))}\n")
    except InputError as refused:
        sys.exit(str(refused))
