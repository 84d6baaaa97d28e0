"""The attempts of refits: written one after another, and read from the end, whatever a crash left there."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from forecast.errors import ForecastError
from forecast.runs import refit_attempts


def attempt(reports: Path, now: datetime, decision: str, reason: str = "") -> refit_attempts.Attempt:
    begun = refit_attempts.start(reports, "forecast refit", now)
    return refit_attempts.end(reports, begun, now + timedelta(seconds=7), decision, reason, 0, "20260101T000000Z-aaaaaa", 7.12)


def test_there_is_none_before_the_first(tmp_path: Path) -> None:
    assert refit_attempts.last(tmp_path) is None


def test_an_attempt_is_read_as_it_was_written(tmp_path: Path, now: datetime) -> None:
    begun = refit_attempts.start(tmp_path, "forecast refit --pull", now)
    assert refit_attempts.last(tmp_path) == begun
    assert (begun.what, begun.ended, begun.decision, begun.exit_code) == ("forecast refit --pull", None, None, None)
    ended = refit_attempts.end(tmp_path, begun, now + timedelta(minutes=3), "refused", "the gate: “stuck”", 4, None)
    assert refit_attempts.last(tmp_path) == ended
    assert ended.ended == now + timedelta(minutes=3)
    assert (ended.started, ended.decision, ended.reason, ended.exit_code) == (now, "refused", "the gate: “stuck”", 4)


def test_nothing_written_before_is_altered(tmp_path: Path, now: datetime) -> None:
    attempt(tmp_path, now, "skipped")
    before = (tmp_path / refit_attempts.NAME).read_bytes()
    attempt(tmp_path, now, "refitted")
    assert (tmp_path / refit_attempts.NAME).read_bytes().startswith(before)
    assert len((tmp_path / refit_attempts.NAME).read_text().splitlines()) == 4


def test_a_line_torn_at_any_character_hides_only_itself(tmp_path: Path, now: datetime) -> None:
    first, second = attempt(tmp_path, now, "skipped"), refit_attempts.start(tmp_path, "forecast refit", now)
    path = tmp_path / refit_attempts.NAME
    whole = path.read_bytes()
    begins = whole.rstrip(b"\n").rindex(b"\n") + 1
    for cut in range(begins, len(whole) + 1, 7):
        path.write_bytes(whole[:cut])
        assert refit_attempts.last(tmp_path) == (second if cut >= len(whole) - 1 else first)
        third = attempt(tmp_path, now + timedelta(days=1), "refitted")
        assert refit_attempts.last(tmp_path) == third


def test_only_the_end_of_a_long_file_is_read(tmp_path: Path, now: datetime) -> None:
    path = tmp_path / refit_attempts.NAME
    last = attempt(tmp_path, now, "skipped")
    line = path.read_bytes()
    path.write_bytes(b"\xff" * 50_000_000 + b"\n" + line)
    assert refit_attempts.last(tmp_path) == last


def test_a_long_reason_is_cut(tmp_path: Path, now: datetime) -> None:
    made = attempt(tmp_path, now, "refused", "x" * 5_000)
    assert len(made.reason) == refit_attempts.LONGEST
    assert made.reason.endswith("…")
    assert refit_attempts.last(tmp_path) == made
    assert all(json.loads(line) for line in (tmp_path / refit_attempts.NAME).read_text().splitlines())


def test_what_cannot_be_written_is_told(tmp_path: Path, now: datetime) -> None:
    (tmp_path / refit_attempts.NAME).mkdir()
    with pytest.raises(ForecastError, match="could not be written"):
        refit_attempts.start(tmp_path, "forecast refit", now)
