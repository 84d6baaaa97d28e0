"""Whole processes: wall, processor seconds and peak memory, and when they said what."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class BenchError(Exception):
    """Something could not be measured: a sentence for whoever runs the benchmarks."""


@dataclass(frozen=True)
class Cost:
    """What a process took, its children included.

    wall    seconds from its start to its end
    cpu     processor seconds of all its threads and of the processes that it waited for
    memory  MB at the peak, of the largest process
    said    seconds from the start, and the line of standard error that was written then
    """

    wall: float
    cpu: float
    memory: float
    said: tuple[tuple[float, str], ...] = ()


def measure(words: Sequence[str | Path], folder: Path, environ: Mapping[str, str] | None = None, accept: Collection[int] = (0,)) -> Cost:
    """Run a command in a folder to its end. BenchError if it ends with another exit code than those accepted."""
    began = time.monotonic()
    process = subprocess.Popen(
        [str(word) for word in words], cwd=folder, env=os.environ | dict(environ or {}), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr
    said = tuple((time.monotonic() - began, line.rstrip("\n")) for line in process.stderr)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not wait for it too
    process.stderr.close()
    if process.returncode not in accept:
        last = "\n".join(line for _, line in said[-10:])
        raise BenchError(f"`{' '.join(map(str, words))}` ended with exit code {process.returncode}:\n{last}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said)


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each quantity; what was said is dropped."""
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "memory")))


def ratios(cost: Cost, base: Cost) -> dict[str, float]:
    """What a process took as multiples of what another did."""
    return {name: round(getattr(cost, name) / getattr(base, name), 3) for name in ("wall", "cpu", "memory")}
