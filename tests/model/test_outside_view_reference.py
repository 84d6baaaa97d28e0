"""The command that fits the outside view: without a sampler by a stand-in, and for real in the slow tests."""

from __future__ import annotations

import functools
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from numpy.typing import NDArray
from scipy import stats

from forecast.data.as_of import as_of
from forecast.data.read import read_data
from forecast.data.tables import Data
from forecast.errors import ForecastError, GateError, UsageError
from forecast.jobs.priors import reference as job
from forecast.jobs.priors.reference import ReferenceFit, compile_reference, fit_reference, write_reference
from forecast.jobs.priors.try_edits import EditTrial
from forecast.model.outside_view_predictive import medians
from forecast.priors.distributions import Normal, Quantiles
from forecast.priors.edit_log import read_history
from forecast.priors.load import Priors, load_priors
from forecast.priors.outside_view import ALTERNATIVES_FILE as ALTERNATIVES
from forecast.priors.outside_view import read_alternatives
from forecast.priors.specs import PriorSpec
from forecast.workspace import PACKAGE, Workspace, bundled_root
from tests.support.outside_view import StandIn

type Command = Callable[..., Result]

NAMES = {
    *(f"ladder.rise.{j}" for j in range(5)),
    *(f"ladder.stay.{j}" for j in range(1, 6)),
    *(f"ladder.skip_up.{i}" for i in (2, 3, 4)),
    *(f"ladder.skip_down.{i}" for i in (1, 2, 3, 4)),
    "ladder.just_risen",
}


