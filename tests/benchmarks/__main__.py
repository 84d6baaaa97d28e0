"""Measures samplers, whole commands and growth, prints all figures, and fails where something became worse: `make bench`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tomlkit

from forecast.storage.caches import use_cache_folder
from tests.benchmarks import commands
from tests.benchmarks.arithmetic import LINEAR, SLACK, unmatched, worse
from tests.benchmarks.processes import BenchError, Cost, measure, median, ratios

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RECORDED = HERE / "recorded.toml"
PARTS = ("commands", "samplers", "growth")
TEXTBOOK_FACTOR = 2.0
"""How many times the textbook form's effective draws a second the landed model must reach."""
SUITES: Mapping[str, tuple[str, ...]] = {"make check": ("check",), "make test": ("test",)}

type Ratios = dict[str, dict[str, float]]


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def machine() -> str:
    """The machine and what the figures depend on, in two lines."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")] if cpuinfo.exists() else []
    model = models[0].split(":")[1].strip() if models else platform.processor()
    names = ("numpy", "numba", "nutpie", "pymc", "pytensor", "numpyro", "jax")
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    return f"{model}, {platform.system()}, Python {platform.python_version()}, {load}\n" + ", ".join(f"{n} {version(n)}" for n in names)


def bench_commands(repeats: int, only: str, suites: bool) -> tuple[Ratios, list[str]]:
    """Every row as ratios to importing NumPy. The rows take turns, so that a busy minute falls on all of them."""
    names = [*commands.BASES, *(name for name in commands.ROWS if only in name)]
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    with TemporaryDirectory() as root:
        workspaces = commands.Workspaces(Path(root))
        for name in names:  # compiles, fills the caches of the system, and makes the workspaces
            if name not in ("refit that fits", "run, nothing compiled before"):
                commands.once(name, workspaces)
        for _ in range(repeats):
            for name in names:
                costs[name].append(commands.once(name, workspaces))
    base = median(costs["import numpy"])
    say(
        f"{'whole processes, medians of ' + str(repeats):34} {'wall s':>8} {'CPU s':>8} {'MB':>7}   times `import numpy`: wall, CPU, memory"
    )
    found: Ratios = {}
    middle = {name: median(of) for name, of in costs.items()}
    if suites:  # each once: they take minutes
        middle |= {name: measure(["make", *words], ROOT) for name, words in SUITES.items()}
    for name, cost in middle.items():
        found[name] = ratios(cost, base)
        figures = "  ".join(f"{x:7.2f}" for x in found[name].values())
        say(f"{name:34} {cost.wall:8.2f} {cost.cpu:8.2f} {cost.memory:7.0f}   {figures}")
    if "run" in costs:
        first = statistics.median(commands.first_draw(cost) for cost in costs["run"])
        found["first draw of a run"] = {"wall": round(first / base.wall, 3)}
        say(f"{'first draw of a run':34} {first:8.2f} {'':8} {'':7}   {first / base.wall:7.2f}")
        _say_stages([commands.stages(cost) for cost in costs["run"]])
    return found, []


def _say_stages(runs: list[dict[str, float]]) -> None:
    say("\nwhere the time of a run goes, seconds")
    for stage in runs[0]:
        say(f"  {stage:20} {statistics.median(run.get(stage, 0.0) for run in runs):6.2f}")


def bench_samplers(repeats: int, draws: int) -> tuple[Ratios, list[str]]:
    """Effective draws a second of each engine; the landed model must reach twice those of the textbook form."""
    from tests.benchmarks.samplers import ENGINES

    base = median([commands.once("import numpy", commands.Workspaces(ROOT)) for _ in range(5)])
    say(f"\neffective draws of model 5, the smallest over all parameters; 4 chains of {draws} draws after as many steps of tuning")
    say(f"{'':52} {'a CPU second':>15} {'a second':>15} {'':>7} {'':>9} {'to prepare':>11}")
    say(f"{'':52} {'bulk':>7} {'tail':>7} {'bulk':>7} {'tail':>7} {'R-hat':>7} {'divergent':>9} {'CPU s':>11}")
    rates: dict[str, float] = {}
    found: Ratios = {}
    for engine, (title, _) in ENGINES.items():
        words = [sys.executable, "-m", "tests.benchmarks.samplers", engine, str(repeats), str(draws)]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchError(f"{title}: {done.stderr.strip()[-2000:]}")
        made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        if "missing" in made:
            say(f"{title:52} {made['missing']}")
            continue

        def middle(of: Callable[[dict[str, float]], float], made: dict[str, Any] = made) -> float:
            return statistics.median(of(r) for r in made["repeats"])

        bulk, tail = middle(lambda r: r["bulk"] / r["cpu"]), middle(lambda r: r["tail"] / r["cpu"])
        wall = f"{middle(lambda r: r['bulk'] / r['wall']):7.1f} {middle(lambda r: r['tail'] / r['wall']):7.1f}"
        trust = f"{middle(lambda r: r['rhat']):7.3f} {middle(lambda r: r['divergent']):9.0f}"
        say(f"{title:52} {bulk:7.1f} {tail:7.1f} {wall} {trust} {made['prepare_cpu']:11.1f}")
        rates[engine] = min(bulk, tail)
        if engine == "kernel":
            found["1,000 effective draws"] = {"bulk": round(1_000 / bulk / base.cpu, 3), "tail": round(1_000 / tail / base.cpu, 3)}
    factor = rates["kernel"] / rates["textbook"]
    graph = rates["graph"] / rates["textbook"]
    say(f"The landed model has {factor:.1f} times the textbook form's effective draws a CPU second, its graph {graph:.1f} times.")
    missed = [f"the landed model has {factor:.2f} times the textbook form's rate, wanted {TEXTBOOK_FACTOR}"]
    return found, missed if factor < TEXTBOOK_FACTOR else []


def bench_growth(least: float) -> tuple[Ratios, list[str]]:
    """Curves of growth; none may be steeper than linear."""
    from tests.benchmarks.growth import curves

    say(f"\ngrowth, CPU seconds; an exponent above {LINEAR} fails")
    steep = []
    for c in curves(least):
        pairs = ", ".join(f"{size}: {s:.4g}" for size, s in zip(c.sizes, c.seconds, strict=True))
        say(f"  {c.what:26} {c.stage:36} exponent {c.exponent:5.2f}   {pairs}")
        if not c.linear:
            steep.append(f"{c.stage} grows with {c.what} by the power {c.exponent:.2f}")
    return {}, steep


def write_recorded(found: Ratios) -> None:
    """Replace the recorded rows that were measured; the others stay."""
    document = tomlkit.parse(RECORDED.read_text()) if RECORDED.exists() else tomlkit.document()
    for name, values in found.items():
        table = tomlkit.table()
        table.update(values)
        document[name] = table
    RECORDED.write_text(tomlkit.dumps(document))


def main() -> int:
    ask = argparse.ArgumentParser(prog="make bench OPTIONS=…", description=__doc__)
    ask.add_argument("--part", action="append", choices=PARTS, help="measure this part alone; may be given again")
    ask.add_argument("--only", default="", metavar="TEXT", help="of the commands only those with TEXT in their name")
    ask.add_argument("--repeats", type=int, default=5, metavar="N", help="processes of each command (default 5)")
    ask.add_argument("--fits", type=int, default=3, metavar="N", help="fits of each sampler (default 3)")
    ask.add_argument("--draws", type=int, default=1_000, metavar="N", help="draws of each chain (default 1000)")
    ask.add_argument("--least", type=float, default=0.3, metavar="S", help="CPU seconds at each size of a curve (default 0.3)")
    ask.add_argument("--suites", action="store_true", help="also measure `make check` and `make test`, once each")
    ask.add_argument("--record", action="store_true", help=f"write the ratios to {RECORDED.relative_to(ROOT)}, on an idle machine")
    given = ask.parse_args()
    use_cache_folder()
    parts: dict[str, Callable[[], tuple[Ratios, list[str]]]] = {
        "commands": lambda: bench_commands(given.repeats, given.only, given.suites),
        "samplers": lambda: bench_samplers(given.fits, given.draws),
        "growth": lambda: bench_growth(given.least),
    }
    say(machine())
    found: Ratios = {}
    failed: list[str] = []
    try:
        for part in given.part or PARTS:
            more, wrong = parts[part]()
            found |= more
            failed += wrong
    except BenchError as e:
        sys.stderr.write(f"{e}\n")
        return 1
    if given.record:
        write_recorded(found)
    recorded = tomllib.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    failed += [f"{words}, more than {SLACK} times" for words in worse(recorded, found)]
    say("\n" + ("\n".join(f"worse: {words}" for words in failed) or "Nothing is worse than recorded."))
    for words in unmatched(recorded, found):
        say(f"not recorded yet: {words}; `make bench OPTIONS=--record` on an idle machine")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
