"""The store among real processes: writers that are killed, and two that publish at once."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forecast.errors import ForecastError, LockedError
from forecast.runs import manifest, publication_lock, store
from forecast.storage import temporary_folder

FIRST, SECOND = "20260101T000000Z-aaaaaa", "20260102T000000Z-bbbbbb"

WRITER = """
    import sys, time
    from pathlib import Path
    from forecast.runs import store

    def write(folder):
        (folder / "half").write_text("half")
        print("writing", flush=True)
        time.sleep(60)

    store.write_run(Path(sys.argv[1]), sys.argv[2], write, {})
"""

PUBLISHER = """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from forecast.errors import LockedError
    from forecast.runs import publication_lock, store

    reports, run_id = Path(sys.argv[1]), sys.argv[2]
    try:
        with publication_lock.publisher(reports, "forecast run --publish", datetime(2026, 1, 1, tzinfo=UTC)):
            print("holding", flush=True)
            sys.stdin.readline()
            store.write_run(reports, run_id, lambda folder: (folder / "report.md").write_text(run_id), {})
            store.publish(reports, run_id)
    except LockedError as e:
        print(e, flush=True)
        sys.exit(e.exit_code)
"""


def start(script: str, *args: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, args)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str], word: str = "") -> int:
    process.communicate(word)
    return process.returncode


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    assert end(process) == -signal.SIGKILL


def scratches(reports: Path) -> list[str]:
    return [p.name for p in reports.iterdir() if p.name.startswith(temporary_folder.STAGING_PREFIX)]


def test_a_writer_killed_half_way_leaves_a_sound_store_that_is_swept_up(tmp_path: Path) -> None:
    store.write_run(tmp_path, FIRST, lambda folder: None, {})
    store.publish(tmp_path, FIRST)
    writer = start(WRITER, tmp_path, SECOND)
    assert said(writer) == "writing"
    kill(writer)
    assert len(scratches(tmp_path)) == 1
    assert [r.run_id for r in store.list_runs(tmp_path)] == [FIRST]
    assert manifest.verify(store.resolve(tmp_path, "latest")) == ()
    store.write_run(tmp_path, SECOND, lambda folder: None, {})
    assert scratches(tmp_path) == []
    assert [r.run_id for r in store.list_runs(tmp_path)] == [FIRST, SECOND]


def test_a_living_writer_is_not_swept(tmp_path: Path) -> None:
    writer = start(WRITER, tmp_path, FIRST)
    assert said(writer) == "writing"
    try:
        assert temporary_folder.remove_abandoned_stages(tmp_path) == ()
        store.write_run(tmp_path, SECOND, lambda folder: None, {})
        (left,) = scratches(tmp_path)
        assert (tmp_path / left / "half").read_text() == "half"
    finally:
        kill(writer)
    assert temporary_folder.remove_abandoned_stages(tmp_path) == (left,)


def test_of_two_publishers_one_waits_its_turn(tmp_path: Path) -> None:
    first = start(PUBLISHER, tmp_path, FIRST)
    assert said(first) == "holding"
    second = start(PUBLISHER, tmp_path, SECOND)
    refusal = said(second)
    assert f"process {first.pid} " in refusal
    assert "forecast run --publish" in refusal
    assert end(second) == LockedError.exit_code == 5
    held = publication_lock.owner(tmp_path)
    assert held is not None
    assert (held.pid, held.started) == (first.pid, datetime(2026, 1, 1, tzinfo=UTC))
    assert end(first, "go\n") == 0
    assert publication_lock.owner(tmp_path) is None
    assert [(r.run_id, r.latest) for r in store.list_runs(tmp_path)] == [(FIRST, True)]


def test_a_dead_owners_lock_is_taken_over(tmp_path: Path) -> None:
    first = start(PUBLISHER, tmp_path, FIRST)
    assert said(first) == "holding"
    kill(first)
    assert publication_lock.owner(tmp_path) is None
    second = start(PUBLISHER, tmp_path, SECOND)
    assert said(second) == "holding"
    assert end(second, "go\n") == 0
    assert store.resolve(tmp_path, "latest").name == SECOND


def test_the_refusal_tells_the_locks_age(tmp_path: Path, now: datetime) -> None:
    with publication_lock.publisher(tmp_path, "forecast refit", now):
        second = publication_lock.publisher(tmp_path, "forecast run", now + timedelta(minutes=90))
        with pytest.raises(LockedError, match=r"forecast refit .* for 1:30:00 so far"):
            second.__enter__()
    with publication_lock.publisher(tmp_path, "forecast run", now):
        pass


def test_whoever_waits_gets_the_lock_when_it_is_free(tmp_path: Path, now: datetime) -> None:
    holder = start(PUBLISHER, tmp_path, FIRST)
    assert said(holder) == "holding"
    told: list[str] = []
    begun = time.monotonic()
    timer = threading.Timer(1.0, lambda: kill(holder))
    timer.start()
    with publication_lock.publisher(tmp_path, "forecast refit", now, math.inf, told.append):
        held = publication_lock.owner(tmp_path)
    timer.join()
    assert held is not None
    assert held.started is not None
    assert now < held.started <= now + timedelta(seconds=time.monotonic() - begun)  # from when it has it, not from when it asked
    assert len(told) == 1
    assert f"forecast run --publish (process {holder.pid} " in told[0]


def test_a_lock_that_was_deleted_is_no_lock(tmp_path: Path, now: datetime) -> None:
    """Its owner is told before it publishes; whoever waited for it takes the one that is there."""
    with publication_lock.publisher(tmp_path, "forecast refit", now) as held:
        held.check()
        (tmp_path / publication_lock.NAME).unlink()
        with pytest.raises(ForecastError, match="was deleted while this command held it"):
            held.check()
        with publication_lock.publisher(tmp_path, "forecast run", now) as other:
            other.check()
            with pytest.raises(ForecastError, match="was deleted"):
                held.check()
    holder = start(PUBLISHER, tmp_path, FIRST)
    assert said(holder) == "holding"

    def delete(_: str) -> None:
        (tmp_path / publication_lock.NAME).unlink()
        threading.Timer(0.2, lambda: kill(holder)).start()

    with publication_lock.publisher(tmp_path, "forecast refit", now, math.inf, delete) as held:
        held.check()
        found = publication_lock.owner(tmp_path)
    assert found is not None
    assert found.what == "forecast refit"


def test_whoever_waits_long_enough_gives_up(tmp_path: Path, now: datetime) -> None:
    with publication_lock.publisher(tmp_path, "forecast refit", now):
        begun = time.monotonic()
        second = publication_lock.publisher(tmp_path, "forecast run", now + timedelta(minutes=90), 0.8)
        with pytest.raises(LockedError, match=r"forecast refit .* for 1:30:0[01] so far.*Waited 0\.8 seconds"):
            second.__enter__()
        assert time.monotonic() - begun >= 0.8


def test_a_reader_sees_the_old_run_or_the_new_one(tmp_path: Path) -> None:
    """While another process publishes over and over, `latest` resolves to a sound run at every look."""
    for run_id in (FIRST, SECOND):
        store.write_run(tmp_path, run_id, lambda folder: (folder / "report.md").write_text("x") and None, {})
    store.publish(tmp_path, FIRST)
    script = """
        import sys
        from pathlib import Path
        from forecast.runs import store
        for _ in range(100):
            for run_id in sys.argv[2:]:
                store.publish(Path(sys.argv[1]), run_id)
    """
    publisher = start(script, tmp_path, SECOND, FIRST)
    looks = 0
    seen = set()
    while publisher.poll() is None:
        run = store.resolve(tmp_path, "latest")
        assert manifest.verify(run) == ()
        seen.add(run.name)
        looks += 1
    assert end(publisher) == 0
    assert looks > 10
    assert seen == {FIRST, SECOND}
