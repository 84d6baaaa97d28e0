"""Whatever one source sends or raises is its own failure: it is named, and the others go on. Odd figures are held back."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

import pytest
from click.testing import Result

import tests.support.publishers as play
from forecast.data.checks import registry
from forecast.data.sources import indicators, workbook
from forecast.data.sources.registry import CONNECTORS
from forecast.data.tables import RecordTable
from forecast.data.toml_file import Settings
from forecast.errors import Problem, SourceError
from forecast.jobs.data import pull as job
from forecast.jobs.data.pull import PullOutcome, pull_sources
from forecast.workspace import Workspace
from tests.support.publishers import Answer, Publisher, in_good_order, publisher, tpu_file
from tests.support.workbooks import xls, xlsx

KEYS = [c.key for c in CONNECTORS]


@pytest.fixture
def played(small: Workspace) -> Iterator[Publisher]:
    with publisher() as server:
        in_good_order(server, small.data)
        yield server


def outcomes(small: Workspace, played: Publisher, now: datetime, *names: str) -> tuple[dict[str, PullOutcome], SourceError | None]:
    """What became of each source, and the error that the pull ended with."""
    heard: list[PullOutcome] = []
    try:
        pull_sources(small, names, now=now, environ={}, on_outcome=heard.append, endpoints=play.endpoints(played), limits=play.HASTE)
    except SourceError as e:
        return {outcome.source: outcome for outcome in heard}, e
    return {outcome.source: outcome for outcome in heard}, None


def failed_alone(small: Workspace, played: Publisher, now: datetime, key: str) -> str:
    """Pull everything; assert that one source failed and the others brought their rows; why it did."""
    result, error = outcomes(small, played, now)
    assert error is not None
    assert error.exit_code == 6
    assert "1 of 4 sources failed" in str(error)
    assert f"\n  {key}: {result[key].detail}" in str(error)
    assert {k: o.status for k, o in result.items()} == {k: "failed" if k == key else "new rows" for k in KEYS}
    assert "Unexpected" not in str(error)
    return result[key].detail


def raising(monkeypatch: pytest.MonkeyPatch, key: str, failure: BaseException) -> None:
    def parse(bodies: tuple[bytes, ...]) -> Any:
        raise failure

    broken = tuple(replace(c, parse=parse) if c.key == key else c for c in CONNECTORS)
    monkeypatch.setattr("forecast.data.sources.registry.CONNECTORS", broken)


@pytest.mark.parametrize(
    "failure",
    [
        MemoryError(), OSError(5, "I/O error"), RuntimeError("\x1b[2J\nsecond line"), ExceptionGroup("several", [ValueError("one")]),
        *(
            pytest.param(failure, marks=pytest.mark.slow)
            for failure in (
                NotImplementedError("zip file version 8.5"), RecursionError("too deep"), KeyError("month"), AssertionError(),
                UnicodeDecodeError("utf-8", b"x", 0, 1, "odd"),
            )
        ),
    ],
    ids=lambda failure: type(failure).__name__,
)  # fmt: skip
def test_whatever_one_source_raises_the_others_go_on(
    small: Workspace, played: Publisher, now: datetime, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    raising(monkeypatch, "overdose", failure)
    why = failed_alone(small, played, now, "overdose")
    assert why.isprintable()
    assert type(failure).__name__ in why or "memory" in why


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(3)], ids=["keyboard", "exit"])
def test_an_interruption_is_no_failure_of_a_source(
    small: Workspace, played: Publisher, now: datetime, monkeypatch: pytest.MonkeyPatch, interruption: BaseException
) -> None:
    raising(monkeypatch, "overdose", interruption)
    with pytest.raises(type(interruption)):
        outcomes(small, played, now)
    assert play.GPR not in played.paths


@pytest.fixture
def pull(small: Workspace, played: Publisher, command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, with its publishers played."""
    monkeypatch.setattr(job, "pull_sources", partial(pull_sources, endpoints=play.endpoints(played), limits=play.HASTE))
    return lambda *words: command(*words, "data", "pull", "--workspace", small.data.parent)