@pytest.fixture
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of the draws, which is enough for the stand-in to pass the gate."""
    for name in ("FIRST", "RETRY"):
        monkeypatch.setattr(job, name, replace(getattr(job, name), draws=250))
    monkeypatch.setattr(job, "PRIOR_DRAWS", 1_000)


@pytest.fixture(scope="module")
def data() -> Data:
    return read_data(Path(bundled_root()) / "data")


@pytest.fixture(scope="module")
def priors() -> Priors:
    return load_priors(Path(bundled_root()) / "priors")


@pytest.mark.usefixtures("fewer_draws")
def test_all_priors_of_the_ladder_but_one_are_given(data: Data, priors: Priors) -> None:
    sampler = StandIn()
    found = fit_reference(data, priors, sampler=sampler, seed=7)
    assert set(found.specs) == NAMES
    assert [c.name for c in found.classes] == ["all_but_failed", "drug_cases", "like_mexico"]
    assert [c.months for c in found.classes] == [11_166, 7_949, 3_540]
    assert [data["rise"].sum() for data, _, _ in sampler.seen] == [49, 30, 15]
    assert [seed for _, seed, _ in sampler.seen] == [7, 8, 9]
    assert found.changed == {name: (priors.spec(name), spec) for name, spec in found.specs.items() if priors.spec(name) != spec}
    priors.replace(found.specs)  # of the right families


@pytest.mark.slow
@pytest.mark.usefixtures("fewer_draws")
def test_the_quantiles_are_those_of_the_stand_in_widened(data: Data, priors: Priors) -> None:
    """logit q ~ N(−3.5, 0.1² + σ² + 0.4²), σ near 1, with sd 0.1."""
    found = fit_reference(data, priors, sampler=StandIn())
    sd = {"ladder.rise.1": (1.01 + 0.4**2) ** 0.5, "ladder.rise.3": (1.01 + 0.6**2) ** 0.5}
    for name, expected in sd.items():
        spec = found.specs[name]
        assert isinstance(spec, Quantiles)
        assert spec.location == pytest.approx(-3.5, abs=0.1)
        assert spec.sd == pytest.approx(expected, rel=0.1)
    just_risen = found.specs["ladder.just_risen"]
    assert isinstance(just_risen, Normal)
    assert just_risen.mean == pytest.approx(2.5, abs=0.02)
    assert just_risen.sd == pytest.approx(0.1, rel=0.1)


@pytest.mark.slow
@pytest.mark.usefixtures("fewer_draws")
def test_the_same_seed_gives_the_same_and_another_seed_another(data: Data, priors: Priors) -> None:
    first, again, other = (fit_reference(data, priors, sampler=StandIn(), seed=s, classes={"all": 1}).specs for s in (1, 1, 2))
    assert first == again != other


@pytest.mark.slow
@pytest.mark.usefixtures("fewer_draws")
def test_classes_states_and_pressure_can_be_changed(data: Data, priors: Priors) -> None:
    sampler = StandIn()
    found = fit_reference(
        data, priors, sampler=sampler, classes={"all": 3, "drug_cases": 1, "like_mexico": 0}, drop=["Pakistan"], pressure="previous"
    )
    assert {c.name: c.weight for c in found.classes} == {"all": 0.75, "drug_cases": 0.25}
    assert found.dropped == ("Pakistan",)
    assert "Pakistan" not in {e.state for e in found.entries}
    full, dropped = StandIn(), sampler.seen[0][0]
    fit_reference(data, priors, sampler=full, classes={"all": 1})
    assert full.seen[0][0]["rise"].shape == dropped["rise"].shape  # one compiled function serves both
    assert full.seen[0][0]["rise"].sum() > dropped["rise"].sum()


@pytest.mark.parametrize(
    "wrong", [{"classes": {"drug": 1.0}}, {"classes": {"all": 0.0}}, {"classes": {"all": -1.0}}, {"drop": ["Atlantis"]}]
)
def test_what_does_not_exist_is_refused(data: Data, priors: Priors, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        fit_reference(data, priors, sampler=StandIn(), **wrong)


@pytest.mark.slow
@pytest.mark.usefixtures("fewer_draws")
def test_as_of_a_date_only_what_was_public_counts(data: Data, priors: Priors) -> None:
    sampler, names = StandIn(), {s.country for s in data.spells}
    early = as_of(data, date(2005, 6, 30))
    found = fit_reference(early, priors, sampler=sampler, names=names, classes={"all": 1})
    assert sampler.seen[0][0]["rise"].shape[0] == len(names) > len({s.country for s in early.spells})
    assert {(e.state, e.before) for e in found.entries} == {("Honduras", 1), ("Pakistan", 1), ("Yemen", 3), ("Pakistan", 3)}
    assert found.entries[-1].months == 13  # from June 2004: what went on later is not known yet


@pytest.mark.slow
@pytest.mark.usefixtures("fewer_draws")
def test_a_bad_fit_is_tried_once_more_and_then_refused(data: Data, priors: Priors) -> None:
    sampler = StandIn(stuck=1)
    found = fit_reference(data, priors, sampler=sampler, classes={"all": 1})
    assert found.classes[0].diagnostics.retried
    assert len(sampler.seen) == 2
    assert sampler.seen[1][1] != sampler.seen[0][1]
    assert sampler.seen[1][2].target_accept > sampler.seen[0][2].target_accept
    with pytest.raises(GateError, match="stuck"):
        fit_reference(data, priors, sampler=StandIn(stuck=2), classes={"all": 1})


@pytest.mark.usefixtures("fewer_draws")
def test_writing_changes_the_ladder_and_nothing_else(data: Data, priors: Priors, workspace: Workspace) -> None:
    found = fit_reference(data, priors, sampler=StandIn(), drop=["Libya"], classes={"all": 1})
    before = load_priors(workspace.priors)
    write_reference(found, workspace, now=datetime(2026, 12, 1, tzinfo=UTC), by="a test", as_of=date(2020, 1, 1))
    after = load_priors(workspace.priors)
    assert {edit.name for edit in read_history(workspace.priors).edits} == set(found.changed)
    assert read_history(workspace.priors).by_hand(after) == ()
    assert {name: after.spec(name) for name in NAMES} == found.specs
    assert {name for name in after if after.spec(name) != before.spec(name)} <= NAMES
    assert "as of 2020-01-01 without Libya" in after["ladder.rise.3"].source
    assert after["ladder.rise.3"].rationale == before["ladder.rise.3"].rationale


@pytest.mark.usefixtures("fewer_draws")
def test_priors_and_alternatives_are_written_together_or_not_at_all(
    data: Data, priors: Priors, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = fit_reference(data, priors, sampler=StandIn(), classes={"all": 1})
    sets = {name: {"leverage.effect": Normal(1.0, 0.5)} for name in read_alternatives(workspace.priors)}
    write = functools.partial(write_reference, found, workspace, now=datetime(2026, 12, 1, tzinfo=UTC), by="a test", alternatives=sets)
    files = [workspace.priors / name for name in ("ladder.toml", ALTERNATIVES)]
    before = [path.read_bytes() for path in files]
    renamed: list[object] = []

    def fails_once(source: str, target: object) -> None:
        renamed.append(target)
        if len(renamed) == 3:  # what was renamed before is put back
            raise OSError(28, "No space left on device")
        os.rename(source, str(target))

    with monkeypatch.context() as m:
        m.setattr("forecast.storage.atomic.os.replace", fails_once)
        with pytest.raises(ForecastError, match="No space left"):
            write()
    assert [path.read_bytes() for path in files] == before
    write()
    assert read_alternatives(workspace.priors) == sets
    assert load_priors(workspace.priors).spec("ladder.rise.3") == found.specs["ladder.rise.3"]


@pytest.mark.slow
@pytest.mark.usefixtures("fewer_draws")
def test_the_copy_inside_the_package_is_not_written(data: Data, priors: Priors) -> None:
    inside = Workspace(PACKAGE / "data", PACKAGE / "priors", PACKAGE / "reports", "")
    with pytest.raises(UsageError, match="must not be edited"):
        write_reference(
            fit_reference(data, priors, sampler=StandIn(), classes={"all": 1}), inside, now=datetime(2026, 12, 1, tzinfo=UTC), by=""
        )


@pytest.mark.parametrize("weights", [{"all": math.inf}, {"all": 1.0, "drug_cases": math.nan}, {"all": -1.0}, {"all": 0.0}])
def test_weights_of_classes_are_plain_numbers(data: Data, priors: Priors, weights: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="plain numbers"):
        fit_reference(data, priors, sampler=StandIn(), classes=weights)


def test_states_alone_take_no_other_choice(command: Command) -> None:
    for other in ("--write", "--refit", "--class=all"):
        assert command("priors", "reference", "--states", other).exit_code == 2


@pytest.mark.slow
@pytest.mark.usefixtures("fewer_draws")
def test_the_command_prints_and_writes_only_when_told(command: Command, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "compile_sampler", lambda *args: StandIn())
    before = (workspace.priors / "ladder.toml").read_bytes()
    words = ("--workspace", workspace.data.parent, "priors", "reference", "--class", "all=1")
    page = command(*words)
    assert page.exit_code == 0, page.stderr
    assert "12,500" in page.stdout
    assert "nothing was written" in page.stdout
    assert "Ecuador" in page.stdout
    assert (workspace.priors / "ladder.toml").read_bytes() == before
    printed = json.loads(command(*words, "--json", "--write").stdout)
    assert printed["written"]
    assert printed["classes"][0]["entries"] == 11
    assert printed["entries"][0]["month"] == "1988-04"
    after = load_priors(workspace.priors)
    assert {name: str(after.spec(name)) for name in NAMES} == printed["priors"]
    assert command(*words, "--class", "drug").exit_code == 2
    assert command(*words, "--class", "all=much").exit_code == 2


def test_states_are_counted_as_the_classes_are(data: Data) -> None:
    """Sums over states are those of the fits' counts; a rate lies where SciPy's Gamma has it."""
    listed, rates = job.count_states(data)
    assert len(listed) == 29
    assert sum(s.months for s in listed) == 12_500
    assert {c: sum(s.classes[c] for s in listed) for c in ("all_but_failed", "drug_cases", "like_mexico")} == {
        "all_but_failed": 11_166, "drug_cases": 7_949, "like_mexico": 3_540,
    }  # fmt: skip
    assert (sum(s.rises for s in listed), sum(s.falls for s in listed), sum(s.entries for s in listed)) == (53, 32, 11)
    afghanistan = next(s for s in listed if s.name == "Afghanistan")
    assert afghanistan.imposed == 2
    assert not any(afghanistan.classes.values())
    by = {(r.of, r.pressed): r for r in rates}
    assert by["all_but_failed", False].entries + by["all_but_failed", True].entries == 9
    for r in rates:
        expected = stats.gamma(r.entries + 0.5, scale=1 / r.years).ppf([0.05, 0.5, 0.95])
        assert (r.q05, r.q50, r.q95) == pytest.approx(expected, rel=1e-6)


def test_a_state_left_out_is_not_counted(data: Data) -> None:
    listed, rates = job.count_states(data, ["Ecuador"])
    assert "Ecuador" not in {s.name for s in listed}
    assert sum(r.entries for r in rates if r.of == "all_but_failed") == 8
    with pytest.raises(UsageError, match="Atlantis"):
        job.count_states(data, ["Atlantis"])


def test_the_states_are_shown_without_a_fit(command: Command, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "compile_sampler", None)
    words = ("--workspace", workspace.data.parent, "priors", "reference", "--states")
    page = command(*words)
    assert page.exit_code == 0, page.stderr
    assert max(map(len, page.stdout.splitlines())) <= 80
    assert "Ecuador" in page.stdout
    assert "Ecuador" not in command(*words, "--drop", "Ecuador").stdout
    assert len(json.loads(command(*words, "--json").stdout)["states"]) == 29


@pytest.mark.slow
@pytest.mark.usefixtures("fewer_draws")
def test_medians_by_class_are_those_of_the_new_state(data: Data, priors: Priors) -> None:
    found = fit_reference(data, priors, sampler=StandIn(), classes={"all": 1}).classes[0]
    said = medians(found.state)
    assert set(said) == NAMES
    assert said["ladder.rise.3"] == pytest.approx(1 / (1 + math.exp(3.5)), rel=0.1)  # the stand-in's centre
    assert said["ladder.skip_up.3"] == pytest.approx(stats.beta(1 + 4, 1 + 24).median(), rel=0.05)


@pytest.mark.slow
@pytest.mark.usefixtures("fewer_draws")
def test_what_the_priors_would_do_is_shown_before_anything_is_written(
    command: Command, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a run the draws are asked, with --refit and a refusal the fit; without a run that is said."""
    monkeypatch.setattr(job, "compile_sampler", lambda *args: StandIn())
    words = ("--workspace", workspace.data.parent, "priors", "reference", "--class", "all=1")
    page = command(*words[:-2])
    assert max(map(len, page.stdout.splitlines())) <= 80
    assert "Publish a run to see the effect" in " ".join(page.stdout.split())
    asked: list[str] = []

    def answer(how: str, accepted: bool) -> Callable[..., EditTrial]:
        def tried(where: Workspace, edits: Mapping[str, PriorSpec], *_: Any) -> EditTrial:
            asked.append(how)
            assert {name: load_priors(where.priors).spec(name) for name in edits} != dict(edits)  # still as they were
            row = {
                "id": "reach-4-12m", "text": "", "kind": "reached_by", "level": 4, "probability": 0.04, "before": 0.06, "mcse": 0.001,
                "interval": {"prob": 0.8, "low": 0.01, "high": 0.1}, "prior_probability": 0.03, "by_reading": {},
                "probability_known": None, "before_known": None,
            }  # fmt: skip
            made = {f.name: None for f in fields(EditTrial)} | {
                "run_id": "20261101T000000Z-abcdef", "edits": dict.fromkeys(edits, ("a", "b")), "how": how, "accepted": accepted,
                "k_hat": 0.9, "ess": 50.0, "headline_id": "reach-4-12m", "questions": [row], "by_reading": {}, "notes": (), "pending": {},
            }  # fmt: skip
            return EditTrial(**made)  # type: ignore[arg-type]  # the fields are filled by name

        return tried

    monkeypatch.setattr("forecast.runs.store.latest", lambda reports: reports)
    monkeypatch.setattr("forecast.jobs.priors.try_edits.try_edits", answer("reweighted", False))
    monkeypatch.setattr("forecast.jobs.priors.try_edits.refit_edits", answer("refit", True))
    printed = command(*words).stdout
    assert "newest published run, 20261101T000000Z-abcdef" in printed
    assert "Not accepted" in printed
    assert asked == ["reweighted"]
    again = command(*words, "--refit", "--write", "--json")
    assert again.exit_code == 0, again.stderr
    assert json.loads(again.stdout)["tried"]["how"] == "refit"
    assert asked == ["reweighted", "reweighted", "refit"]


