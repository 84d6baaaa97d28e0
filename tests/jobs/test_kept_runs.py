"""`priors try` knows a run in the store that was fitted under the priors asked for, and shows its numbers beside those of the draws."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from forecast.jobs.priors.try_edits import refit_edits, try_edits
from forecast.jobs.run import DEFAULT_SEED
from forecast.priors.parsing import parse_edits
from forecast.reweighting.draws_archive import pack
from forecast.runs import store
from forecast.runs.draws_files import write_draws
from forecast.runs.store import find_fitted_run
from forecast.workspace import Workspace
from tests.support.prior_forecasts import prior_forecast
from tests.support.sound_reports import question_rows, sound_report

type Command = Callable[..., Result]

HEADLINE = "reach-4-12m"
BASE, KEPT = "20261124T141500Z-abcdef", "20261125T090000Z-bcdef0"
EDIT = "leverage.effect = Normal(1.3, 0.7)"
FAR = "leverage.effect = Normal(5, 0.1)"
FITTED_AT = 0.0421


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    return pack(prior_forecast())


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = question_rows(prior_forecast())
    return found


def write(where: Workspace, run_id: str, arrays: dict[str, Any], rows: list[dict[str, Any]], *edits: str, **noted: Any) -> Path:
    """A run in the store under the priors of the workspace and these edits."""
    priors = prior_forecast().origin_state.priors.replace(parse_edits(edits))

    def fill(folder: Path) -> None:
        (folder / "report.json").write_text(json.dumps(sound_report(run_id, questions=rows)))
        write_draws(folder, arrays)

    meta = {
        "priors_digest": priors.digest(), "priors": {name: {"spec": str(prior.spec)} for name, prior in priors.items()},
        "headline": HEADLINE, "data_digest": "d" * 64, "model_version": "1", "seed": DEFAULT_SEED, "fitted_in": None,
        "probabilities": {q["id"]: q["probability"] for q in rows},
    }  # fmt: skip
    return store.write_run(where.reports, run_id, fill, meta | noted)


def at(rows: list[dict[str, Any]], probability: float) -> list[dict[str, Any]]:
    return [q | {"probability": probability} if q["id"] == HEADLINE else q for q in rows]


@pytest.fixture
def published(workspace: Workspace, arrays: dict[str, Any], rows: list[dict[str, Any]]) -> Workspace:
    write(workspace, BASE, arrays, rows)
    store.publish(workspace.reports, BASE)
    return workspace


@pytest.fixture
def kept(published: Workspace, arrays: dict[str, Any], rows: list[dict[str, Any]]) -> Workspace:
    """With a run, kept and not published, that was fitted under the edit."""
    write(published, KEPT, arrays, at(rows, FITTED_AT), EDIT)
    return published


def test_its_numbers_stand_beside_those_of_the_draws(kept: Workspace, command: Command) -> None:
    result = command("priors", "try", EDIT, "--workspace", kept.root)
    assert result.exit_code == 0, result.stderr
    assert f"Run {KEPT} was fitted with exactly these priors, to the same data:" in " ".join(result.stdout.split())
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    tried = try_edits(kept, parse_edits([EDIT]))
    last = [line for line in result.stdout.splitlines() if line.startswith(f"*{HEADLINE}")][-1]
    assert "4.2 %" in last
    assert tried.headline != FITTED_AT
    printed = json.loads(command("priors", "try", EDIT, "--json", "--workspace", kept.root).stdout)
    assert printed["kept"]["run_id"] == KEPT
    assert printed["kept"]["probabilities"][HEADLINE] == FITTED_AT


def test_where_the_draws_cannot_answer_the_run_does(
    published: Workspace, arrays: dict[str, Any], rows: list[dict[str, Any]], command: Command
) -> None:
    write(published, KEPT, arrays, at(rows, FITTED_AT), FAR)
    said = " ".join(command("priors", "try", FAR, "--workspace", published.root).stdout.split())
    assert f"Not accepted: these draws cannot show the effect. Use the fitted numbers of run {KEPT}." in said
    assert "needs a refit" not in said


def test_what_was_set_since_the_published_run_counts(kept: Workspace) -> None:
    file = kept.priors / "leverage.toml"
    file.write_text(file.read_text().replace("Normal(1.6, 0.8)", "Normal(1.3, 0.7)"))
    alone = try_edits(kept, {})
    assert alone.kept is not None
    assert alone.kept.run_id == KEPT
    assert try_edits(kept, parse_edits(["ladder.just_risen = Normal(2, 1)"])).kept is None


def test_the_published_run_itself_is_no_answer_to_an_edit_of_nothing(kept: Workspace) -> None:
    assert try_edits(kept, parse_edits(["leverage.effect = Normal(1.6, 0.8)"])).kept is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "noted",
    [
        {"data_digest": "e" * 64},
        {"model_version": "2"},
        {"fitted_in": BASE},
        {"data_digest": None},
        {"probabilities": None},
        {"priors_digest": "0" * 64},
    ],
    ids=str,
)
def test_a_run_of_other_data_or_another_model_or_by_weights_is_not_taken(
    published: Workspace, arrays: dict[str, Any], rows: list[dict[str, Any]], noted: dict[str, Any]
) -> None:
    write(published, KEPT, arrays, rows, EDIT, **noted)
    assert try_edits(published, parse_edits([EDIT])).kept is None


@pytest.mark.slow
def test_of_several_the_newest_that_is_sound_is_taken(kept: Workspace, arrays: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    newer, newest = "20261126T090000Z-cdef01", "20261127T090000Z-def012"
    for run_id in (newer, newest):
        write(kept, run_id, arrays, rows, EDIT)
    manifest = kept.reports / newest / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text(manifest.read_text().replace('"seed": 20060101', '"seed": 20060102'))
    found = try_edits(kept, parse_edits([EDIT])).kept
    assert found is not None
    assert found.run_id == newer
    meta = {"data_digest": "d" * 64, "model_version": "1"}
    digest = prior_forecast().origin_state.priors.replace(parse_edits([EDIT])).digest()
    assert find_fitted_run(kept.reports, meta, digest, seed=DEFAULT_SEED + 1) is None


@pytest.fixture
def never_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*_: object, **__: object) -> None:
        pytest.fail("it fits")

    monkeypatch.setattr("forecast.jobs.run.fit", fit)


@pytest.mark.usefixtures("never_fits")
def test_a_refit_that_was_made_already_is_not_made_again(kept: Workspace, rows: list[dict[str, Any]], command: Command) -> None:
    tried = refit_edits(kept, parse_edits([EDIT]))
    assert (tried.run_id, tried.how, tried.accepted, tried.headline) == (BASE, "refit", True, FITTED_AT)
    assert tried.before == next(q["probability"] for q in rows if q["id"] == HEADLINE)
    assert {q["id"] for q in tried.questions} == {q["id"] for q in rows}
    said = command("priors", "try", EDIT, "--refit", "--workspace", kept.root)
    assert said.exit_code == 0, said.stderr
    assert f"These are the numbers of run {KEPT}, which was fitted so before; nothing was fitted now." in " ".join(said.stdout.split())


@pytest.mark.slow
def test_another_seed_fits(kept: Workspace, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fits(Exception):
        pass

    def fit(*_: object, **__: object) -> None:
        raise Fits

    monkeypatch.setattr("forecast.jobs.run.fit", fit)
    monkeypatch.setattr("forecast.jobs.saved_run.SavedRun.inputs", None)
    monkeypatch.setattr("forecast.jobs.priors.try_edits._with_edits", lambda *_: None)
    with pytest.raises(Fits):
        refit_edits(kept, parse_edits([EDIT]), seed=DEFAULT_SEED + 1)
    said = command("priors", "try", EDIT, "--refit", "--seed", str(DEFAULT_SEED + 1), "--workspace", kept.root)
    assert "Fits" in said.stderr
    alone = command("priors", "try", EDIT, "--seed", "3", "--workspace", kept.root)
    assert (alone.exit_code, "--seed needs --refit" in alone.stderr) == (2, True)


def test_an_edit_that_changes_other_priors_with_it_has_no_such_run(
    published: Workspace, arrays: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    narrow = "outside_view.widening = Table(rise_low=0, rise_high=0, stay_low=0, stay_high=0)"
    write(published, KEPT, arrays, rows, narrow)
    assert try_edits(published, parse_edits([narrow])).kept is None
