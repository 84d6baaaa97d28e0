"""A run keeps what it was made from, byte for byte, and gives it back; what is published later is not known yet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from forecast.data.as_of import as_of_now
from forecast.data.fingerprint import data_digest
from forecast.data.tables import origin
from forecast.domain import month
from forecast.errors import InputError, StoreError, UsageError
from forecast.forecasting import inputs as reading
from forecast.forecasting.inputs import Inputs, load_workspace
from forecast.jobs.run import write_report
from forecast.jobs.saved_run import SavedRun
from forecast.priors.parsing import parse_prior
from forecast.report.models.report import Report
from forecast.reweighting.data_update import reweight_to_inputs
from forecast.runs import manifest, store
from forecast.workspace import Workspace, workspace_files
from tests.conftest import NOW
from tests.support.data_editing import rows_of, write_rows
from tests.support.prior_forecasts import prior_forecast

TODAY = NOW.date()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Inputs]:
    """A run from prior draws of the bundled inputs, and those inputs. To be copied before it is changed."""
    from forecast import workspace as places

    where = places.create_workspace(tmp_path_factory.mktemp("kept") / "workspace")
    inputs = load_workspace(where, today=TODAY)

    def numbers(report: Report, folder: Path) -> None:
        (folder / "report.json").write_text(json.dumps(report.document()))

    with pytest.MonkeyPatch.context() as patch:  # of the report its numbers will do
        patch.setattr("forecast.jobs.run.write_report_files", numbers)
        return write_report(prior_forecast(), where.reports, NOW, inputs=inputs).path, inputs


@pytest.fixture
def run(kept: tuple[Path, Inputs], tmp_path: Path) -> Path:
    """A copy of that run."""
    return Path(shutil.copytree(kept[0], tmp_path / "copy" / kept[0].name))


def resealed(run: Path, **meta: Any) -> Path:
    """The run's manifest written anew, over what its folder now holds."""
    held = manifest.read_manifest(run)
    (run / manifest.NAME).unlink()
    manifest.seal(run, held.run_id, {**held.meta, **meta})
    return run


def edited(file: Path, index: int, **cells: str) -> None:
    rows = rows_of(file)
    rows[index] |= cells
    write_rows(file, rows)


def test_a_run_keeps_every_file_byte_for_byte(kept: tuple[Path, Inputs]) -> None:
    run, inputs = kept
    written = {p.relative_to(run / "inputs").as_posix(): p.read_bytes() for p in (run / "inputs").rglob("*") if p.is_file()}
    assert written == dict(inputs.snapshot) == workspace_files(Workspace(run / "inputs" / "data", run / "inputs" / "priors", run, "test"))
    assert {"data/events.csv", "data/scenarios/refusal.toml", "priors/history/start.toml", "priors/outside_view/alternatives.toml"} <= set(
        written
    )
    assert {f"inputs/{name}" for name in written} <= set(manifest.read_manifest(run).digests)


def test_hidden_files_and_caches_are_no_inputs(workspace: Workspace) -> None:
    for name in (".events.csv.swp", "__pycache__/x.pyc", ".git/config"):
        path = workspace.data / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    (workspace.data / "notes.txt").write_bytes(b"mine")
    found = workspace_files(workspace)
    assert found["data/notes.txt"] == b"mine"
    assert not [name for name in found if "/." in name or "__pycache__" in name]


def test_the_inputs_of_a_run_are_read_back_as_they_were(kept: tuple[Path, Inputs]) -> None:
    run, inputs = kept
    back = SavedRun(run).inputs
    assert (back.data, back.as_of, back.today, back.snapshot) == (inputs.data, None, TODAY, inputs.snapshot)
    assert back.priors.digest() == inputs.priors.digest()
    assert [s.name for s in back.scenarios] == [s.name for s in inputs.scenarios]
    meta = manifest.read_manifest(run).meta
    assert (meta["data_digest"], meta["priors_digest"]) == (data_digest(back.data), back.priors.digest())


@pytest.mark.parametrize("key", ["origin", "seed"])
def test_a_run_whose_manifest_lacks_what_the_fit_needs_is_refused(run: Path, key: str) -> None:
    with pytest.raises(StoreError, match=f"does not state its {key}"):
        _ = SavedRun(resealed(run, **{key: None})).origin_state


@pytest.mark.slow
def test_the_draws_of_a_run_and_its_own_inputs_give_its_numbers(kept: tuple[Path, Inputs]) -> None:
    run, _ = kept
    found = reweight_to_inputs(basis := SavedRun(run).fitted_draws, basis.origin_state)
    said = {q["id"]: q for q in json.loads((run / "report.json").read_text())["questions"]}
    assert set(found.probability) == set(said)
    for id_, q in said.items():
        assert found.probability[id_] == pytest.approx(q["probability"], rel=1e-5, abs=1e-8)
        assert found.by_reading[id_] == pytest.approx(q["by_reading"], rel=1e-5, abs=1e-8)
        assert found.known.get(id_) == (None if q["probability_known"] is None else pytest.approx(q["probability_known"], rel=1e-5))


def test_a_run_without_inputs_says_what_to_do(run: Path) -> None:
    shutil.rmtree(run / "inputs")
    with pytest.raises(UsageError, match="did not keep") as e:
        _ = SavedRun(resealed(run)).inputs
    assert "forecast run" in e.value.remedy


