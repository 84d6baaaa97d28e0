"""Which run is published, and what stands when one is not. The fit is replaced by a forecast from prior draws."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import arviz
import numpy as np
import pytest
from click.testing import CliRunner, Result

from forecast import workspace as places
from forecast.cli import main
from forecast.cli._context import Environment
from forecast.errors import GateError
from forecast.forecasting.inputs import load_workspace
from forecast.jobs import run as job
from forecast.jobs.priors.reference import with_priors_as_of
from forecast.jobs.saved_run import SavedRun
from forecast.report.files import canonical_json, write_text
from forecast.report.models.report import Report
from forecast.reweighting.draws_archive import unpack_draws
from forecast.runs import publication_lock, store
from forecast.workspace import Workspace
from tests.conftest import NOW
from tests.support.outside_view import StandIn
from tests.support.prior_forecasts import prior_forecast

type Command = Callable[..., Result]


@pytest.fixture
def no_sampler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "fit", lambda *_: prior_forecast())
    monkeypatch.setattr("forecast.jobs.explain.moved", lambda *_: {})


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A workspace with one run, made by the command, and what the command said. To be copied before it is changed."""
    root = tmp_path_factory.mktemp("published") / "workspace"
    places.create_workspace(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "fit", lambda *_: prior_forecast())
        environment = Environment(clock=lambda: NOW, environ={}, cwd=root)
        result = CliRunner().invoke(main, ["run"], obj=environment, prog_name="forecast")
    return root, result


@pytest.fixture
def published(first_run: tuple[Path, Result], tmp_path: Path) -> Path:
    """A copy of that workspace."""
    shutil.copytree(first_run[0], tmp_path / "copy", symlinks=True)
    return tmp_path / "copy"


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*_: object) -> None:
        raise GateError("The fit did not pass the gate.", "Run again.")

    monkeypatch.setattr(job, "fit", fit)


def test_a_first_run_publishes(first_run: tuple[Path, Result]) -> None:
    root, said = first_run
    assert said.exit_code == 0, said.stderr
    assert store.latest(root / "reports") is not None
    assert "Published" in said.stdout
    assert all(len(line) <= 80 for line in said.stdout.splitlines() if "/" not in line)


def report_alone(report: Report, folder: Path) -> None:
    """report.json without the pages, which take seconds."""
    write_text(folder / "report.json", canonical_json(report.document()))


