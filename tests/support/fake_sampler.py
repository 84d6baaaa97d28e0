"""`forecast` with a sampler that draws from the prior at once, and an invented report: for tests of what goes on around a fit.

Everything else is the real command: it reads, decides, fits and examines, locks, writes and publishes. Importing this module replaces
nothing; `stub` does, in its own process, and the installed command cannot. As a script it takes the name of a sampler and then the
command's own words: `python -m tests.support.fake_sampler sleepy refit --workspace DIR`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import forecast.jobs.explain
import forecast.jobs.index
import forecast.jobs.questions.freeze
import forecast.jobs.refit.refit
from forecast.cli import main
from forecast.data.fingerprint import data_digest
from forecast.domain import is_stale, month_text
from forecast.forecasting import fit_readings
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import from_prior
from forecast.inference.settings import SamplerSettings
from forecast.jobs import run
from forecast.model.tolerance_data import MODEL_VERSION, TolerancePriors
from forecast.report import run_index
from forecast.report.figures import catalogue
from forecast.report.models.report import Report
from forecast.report.payload.provenance import diagnostics
from tests.fixtures.report_example import as_report, report_example
from tests.support.prior_forecasts import as_tree

EXAMPLE = report_example()

type Spoil = Callable[[xr.DataTree], None]


@dataclass
class FromPrior:
    """Draws from the prior in place of the posterior, spoilt by `spoil`."""

    origin_state: OriginState
    constants: TolerancePriors
    spoil: Spoil

    def __call__(
        self, data: Mapping[str, Any], seed: int, settings: SamplerSettings = SamplerSettings(), report: object = None
    ) -> xr.DataTree:
        rng = np.random.default_rng(seed)
        tree = as_tree(from_prior(self.constants, self.origin_state.origin, settings.chains * settings.draws, rng))
        tree["sample_stats/energy"] = xr.DataArray(rng.normal(size=(settings.chains, settings.draws)), dims=("chain", "draw"))
        tree.attrs["completed"] = True
        self.spoil(tree)
        return tree


def _leave(tree: xr.DataTree) -> None:
    """A sampler that is well."""


def _poison(tree: xr.DataTree) -> None:
    tree["posterior/leverage_effect"][2, 17] = np.nan


def _stop(tree: xr.DataTree) -> None:
    tree.attrs["completed"] = False


def _stick(tree: xr.DataTree) -> None:
    tree["posterior/leverage_effect"][1] = 0.5


def _sleep(tree: xr.DataTree) -> None:
    sys.stderr.write("now the sampler sleeps\n")
    sys.stderr.flush()
    time.sleep(600)


class _Last:
    """Whatever is raised while this is disposed of, Python drops."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)
        sum(range(1000))


def _drop(tree: xr.DataTree) -> None:
    _Last()
    _sleep(tree)


SPOILT: dict[str, Spoil] = {"well": _leave, "poisoned": _poison, "stopped": _stop, "stuck": _stick, "sleepy": _sleep, "dropping": _drop}


def report(forecast: Forecast, run_id: str, created: datetime) -> Report:
    return as_report(report_document(forecast, run_id, created))


def report_document(forecast: Forecast, run_id: str, created: datetime) -> dict[str, Any]:
    """The example, as if it had been made from the inputs of this forecast."""
    origin_state = forecast.origin_state
    made_of = {
        "data_digest": data_digest(origin_state.data),
        "priors_digest": origin_state.priors.digest(),
        "model_version": MODEL_VERSION,
        "seed": origin_state.seed,
        "origin": month_text(origin_state.origin),
        "stale": is_stale(origin_state.origin, created.date()),
        "diagnostics": diagnostics(forecast).model_dump(),
    }
    moved = EXAMPLE["moved"] | dict(forecast.moved) if forecast.moved else {}
    made_of["draws_source"] = asdict(forecast.draws_source) if forecast.draws_source else None
    return (
        EXAMPLE
        | made_of
        | {"questions": _questions(forecast), "run_id": run_id, "created": f"{created:%Y-%m-%dT%H:%M:%SZ}", "moved": moved}
    )


def _questions(forecast: Forecast) -> list[dict[str, Any]]:
    """The example's, but for the headline, by which it is judged whether draws may be weighed."""
    said = {"probability": forecast.headline.probability, "by_reading": dict(forecast.headline.by_reading)}
    return [q | said if q["id"] == EXAMPLE["headline"] else q for q in EXAMPLE["questions"]]


def stub(sampler: str = "well") -> None:
    """Put the sampler of this name in place of the real one, and leave out what takes long."""
    run.compiled_sampler = lambda origin_state, constants, engine="nutpie": FromPrior(origin_state, constants, SPOILT[sampler])
    run.run_multiverse = run.run_scenarios = lambda *_: []
    run.rehearse = lambda *_: None
    run.build_report = report
    fit_readings.DRAWS_A_CHAIN = 250
    forecast.jobs.explain.moved = lambda *_: {}
    catalogue.Figure.svg = lambda *_: ""
    run_index._chart = lambda *_: ""


def command(words: list[str], sampler: str, said: Path) -> None:
    """Run the command as the console script does, in a process of its own that was forked: what it says goes into a file."""
    stub(sampler)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what runs in the background ignore it
    with said.open("w") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    sys.stdout, sys.stderr = (os.fdopen(fd, "w", buffering=1, closefd=False) for fd in (1, 2))
    try:
        main(words, prog_name="forecast")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # what ends the process is no longer the command


if __name__ == "__main__":
    stub(sys.argv[1])
    main(sys.argv[2:], prog_name="forecast")
