"""`reports/index.html` and `runs list`: what the manifests tell of the runs, which were published, and what was new in each."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from forecast.jobs.index import changed, entries, write_index
from forecast.report.figures.run_history import GAP, MAX_RUNS, apart, headlines_chart
from forecast.report.figures.svg_export import WIDTH
from forecast.report.run_index import RunSummary
from forecast.runs import store

type Command = Callable[..., Result]

START = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
PRIORS = {"leverage.effect": "Normal(1.6, 0.8)", "ladder.just_risen": "Normal(2.5, 1.1)"}


def told(probability: float = 0.06, priors: Mapping[str, str] = PRIORS, **other: Any) -> dict[str, Any]:
    """What a manifest says of a run."""
    return {
        "origin": "2026-06",
        "as_of": None,
        "model_version": "1",
        "data_digest": "d1",
        "priors_digest": str(sorted(priors.items())),
        "settings_digest": "s1",
        "headline": "reach-4-12m",
        "probability": probability,
        "interval": {"prob": 0.8, "low": probability / 10, "high": min(2 * probability, 1.0)},
        "gate": "pass",
        "priors": {name: {"spec": spec, "revision": "as shipped"} for name, spec in priors.items()},
        "decision": {"kind": "refitted", "reason": "new data", "seconds": 140.0},
        "follows": None,
        "ledger": {"entries": 0, "digest": ""},
    } | other


def written(reports: Path, *metas: dict[str, Any], publish: bool = True) -> list[str]:
    """Runs a day apart, each published after the one before it unless its meta says otherwise."""
    ids: list[str] = []
    for i, meta in enumerate(metas):
        run_id = store.new_run_id(START + timedelta(days=i), f"{i:06x}")
        follows = next((r.run_id for r in store.list_runs(reports) if r.latest), None) if publish else None
        store.write_run(reports, run_id, lambda folder: (folder / "report.html").write_text("report") and None, {"follows": follows} | meta)
        if publish and meta.get("as_of") is None:
            store.publish(reports, run_id)
        ids.append(run_id)
    return ids


def linked(*metas: dict[str, Any]) -> list[dict[str, Any]]:
    """Metas whose `follows` the writing fills in."""
    return [{k: v for k, v in meta.items() if k != "follows"} for meta in metas]


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def damage(run: Path) -> None:
    path = run / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace("pass", "fail"), encoding="utf-8")


def test_every_run_is_listed_with_what_was_new(reports: Path) -> None:
    edited = {**PRIORS, "leverage.effect": "Normal(0.8, 0.3)"}
    metas = linked(
        told(), told(0.05, edited), told(0.05, edited, as_of="2025-03-31"), told(0.07, edited, data_digest="d2", origin="2026-07")
    )
    ids = written(reports, *metas)
    found = entries(reports)
    assert [e.run_id for e in found] == ids
    assert [e.published for e in found] == [True, True, False, True]
    assert [e.latest for e in found] == [False, False, False, True]
    assert [c.words for c in found[1].changes] == ["prior leverage.effect Normal(1.6, 0.8) → Normal(0.8, 0.3)"]
    assert [c.kind for c in found[3].changes] == ["data"]
    assert found[3].changes[0].words == "new data, the origin moves to July 2026"
    assert not found[0].changes
    page = write_index(reports, NOW).read_text(encoding="utf-8")
    assert page.index(ids[3]) < page.index(ids[2]) < page.index(ids[0])
    for run_id in ids:
        assert f'href="{run_id}/report.html"' in page
        assert (reports / run_id / "report.html").is_file()
    for words in (
        "leverage.effect Normal(1.6, 0.8) → Normal(0.8, 0.3)",
        "July 2026",
        "7\u00a0% (0.7–",
        "as of 31 March 2025",
        "Not published",
    ):
        assert words in page


def test_the_page_depends_on_the_runs_and_on_the_day_only_for_staleness(reports: Path) -> None:
    written(reports, *linked(told(), told(0.05)))
    first = write_index(reports, NOW).read_text(encoding="utf-8")
    assert write_index(reports, NOW + timedelta(days=5)).read_text(encoding="utf-8") == first
    assert "stale" not in first
    late = write_index(reports, NOW + timedelta(days=60)).read_text(encoding="utf-8")
    assert "The published forecast is stale" in late
    assert re.sub(r"<p class=\"banner\">.*?</p>", "", late) == first


def test_nothing_comes_from_the_network_and_nothing_typed_becomes_markup(reports: Path) -> None:
    written(reports, told(decision={"kind": "run", "reason": "<script>alert(1)</script>"}))
    page = write_index(reports, NOW).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert {a for a in re.findall(r'(?:href|src)="([^"]*)"', page) if not re.fullmatch(r"[0-9TZa-f-]+/report\.html", a)} == set()
    assert not re.findall(r"https?://(?!www\.w3\.org)", page)


def test_an_empty_store_and_one_without_a_published_run_have_a_page(reports: Path) -> None:
    reports.mkdir()
    assert "No forecast has been published yet" in write_index(reports, NOW).read_text(encoding="utf-8")
    written(reports, told(), publish=False)
    page = write_index(reports, NOW).read_text(encoding="utf-8")
    assert "No forecast has been published yet" in page
    assert "<svg" not in page
    assert "1 run kept" in page


def test_manifests_of_older_versions_are_read(reports: Path) -> None:
    """Nothing at all, and what a run had before it named the one it follows."""
    older = {k: v for k, v in told().items() if k not in ("follows", "decision", "settings_digest", "priors")}
    first, second, third = written(reports, {}, older, *linked(told(0.05, {**PRIORS, "ladder.just_risen": "Normal(2, 1)"})))
    found = {e.run_id: e for e in entries(reports)}
    assert found[first].probability is None
    assert found[second].decision is None
    assert [c.words for c in found[third].changes] == ["other priors"]
    assert found[second].published
    assert third in write_index(reports, NOW).read_text(encoding="utf-8")


def test_what_a_manifest_does_not_tell_counts_as_the_same() -> None:
    assert changed({}, told()) == changed(told(), {}) == changed({}, {}) == ()
    assert [c.kind for c in changed(told(), told(model_version="2", settings_digest="s2"))] == ["model", "settings"]
    many = {f"ladder.stay.{j}": "quantiles(1, 2, 3)" for j in range(1, 6)}
    (change,) = changed(told(priors=many), told(priors=dict.fromkeys(many, "quantiles(1, 2, 4)")))
    assert change.words == "5 priors: ladder.stay.1, ladder.stay.2, ladder.stay.3, ladder.stay.4 and ladder.stay.5"


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_damaged_run_is_listed_as_damaged_and_the_rest_stands(reports: Path, which: int) -> None:
    ids = written(reports, *linked(told(), told(), told(0.05)))
    damage(reports / ids[which])
    found = {e.run_id: e for e in entries(reports)}
    damaged = found[ids[which]].damage
    assert damaged
    assert str(reports) not in damaged
    sound = [i for i in ids if i != ids[which]]
    assert [found[i].damage for i in sound] == [None, None]
    page = write_index(reports, NOW).read_text(encoding="utf-8")
    assert page.count("Damaged.") == 1
    assert all(i in page for i in ids)
    assert found[sound[-1]].published  # the chain goes on around it


def test_the_chain_goes_on_where_a_run_was_pruned(reports: Path) -> None:
    """Around what was not written for publishing, back to the first."""
    other = told(as_of="2025-03-31", ledger=None)
    ids = written(reports, *linked(told(), other, told(), told(), told()))
    (reports / ids[3] / "manifest.json").unlink()
    (reports / ids[3] / "report.html").unlink()
    (reports / ids[3]).rmdir()
    assert [e.published for e in entries(reports)] == [True, False, True, True]


def test_the_first_run_is_found_where_the_second_is_damaged(reports: Path) -> None:
    ids = written(reports, *linked(told(), told(), told()))
    damage(reports / ids[1])
    assert [e.published for e in entries(reports)] == [True, False, True]


def test_runs_that_name_each_other_do_not_hang(reports: Path) -> None:
    first = store.new_run_id(START, "000000")
    second = store.new_run_id(START + timedelta(days=1), "000001")
    written(reports, told(follows=second), told(follows=first))
    assert [e.published for e in entries(reports)] == [True, True]


@given(st.lists(st.integers(0, 10_000_000), min_size=2, max_size=49))
def test_runs_in_the_chart_stay_apart_and_inside(seconds: list[int]) -> None:
    times = [START + timedelta(seconds=s) for s in sorted(seconds)][-MAX_RUNS:]
    width = WIDTH - 92
    places = apart(times, width)
    assert all(b - a >= GAP - 1e-6 for a, b in itertools.pairwise(places))
    assert places[0] >= -1e-6
    assert places[-1] <= width


def test_far_apart_runs_stand_true_to_time() -> None:
    times = [START, START + timedelta(days=30), START + timedelta(days=120)]
    assert apart(times, 400.0) == pytest.approx([0, 100, 400])


@pytest.mark.parametrize("n", [1, 80])
def test_the_chart_is_valid_vega_lite(n: int) -> None:
    new = changed(told(), told(data_digest="d2"))
    times = [START + timedelta(hours=i**3) for i in range(n)]
    made = [RunSummary(str(t), t, published=True, probability=0.05, interval=(0.01, 0.1), changes=new) for t in times]
    headlines_chart(made).to_dict(validate=True)


def test_runs_list_fits_80_columns_and_names_what_is_known(reports: Path, tmp_path: Path, command: Command) -> None:
    ids = written(reports, *linked(told(decision={"kind": "reweighted"}), told(0.9994), told(as_of="2025-03-31"), told()))
    damage(reports / ids[0])
    for name in ("data", "priors"):
        (tmp_path / name).mkdir()
    lines = command("runs", "list").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == [ids[3], "2026-06", "6", "%", "(0.6–12", "%)", "refitted", "latest"]
    assert lines[2].endswith("no")
    assert lines[3].endswith("yes")
    assert "damaged" in lines[4]
    document = json.loads(command("runs", "list", "--json").stdout)
    assert [d["published"] for d in document][:3] == [True, False, True]
    assert document[0]["interval"]["high"] == pytest.approx(0.12)
    assert document[3]["damage"]


def test_prune_writes_the_index(reports: Path, tmp_path: Path, command: Command) -> None:
    ids = written(reports, *linked(told()), told(), *linked(told()))  # the first is followed by none
    for name in ("data", "priors"):
        (tmp_path / name).mkdir()
    assert command("runs", "prune", "--keep", "2").exit_code == 0
    page = (reports / "index.html").read_text(encoding="utf-8")
    assert ids[0] not in page
    assert ids[1] in page
