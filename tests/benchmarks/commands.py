"""The commands as whole processes, each as a ratio to `python -c "import numpy"` of the same environment."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.processes import BenchError, Cost, measure

PYTHON = Path(sys.executable)
FORECAST = PYTHON.with_name("forecast")
STALE = 8  # the exit code of `status` once the bundled data are old
EVENT = [
    "--family", "B", "--role", "pressure", "--channel", "security", "--instrument", "force_threat", "--kind", "threat", "--intensity", "2",
    "--direction", "+", "--date", "2026-06-29", "--published", "2026-06-29", "--evidence", "source_read", "--confidence", "high",
    "--source", "a benchmark", "--description", "An invented threat.",
]  # fmt: skip
EDIT = "leverage.effect = Normal(1.2, 0.5)"


@dataclass(frozen=True)
class Row:
    """One command to measure.

    words   the command after `forecast`; for a base, all of it
    start   the name of the workspace that each process gets a copy of
    cold    with an empty cache of compiled code
    accept  exit codes that are no failure
    """

    words: tuple[str, ...]
    start: str = "published"
    cold: bool = False
    accept: tuple[int, ...] = (0,)


ROWS: Mapping[str, Row] = {
    "run": Row(("--log-json", "run", "--publish", "--seed", "1"), "new"),
    "run, nothing compiled before": Row(("--log-json", "run", "--publish", "--seed", "1"), "new", cold=True),
    "refit that fits": Row(("--log-json", "refit"), "prior edited"),
    "refit by reweighting": Row(("--log-json", "refit"), "event added"),
    "priors sensitivity": Row(("priors", "sensitivity")),
    "scenario run of one": Row(("scenario", "run", "trade-deal")),
    "report --format html": Row(("report", "--format", "html")),
    "priors try": Row(("priors", "try", EDIT)),
    "status": Row(("status",), accept=(0, STALE)),
    "priors show": Row(("priors", "show", "leverage.effect")),
    "questions score": Row(("questions", "score"), "resolved"),
    "explain of two stored runs": Row(("explain",), "followed"),
    "--help": Row(("--help",)),
    "--version": Row(("--version",)),
}
BASES: Mapping[str, tuple[str, ...]] = {"import numpy": ("-c", "import numpy"), "import click": ("-c", "import click")}
DECISIONS = {"refit that fits": "refitted", "refit by reweighting": "reweighted"}


class Workspaces:
    """The workspaces that rows start from, each made when it is first asked for; a row gets a copy."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._make: dict[str, tuple[str, Callable[[Path], None]]] = {
            "published": ("new", lambda at: self._run(at, "run", "--publish", "--seed", "1")),
            "prior edited": ("published", lambda at: self._run(at, "priors", "set", EDIT, "--why", "A benchmark.", "--by", "bench")),
            "event added": ("published", lambda at: self._run(at, "data", "add", "event", *EVENT, "--yes")),
            "followed": ("event added", lambda at: self._run(at, "refit")),
            "resolved": ("published", self._resolve),
        }

    @contextmanager
    def copy(self, name: str) -> Iterator[Path]:
        with TemporaryDirectory(dir=self._root) as folder:
            yield shutil.copytree(self._made(name), Path(folder) / "workspace", symlinks=True)

    def _made(self, name: str) -> Path:
        at = self._root / name.replace(" ", "-")
        if at.exists():
            return at
        if name == "new":
            self._run(self._root, "init", str(at))
        else:
            before, make = self._make[name]
            with self.copy(before) as draft:
                make(draft)
                draft.rename(at)
        return at

    @staticmethod
    def _run(at: Path, *words: str) -> None:
        measure([FORECAST, *words], at)

    def _resolve(self, at: Path) -> None:
        """Answer a dozen questions, so that there is something to score."""
        listed = subprocess.run([FORECAST, "questions", "list", "--json"], cwd=at, capture_output=True, text=True, check=True)
        names = [q["id"] for q in json.loads(listed.stdout)["questions"] if q["kind"] == "reached_by"]
        when = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
        for name in names[:12]:
            self._run(at, "questions", "resolve", name, "yes", "--source", "a benchmark", "--date", when, "--by", "bench")


def once(name: str, workspaces: Workspaces) -> Cost:
    """One process of a row, in a workspace of its own. BenchError if a refit decides otherwise than the row means."""
    if name in BASES:
        with TemporaryDirectory() as folder:
            return measure([PYTHON, *BASES[name]], Path(folder))
    row = ROWS[name]
    with workspaces.copy(row.start) as at, TemporaryDirectory() as cache:
        cost = measure([FORECAST, *row.words], at, {"FORECAST_CACHE": cache} if row.cold else {}, row.accept)
    wanted = DECISIONS.get(name)
    if wanted and wanted not in (found := [e["kind"] for _, e in events(cost) if e.get("event") == "decision"]):
        raise BenchError(f"{name}: the command decided {found}, not {wanted}; change EVENT or EDIT in tests/benchmarks/commands.py")
    return cost


def events(cost: Cost) -> list[tuple[float, dict[str, object]]]:
    """The events of a process that ran with --log-json, with the seconds at which they came."""
    return [(at, json.loads(line)) for at, line in cost.said if line.startswith("{")]


def first_draw(cost: Cost) -> float:
    """Seconds from the start of a run to its first sign of sampling."""
    return next(at for at, e in events(cost) if e.get("stage") == "fit" and e.get("done") is not None)


def stages(cost: Cost) -> dict[str, float]:
    """Seconds of a run by stage. Starting Python and reading the inputs come before the first stage, ending after the last."""
    marks = [("start", 0.0)]
    for at, e in events(cost):
        if e.get("event") == "progress" and (stage := str(e["stage"])) != marks[-1][0]:
            marks.append((stage, at))
    ends = [*(at for _, at in marks[1:]), cost.wall]
    took: dict[str, float] = {}
    for (stage, at), end in zip(marks, ends, strict=True):
        took[stage] = took.get(stage, 0.0) + end - at
    return took
