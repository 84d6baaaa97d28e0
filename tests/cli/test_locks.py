"""File systems without locks: in real processes whose `fcntl.flock` fails, readers go on and writers are refused in a sentence."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from forecast import workspace as places
from forecast.errors import ForecastError
from forecast.jobs.questions import record
from forecast.report.files import write_report_files
from forecast.runs import publication_lock, store
from tests.fixtures.report_example import as_report

SITE = """
import fcntl, os

def refused(*_):
    raise OSError({number}, os.strerror({number}))

fcntl.flock = refused
"""
RUN = "20260101T000000Z-aaaaaa"
READS = [["runs", "list"], ["runs", "verify"], ["questions", "list"], ["questions", "verify"], ["priors", "log"], ["data", "check"]]
WRITES = [
    ["refit"],
    ["runs", "prune", "--keep", "0"],
    ["questions", "predict", "pact", "0.1", "--by", "me"],
    ["priors", "set", "leverage.effect", "Normal(0.8, 0.3)", "--why", "Doubt.", "--by", "me"],
    ["data", "add", "event", "--family", "D", "--date", "2026-06-12", "--published", "2026-06-12", "--channel", "data", "--evidence",
     "source_read", "--confidence", "high", "--source", "CDC", "--description", "Release.", "--yes"],
]  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run, and a ledger with a question."""
    from datetime import UTC, date

    where = places.create_workspace(tmp_path_factory.mktemp("locks") / "workspace")
    now = datetime(2026, 1, 2, tzinfo=UTC)
    with publication_lock.publisher(where.reports, "a test", now):
        report = as_report(run_id=RUN)
        store.write_run(where.reports, RUN, lambda folder: write_report_files(report, folder) and None, {})
    record.add_question(where.reports, "pact", "Is there a pact?", date(2099, 1, 1), "me", None, now)
    return where.root


def without_locks(root: Path, folder: Path, number: int, words: list[str]) -> subprocess.CompletedProcess[str]:
    (folder / "sitecustomize.py").write_text(SITE.format(number=number))
    environ = os.environ | {"PYTHONPATH": str(folder), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "forecast", *words], cwd=root, env=environ, capture_output=True, text=True, check=False, timeout=300
    )


def contents(root: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("words", READS, ids=" ".join)
def test_readers_go_on_without_locks(root: Path, tmp_path: Path, words: list[str]) -> None:
    done = without_locks(root, tmp_path, errno.ENOLCK, words)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "number"), [*((words, errno.ENOLCK) for words in WRITES), (WRITES[1], errno.ENOSYS), (WRITES[2], errno.EBADF)]
)
def test_writers_are_refused_and_write_nothing(root: Path, tmp_path: Path, words: list[str], number: int) -> None:
    before = contents(root)
    done = without_locks(root, tmp_path, number, words)
    assert done.returncode == ForecastError.exit_code
    assert f"cannot be locked: {os.strerror(number)}." in done.stderr
    assert str(root) in done.stderr
    assert "local disk" in done.stderr
    assert "Unexpected" not in done.stderr
    assert contents(root) == before


def test_a_lock_that_can_be_locked_only_when_open_for_writing_is_looked_at_that_way(
    root: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As network disks have it."""
    import fcntl

    real = fcntl.flock

    def flock(descriptor: int, how: int) -> None:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    reports = root / "reports"
    with publication_lock.publisher(reports, "forecast refit", now):
        held = publication_lock.owner(reports)
    assert held is not None
    assert held.what == "forecast refit"
    assert publication_lock.owner(reports) is None


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to a device"])
def test_a_lock_that_is_no_file_is_said_and_readers_pass_it_by(tmp_path: Path, now: datetime, kind: str) -> None:
    path = tmp_path / publication_lock.NAME
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "link to a device": lambda: path.symlink_to("/dev/zero")}[kind]()
    assert publication_lock.owner(tmp_path) is None
    with pytest.raises(ForecastError, match=r"\.lock is not a regular file"):
        publication_lock.publisher(tmp_path, "forecast refit", now).__enter__()
