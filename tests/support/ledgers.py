"""Published runs without a fit: what the ledger takes of the example report, under another id, origin, priors and numbers."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from forecast.domain import last_day, month, month_text
from forecast.jobs.questions.freeze import enter_published_runs
from forecast.runs import ledger, store
from tests.conftest import NOW
from tests.support.sound_reports import sound_report

FIRST, SECOND, THIRD = "20261124T141500Z-aaaaaa", "20261125T141500Z-bbbbbb", "20261126T141500Z-cccccc"


@functools.cache
def _whole() -> str:
    return json.dumps(sound_report(FIRST))


def example(
    run_id: str, origin: str = "2026-06", chances: Mapping[str, float] | None = None, priors: str = "5e" * 32, data: str = "a3" * 32
) -> dict[str, Any]:
    """Of the example report at another origin: windows and resolution dates move with it. chances: by id, known and not."""
    report: dict[str, Any] = json.loads(_whole())
    ahead = month(origin) - month(report["origin"])
    report |= {"run_id": run_id, "origin": origin, "priors_digest": priors, "data_digest": data}
    report["created"] = f"{store.made_at(run_id):%Y-%m-%dT%H:%M:%SZ}"
    for q in report["questions"]:
        q["window"] = {side: month_text(month(m) + ahead) for side, m in q["window"].items()}
        q["resolution_date"] = (last_day(month(q["window"]["end"])) + timedelta(days=60)).isoformat()
        q["text"] = f"{q['id']} from {q['window']['start']} to {q['window']['end']}?"
        if chances and q["id"] in chances:
            q["probability"] = chances[q["id"]]
            q["by_reading"] = dict.fromkeys(q["by_reading"], chances[q["id"]])
            q["probability_known"] = chances[q["id"]] if q["kind"] == "reached_by" else None
    return report


def publish(reports: Path, report: Mapping[str, Any]) -> Path:
    """Write a run of the report and make it `latest`, as a refit does, but for the entry into the ledger."""
    before = store.latest(reports)
    head = ledger.head(reports)
    meta = {
        "follows": before.name if before else None,
        "ledger": {"entries": head.entries, "digest": head.digest},
        "priors": {"leverage.effect": {"spec": "Normal(1.6, 0.8)", "revision": "as shipped"}},
    }
    text = json.dumps(report)
    path = store.write_run(reports, report["run_id"], lambda folder: (folder / "report.json").write_text(text) and None, meta)
    store.publish(reports, report["run_id"])
    return path


def published(reports: Path, run_id: str = FIRST, **how: Any) -> Path:
    """A run published and entered at its own time."""
    path = publish(reports, example(run_id, **how))
    enter_published_runs(reports, max(NOW, store.made_at(run_id)))
    return path
