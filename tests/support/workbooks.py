"""Workbooks as publishers make them, written from the formats' own descriptions: XLSX, and XLS (BIFF8 in a compound file)."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from xml.sax.saxutils import escape

type Cell = str | float | date | None
type Rows = Sequence[Sequence[Cell]]

EPOCH = date(1899, 12, 30)


def xlsx(sheets: Mapping[str, Rows]) -> bytes:
    """An XLSX file; a date is a number in a cell of a date's style."""
    main, office = (
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    )
    package = "http://schemas.openxmlformats.org/package/2006"
    names = list(sheets)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        + "".join(f'<sheet name="{escape(name)}" sheetId="{i}" r:id="r{i}"/>' for i, name in enumerate(names, 1))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        + "".join(f'<Relationship Id="r{i}" Type="{office}/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in range(1, len(names) + 1))
        + f'<Relationship Id="rs" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
    }
    for i, rows in enumerate(sheets.values(), 1):
        body = "".join(f"<row>{''.join(map(_xlsx_cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/sheet{i}.xml"] = f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
    return out.getvalue()


def _xlsx_cell(cell: Cell) -> str:
    if cell is None:
        return "<c/>"
    if isinstance(cell, str):
        return f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    return f'<c s="1"><v>{(cell - EPOCH).days}</v></c>' if isinstance(cell, date) else f"<c><v>{cell!r}</v></c>"


def xls(rows: Rows, sheet: str = "Sheet1") -> bytes:
    """An XLS file of one sheet, at most about 60 kB of cells."""

    def record(kind: int, body: bytes = b"") -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def globals_(at: int) -> bytes:
        name = sheet.encode("ascii")
        return b"".join(
            (
                record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0)),
                record(0x0042, struct.pack("<H", 1200)),
                *(record(0x00E0, struct.pack("<HH", 0, form) + bytes(16)) for form in (0, 14)),
                record(0x0085, struct.pack("<IHBB", at, 0, len(name), 0) + name),
                record(0x000A),
            )
        )

    body = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if isinstance(cell, str):
                text = cell.encode("latin-1")
                body += record(0x0204, struct.pack("<HHHHB", r, c, 0, len(text), 0) + text)
            elif cell is not None:
                value, form = (float((cell - EPOCH).days), 1) if isinstance(cell, date) else (float(cell), 0)
                body += record(0x0203, struct.pack("<HHHd", r, c, form, value))
    start = globals_(len(globals_(0)))
    return _compound("Workbook", start + body + record(0x000A))


def _compound(name: str, stream: bytes) -> bytes:
    """A compound file with one stream: sector 0 is the allocation table, 1 the directory, the stream follows."""
    end, fat_sector, free = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
    stream = stream.ljust(4096, b"\0")
    sectors = -(-len(stream) // 512)
    assert sectors <= 126
    table = [fat_sector, end, *range(3, sectors + 2), end]
    fat = struct.pack("<128I", *table, *([free] * (128 - len(table))))

    def entry(label: str, kind: int, child: int, first: int, size: int) -> bytes:
        wide = label.encode("utf-16-le") + b"\0\0"
        return struct.pack("<64sHBBIII16sIQQIQ", wide, len(wide), kind, 1, free, free, child, b"", 0, 0, 0, first, size)

    directory = entry("Root Entry", 5, 1, end, 0) + entry(name, 2, free, 2, len(stream))
    directory += struct.pack("<64sHBBIII16sIQQIQ", b"", 0, 0, 0, free, free, free, b"", 0, 0, 0, 0, 0) * 2
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII", bytes.fromhex("D0CF11E0A1B11AE1"), b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, 1, 1, 0, 4096, end, 0, end, 0
    )
    header += struct.pack("<109I", 0, *([free] * 108))
    return header + fat + directory + stream.ljust(sectors * 512, b"\0")