@pytest.mark.usefixtures("no_sampler")
@pytest.mark.slow
def test_a_later_run_publishes_only_when_asked_and_never_overwrites(
    published: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = store.latest(published / "reports")
    assert before is not None
    monkeypatch.setattr("forecast.jobs.run.write_report_files", report_alone)
    again = command("run", "--workspace", published)
    assert again.exit_code == 1  # the tests' clock stands still, so the run would have the same name
    assert before.name in again.stderr
    later = Environment(clock=lambda: NOW + timedelta(minutes=1), environ={}, cwd=published)
    result = CliRunner().invoke(main, ["run"], obj=later, prog_name="forecast")
    assert "Not published" in result.stdout, result.stderr
    assert store.latest(published / "reports") == before
    assert store.list_runs(published / "reports")[-1].run_id in (published / "reports" / "index.html").read_text()
    much_later = Environment(clock=lambda: NOW + timedelta(minutes=2), environ={}, cwd=published)
    assert CliRunner().invoke(main, ["run", "--publish"], obj=much_later, prog_name="forecast").exit_code == 0
    assert store.latest(published / "reports") != before


@pytest.mark.usefixtures("no_sampler")
@pytest.mark.slow
def test_a_run_as_of_an_earlier_day_is_never_published(workspace: Workspace, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.jobs.run.write_report_files", report_alone)
    monkeypatch.setattr("forecast.jobs.priors.reference.compile_sampler", lambda *_: StandIn())
    result = command("run", "--workspace", workspace.data.parent, "--as-of", "2025-06-30", "--publish")
    assert result.exit_code == 0, result.stderr
    assert "Not published" in result.stdout
    assert store.latest(workspace.reports) is None


@pytest.mark.usefixtures("refused")
def test_what_the_gate_refuses_leaves_everything_as_it_was(workspace: Workspace, command: Command) -> None:
    before = sorted(p.name for p in workspace.reports.iterdir())
    result = command("run", "--publish", "--workspace", workspace.data.parent)
    assert result.exit_code == 4
    assert "gate" in result.stderr
    assert "Traceback" not in result.stderr
    assert store.latest(workspace.reports) is None
    assert [p for p in sorted(p.name for p in workspace.reports.iterdir()) if p != ".lock"] == before


@pytest.mark.usefixtures("no_sampler")
def test_another_publisher_is_told_who_holds_the_lock(workspace: Workspace, command: Command) -> None:
    with publication_lock.publisher(workspace.reports, "a test", NOW):
        result = command("run", "--publish", "--workspace", workspace.data.parent)
    assert result.exit_code == 5
    assert "a test" in result.stderr


@pytest.mark.usefixtures("no_sampler")
def test_bad_data_are_refused_before_anything_is_fitted_or_written(workspace: Workspace, command: Command) -> None:
    events = workspace.data / "events.csv"
    events.write_text(events.read_text().replace("2025-02-19", "2025-02-30", 1))
    result = command("run", "--workspace", workspace.data.parent)
    assert result.exit_code == 3
    assert "events.csv" in result.stderr
    assert "2025-02-30" in result.stderr
    assert store.list_runs(workspace.reports) == ()


def test_the_files_of_a_run_open_with_plain_arviz_and_numpy(published: Path) -> None:
    run = store.resolve(published / "reports", "latest")
    tree = arviz.from_netcdf(run / "posterior.nc")
    assert set(tree.children) == set(prior_forecast().readings)
    assert tree["main/posterior"]["leverage_effect"].sizes == {"chain": 4, "draw": 200}
    draws = unpack_draws(SavedRun(run).draws, "main")
    np.testing.assert_allclose(draws.leverage, prior_forecast().readings["main"].draws.leverage, rtol=1e-6)
    assert (run / "draws.npz").stat().st_size < 15_000_000


YEARS_LATER = """
    import hashlib, importlib.abc, json, pathlib, sys

    class Gone(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path, target=None):
            if name.partition(".")[0] in ("forecast", "pymc", "nutpie", "pytensor"):
                raise ModuleNotFoundError(name)

    sys.meta_path.insert(0, Gone())
    import arviz, h5py, numpy, xarray

    run = pathlib.Path(sys.argv[1])
    held = json.loads((run / "manifest.json").read_text())["files"]
    for name, entry in held.items():
        assert hashlib.sha256((run / name).read_bytes()).hexdigest() == entry["sha256"], name
    kinds = set()
    with h5py.File(run / "posterior.nc") as file:
        file.visititems(lambda name, node: kinds.add(node.dtype.kind) if isinstance(node, h5py.Dataset) else None)
    with numpy.load(run / "draws.npz", allow_pickle=False) as arrays:
        kinds |= {arrays[name].dtype.kind for name in arrays.files}
    tree = xarray.open_datatree(run / "posterior.nc")
    rows = arviz.summary(arviz.from_netcdf(run / "posterior.nc")["main"], var_names=["leverage_effect"])
    print(json.dumps([sorted(tree.children), len(rows), sorted(kinds), (run / "inputs" / "data" / "events.csv").stat().st_size]))
"""


@pytest.mark.slow
def test_years_later_a_run_opens_without_this_program(published: Path, bundled: Workspace, tmp_path: Path) -> None:
    """With ArviZ, xarray, h5py and NumPy alone, and without a pickle: O is HDF5's text of any length, and NumPy refused to unpickle."""
    run = store.resolve(published / "reports", "latest")
    words = [sys.executable, "-c", textwrap.dedent(YEARS_LATER), str(run)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    readings, rows, kinds, size = json.loads(done.stdout)
    assert readings == sorted(prior_forecast().readings)
    assert rows == 1
    assert set(kinds) <= set("biufUO")
    assert size == (bundled.data / "events.csv").stat().st_size


@pytest.mark.slow
def test_a_report_is_read_back_and_rendered_without_fitting(
    published: Path, first_run: tuple[Path, Result], command: Command, tmp_path: Path
) -> None:
    shown = command("report", "--workspace", published)
    assert shown.exit_code == 0, shown.stderr
    assert shown.stdout.strip() in first_run[1].stdout
    page = command("report", "latest", "--format", "html", "--output", tmp_path / "copy.html", "--workspace", published)
    assert page.exit_code == 0, page.stderr
    run = store.resolve(published / "reports", "latest")
    assert (tmp_path / "copy.html").read_text() == (run / "report.html").read_text()
    as_json = command("report", "--json", "--workspace", published)
    assert as_json.stdout == (run / "report.json").read_text()


def test_a_damaged_run_is_not_read(published: Path, command: Command) -> None:
    told = store.resolve(published / "reports", "latest") / "report.json"
    told.write_text(told.read_text().replace('"stale": true', '"stale": false'))
    for words in (("report",), ("status",), ("runs", "verify")):
        result = command(*words, "--workspace", published)
        assert result.exit_code in (7, 8), (words, result.stdout, result.stderr)
        assert "report.json" in result.stdout + result.stderr


@pytest.mark.slow
def test_as_of_an_earlier_day_the_outside_view_is_fitted_to_what_was_public_then(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = StandIn()
    monkeypatch.setattr("forecast.jobs.priors.reference.compile_sampler", lambda *_: seen)
    now = load_workspace(workspace)
    assert with_priors_as_of(now) is now
    then = with_priors_as_of(load_workspace(workspace, date(2015, 6, 30)))
    months = [sum(float(data[k].sum()) for k in ("rise", "stay", "fall")) for data, _, _ in seen.seen]
    assert 0 < max(months) < 10_000  # of the 11,166 of today's largest class
    given = {name for name in now.priors if then.priors.spec(name) != now.priors.spec(name)}
    assert given
    assert all(name.startswith("ladder.") for name in given)


def test_status_without_a_run_says_how_to_make_one(workspace: Workspace, command: Command) -> None:
    result = command("status", "--workspace", workspace.data.parent)
    assert result.exit_code == 8
    assert "forecast run" in result.stderr


def test_status_of_a_stale_run_is_unhealthy_and_says_why(published: Path, command: Command) -> None:
    result = command("status", "--workspace", published)
    assert result.exit_code == 8
    assert "stale" in result.stderr
    assert "2026-06" in result.stdout
    assert "as in the published run" in result.stdout
    file = published / "priors" / "leverage.toml"
    file.write_text(file.read_text() + "\n# a comment is no change\n")
    assert "as in the published run" in command("status", "--workspace", published).stdout
    file.write_text(file.read_text().replace("Normal(1.6, 0.8)", "Normal(1.0, 0.8)"))
    assert "changed since" in command("status", "--workspace", published).stdout