def test_the_traceback_is_shown_only_to_who_asks(pull: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, "gpr", NotImplementedError("a new thing"))
    plain = pull()
    assert (plain.exit_code, "Traceback" in plain.stderr) == (6, False)
    assert "gpr: What it sent could not be read (NotImplementedError: a new thing)." in plain.stderr
    asked = pull("-v", "-v")
    assert (asked.exit_code, "in parse" in asked.stderr) == (6, True)
    logged = [json.loads(line) for line in pull("-v", "-v", "--log-json").stderr.splitlines()]
    assert "in parse" in next(event["traceback"] for event in logged if event["event"] == "error")


def test_certificates_that_are_not_there_fail_every_source_by_name(
    small: Workspace, played: Publisher, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/authorities.pem")
    result, error = outcomes(small, played, now)
    assert error is not None
    assert [o.status for o in result.values()] == ["failed"] * 4
    assert all("SSL_CERT_FILE" in o.detail for o in result.values())


def test_a_redirect_to_a_script_fails_one_source(small: Workspace, played: Publisher, now: datetime) -> None:
    played.answers[play.OVERDOSE] = Answer(b"", 302, {"Location": "javascript:1"})
    assert "redirects to no address" in failed_alone(small, played, now, "overdose")


def of_zip_version(body: bytes, version: int) -> bytes:
    """The workbook with another version needed to extract it, in tenths, in every entry of its directory."""
    return body.replace(b"PK\x01\x02\x14\x03\x14\x00", b"PK\x01\x02\x14\x03" + struct.pack("<H", version))


def test_a_workbook_of_an_unknown_zip_version_fails_one_source(small: Workspace, played: Publisher, now: datetime) -> None:
    body = of_zip_version(tpu_file({"2026-04": 30.25}), 85)
    with pytest.raises(NotImplementedError):
        zipfile.ZipFile(io.BytesIO(body))
    played.answers[play.TPU] = Answer(body)
    assert "zip file version 8.5" in failed_alone(small, played, now, "tpu")


def understated(body: bytes, part: str, size: int) -> bytes:
    """The same zip file, whose directory declares another unpacked size for a part."""
    out = bytearray(body)
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        info = packed.getinfo(part)
    struct.pack_into("<I", out, info.header_offset + 22, size)
    entry = out.index(b"PK\x01\x02")
    while out[entry + 46 : entry + 46 + len(part)] != part.encode():
        entry = out.index(b"PK\x01\x02", entry + 4)
    struct.pack_into("<I", out, entry + 24, size)
    return bytes(out)


def bomb(unpacked: int) -> bytes:
    """A workbook whose sheet unpacks to one text of so many bytes, and whose directory says 1,000."""
    part = "xl/worksheets/sheet2.xml"
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(tpu_file({"2026-04": 30.25}))) as sound,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
    ):
        for name in sound.namelist():
            with packed.open(name, "w") as to:
                if name != part:
                    to.write(sound.read(name))
                    continue
                to.write(sound.read(name).split(b"<sheetData>")[0] + b'<sheetData><row><c t="inlineStr"><is><t>')
                for _ in range(unpacked // 1_000_000):
                    to.write(b"x" * 1_000_000)
    return understated(out.getvalue(), part, 1000)


def placed(body: bytes, cell: str) -> bytes:
    """The workbook with one cell more, far out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as sound, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sound.namelist():
            row = f'<row r="{cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}"><c r="{cell}"><v>1</v></c></row></sheetData>'
            packed.writestr(name, sound.read(name).replace(b"</sheetData>", row.encode()))
    return out.getvalue()


def far_out_xls() -> bytes:
    """An XLS sheet with a cell in the last row and column that its format can name."""
    near = xls([["month", "GPR", "GPRC_MEX"], [date(2026, 4, 1), 1.5, 0.125]])
    return near.replace(struct.pack("<HHHHHd", 0x0203, 14, 1, 2, 0, 0.125), struct.pack("<HHHHHd", 0x0203, 14, 65535, 65535, 0, 0.125))


HUGE = {
    "a gigabyte in one text": (indicators.TRADE_POLICY, lambda: bomb(1_200_000_000)),
    "last cell of XLSX": (indicators.TRADE_POLICY, lambda: placed(tpu_file({"2026-04": 30.25}), "XFD1048576")),
    "last cell of XLS": (indicators.GEOPOLITICAL_RISK, far_out_xls),
    "too many cells": (indicators.TRADE_POLICY, lambda: placed(tpu_file({"2026-04": 30.25}), "A1048576")),
}


@pytest.mark.parametrize("what", [pytest.param(what, marks=[pytest.mark.slow] if "gigabyte" in what else []) for what in HUGE])
def test_a_small_workbook_that_would_fill_the_memory_is_refused(what: str) -> None:
    connector, make = HUGE[what]
    body = make()
    assert len(body) < 6_000_000
    with pytest.raises(SourceError, match="workbook"):
        connector.parse((body,))


def test_a_workbook_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.data.sources.formats.READING", 0.001)
    with pytest.raises(SourceError, match=r"takes more than 0\.001 seconds"):
        indicators.parse_tpu((tpu_file({"2026-04": 30.25}),))


def test_a_long_text_beside_the_figures_is_cut_and_does_no_harm() -> None:
    body = xlsx({"TPU_MONTHLY": [["DATE", "TPU", "note"], [date(2026, 4, 1), 30.25, "x" * (workbook.TEXT + 1)]]})
    assert workbook.read(body, "")["rows"][1][2] == "x" * workbook.TEXT
    assert len(indicators.parse_tpu((body,))) == 1


def test_a_new_figure_off_by_a_factor_is_held_back(small: Workspace, played: Publisher, now: datetime) -> None:
    pesos = play.monthly(small.data, "usdmxn_avg")
    before = (small.data / "indicators.csv").read_bytes()
    for slip in (10.0, 0.1):
        played.answers[play.FRED] = Answer(play.fred_file({**pesos, "2026-06": round(17.5 * slip, 3)}))
        result, error = outcomes(small, played, now, "usdmxn")
        assert error is not None
        assert "usdmxn_avg" in result["usdmxn"].detail
        assert "2026-06" in result["usdmxn"].detail
        assert "declare it expected in sources.toml" in result["usdmxn"].detail
        assert (small.data / "indicators.csv").read_bytes() == before


def test_a_factor_in_one_source_leaves_the_others(small: Workspace, played: Publisher, now: datetime) -> None:
    played.answers[play.FRED] = Answer(play.fred_file({**play.monthly(small.data, "usdmxn_avg"), "2026-06": 175.0}))
    assert "2026-06" in failed_alone(small, played, now, "usdmxn")


def test_a_revision_off_by_a_factor_is_held_back(small: Workspace, played: Publisher, now: datetime) -> None:
    pesos = play.monthly(small.data, "usdmxn_avg")
    played.answers[play.FRED] = Answer(play.fred_file({**pesos, "2025-03": 10 * pesos["2025-03"]}))
    result, error = outcomes(small, played, now, "usdmxn")
    assert error is not None
    assert "2025-03" in result["usdmxn"].detail


def test_what_is_declared_expected_is_let_in(small: Workspace, played: Publisher, now: datetime) -> None:
    played.answers[play.FRED] = Answer(play.fred_file({**play.monthly(small.data, "usdmxn_avg"), "2026-06": 60.0}))
    assert outcomes(small, played, now, "usdmxn")[1] is not None
    sources = small.data / "sources.toml"
    head, tail = sources.read_text(encoding="utf-8").split("[usdmxn_avg]")
    entry = 'expected = [{ kind = "step", what = "A devaluation", why = "It was in the news", from = "2026-06", to = "2026-06" },'
    sources.write_text(f"{head}[usdmxn_avg]{tail.replace('expected = [', entry, 1)}", encoding="utf-8")
    result, error = outcomes(small, played, now, "usdmxn")
    assert (error, result["usdmxn"].rows) == (None, 1)


def test_a_gap_or_a_stop_holds_nothing_back(small: Workspace, played: Publisher, now: datetime) -> None:
    """They are no figures: what is there is as good as if the rest had come too."""
    pesos = play.monthly(small.data, "usdmxn_avg")
    played.answers[play.FRED] = Answer(play.fred_file({**pesos, "2026-08": 17.5}))
    assert outcomes(small, played, now, "usdmxn")[0]["usdmxn"].rows == 1


@pytest.mark.parametrize("key", KEYS)
def test_whatever_is_checked_of_figures_is_checked_of_what_a_source_brings(
    small: Workspace, played: Publisher, now: datetime, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """A check added to those of `data check` applies to a pull without further words, to its new rows and to no others."""
    target = next(c.target for c in CONNECTORS if c.key == key)

    def new_rows(table: RecordTable[Any], settings: Settings) -> Iterator[Problem]:
        for i, row in enumerate(table.rows):
            if row.published.last == now.date():
                yield Problem(row.file, f"a suspicious {target.table}", "another", "Look.", table.line(i), severity="warning")

    def old_rows(table: RecordTable[Any], settings: Settings) -> Iterator[Problem]:
        for i, row in enumerate(table.rows):
            if row.published.last != now.date():
                yield Problem(row.file, "an old slip", "none", "Look.", table.line(i), severity="warning")

    monkeypatch.setattr(registry, "ODDITY_CHECKS", (*registry.ODDITY_CHECKS, (old_rows, (target.table,))))
    assert outcomes(small, played, now, key)[1] is None
    other = datetime(2026, 11, 25, 14, 15, tzinfo=now.tzinfo)
    monkeypatch.setattr(registry, "ODDITY_CHECKS", (*registry.ODDITY_CHECKS, (new_rows, (target.table,))))
    now = other
    in_good_order(played, small.data)
    if key == "overdose":
        rows = [*play.newest_release(small.data), play.provisional(next(iter(play.INDICATOR_SERIES)), "2026-03", "70100", "70900", "0.3")]
        played.answers[play.OVERDOSE] = play.soda(play.alphabetical(rows))
    elif key == "tpu":
        played.answers[play.TPU] = Answer(tpu_file({f"{y}-{m:02d}": 31.0 + m for y in range(1998, 2027) for m in range(1, 7)}))
    elif key == "usdmxn":
        played.answers[play.FRED] = Answer(play.fred_file({**play.monthly(small.data, "usdmxn_avg"), "2026-08": 17.5}))
    else:
        world, mexico = play.monthly(small.data, "gpr_global"), play.monthly(small.data, "gprc_mex")
        played.answers[play.GPR] = Answer(play.gpr_file({**world, "2026-07": 200.0}, {**mexico, "2026-07": 0.2}))
    result, error = outcomes(small, played, now, key)
    assert error is not None
    assert f"a suspicious {target.table}" in result[key].detail


@pytest.mark.parametrize("column", [0, 1], ids=["reported", "predicted"])
def test_a_total_of_deaths_off_by_a_factor_is_held_back(small: Workspace, played: Publisher, now: datetime, column: int) -> None:
    totals = ["70123", "70900"]
    totals[column] = totals[column][:-1]
    row = play.provisional(next(iter(play.INDICATOR_SERIES)), "2026-02", totals[0], totals[1], "0.31")
    played.answers[play.OVERDOSE] = play.soda(play.alphabetical([*play.newest_release(small.data), row]))
    result, error = outcomes(small, played, now, "overdose")
    assert error is not None
    assert "2026-02" in result["overdose"].detail or "all_drugs" in result["overdose"].detail
