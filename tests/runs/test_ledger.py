"""The ledger's own chain: what is added stands, and whatever is done to it afterwards is seen."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import ForecastError, LockedError, StoreError
from forecast.runs import ledger
from forecast.runs.ledger import HEAD, Head
from forecast.storage.hash_chain import sealed_json
from forecast.storage.locks import folder_lock
from forecast.storage.temporary_folder import STAGING_PREFIX
from tests.conftest import NOW

ENTRIES = 6


def written(reports: Path, n: int = ENTRIES) -> Path:
    with ledger.writing(reports) as writer:
        for i in range(n):
            writer.append("prediction", {"question": f"q{i}", "probability": 0.1 * i, "why": "Größer – ∑"}, NOW + timedelta(minutes=i))
    return reports / ledger.FOLDER


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of six entries, not to be changed: its files are copied."""
    return written(tmp_path_factory.mktemp("sound"))


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_what_is_added_is_read_back_in_order(tmp_path: Path) -> None:
    folder = written(tmp_path)
    entries = ledger.read(tmp_path)
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert entries[2].content == {"question": "q2", "probability": 0.2, "why": "Größer – ∑"}
    assert entries[2].created == NOW + timedelta(minutes=2)
    assert ledger.head(tmp_path) == Head(6, entries[-1].sha256)
    assert [p.name for p in files_of(folder)] == [*(f"00000{i}-prediction.json" for i in range(1, 7)), HEAD]
    assert ledger.verify(tmp_path) == ()


def test_a_ledger_that_is_not_there_is_empty_and_sound(tmp_path: Path) -> None:
    assert ledger.read(tmp_path) == ()
    assert ledger.head(tmp_path) == Head(0, "")
    assert ledger.verify(tmp_path) == ()
    assert not (tmp_path / ledger.FOLDER).exists()


def test_a_head_noted_earlier_is_found_again(tmp_path: Path) -> None:
    written(tmp_path, 3)
    noted = ledger.head(tmp_path)
    written(tmp_path, 2)
    entries = ledger.read(tmp_path)
    assert ledger.holds(entries, noted)
    assert ledger.holds(entries, Head(0, ""))
    assert not ledger.holds(entries, Head(3, "f" * 64))
    assert not ledger.holds(entries[:2], noted)


@settings(max_examples=100)
@given(data=st.data())
def test_any_byte_that_is_changed_put_in_or_taken_out_is_seen(sound: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(files_of(sound)))
    raw = path.read_bytes()
    at = data.draw(st.integers(0, len(raw) - 1))
    how = data.draw(st.sampled_from(["change", "insert", "remove"]))
    if how == "change":
        changed = raw[:at] + bytes([data.draw(st.integers(0, 255).filter(lambda b: b != raw[at]))]) + raw[at + 1 :]
    elif how == "insert":
        changed = raw[:at] + bytes([data.draw(st.integers(0, 255))]) + raw[at:]
    else:
        changed = raw[:at] + raw[at + 1 :]
    path.write_bytes(changed)
    try:
        assert ledger.verify(sound.parent)
        with pytest.raises(StoreError, match="The ledger is damaged"):
            ledger.read(sound.parent)
    finally:
        path.write_bytes(raw)
    assert ledger.verify(sound.parent) == ()


@pytest.mark.parametrize("which", range(ENTRIES + 1))
def test_any_file_that_is_taken_out_is_seen(sound: Path, tmp_path: Path, which: int) -> None:
    folder = tmp_path / ledger.FOLDER
    shutil.copytree(sound, folder)
    files_of(folder)[which].unlink()
    assert ledger.verify(tmp_path)


@pytest.mark.parametrize(("one", "other"), [(i, j) for i in range(ENTRIES + 1) for j in range(i)])
def test_any_two_files_that_are_exchanged_are_seen(sound: Path, tmp_path: Path, one: int, other: int) -> None:
    folder = tmp_path / ledger.FOLDER
    shutil.copytree(sound, folder)
    a, b = files_of(folder)[one], files_of(folder)[other]
    held = a.read_bytes()
    a.write_bytes(b.read_bytes())
    b.write_bytes(held)
    assert ledger.verify(tmp_path)


