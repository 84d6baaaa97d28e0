"""`forecast priors sensitivity`: what it prints, that the report says the same, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from forecast.report.models.fit import SensitivitySection
from forecast.report.payload import build
from forecast.reweighting.draws_archive import pack
from forecast.runs import store
from forecast.runs.draws_files import write_draws
from forecast.workspace import Workspace
from tests.fixtures.sensitivity_example import sensitivity_example
from tests.support.prior_forecasts import prior_forecast
from tests.support.sound_reports import sound_report

type Command = Callable[..., Result]

RUN = "20261124T141500Z-abcdef"


@pytest.fixture(scope="module")
def outcome() -> dict[str, Any]:
    return build.sensitivity(prior_forecast()).model_dump()


def write_run(workspace: Workspace, run_id: str, meta: dict[str, Any]) -> None:
    """A run with the draws of `prior_forecast` and a report of the current form."""

    def write(folder: Path) -> None:
        (folder / "report.json").write_text(json.dumps(sound_report(run_id)), encoding="utf-8")
        write_draws(folder, pack(prior_forecast()))

    store.write_run(workspace.reports, run_id, write, meta)


@pytest.fixture
def with_run(workspace: Workspace) -> Workspace:
    """A workspace whose newest run holds the draws of `prior_forecast`."""
    priors = prior_forecast().origin_state.priors
    named = {name: {"spec": str(prior.spec), "revision": "as shipped"} for name, prior in priors.items()}
    meta = {"priors_digest": priors.digest(), "headline": "reach-4-12m", "priors": named}
    write_run(workspace, RUN, meta)
    store.publish(workspace.reports, RUN)
    return workspace


def test_the_example_has_the_form_of_the_schema() -> None:
    SensitivitySection.model_validate(json.loads(json.dumps(sensitivity_example(), allow_nan=False)))


@pytest.mark.slow
def test_the_command_says_what_the_report_says(with_run: Workspace, command: Command, outcome: dict[str, Any]) -> None:
    """Even if the workspace has other priors by now: a run names its own."""
    file = with_run.priors / "leverage.toml"
    file.write_text(file.read_text().replace("Normal(1.6, 0.8)", "Normal(1.5, 0.8)"))
    result = command("priors", "sensitivity", RUN[:20], "--json", "--workspace", with_run.data.parent)
    assert result.exit_code == 0, result.stderr
    message = json.loads(result.stdout)
    assert message.pop("run_id") == RUN
    assert message == json.loads(json.dumps(outcome, allow_nan=False))
    SensitivitySection.model_validate(message)
    assert_fits_a_terminal(outcome)


def test_it_fits_a_terminal() -> None:
    assert_fits_a_terminal(sensitivity_example())


def assert_fits_a_terminal(document: dict[str, Any]) -> None:
    from forecast.cli.sensitivity import sensitivity_lines

    for everything in (False, True):
        text = list(sensitivity_lines({"run_id": RUN, **document}, everything))
        assert max(map(len, text)) <= 80
        assert any(line.startswith("pressure on rises") for line in text)
        assert any("Not scaled" in line for line in text) == everything


@pytest.mark.slow
def test_a_run_that_does_not_name_its_priors_is_refused(with_run: Workspace, command: Command) -> None:
    other = "20261124T151500Z-abcdef"
    meta = {"priors_digest": "0" * 64, "headline": "reach-4-12m"}
    write_run(with_run, other, meta)
    result = command("priors", "sensitivity", other, "--workspace", with_run.data.parent)
    assert result.exit_code == 3
    assert "does not name the priors it was made from" in result.stderr


def test_without_a_run_it_says_so(workspace: Workspace, command: Command) -> None:
    result = command("priors", "sensitivity", "--workspace", workspace.data.parent)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_every_prior_has_few_words_and_those_of_the_report() -> None:
    from forecast.priors.catalogue import CATALOGUE
    from forecast.priors.descriptions import short_label
    from forecast.report.payload.parameters import parameters

    words = {name: short_label(name) for name in CATALOGUE}
    assert max(map(len, words.values())) <= 32
    assert len(set(words.values())) == len(words)
    for row in parameters(prior_forecast()):
        assert words[row.name] == row.words