@pytest.fixture(scope="module")
def fitted(data: Data, priors: Priors) -> tuple[ReferenceFit, ReferenceFit]:
    """On the full class, and without the drug cases: one compiled function."""
    sampler = compile_reference(data)
    without = {"without_drug_cases": 0.75, "like_mexico": 0.25}
    return fit_reference(data, priors, sampler=sampler), fit_reference(data, priors, sampler=sampler, classes=without)


def stated(spec: PriorSpec) -> NDArray[np.float64]:
    """What a spec says, on the scale it is stated on."""
    if isinstance(spec, Normal):
        return np.array([spec.mean, spec.sd])
    assert isinstance(spec, Quantiles)
    return np.log([spec.q05, spec.q50, spec.q95])


@pytest.mark.slow
def test_the_committed_priors_are_what_the_command_gives(fitted: tuple[ReferenceFit, ReferenceFit], priors: Priors) -> None:
    """To three digits where they were written; on another processor the chains part, and the tails of the pool agree within their error."""
    found = fitted[0].specs
    assert {name: pytest.approx(stated(priors.spec(name)), abs=0.15) for name in found} == {name: stated(s) for name, s in found.items()}
    assert all(c.diagnostics.passed for c in fitted[0].classes)


@pytest.mark.soak
def test_the_committed_priors_are_what_the_command_gives_to_three_digits(fitted: tuple[ReferenceFit, ReferenceFit], priors: Priors) -> None:
    assert {name: str(priors.spec(name)) for name in fitted[0].specs} == {name: str(spec) for name, spec in fitted[0].specs.items()}


