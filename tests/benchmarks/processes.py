"""Whole processes: wall, processor seconds and peak memory, and when they said what."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
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


_LAUNCHER = """
import os, sys, time
began = time.monotonic()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
ended = time.monotonic()
with open(int(sys.argv[1]), "w") as report:
    print(status, began, ended, used.ru_utime + used.ru_stime, used.ru_maxrss, file=report)
"""
"""Starts the command from a small process: the system counts the memory of whoever starts a process as that process's own peak."""


def measure(words: Sequence[str | Path], folder: Path, environ: Mapping[str, str] | None = None, accept: Collection[int] = (0,)) -> Cost:
    """Run a command in a folder to its end. BenchError if it ends with another exit code than those accepted."""
    report, written = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(written), *map(str, words)], cwd=folder, env=os.environ | dict(environ or {}),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, pass_fds=(written,),
    )  # fmt: skip
    os.close(written)
    assert process.stderr
    with process.stderr:
        lines = [(time.monotonic(), line.rstrip("\n")) for line in process.stderr]
    with open(report, encoding="ascii") as file:
        numbers = file.read().split()
    process.wait()
    last = "\n".join(line for _, line in lines[-10:])
    if not numbers:
        raise BenchError(f"`{' '.join(map(str, words))}` could not be started:\n{last}")
    code = os.waitstatus_to_exitcode(int(numbers[0]))
    began, ended, cpu, memory = map(float, numbers[1:])
    if code not in accept:
        raise BenchError(f"`{' '.join(map(str, words))}` ended with exit code {code}:\n{last}")
    return Cost(ended - began, cpu, memory / 1024, tuple((at - began, line) for at, line in lines))


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each quantity; what was said is dropped."""
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "memory")))


def ratios(cost: Cost, base: Cost) -> dict[str, float]:
    """What a process took as multiples of what another did."""
    return {name: round(getattr(cost, name) / getattr(base, name), 3) for name in ("wall", "cpu", "memory")}
