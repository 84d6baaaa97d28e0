"""`priors try` as a person runs it: the form of its answer, what it refuses, and that it stays light."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from forecast.errors import InputError, StoreError
from forecast.jobs.priors.try_edits import try_edits
from forecast.priors.parsing import parse_edits, parse_prior
from forecast.reweighting.draws_archive import pack
from forecast.runs import store
from forecast.runs.draws_files import write_draws
from forecast.workspace import Workspace, create_workspace
from tests.support.prior_forecasts import prior_forecast
from tests.support.sound_reports import question_rows, sound_report

type Command = Callable[..., Result]
HEADLINE = "reach-4-12m"
RUN = "20261124T141500Z-abcdef"


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    return pack(prior_forecast())


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    rows: dict[str, Any] = json.loads(json.dumps(sound_report(RUN, questions=question_rows(prior_forecast()))))
    return rows


def publish(workspace: Workspace, arrays: dict[str, Any], report: dict[str, Any], named: bool = True) -> None:
    def write(folder: Path) -> None:
        (folder / "report.json").write_text(json.dumps(report))
        write_draws(folder, arrays)

    priors = prior_forecast().origin_state.priors
    told = {name: {"spec": str(prior.spec)} for name, prior in priors.items()} if named else {}
    store.write_run(workspace.reports, RUN, write, {"priors_digest": priors.digest(), "priors": told, "headline": HEADLINE})
    store.publish(workspace.reports, RUN)


@pytest.fixture(scope="module")
def with_run(tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, Any], report: dict[str, Any]) -> Workspace:
    """A workspace whose newest run holds these draws. Nobody may change it."""
    workspace = create_workspace(tmp_path_factory.mktemp("tried") / "workspace")
    publish(workspace, arrays, report)
    return workspace


def tried(workspace: Workspace, *edits: str) -> Any:
    return try_edits(workspace, parse_edits(edits)).as_dict()


def test_the_same_value_again_is_the_run_exactly(with_run: Workspace, report: dict[str, Any]) -> None:
    priors = prior_forecast().origin_state.priors
    same = [f"{name} = {priors.spec(name)}" for name in ("leverage.effect", "leverage.weights", "opposition.start", "ladder.skip_up.3")]
    found = tried(with_run, *same)
    assert found["accepted"]
    for row, was in zip(found["questions"], report["questions"], strict=True):
        assert row == was | {"before": was["probability"], "before_known": was["probability_known"]}


def test_delays_move_what_will_be_known_and_no_digit_of_anything_else(with_run: Workspace, report: dict[str, Any]) -> None:
    found = tried(with_run, "exposure.delay.4 = LogNormal(12, 0.5)")
    moved = 0
    for row, was in zip(found["questions"], report["questions"], strict=True):
        moved += row["probability_known"] != row["before_known"]
        assert {k: v for k, v in row.items() if k != "probability_known" and not k.startswith("before")} == {
            k: v for k, v in was.items() if k != "probability_known"
        }
    assert moved == 8  # levels 3 and 4 at four horizons; 5 is public at once


def test_questions_have_the_form_of_the_report(with_run: Workspace, report: dict[str, Any]) -> None:
    found = tried(with_run, "leverage.half_life.security = Fixed(9)", "companion.designation = Gamma(2, 3)")
    assert {"questions", "k_hat", "ess", "accepted", "how", "by_reading"} <= found.keys()
    assert set(found["by_reading"]["main"]) == {"probability", "k_hat", "ess", "mcse", "accepted"}
    for row, was in zip(found["questions"], report["questions"], strict=True):
        assert row.keys() == was.keys() | {"before", "before_known"}
        for key in ("id", "text", "level", "kind", "horizon_months", "window", "resolution_date"):
            assert row[key] == was[key]
        assert (row["expected"] is None) == (was["expected"] is None)
        assert (row["probability_known"] is None) == (was["probability_known"] is None)
        assert sum(w * row["by_reading"][n] for n, w in prior_forecast().origin_state.weights.items()) == pytest.approx(row["probability"])
    moved = {row["id"] for row in found["questions"] if row["probability"] != row["before"]}
    assert HEADLINE in moved
    assert "event-direct-action-12m" in moved
    assert {id_ for id_ in moved if id_.startswith("event-mass")} == set()
    assert found["k_hat"] == max(r["k_hat"] for r in found["by_reading"].values())
    assert found["ess"] == min(r["ess"] for r in found["by_reading"].values())


BAD = [
    (["leverage.efect = Normal(1, 1)"], "leverage.effect"),
    (["leverage.effect = Normal(1, -1)"], "sd above 0"),
    (["leverage.effect = Normal(1, 0)"], "sd above 0"),
    (["leverage.effect"], "name = prior"),
    (["leverage.effect = Normal(1)"], "2 numbers"),
    (["leverage.effect = Norml(1, 1)"], "Normal"),
    (["leverage.effect = HalfNormal(1)"], "Normal for leverage.effect"),
    (["leverage.effect = Normal(1, 1)", "leverage.effect = Normal(2, 1)"], "two edits of leverage.effect"),
    (["ladder.rise.2 = quantiles(0.1, 0.04, 0.12)"], "rise"),
    (["ladder.rise.2 = quantiles(0.01, 0.04, 1.2)"], "below 1"),
    (["ladder.stay.2 = quantiles(0, 40, 90)"], "above 0"),
    (["drift.half_life = LogNormal(12, 0.6, shift=30)"], "a support that holds 12"),
    (["exposure.delay.4 = LogNormal(4, 0.7, shift=-3)"], "values above 0"),
    (["outside_view.selection = Fixed(1.5)"], "at most 1"),
    (["outside_view.selection = Fixed(0)"], "above 0"),
    (["leverage.weights = Weights(economic=0.5, diplomatic=0.3, security=0.3)"], "sum to 1"),
    (["leverage.weights = Weights(economic=0.5, military=0.5)"], "economic, diplomatic, security"),
    (["leverage.half_life.security = Fixed(-3)"], "above 0"),
    (["readings.weights = Weights(main=0.5, other=0.5)"], "other"),
    (["readings.weights = Weights(main=1)"], "advisers_stayed"),
    (["leverage.effect = Normal(1, -1)", "ladder.rise.9 = Normal(0, 1)"], "2 problems"),
]


@pytest.mark.parametrize(("texts", "said"), BAD, ids=[" ".join(texts) for texts, _ in BAD])
def test_bad_edits_are_refused_with_a_sentence_and_nothing_is_written(
    with_run: Workspace, command: Command, texts: list[str], said: str
) -> None:
    root = with_run.data.parent
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    result = command("priors", "try", *texts, "--workspace", root)
    assert result.exit_code == 3
    assert said in result.stderr
    assert not result.stdout
    assert "Traceback" not in result.stderr
    assert before == {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_the_command_prints_what_an_edit_does(with_run: Workspace, command: Command) -> None:
    edits = ["leverage.effect = Normal(1.3, 0.7)", "leverage.weights = Weights(economic=0.4, diplomatic=0.3, security=0.3)"]
    result = command("priors", "try", *edits, "companion.new-tariff = Gamma(1, 2)", "--workspace", with_run.data.parent)
    assert result.exit_code == 0, result.stderr
    assert f"*{HEADLINE}" in result.stdout
    assert "ccepted" in result.stdout
    assert "new-tariff" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines()), result.stdout


def test_what_changes_words_only_or_needs_a_fit_is_said(with_run: Workspace, command: Command) -> None:
    words = command("priors", "try", "exposure.never.4 = Beta(1, 30)", "--workspace", with_run.data.parent)
    assert "no probability depends on it" in re.sub(r"\s+", " ", words.stdout)
    narrow = "outside_view.widening = Table(rise_low=0, rise_high=0, stay_low=0, stay_high=0)"
    fit = command("priors", "try", narrow, "--workspace", with_run.data.parent)
    assert fit.exit_code == 0
    assert "--refit" in fit.stdout
    known = command("priors", "try", "exposure.delay.4 = LogNormal(12, 0.5)", "--workspace", with_run.data.parent)
    assert "Publicly known within 60 days" in known.stdout


def test_edits_are_read_from_a_file_with_comments(with_run: Workspace, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "edits.txt"
    file.write_text("# two\nleverage.effect = Normal(1.3, 0.7)  # less\n\nladder.just_risen = Normal(2, 1)\n")
    result = command("priors", "try", "--file", file, "--json", "--workspace", with_run.data.parent)
    assert set(json.loads(result.stdout)["edits"]) == {"leverage.effect", "ladder.just_risen"}


def test_what_was_set_since_the_run_is_included(
    workspace: Workspace, with_run: Workspace, arrays: dict[str, Any], report: dict[str, Any], command: Command
) -> None:
    publish(workspace, arrays, report)
    set_, edit = "leverage.effect = Normal(1.5, 0.8)", "ladder.skip_up.3 = quantiles(0.01, 0.05, 0.2)"
    file = workspace.priors / "leverage.toml"
    file.write_text(file.read_text().replace("Normal(1.6, 0.8)", "Normal(1.5, 0.8)"))
    on_top, alone, both = tried(workspace, edit), tried(workspace), tried(with_run, set_, edit)
    assert on_top["questions"] == both["questions"]
    assert alone["questions"] == tried(with_run, set_)["questions"]
    assert on_top["pending"] == {"leverage.effect": {"from": "Normal(1.6, 0.8)", "to": "Normal(1.5, 0.8)"}}
    assert set(on_top["edits"]) == {"ladder.skip_up.3"}
    printed = command("priors", "try", edit, "--workspace", workspace.data.parent)
    assert "Set since that run, and included:" in printed.stdout
    assert set_.replace("leverage.effect = ", "→  ") in printed.stdout
    back = tried(workspace, "leverage.effect = Normal(1.6, 0.8)")
    assert [q["probability"] for q in back["questions"]] == [q["before"] for q in back["questions"]]


@pytest.mark.parametrize(
    "edit",
    [
        "leverage.effect = Normal(1, 1e-200)",
        "leverage.effect = Normal(1e200, 1)",
        "drift.sd = HalfNormal(1e-200)",
        "ladder.skip_up.3 = Beta(1e200, 1e200)",
        "outside_view.selection = Fixed(1e-300)",
        "drift.half_life = LogNormal(1e300, 1)",
        "exposure.delay.4 = LogNormal(10, 1e6)",
        "direct.rate = quantiles(1e-300, 0.5, 0.9999999999999999)",
        "ladder.rise.3 = quantiles(0.04, 0.0400000001, 0.0400000002)",
    ],
)
def test_numbers_that_no_arithmetic_bears_are_refused(with_run: Workspace, command: Command, edit: str) -> None:
    result = command("priors", "try", edit, "--workspace", with_run.data.parent)
    assert result.exit_code == 3, result.stdout
    assert "expected" in result.stderr


@pytest.mark.parametrize(
    "edit",
    [
        "leverage.effect = Normal(1, 0.001)",
        "leverage.effect = Normal(20, 0.001)",
        "leverage.effect = Normal(-20, 20)",
        "drift.sd = HalfNormal(0.001)",
        "drift.sd = HalfNormal(20)",
        "drift.half_life = LogNormal(1e4, 3, shift=3)",
        "drift.half_life = LogNormal(10, 0.001, shift=11.999)",
        "ladder.skip_up.3 = Beta(0.01, 1e4)",
        "ladder.skip_up.3 = Beta(1e4, 1e4)",
        "ladder.stay.2 = quantiles(0.1, 1, 1e4)",
        "ladder.rise.3 = quantiles(1e-6, 0.5, 0.999999)",
        "outside_view.selection = Fixed(0.001)",
        "opposition.house_sd = HalfNormal(0.001)",
        "opposition.walk_sd = HalfNormal(6)",
        "leverage.half_life.security = Fixed(1e4)",
        "leverage.half_life.security = Fixed(0.1)",
        "events.demand = Normal(10, 0.001)",
        "exposure.delay.4 = LogNormal(1e4, 3)",
        "direct.rate = quantiles(1e-6, 0.5, 0.999999)",
        "companion.designation = Gamma(1e4, 0.01)",
        "companion.designation = Gamma(0.01, 1e4)",
        "events.determination = Beta(0.01, 0.01)",
    ],
)
def test_far_out_the_answer_is_refused_but_has_its_numbers(with_run: Workspace, edit: str) -> None:
    found = tried(with_run, edit)
    json.dumps(found, allow_nan=False)
    for q in found["questions"]:
        assert 0 <= q["interval"]["low"] <= q["interval"]["high"] <= 1
        assert all(0 <= q[key] <= 1 for key in ("probability", "prior_probability") if q[key] is not None)


def test_it_refuses_a_run_that_does_not_tell_its_priors(
    workspace: Workspace, arrays: dict[str, Any], report: dict[str, Any], command: Command
) -> None:
    publish(workspace, arrays, report, named=False)
    file = workspace.priors / "leverage.toml"
    file.write_text(file.read_text().replace("Normal(1.6, 0.8)", "Normal(1.5, 0.8)"))
    result = command("priors", "try", "leverage.effect = Normal(1.3, 0.7)", "--workspace", workspace.data.parent)
    assert result.exit_code == 3
    assert "does not name the priors it was made from" in result.stderr


def test_draws_of_an_earlier_version_get_a_sentence(
    workspace: Workspace, arrays: dict[str, Any], report: dict[str, Any], command: Command
) -> None:
    publish(workspace, {name: v for name, v in arrays.items() if not name.startswith(("form", "leverage/", "polls/"))}, report)
    result = command("priors", "try", "leverage.effect = Normal(1.3, 0.7)", "--workspace", workspace.data.parent)
    assert result.exit_code == 3
    assert "another version" in result.stderr
    assert "forecast run --publish" in result.stderr


@pytest.mark.parametrize("name", ["draws.npz", "report.json"])
def test_a_run_that_was_altered_is_not_answered_from(
    workspace: Workspace, arrays: dict[str, Any], report: dict[str, Any], name: str
) -> None:
    publish(workspace, arrays, report)
    path = store.resolve(workspace.reports, "latest") / name
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match=name):
        tried(workspace, "leverage.effect = Normal(1.3, 0.7)")


def test_rises_and_stays_by_quantiles_together_as_another_class_would_have_them(with_run: Workspace) -> None:
    """What the outside view hands over: every prior of the ladder at once."""
    old = prior_forecast().origin_state.priors
    edits = {}
    for name in old:
        if name.startswith(("ladder.rise", "ladder.stay")):
            low, middle, high = (float(q) for q in old.distribution(name).interval())
            edits[name] = parse_prior(
                name, f"quantiles({low * 1.05:.5g}, {middle * 1.05:.5g}, {min(high * 1.05, 0.99 if 'rise' in name else 1e9):.5g})"
            )
    found = try_edits(with_run, edits)
    assert found.how == "reweighted"
    assert np.isfinite(found.headline)
    assert found.headline != found.before


def test_an_edit_of_nothing_that_exists_is_an_error() -> None:
    with pytest.raises(InputError, match="Did you mean"):
        parse_edits(["nothing = Normal(0, 1)"])


@pytest.mark.slow
def test_it_imports_nothing_heavier_than_numpy(with_run: Workspace, tmp_path: Path) -> None:
    edits = ["ladder.just_risen = Normal(2, 1)", "leverage.half_life.security = Fixed(7)", "opposition.house_sd = HalfNormal(0.4)"]
    edits += ["events.backlash = Normal(0.1, 0.3)", "direct.rate = quantiles(0.01, 0.02, 0.05)", "events.determination = Beta(1, 9)"]
    code = (
        f"import sys; from forecast.cli import main; sys.argv = ['forecast', 'priors', 'try', *{edits!r}, '--json', "
        f"'--workspace', {str(with_run.data.parent)!r}]\n"
        "try: main()\n"
        "except SystemExit as e: code = e.code\n"
        "heavy = [m for m in ('scipy', 'numba', 'pydantic', 'pymc', 'arviz', 'pandas', 'xarray', 'jinja2') if m in sys.modules]\n"
        "print(code, heavy, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stderr.strip().splitlines()[-1] == "0 []", done.stderr
