"""`forecast scenario`: on a run made by hand, without PyMC, refusing what does not fit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from forecast import workspace as places
from forecast.data.fingerprint import data_digest
from forecast.data.tables import origin
from forecast.domain import month_text
from forecast.forecasting.inputs import load_workspace
from forecast.forecasting.parameter_draws import from_prior
from forecast.jobs.saved_run import INPUTS
from forecast.jobs.scenario import run_on_draws
from forecast.model.hyperparameters import tolerance_priors
from forecast.model.tolerance_data import MODEL_VERSION
from forecast.priors.load import load_priors
from forecast.reweighting.draws_archive import pack_draws, unpack_draws
from forecast.runs import publication_lock, store
from forecast.workspace import write_snapshot
from tests.conftest import NOW
from tests.support.bundled_state import bundled_origin_state
from tests.support.sound_reports import EXAMPLE, sound_report

type Command = Callable[..., Result]

READINGS = ("main", "advisers_stayed", "denials_true", "covert_true")
STORED = EXAMPLE["scenarios"][0] | {"name": "trade-deal", "probability": 0.0612, "difference": -0.0193}


@pytest.fixture
def published(workspace: places.Workspace) -> places.Workspace:
    """A workspace whose newest run has draws of the prior for posterior, and kept its inputs."""
    inputs = load_workspace(workspace, today=NOW.date())
    constants = tolerance_priors(inputs.priors)
    names = ("prior", *READINGS)
    arrays = {"readings": np.array(READINGS)}
    for i, name in enumerate(names):
        arrays |= pack_draws(name, from_prior(constants, origin(inputs.data), 100, np.random.default_rng(i)))

    def write(folder: Path) -> None:
        np.savez(folder / "draws.npz", **arrays)  # type: ignore[arg-type]  # the stubs know no mapping
        (folder / "report.json").write_text(json.dumps(sound_report(run_id, scenarios=[STORED])))
        write_snapshot(folder / INPUTS, inputs.snapshot)

    run_id = store.new_run_id(NOW, "ab12cd")
    meta = {
        "seed": 5, "data_digest": data_digest(inputs.data), "priors_digest": inputs.priors.digest(),
        "origin": month_text(origin(inputs.data)), "model_version": MODEL_VERSION, "today": NOW.date().isoformat(),
        "priors": {name: {"spec": str(prior.spec)} for name, prior in inputs.priors.items()},
    }  # fmt: skip
    store.write_run(workspace.reports, run_id, write, meta)
    with publication_lock.publisher(workspace.reports, "a test", NOW):
        store.publish(workspace.reports, run_id)
    return workspace


@pytest.fixture
def assessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Saves the seconds that models 2 to 4 take: the situation that other tests use too stands for that of the run."""
    monkeypatch.setattr("forecast.forecasting.origin_state.build_origin_state", lambda data, priors, seed: bundled_origin_state())


def root(workspace: places.Workspace) -> Path:
    return workspace.data.parent


def test_draws_come_back_as_they_were_packed() -> None:
    constants = tolerance_priors(load_priors(places.bundled_root() / "priors"))
    draws = from_prior(constants, bundled_origin_state().origin, 5, np.random.default_rng(0))
    back = unpack_draws(pack_draws("main", draws), "main")
    for field in fields(draws):
        assert np.allclose(getattr(back, field.name), getattr(draws, field.name), rtol=1e-6)


def test_the_list_shows_what_the_newest_run_says(published: places.Workspace, command: Command) -> None:
    result = command("scenario", "list", "--workspace", root(published))
    assert result.exit_code == 0, result.stderr
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("trade-deal")]
    assert "intervened" in line
    assert "6.1 % (\u22121.9 points)" in line
    document = json.loads(command("scenario", "list", "--json", "--workspace", root(published)).stdout)
    stored = {row["name"]: row["stored"] for row in document["scenarios"]}
    assert stored["trade-deal"] == STORED
    assert stored["refusal"] is None


def test_without_a_run_the_list_stands_and_running_is_refused(workspace: places.Workspace, command: Command) -> None:
    result = command("scenario", "list", "--workspace", root(workspace))
    assert result.exit_code == 0
    assert "No run was published yet" in result.stderr
    refused = command("scenario", "run", "trade-deal", "--workspace", root(workspace))
    assert refused.exit_code == 2
    assert "No run was published" in refused.stderr
    assert not refused.stdout


