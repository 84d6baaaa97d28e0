"""Two commands at once: neither undoes what the other did, and the ledger's times never go back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from forecast.errors import LockedError
from forecast.jobs.priors import edits
from forecast.jobs.priors.edits import HeadlineChange, set_priors
from forecast.jobs.questions.record import record_prediction
from forecast.jobs.questions.verify import verify_ledger
from forecast.priors.edit_log import read_history
from forecast.priors.load import load_priors
from forecast.priors.parsing import parse_prior
from forecast.runs import ledger
from forecast.storage.locks import folder_lock
from forecast.workspace import Workspace
from tests.conftest import NOW
from tests.support.ledgers import published

type Command = Callable[..., Result]
Q = "reach-4-12m@2026-06"
SAID: dict[str, Any] = {"why": "because", "by": "ann", "now": NOW}


def edit(text: str) -> dict[str, Any]:
    name, _, spec = text.partition(" = ")
    return {name: parse_prior(name, spec)}


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(seconds=1), timedelta(seconds=20)])
def test_who_waited_for_the_ledger_is_not_behind(tmp_path: Path, ago: timedelta) -> None:
    """The second read its clock first, and got the ledger last."""
    published(tmp_path)
    record_prediction(tmp_path, Q, 0.1, "bob", None, NOW)
    record_prediction(tmp_path, Q, 0.2, "ann", None, NOW - ago)
    times = [entry.created for entry in ledger.read(tmp_path)]
    assert times == sorted(times)
    assert verify_ledger(tmp_path).notes == ()


def test_many_at_once_all_succeed_and_times_are_in_order(tmp_path: Path) -> None:
    published(tmp_path)
    failures: list[BaseException] = []

    def say(i: int) -> None:
        try:
            record_prediction(tmp_path, Q, (i + 1) / 20, f"person {i}", None, NOW + timedelta(seconds=7 - i % 8))
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=say, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = ledger.read(tmp_path)
    assert len(found) == 13
    assert [entry.created for entry in found] == sorted(entry.created for entry in found)
    assert verify_ledger(tmp_path).notes == ()


def test_headlines_are_computed_while_others_may_write(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def free(*_: object) -> HeadlineChange:
        with folder_lock(workspace.priors, patience=0):
            return HeadlineChange(lacking="free")

    monkeypatch.setattr(edits, "headline_change", free)
    assert set_priors(workspace, edit("leverage.effect = Normal(1.2, 0.5)"), **SAID).headline.lacking == "free"


def test_what_another_wrote_meanwhile_is_seen_and_kept(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The headlines are computed anew for the priors as they are then, and both edits stand."""
    asked: list[str] = []

    def seen(where: Workspace, priors: Any, asked_for: Any) -> HeadlineChange:
        asked.append(priors.digest())
        if len(asked) == 1:
            set_priors(workspace, edit("overdose.level_effect = Normal(0.3, 0.2)"), **SAID | {"by": "bob"})
        return HeadlineChange(lacking="")

    monkeypatch.setattr(edits, "headline_change", seen)
    done = set_priors(workspace, edit("leverage.effect = Normal(1.2, 0.5)"), **SAID)
    now = load_priors(workspace.priors)
    assert str(now.spec("leverage.effect")) == "Normal(1.2, 0.5)"
    assert str(now.spec("overdose.level_effect")) == "Normal(0.3, 0.2)"
    assert [e.by for e in read_history(workspace.priors).edits] == ["bob", "ann"]
    assert len(done.edits) == 1
    assert len(set(asked)) == 2
    assert asked[-1] != asked[0]


def test_others_that_never_stop_are_said(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = iter(range(100))
    monkeypatch.setattr(edits, "_published", lambda _: str(next(runs)))
    with pytest.raises(LockedError, match="keep changing"):
        set_priors(workspace, edit("leverage.effect = Normal(1.2, 0.5)"), **SAID)
    assert read_history(workspace.priors).edits == ()
