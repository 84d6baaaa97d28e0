"""What a refit leaves when the disk is full, at any write, or can only be read."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from forecast.runs import ledger, store
from tests.support import refit_processes
from tests.support.quick_refits import command, decided, first, last, latest, quick, root
from tests.support.refit_processes import edit_prior, scratches, sound

__all__ = ["first", "quick", "root"]  # fixtures

pytestmark = pytest.mark.slow


class FullDisk:
    """`os.fsync` on a disk that is full from its n-th call on."""

    def __init__(self, full_from: int) -> None:
        self.full_from = full_from
        self.calls = 0

    def __call__(self, fd: int) -> None:
        self.calls += 1
        if self.calls > self.full_from:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_is_full_from_any_write_on_costs_nothing_that_was_published(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit_prior(root, 2.0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counted := FullDisk(10_000))
        assert command(root, "refit", minutes=1).exit_code == 0
    writes = counted.calls
    assert writes > 40
    some = sorted({*range(0, writes, 9), *range(writes - 12, writes)})  # the last are those of publishing and what follows
    for i, n in enumerate(some):
        edit_prior(root, 1 + i / 1000)
        before = latest(root)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", FullDisk(n))
            result = command(root, "refit", minutes=2 + 2 * i)
        assert result.exit_code in (1, 7), (n, result.stdout)
        assert "The disk is full; make room" in result.stderr, n
        assert "Traceback" not in result.stderr
        after = sound(root)
        assert after in (before, store.list_runs(root / "reports")[-1].path)
        assert ledger.verify(root / "reports") == ()
        healed = command(root, "refit", "--json", minutes=3 + 2 * i)
        assert healed.exit_code == 0, (n, healed.stderr)
        assert scratches(root) == []
        assert len(ledger.read(root / "reports")) == len(store.list_runs(root / "reports"))
        assert last(root).decision == decided(healed)["kind"]


SPACE = """
    import json, os, shutil, subprocess, sys
    from pathlib import Path

    root, filled, kinds = Path(sys.argv[1]), int(sys.argv[2]), []
    reports = root / "reports"
    kept = root / "kept"
    reports.rename(kept)
    reports.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(reports)], check=True)
    shutil.copytree(kept, reports, symlinks=True, dirs_exist_ok=True)
    room = os.statvfs(reports).f_bavail * os.statvfs(reports).f_frsize
    (reports / "other").write_bytes(bytes(room - filled))

    def refit():
        words = [sys.executable, "-m", "tests.support.fake_sampler", "well", "refit", "--json", "-q", "--workspace", str(root)]
        done = subprocess.run(words, capture_output=True, text=True)
        verify = [sys.executable, "-m", "forecast", "runs", "verify", "--workspace", str(root)]
        return [done.returncode, done.stderr, os.readlink(reports / "latest"), subprocess.run(verify, capture_output=True).returncode]

    before = os.readlink(reports / "latest")
    full = refit()
    (reports / "other").unlink()
    print(json.dumps({"before": before, "full": full, "room": refit(), "names": sorted(os.listdir(reports))}))
