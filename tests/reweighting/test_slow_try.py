"""What `priors try` answers from draws, against fitting again: a run, and edits drawn at random over all named priors.

One process, so that the model of tolerance is compiled once. `make test` compares a handful, `make soak` all twenty.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forecast import workspace as places
from forecast.forecasting.inputs import load_workspace
from forecast.jobs.priors.try_edits import EditTrial, refit_edits, try_edits
from forecast.jobs.run import fit
from forecast.jobs.saved_run import INPUTS
from forecast.priors.load import load_priors
from forecast.priors.specs import PriorSpec
from forecast.reweighting.draws_archive import pack
from forecast.runs import store
from forecast.runs.draws_files import write_draws
from forecast.workspace import write_snapshot
from tests.conftest import NOW
from tests.support.random_edits import groups
from tests.support.sound_reports import question_rows, sound_report

RUN = "20261124T141500Z-abcdef"
EDITS, SEED, OTHER_SEED = 20, 2026, 7001
HANDFUL = (7, 10)
"""Groups with leverage's weights, and with skips and an elasticity among them."""
FAMILY_WISE = 0.01


@dataclass(frozen=True)
class Compared:
    """The largest difference, in standard errors of both ways, and the question it is at; how many questions were compared."""

    z: float
    question: str
    n: int


def compare(tried: EditTrial, fitted: EditTrial) -> Compared:
    """Every probability, also of what the edits are not to move, and what will be known, in the mixture; and every reading's headline."""
    pairs = []
    for a, b in zip(tried.questions, fitted.questions, strict=True):
        error = math.hypot(a["mcse"], b["mcse"])
        if error > 0:
            pairs.append((a["id"], (a["probability"] - b["probability"]) / error))
            if a["probability_known"] is not None:  # of the same draws, each counted in part: its error is no larger
                pairs.append((f"{a['id']} known", (a["probability_known"] - b["probability_known"]) / error))
    for name, r in tried.by_reading.items():
        other = fitted.by_reading[name]
        pairs.append((name, (r.probability - other.probability) / math.hypot(r.mcse, other.mcse)))
    where, z = max(pairs, key=lambda pair: abs(pair[1]))
    return Compared(abs(z), where, len(pairs))


def bound(n: int) -> float:
    """How many standard errors the largest of n differences may reach, if they were independent."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(1 - FAMILY_WISE / (2 * n))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> places.Workspace:
    """A workspace with a real run, of which there is what trying and fitting again read."""
    workspace = places.create_workspace(tmp_path_factory.mktemp("try") / "workspace")
    inputs = load_workspace(workspace, today=NOW.date())
    forecast = fit(inputs, explored=False)

    def write(folder: Path) -> None:
        (folder / "report.json").write_text(json.dumps(sound_report(RUN, questions=question_rows(forecast))))
        write_draws(folder, pack(forecast))
        write_snapshot(folder / INPUTS, inputs.snapshot)

    headline = inputs.data.questions.resolution.headline
    priors = {name: {"spec": str(prior.spec)} for name, prior in inputs.priors.items()}
    meta = {"priors_digest": inputs.priors.digest(), "priors": priors, "headline": headline, "today": NOW.date().isoformat(), "as_of": None}
    store.write_run(workspace.reports, RUN, write, meta)
    store.publish(workspace.reports, RUN)
    return workspace


def chosen(workspace: places.Workspace) -> list[dict[str, PriorSpec]]:
    return groups(load_priors(workspace.priors), EDITS, SEED)


def judge(workspace: places.Workspace, edits: dict[str, PriorSpec], seed: int) -> tuple[EditTrial, Compared]:
    tried = try_edits(workspace, edits)
    return tried, compare(tried, refit_edits(workspace, edits, seed))


@pytest.mark.slow
@pytest.mark.parametrize("which", HANDFUL)
def test_an_answer_from_draws_is_that_of_a_refit(real: places.Workspace, which: int) -> None:
    tried, found = judge(real, chosen(real)[which], OTHER_SEED + which)
    assert tried.accepted
    assert found.z < bound(len(HANDFUL) * found.n), found


@pytest.mark.soak
def test_twenty_random_edits_are_answered_as_refits_answer_them(real: places.Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[tuple[Any, ...]] = []
    for i, edits in enumerate(chosen(real)):
        tried, found = judge(real, edits, OTHER_SEED + i)
        rows.append((", ".join(edits), tried.k_hat, tried.ess, tried.accepted, found.z, found.question, found.n))
    with capsys.disabled():
        for names, k_hat, ess, accepted, z, question, _ in rows:
            verdict = "accepted" if accepted else "refused"
            sys.stdout.write(f"\n{z:4.1f} at {question:<24} k-hat {k_hat:5.2f} ESS {ess:5.0f} {verdict:<9}{names}")
    usable = [row for row in rows if row[3]]
    with capsys.disabled():
        sys.stdout.write(f"\n{len(usable)} accepted, {sum(row[6] for row in usable)} comparisons\n")
    assert len(usable) >= EDITS / 2
    limit = bound(sum(row[6] for row in usable))
    assert all(row[4] < limit for row in usable)


@pytest.mark.slow
def test_the_draws_of_a_real_run_stay_small(real: places.Workspace) -> None:
    (draws,) = (p for p in Path(real.reports).rglob("draws.npz") if "latest" not in p.parts)
    assert draws.stat().st_size < 15_000_000


@pytest.mark.slow
def test_edits_of_every_kind_at_once_take_as_long_as_some_imports_of_numpy(real: places.Workspace) -> None:
    """Processor time with the start of the process, as a ratio, since machines differ: about 9; half as much again for a busy one."""
    edits = (
        "leverage.effect = Normal(1.4, 0.7)", "leverage.weights = Weights(economic=0.4, diplomatic=0.3, security=0.3)",
        "opposition.house_sd = HalfNormal(0.4)", "events.demand = Normal(0.2, 0.2)", "ladder.skip_up.3 = Beta(3, 12)",
        "exposure.delay.3 = LogNormal(12, 0.7)", "companion.new-tariff = Gamma(1, 1)", "direct.leverage = Normal(1, 1)",
        "events.determination = Beta(1, 9)", "readings.weights = Weights(main=0.4, advisers_stayed=0.4, denials_true=0.1, covert_true=0.1)",
    )  # fmt: skip
    words = [sys.executable, "-m", "forecast", "priors", "try", *edits, "--json", "--workspace", str(real.data.parent)]
    unit = [sys.executable, "-c", "import numpy"]
    took, units = (min(_computing(command) for _ in range(4)) for command in (words, unit))
    assert took < 14 * units


def _computing(command: list[str]) -> float:
    """Seconds of processor time of a command."""
    environ = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}  # which `import forecast` sets
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
