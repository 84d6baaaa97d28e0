"""Two runs side by side, for a terminal and as Markdown, from the document that `forecast diff` makes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from forecast.report.markdown import markdown_table
from forecast.report.tables.table import Cell, Table, table
from forecast.report.terminal import aligned, printable
from forecast.report.what_moved import BESIDE, points
from forecast.report.words import listed, number, percent
from forecast.storage.markup import markdown_inline, markdown_text

Found = Mapping[str, Any]
type Block = str | Table | list[str]
"""A sentence, a table, or lines."""

MOST: Final = 12
MOST_VALUES: Final = 3
"""So many records of one file are named, and so many values of series; of more, the rest is counted."""
SERIES: Final = frozenset({"overdose_final.csv", "overdose_releases.csv", "indicators.csv", "coding_second.csv", "reference_spells.csv"})
FAMILY: Final = ("reach-3-12m", "reach-4-3m", "reach-4-6m", "reach-4-12m", "reach-4-24m", "reach-5-12m", "fall-1-12m", "fall-0-12m")
"""Questions shown unless all are asked for: the headline and its kin."""


def render(found: Found, form: str, everything: bool = False, width: int = 80) -> str:
    """The differences as `text`, in lines of at most `width`, or as `markdown`."""
    a, b = found["a"], found["b"]
    title = f"{a['run_id']} → {b['run_id']}"
    sections = [(name, [block for block in blocks if block]) for name, blocks in _sections(found, everything)]
    if form == "markdown":
        bodies = [f"### {name}\n\n" + "\n\n".join(_markdown(block) for block in blocks) for name, blocks in sections if blocks]
        return "\n\n".join([f"## What differs: {markdown_inline(title)}", *bodies]) + "\n"
    texts = [f"{name}\n" + "\n\n".join(_text(block, width) for block in blocks) for name, blocks in sections if blocks]
    return "\n\n".join([title, *texts]) + "\n"


def _sections(found: Found, everything: bool) -> Iterator[tuple[str, list[Block]]]:
    yield "Runs", [_runs(found)]
    yield "Data", list(_data(found, everything))
    yield "Priors", [_priors(found)]
    yield "Settings", [_settings(found)]
    yield "Code", [_code(found)]
    yield "Diagnostics", [_diagnostics(found)]
    yield "Forecast", [_forecast(found, everything)]
    yield "Not told", [[str(text) for text in found["lacks"]]]


def _runs(found: Found) -> Block:
    a, b = found["a"], found["b"]
    rows = [(key.replace("_", " "), _said(a[key]), _said(b[key])) for key in ("created", "origin", "as_of", "seed") if a[key] or b[key]]
    return table(("", "A", "B"), rows)


def _data(found: Found, everything: bool) -> Iterator[Block]:
    data = found["data"]
    if data is None:
        yield "The same in meaning." if found["same_data"] else "Not the same; which rows, the runs do not tell."
        return
    if not (data["rows"] or data["coverage"] or data["settings"]):
        yield "The same."
        return
    if found["same_data"]:
        yield "The same in meaning; what differs is only text."
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
        spans.setdefault(f"{_said(old)} → {_said(new)}", []).append(file)
    return ["Covered through", *(f"  {span}: {listed(files)}" for span, files in spans.items())]


_SIGNS: Final = {"added": "+", "removed": "−", "changed": "~"}


def _rows(file: str, rows: Sequence[Found], everything: bool) -> list[str]:
    counts = [f"{n} {what}" for what in _SIGNS if (n := sum(row["what"] == what for row in rows))]
    most = MOST_VALUES if file in SERIES else MOST
    shown = rows if everything or len(rows) <= most else rows[:most]
    out = [f"{file}: {listed(counts)}"]
    for row in shown:
        out.append(f"  {_SIGNS[row['what']]} {row['brief']}{'' if row['meaning'] else ' (text only)'}")
        if row["what"] == "changed":
            out += [f"      {column}: {_cut(old)} → {_cut(new)}" for column, (old, new) in row["cells"].items()]
    return [*out, f"  … and {len(rows) - len(shown)} more (--all shows them)"] if len(shown) < len(rows) else out


def _cut(cell: str | None, most: int = 60) -> str:
    text = cell or "nothing"
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _priors(found: Found) -> Block:
    if found["priors"] is None:
        return "The same." if found["same_priors"] else "Not the same; which, the runs do not tell."
    if not found["priors"]:
        return "The same."
    return [f"{name}: {old or 'none'} → {new or 'none'}" for name, (old, new) in found["priors"].items()]


def _settings(found: Found) -> Block:
    settings = found["settings"]
    if settings is None:
        return "The same." if found["same_settings"] else "Not the same; which, the runs do not tell."
    out = [_scenario(s) for s in settings["scenarios"]]
    for what in ("alternatives", "sampling"):
        out += [f"{what}, {name}: {old or 'none'} → {new or 'none'}" for name, (old, new) in settings[what].items()]
    return out or ("The same." if found["same_settings"] else "Not the same; what, the runs do not tell.")


def _scenario(s: Found) -> str:
    fields = f" in {listed(s['fields'])}" if s["fields"] else ""
    return f"scenario {s['name']}: {s['what']}{fields}{'' if s['meaning'] else ' (text only)'}"


def _code(found: Found) -> Block:
    code = found["code"]
    version = code["model_version"]
    out = [f"model version: {version[0]} → {version[1]}"] if version else []
    out += [f"{name}: {old or 'none'} → {new or 'none'}" for name, (old, new) in code["versions"].items()]
    return out or "The same."


def _diagnostics(found: Found) -> Block:
    rows = [(name.replace("_", " "), _measure(name, a), _measure(name, b)) for name, (a, b) in found["diagnostics"].items()]
    return table(("Diagnostic", "A", "B"), rows, (1, 2))


def _measure(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _said(value)
    return number(value, 4 if name.startswith("rhat") else 2)


def _forecast(found: Found, everything: bool) -> Block:
    chosen = [q for q in found["forecast"] if everything or q["id"] in (found["headline"], *FAMILY, *BESIDE)]
    rows: list[tuple[Cell | None, ...]] = [
        (
            q["id"] + (" *" if q["id"] == found["headline"] else ""),
            percent(q["before"]),
            percent(q["after"]),
            None if q["change"] is None else points(q["change"]),
        )
        for q in chosen
    ]
    return table(("Question (* headline)", "A", "B", "Points"), rows, (1, 2, 3))


def _said(value: Any) -> str:
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
        return aligned(block, width)
    lines = [block] if isinstance(block, str) else block
    return "\n".join(_wrapped(line, width) for line in lines)


def _wrapped(line: str, width: int) -> str:
    indent = len(line) - len(line.lstrip())
    text = printable(line.strip())
    return textwrap.fill(text, width, initial_indent=" " * indent, subsequent_indent=" " * (indent + 4), break_on_hyphens=False)
