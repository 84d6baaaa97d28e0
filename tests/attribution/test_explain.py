"""What moved a forecast, around a stand-in for the draws that knows what each change does; test_slow_explain.py has real draws."""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from forecast import workspace as places
from forecast.attribution.input_states import InputState, StateForecast, intermediate_inputs
from forecast.attribution.sequential import NEGLIGIBLE
from forecast.errors import InputError, UsageError
from forecast.forecasting.forecast_result import DrawsSource, Forecast
from forecast.forecasting.inputs import Inputs, load_workspace
from forecast.jobs import explain as job
from forecast.jobs.run import write_report
from forecast.jobs.saved_run import SavedRun
from forecast.report.files import validate
from forecast.report.models.forecast import Attribution
from forecast.report.payload.questions import questions as questions_of
from forecast.runs import store
from tests.conftest import NOW
from tests.fixtures.report_example import report_example
from tests.support import fake_sampler
from tests.support.data_editing import add, change
from tests.support.light_runs import plain_runs
from tests.support.prior_forecasts import prior_forecast

type Command = Callable[..., Result]

MOVES = {"start": 0.0, "settings": 0.02, "prior": -0.01, "revision": 0.004, "time": -0.003, "new": 0.005}
"""What each kind of change adds to every probability."""
HEADLINE = "reach-4-12m"
CHANCE = 0.5
"""The Monte Carlo noise of the second run, in Monte Carlo errors."""
PAIRED, RESAMPLING = 0.1, 0.05
"""What chance does to a difference by the same draws, and what resampling does, in Monte Carlo errors."""


def mcse(id_: str = HEADLINE) -> float:
    return prior_forecast().answers[id_].mcse


def errors(times: float) -> dict[str, float]:
    return {id_: times * mcse(id_) for id_ in prior_forecast().answers}


@dataclass(frozen=True)
class Draws:
    """What draws give for their own state: most of the forecast of the tests, so much higher, and so many Monte Carlo errors."""

    higher: float
    chance: float = 0.0

    def probability(self, id_: str) -> float:
        forecast = prior_forecast().answers[id_]
        return 0.8 * forecast.probability + self.higher + self.chance * forecast.mcse


class KnownErrors:
    """In place of the influence of real draws."""

    def se(self) -> dict[str, float]:
        return errors(1.0)

    def resampling_se(self) -> dict[str, float]:
        return errors(RESAMPLING)

    def difference_se(self, other: object, same_draws: bool, same_paths: bool) -> dict[str, float]:
        return errors(PAIRED if same_draws else 2**0.5)


@dataclass(eq=False)
class KnownForecaster:
    """Forecasts of states that follow from what each kind of change does. `refuses`: a word in labels of states it cannot carry."""

    draws: Draws
    states: Sequence[InputState]
    own: Collection[int]
    progress: object
    refuses: str = ""
    shift: float = 0.0

    def forecast(self, i: int) -> StateForecast | None:
        if i not in self.own and self.refuses and self.refuses in self.states[i].label:
            return None
        home = min(self.own)
        moved = sum(MOVES[s.kind] for s in self.states[: i + 1]) - sum(MOVES[s.kind] for s in self.states[: home + 1])
        values = {id_: self.draws.probability(id_) + self.shift + moved for id_ in prior_forecast().answers}
        return StateForecast(values, KnownErrors())  # type: ignore[arg-type]

    def carried(self) -> dict[int, StateForecast]:
        return {i: forecast for i in range(len(self.states)) if (forecast := self.forecast(i))}


def of(inputs: Inputs, draws: Draws) -> Forecast:
    """The forecast of the tests as if it had been made from these inputs by these draws."""
    made = prior_forecast()
    answers = {id_: replace(a, probability=draws.probability(id_)) for id_, a in made.answers.items()}
    return replace(made, answers=answers, origin_state=replace(made.origin_state, data=inputs.data, priors=inputs.priors))


MADE_WITH = {"model_version": ""}
"""What the next runs report as their model, if not the truth."""


def report(forecast: Forecast, run_id: str, created: datetime) -> dict[str, Any]:
    """The example's, but for the questions and their probabilities."""
    made = fake_sampler.report_document(forecast, run_id, created)
    questions = [q.model_dump() | {"probability": forecast.answers[q.id].probability} for q in questions_of(prior_forecast())]
    return made | {"questions": questions, "model_version": MADE_WITH["model_version"] or made["model_version"]}


@dataclass(frozen=True)
class Runs:
    """Two runs between which a prior was edited, a row revised and two records added; the second follows the first and is published."""

    root: Path
    a: Path
    b: Path
    inputs: Inputs
    before: Inputs
    draws: Draws