@pytest.mark.slow
def test_a_scenario_is_run_in_a_light_process(published: places.Workspace) -> None:
    code = (
        "import sys; from forecast.cli import main\n"
        f"try: main(['scenario', 'run', 'trade-deal', '--json', '-q', '--workspace', {str(root(published))!r}])\n"
        "except SystemExit as e: code = e.code\n"
        "heavy = {'pymc', 'pytensor', 'nutpie', 'arviz', 'arviz_stats', 'pandas'} & {name.split('.')[0] for name in sys.modules}\n"
        "print(code, sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "0 []"
    document = json.loads(done.stdout)
    assert document["headline"] == "reach-4-12m"
    (entry,) = document["scenarios"]
    assert entry["questions"]["reach-4-12m"] == {"probability": entry["probability"], "baseline": entry["baseline"]}
    assert entry["difference"] < 0
    assert set(entry["by_reading"]) == set(READINGS)


@pytest.mark.usefixtures("assessed")
def test_the_words_say_what_the_numbers_say(published: places.Workspace, command: Command) -> None:
    result = command("scenario", "run", "pressure-eases", "refusal", "-v", "--workspace", root(published))
    assert result.exit_code == 0, result.stderr
    found = run_on_draws(published, ("refusal",)).results[0]
    words = " ".join(result.stdout.split())
    assert f"Level 4 reached within 12 months: {100 * found.probability:.1f} %, without it {100 * found.baseline:.1f} %" in words
    assert "of the simulated paths meet the condition" in words
    assert "Not represented:" in words
    assert "Assumes: No concession for the year." in words


@pytest.mark.slow
@pytest.mark.usefixtures("assessed")
def test_the_answer_names_its_inputs_also_after_the_workspace_has_changed(published: places.Workspace, command: Command) -> None:
    """The run keeps what it was made from, so its scenarios can be answered whatever happened to the workspace since."""
    words = ("scenario", "run", "trade-deal", "--workspace", root(published))

    def document() -> dict[str, Any]:
        result = command(*words, "--json")
        assert result.exit_code == 0, result.stderr
        made: dict[str, Any] = json.loads(result.stdout)
        return made

    before = document()
    data = load_workspace(published, today=NOW.date()).data
    assert before["inputs"] == {
        "origin": "2026-06", "as_of": None, "today": NOW.date().isoformat(), "data_digest": data_digest(data),
        "priors_digest": load_priors(published.priors).digest(), "data_changed": False, "priors_changed": False,
    }  # fmt: skip
    assert "changed since" not in command(*words).stdout
    calendar = published.data / "calendar.csv"
    calendar.write_text(calendar.read_text().replace(",B102,,0.8,", ",B102,,0.7,"))
    after = document()
    assert after == before | {"inputs": before["inputs"] | {"data_changed": True}}
    priors = published.priors / "leverage.toml"
    priors.write_text(priors.read_text().replace("Normal(1.6, 0.8)", "Normal(1.0, 0.8)"))
    assert document()["inputs"] == before["inputs"] | {"data_changed": True, "priors_changed": True}
    text = " ".join(command(*words).stdout.split())
    assert f"record to 2026-06, data {data_digest(data)[:12]}" in text
    assert "The data and priors of the workspace have changed since" in text
    calendar.write_text("no calendar")
    assert document()["inputs"] == before["inputs"] | {"data_changed": None, "priors_changed": True}
    assert "The data of the workspace have problems: see `forecast data check`" in " ".join(command(*words).stdout.split())


def test_a_damaged_run_is_refused(published: places.Workspace, command: Command) -> None:
    run = store.latest(published.reports)
    assert run is not None
    (run / "draws.npz").write_bytes(b"0")
    result = command("scenario", "run", "trade-deal", "--workspace", root(published))
    assert result.exit_code == 7
    assert "draws.npz" in result.stderr


def test_wrong_files_are_refused_before_anything_is_run(published: places.Workspace, command: Command) -> None:
    (published.data / "scenarios" / "mine.toml").write_text('titel = "x"\n')
    for words in (("list",), ("run",), ("run", "mine")):
        result = command("scenario", *words, "--workspace", root(published))
        assert result.exit_code == 3
        assert "Did you mean 'title'?" in result.stderr
    assert command("scenario", "run", "nothing-like-it", "--workspace", root(published)).exit_code == 2


@pytest.mark.usefixtures("assessed")
def test_a_condition_too_rare_is_refused(published: places.Workspace, command: Command) -> None:
    file = published.data / "scenarios" / "pressure-eases.toml"
    file.write_text(file.read_text().replace("below = 1.1", "below = 0.1"))
    result = command("scenario", "run", "pressure-eases", "--workspace", root(published))
    assert result.exit_code == 3
    assert "of 2000 simulated paths" in result.stderr


def test_a_new_scenario_is_a_template_and_never_overwrites(workspace: places.Workspace, command: Command) -> None:
    result = command("scenario", "new", "border-closure", "--workspace", root(workspace))
    path = workspace.data / "scenarios" / "border-closure.toml"
    assert result.exit_code == 0
    assert str(path) in result.stdout
    path.write_text("mine")
    again = command("scenario", "new", "border-closure", "--workspace", root(workspace))
    assert again.exit_code == 2
    assert path.read_text() == "mine"
    for name in ("Border Closure", "../x", "a_b", ""):
        assert command("scenario", "new", name, "--workspace", root(workspace)).exit_code == 2
    assert not (workspace.data / "x.toml").exists()