"""

READ_ONLY = """
    import json, os, subprocess, sys

    root, reports = sys.argv[1], sys.argv[1] + "/reports"
    subprocess.run(["mount", "--bind", reports, reports], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", reports], check=True)
    words = [sys.executable, "-m", "tests.support.fake_sampler", "well", "refit", "--workspace", root]
    done = subprocess.run(words, capture_output=True, text=True)
    print(json.dumps([done.returncode, done.stderr]))
"""


PRUNE = """
    import json, os, shutil, subprocess, sys
    from pathlib import Path

    root = Path(sys.argv[1])
    reports, kept = root / "reports", root / "kept"
    reports.rename(kept)
    reports.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,nr_inodes=200", "tmpfs", str(reports)], check=True)
    shutil.copytree(kept, reports, symlinks=True, dirs_exist_ok=True)
    old = reports / "20200101T000000Z-aaaaaa"
    shutil.copytree(reports / os.readlink(reports / "latest"), old)

    def fill(file, make):
        try:
            while True:
                make(file)
        except OSError:
            pass

    with (reports / "other").open("wb", buffering=0) as file:
        fill(file, lambda file: file.write(bytes(4096)))
    many = iter(range(1000))
    fill(reports, lambda folder: (folder / f"another-{next(many)}").touch())  # no room for a name either

    def forecast(*words):
        done = subprocess.run([sys.executable, "-m", "forecast", *words, "--workspace", str(root)], capture_output=True, text=True)
        return [done.returncode, done.stderr]

    free = [os.statvfs(reports).f_bavail, os.statvfs(reports).f_favail]
    pruned = forecast("runs", "prune", "--keep", "1")
    verified = forecast("runs", "verify")
    names = sorted(name for name in os.listdir(reports) if not name.startswith(("other", "another-")))
    listed = old.name in (reports / "index.html").read_text()
    print(json.dumps({"free": free, "pruned": pruned, "verified": verified, "names": names, "listed": listed}))
"""


def in_mounts_of_its_own(script: str, *args: object) -> Any:
    """Run a script that mounts what it likes: nobody else sees it, and it is gone when the script ends. What it prints, as JSON."""
    unshare = ["unshare", "--map-root-user", "--mount"]
    able = shutil.which("unshare") and subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode == 0
    if not able and not os.environ.get("CI"):
        pytest.skip("this system lets nobody have mounts of their own; CI must")
    words = [*unshare, sys.executable, "-c", textwrap.dedent(script), *map(str, args)]
    environ = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("faults") / "workspace"
    refit_processes.create(root)
    assert refit_processes.run(root, "refit", "-q").process.exitcode == 0
    return root


@pytest.mark.parametrize("free", [300_000, pytest.param(0, marks=pytest.mark.soak), pytest.param(3_000_000, marks=pytest.mark.soak)])
def test_a_full_disk_is_told_and_once_there_is_room_all_is_well(published: Path, tmp_path: Path, free: int) -> None:
    """Full before anything is written; full within the report; full within the posterior."""
    root = tmp_path / "workspace"
    shutil.copytree(published, root, symlinks=True)
    edit_prior(root, 1.0)
    found = in_mounts_of_its_own(SPACE, root, free)
    code, said, latest, damaged = found["full"]
    assert (code, latest, damaged) == (1, found["before"], 0), said
    assert "could not be written" in said
    assert "The disk is full; make room" in said
    assert "Traceback" not in said
    code, said, latest, damaged = found["room"]
    assert (code, damaged) == (0, 0), said
    assert latest > found["before"]
    assert not [name for name in found["names"] if name.startswith(".tmp-")]


def test_pruning_makes_room_on_a_disk_that_has_none(published: Path, tmp_path: Path) -> None:
    """No block is free and no inode: the remedy for a full disk must not need what it is to bring."""
    root = tmp_path / "workspace"
    shutil.copytree(published, root, symlinks=True)
    before = sorted(name for name in os.listdir(root / "reports") if not name.startswith(".tmp-"))
    found = in_mounts_of_its_own(PRUNE, root)
    assert found["free"] == [0, 0]
    assert found["pruned"][0] == 0, found["pruned"]
    assert found["verified"][0] == 0, found["verified"]
    assert (found["names"], found["listed"]) == (before, False)


def test_a_folder_that_can_only_be_read_is_told_before_anything_is_fitted(published: Path, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    shutil.copytree(published, root, symlinks=True)
    edit_prior(root, 1.0)
    code, said = in_mounts_of_its_own(READ_ONLY, root)
    assert code == 1
    assert "could not be written: Read-only file system" in said
    assert "That disk can only be read; choose another --workspace." in said
    assert "fit" not in said
