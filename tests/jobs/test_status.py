"""`forecast status`: every fact of it, and what is a reason to call a person. The published runs are written by hand."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from forecast.domain import month_of, month_text
from forecast.evaluation.question_ledger import OWN
from forecast.forecasting.inputs import load_workspace
from forecast.jobs.input_fingerprint import InputFingerprint
from forecast.jobs.status import PublishedChange, Status, ago, examine
from forecast.runs import ledger, publication_lock, refit_attempts, store
from forecast.workspace import Workspace, bundled_root
from tests.conftest import NOW
from tests.support.sound_reports import EXAMPLE, sound_change, sound_report

type Command = Callable[..., Result]
type Ask = Callable[..., tuple[int, dict[str, Any], Result]]

FIRST, SECOND = "20261120T061700Z-abcdef", "20261123T061700Z-abcdef"


@functools.cache
def bundled_meaning() -> InputFingerprint:
    """Of the bundled inputs, which a new workspace has."""
    return InputFingerprint.of(load_workspace(bundled_root(), today=NOW.date()))


def publish(where: Workspace, run_id: str = SECOND, meta: Mapping[str, Any] | None = None, **report: Any) -> Path:
    """A run of the bundled inputs, known to the end of the month before the tests' clock, unless it is told otherwise."""
    made = datetime.strptime(run_id[:15] + "+0000", "%Y%m%dT%H%M%S%z")
    told = sound_report(run_id, created=f"{made:%Y-%m-%dT%H:%M:%SZ}", **{"origin": month_text(month_of(NOW.date()) - 1)} | report)
    now = bundled_meaning()
    says = {"data_digest": now.data, "priors_digest": now.priors, "model_version": now.model, "settings_digest": now.settings}
    says |= {"follows": None, "probabilities": {q["id"]: q["probability"] for q in told["questions"]}, "ledger": None}
    path = store.write_run(
        where.reports, run_id, lambda f: (f / "report.json").write_text(json.dumps(told)) and None, says | dict(meta or {})
    )
    store.publish(where.reports, run_id)
    return path


