"""Two runs side by side: every kind of difference is told, in a terminal, as Markdown and for a program; nothing heavy is imported."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from forecast import workspace as places
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.inputs import Inputs, load_workspace
from forecast.jobs.diff import diff
from forecast.jobs.run import write_report
from forecast.report.diff_view import render_diff
from forecast.runs import store
from tests.conftest import NOW
from tests.support import fake_sampler
from tests.support.data_editing import add, change
from tests.support.light_runs import plain_runs
from tests.support.prior_forecasts import prior_forecast

type Command = Callable[..., Result]


@pytest.fixture(scope="module", autouse=True)
def _only_numbers() -> Iterator[None]:
    """Of a run its report.json and inputs."""
    with plain_runs(report):
        yield


OTHER: dict[str, Any] = {}
"""What the report of the next run says otherwise than the example's."""


def report(forecast: Forecast, run_id: str, created: datetime) -> dict[str, Any]:
    return fake_sampler.report_document(forecast, run_id, created) | {"questions": fake_sampler.EXAMPLE["questions"]} | OTHER


def of(inputs: Inputs) -> Forecast:
    made = prior_forecast()
    return replace(made, origin_state=replace(made.origin_state, data=inputs.data, priors=inputs.priors))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A workspace and its runs: the second with data, a prior, a version, a diagnostic and a probability changed."""
    root = tmp_path_factory.mktemp("diff") / "workspace"
    places.create_workspace(root)
    before = load_workspace(root, today=NOW.date())
    a = write_report(of(before), root / "reports", NOW, inputs=before).path
    data = root / "data"
    change(data, "overdose_final.csv", lambda row: row["month"] == "2024-03", deaths="4321")
    change(data, "events.csv", lambda row: row["id"] == "A001", description="| other *words* <b>")
    like = {"family": "B", "kind": "threat"}
    for i in range(20):
        cells = {"id": f"B9{i:02d}", "date": "2026-06-20", "published": "2026-06-20", "caused_by": "", "same_act_as": ""}
        add(data, "events.csv", lambda row: like.items() <= row.items(), **cells)
    prior = root / "priors" / "leverage.toml"
    prior.write_text(prior.read_text().replace('"Normal(1.6, 0.8)"', '"Normal(1.5, 0.75)"'))
    after = load_workspace(root, today=NOW.date())
    example = fake_sampler.EXAMPLE
    questions = [q | {"probability": q["probability"] + 0.01} if q["id"] == "reach-4-12m" else q for q in example["questions"]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(OTHER, "questions", questions)
        patch.setitem(OTHER, "versions", example["versions"] | {"numpy": "9.9"})
        patch.setitem(OTHER, "diagnostics", example["diagnostics"] | {"divergences": 3})
        b = write_report(of(after), root / "reports", NOW + timedelta(hours=1), inputs=after).path
    store.publish(root / "reports", b.name)
    return root, a, b


def test_every_kind_of_difference_is_in_the_document(runs: tuple[Path, Path, Path]) -> None:
    _, a, b = runs
    found = diff(a, b)
    rows = found["data"]["rows"]
    assert {(r["file"], r["what"]) for r in rows} == {("events.csv", "changed"), ("events.csv", "added"), ("overdose_final.csv", "changed")}
    deaths = next(r for r in rows if r["file"] == "overdose_final.csv")
    assert deaths["cells"]["deaths"][1] == "4321"
    text = next(r for r in rows if r["key"] == ["A001"])
    assert (text["meaning"], list(text["cells"])) == (False, ["description"])
    assert found["priors"] == {"leverage.effect": ["Normal(1.6, 0.8)", "Normal(1.5, 0.75)"]}
    assert found["code"] == {"model_version": None, "versions": {"numpy": ["2.4.0", "9.9"]}}
    assert found["diagnostics"]["divergences"] == [0, 3]
    assert {q["id"]: q["change"] for q in found["forecast"] if q["change"]} == {"reach-4-12m": pytest.approx(0.01)}
    assert found["lacks"] == []


def test_a_terminal_has_room_for_it(runs: tuple[Path, Path, Path], command: Command) -> None:
    root, a, _ = runs
    result = command("diff", a.name, "latest", "--workspace", root)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "events.csv: 20 added and 1 changed" in lines
    assert "  … and 9 more (--all shows them)" in lines
    assert "leverage.effect: Normal(1.6, 0.8) → Normal(1.5, 0.75)" in lines
    assert "numpy: 2.4.0 → 9.9" in lines
    assert any(line.startswith("reach-4-12m *") and line.endswith("+1.00") for line in lines)
    everything = command("diff", a.name, "latest", "--all", "--workspace", root).stdout
    assert "B919" in everything
    assert "hold-2-6m" in everything


def test_markdown_shows_text_as_it_is(runs: tuple[Path, Path, Path], command: Command) -> None:
    root, a, b = runs
    text = command("diff", a.name, "latest", "--format", "markdown", "--workspace", root).stdout
    assert text.startswith(f"## What differs: {a.name} → {b.name}")
    assert r"\| other \*words\* &lt;b&gt;" in text
    assert "| reach-4-12m \\* |" in text
    assert "<b>" not in text
    for block in text.split("\n\n"):
        if block.startswith("|"):
            cells = {line.replace(r"\|", "").count("|") for line in block.splitlines()}
            assert len(cells) == 1


def test_the_same_run_twice_differs_in_nothing(runs: tuple[Path, Path, Path]) -> None:
    _, _, b = runs
    found = diff(b, b)
    text = render_diff(found, "text")
    assert "Data\nThe same.\n" in text
    assert "Priors\nThe same.\n" in text
    assert "Settings\nThe same.\n" in text
    assert "Code\nThe same.\n" in text


def test_settings_alone_are_told(runs: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """A scenario added, one removed, one changed, one told otherwise, an alternative of the outside view, fewer draws."""
    _, _, b = runs
    root = Path(shutil.copytree(b / "inputs", tmp_path / "workspace"))
    scenarios = root / "data" / "scenarios"
    deal = (scenarios / "trade-deal.toml").read_text()
    (scenarios / "another.toml").write_text(deal)
    (scenarios / "trade-deal.toml").write_text(deal.replace('"threat.economic" = 0.3', '"threat.economic" = 0.4'))
    others = sorted(f for f in scenarios.glob("*.toml") if f.stem not in ("another", "trade-deal"))
    others[0].unlink()
    others[1].write_text(re.sub(r"(?m)^title = .*", 'title = "Another title"', others[1].read_text()))
    alternatives = root / "priors" / "outside_view" / "alternatives.toml"
    alternatives.write_text(alternatives.read_text().replace("0.00328, 0.0205", "0.00329, 0.0205", 1))
    after = load_workspace(root, today=NOW.date())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecast.jobs.input_fingerprint.N_PATHS", 1_000)
        changed = write_report(of(after), tmp_path / "reports", NOW + timedelta(hours=2), inputs=after).path
    found = diff(b, changed)
    assert (found["data"]["rows"], found["priors"], found["same_settings"]) == ([], {}, False)
    assert found["settings"]["scenarios"] == sorted(
        [
            {"name": "another", "what": "added", "fields": [], "meaning": True},
            {"name": others[0].stem, "what": "removed", "fields": [], "meaning": True},
            {"name": others[1].stem, "what": "changed", "fields": ["title"], "meaning": False},
            {"name": "trade-deal", "what": "changed", "fields": ["rates"], "meaning": True},
        ],
        key=lambda s: str(s["name"]),
    )
    assert len(found["settings"]["alternatives"]) == 1
    assert found["settings"]["sampling"] == {"carried.paths": ["2000", "1000"]}
    for form in ("text", "markdown"):
        text = render_diff(found, form)
        assert "scenario another: added" in text
        assert "scenario trade-deal: changed in rates" in text
        assert f"scenario {others[1].stem}: changed in title (text only)" in text
        assert "sampling, carried.paths: 2000 → 1000" in text


def test_a_run_without_its_inputs_is_compared_as_far_as_it_tells(runs: tuple[Path, Path, Path], tmp_path: Path) -> None:
    _, a, b = runs
    bare = write_report(of(load_workspace(b / "inputs", today=NOW.date())), tmp_path, NOW).path
    found = diff(bare, b)
    assert (found["data"], found["same_data"], found["priors"], found["same_priors"]) == (None, True, {}, True)
    assert found["settings"] is None
    text = render_diff(found, "text")
    assert "The same values." in text
    assert f"Run {bare.name} did not keep" in text
    assert "Different; the runs do not record which rows." in render_diff(diff(bare, a), "text")
    assert "| reach-4-12m" in render_diff(diff(bare, a), "markdown")


@pytest.mark.slow
def test_it_imports_nothing_heavy(runs: tuple[Path, Path, Path]) -> None:
    root, a, _ = runs
    words = ["diff", a.name, "latest", "-q", "--workspace", str(root)]
    code = f"import sys; from forecast.cli import main; main({words!r}, standalone_mode=False); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {name.split(".")[0] for name in done.stderr.split()} & {"pymc", "pytensor", "nutpie", "arviz", "xarray", "altair"}
