"""Shows that a refactoring changes no number: an earlier commit and the working tree run as processes, and all they say is compared.

    python -m tests.compare_versions 18793f2 --keep /tmp/versions                      fits both with one seed
    python -m tests.compare_versions --runs OLD/reports/latest NEW/reports/latest      compares two runs, and fits nothing

Compared are `report.json`, the arrays of `draws.npz` and `posterior.nc`, and what some fifty commands print in workspaces made from the
inputs of the two runs, by the same clock. `compare_versions.toml` lists the commands, what was renamed since, and what differs by design.
The exit code is 0 if all is equal, 1 if anything differs, 2 if that could not be found out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import pickle
import pty
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np

from tests.comparison import RTOL, RUN_ID, Table, Value, compare, flat, summary

ROOT: Final = Path(__file__).parent.parent
CLOCK: Final = Path(__file__).parent / "fixed_clock"
SEED: Final = "20060101"


def stop(message: str) -> NoReturn:
    """End with exit code 2, since 1 says that the versions differ."""
    sys.stderr.write(f"{message}\n")
    raise SystemExit(2)


@dataclass(frozen=True)
class Installed:
    """The `forecast` of a checkout, run in a workspace."""

    checkout: Path
    workspace: Path

    def __call__(self, words: Sequence[str | Path], clock: datetime) -> subprocess.CompletedProcess[str]:
        """Run a command: on a terminal of 80 columns, where it prints what people read, or with --json into a pipe."""
        plain = {"COLUMNS": "80", "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "TERM": "dumb"}
        environ = {**os.environ, **plain, "PYTHONPATH": str(CLOCK), "FIXED_CLOCK": clock.isoformat()}
        command = [self.checkout / ".venv" / "bin" / "forecast", "--workspace", self.workspace, "-q", *words]
        run = run_in_pipe if "--json" in words else run_on_terminal
        return run(command, env=environ, cwd=self.workspace, stdin=subprocess.DEVNULL)

    def published(self, clock: datetime) -> Path:
        """The run that was published at this moment. It stops if the version went by another clock."""
        run = (self.workspace / "reports" / "latest").resolve()
        if made_at(run) != clock:
            stop(f"{run} was not made at {clock}. If the clock is read outside forecast/cli now, change {CLOCK}.")
        return run


def run_in_pipe(command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, **options)


def run_on_terminal(command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command whose standard output is a terminal; its errors are kept apart."""
    here, there = pty.openpty()
    with os.fdopen(here, "rb", buffering=0) as terminal, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=there, stderr=errors, **options)
        os.close(there)
        output = bytearray()
        with suppress(OSError):  # raised by Linux when the other end has been closed
            while part := terminal.read(65536):
                output += part
        exit_code = process.wait()
        errors.seek(0)
        return subprocess.CompletedProcess(command, exit_code, output.decode().replace("\r\n", "\n"), errors.read().decode())