@pytest.fixture
def status(workspace: Workspace, command: Command, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The exit code, what --json would say, and the page."""
    found: list[Status] = []
    monkeypatch.setattr("forecast.jobs.status.examine", lambda *of: found.append(examine(*of)) or found[-1])

    def ask(*words: str) -> tuple[int, dict[str, Any], Result]:
        page = command("status", *words, "--workspace", workspace.data.parent)
        assert all(len(line) <= 80 for line in page.stdout.splitlines() if str(workspace.data.parent) not in line)
        return page.exit_code, json.loads(json.dumps(found[-1].as_dict())), page

    return ask


def test_a_fresh_sound_run_of_these_inputs_is_healthy(workspace: Workspace, status: Ask, command: Command) -> None:
    publish(workspace)
    code, told, page = status()
    assert json.loads(command("status", "--json", "--workspace", workspace.data.parent).stdout) == told
    assert (code, page.stderr) == (0, "")
    assert told["healthy"]
    assert told["troubles"] == []
    assert (told["run_id"], told["age_days"], told["stale"], told["gate"], told["origin"]) == (SECOND, 1, False, "pass", "2026-10")
    assert told["inputs"] == {"differ": None, "refused": 0}
    assert told["lock"] is told["last_attempt"] is told["change"] is None
    words = " ".join(page.stdout.split())
    assert f"{SECOND}, made 2026-11-23 06:17 UTC, yesterday" in words
    assert EXAMPLE["sentences"]["short"] in words
    assert "as in the published run" in words
    assert "October 2026" in words
    assert "STALE" not in words


def test_a_comment_is_no_change_and_a_prior_is_named(workspace: Workspace, status: Ask) -> None:
    publish(workspace)
    file = workspace.priors / "leverage.toml"
    file.write_text(file.read_text() + "\n# a comment\n")
    assert status()[1]["inputs"]["differ"] is None
    file.write_text(file.read_text().replace("Normal(1.6, 0.8)", "Normal(1.0, 0.8)"))
    code, told, page = status()
    assert (code, told["inputs"]["differ"]) == (0, "priors changed")
    assert "a refit would follow" in page.stdout


def test_what_needs_a_person_is_unhealthy(workspace: Workspace, status: Ask) -> None:
    code, told, page = status()
    assert (code, told["run_id"], told["probability"]) == (8, None, None)
    assert "`forecast run` makes" in page.stderr
    assert told["series"]
    diagnostics = EXAMPLE["diagnostics"] | {"status": "fail"}
    publish(workspace, FIRST, origin="2026-08", diagnostics=diagnostics)
    code, told, page = status()
    assert code == 8
    assert [t["what"] for t in told["troubles"]] == [
        "the forecast is stale: it uses nothing from after 2026-08", "the published run did not pass the gate",
    ]  # fmt: skip
    assert "STALE" in page.stdout
    assert len(page.stderr.splitlines()) == 2


def test_a_damaged_run_and_refused_inputs_are_both_said(workspace: Workspace, status: Ask) -> None:
    run = publish(workspace)
    (run / "report.json").write_text("{}")
    events = workspace.data / "events.csv"
    events.write_text(events.read_text().replace("2025-02-19", "2025-02-30", 1))
    code, told, page = status()
    assert code == 8
    damaged, refused = (t["what"] for t in told["troubles"])
    assert "report.json" in damaged
    assert refused == "the present data or priors are refused"
    assert told["inputs"]["refused"] >= 1
    assert "refused: 1 problem" in page.stdout


def test_a_clock_that_was_set_back_is_said(workspace: Workspace, status: Ask) -> None:
    publish(workspace, f"{NOW + timedelta(days=2):%Y%m%dT%H%M%SZ}-abcdef")
    code, told, _ = status()
    assert code == 8
    assert "set back" in told["troubles"][0]["what"]


@pytest.mark.parametrize(
    ("ended", "state", "unhealthy"),
    [
        (("skipped", "all means what it meant", 0), "well", False),
        (("refitted", "a source was down", 6), "well", False),
        (("refused", "stuck in every chain", 4), "failed", True),
        ((None, "The disk is full.", 1), "failed", True),
        ((None, "interrupted", 130), "failed", True),
        (None, "died", True),
    ],
)
def test_how_the_last_attempt_ended(
    workspace: Workspace, status: Ask, ended: tuple[str | None, str, int] | None, state: str, unhealthy: bool
) -> None:
    publish(workspace)
    attempt = refit_attempts.start(workspace.reports, "forecast refit", NOW - timedelta(hours=5))
    if ended:
        refit_attempts.end(workspace.reports, attempt, NOW - timedelta(hours=3), *ended, SECOND)
    code, told, page = status()
    assert (code == 8, told["last_attempt"]["state"]) == (unhealthy, state)
    words = " ".join((page.stdout + page.stderr).split())
    assert ("3 hours ago" in words) == bool(ended)
    assert "it never ended" in words if ended is None else ended[1] in words


@pytest.mark.parametrize(
    ("ended", "made", "how", "state"),
    [
        (3, 1, "run", "superseded"),
        (3, 4, "run", "failed"),  # made before that refit ended
        (None, 1, "run", "superseded"),
        (None, 1, "refitted", "died"),  # it may have made that run itself
        (None, 9, "run", "died"),
    ],
)
def test_a_run_published_since_supersedes_a_refit_that_failed(
    workspace: Workspace, status: Ask, ended: int | None, made: int, how: str, state: str
) -> None:
    attempt = refit_attempts.start(workspace.reports, "forecast refit", NOW - timedelta(hours=5))
    if ended:
        refit_attempts.end(workspace.reports, attempt, NOW - timedelta(hours=ended), None, "Run 1 is damaged.", 7, None)
    run_id = f"{NOW - timedelta(hours=made):%Y%m%dT%H%M%SZ}-abcdef"
    publish(workspace, run_id, meta={"decision": {"kind": how, "reason": "", "seconds": 1.0}})
    code, told, page = status()
    assert (code, told["last_attempt"]["state"]) == (0 if state == "superseded" else 8, state)
    assert ("; a run was published since" in " ".join(page.stdout.split())) == (state == "superseded")


@pytest.mark.parametrize(("hours", "code"), [(5.9, 0), (6.1, 8)])
def test_a_refit_that_is_at_work_for_hours_needs_a_person(workspace: Workspace, status: Ask, hours: float, code: int) -> None:
    publish(workspace)
    began = NOW - timedelta(hours=hours)
    with publication_lock.publisher(workspace.reports, "forecast refit", began):
        refit_attempts.start(workspace.reports, "forecast refit", began)
        found, told, _ = status()
    assert (found, told["last_attempt"]["state"]) == (code, "running")
    if code:
        (trouble,) = told["troubles"]
        assert f"forecast refit (process {os.getpid()} on " in trouble["what"]
        assert f"since {began:%Y-%m-%d %H:%M:%S} UTC) has been at work for 6 hours" in trouble["what"]
        assert f"kill {os.getpid()}" in trouble["remedy"]


@pytest.mark.parametrize("begins", [True, False])
def test_a_refit_that_begins_or_ends_as_it_is_looked_at_has_not_died(
    workspace: Workspace, status: Ask, begins: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the lock, or lets it go, as soon as somebody has asked who holds it for the first time."""
    publish(workspace)
    attempt = None if begins else refit_attempts.start(workspace.reports, "forecast refit", NOW)
    asked: list[Path] = []

    def owner(reports: Path) -> publication_lock.Owner | None:
        asked.append(reports)
        if len(asked) > 1:
            return publication_lock.Owner(os.getpid(), "here", NOW, "forecast refit") if begins else None
        if attempt is None:
            refit_attempts.start(reports, "forecast refit", NOW)
        else:
            refit_attempts.end(reports, attempt, NOW, "skipped", "all means what it meant", 0, SECOND)
        return None

    monkeypatch.setattr(publication_lock, "owner", owner)
    code, told, _ = status()
    assert (code, told["last_attempt"]["state"]) == (0, "running" if begins else "well")


def test_a_damaged_history_of_the_priors_is_said_on_the_page(workspace: Workspace, status: Ask) -> None:
    publish(workspace)
    (workspace.priors / "history" / "start.toml").write_text("priors = 1\n")
    code, told, page = status()
    assert (code, told["inputs"]["refused"], told["run_id"]) == (8, 1, SECOND)
    (trouble,) = told["troubles"]
    assert trouble["what"].startswith("the history of the priors is damaged: ")
    assert "start.toml was altered" in trouble["what"]
    assert "refused: 1 problem" in page.stdout


def test_an_entry_that_says_what_it_cannot_is_said_on_the_page(workspace: Workspace, status: Ask) -> None:
    publish(workspace)
    with ledger.writing(workspace.reports) as book:
        book.append("prediction", {"question": "nothing"}, NOW)
    code, told, _ = status()
    assert (code, told["questions"]) == (8, None)
    assert "cannot be understood" in told["troubles"][0]["what"]


def test_who_holds_the_lock_is_told_and_what_it_runs_has_not_died(workspace: Workspace, status: Ask) -> None:
    publish(workspace)
    with publication_lock.publisher(workspace.reports, "forecast refit", NOW):
        refit_attempts.start(workspace.reports, "forecast refit", NOW)
        code, told, page = status()
    assert (code, told["last_attempt"]["state"], told["lock"]["what"]) == (0, "running", "forecast refit")
    assert "running since 2026-11-24 14:15 UTC" in page.stdout


def test_the_change_is_that_since_the_run_before(workspace: Workspace, status: Ask) -> None:
    questions = EXAMPLE["questions"]
    moved = [q | ({"probability": q["probability"] + 0.02} if q["id"] == EXAMPLE["headline"] else {}) for q in questions]
    publish(workspace, FIRST)
    publish(workspace, meta={"follows": FIRST}, questions=moved)
    _, told, page = status()
    assert told["change"]["from_run"] == FIRST
    assert told["change"]["after"] - told["change"]["before"] == pytest.approx(0.02)
    headline = next(q for q in questions if q["id"] == EXAMPLE["headline"])
    assert told["change"]["noise_se"] == pytest.approx(2**0.5 * headline["mcse"])
    assert f"+2.00 points since run {FIRST}" in " ".join(page.stdout.split())


@pytest.mark.parametrize(("noise_se", "words"), [(0.002, "more than noise"), (0.006, "indistinguishable from noise")])
def test_a_change_is_held_against_chance(workspace: Workspace, status: Ask, noise_se: float, words: str) -> None:
    """As the report has it, which knows the noise of both runs."""
    publish(workspace, moved=sound_change(0.05, 0.06, noise_se, from_run=FIRST), meta={"follows": FIRST})
    _, told, page = status()
    assert told["change"]["indistinguishable_from_noise"] == (words != "more than noise")
    assert words in " ".join(page.stdout.split())
    assert PublishedChange("x", 0.06, 0.05, noise_se).is_noise == PublishedChange("x", 0.05, 0.06, noise_se).is_noise


def test_what_the_parts_do_not_explain_needs_a_person(workspace: Workspace, status: Ask) -> None:
    publish(workspace, moved=sound_change(0.05, 0.09, 0.001, unexplained=True))
    code, told, _ = status()
    assert code == 8
    assert EXAMPLE["headline"] in told["troubles"][0]["what"]


def test_late_series_are_always_shown_and_all_with_v(workspace: Workspace, status: Ask) -> None:
    publish(workspace)
    code, told, page = status()
    late = {s["series"] for s in told["series"] if s["status"] == "late"}
    assert (code, set(told["late"])) == (0, late)
    assert 0 < len(late) < len(told["series"])
    shown = {line.split()[0] for line in page.stdout.splitlines() if line.endswith(" late")}
    assert shown == late
    whole = status("-v")[2].stdout
    assert all(f"\n{s['series']} " in whole for s in told["series"])
    by = {s["series"]: s for s in told["series"]}
    assert (by["overdose_final"]["due"], by["overdose_final"]["by"], by["overdose_final"]["status"]) == ("2026-12-31", "timetable", "fresh")
    assert (by["events"]["due"], by["events"]["by"]) == ("2026-08-14", "reading")  # covered through 30 June, and 45 days


def test_the_next_events_are_those_to_come(workspace: Workspace, status: Ask) -> None:
    publish(workspace)
    dates = [c["date"] for c in status()[1]["coming"]]
    assert dates == ["2026-11", "2026-12-14", "2026-12-15"]  # of the first only the month is known


def test_questions_that_wait_are_counted_and_a_ledger_cut_short_is_seen(workspace: Workspace, status: Ask) -> None:
    with ledger.writing(workspace.reports) as book:
        for n, day in enumerate(["2026-11-20", "2026-11-23", "2027-01-01"]):
            says = {"id": f"own-{n}", "text": "?", "resolution_date": day, "by": "me", "link": None, "question_kind": OWN}
            book.append("question", says, NOW - timedelta(days=9))
    head = ledger.head(workspace.reports)
    publish(workspace, meta={"ledger": {"entries": head.entries, "digest": head.digest}})
    code, told, page = status()
    assert (code, told["questions"]) == (0, {"open": 1, "due": 2, "disputed": 0})
    assert "2 due for resolution" in page.stdout
    folder = workspace.reports / ledger.FOLDER
    (entry,) = folder.glob("000003-*")
    entry.write_text(entry.read_text().replace("2027", "2028"))
    code, told, _ = status()
    assert (code, told["questions"]) == (8, None)
    assert "damaged" in told["troubles"][0]["what"]
    for file in folder.iterdir():
        file.unlink()
    assert "lacks entries" in status()[1]["troubles"][0]["what"]


def test_spans_of_time_are_round() -> None:
    spans = {
        timedelta(seconds=9): "less than a minute",
        timedelta(seconds=61): "1 minute",
        timedelta(minutes=50): "50 minutes",
        timedelta(hours=35): "35 hours",
        timedelta(hours=36): "2 days",
        timedelta(days=3, hours=2): "3 days",
    }
    assert {span: ago(span) for span in spans} == spans


@pytest.mark.slow
def test_it_is_light_and_writes_nothing(workspace: Workspace) -> None:
    publish(workspace)
    before = sorted(p.name for p in workspace.reports.rglob("*"))
    heavy = {"pymc", "pytensor", "arviz", "xarray", "scipy", "nutpie", "pandas", "altair", "jinja2", "httpx"}
    code = (
        "import sys; from forecast.cli import main\n"
        f"try: main(['status', '--workspace', {str(workspace.data.parent)!r}])\n"
        f"finally: print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "[]", done.stderr
    assert sorted(p.name for p in workspace.reports.rglob("*")) == before
