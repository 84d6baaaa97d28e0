"""What moved a forecast, around a stand-in for the draws that knows what each change does; test_slow_explain.py has real draws."""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from forecast import workspace as places
from forecast.attribution.input_states import InputState, intermediate_inputs
from forecast.attribution.residual_noise import NEGLIGIBLE
from forecast.errors import GateError, InputError, UsageError
from forecast.forecasting.forecast_result import DrawsSource, Forecast
from forecast.forecasting.inputs import Inputs, load_workspace
from forecast.jobs import explain as job
from forecast.jobs import snapshot, state_forecasts
from forecast.jobs.run import write_report
from forecast.report.parts import chances
from forecast.report.schema import validate
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
"""What the second run has of chance, in Monte Carlo errors."""
PAIRED, COMB = 0.1, 0.05
"""What chance does to a difference told by the same draws, and what taking draws whole does, in Monte Carlo errors."""


@dataclass(frozen=True)
class Said:
    """What a run says: most of the forecast of the tests, so much higher, and so many Monte Carlo errors."""

    higher: float
    chance: float = 0.0

    def of(self, id_: str) -> float:
        found = prior_forecast().answers[id_]
        return 0.8 * found.probability + self.higher + self.chance * found.mcse


@dataclass(eq=False)
class Knowing:
    """Draws that know what each state says, from that of their own run. `refuses` is a word in the labels of states they can't tell."""

    says: Said
    states: tuple[InputState, ...]
    own: tuple[int, ...]
    progress: object
    refuses: str = ""
    shift: float = 0.0

    def __call__(self, i: int) -> dict[str, float] | None:
        if i not in self.own and self.refuses and self.refuses in self.states[i].label:
            return None
        before = sum(MOVES[s.kind] for s in self.states[: self.own[0] + 1])
        now = sum(MOVES[s.kind] for s in self.states[: i + 1])
        return {id_: self.says.of(id_) + self.shift + now - before for id_ in prior_forecast().answers}

    def error(self, i: int) -> dict[str, float]:
        return {id_: a.mcse for id_, a in prior_forecast().answers.items()}

    def comb_error(self, i: int) -> dict[str, float]:
        return {id_: COMB * error for id_, error in self.error(i).items()}

    def apart(self, i: int, other: Knowing, j: int) -> dict[str, float]:
        return {id_: error * (PAIRED if other is self else 2**0.5) for id_, error in self.error(i).items()}

    __hash__ = object.__hash__


def mcse(id_: str = HEADLINE) -> float:
    return prior_forecast().answers[id_].mcse


def of(inputs: Inputs, said: Said) -> Forecast:
    """The forecast of the tests as if it had been made from these inputs and said this."""
    made = prior_forecast()
    answers = {id_: replace(a, probability=said.of(id_)) for id_, a in made.answers.items()}
    return replace(made, answers=answers, origin_state=replace(made.origin_state, data=inputs.data, priors=inputs.priors))


MADE_WITH = {"model_version": ""}
"""What the next runs say of their model, if not the truth."""


def report(forecast: Forecast, run_id: str, created: datetime) -> dict[str, Any]:
    """The example's, but for what is asked and answered."""
    made = fake_sampler.report(forecast, run_id, created)
    questions = [q | {"probability": forecast.answers[q["id"]].probability} for q in chances.questions(prior_forecast())]
    return made | {"questions": questions, "model_version": MADE_WITH["model_version"] or made["model_version"]}


@dataclass(frozen=True)
class Runs:
    """Two runs between which a prior was edited, a row revised and two records added; the second follows the first and is published."""

    root: Path
    a: Path
    b: Path
    inputs: Inputs
    before: Inputs
    says: Said


@pytest.fixture(scope="module", autouse=True)
def _only_numbers() -> Iterator[None]:
    """Of a run its report.json and inputs."""
    with plain_runs(report) as patch:
        patch.setattr(job, "inputs_of", functools.cache(snapshot.inputs_of))
        yield


