"""A published run to be damaged and sealed again, and what every command that reads runs must say of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from numpy.typing import NDArray

from forecast import workspace as places
from forecast.reweighting.draws_archive import pack
from forecast.runs import manifest, store
from forecast.runs.draws_files import write_draws, write_posterior
from tests.support.prior_forecasts import prior_forecast
from tests.support.sound_reports import question_rows, sound_report

type Command = Callable[..., Result]
type Arrays = dict[str, NDArray[Any]]

RUN = "20261124T120000Z-ab12cd"
EDIT = "leverage.effect = Normal(1.2, 0.5)"
READERS: Mapping[str, tuple[str, ...]] = {
    "report": ("report", "latest"),
    "report as html": ("report", "latest", "--format", "html"),
    "report as markdown": ("report", "latest", "--format", "markdown"),
    "report as JSON": ("report", "latest", "--json"),
    "explain": ("explain", RUN, RUN),
    "diff": ("diff", RUN, RUN),
    "scenario list": ("scenario", "list"),
    "priors try": ("priors", "try", EDIT),
    "runs verify": ("runs", "verify"),
    "runs publish": ("runs", "publish", RUN),
    "refit": ("refit",),
}


def mostly_slow(names: Iterable[str], *quick: str) -> list[Any]:
    """Names as parameters; all but the quick ones are left to the slow tests."""
    return [pytest.param(name, marks=[] if name in quick else [pytest.mark.slow]) for name in names]


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    return pack(prior_forecast())


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    rows: dict[str, Any] = json.loads(json.dumps(sound_report(RUN, questions=question_rows(prior_forecast()))))
    return rows


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, arrays: Arrays, report: dict[str, Any]) -> places.Workspace:
    """A workspace with a published run of which all is sound. Nobody may change it."""
    where = places.create_workspace(tmp_path_factory.mktemp("original") / "workspace")
    priors = prior_forecast().origin_state.priors

    def write(folder: Path) -> None:
        (folder / "report.json").write_text(json.dumps(report))
        write_draws(folder, arrays)
        write_posterior(folder, {name: made.posterior for name, made in prior_forecast().readings.items()})

    meta = {
        "priors_digest": priors.digest(), "headline": report["headline"], "probability": 0.06, "data_digest": "0" * 64, "seed": 7,
        "priors": {name: {"spec": str(prior.spec), "revision": "as shipped"} for name, prior in priors.items()},
        "ledger": {"entries": 0, "digest": ""}, "follows": None, "decision": {"kind": "run", "reason": "asked for", "seconds": 1.0},
    }  # fmt: skip
    store.write_run(where.reports, RUN, write, meta)
    store.publish(where.reports, RUN)
    return where


@pytest.fixture
def damaged(original: places.Workspace, tmp_path: Path) -> places.Workspace:
    """A copy to be damaged."""
    root = tmp_path / "workspace"
    shutil.copytree(original.data.parent, root, symlinks=True)
    return places.Workspace(root / "data", root / "priors", root / "reports", "copied")


def seal_again(reports: Path, meta: Mapping[str, Any] | None = None) -> None:
    """A right manifest over what the run holds now, with this meta in place of its own."""
    run = reports / RUN
    noted = manifest.read_manifest(run).meta if meta is None else meta
    (run / manifest.NAME).unlink()
    manifest.seal(run, RUN, noted)


def refused(command: Command, where: places.Workspace, readers: Mapping[str, tuple[str, ...]] = READERS) -> None:
    """Every reader ends with exit code 7 and a sentence, `status` with 8, and `runs list` shows the damage."""
    root = where.data.parent
    for name, words in readers.items():
        result = command("--workspace", root, *words)
        assert result.exit_code == 7, (name, result.stdout, result.stderr)
        assert "Unexpected" not in result.stderr
        assert RUN in result.stderr or "latest" in result.stderr, name
    result = command("--workspace", root, "status")
    assert result.exit_code == 8, result.stdout
    assert "Unexpected" not in result.stderr
