"""The files of the other publishers: a workbook of each kind and a plain CSV, with their oddities, and how they may change."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest

from forecast.data.sources import formats, indicators
from forecast.data.sources.connector import PublishedFigure
from forecast.domain import month
from forecast.errors import SourceError
from tests.support.publishers import fred_file, gpr_file, tpu_file
from tests.support.workbooks import xls, xlsx


def test_geopolitical_risk_comes_as_xls_with_cells_empty_where_a_series_has_not_begun() -> None:
    body = gpr_file({"2026-04": 230.7707519531, "2026-05": 200.0}, {"2026-05": 0.1582500041})
    assert body.startswith(bytes.fromhex("d0cf11e0"))
    assert indicators.parse_gpr((body,)) == (
        PublishedFigure("gpr_global", month("2026-04"), ("230.770752",)),
        PublishedFigure("gpr_global", month("2026-05"), ("200",)),
        PublishedFigure("gprc_mex", month("2026-05"), ("0.15825",)),
    )


def test_an_xls_that_became_an_xlsx_is_read_all_the_same() -> None:
    body = xlsx({"any": [["month", "GPR", "GPRC_MEX"], [date(2026, 4, 1), 230.5, 0.25]]})
    assert [f.values for f in indicators.parse_gpr((body,))] == [("230.5",), ("0.25",)]


@pytest.mark.parametrize("when", [date(2026, 4, 1), "2026-04", "2026-04-01", "2026-04-01 00:00:00", "2026M4", "2026m04"])
def test_a_month_may_be_a_date_or_a_text(when: str | date) -> None:
    body = xls([["month", "GPR", "GPRC_MEX"], [when, 1.5, 0.5]])
    assert {f.month for f in indicators.parse_gpr((body,))} == {month("2026-04")}


@pytest.mark.parametrize("when", [None, "April", "2026-13", "2026-04-15x", 46113.0, "April 2026"])
def test_a_month_that_is_none_is_refused(when: str | float | None) -> None:
    with pytest.raises(SourceError, match="column 'month', holds"):
        indicators.parse_gpr((xls([["month", "GPR", "GPRC_MEX"], [when, 1.5, 0.5]]),))


@pytest.mark.parametrize(
    ("header", "missing"),
    [(["date", "GPR", "GPRC_MEX"], "month"), (["month", "GPR_NEW", "GPRC_MEX"], "GPR"), (["month", "GPR", "GPRC_MEXICO"], "GPRC_MEX")],
)
def test_a_column_of_a_workbook_that_is_gone_is_named(header: list[str], missing: str) -> None:
    with pytest.raises(SourceError, match=f"no column '{missing}'"):
        indicators.parse_gpr((xls([header, [date(2026, 4, 1), 1.5, 0.5]]),))


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(SourceError, match="more than one column 'GPR'"):
        indicators.parse_gpr((xls([["month", "GPR", "GPR", "GPRC_MEX"], [date(2026, 4, 1), 1.0, 2.0, 0.5]]),))


def test_a_text_where_a_figure_was_due_is_refused_with_its_column_and_month() -> None:
    with pytest.raises(SourceError, match=r"column 'GPRC_MEX' of 2026-04, holds 'n/a'"):
        indicators.parse_gpr((xls([["month", "GPR", "GPRC_MEX"], [date(2026, 4, 1), 1.5, "n/a"]]),))


def test_trade_policy_uncertainty_is_the_sheet_of_months_among_others() -> None:
    assert indicators.parse_tpu((tpu_file({"2026-04": 30.25, "2026-05": 2500.125}),)) == (
        PublishedFigure("tpu", month("2026-04"), ("30.25",)),
        PublishedFigure("tpu", month("2026-05"), ("2500.125",)),
    )


def test_a_sheet_that_was_renamed_is_missed_by_name() -> None:
    with pytest.raises(SourceError, match="no sheet 'TPU_MONTHLY'; it has 'TPU_DAILY', 'Monthly'"):
        indicators.parse_tpu((tpu_file({"2026-04": 30.25}, sheet="Monthly"),))


@pytest.mark.parametrize("parse", [indicators.parse_gpr, indicators.parse_tpu])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\n <!doctype html><title>Moved</title>", "a web page; expected a workbook"),
        (b"", "is empty"),
        (b"month,GPR\n", "not a workbook"),
        (gpr_file({"2026-04": 1.0}, {})[:2000], "workbook"),
        (tpu_file({"2026-04": 1.0})[:900], "not a workbook"),
    ],
    ids=["page", "empty", "csv", "xls cut short", "xlsx cut short"],
)
def test_what_is_no_workbook_is_refused(parse: object, body: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        parse((body,))  # type: ignore[operator]


def test_a_workbook_that_unpacks_to_no_end_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "UNPACKED", 1_000_000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", bytes(1_000_001))
    assert len(out.getvalue()) < 10_000
    with pytest.raises(SourceError, match="unpacks to more than 1,000,000 bytes"):
        indicators.parse_tpu((out.getvalue(),))


@pytest.mark.slow
def test_a_damaged_workbook_is_refused_wherever_it_is_damaged() -> None:
    """Every 97th byte of a file of each kind set to another value, one at a time: read, or refused in words."""
    for body, parse in ((gpr_file({"2026-04": 230.5}, {}), indicators.parse_gpr), (tpu_file({"2026-04": 30.25}), indicators.parse_tpu)):
        refused = 0
        for at in range(0, len(body), 97):
            try:
                parse((body[:at] + bytes([body[at] ^ 0xFF]) + body[at + 1 :],))
            except SourceError:
                refused += 1
        assert refused > 5


def test_the_exchange_rate_has_one_figure_a_month_and_missing_ones_say_nothing() -> None:
    body = fred_file({"2026-03": "17.5", "2026-04": ".", "2026-05": "", "2026-06": "17.31024"})
    assert indicators.parse_fred((body,)) == (
        PublishedFigure("usdmxn_avg", month("1993-11"), ("3.1552",)),
        PublishedFigure("usdmxn_avg", month("2026-03"), ("17.5",)),
        PublishedFigure("usdmxn_avg", month("2026-06"), ("17.3102",)),
    )


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    assert len(indicators.parse_fred((b"\xef\xbb\xbf" + fred_file({"2026-03": "17.5"}).replace(b"\n", b"\r\n"),))) == 2


@pytest.mark.parametrize(
    ("header", "missing"),
    [("DATE,EXMXUS", "observation_date"), ("observation_date,EXMXUS_NBD", "EXMXUS"), ("observation_date;EXMXUS", "observation_date")],
)
def test_a_column_of_a_csv_that_is_gone_is_named(header: str, missing: str) -> None:
    with pytest.raises(SourceError, match=f"no column '{missing}'"):
        indicators.parse_fred((fred_file({"2026-03": "17.5"}, header),))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html><body>Error</body></html>", "a web page; expected CSV"),
        (b"  \n", "is empty"),
        (fred_file({"2026-03": "17.5"})[:-3], "cut short"),
        (b"observation_date,EXMXUS\n2026-03-01\n", "line 2, has 1 cells"),
        (b"observation_date,EXMXUS\n2026-03-01,17,5\n", "line 2, has 3 cells"),
        (b"observation_date,EXMXUS\n2026-03-01,1.7e1\n", "column 'EXMXUS' of 2026-03, holds '1.7e1'"),
        (b"observation_date,EXMXUS\n03/2026,17\n", "not a month"),
        (b'observation_date,EXMXUS\n2026-03-01,"17\n', "not CSV"),
        (b"\xff\xfeo\0", "not CSV"),
    ],
)
def test_what_is_no_csv_of_figures_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        indicators.parse_fred((body,))