@pytest.fixture(scope="module", autouse=True)
def _only_numbers() -> Iterator[None]:
    """Of a run its report.json and inputs."""
    with plain_runs(report) as patch:
        read = functools.cache(SavedRun.inputs.func)  # type: ignore[attr-defined]
        by_path = functools.cache(SavedRun)
        patch.setattr(SavedRun, "inputs", property(lambda run: read(by_path(run.path))))
        yield


def edit(root: Path) -> None:
    prior = root / "priors" / "leverage.toml"
    prior.write_text(prior.read_text().replace('"Normal(1.6, 0.8)"', '"Normal(1.5, 0.75)"'))
    change(root / "data", "overdose_final.csv", lambda row: row["month"] == "2024-03", deaths="4321")
    like = {"family": "B", "kind": "threat"}
    for name, day in (("B998", "2026-06-20"), ("B999", "2026-06-21")):
        cells = {"id": name, "date": day, "published": day, "caused_by": "", "same_act_as": ""}
        add(root / "data", "events.csv", lambda row: like.items() <= row.items(), **cells)
    add(root / "data", "indicators.csv", lambda row: True, month="2026-06", published="2026-06-29")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    root = tmp_path_factory.mktemp("explained") / "workspace"
    places.create_workspace(root)
    before = load_workspace(root, today=NOW.date())
    a = write_report(of(before, Draws(0.0)), root / "reports", NOW, inputs=before).path
    edit(root)
    after = load_workspace(root, today=NOW.date())
    draws = Draws(sum(MOVES[s.kind] for s in intermediate_inputs(before, after).states), CHANCE)
    notes = {"follows": a.name}
    b = write_report(of(after, draws), root / "reports", NOW + timedelta(hours=1), inputs=after, notes=notes).path
    store.publish(root / "reports", b.name)
    return Runs(root, a, b, after, before, draws)