def made_at(run: Path) -> datetime:
    return datetime.strptime(run.name.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def clone(commit: str, folder: Path) -> Path:
    """A clean clone of a commit, with an environment of its own; one that is there is taken."""
    if not (folder / ".venv" / ".made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["git", "clone", "--quiet", "--no-checkout", ROOT, folder], check=True)
        subprocess.run(["git", "checkout", "--quiet", "--detach", commit], cwd=folder, check=True)
        if (ROOT / ".uv").is_dir():
            shutil.copytree(ROOT / ".uv", folder / ".uv", symlinks=True)
        subprocess.run(["sh", ".ci/environment"], cwd=folder, check=True)
    return folder


def fit(checkout: Path, workspace: Path, clock: datetime) -> Path:
    """The run that the version in `checkout` publishes, made in a new workspace from its own data and priors."""
    shutil.rmtree(workspace, ignore_errors=True)
    for name in ("data", "priors"):
        shutil.copytree(checkout / name, workspace / name, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    installed = Installed(checkout, workspace)
    done = installed(["run", "--publish", "--seed", SEED], clock)
    if done.returncode:
        stop(f"`forecast run` of {checkout} ended with exit code {done.returncode}.\n{done.stderr}")
    return installed.published(clock)


def values_of(run: Path, checkout: Path, commands: Sequence[str], poll: str) -> dict[str, Value]:
    """Every value to be compared, by its place: of the run, of what the commands print, and of the run that their refit makes."""
    if len(runs := [path.name for path in run.parent.iterdir() if RUN_ID.fullmatch(path.name)]) > 1:
        stop(f"{run.parent} holds {len(runs)} runs. Give it one: the commands speak of all of them.")
    values = values_of_run(run)
    with tempfile.TemporaryDirectory(prefix="compare-") as folder:
        workspace, file = Path(folder) / "workspace", Path(folder) / "poll.csv"
        shutil.copytree(run / "inputs", workspace)
        shutil.copytree(run.parent, workspace / "reports", symlinks=True)
        file.write_text(poll.lstrip(), encoding="utf-8")
        installed, clock = Installed(checkout, workspace), made_at(run) + timedelta(hours=1)
        for command in commands:
            clock += timedelta(minutes=1)
            done = installed(shlex.split(command.format(run=run.name, poll=file)), clock)
            output, errors = (text.replace(folder, "<folder>") for text in (done.stdout, done.stderr))
            values |= values_of_command(command, done.returncode, output, errors)
            if command.startswith("refit") and (workspace / "reports" / "latest").resolve().name != run.name:
                values |= values_of_run(installed.published(clock), "refit/")
    return values


def values_of_command(command: str, exit_code: int, output: str, errors: str = "") -> dict[str, Value]:
    """Exit code, output and errors of a command; each value of the output if it is JSON."""
    label = command.replace("/", "∕")
    try:
        content = dict(flat(json.loads(output), label))
    except ValueError:
        content = {f"{label}/text": output}
    return {f"{label}/exit code": exit_code, **content, f"{label}/errors": errors}


def values_of_run(run: Path, prefix: str = "") -> dict[str, Value]:
    """The values of a run's report, draws and posterior; an array of texts as one text."""
    import h5py

    values = dict(flat(json.loads((run / "report.json").read_text(encoding="utf-8")), f"{prefix}report.json"))
    with np.load(run / "draws.npz") as archive:
        for name in archive.files:
            array = archive[name]
            values[f"{prefix}draws.npz/{name}"] = "\n".join(map(str, array.ravel())) if array.dtype.kind == "U" else array

    def add(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            values[f"{prefix}posterior.nc/{name}"] = "\n".join(item.asstr()[()].ravel()) if item.dtype.kind == "O" else item[()]

    with h5py.File(run / "posterior.nc") as file:
        file.visititems(add)
    return values


def remembered(folder: Path | None, run: Path, checkout: Path, commands: Sequence[str], poll: str) -> dict[str, Value]:
    """`values_of` a run of the old version, read from a file in `folder` if this script asked the same of the same run before."""
    question = repr((run.name, commands, poll, Path(__file__).read_text(encoding="utf-8")))
    file = folder / f"old-{hashlib.sha256(question.encode()).hexdigest()[:12]}.pickle" if folder else None
    if file and file.exists():
        return dict(pickle.loads(file.read_bytes()))
    values = values_of(run, checkout, commands, poll)
    if file:
        file.write_bytes(pickle.dumps(values))
    return values


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, encoding="utf-8").stdout.strip()


def checkout_and_runs(commit: str | None, runs: Sequence[Path] | None, folder: Path) -> tuple[Path, Path, Path]:
    """The checkout of the old version, and a run of each version: those that were named, or fits by the clock of the commit."""
    checkout = clone(commit, folder / "checkout") if commit else None
    if runs:
        old, new = (run.resolve() for run in runs)
        checkout = checkout or next((parent for parent in old.parents if (parent / ".venv" / "bin" / "forecast").exists()), None)
        if checkout is None:
            stop(f"{old} lies in no checkout with an environment. Name its commit too.")
        return checkout, old, new
    if checkout is None:
        stop("Name a commit, or two runs with --runs.")
    clock = datetime.fromtimestamp(int(git("show", "-s", "--format=%ct", str(commit))), UTC)
    kept = folder / "old" / "reports" / "latest"
    return checkout, kept.resolve() if kept.exists() else fit(checkout, folder / "old", clock), fit(ROOT, folder / "new", clock)


def chosen(table: Table, expression: str, *, quick: bool) -> list[str]:
    """The commands to run, as the old version writes them."""
    commands = [words for command in table.in_both_forms for words in (command, f"{command} --json")] + [*table.once]
    return [command for command in commands if re.search(expression, command) and not (quick and command.startswith(tuple(table.slow)))]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", nargs="?", help="the earlier version")
    parser.add_argument("--runs", nargs=2, type=Path, metavar=("OLD", "NEW"), help="compare these runs instead of fitting")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the clone, the runs and what the old version printed in DIR/COMMIT")
    parser.add_argument("--numbers-only", action="store_true", help="of texts compare the numbers, in their order, and not the words")
    parser.add_argument("--rtol", type=float, default=RTOL, metavar="R", help=f"relative tolerance, {RTOL:g} if not given")
    parser.add_argument("--commands", metavar="PATTERN", default="", help="run only the commands in which this regular expression is found")
    parser.add_argument("--quick", action="store_true", help="leave out the commands that take minutes")
    parser.add_argument("--full", action="store_true", help="show every difference")
    options = parser.parse_args(arguments)
    table = Table.read(Path(__file__).with_suffix(".toml"))
    commands = chosen(table, options.commands, quick=options.quick)
    with tempfile.TemporaryDirectory(prefix="versions-") as temporary:
        version = git("rev-parse", "--short=12", f"{options.commit}^{{commit}}") if options.commit else ""
        folder = (options.keep or Path(temporary)).resolve() / version
        folder.mkdir(parents=True, exist_ok=True)
        checkout, old, new = checkout_and_runs(options.commit, options.runs, folder)
        before = remembered(folder if options.keep else None, old, checkout, commands, table.poll)
        after = values_of(new, ROOT, [table.renamed_words(command) for command in commands], table.poll)
    comparison = compare(before, after, table, numbers_only=options.numbers_only, rtol=options.rtol)
    page = summary(comparison, table, 1_000_000 if options.full else 8)
    verdict = "The versions differ." if comparison else "No difference."
    sys.stdout.write(f"Old: {old} by {checkout}\nNew: {new} by {ROOT}\n\n{page}\n\n{verdict}\n")
    return 1 if comparison else 0


if __name__ == "__main__":
    sys.exit(main())
