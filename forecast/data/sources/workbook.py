"""Reads one sheet of a workbook in a process of its own, whose memory is limited.

A damaged or hostile workbook can fill the memory, or abort the process from inside the library, where no exception can be caught. So the
connectors run this file as a script: the workbook comes on standard input, the sheet's name is the argument (empty: the first sheet), and
standard output is one JSON document: {"sheets": [...], "rows": [[...]] or null} or {"error": "..."}. A date is {"date": "2026-06-01"}.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from contextlib import suppress
from datetime import date
from typing import Any

MEMORY = 1_000_000_000
"""Limit of the address space, in bytes: many times what any published series needs."""
CELLS = 2_000_000
TEXT = 200
"""Characters that are kept of a cell: no figure, date or heading has more."""


def main() -> None:
    with suppress(OSError, ValueError):  # not every system has both limits
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        document = read(sys.stdin.buffer.read(), sys.argv[1])
    except Exception as e:
        document = {"error": f"{e}".split("\n", maxsplit=1)[0] or type(e).__name__}
    json.dump(document, sys.stdout, default=as_json)


def read(body: bytes, name: str) -> dict[str, Any]:
    """The names of all sheets, and the rows of the one asked for (None if there is none of that name)."""
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_filelike(io.BytesIO(body)) as book:
        sheets = book.sheet_names
        wanted = name or next(iter(sheets), "")
        if wanted not in sheets:
            return {"sheets": sheets, "rows": None}
        sheet = book.get_sheet_by_name(wanted)
        if sheet.height * sheet.width > CELLS:
            raise ValueError(f"{sheet.height:,} rows of {sheet.width:,} columns")
        return {"sheets": sheets, "rows": [[kept(cell) for cell in row] for row in sheet.to_python(skip_empty_area=True)]}


def kept(cell: Any) -> Any:
    return cell[:TEXT] if isinstance(cell, str) else cell


def as_json(value: Any) -> Any:
    return {"date": value.isoformat()[:10]} if isinstance(value, date) else str(value)


if __name__ == "__main__":
    main()
