"""Refits among real processes: many at once, and some that are ended by a signal. The sampler is a stub; all else is the command."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from forecast.runs import ledger, manifest, publication_lock, refit_attempts, store
from tests.support import refit_processes
from tests.support.refit_processes import Started, edit_prior, run, scratches, sound, start

pytestmark = pytest.mark.slow

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
ENDED = {signal.SIGKILL: {-9}, signal.SIGTERM: {130, -15}, signal.SIGINT: {130, -2}}
"""Exit codes of a refit that a signal ended; negative where it came before the command had begun or after it had ended."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose first refit has published. To be copied."""
    root = tmp_path_factory.mktemp("refits") / "workspace"
    refit_processes.create(root)
    first = run(root, "refit", "-q")
    assert first.process.exitcode == 0, first.said
    return root


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    shutil.copytree(published, tmp_path / "workspace", symlinks=True)
    return tmp_path / "workspace"


def runs(root: Path) -> list[str]:
    return [found.run_id for found in store.list_runs(root / "reports")]


def decisions(root: Path) -> Counter[str | None]:
    lines = (root / "reports" / refit_attempts.NAME).read_text().splitlines()
    return Counter(json.loads(line)["decision"] for line in lines if json.loads(line)["ended"])


def test_of_twenty_refits_started_together_one_publishes(root: Path) -> None:
    before = sound(root)
    edit_prior(root, 1.0)
    started = [start(root, "refit", "-q") for _ in range(20)]
    codes = Counter(s.end(600) for s in started)
    assert set(codes) <= {0, 5}, [s.said for s in started]
    assert codes[0] >= 1
    assert len(runs(root)) == 2
    assert sound(root) != before
    assert decisions(root)["refitted"] == 2  # the first of all, and one of the twenty
    assert decisions(root)["skipped"] == codes[0] - 1
    assert all("holds the lock of reports/" in s.said for s in started if s.end() == 5)
    assert publication_lock.owner(root / "reports") is None
    assert scratches(root) == []


def test_of_twenty_that_wait_one_publishes_and_the_others_skip(root: Path) -> None:
    edit_prior(root, 1.0)
    started = [start(root, "refit", "--wait", "--json", "-q") for _ in range(20)]
    assert [s.end(600) for s in started] == [0] * 20, [s.said for s in started]
    kinds = Counter(json.loads(s.said)["decision"]["kind"] for s in started)
    assert kinds == {"refitted": 1, "skipped": 19}
    assert len(runs(root)) == 2
    assert sound(root)
    assert len(ledger.read(root / "reports")) == 2  # forecasts of two runs, each once


def test_one_that_waits_is_told_for_whom(root: Path) -> None:
    edit_prior(root, 1.0)
    first = start(root, "refit", sampler="sleepy")
    first.wait_until_said("now the sampler sleeps")
    second = start(root, "refit", "--wait", "--json")
    second.wait_until_said("waiting: forecast refit (process ")
    assert f"process {first.process.pid} " in second.said
    first.kill(signal.SIGKILL)
    assert second.end() == 0  # a dead owner's lock is free
    assert len(runs(root)) == 2
    assert sound(root)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_refit_that_is_told_to_end_leaves_nothing(root: Path, number: signal.Signals) -> None:
    before = sound(root)
    edit_prior(root, 1.0)
    began = start(root, "refit", sampler="sleepy")
    began.wait_until_said("now the sampler sleeps")
    began.kill(number)
    assert began.end() == 130
    assert began.said.endswith("Interrupted.\n")
    assert "Traceback" not in began.said
    assert sound(root) == before
    assert scratches(root) == []
    assert publication_lock.owner(root / "reports") is None
    last = refit_attempts.last(root / "reports")
    assert last is not None
    assert (last.decision, last.reason, last.exit_code) == (None, "interrupted", 130)


def test_an_interruption_that_python_drops_is_made_again(root: Path) -> None:
    """A signal that comes while an object is disposed of."""
    before = sound(root)
    edit_prior(root, 1.0)
    ended = run(root, "refit", sampler="dropping")
    assert ended.process.exitcode == 130, ended.said
    assert ended.said.endswith("Interrupted.\n")
    assert "Traceback" not in ended.said
    assert sound(root) == before
    assert scratches(root) == []


@pytest.mark.parametrize("sampler", ["poisoned", "stopped", "stuck"])
def test_a_posterior_that_is_not_one_is_refused(root: Path, sampler: str) -> None:
    """NaN among the draws, a sampler that stopped half-way, a chain that stands still."""
    before = sound(root)
    edit_prior(root, 1.0)
    refused = run(root, "refit", "--json", sampler=sampler)
    assert refused.process.exitcode == 4, refused.said
    why = {"poisoned": "not finite: ", "stopped": "incomplete: ", "stuck": "stuck: leverage_effect"}[sampler]
    assert why in refused.said
    assert "Traceback" not in refused.said
    assert sound(root) == before
    assert len(runs(root)) == 1
    assert scratches(root) == []
    last = refit_attempts.last(root / "reports")
    assert last is not None
    assert (last.decision, last.exit_code) == ("refused", 4)
    assert why in last.reason


