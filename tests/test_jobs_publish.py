"""Which run is published, and what stands when one is not. The fit is replaced by a forecast from prior draws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import arviz
import numpy as np
import pytest
from click.testing import Result

from forecast.errors import GateError
from forecast.forecasting.archive import unpack_draws
from forecast.jobs import run as job
from forecast.runs import lock, store
from forecast.runs.draws import read_draws
from forecast.workspace import Workspace
from tests.conftest import NOW
from tests.forecasts import prior_forecast

type Command = Callable[..., Result]


@pytest.fixture
def no_sampler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "fit", lambda inputs, seed, progress: prior_forecast())


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*_: object) -> None:
        raise GateError("The fit did not pass the gate.", "Run again.")

    monkeypatch.setattr(job, "fit", fit)


@pytest.mark.usefixtures("no_sampler")
def test_a_first_run_publishes_a_later_one_only_when_asked(workspace: Workspace, command: Command) -> None:
    first = command("run", "--workspace", workspace.data.parent)
    assert first.exit_code == 0, first.stderr
    published = store.latest(workspace.reports)
    assert published is not None
    assert "Published" in first.stdout
    assert all(len(line) <= 80 for line in first.stdout.splitlines() if "/" not in line)

    (made,) = [r.run_id for r in store.list_runs(workspace.reports)]
    again = command("run", "--workspace", workspace.data.parent)
    assert again.exit_code != 0  # the tests' clock stands still, and a run is never overwritten
    assert made in again.stderr
    assert store.latest(workspace.reports) == published


@pytest.mark.usefixtures("no_sampler")
def test_a_run_as_of_an_earlier_day_is_never_published(workspace: Workspace, command: Command) -> None:
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
    with lock.publisher(workspace.reports, "a test", NOW):
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


@pytest.mark.usefixtures("no_sampler")
def test_the_files_of_a_run_open_with_plain_arviz_and_numpy(workspace: Workspace, command: Command) -> None:
    assert command("run", "--workspace", workspace.data.parent).exit_code == 0
    run = store.resolve(workspace.reports, "latest")
    tree = arviz.from_netcdf(run / "posterior.nc")
    assert set(tree.children) == set(prior_forecast().readings)
    assert tree["main/posterior"]["leverage_effect"].sizes == {"chain": 4, "draw": 100}
    draws = unpack_draws(read_draws(run), "main")
    np.testing.assert_allclose(draws.leverage, prior_forecast().readings["main"].draws.leverage, rtol=1e-6)
    assert (run / "draws.npz").stat().st_size < 15_000_000


@pytest.mark.usefixtures("no_sampler")
def test_a_report_is_read_back_and_rendered_without_fitting(workspace: Workspace, command: Command, tmp_path: Path) -> None:
    root = workspace.data.parent
    made = command("run", "--workspace", root)
    shown = command("report", "--workspace", root)
    assert shown.exit_code == 0, shown.stderr
    assert shown.stdout.strip() in made.stdout
    page = command("report", "latest", "--format", "html", "--output", tmp_path / "copy.html", "--workspace", root)
    assert page.exit_code == 0, page.stderr
    run = store.resolve(workspace.reports, "latest")
    assert (tmp_path / "copy.html").read_text() == (run / "report.html").read_text()
    as_json = command("report", "--json", "--workspace", root)
    assert as_json.stdout == (run / "report.json").read_text()


@pytest.mark.usefixtures("no_sampler")
def test_a_damaged_run_is_not_read(workspace: Workspace, command: Command) -> None:
    root = workspace.data.parent
    command("run", "--workspace", root)
    told = store.resolve(workspace.reports, "latest") / "report.json"
    told.write_text(told.read_text().replace('"stale": true', '"stale": false'))
    for words in (("report",), ("status",), ("runs", "verify")):
        result = command(*words, "--workspace", root)
        assert result.exit_code in (7, 8), (words, result.stdout, result.stderr)
        assert "report.json" in result.stdout + result.stderr


def test_status_without_a_run_says_how_to_make_one(workspace: Workspace, command: Command) -> None:
    result = command("status", "--workspace", workspace.data.parent)
    assert result.exit_code == 8
    assert "forecast run" in result.stderr


@pytest.mark.usefixtures("no_sampler")
def test_status_of_a_stale_run_is_unhealthy_and_says_why(workspace: Workspace, command: Command) -> None:
    root = workspace.data.parent
    command("run", "--workspace", root)
    result = command("status", "--workspace", root)
    assert result.exit_code == 8
    assert "stale" in result.stderr
    assert "2026-06" in result.stdout
    assert "as in the published run" in result.stdout
    with (workspace.priors / "leverage.toml").open("a") as file:
        file.write("\n# a comment is no change\n")
    assert "as in the published run" in command("status", "--workspace", root).stdout
    text = (workspace.priors / "leverage.toml").read_text()
    (workspace.priors / "leverage.toml").write_text(text.replace("Normal(1.6, 0.8)", "Normal(1.0, 0.8)"))
    assert "changed since" in command("status", "--workspace", root).stdout
