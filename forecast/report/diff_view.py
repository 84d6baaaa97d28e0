"""What differs between two runs, for a terminal and as Markdown, from the document that `forecast diff` makes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from forecast.formatting import fixed_points, listed, number, percent
from forecast.report.figures.attribution import BESIDE
from forecast.report.tables import Row, Table, markdown_table, shortened, table, text_table
from forecast.storage.markup import markdown_inline, markdown_text
from forecast.storage.text import visible

type Document = Mapping[str, Any]
"""What `forecast diff --json` prints, or a part of it."""
type Block = str | Table | list[str]
"""A sentence, a table, or lines."""

MAX_RECORDS: Final = 12
MAX_VALUES: Final = 3
"""So many records of one file are listed, and so many values of series; of more, the rest is counted."""
SERIES: Final = frozenset({"overdose_final.csv", "overdose_releases.csv", "indicators.csv", "coding_second.csv", "reference_spells.csv"})
RELATED: Final = ("reach-3-12m", "reach-4-3m", "reach-4-6m", "reach-4-12m", "reach-4-24m", "reach-5-12m", "fall-1-12m", "fall-0-12m")
"""Questions shown unless all are asked for: the headline and related ones."""


def render_diff(diff: Document, form: str, everything: bool = False, width: int = 80) -> str:
    """The differences as `text`, in lines of at most `width`, or as `markdown`."""
    a, b = diff["a"], diff["b"]
    title = f"{a['run_id']} → {b['run_id']}"
    sections = [(name, [block for block in blocks if block]) for name, blocks in _sections(diff, everything)]
    if form == "markdown":
        bodies = [f"### {name}\n\n" + "\n\n".join(_markdown(block) for block in blocks) for name, blocks in sections if blocks]
        return "\n\n".join([f"## What differs: {markdown_inline(title)}", *bodies]) + "\n"
    texts = [f"{name}\n" + "\n\n".join(_text(block, width) for block in blocks) for name, blocks in sections if blocks]
    return "\n\n".join([title, *texts]) + "\n"


def _sections(diff: Document, everything: bool) -> Iterator[tuple[str, list[Block]]]:
    yield "Runs", [_runs(diff)]
    yield "Data", list(_data(diff, everything))
    yield "Priors", [_priors(diff)]
    yield "Settings", [_settings(diff)]
    yield "Code", [_code(diff)]
    yield "Diagnostics", [_diagnostics(diff)]
    yield "Forecast", [_forecast(diff, everything)]
    yield "Not recorded", [[str(text) for text in diff["lacks"]]]


def _runs(diff: Document) -> Block:
    a, b = diff["a"], diff["b"]
    rows = [
        (key.replace("_", " "), _text_of(a[key]), _text_of(b[key])) for key in ("created", "origin", "as_of", "seed") if a[key] or b[key]
    ]
    return table(("", "A", "B"), rows)


def _data(diff: Document, everything: bool) -> Iterator[Block]:
    data = diff["data"]
    if data is None:
        yield "The same values." if diff["same_data"] else "Different; the runs do not record which rows."
        return
    if not (data["rows"] or data["coverage"] or data["settings"]):
        yield _SAME
        return
    if diff["same_data"]:
        yield "The same values; only texts differ."
    for file in dict.fromkeys(row["file"] for row in data["rows"]):
        yield _rows(file, [row for row in data["rows"] if row["file"] == file], everything)
    if data["coverage"]:
        yield _coverage(data["coverage"])
    if data["settings"]:
        yield table(("Setting", "A", "B"), [(name, old or None, new or None) for name, (old, new) in data["settings"].items()])


def _coverage(coverage: Mapping[str, Sequence[str | None]]) -> list[str]:
    """Files that go further, by from when to when."""
    spans: dict[str, list[str]] = {}
    for file, (old, new) in coverage.items():
        spans.setdefault(f"{_text_of(old)} → {_text_of(new)}", []).append(file)
    return ["Covered through", *(f"  {span}: {listed(files)}" for span, files in spans.items())]


_SAME: Final = "The same."
_SIGNS: Final = {"added": "+", "removed": "−", "changed": "~"}


def _rows(file: str, rows: Sequence[Document], everything: bool) -> list[str]:
    counts = [f"{n} {what}" for what in _SIGNS if (n := sum(row["what"] == what for row in rows))]
    most = MAX_VALUES if file in SERIES else MAX_RECORDS
    shown = rows if everything or len(rows) <= most else rows[:most]
    out = [f"{file}: {listed(counts)}"]
    for row in shown:
        out.append(f"  {_SIGNS[row['what']]} {row['brief']}{'' if row['meaning'] else ' (text only)'}")
        if row["what"] == "changed":
            out += [f"      {column}: {_cell(old)} → {_cell(new)}" for column, (old, new) in row["cells"].items()]
    return [*out, f"  … and {len(rows) - len(shown)} more (--all shows them)"] if len(shown) < len(rows) else out


def _cell(cell: str | None) -> str:
    return shortened(cell or "nothing", 60)


def _priors(diff: Document) -> Block:
    if diff["priors"] is None:
        return _SAME if diff["same_priors"] else "Different; the runs do not record in what."
    if not diff["priors"]:
        return _SAME
    return [f"{name}: {old or 'none'} → {new or 'none'}" for name, (old, new) in diff["priors"].items()]


def _settings(diff: Document) -> Block:
    settings = diff["settings"]
    if settings is None:
        return _SAME if diff["same_settings"] else "Different; the runs do not record in what."
    out = [_scenario(s) for s in settings["scenarios"]]
    for what in ("alternatives", "sampling"):
        out += [f"{what}, {name}: {old or 'none'} → {new or 'none'}" for name, (old, new) in settings[what].items()]
    return out or (_SAME if diff["same_settings"] else "Different; the runs do not record in what.")


def _scenario(s: Document) -> str:
    fields = f" in {listed(s['fields'])}" if s["fields"] else ""
    return f"scenario {s['name']}: {s['what']}{fields}{'' if s['meaning'] else ' (text only)'}"


def _code(diff: Document) -> Block:
    code = diff["code"]
    version = code["model_version"]
    out = [f"model version: {version[0]} → {version[1]}"] if version else []
    out += [f"{name}: {old or 'none'} → {new or 'none'}" for name, (old, new) in code["versions"].items()]
    return out or _SAME


def _diagnostics(diff: Document) -> Block:
    rows = [(name.replace("_", " "), _measure(name, a), _measure(name, b)) for name, (a, b) in diff["diagnostics"].items()]
    return table(("Diagnostic", "A", "B"), rows, (1, 2))


def _measure(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _text_of(value)
    return number(value, 4 if name.startswith("rhat") else 2)


def _forecast(diff: Document, everything: bool) -> Block:
    chosen = [q for q in diff["forecast"] if everything or q["id"] in (diff["headline"], *RELATED, *BESIDE)]
    rows: list[Row] = [
        (
            q["id"] + (" *" if q["id"] == diff["headline"] else ""),
            percent(q["before"]),
            percent(q["after"]),
            None if q["change"] is None else fixed_points(q["change"]),
        )
        for q in chosen
    ]
    return table(("Question (* headline)", "A", "B", "Points"), rows, (1, 2, 3))


def _text_of(value: Any) -> str:
    return "none" if value is None else "yes" if value is True else "no" if value is False else str(value)


def _markdown(block: Block) -> str:
    if isinstance(block, Table):
        return markdown_table(block)
    if isinstance(block, str):
        return markdown_text(block)
    first = [line for line in block if not line.startswith(" ")]
    if len(first) == 1 and len(block) > 1:  # a file and its rows
        return f"{markdown_text(block[0])}\n\n" + "\n".join(_bullet(line) for line in block[1:])
    return "\n".join(f"- {markdown_text(line)}" for line in block)


def _bullet(line: str) -> str:
    """A line as an item of a list; a sign would begin another list."""
    text = line.strip()
    what = next((word for word, sign in _SIGNS.items() if text.startswith(f"{sign} ")), None)
    return f"{'  ' if line.startswith('      ') else ''}- {markdown_text(f'{what}: {text[2:]}' if what else text)}"


def _text(block: Block, width: int) -> str:
    if isinstance(block, Table):
        return text_table(block, width)
    lines = [block] if isinstance(block, str) else block
    return "\n".join(_wrapped(line, width) for line in lines)


def _wrapped(line: str, width: int) -> str:
    indent = len(line) - len(line.lstrip())
    text = visible(line.strip(), line=True)
    return textwrap.fill(text, width, initial_indent=" " * indent, subsequent_indent=" " * (indent + 4), break_on_hyphens=False)
