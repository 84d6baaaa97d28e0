"""`forecast priors set` and `log`, as a person uses them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from forecast.cli.priors_set import join_words
from forecast.errors import StoreError
from forecast.jobs.priors import try_edits
from forecast.jobs.priors.try_edits import EditTrial
from forecast.priors.distributions import LogNormal, Normal
from forecast.priors.edit_log import read_history
from forecast.priors.load import load_priors
from forecast.runs import store
from forecast.workspace import Workspace
from tests.support.sound_reports import sound_report

type Run = Callable[..., Result]

RUN = "20261124T120000Z-ab12cd"
SIGNED = ("--why", "Tariffs were met with defiance.", "--by", "Ana")


@pytest.fixture
def run(command: Run, workspace: Workspace) -> Run:
    return lambda *words: command("--workspace", workspace.data.parent, "priors", *words)


def contents(workspace: Workspace) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in workspace.priors.rglob("*") if path.is_file()}


def publish(workspace: Workspace, digest: str) -> None:
    meta = {"priors_digest": digest, "headline": "reach-4-12m", "probability": 0.063}
    store.write_run(workspace.reports, RUN, lambda folder: None, meta)
    store.publish(workspace.reports, RUN)


@pytest.fixture
def published(workspace: Workspace) -> Workspace:
    """With a run made from the priors as they are, of which nothing but the manifest is there."""
    publish(workspace, load_priors(workspace.priors).digest())
    return workspace


def answer(probability: float, how: str = "reweighted", accepted: bool = True) -> Callable[..., EditTrial]:
    def tried(workspace: Workspace, edits: Mapping[str, Any]) -> EditTrial:
        questions = [{"id": "reach-4-12m", "probability": probability, "before": 0.063}]
        return EditTrial(RUN, {}, how, accepted, 0.3, 900.0, "reach-4-12m", questions, {})  # type: ignore[arg-type]  # `how` is one of three

    return tried


def test_an_edit_changes_file_and_history(run: Run, workspace: Workspace) -> None:
    done = run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    assert (done.exit_code, done.stderr) == (0, "")
    message = "leverage.effect = Normal(0.8, 0.3), before Normal(1.6, 0.8); revision 1-"
    assert " ".join(done.stdout.split()).startswith(message)
    prior = load_priors(workspace.priors)["leverage.effect"]
    assert (prior.spec, prior.rationale, prior.author, prior.source) == (Normal(0.8, 0.3), SIGNED[1], "Ana", "judgement")
    (edit,) = read_history(workspace.priors).edits
    assert (edit.why, edit.by, edit.new) == (SIGNED[1], "Ana", "Normal(0.8, 0.3)")


def test_any_number_of_edits_in_either_form(run: Run, workspace: Workspace) -> None:
    words = ("leverage.effect", "Normal(0.8, 0.3)", "ladder.just_risen=Normal(2,1)", "drift.half_life", "LogNormal(10, 0.6, shift=3)")
    done = run("set", *words, *SIGNED, "--source", "An essay", "--json")
    assert done.exit_code == 0, done.stderr
    printed = json.loads(done.stdout)
    assert [edit["name"] for edit in printed["edits"]] == ["leverage.effect", "ladder.just_risen", "drift.half_life"]
    assert {edit["source"] for edit in printed["edits"]} == {"An essay"}
    assert load_priors(workspace.priors).spec("drift.half_life") == LogNormal(10, 0.6, 3)
    assert len({edit["change"] for edit in printed["edits"]}) == 1
    assert printed["unchanged"] == []


def test_words_apart_are_joined() -> None:
    assert join_words(["a", "N(1)", "b = N(2)", "c", "L(1, shift=3)"]) == ["a = N(1)", "b = N(2)", "c = L(1, shift=3)"]
    assert join_words(["a", "b = N(2)", "c"]) == ["a", "b = N(2)", "c"]


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        (["leverage.efect = Normal(0, 1)"], "Did you mean leverage.effect?"),
        (["leverage.effect = Normal(0, 1)", "leverage.effect = Normal(1, 1)"], "two edits of leverage.effect"),
        (["leverage.effect = Normal(0, 0)"], "sd above 0"),
        (["leverage.effect = Normal(0, -1)"], "sd above 0"),
        (["leverage.effect = Normal(nan, 1)"], "plain numbers"),
        (["leverage.effect = HalfNormal(1)"], "Normal for leverage.effect"),
        (["ladder.rise.3 = quantiles(0.1, 0.04, 0.12)"], "quantiles that rise"),
        (["ladder.rise.3 = quantiles(0, 0.04, 0.12)"], "quantiles above 0"),
        (["drift.half_life = LogNormal(12, 0.6, shift=15)"], "a support that holds 12 months"),
        (["leverage.weights = Weights(economic=0.5, diplomatic=0.5, security=0.5)"], "weights that sum to 1"),
        (["readings.weights = Weights(main=0.5, covert_untrue=0.5)"], "covert_untrue"),
        (["leverage.effect"], "an edit of the form"),
        (["ladder.just_risen = Normal(2, 1)", "drift.sd = HalfNormal(0)"], "sd above 0"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(run: Run, workspace: Workspace, edits: list[str], message: str) -> None:
    before = contents(workspace)
    done = run("set", *edits, *SIGNED)
    assert done.exit_code == 3
    assert message in done.stderr
    assert contents(workspace) == before


def test_all_that_is_wrong_is_said_at_once(run: Run) -> None:
    done = run("set", "leverage.efect = Normal(0, 1)", "drift.sd = HalfNormal(0)", *SIGNED)
    assert "2 problems found; nothing was written." in done.stderr


@pytest.mark.parametrize(
    "words",
    [("--why", "Because."), ("--by", "Ana"), (), ("--why", " ", "--by", "Ana"), ("--why", "Because.", "--by", "")],
)
def test_without_a_reason_or_a_name_nothing_is_written(run: Run, workspace: Workspace, words: tuple[str, ...]) -> None:
    before = contents(workspace)
    done = run("set", "leverage.effect = Normal(0.8, 0.3)", *words)
    assert done.exit_code == 2
    assert contents(workspace) == before


def test_a_reason_stands_on_one_line_and_holds_no_secrets(run: Run, workspace: Workspace) -> None:
    assert run("set", "leverage.effect = Normal(0.8, 0.3)", "--why", 'Two\n lines, "quoted" \\ é.', "--by", "Ana").exit_code == 0
    assert load_priors(workspace.priors)["leverage.effect"].rationale == 'Two lines, "quoted" \\ é.'
    before = contents(workspace)
    for text in ("bell \x07", "zero \x00", "half a pair \udcff"):
        done = run("set", "leverage.effect = Normal(0, 1)", "--why", text, "--by", "Ana")
        assert (done.exit_code, "is not a valid argument" in done.stderr) == (2, True)
    assert contents(workspace) == before


def test_what_is_so_already_is_said_and_not_recorded(run: Run, workspace: Workspace) -> None:
    before = contents(workspace)
    done = run("set", "leverage.effect = Normal(1.60, 8/10)", *SIGNED)
    assert (done.exit_code, done.stdout) == (0, "leverage.effect has this value already; nothing to change.\n")
    assert contents(workspace) == before


def test_the_headline_on_both_sides_is_recorded(run: Run, published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(try_edits, "try_edits", answer(0.041))
    done = run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    assert "Headline 6.3 % → 4.1 % (reweighted)." in done.stdout
    (edit,) = read_history(published.priors).edits
    assert edit.before is not None
    assert edit.after is not None
    assert (edit.before.probability, edit.before.run, edit.before.how) == (0.063, RUN, "fitted")
    assert (edit.after.probability, edit.after.accepted, edit.after.how) == (0.041, True, "reweighted")
    printed = json.loads(run("log", "--json").stdout)["edits"][0]
    assert printed["forecast_before"] == {"question": "reach-4-12m", "probability": 0.063, "how": "fitted", "accepted": True, "run": RUN}
    assert printed["forecast_after"]["probability"] == 0.041


def test_an_answer_that_is_too_far_off_is_marked(run: Run, published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(try_edits, "try_edits", answer(0.2, accepted=False))
    assert "too uncertain to rely on, needs a refit" in run("set", "leverage.effect = Normal(4, 0.3)", *SIGNED).stdout
    assert not read_history(published.priors).edits[0].after.accepted  # type: ignore[union-attr]  # it is there


def test_what_only_a_refit_can_tell_is_not_recorded_as_if_it_were_told(
    run: Run, published: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(try_edits, "try_edits", answer(0.063, "refit", accepted=False))
    done = run("set", "outside_view.classes = Weights(all_but_failed=0.2, drug_cases=0.4, like_mexico=0.4)", *SIGNED)
    assert "Headline 6.3 % before; only a refit can compute the new one." in done.stdout
    edit = read_history(published.priors).edits[0]
    assert (edit.before is not None, edit.after) == (True, None)


def test_a_run_without_draws_does_not_keep_anyone_from_changing_a_prior(run: Run, published: Workspace) -> None:
    assert run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED).exit_code == 0
    assert read_history(published.priors).edits[0].after is None


def test_a_run_that_does_not_tell_its_priors_says_nothing(run: Run, workspace: Workspace) -> None:
    report = json.dumps(sound_report(RUN))
    meta = {"priors_digest": "0" * 64, "headline": "reach-4-12m", "probability": 0.063}
    store.write_run(workspace.reports, RUN, lambda folder: (folder / "report.json").write_text(report, encoding="utf-8"), meta)
    store.publish(workspace.reports, RUN)
    message = " ".join(run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED).stdout.split())
    assert "Its effect on the headline could not be computed." in message
    assert "does not name the priors it was made from" in message
    assert read_history(workspace.priors).edits[0].before is None


def test_a_second_edit_before_any_refit_is_tried_on_top_of_the_first(
    run: Run, published: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = 0.041
    monkeypatch.setattr(
        try_edits, "try_edits", lambda where, edits: answer(0.030 if "ladder.just_risen" in edits else pending)(where, edits)
    )
    run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    assert "Headline 4.1 % → 3 % (reweighted)." in run("set", "ladder.just_risen = Normal(2, 1)", *SIGNED).stdout
    second = read_history(published.priors).edits[1]
    assert second.before is not None
    assert (second.before.how, second.before.probability) == ("reweighted", 0.041)


def test_damage_is_told_and_the_edit_made_all_the_same(run: Run, published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(where: Workspace, edits: Mapping[str, Any]) -> EditTrial:
        raise StoreError("draws.npz is missing or was altered.", "Restore the run.")

    monkeypatch.setattr(try_edits, "try_edits", damaged)
    done = run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    assert done.exit_code == 0
    assert "draws.npz is missing or was altered" in " ".join(done.stdout.split())
    assert load_priors(published.priors).spec("leverage.effect") == Normal(0.8, 0.3)


def test_the_log_is_newest_first_and_shows_hands(run: Run, workspace: Workspace) -> None:
    assert run("log").stdout == "No prior has been changed since the history began.\n"
    run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    run("set", "ladder.just_risen = Normal(2, 1)", "--why", "Single acts.", "--by", "Bo")
    path = workspace.priors / "leverage.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("Normal(0.8, 0.3)", "Normal(0.9, 0.3)"), encoding="utf-8")
    lines = run("log").stdout.splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    assert [head.split()[-1] for head in heads] == ["leverage.effect", "ladder.just_risen", "leverage.effect"]
    assert heads[0].startswith("edited by hand")
    assert heads[1].split()[1:3] == ["2026-11-24", "14:15"]
    assert "    Normal(0.8, 0.3) → Normal(0.9, 0.3)" in lines
    assert "    Single acts. (Bo)" in lines
    printed = json.loads(run("log", "leverage.effect", "--json").stdout)
    assert printed["by_hand"] == [{"name": "leverage.effect", "from": "Normal(0.8, 0.3)", "to": "Normal(0.9, 0.3)", "until": None}]
    assert [edit["name"] for edit in printed["edits"]] == ["leverage.effect"]
    run("set", "leverage.effect = Normal(1, 1)", *SIGNED)
    assert [line for line in run("log", "leverage.effect").stdout.splitlines() if line.startswith("edited")] == heads[:1]
    assert json.loads(run("log", "--json").stdout)["by_hand"][0]["until"] == 3


def test_the_log_of_one_prior(run: Run) -> None:
    assert run("log", "direct.rate").stdout == "direct.rate has not been changed.\n"
    unknown = run("log", "direct.rat")
    assert (unknown.exit_code, "Did you mean direct.rate?" in unknown.stderr) == (3, True)


def test_an_altered_history_is_reported(run: Run, workspace: Workspace) -> None:
    run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    path = workspace.priors / "history" / "2026.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("Ana", "Bob"), encoding="utf-8")
    before = contents(workspace)
    for words in (("log",), ("log", "--json"), ("check",), ("set", "leverage.effect = Normal(0, 1)", *SIGNED)):
        done = run(*words)
        assert (done.exit_code, done.stdout) == (7, "")
        assert "edit 1 was altered" in done.stderr
    assert contents(workspace) == before


def test_the_copy_inside_a_package_is_not_edited(run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.workspace.PACKAGE", Path(workspace.priors.parent))
    done = run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    assert (done.exit_code, "forecast init DIR" in done.stderr) == (2, True)
