"""`forecast priors undo`: the files are again what they were, the history is added to, and what cannot be undone is refused in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from forecast.jobs.priors import edits
from forecast.priors.apply_edits import write_edits
from forecast.priors.edit_log import read_history, revisions
from forecast.priors.load import load_priors
from forecast.priors.parsing import parse_prior
from forecast.workspace import Workspace
from tests.conftest import NOW
from tests.support.random_edits import groups

type Run = Callable[..., Result]

SIGNED = ("--why", "Tariffs were met with defiance.", "--by", "Ana", "--source", "An essay")


@pytest.fixture
def run(command: Run, workspace: Workspace) -> Run:
    return lambda *words: command("--workspace", workspace.data.parent, "priors", *words)


def files(workspace: Workspace) -> dict[str, bytes]:
    """The prior files, without the history."""
    return {path.name: path.read_bytes() for path in workspace.priors.glob("*.toml")}


def everything(workspace: Workspace) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in workspace.priors.rglob("*") if path.is_file()}


def revision(workspace: Workspace, number: int) -> str:
    return read_history(workspace.priors).edits[number - 1].revision


def test_value_reason_source_author_and_day_are_restored_to_the_byte(run: Run, workspace: Workspace) -> None:
    before = files(workspace)
    run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    assert files(workspace) != before
    done = run("undo", revision(workspace, 1))
    assert (done.exit_code, done.stderr) == (0, "")
    assert "leverage.effect = Normal(1.6, 0.8) again, before Normal(0.8, 0.3)." in done.stdout
    assert files(workspace) == before


def test_the_author_before_is_restored_also_where_that_is_no_shipped_one(run: Run, workspace: Workspace) -> None:
    run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    anas = files(workspace)
    run("set", "leverage.effect = Normal(1, 1)", "--why", "No.", "--by", "Bo")
    run("undo", "2")
    assert files(workspace) == anas
    prior = load_priors(workspace.priors)["leverage.effect"]
    assert (prior.rationale, prior.author, prior.source) == (SIGNED[1], "Ana", "An essay")


def test_an_undo_is_a_revision_of_its_own_and_the_chain_holds(run: Run, workspace: Workspace) -> None:
    run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    printed = json.loads(run("undo", "1", "--json").stdout)
    first, second = read_history(workspace.priors).edits
    assert (second.old, second.new, second.undoes, second.by) == (first.new, first.old, first.revision, "the maintainers")
    assert printed["undone"] == [first.revision]
    assert (printed["edits"][0]["revision"], printed["edits"][0]["undoes"]) == (second.revision, first.revision)
    assert revisions(load_priors(workspace.priors), workspace.priors)["leverage.effect"]["revision"] == second.revision
    head = run("log").stdout.splitlines()[0]
    assert head.endswith(f"leverage.effect (undoes {first.revision})")
    assert run("check").exit_code == 0
    path = workspace.priors / "history" / "2026.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(f'undoes = "{first.revision}"\n', ""), encoding="utf-8")
    assert run("log").exit_code == 7


def test_several_are_undone_one_after_the_other_and_an_undo_too(run: Run, workspace: Workspace) -> None:
    states = [files(workspace)]
    for sd in (1, 2):
        run("set", f"leverage.effect = Normal({sd}, {sd})", "--why", f"Sure of {sd}.", "--by", "Ana")
        states.append(files(workspace))
    for number, state in ((2, 1), (1, 0), (4, 1), (5, 0), (6, 1), (1, 0)):
        done = run("undo", str(number))
        assert done.exit_code == 0, done.stderr
        assert files(workspace) == states[state], number
    assert len(read_history(workspace.priors).edits) == 8


def test_several_priors_at_once(run: Run, workspace: Workspace) -> None:
    before = files(workspace)
    run("set", "leverage.effect = Normal(0.8, 0.3)", "ladder.just_risen = Normal(2, 1)", "drift.sd = HalfNormal(0.2)", *SIGNED)
    one = run("undo", "2")
    assert f"same command and stay: leverage.effect ({revision(workspace, 1)}), drift.sd ({revision(workspace, 3)})." in " ".join(
        one.stdout.split()
    )
    assert run("undo", "1", "3").exit_code == 0
    assert files(workspace) == before
    assert len({edit.change for edit in read_history(workspace.priors).edits}) == 3


def test_weights_and_tables_are_restored(run: Run, workspace: Workspace) -> None:
    before = load_priors(workspace.priors)
    run("set", "leverage.weights = Weights(economic=0.5, diplomatic=0.25, security=0.25)", *SIGNED)
    assert run("undo", "1").exit_code == 0
    assert load_priors(workspace.priors) == before


def test_every_prior_can_be_undone(run: Run, workspace: Workspace) -> None:
    before = load_priors(workspace.priors)
    (specs,) = groups(before, 1, seed=1)
    write_edits(workspace.priors, before, specs, why="Drawn.", by="a test", source="chance", now=NOW)
    edits = read_history(workspace.priors).edits
    assert len(edits) > 50
    assert run("undo", *(edit.revision for edit in edits)).exit_code == 0
    assert load_priors(workspace.priors) == before


def test_a_rationale_that_was_kept_is_kept(run: Run, workspace: Workspace) -> None:
    before, priors = files(workspace), load_priors(workspace.priors)
    specs = {"ladder.just_risen": parse_prior("ladder.just_risen", "Normal(2, 1)")}
    write_edits(workspace.priors, priors, specs, why="A fit.", by="a fit", source="a fit", now=NOW, keep_rationale=True)
    assert run("undo", "1").exit_code == 0
    assert files(workspace) == before


def refused(run: Run, workspace: Workspace, *words: str, code: int = 2) -> str:
    before = everything(workspace)
    done = run("undo", *words)
    assert (done.exit_code, done.stdout) == (code, "")
    assert everything(workspace) == before
    return done.stderr


def test_an_unknown_revision_is_refused(run: Run, workspace: Workspace) -> None:
    run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    for text in ("9-00000000", "1-00000000", "0", "-1", "first", "", "leverage.effect", "1-", "[2J"):
        message = refused(run, workspace, "--", text)
        assert "The history has no revision" in message, text
        assert "forecast priors log" in message
        assert "\x1b" not in message


def test_without_any_change_there_is_nothing_to_undo(run: Run, workspace: Workspace) -> None:
    assert "no revision" in refused(run, workspace, "1")
    assert refused(run, workspace)


def test_a_prior_changed_since_asks_for_the_newest_first(run: Run, workspace: Workspace) -> None:
    for sd in (1, 2, 3):
        run("set", f"leverage.effect = Normal({sd}, {sd})", *SIGNED)
    message = refused(run, workspace, "1")
    assert "leverage.effect was changed again" in message
    assert f"in this order: {revision(workspace, 3)}, {revision(workspace, 2)}." in message


def test_what_was_undone_is_not_undone_again(run: Run, workspace: Workspace) -> None:
    run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    run("undo", "1")
    assert "1-" in (message := refused(run, workspace, "1"))
    assert "not in force any more" in message


def test_an_edit_by_hand_is_not_overwritten(run: Run, workspace: Workspace) -> None:
    run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    path = workspace.priors / "leverage.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("Normal(0.8, 0.3)", "Normal(0.9, 0.3)"), encoding="utf-8")
    message = refused(run, workspace, "1")
    assert "was edited in its file" in message
    assert "Normal(0.9, 0.3)" in message


def test_one_prior_is_undone_once_in_a_command(run: Run, workspace: Workspace) -> None:
    for sd in (1, 2):
        run("set", f"leverage.effect = Normal({sd}, {sd})", *SIGNED)
    assert "Give one of them" in refused(run, workspace, "2", "1")


def test_a_change_of_an_earlier_version_names_the_command_that_restores_the_value(
    run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forecast.priors import apply_edits as changing

    with monkeypatch.context() as patch:  # without the key that such a version did not write, under a digest that fits
        patch.setattr(changing, "chained_digest", lambda previous, raw: raw.pop("replaced") and _chained(previous, raw))
        run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    assert read_history(workspace.priors).edits[0].replaced is None
    message = refused(run, workspace, "1")
    assert "`forecast priors set 'leverage.effect = Normal(1.6, 0.8)'" in message


def _chained(previous: str, raw: dict[str, object]) -> str:
    from forecast.storage.hash_chain import chained_digest

    return chained_digest(previous, raw)


def test_another_who_changes_the_priors_meanwhile_is_noticed(run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)

    original = edits.headline_change

    def meanwhile(*_: object) -> edits.HeadlineChange:
        monkeypatch.setattr(edits, "headline_change", original)
        run("set", "ladder.just_risen = Normal(2, 1)", *SIGNED)
        return edits.HeadlineChange(lacking="Not asked.")

    monkeypatch.setattr(edits, "headline_change", meanwhile)
    done = run("undo", "1")
    assert (done.exit_code, "meanwhile" in done.stderr) == (5, True)
    assert [edit.name for edit in read_history(workspace.priors).edits] == ["leverage.effect", "ladder.just_risen"]


def test_an_altered_history_is_reported(run: Run, workspace: Workspace) -> None:
    run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    path = workspace.priors / "history" / "2026.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("the maintainers", "the others"), encoding="utf-8")
    assert "edit 1 was altered" in refused(run, workspace, "1", code=7)


def test_the_copy_inside_a_package_is_not_edited(run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    monkeypatch.setattr("forecast.workspace.PACKAGE", Path(workspace.priors.parent))
    assert "forecast init DIR" in refused(run, workspace, "1")


def test_the_log_fits_a_terminal(run: Run, workspace: Workspace) -> None:
    run("set", "leverage.effect = Normal(0.8, 0.3)", *SIGNED)
    run("undo", "1")
    assert all(len(line) <= 80 for line in run("log").stdout.splitlines())
