"""The main job for real: the command as a user runs it, twice with one seed, on the bundled data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forecast import workspace as places
from forecast.runs import store
from tests.support.prior_forecasts import prior_forecast

pytestmark = pytest.mark.slow

TRIED = 0.081
"""The headline of the prototype this model was built from; the docs say what lies between."""


def run(root: Path) -> dict[str, Any]:
    words = [sys.executable, "-m", "forecast", "run", "--json", "-q", "--workspace", str(root)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONHASHSEED": "random"})
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real") / "workspace"
    places.create_workspace(folder)
    return folder


@pytest.fixture(scope="module")
def report(root: Path) -> dict[str, Any]:
    return run(root)


def test_the_gate_passes_without_a_divergence(report: dict[str, Any]) -> None:
    d = report["diagnostics"]
    assert d["status"] == "pass"
    assert d["divergences"] == 0
    assert d["rhat_max"] < 1.01
    assert min(d["ess_bulk_min"], d["ess_tail_min"]) >= 400
    assert set(d["by_reading"]) == {"main", "advisers_stayed", "denials_true", "covert_true"}


def test_the_headline_is_where_the_prototype_was_and_above_its_prior(report: dict[str, Any]) -> None:
    q = next(q for q in report["questions"] if q["id"] == report["headline"])
    assert TRIED / 1.5 < q["probability"] < TRIED * 1.5
    assert q["prior_probability"] < q["probability"]
    assert q["mcse"] < 0.05 * q["probability"]
    by = q["by_reading"]
    assert by["denials_true"] < by["main"] < by["covert_true"]
    assert by["main"] < by["advisers_stayed"]


def test_the_disputed_act_carries_what_the_record_says_of_pressure(report: dict[str, Any]) -> None:
    rows = {row["group"]: row["probability"] for row in report["multiverse"] if row["group"] in ("as published", "disputed act")}
    assert rows["disputed act"] < 0.75 * rows["as published"]


def test_scenarios_point_the_right_way(report: dict[str, Any]) -> None:
    found = {s["name"]: s for s in report["scenarios"]}
    assert found["escalating-tariffs"]["difference"] > 2 * found["escalating-tariffs"]["mcse"]
    assert found["concessions-deemed-sufficient"]["difference"] < -2 * found["concessions-deemed-sufficient"]["mcse"]
    baseline = next(q["probability"] for q in report["questions"] if q["id"] == report["headline"])
    assert all(s["baseline"] == pytest.approx(baseline, abs=1e-12) for s in found.values())


def test_directions_hold_in_nearly_every_draw(report: dict[str, Any]) -> None:
    assert report["directions"]["share_leverage_up"] >= 0.99
    assert report["directions"]["share_opposition_down"] >= 0.99


def test_the_published_run_verifies_and_its_draws_answer_for_it(root: Path, report: dict[str, Any]) -> None:
    assert store.latest(root / "reports") == root / "reports" / report["run_id"]
    words = [sys.executable, "-m", "forecast", "priors", "try", "ladder.just_risen = Normal(2.5, 1)", "--json", "--workspace", str(root)]
    tried = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    before = {q["id"]: q["before"] for q in tried["questions"]}
    for q in report["questions"]:
        if q["level"] is not None:
            assert before[q["id"]] == pytest.approx(q["probability"], rel=1e-5)
    assert set(before) == set(prior_forecast().answers)


def test_the_same_seed_gives_the_same_report_but_for_its_name_and_time(root: Path, report: dict[str, Any]) -> None:
    again = run(root)
    assert again["run_id"] != report["run_id"]
    for changing in ("run_id", "created", "moved", "past_performance"):  # the first was published, being the first; the second follows it
        again[changing] = report[changing]
    assert again == report