STAGES = {"starting": "", "fitting": "drivers", "writing": ", report (", "publishing": ", report 100 %"}
"""What a refit does, and what it has said when it begins."""


def lengths(root: Path) -> dict[str, float]:
    """How long each stage takes, in seconds, by one refit that nobody ends."""
    watched = start(root, "refit")
    begins = {}
    for stage, words in STAGES.items():
        wait_for(watched, words)
        begins[stage] = time.monotonic()
    assert watched.end() == 0, watched.said
    ends = [*list(begins.values())[1:], time.monotonic()]
    return {stage: end - begin for (stage, begin), end in zip(begins.items(), ends, strict=True)}


def wait_for(started: Started, words: str) -> None:
    """Until a refit has said so, or has ended."""
    while words not in started.said and started.process.is_alive():
        time.sleep(0.005)


def kill_at_random(root: Path, times: int, seed: int) -> Counter[str]:
    """End refits by signals at random moments of every stage, and check after each that the store is sound; what they were doing.

    Between two signals the inputs change, so there is always something to publish, and what one leaves the next finds.
    """
    edit_prior(root, 3.0)
    length = lengths(root)
    rng = np.random.default_rng(seed)
    doing: Counter[str] = Counter()
    seen = [sound(root)]
    for i in range(times):
        edit_prior(root, 1 + i / 1000)
        number = SIGNALS[i % len(SIGNALS)]
        stage = list(STAGES)[(i // len(SIGNALS)) % len(STAGES)]
        started = start(root, "refit")
        wait_for(started, STAGES[stage])
        time.sleep(rng.uniform(0, length[stage]))
        alive = started.process.is_alive()
        if alive:
            started.kill(number)
        code = started.end()
        unborn = number == signal.SIGINT and code == 1 and not started.said  # Python itself ends so before the command has begun
        assert unborn or code in (ENDED[number] | {0} if alive else {0}), (number, code, started.said)
        assert "Traceback" not in started.said or code == -signal.SIGINT, started.said
        doing[was_doing(started) if code else "done"] += 1
        published = sound(root)
        assert published is not None
        seen += [published] if published != seen[-1] else []
        assert ledger.verify(root / "reports") == ()
        assert publication_lock.owner(root / "reports") is None
    assert seen == sorted(set(seen))  # `latest` only ever moved forward
    heal(root)
    return doing


def heal(root: Path) -> None:
    """The next refit makes up for all that was broken off."""
    edit_prior(root, 0.9)
    assert run(root, "refit", "-q").process.exitcode == 0
    published = sound(root)
    assert published is not None
    assert scratches(root) == []
    entries = [entry for entry in ledger.read(root / "reports") if entry.kind == "forecast"]
    chain, at = [], published.name
    while at is not None:
        chain.append(at)
        at = manifest.read_manifest(root / "reports" / at).meta["follows"]
    assert [entry.content["run_id"] for entry in entries] == chain[::-1]
    assert published.name in (root / "reports" / "index.html").read_text()


def was_doing(ended: Started) -> str:
    """The stage in which a refit ended."""
    return next(stage for stage, words in reversed(STAGES.items()) if words in ended.said)


def test_thirty_signals_at_random_moments_leave_a_sound_store(root: Path) -> None:
    doing = kill_at_random(root, 30, 20_261_124)
    assert min(doing["fitting"], doing["writing"]) >= 3, doing


def test_signals_while_draws_are_weighed_leave_a_sound_store(root: Path) -> None:
    """A row was added, so nothing need be fitted; whatever is broken off, the next refit weighs again."""
    before = sound(root)
    polls = root / "data" / "polls.csv"
    polls.write_text(polls.read_text() + ",".join(["one-more", *polls.read_text().splitlines()[-1].split(",")[1:]]) + "\n")
    for words, number in (("weighing", signal.SIGKILL), ("resampling", signal.SIGTERM), (", report (", signal.SIGKILL)):
        started = start(root, "refit")
        started.wait_until_said(words)
        started.kill(number)
        assert started.end() in ENDED[number], started.said
        assert sound(root) == before
        assert publication_lock.owner(root / "reports") is None
    assert run(root, "refit", "-q").process.exitcode == 0
    published = sound(root)
    assert published not in (None, before)
    assert scratches(root) == []
    assert decisions(root)["reweighted"] == 1


@pytest.mark.soak
def test_two_hundred_signals_at_random_moments_leave_a_sound_store(root: Path) -> None:
    doing = kill_at_random(root, 200, 6)
    assert min(doing[stage] for stage in STAGES) >= 10, doing