@pytest.mark.slow
def test_without_the_drug_cases_the_quantiles_differ(fitted: tuple[ReferenceFit, ReferenceFit]) -> None:
    """States at war with terror went up from embedded oftener: the median there is higher by much more than the Monte Carlo error."""
    full, without = (f.specs["ladder.rise.3"] for f in fitted)
    assert isinstance(full, Quantiles)
    assert isinstance(without, Quantiles)
    assert without.q50 > 1.3 * full.q50
    assert all(fitted[0].specs[name] != fitted[1].specs[name] for name in NAMES)


@pytest.mark.slow
def test_the_class_speaks_as_it_did_in_the_trial(fitted: tuple[ReferenceFit, ReferenceFit]) -> None:
    """Chances of reaching level 4 or 5 within twelve months, as an earlier fit of this model gave them, within a factor 1.3."""
    said = {
        ("all_but_failed", 2): (0.005, 0.096), ("all_but_failed", 3): (0.009, 0.145), ("drug_cases", 2): (0.004, 0.050),
        ("drug_cases", 3): (0.005, 0.066), ("like_mexico", 2): (0.013, 0.133), ("like_mexico", 3): (0.013, 0.137),
        ("priors", 2): (0.006, 0.039), ("priors", 3): (0.010, 0.059),
    }  # fmt: skip
    for chance in fitted[0].chances:
        assert chance.mean == pytest.approx(said[chance.of, chance.start][chance.pressed], rel=0.3), chance
    for fit in fitted[0].classes:
        assert 2.3 < fit.state.pressure_on_rises.mean() < 3.3