def test_what_is_renamed_put_in_or_forged_is_seen(sound: Path, tmp_path: Path) -> None:
    folder = tmp_path / ledger.FOLDER

    def fresh() -> list[Path]:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(sound, folder)
        return files_of(folder)

    fresh()[2].rename(folder / "000003-resolution.json")
    assert "holds entry 3" in ledger.verify(tmp_path)[0]
    fresh()[5].rename(folder / "000007-prediction.json")
    assert ledger.verify(tmp_path)
    fresh()[0].rename(folder / "0000001-prediction.json")
    assert ledger.verify(tmp_path)
    shutil.copy(fresh()[5], folder / "000007-prediction.json")
    assert ledger.verify(tmp_path)
    (fresh()[0].parent / "notes.txt").write_text("a stranger")
    assert "notes.txt is not an entry" in ledger.verify(tmp_path)[0]
    forged = fresh()[3]  # another number, with its own digest made anew
    body = json.loads(forged.read_text())
    del body["sha256"]
    forged.write_text(sealed_json({**body, "probability": 0.9}))
    assert "does not follow" in ledger.verify(tmp_path)[0]


def test_a_chain_cut_off_at_its_end_is_seen(sound: Path, tmp_path: Path) -> None:
    folder = tmp_path / ledger.FOLDER
    shutil.copytree(sound, folder)
    for path in files_of(folder)[3:6]:
        path.unlink()
    assert ledger.verify(tmp_path) == ("the last 3 of 6 entries are missing",)


def test_a_writer_that_died_before_the_head_leaves_no_damage(tmp_path: Path) -> None:
    folder = written(tmp_path, 3)
    behind = (folder / HEAD).read_bytes()
    written(tmp_path, 1)
    (folder / HEAD).write_bytes(behind)
    assert ledger.verify(tmp_path) == ()
    written(tmp_path, 1)
    assert ledger.head(tmp_path).entries == 5
    (folder / HEAD).write_bytes(behind)  # two behind: that no crash does
    assert "head.json is not that of these 5 entries" in ledger.verify(tmp_path)


def test_a_damaged_ledger_is_not_added_to(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "000002-prediction.json").unlink()
    before = files_of(folder)
    with pytest.raises(StoreError, match="entry 2 is missing"), ledger.writing(tmp_path):
        pytest.fail("it is not to be had")
    assert files_of(folder) == before


def test_the_ledgers_own_words_are_not_for_entries(tmp_path: Path) -> None:
    with ledger.writing(tmp_path) as writer, pytest.raises(ValueError, match="previous"):
        writer.append("prediction", {"previous": "x"}, NOW)
    assert ledger.read(tmp_path) == ()


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / ledger.FOLDER).write_text("a file")
    assert ledger.verify(tmp_path) == (f"{tmp_path / ledger.FOLDER} is not a folder",)
    with pytest.raises(ForecastError, match="could not be written"), ledger.writing(tmp_path):
        pytest.fail("it is not to be had")


def test_one_writes_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path)
    monkeypatch.setattr("forecast.runs.ledger.folder_lock", partial(folder_lock, patience=0.05))
    with ledger.writing(tmp_path), pytest.raises(LockedError, match="Another command is writing"), ledger.writing(tmp_path):
        pytest.fail("it is held")


WRITER = """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from forecast.runs import ledger

    print("ready", flush=True)
    while True:
        with ledger.writing(Path(sys.argv[1])) as writer:
            writer.append("prediction", {"probability": 0.5, "why": "x" * 20_000}, datetime(2026, 11, 24, tzinfo=UTC))
        print("written", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("after", range(8))
def test_a_writer_killed_at_any_moment_leaves_a_sound_ledger(tmp_path: Path, now: datetime, after: int) -> None:
    """What it said was written is there; what it was writing is there whole, or not at all."""
    writer = subprocess.Popen([sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    writer.stdout.readline()
    time.sleep(0.0037 * after)
    writer.send_signal(signal.SIGKILL)
    said = 1 + writer.communicate()[0].count("written")
    assert ledger.verify(tmp_path) == ()
    found = len(ledger.read(tmp_path))
    assert found in (said, said + 1)
    written(tmp_path, 1)
    assert ledger.head(tmp_path).entries == found + 1
    assert not [p for p in (tmp_path / ledger.FOLDER).iterdir() if p.name.startswith(STAGING_PREFIX)]
