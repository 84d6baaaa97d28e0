"""Edited priors answered from draws, against drawing anew: here the draws come from the prior, so both ways are exact but for noise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from forecast.errors import InputError
from forecast.forecasting.archive import pack
from forecast.forecasting.carry import carry_forward
from forecast.forecasting.draws import from_prior
from forecast.forecasting.reweigh import Reweighed, answerable, changed, log_ratio, reweigh
from forecast.jobs.try_prior import parse_edits
from forecast.model.constants import tolerance_priors
from forecast.priors.catalogue import parse_prior
from forecast.runs import store
from forecast.runs.draws import write_draws
from forecast.workspace import Workspace
from tests.forecasts import prior_forecast

type Command = Callable[..., Result]
HEADLINE = "reach-4-12m"


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    return pack(prior_forecast())


def tried(arrays: dict[str, Any], **edits: str) -> Reweighed:
    old = prior_forecast().situation.priors
    new = old.replace({name.replace("__", "."): parse_prior(name.replace("__", "."), text) for name, text in edits.items()})
    return reweigh(arrays, old, new, HEADLINE)


def drawn_anew(**edits: str) -> float:
    """The headline from 4,000 fresh draws of the edited prior."""
    situation = prior_forecast().situation
    new = situation.priors.replace({n.replace("__", "."): parse_prior(n.replace("__", "."), t) for n, t in edits.items()})
    draws = from_prior(tolerance_priors(new), situation.origin, 4_000, np.random.default_rng(8))
    return sum(
        situation.weights[n] * float(carry_forward(situation, draws, prior_forecast().pool, h).reached(4, 12).mean())
        for n, h in situation.histories.items()
    )


def test_without_an_edit_the_answer_is_the_run_itself(arrays: dict[str, Any]) -> None:
    found = tried(arrays)
    for id_, answer in prior_forecast().answers.items():
        if answer.question.level is not None:
            assert found.probability[id_] == pytest.approx(answer.probability, rel=1e-5)
            assert found.before[id_] == pytest.approx(found.probability[id_], rel=1e-12)
            assert found.prior[id_] == pytest.approx(answer.prior, rel=1e-5)


@pytest.mark.parametrize(
    "edits",
    [
        {"leverage__effect": "Normal(1.3, 0.7)"},
        {"ladder__rise__2": "quantiles(0.01, 0.035, 0.11)", "opposition__effect": "Normal(0.3, 0.25)"},
        {"ladder__skip_up__3": "quantiles(0.08, 0.2, 0.37)"},
        {"drift__half_life": "LogNormal(15, 0.6, shift=3)", "administration__sd": "HalfNormal(0.25)"},
        {"outside_view__selection": "Fixed(0.9)"},
    ],
    ids=" ".join,
)
def test_reweighting_agrees_with_drawing_anew(arrays: dict[str, Any], edits: dict[str, str]) -> None:
    found = tried(arrays, **edits)
    assert found.how in ("reweighted", "recomputed")
    exact = drawn_anew(**edits)
    assert abs(found.probability[HEADLINE] - exact) < 4 * np.hypot(found.mcse[HEADLINE], 0.001)


def test_an_edit_far_away_is_refused_but_carries_its_numbers(arrays: dict[str, Any]) -> None:
    found = tried(arrays, leverage__effect="Normal(-3, 0.05)")
    assert not found.accepted
    assert 0 <= found.probability[HEADLINE] <= 1


def test_weights_of_readings_are_recomputed_exactly(arrays: dict[str, Any]) -> None:
    found = tried(arrays, readings__weights="Weights(main=0.2, advisers_stayed=0.6, denials_true=0.1, covert_true=0.1)")
    parts = prior_forecast().headline.by_reading
    exact = 0.2 * parts["main"] + 0.6 * parts["advisers_stayed"] + 0.1 * parts["denials_true"] + 0.1 * parts["covert_true"]
    assert found.probability[HEADLINE] == pytest.approx(exact, rel=1e-5)
    assert found.before[HEADLINE] == pytest.approx(prior_forecast().headline.probability, rel=1e-5)


def test_a_ratio_of_densities_is_that_of_the_specs() -> None:
    old = prior_forecast().situation.priors
    new = old.replace({"leverage.effect": parse_prior("leverage.effect", "Normal(1, 0.5)")})
    draws = prior_forecast().readings["main"].draws
    expected = new.distribution("leverage.effect").logpdf(draws.leverage) - old.distribution("leverage.effect").logpdf(draws.leverage)
    np.testing.assert_allclose(log_ratio(draws, old, new, changed(old, new)), expected)


def test_what_the_draws_cannot_answer_needs_a_refit(arrays: dict[str, Any]) -> None:
    found = tried(arrays, leverage__half_life__security="Fixed(9)")
    assert found.how == "refit"
    assert not found.accepted
    assert not answerable(["opposition.walk_sd"])


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["leverage.efect = Normal(1, 1)"], "leverage.effect"),
        (["leverage.effect = Normal(1, -1)"], "sd"),
        (["leverage.effect"], "name = prior"),
        (["leverage.effect = Normal(1, 1)", "leverage.effect = Normal(2, 1)"], "two edits"),
    ],
)
def test_bad_edits_are_refused_with_a_sentence(texts: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_edits(texts)


@pytest.fixture
def with_run(workspace: Workspace, arrays: dict[str, Any]) -> Workspace:
    """A workspace whose newest run holds these draws."""
    priors = prior_forecast().situation.priors
    meta = {"priors_digest": priors.digest(), "headline": HEADLINE, "probabilities": {}}
    store.write_run(workspace.reports, "20261124T141500Z-abcdef", lambda folder: write_draws(folder, arrays), meta)
    store.publish(workspace.reports, "20261124T141500Z-abcdef")
    return workspace


def test_the_command_prints_what_an_edit_does(with_run: Workspace, command: Command) -> None:
    result = command("priors", "try", "leverage.effect = Normal(1.3, 0.7)", "--workspace", with_run.data.parent)
    assert result.exit_code == 0, result.stderr
    assert HEADLINE in result.stdout
    assert "ccepted" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines() if "→" not in line)


def test_it_refuses_a_run_made_from_other_priors(with_run: Workspace, command: Command) -> None:
    file = with_run.priors / "leverage.toml"
    file.write_text(file.read_text().replace("Normal(1.6, 0.8)", "Normal(1.5, 0.8)"))
    result = command("priors", "try", "leverage.effect = Normal(1.3, 0.7)", "--workspace", with_run.data.parent)
    assert result.exit_code == 3
    assert "other priors" in result.stderr


def test_it_imports_nothing_heavier_than_numpy(with_run: Workspace, tmp_path: Path) -> None:
    code = (
        "import sys; from forecast.cli import main; sys.argv = ['forecast', 'priors', 'try', 'ladder.fresh = Normal(2, 1)', '--json', "
        f"'--workspace', {str(with_run.data.parent)!r}]\n"
        "try: main()\n"
        "except SystemExit as e: code = e.code\n"
        "heavy = [m for m in ('scipy', 'pydantic', 'pymc', 'arviz', 'xarray', 'jinja2', 'altair') if m in sys.modules]\n"
        "print(code, heavy, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stderr.strip().splitlines()[-1] == "0 []", done.stderr
