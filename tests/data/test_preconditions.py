"""What the models need is checked as data: what is missing is exit 3 before any fit, and `data check` says the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from forecast import workspace as places
from forecast.data.as_of import as_of_now
from forecast.data.fingerprint import data_digest
from forecast.data.problems import sorted_problems
from forecast.data.read import read_data
from forecast.domain import month
from forecast.errors import InputError
from forecast.forecasting import origin_state
from forecast.forecasting.driver_simulation import HORIZON
from forecast.forecasting.inputs import load_workspace
from forecast.forecasting.preconditions import rows_left_out, unmet_preconditions
from forecast.forecasting.scenarios.specification import FOLDER
from forecast.forecasting.scenarios.template import create_scenario_file
from forecast.jobs.data.check import check_workspace
from forecast.model.tolerance_data import ADMINISTRATIONS, in_office
from tests.conftest import NOW
from tests.support.data_editing import BUNDLED, add, change, rows_of, write_rows

type Command = Callable[..., Result]
type Edit = Callable[[Path], object]

TODAY = NOW.date()


def every(file: str, which: Callable[[Mapping[str, str]], bool], **cells: str) -> Edit:
    """Set cells of all rows that are like that."""

    def edit(data: Path) -> None:
        write_rows(data / file, [{**row, **cells} if which(row) else row for row in rows_of(data / file)])

    return edit


def only(file: str, which: Callable[[Mapping[str, str]], bool]) -> Edit:
    def edit(data: Path) -> None:
        write_rows(data / file, [row for row in rows_of(data / file) if which(row)])

    return edit


def text(file: str, old: str, new: str) -> Edit:
    def edit(data: Path) -> None:
        path = data / file
        assert old in path.read_text(encoding="utf-8")
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    return edit


def both(*edits: Edit) -> Edit:
    return lambda data: [edit(data) for edit in edits]


def through(file: str, before: str, after: str) -> Edit:
    """Cover a file to another day."""
    return text("coverage.toml", f'["{file}"]\ncovered_through = {before}', f'["{file}"]\ncovered_through = {after}')


def SHEINBAUM(row: Mapping[str, str]) -> bool:  # a constant among the edits
    return row["name"] == "Sheinbaum"


UNMET: dict[str, tuple[Edit, str, str]] = {
    "no usable poll": (every("polls.csv", lambda r: True, use="no", why_not="not now"), "polls.csv", "no usable poll"),
    "no poll of a wording that is modelled": (every("polls.csv", lambda r: True, wording="other"), "polls.csv", "no usable poll"),
    "no deaths": (
        both(
            only("overdose_final.csv", lambda r: r["month"] < "2005"),
            only("overdose_releases.csv", lambda r: r["indicator"] == "all_drugs"),
        ),
        "overdose_final.csv",
        "no deaths with synthetic opioids",
    ),
    "a Mexican term that ends early": (
        every("administrations.csv", SHEINBAUM, end="2025-05"),
        "administrations.csv",
        "no administration of Mexico for 13 months from 2025-06 to 2026-06",
    ),
    "a US term that ends early": (
        every("administrations.csv", lambda r: r["name"] == "Trump II", end="2026-05"),
        "administrations.csv",
        "no administration of US for 2026-06",
    ),
    "a US term that is missing": (
        only("administrations.csv", lambda r: r["name"] != "Trump II"),
        "administrations.csv",
        "no administration of US for 17 months from 2025-02 to 2026-06",
    ),
    "too many terms": (
        lambda data: [
            add(data, "administrations.csv", SHEINBAUM, name=f"Term {n}", start=f"{2030 + n}-10", end=f"{2031 + n}-09")
            for n in range(3)
        ],
        "administrations.csv",
        "8 administrations of Mexico",
    ),
    "too short a record": (through("events.csv", "2026-06-30", "2006-05-31"), "", "2006-05-31"),
    "an unknown headline": (text("questions.toml", '"reach-4-12m"', '"reach-4-9m"'), "questions.toml", "Did you mean"),
    "a headline that is no level reached": (text("questions.toml", '"reach-4-12m"', '"hold-4-12m"'), "questions.toml", "'hold-4-12m'"),
    "a companion nobody answers": (
        text("questions.toml", "[companion.new-tariff]", "[companion.new-tarif]"),
        "questions.toml",
        "Did you mean 'new-tariff'?",
    ),
    "a companion of another kind": (
        text("questions.toml", '[companion.new-tariff]\nkind = "count"', '[companion.new-tariff]\nkind = "event"'),
        "questions.toml",
        "expected count",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNMET)
def test_what_is_missing_is_refused_before_a_fit_and_named(name: str, workspace: places.Workspace, command: Command) -> None:
    edit, file, words = UNMET[name]
    edit(workspace.data)
    root = workspace.data.parent
    with pytest.raises(InputError) as refused:
        load_workspace(workspace, today=TODAY)
    assert refused.value.problems
    assert any(words in str(p) and p.file.startswith(file) for p in refused.value.problems), refused.value.problems
    checked = command("data", "check", "--json", "--workspace", root)
    assert checked.exit_code == 3
    assert [p["found"] for p in json.loads(checked.stdout)["errors"]] == [p.found for p in sorted_problems(refused.value.problems)]
    run = command("run", "-q", "--workspace", root)
    assert run.exit_code == 3
    assert words in " ".join(run.stderr.split())
    assert not (workspace.reports / "latest").exists()


@pytest.mark.parametrize("day", [date(2006, 12, 31), date(2009, 1, 31), date(2013, 6, 15), date(2018, 11, 30), date(2025, 1, 31), TODAY])
def test_every_day_of_the_bundled_record_has_what_the_models_need(day: date, bundled: places.Workspace) -> None:
    inputs = load_workspace(bundled, as_of=day)
    assert unmet_preconditions(inputs.data) == []


def test_unknown_terms_are_numbered_after_all_known_ones() -> None:
    data = as_of_now(read_data(BUNDLED), TODAY)
    known = sum(row.country == "Mexico" for row in data.administrations)
    months = month("2030-08"), month("2030-12")
    assert in_office(data.administrations, "Mexico", *months).tolist() == [known - 1, known - 1, known, known, known]
    assert in_office(data.administrations, "Mexico", month("2040-01"), month("2040-01")).tolist() == [known]
    assert known < ADMINISTRATIONS


@pytest.mark.slow
def test_a_term_that_ends_at_the_origin_leaves_the_future_to_someone_unknown(workspace: places.Workspace) -> None:
    """Neither to the second president of the list, nor, of the rates of events, to the US administration that has left."""
    every("administrations.csv", lambda r: r["name"] in ("Sheinbaum", "Trump II"), end="2026-06")(workspace.data)
    inputs = load_workspace(workspace, today=TODAY)
    plan = origin_state.build_origin_state(inputs.data, inputs.priors, 3)
    assert plan.drivers.administration[-1] == 4
    assert np.array_equal(plan.administrations, np.full(HORIZON, 5))
    assert plan.future.new_us_rates_from == 1


LEFT_OUT: dict[str, tuple[Edit, str]] = {
    "a poll after the origin": (
        both(
            through("polls.csv", "2026-06-30", "2026-08-31"),
            lambda data: add(
                data, "polls.csv", lambda r: r["use"] == "yes" and r["wording"] == "agents",
                poll_id="late", field_start="2026-07-03", field_end="2026-07-05", published="2026-07-10", published_basis="source",
            ),
        ),
        "polls.csv, column field_end: found late; expected months to the origin, 2026-06",
    ),
    "a poll before the first that is modelled": (
        lambda data: change(data, "polls.csv", lambda r: r["poll_id"] == "pew-2002:us", field_start="1998", field_end="1999"),
        "polls.csv, column field_end: found pew-2002:us; expected field work from 2000-01 on",
    ),
    "totals after the origin": (
        both(
            through("overdose_releases.csv", "2026-06-27", "2026-11-20"),
            lambda data: [
                add(
                    data, "overdose_releases.csv", lambda r: (r["published"], r["period_end"]) == ("2026-06-27", "2026-01"),
                    published="2026-11-20", period_end=f"2026-{m:02d}",
                )
                for m in (7, 8)
            ],
        ),
        "overdose_releases.csv, column period_end: found 2026-11-20 2026-07 synthetic_opioids and 1 more rows",
    ),
    "an event after the origin": (
        both(
            through("events.csv", "2026-06-30", "2026-07-15"),
            lambda data: add(
                data, "events.csv", lambda r: r["id"] == "C042",
                id="C999", date="2026-07-04", published="2026-07-05", caused_by="", same_act_as="",
            ),
        ),
        "events.csv, column date: found C999",
    ),
    "a row published later": (
        lambda data: change(data, "polls.csv", lambda r: r["poll_id"] == "pew-2002:us", published="2062-05-20"),
        "published: found 2062-05-20",
    ),
    "a scenario that is still the template": (
        lambda data: create_scenario_file(data / FOLDER / "mine.toml"),
        "mine.toml, column title: found the title of the template; the scenario is not run",
    ),
    "a condition that no path meets": (
        text(f"{FOLDER}/pressure-eases.toml", "below = 1.1", "below = 0.1"),
        "pressure-eases.toml, column condition: found a condition that",
    ),
    "opposition beyond its range": (
        lambda data: (data / FOLDER / "all-opposed.toml").write_text(
            'title = "All"\nkind = "intervened"\nstory = "All."\nassumptions = ["x"]\n[opposition]\npoints = 45\n'
        ),
        "all-opposed.toml, column opposition.points",
    ),
}  # fmt: skip


@pytest.mark.usefixtures("bundled_drivers")
@pytest.mark.parametrize("name", LEFT_OUT)
def test_whatever_a_run_leaves_out_is_named_by_data_check(name: str, workspace: places.Workspace) -> None:
    edit, words = LEFT_OUT[name]
    edit(workspace.data)
    checked = check_workspace(workspace, TODAY)
    result = [str(p) for p in checked.odd]
    assert any(words in output for output in result), result
    assert {p.severity for p in checked.odd} == {"warning"}
    assert {str(p) for p in load_workspace(workspace, today=TODAY).data.warnings} <= set(result)
    assert {str(p) for p in rows_left_out(checked.data)} <= set(result)


REFUSED: dict[str, tuple[str, Edit]] = {
    "readings that differ": ("readings.toml", text("../priors/readings.toml", "denials_true", "denials_tru")),
    "a prior": ("leverage.toml", text("../priors/leverage.toml", "Normal(1.6, 0.8)", "Normal(1.6, -0.8)")),
    "a scenario": ("refusal.toml", text(f"{FOLDER}/refusal.toml", 'kind = "intervened"', 'kind = "intervend"')),
    "a row": ("polls.csv", lambda data: change(data, "polls.csv", lambda r: True, n="0")),
}


@pytest.mark.usefixtures("bundled_drivers")
def test_nothing_of_the_bundled_data_is_left_out(bundled: places.Workspace) -> None:
    assert check_workspace(bundled, TODAY).odd == ()


@pytest.mark.parametrize("name", REFUSED)
def test_whatever_a_run_refuses_is_named_by_data_check(name: str, workspace: places.Workspace) -> None:
    file, edit = REFUSED[name]
    edit(workspace.data)
    with pytest.raises(InputError) as run:
        load_workspace(workspace, today=TODAY)
    with pytest.raises(InputError) as check:
        check_workspace(workspace, TODAY)
    assert run.value.problems == check.value.problems
    assert file in {p.file for p in check.value.problems}


def test_a_template_is_run_by_no_command(workspace: places.Workspace, command: Command) -> None:
    root = workspace.data.parent
    assert command("scenario", "new", "mine", "--workspace", root).exit_code == 0
    assert "mine" not in {s.name for s in load_workspace(workspace, today=TODAY).scenarios}
    named = command("scenario", "run", "mine", "--workspace", root)
    assert named.exit_code == 3
    assert "the title of the template" in named.stderr
    listed = command("scenario", "list", "--workspace", root)
    assert listed.exit_code == 0
    assert "the title of the template" in listed.stderr
    path = workspace.data / FOLDER / "mine.toml"
    messages = path.read_text()
    path.write_text(messages.replace("What happens, in a few words", "My own"))
    assert "mine" not in {s.name for s in load_workspace(workspace, today=TODAY).scenarios}, "the story is still the template's"
    path.write_text(
        re.sub(r'story = """.*?"""', 'story = "Mine."', messages.replace("What happens, in a few words", "My own"), flags=re.DOTALL)
    )
    assert "mine" in {s.name for s in load_workspace(workspace, today=TODAY).scenarios}


def test_the_check_counts_what_a_forecast_reads(workspace: places.Workspace, command: Command) -> None:
    data: Any = load_workspace(workspace, today=TODAY).data
    document = json.loads(command("data", "check", "--json", "--workspace", workspace.data.parent).stdout)
    assert document["data_digest"] == data_digest(data)