def edited(root: Path) -> None:
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
    places.create(root)
    before = load_workspace(root, today=NOW.date())
    a = write_report(of(before, Said(0.0)), root / "reports", NOW, inputs=before).path
    edited(root)
    after = load_workspace(root, today=NOW.date())
    says = Said(sum(MOVES[s.kind] for s in intermediate_inputs(before, after).states), CHANCE)
    notes = {"follows": a.name}
    b = write_report(of(after, says), root / "reports", NOW + timedelta(hours=1), inputs=after, notes=notes).path
    store.publish(root / "reports", b.name)
    return Runs(root, a, b, after, before, says)


@pytest.fixture(autouse=True)
def draws(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Settings of the stand-ins: what the draws of run a refuse, by how much they say other than the run did; the same of run b."""
    how: dict[str, Any] = {"a": {}, "b": {}, "fits": 0}

    def made(basis: Said, states: tuple[InputState, ...], own: tuple[int, ...], progress: object) -> Knowing:
        return Knowing(basis, states, own, progress, **how["b" if basis == runs.says and own[0] else "a"])

    def fitted(inputs: Inputs, state: InputState, seed: int, progress: object) -> state_forecasts.Fit:
        how["fits"] += 1
        found = prior_forecast().answers
        states = intermediate_inputs(runs.before, runs.inputs).states
        at = next(i for i, s in enumerate(states) if s.label == state.label)
        says = Said(sum(MOVES[s.kind] for s in states[: at + 1]), -CHANCE)
        return state_forecasts.Fit(says, {id_: says.of(id_) for id_ in found}, {id_: a.mcse for id_, a in found.items()})  # type: ignore[arg-type]

    monkeypatch.setattr(job, "ReweightedForecaster", made)
    monkeypatch.setattr(state_forecasts, "ReweightedForecaster", made)
    monkeypatch.setattr(job, "fitted", fitted)
    monkeypatch.setattr(state_forecasts, "fitted", fitted)
    monkeypatch.setattr(job, "FittedDraws", lambda *_: runs.says)
    monkeypatch.setattr(job, "basis_of", lambda path, *_: runs.says if path == runs.b else Said(0.0))
    return how


def tells(found: Mapping[str, Any], program: float = 0.0, errors: float = 0.0) -> None:
    """Every question's ends, parts and noise are what was put into the runs; a part told by the draws of both holds the chance.

    program: what the program's own change did, and `errors` Monte Carlo errors.
    """
    fitted = sum(p["how"] == "fitted" and p["kind"] != "model" for p in found["parts"])
    for id_, q in found["questions"].items():
        chance, did = CHANCE * mcse(id_), program + errors * mcse(id_)
        does = MOVES | {"several": MOVES["revision"] + MOVES["new"], "model": did}
        assert q["before"] == pytest.approx(Said(0.0).of(id_))
        assert q["after"] == pytest.approx(Said(0.008 - 0.01 + 0.006, CHANCE).of(id_))
        parts = [does[p["kind"]] + (chance if p["how"] == "fitted" and p["kind"] != "model" else 0.0) for p in found["parts"]]
        assert q["parts"] == pytest.approx(parts, abs=1e-12)
        assert q["noise"] == pytest.approx((0.0 if fitted else chance) - did, abs=1e-12)


def test_parts_come_in_the_stated_order_and_are_what_each_change_does(runs: Runs) -> None:
    found = job.explain(runs.a, runs.b)
    assert [(p["kind"], p["label"], p["how"], p["rows"]) for p in found["parts"]] == [
        ("prior", "leverage.effect: Normal(1.6, 0.8) → Normal(1.5, 0.75)", "reweighted", {}),
        ("revision", "deaths synthetic opioids, 2024-03 (1 row of overdose_final.csv)", "reweighted", {"overdose_final.csv": 1}),
        ("new", next(p["label"] for p in found["parts"] if "B998" in p["label"]), "reweighted", {"events.csv": 1}),
        ("new", next(p["label"] for p in found["parts"] if "B999" in p["label"]), "reweighted", {"events.csv": 1}),
    ]
    assert found["questions"][HEADLINE]["parts"] == pytest.approx([-0.01, 0.004, 0.005, 0.005])
    assert found["questions"][HEADLINE]["noise"] == pytest.approx(CHANCE * mcse())
    assert found["unread"] == {"indicators.csv": 1}
    tells(found)
    possible = {id_: q for id_, q in found["questions"].items() if max(q["before"], q["after"]) <= 1}  # the stand-in knows no bounds
    validate(report_example() | {"moved": found | {"questions": possible}})


def test_every_question_of_both_runs_is_told(runs: Runs) -> None:
    found = job.explain(runs.a, runs.b)
    assert list(found["questions"]) == list(prior_forecast().answers)
    assert (found["appeared"], found["gone"], found["unexplained"]) == ([], [], [])


def test_the_noise_comes_from_the_stated_errors_and_a_second_fit(runs: Runs, draws: dict[str, Any]) -> None:
    found = job.explain(runs.a, runs.b)
    assert draws["fits"] == 1
    assert found["factor"] == 1.0  # the second fit lies within the errors
    for q in (found["questions"][HEADLINE],):
        assert q["noise_se"] == q["remainder_se"] == pytest.approx(mcse() * 2**0.5)
    assert found["note"] == ""


def test_told_while_publishing_it_is_the_same(runs: Runs) -> None:
    assert job.moved(runs.a, of(runs.inputs, runs.says), runs.inputs) == job.explain(runs.a, runs.b)


def by_chance(runs: Runs, errors: float) -> dict[str, Any]:
    """A second forecast of run b's inputs, so many Monte Carlo errors higher."""
    return job.moved(runs.b, of(runs.inputs, Said(runs.says.higher, CHANCE + errors)), runs.inputs)


def loud() -> set[str]:
    """Questions in which eleven standard errors are not too little to speak of."""
    return {id_ for id_ in prior_forecast().answers if 11 * 2**0.5 * mcse(id_) > NEGLIGIBLE}


def test_where_only_the_seed_differs_all_is_noise(runs: Runs, draws: dict[str, Any]) -> None:
    found = by_chance(runs, -2 * CHANCE)
    assert (found["parts"], draws["fits"], found["unexplained"]) == ([], 1, [])
    assert found["questions"][HEADLINE]["noise"] == pytest.approx(-2 * CHANCE * mcse())


def test_where_only_the_seed_differs_a_shift_is_no_noise(runs: Runs, draws: dict[str, Any]) -> None:
    """Eleven standard errors in every question: a second fit agrees with the run before, so the difference does not excuse itself."""
    found = by_chance(runs, 11 * 2**0.5)
    assert (found["factor"], draws["fits"]) == (1.0, 1)
    assert set(found["unexplained"]) == loud()


def test_fits_that_all_differ_by_too_much_excuse_nothing(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def far(*_: Any) -> state_forecasts.Fit:
        answers = prior_forecast().answers
        values = {id_: Said(runs.says.higher, CHANCE - 9).of(id_) for id_ in answers}
        return state_forecasts.Fit(runs.says, values, {id_: a.mcse for id_, a in answers.items()})  # type: ignore[arg-type]

    monkeypatch.setattr(job, "fitted", far)
    found = by_chance(runs, 11 * 2**0.5)
    assert found["factor"] == 1.0
    assert "differ by 6.4 times their stated errors" in found["note"]
    assert set(found["unexplained"]) == loud()


def test_a_second_fit_that_is_refused_is_told(runs: Runs, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise GateError("no")

    monkeypatch.setattr(job, "fitted", refuse)
    found = job.explain(runs.a, runs.b)
    assert (found["factor"], found["unexplained"]) == (None, [])
    assert "did not pass the gate: they stand unchecked" in found["note"]
    result = command("explain", "--workspace", runs.root)
    assert result.exit_code == 0, result.stderr
    assert "they stand unchecked" in " ".join(result.stdout.split())


def weighted(runs: Runs, errors: float) -> dict[str, Any]:
    """A forecast made of the draws of run a, and so many Monte Carlo errors beside what they say."""
    made = of(runs.inputs, Said(runs.says.higher, errors))
    return job.moved(runs.a, replace(made, draws_source=DrawsSource(runs.a.name, 0.1, 1_000)), runs.inputs)


def test_a_forecast_weighted_from_earlier_draws_is_explained_without_a_fit(runs: Runs, draws: dict[str, Any]) -> None:
    """The error of its difference is that of one set of draws told twice, and what remains is expected to be next to nothing."""
    found = weighted(runs, 2 * COMB)
    assert (found["factor"], draws["fits"], len(found["parts"]), found["unexplained"]) == (None, 0, 4, [])
    q = found["questions"][HEADLINE]
    assert q["noise_se"] == pytest.approx(mcse() * (PAIRED**2 + COMB**2) ** 0.5)
    assert q["remainder_se"] == pytest.approx(mcse() * COMB)
    assert "The draws of one fit told both" in found["note"]


def test_what_remains_of_a_weighted_forecast_is_no_noise(runs: Runs, draws: dict[str, Any]) -> None:
    """A third of a Monte Carlo error would be nothing between two fits."""
    errors = 0.3
    found = weighted(runs, errors)
    assert set(found["unexplained"]) == {id_ for id_ in prior_forecast().answers if errors * mcse(id_) > NEGLIGIBLE}
    assert HEADLINE in found["unexplained"]


def test_two_forecasts_weighted_from_one_fit_are_told_by_its_draws(
    runs: Runs, draws: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the earlier of the two says a little else than the draws, since it took them whole."""
    fit = write_report(of(runs.before, Said(0.0)), tmp_path, NOW, inputs=runs.before).path
    rests = DrawsSource(fit.name, 0.1, 1_000)
    first = replace(of(runs.before, Said(0.0, COMB)), draws_source=rests)
    a = write_report(first, tmp_path, NOW + timedelta(hours=1), inputs=runs.before).path
    monkeypatch.setattr(job, "basis_of", lambda path, *_: Said(0.0, COMB if path == a else 0.0))
    found = job.moved(a, replace(of(runs.inputs, Said(runs.says.higher, -COMB)), draws_source=rests), runs.inputs)
    assert (draws["fits"], found["unexplained"], [p["kind"] for p in found["parts"]]) == (0, [], ["prior", "revision", "new", "new"])
    q = found["questions"][HEADLINE]
    assert q["noise"] == pytest.approx(-2 * COMB * mcse())
    assert q["remainder_se"] == pytest.approx(mcse() * COMB * 2**0.5)
    shutil.rmtree(fit)  # without it, the two are as if their draws had nothing in common
    found = job.moved(a, replace(of(runs.inputs, Said(runs.says.higher, -COMB)), draws_source=rests), runs.inputs)
    assert (draws["fits"], found["factor"]) == (1, 1.0)


def test_what_the_draws_of_the_first_run_refuse_those_of_the_last_tell(runs: Runs, draws: dict[str, Any]) -> None:
    draws["a"] = {"refuses": "B998"}
    found = job.explain(runs.a, runs.b)
    assert [p["how"] for p in found["parts"]] == ["reweighted"] * 4
    tells(found)


def test_what_both_refuse_is_fitted_or_told_together(runs: Runs, draws: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    draws |= {"a": {"refuses": "deaths"}, "b": {"refuses": "deaths"}}
    found = job.explain(runs.a, runs.b)
    assert found["fits"] == 1
    assert len(found["parts"]) == 4
    tells(found)

    def refuse(*_: Any) -> Any:
        raise GateError("no")

    monkeypatch.setattr(state_forecasts, "fitted", refuse)
    found = job.explain(runs.a, runs.b)
    assert [p["kind"] for p in found["parts"]] == ["prior", "several", "new"]
    assert found["parts"][1]["label"].startswith("together: deaths synthetic opioids")
    assert found["parts"][1]["rows"] == {"overdose_final.csv": 1, "events.csv": 1}
    tells(found)


def test_what_chance_cannot_do_is_called_unexplained(runs: Runs) -> None:
    made = of(runs.inputs, runs.says)
    answers = dict(made.answers)
    answers["reach-3-12m"] = replace(answers["reach-3-12m"], probability=answers["reach-3-12m"].probability + 0.25)
    found = job.moved(runs.a, replace(made, answers=answers), runs.inputs)
    assert found["unexplained"] == ["reach-3-12m"]
    assert found["questions"]["reach-3-12m"]["noise"] == pytest.approx(CHANCE * mcse("reach-3-12m") + 0.25)
    assert re.search(rf"Since run {runs.a.name} .* moved reach-3-12m by \+25\.\d\d points", str(job.failure(found)))
    assert job.failure(job.explain(runs.a, runs.b)) is None


def test_a_run_that_says_other_than_its_draws_was_made_by_another_program(runs: Runs, draws: dict[str, Any]) -> None:
    """Its draws are told by this program without noise, so what differs is the program's doing."""
    draws["a"] = {"shift": 0.02}
    found = job.explain(runs.a, runs.b)
    assert [p["kind"] for p in found["parts"]] == ["model", "prior", "revision", "new", "new"]
    tells(found, program=0.02)
    draws["a"] = {"shift": 1e-6}
    assert [p["kind"] for p in job.explain(runs.a, runs.b)["parts"]] == ["prior", "revision", "new", "new"]


def test_a_run_of_another_model_is_fitted_anew_with_its_inputs(runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = load_workspace(runs.a / "inputs", today=NOW.date())
    with monkeypatch.context() as patch:
        patch.setitem(MADE_WITH, "model_version", "0")
        old = write_report(of(inputs, Said(0.0)), tmp_path, NOW, inputs=inputs).path
    found = job.explain(old, runs.b)
    assert (found["parts"][0]["kind"], found["parts"][0]["how"]) == ("model", "fitted")
    assert found["parts"][0]["label"].startswith("model version 0 → ")
    tells(found, errors=-CHANCE)  # that fit's own
    with pytest.raises(InputError, match="made with version 0 of the model"):
        job.explain(runs.b, old)


def test_a_run_without_its_inputs_says_so(runs: Runs, tmp_path: Path) -> None:
    bare = write_report(prior_forecast(), tmp_path, NOW).path
    with pytest.raises(UsageError, match="did not keep the data and priors"):
        job.explain(bare, runs.b)


def test_the_command_tells_the_last_two_published_runs(runs: Runs, command: Command) -> None:
    result = command("explain", "--workspace", runs.root)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == f"From {runs.a.name} (to 2026-06)"
    assert "  leverage.effect: Normal(1.6, 0.8) →" in lines
    assert re.search(rf"^Monte Carlo noise +\+{100 * CHANCE * mcse():.2f}", result.stdout, re.MULTILINE)


def test_the_command_gives_the_same_document(runs: Runs, command: Command) -> None:
    result = command("explain", runs.a.name, "latest", "--json", "--workspace", runs.root)
    assert json.loads(result.stdout) == {"to_run": runs.b.name, "headline": HEADLINE, **job.explain(runs.a, runs.b)}


def test_the_command_reads_what_the_report_tells_already(runs: Runs, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from forecast.report import read

    told = read.read_report(runs.b) | {"moved": job.explain(runs.a, runs.b)}
    monkeypatch.setattr("forecast.report.read.read_report", lambda _: told)
    monkeypatch.setattr("forecast.jobs.explain.explain", lambda *_: pytest.fail("it was worked out again"))
    result = command("explain", "--question", "fall-1-12m", "--workspace", runs.root)
    assert result.exit_code == 0, result.stderr
    assert "fall-1-12m" in result.stdout
    assert HEADLINE not in result.stdout


def test_what_the_command_refuses(runs: Runs, command: Command, workspace: places.Workspace) -> None:
    def refused(*words: str | Path) -> str:
        result = command("explain", *words)
        assert result.exit_code == 2
        assert result.stdout == ""
        return result.stderr

    assert "No run was published" in refused("--workspace", workspace.data.parent)
    assert "Both runs are" in refused("latest", "latest", "--workspace", runs.root)
    assert HEADLINE in refused("--workspace", runs.root, "--question", "reach-4-11m")


def test_the_command_fails_aloud_if_the_parts_do_not_explain_the_whole(
    runs: Runs, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = job.explain(runs.a, runs.b) | {"unexplained": [HEADLINE]}
    monkeypatch.setattr("forecast.jobs.explain.explain", lambda *_: found)
    result = command("explain", "--workspace", runs.root)
    assert result.exit_code == 1
    assert f"in no part moved {HEADLINE}" in result.stderr
    assert "Monte Carlo noise" in result.stdout