@pytest.fixture(autouse=True)
def forecasters(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Settings of the stand-ins: which states the draws of run a and of run b refuse, and by how much they differ from the run."""
    settings: dict[str, Any] = {"a": {}, "b": {}}

    def made(draws: Draws, states: Sequence[InputState], own: Collection[int], progress: object) -> KnownForecaster:
        return KnownForecaster(draws, states, own, progress, **settings["b" if draws == runs.draws and min(own) else "a"])

    monkeypatch.setattr(job, "StateForecaster", made)
    monkeypatch.setattr(job, "FittedDraws", lambda *_: runs.draws)
    monkeypatch.setattr(SavedRun, "fitted_draws", property(lambda run: runs.draws if run.path == runs.b else Draws(0.0)))
    return settings


def adds_up(moved: Mapping[str, Any], program: float = 0.0) -> None:
    """Every question's ends, parts and noise are what was put into the runs; a joint part holds the noise.

    program: what the program's own change did.
    """
    joint = any(p["how"] == "joint" for p in moved["parts"])
    for id_, q in moved["questions"].items():
        assert q["before"] == pytest.approx(Draws(0.0).probability(id_))
        assert q["after"] == pytest.approx(Draws(0.008 - 0.01 + 0.006, CHANCE).probability(id_))
        assert q["noise"] == pytest.approx(0.0 if joint else CHANCE * mcse(id_) - program, abs=1e-12)
        assert sum(q["parts"]) + q["noise"] == pytest.approx(q["after"] - q["before"], abs=1e-12)


def test_parts_come_in_the_stated_order_and_are_what_each_change_does(runs: Runs) -> None:
    moved = job.explain(SavedRun(runs.a), SavedRun(runs.b))
    assert [(p["kind"], p["label"], p["how"], p["rows"]) for p in moved["parts"]] == [
        ("prior", "leverage.effect: Normal(1.6, 0.8) → Normal(1.5, 0.75)", "reweighted", {}),
        ("revision", "deaths synthetic opioids, 2024-03 (1 row of overdose_final.csv)", "reweighted", {"overdose_final.csv": 1}),
        ("new", next(p["label"] for p in moved["parts"] if "B998" in p["label"]), "reweighted", {"events.csv": 1}),
        ("new", next(p["label"] for p in moved["parts"] if "B999" in p["label"]), "reweighted", {"events.csv": 1}),
    ]
    assert moved["questions"][HEADLINE]["parts"] == pytest.approx([-0.01, 0.004, 0.005, 0.005])
    assert moved["unread"] == {"indicators.csv": 1}
    assert list(moved["questions"]) == list(prior_forecast().answers)
    assert (moved["appeared"], moved["gone"], moved["unexplained"]) == ([], [], [])
    adds_up(moved)
    possible = {id_: q for id_, q in moved["questions"].items() if max(q["before"], q["after"]) <= 1}  # the stand-in knows no bounds
    validate(report_example() | {"moved": moved | {"questions": possible}})


def test_the_errors_are_those_of_both_runs_and_a_part_has_that_of_its_pair(runs: Runs) -> None:
    q = job.explain(SavedRun(runs.a), SavedRun(runs.b))["questions"][HEADLINE]
    assert q["noise_se"] == q["remainder_se"] == pytest.approx(mcse() * 2**0.5)
    assert q["parts_se"] == pytest.approx([PAIRED * mcse()] * 4)


def test_while_publishing_it_is_the_same(runs: Runs) -> None:
    assert job.moved(SavedRun(runs.a), of(runs.inputs, runs.draws), runs.inputs) == job.explain(SavedRun(runs.a), SavedRun(runs.b))


def again(runs: Runs, chance: float) -> dict[str, Any]:
    """A second forecast of run b's inputs, so many Monte Carlo errors higher."""
    return job.moved(SavedRun(runs.b), of(runs.inputs, Draws(runs.draws.higher, CHANCE + chance)), runs.inputs)


def test_where_only_the_seed_differs_all_is_noise(runs: Runs) -> None:
    moved = again(runs, -2 * CHANCE)
    assert (moved["parts"], moved["unexplained"]) == ([], [])
    assert moved["questions"][HEADLINE]["noise"] == pytest.approx(-2 * CHANCE * mcse())


def test_where_only_the_seed_differs_a_shift_is_no_noise(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven standard errors in every question: the stated errors judge the difference, which has no say in how large it may be."""
    monkeypatch.setattr(job, "FittedDraws", lambda *_: Draws(runs.draws.higher, CHANCE + 11 * 2**0.5))
    assert set(again(runs, 11 * 2**0.5)["unexplained"]) == {id_ for id_ in prior_forecast().answers if 11 * 2**0.5 * mcse(id_) > NEGLIGIBLE}


def weighted(runs: Runs, chance: float) -> dict[str, Any]:
    """A forecast made of the draws of run a, and so many Monte Carlo errors beside what they give."""
    made = of(runs.inputs, Draws(runs.draws.higher, chance))
    return job.moved(SavedRun(runs.a), replace(made, draws_source=DrawsSource(runs.a.name, 0.1, 1_000)), runs.inputs)


def test_a_forecast_reweighted_from_the_run_before_leaves_only_the_resampling(runs: Runs) -> None:
    moved = weighted(runs, 2 * RESAMPLING)
    assert (len(moved["parts"]), moved["unexplained"], moved["note"]) == (4, [], job.SHARED)
    q = moved["questions"][HEADLINE]
    assert q["noise_se"] == pytest.approx(mcse() * (PAIRED**2 + RESAMPLING**2) ** 0.5)
    assert q["remainder_se"] == pytest.approx(mcse() * RESAMPLING)


def test_what_remains_of_a_reweighted_forecast_is_no_noise(runs: Runs) -> None:
    """A third of a Monte Carlo error would be nothing between two fits."""
    moved = weighted(runs, 0.3)
    assert set(moved["unexplained"]) == {id_ for id_ in prior_forecast().answers if 0.3 * mcse(id_) > NEGLIGIBLE}
    assert HEADLINE in moved["unexplained"]


def test_two_forecasts_reweighted_from_one_fit_share_its_draws(runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The earlier of the two differs a little from the fit's draws, since it resampled them."""
    fit = write_report(of(runs.before, Draws(0.0)), tmp_path, NOW, inputs=runs.before).path
    source = DrawsSource(fit.name, 0.1, 1_000)
    first = replace(of(runs.before, Draws(0.0, RESAMPLING)), draws_source=source)
    a = write_report(first, tmp_path, NOW + timedelta(hours=1), inputs=runs.before).path
    monkeypatch.setattr(SavedRun, "fitted_draws", property(lambda run: Draws(0.0, RESAMPLING if run.path == a else 0.0)))
    second = replace(of(runs.inputs, Draws(runs.draws.higher, -RESAMPLING)), draws_source=source)
    moved = job.moved(SavedRun(a), second, runs.inputs)
    assert (moved["unexplained"], [p["kind"] for p in moved["parts"]]) == ([], ["prior", "revision", "new", "new"])
    q = moved["questions"][HEADLINE]
    assert q["noise"] == pytest.approx(-2 * RESAMPLING * mcse())
    assert q["remainder_se"] == pytest.approx(mcse() * RESAMPLING * 2**0.5)
    shutil.rmtree(fit)  # without it, the two are as if their draws had nothing in common
    assert job.moved(SavedRun(a), second, runs.inputs)["note"] == job.LATER


def test_where_the_later_draws_do_not_reach_back_the_earlier_ones_give_all_parts(runs: Runs, forecasters: dict[str, Any]) -> None:
    last = intermediate_inputs(runs.before, runs.inputs).states[-1].label
    assert job.explain(SavedRun(runs.a), SavedRun(runs.b))["note"] == job.LATER
    with pytest.MonkeyPatch.context() as patch:
        carry = KnownForecaster.forecast
        patch.setattr(KnownForecaster, "forecast", lambda self, i: None if self.draws == runs.draws and i < 2 else carry(self, i))
        moved = job.explain(SavedRun(runs.a), SavedRun(runs.b))
        assert moved["note"] == job.EARLIER
        assert [p["how"] for p in moved["parts"]] == ["reweighted"] * 4
        adds_up(moved)
        forecasters["a"] = {"refuses": last}  # neither reaches the other run: the later draws carry three states, the earlier ones four
        moved = job.explain(SavedRun(runs.a), SavedRun(runs.b))
        assert moved["note"] == f"{job.EARLIER} {job.JOINT}"
        assert [p["how"] for p in moved["parts"]] == ["reweighted", "reweighted", "reweighted", "joint"]
        adds_up(moved)


def test_what_no_draws_carry_is_one_joint_part_with_the_noise_of_both(runs: Runs, forecasters: dict[str, Any]) -> None:
    forecasters |= {"a": {"refuses": "B99"}, "b": {}}
    with pytest.MonkeyPatch.context() as patch:
        carry = KnownForecaster.forecast
        patch.setattr(KnownForecaster, "forecast", lambda self, i: None if self.draws == runs.draws and i < 2 else carry(self, i))
        moved = job.explain(SavedRun(runs.a), SavedRun(runs.b))
    assert [(p["kind"], p["how"]) for p in moved["parts"]] == [("several", "joint"), ("new", "reweighted"), ("new", "reweighted")]
    assert moved["parts"][0]["label"].startswith("together: leverage.effect: ")
    assert moved["parts"][0]["rows"] == {"overdose_final.csv": 1}
    assert moved["note"] == f"{job.LATER} {job.JOINT}"
    q = moved["questions"][HEADLINE]
    assert q["parts_se"] == pytest.approx([2**0.5 * mcse(), PAIRED * mcse(), PAIRED * mcse()])
    assert (q["remainder_se"], q["noise_se"]) == (0.0, pytest.approx(2**0.5 * mcse()))
    assert moved["unexplained"] == []
    adds_up(moved)


def test_a_state_that_cannot_be_forecast_makes_two_steps_one(runs: Runs, forecasters: dict[str, Any]) -> None:
    forecasters["b"] = {"refuses": "deaths"}
    moved = job.explain(SavedRun(runs.a), SavedRun(runs.b))
    assert [(p["kind"], p["how"]) for p in moved["parts"]] == [("prior", "reweighted"), ("several", "reweighted"), ("new", "reweighted")]
    adds_up(moved)


def test_what_chance_cannot_do_is_called_unexplained(runs: Runs) -> None:
    made = of(runs.inputs, runs.draws)
    answers = dict(made.answers)
    answers["reach-3-12m"] = replace(answers["reach-3-12m"], probability=answers["reach-3-12m"].probability + 0.25)
    moved = job.moved(SavedRun(runs.a), replace(made, answers=answers), runs.inputs)
    assert moved["unexplained"] == ["reach-3-12m"]
    assert moved["questions"]["reach-3-12m"]["noise"] == pytest.approx(CHANCE * mcse("reach-3-12m") + 0.25)
    assert re.search(rf"Since run {runs.a.name}, .* moved reach-3-12m by \+25\.\d\d points", str(job.failure(moved)))
    assert job.failure(job.explain(SavedRun(runs.a), SavedRun(runs.b))) is None


def test_a_run_that_differs_from_its_draws_was_made_by_another_program(runs: Runs, forecasters: dict[str, Any]) -> None:
    """This program evaluates the run's own draws without noise, so what differs is due to the program."""
    forecasters["a"] = {"shift": 0.02}
    moved = job.explain(SavedRun(runs.a), SavedRun(runs.b))
    assert [p["kind"] for p in moved["parts"]] == ["model", "prior", "revision", "new", "new"]
    assert moved["questions"][HEADLINE]["parts"][0] == pytest.approx(0.02)
    adds_up(moved, program=0.02)
    forecasters["a"] = {"shift": 1e-6}
    assert [p["kind"] for p in job.explain(SavedRun(runs.a), SavedRun(runs.b))["parts"]] == ["prior", "revision", "new", "new"]


def test_a_run_of_another_model_is_in_a_joint_part_and_nothing_is_fitted(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = load_workspace(runs.a / "inputs", today=NOW.date())
    with monkeypatch.context() as patch:
        patch.setitem(MADE_WITH, "model_version", "0")
        old = write_report(of(inputs, Draws(0.0)), tmp_path, NOW, inputs=inputs).path
    moved = job.explain(SavedRun(old), SavedRun(runs.b))
    assert [(p["kind"], p["how"]) for p in moved["parts"][:2]] == [("model", "joint"), ("prior", "reweighted")]
    assert moved["parts"][0]["label"].startswith("model version 0 → ")
    adds_up(moved)
    assert moved["questions"][HEADLINE]["parts_se"][0] == pytest.approx(2**0.5 * mcse())
    with pytest.raises(InputError, match="made with version 0 of the model"):
        job.explain(SavedRun(runs.b), SavedRun(old))


def test_a_run_without_its_inputs_says_so(runs: Runs, tmp_path: Path) -> None:
    bare = write_report(prior_forecast(), tmp_path, NOW).path
    with pytest.raises(UsageError, match="did not keep the data and priors"):
        job.explain(SavedRun(bare), SavedRun(runs.b))


def test_the_command_compares_the_last_two_published_runs(runs: Runs, command: Command) -> None:
    result = command("explain", "--workspace", runs.root)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == f"From {runs.a.name} (to 2026-06)"
    assert "  leverage.effect: Normal(1.6, 0.8) →" in lines
    assert re.search(rf"^Monte Carlo noise +\+{100 * CHANCE * mcse():.2f}", result.stdout, re.MULTILINE)


def test_the_command_gives_the_same_document(runs: Runs, command: Command) -> None:
    result = command("explain", runs.a.name, "latest", "--json", "--workspace", runs.root)
    assert json.loads(result.stdout) == {"to_run": runs.b.name, "headline": HEADLINE, **job.explain(SavedRun(runs.a), SavedRun(runs.b))}


def test_the_command_reads_what_the_report_has_already(runs: Runs, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = job.explain(SavedRun(runs.a), SavedRun(runs.b))
    possible = {id_: q for id_, q in moved["questions"].items() if max(q["before"], q["after"]) <= 1}  # the stand-in knows no bounds
    stored = SavedRun(runs.b).report.model_copy(update={"moved": Attribution.model_validate(moved | {"questions": possible})})
    monkeypatch.setattr(SavedRun, "report", stored)
    monkeypatch.setattr("forecast.jobs.explain.explain", lambda *_: pytest.fail("it was computed again"))
    result = command("explain", "--question", "fall-1-12m", "--workspace", runs.root)
    assert result.exit_code == 0, result.stderr
    assert "fall-1-12m" in result.stdout
    assert HEADLINE not in result.stdout


def test_the_printed_parts_add_up_to_the_printed_change(runs: Runs, command: Command) -> None:
    printed = command("explain", "--question", HEADLINE, "--workspace", runs.root).stdout.replace("−", "-").replace("±", "")
    before, total = printed.split("Total change")
    values = [float(x) for x in re.findall(r" ([+-]?\d+\.\d\d)(?: ~|  )?$", before.split("Before")[1], re.MULTILINE)]
    *parts, noise, _ = values  # the last is the standard error of the noise
    assert sum(parts) + noise == pytest.approx(float(total.split()[0]), abs=1e-9)
    assert len(parts) == 4


def test_what_the_command_refuses(runs: Runs, command: Command, workspace: places.Workspace) -> None:
    def refused(*words: str | Path) -> str:
        result = command("explain", *words)
        assert result.exit_code == 2
        assert result.stdout == ""
        return result.stderr

    assert "No run was published" in refused("--workspace", workspace.data.parent)
    assert "Both runs are" in refused("latest", "latest", "--workspace", runs.root)
    assert HEADLINE in refused("--workspace", runs.root, "--question", "reach-4-11m")


def test_the_command_fails_if_the_parts_do_not_explain_the_whole(runs: Runs, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    found = job.explain(SavedRun(runs.a), SavedRun(runs.b)) | {"unexplained": [HEADLINE]}
    monkeypatch.setattr("forecast.jobs.explain.explain", lambda *_: found)
    result = command("explain", "--workspace", runs.root)
    assert result.exit_code == 1
    assert f"a cause that no part shows moved {HEADLINE}" in result.stderr
    assert "Monte Carlo noise" in result.stdout
