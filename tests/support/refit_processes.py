"""Refits in processes of their own, forked from one that has imported everything, so that each costs what it does and no imports."""

from __future__ import annotations

import multiprocessing
import os
import re
import secrets
import time
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from forecast import workspace as places
from forecast.runs import manifest, store
from forecast.storage import temporary_folder
from tests.support import fake_sampler

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.support.fake_sampler"])


@dataclass(frozen=True)
class Started:
    """A command on its way, and where what it says is kept."""

    process: BaseProcess
    log: Path

    def end(self, timeout: float = 600) -> int:
        """Wait for it; its exit code, negative for the signal that killed it."""
        self.process.join(timeout)
        code = self.process.exitcode
        assert code is not None, f"still running after {timeout} s: {self.said}"
        return code

    def kill(self, number: int) -> None:
        assert self.process.pid
        os.kill(self.process.pid, number)

    @property
    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def wait_until_said(self, words: str, timeout: float = 300) -> None:
        until = time.monotonic() + timeout
        while words not in self.said:
            assert self.process.is_alive(), self.said
            assert time.monotonic() < until, f"{words!r} was not said: {self.said}"
            time.sleep(0.01)


def start(root: Path, *words: str, sampler: str = "well") -> Started:
    """Start `forecast WORDS --workspace ROOT` with a stub sampler (see `tests.support.fake_sampler`)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBLAS_NUM_THREADS", "1")
        forkserver.ensure_running()
    log = root / f"said-{secrets.token_hex(4)}"
    process = FORKS.Process(target=fake_sampler.command, args=([*words, "--workspace", str(root)], sampler, log))
    process.start()
    return Started(process, log)


def run(root: Path, *words: str, sampler: str = "well") -> Started:
    """The same, and wait for its end."""
    started = start(root, *words, sampler=sampler)
    started.end()
    return started


def create(root: Path) -> places.Workspace:
    """A new workspace without scenarios, which take their time."""
    made = places.create_workspace(root)
    for file in (made.data / "scenarios").glob("*.toml"):
        file.unlink()
    return made


def edit_prior(root: Path, mean: float) -> None:
    """Change what the inputs mean."""
    file = root / "priors" / "leverage.toml"
    file.write_text(re.sub(r"Normal\([0-9.]+, 0\.8\)", f"Normal({mean:g}, 0.8)", file.read_text(), count=1))


def sound(root: Path) -> Path | None:
    """Check that every run verifies and that `latest` is one of them, or none; the run it is."""
    reports = root / "reports"
    for found in store.list_runs(reports):
        assert manifest.verify(found.path) == ()
    return store.latest(reports)


def scratches(root: Path) -> list[str]:
    return sorted(p.name for p in root.rglob(f"{temporary_folder.STAGING_PREFIX}*"))