def test_inputs_that_were_altered_are_not_believed(run: Path) -> None:
    (run / "inputs" / "data" / "events.csv").write_bytes(b"id\n")
    with pytest.raises(StoreError, match="damaged"):
        _ = SavedRun(run).inputs


def test_inputs_that_this_version_refuses_are_refused_in_a_sentence(run: Path) -> None:
    edited(run / "inputs" / "data" / "events.csv", 0, family="Z")
    with pytest.raises(InputError, match="refused by this version") as e:
        _ = SavedRun(resealed(run)).inputs
    assert [p.column for p in e.value.problems] == ["family"]


def test_a_run_of_another_model_is_no_basis(run: Path) -> None:
    with pytest.raises(InputError, match="model_version was 0"):
        _ = SavedRun(resealed(run, model_version="0")).fitted_draws


def test_a_run_keeps_the_priors_that_were_made_for_it(run: Path) -> None:
    """As of an earlier day the ladder's priors are fitted anew; the manifest has them, the files do not."""
    priors = manifest.read_manifest(run).meta["priors"]
    other = {"spec": "Normal(3.5, 1.25)", "revision": "made for this run"}
    made_for_it = SavedRun(run).priors.replace({"ladder.just_risen": parse_prior("ladder.just_risen", other["spec"])})
    resealed(run, priors={**priors, "ladder.just_risen": other}, priors_digest=made_for_it.digest())
    assert str(SavedRun(run).inputs.priors.spec("ladder.just_risen")) == other["spec"]


@pytest.fixture
def meddled(monkeypatch: pytest.MonkeyPatch, workspace: Workspace) -> Callable[[int], None]:
    """Makes someone write to the data while they are read, the first few times."""
    read = reading.read_data

    def start(times: int) -> None:
        left = list(range(times))

        def while_read(folder: Path, day: date | None = None) -> Any:
            found = read(folder, day)
            if left:
                left.pop()
                with (folder / "README.md").open("a") as f:
                    f.write("one more line\n")
            return found

        monkeypatch.setattr(reading, "read_data", while_read)

    return start


def test_files_that_change_while_they_are_read_are_read_again_once(workspace: Workspace, meddled: Callable[[int], None]) -> None:
    meddled(1)
    assert load_workspace(workspace).snapshot["data/README.md"].endswith(b"one more line\n")
    meddled(2)
    with pytest.raises(InputError, match="changed while they were being read"):
        load_workspace(workspace)


def test_what_is_published_later_is_not_known_today(workspace: Workspace) -> None:
    rows = rows_of(workspace.data / "polls.csv")
    last = rows[-1]
    edited(workspace.data / "polls.csv", -1, published=(TODAY + timedelta(3)).isoformat())
    everything = load_workspace(workspace)
    today = load_workspace(workspace, today=TODAY)
    assert [p.poll_id for p in everything.data.polls if p not in today.data.polls] == [last["poll_id"]]
    assert last["poll_id"] in {p.poll_id for p in load_workspace(workspace, today=TODAY + timedelta(3)).data.polls}


def test_the_digest_changes_only_on_the_days_on_which_something_comes_to_be_published(workspace: Workspace) -> None:
    """Also with a measure whose end lies ahead, which is known today; it once read as open until that day."""
    rows = rows_of(workspace.data / "events.csv")
    at = next(i for i, r in enumerate(rows) if r["kind"] == "measure" and not r["until"])
    edited(workspace.data / "events.csv", at, until="2026-12-31")
    days = [TODAY + timedelta(n) for n in (0, 1, 7, 36, 37, 38, 39, 60, 400)]
    everything = load_workspace(workspace).data
    digests = {day: data_digest(as_of_now(everything, day)) for day in days}
    due = date(2027, 1, 1)  # the day on which two rows of the reference states' pressure are published
    assert {d for day, d in digests.items() if day < due} == {digests[TODAY]}
    assert {d for day, d in digests.items() if day >= due} == {data_digest(everything)}
    assert digests[TODAY] == data_digest(load_workspace(workspace, today=TODAY).data)
    assert digests[TODAY] != digests[days[-1]]


def test_of_the_bundled_data_today_lacks_two_rows_that_no_fit_of_mexico_uses(bundled: Workspace) -> None:
    everything, today = load_workspace(bundled), load_workspace(bundled, today=TODAY)
    assert replace(today.data, pressure=everything.data.pressure) == everything.data
    assert len(everything.data.pressure) == len(today.data.pressure) + 2


def test_a_file_covered_through_a_day_to_come_counts_no_further_than_the_clock(workspace: Workspace) -> None:
    """Else months of which nobody could have known anything would be read as quiet ones."""
    assert origin(load_workspace(workspace, today=date(2026, 6, 30)).data) == month("2026-06")
    data = load_workspace(workspace, today=date(2026, 6, 29)).data
    assert origin(data) == month("2026-05")
    assert "events.csv" in {p.column for p in data.warnings}
    assert "calendar.csv" not in {p.column for p in data.warnings}


def test_nothing_is_published_with_another_digest_than_it_was_made_from(kept: tuple[Path, Inputs]) -> None:
    run, inputs = kept
    assert store.latest(run.parent) is None
    assert manifest.read_manifest(run).meta["data_digest"] == data_digest(inputs.data) == data_digest(prior_forecast().origin_state.data)
