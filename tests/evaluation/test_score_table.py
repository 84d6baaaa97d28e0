"""Scores of questions that were resolved: by hand, author by author, and whether edits of priors helped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import log
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from forecast.evaluation.score_table import ScoreTableRow, edits_between, prior_edit_effects, score_table, untested_edits
from forecast.jobs.questions import record
from forecast.jobs.questions.freeze import read_question_ledger
from forecast.jobs.questions.score import past_performance, sampling_caution, score_ledger
from forecast.priors.edit_log import Edit
from forecast.report.figures.questions import past_performance_summary, past_performance_table
from forecast.report.models.forecast import PastPerformance
from forecast.workspace import Workspace
from tests.conftest import NOW
from tests.support.ledgers import FIRST, SECOND, THIRD, published

DONE = datetime(2030, 1, 1, tzinfo=UTC)
A, B, C = "a" * 64, "b" * 64, "c" * 64


def resolve(reports: Path, name: str, outcome: bool | int, settles: int | None = None, origin: str = "2026-06") -> int:
    asked = read_question_ledger(reports).questions[f"{name}@{origin}"]
    return record.record_resolution(
        reports, asked.id, outcome, about="known", source="a court", day=asked.resolves.isoformat(), by="judge", why=None, settles=settles,
        now=DONE,
    ).number  # fmt: skip


def predict(reports: Path, name: str, p: float, by: str = "ann") -> None:
    record.record_prediction(reports, f"{name}@2026-06", p, by, None, NOW + timedelta(days=1))


def rows_of(reports: Path) -> dict[tuple[str, int | None, str], ScoreTableRow]:
    return {(row.kind, row.horizon, row.author): row for row in score_table(read_question_ledger(reports))}


def test_one_question_by_hand(tmp_path: Path) -> None:
    published(tmp_path, chances={"reach-4-12m": 0.04})
    predict(tmp_path, "reach-4-12m", 0.5)
    predict(tmp_path, "reach-4-12m", 0.2)
    resolve(tmp_path, "reach-4-12m", False)
    rows = rows_of(tmp_path)
    assert [row.author for row in score_table(read_question_ledger(tmp_path))] == ["model", "persistence", "climatology", "ann"]
    found = rows["reached_by", 12, "model"]
    assert found.scores["brier"].value == pytest.approx(0.04**2)
    assert found.scores["log"].value == pytest.approx(-log(0.96))
    assert found.against["persistence"]["brier"].value == pytest.approx(0.04**2 - 0.1**2)
    assert found.against["climatology"]["log"].value == pytest.approx(log(0.8) - log(0.96))
    person = rows["reached_by", 12, "ann"]
    assert person.scores["brier"].value == pytest.approx(0.2**2)  # the last word
    assert person.against["model"]["brier"].value == pytest.approx(0.2**2 - 0.04**2)
    assert person.scores["brier"].error is None
    assert rows["reached_by", 12, "persistence"].against == {}


def test_the_models_last_run_before_the_resolution_counts(tmp_path: Path) -> None:
    published(tmp_path, chances={"reach-4-12m": 0.04})
    published(tmp_path, SECOND, chances={"reach-4-12m": 0.02})
    resolve(tmp_path, "reach-4-12m", False)
    published(tmp_path, THIRD, chances={"reach-4-12m": 0.001})  # knows how it came out
    assert rows_of(tmp_path)["reached_by", 12, "model"].scores["brier"].value == pytest.approx(0.02**2)


def test_a_count_is_scored_by_its_number_and_by_whether_there_was_one(tmp_path: Path) -> None:
    published(tmp_path, chances={"count-designation-12m": 0.7})
    predict(tmp_path, "count-designation-12m", 0.9)
    resolve(tmp_path, "count-designation-12m", 2)
    rows = rows_of(tmp_path)
    model = rows["count", 12, "model"]  # chances .3, .4, .2, .1
    assert model.scores["log"].value == pytest.approx(-log(0.2))
    assert model.scores["rps"].value == pytest.approx(0.3**2 + 0.7**2 + 0.1**2)
    assert model.against["climatology"]["rps"].value == pytest.approx(0.3**2 + 0.7**2 + 0.1**2 - (0.8**2 + 0.95**2))
    assert ("count", 12, "ann") not in rows
    assert rows["count_any", 12, "ann"].scores["brier"].value == pytest.approx(0.01)
    assert rows["count_any", 12, "model"].scores["brier"].value == pytest.approx(0.09)


def test_levels_are_one_ordered_outcome_once_all_are_resolved(tmp_path: Path) -> None:
    held = {1: 0.99, 2: 0.9, 3: 0.4, 4: 0.05, 5: 0.02}
    published(tmp_path, chances={f"hold-{k}-12m": p for k, p in held.items()})
    predict(tmp_path, "hold-3-12m", 0.5)
    for k in (1, 2, 3, 4):
        resolve(tmp_path, f"hold-{k}-12m", k <= 2)
    assert "rps" not in rows_of(tmp_path)["in_force_at", 12, "model"].scores
    resolve(tmp_path, "hold-5-12m", False)
    rows = rows_of(tmp_path)
    found = rows["in_force_at", 12, "model"]
    assert found.scores["rps"].value == pytest.approx(0.01**2 + 0.1**2 + 0.4**2 + 0.05**2 + 0.02**2)
    assert (found.scores["rps"].n, found.scores["brier"].n) == (1, 5)
    assert found.scores["rps"].value == pytest.approx(5 * found.scores["brier"].value)
    assert set(rows["in_force_at", 12, "ann"].scores) == {"brier", "log"}


def test_what_is_disputed_is_not_scored(tmp_path: Path) -> None:
    published(tmp_path, chances={"reach-4-12m": 0.04})
    number = resolve(tmp_path, "reach-4-12m", False)
    over = record.record_dispute(tmp_path, "reach-4-12m@2026-06", number, "carl", "It was.", DONE).number
    assert score_table(read_question_ledger(tmp_path)) == ()
    resolve(tmp_path, "reach-4-12m", True, settles=over)
    assert rows_of(tmp_path)["reached_by", 12, "model"].scores["brier"].value == pytest.approx(0.96**2)


def test_origins_a_month_apart_are_one_window(tmp_path: Path) -> None:
    for i, (run_id, origin) in enumerate(((FIRST, "2026-06"), (SECOND, "2026-07"), (THIRD, "2026-08"))):
        published(tmp_path, run_id, origin=origin, chances={"reach-4-12m": 0.1 * (i + 1)})
        resolve_later = origin
        assert f"reach-4-12m@{resolve_later}" in read_question_ledger(tmp_path).questions
    for origin in ("2026-06", "2026-07", "2026-08"):
        resolve(tmp_path, "reach-4-12m", False, origin=origin)
    found = rows_of(tmp_path)["reached_by", 12, "model"].scores["brier"]
    assert (found.n, found.windows, found.error) == (3, 1, None)
    assert "can be separated from luck" in sampling_caution(score_table(read_question_ledger(tmp_path)))


@pytest.mark.parametrize("name", ["hold-4-12m", "fall-1-12m"])
def test_the_level_in_force_in_one_month_comes_of_all_months_before_it(tmp_path: Path, name: str) -> None:
    """Each window of `hold` is another month, but origins a month apart look at nearly the same year."""
    origins = ("2026-06", "2026-07", "2026-08")
    for run_id, origin in zip((FIRST, SECOND, THIRD), origins, strict=True):
        published(tmp_path, run_id, origin=origin)
    for origin in origins:
        resolve(tmp_path, name, False, origin=origin)
    (found,) = (row.scores["brier"] for row in score_table(read_question_ledger(tmp_path)) if row.author == "model")
    assert (found.n, found.windows) == (3, 1)


def test_a_question_of_ones_own_is_scored(tmp_path: Path) -> None:
    record.add_question(tmp_path, "pact", "?", NOW.date() + timedelta(days=90), "ann", None, NOW)
    record.record_prediction(tmp_path, "pact", 0.25, "bob", None, NOW)
    record.record_resolution(
        tmp_path, "pact", True, about="known", source="s", day="2027-01-01", by="ann", why=None, settles=None, now=DONE
    )  # fmt: skip
    (row,) = score_table(read_question_ledger(tmp_path))
    assert (row.kind, row.horizon, row.author) == ("own", None, "bob")
    assert row.scores["brier"].value == pytest.approx(0.75**2)
    assert row.against == {}


def edit(number: int, before: str, after: str, change: int | None = None, day: int = 24) -> Edit:
    time = datetime(2026, 11, day, 18, tzinfo=UTC)
    return Edit(
        number, change or number, time, "leverage.effect", "Normal(1, 1)", "Normal(2, 1)", "why", "ann", "s", before, after, None, None,
        f"{number}" * 64,
    )  # fmt: skip


def test_an_edit_is_judged_by_two_runs_of_the_same_data(tmp_path: Path) -> None:
    published(tmp_path, chances={"reach-4-12m": 0.10, "reach-3-12m": 0.5}, priors=A)
    published(tmp_path, SECOND, chances={"reach-4-12m": 0.05, "reach-3-12m": 0.4}, priors=B)
    published(tmp_path, THIRD, chances={"reach-4-12m": 0.01, "reach-3-12m": 0.4}, priors=C, data="0" * 64)
    edits = [edit(1, A, B), edit(2, B, C, day=25)]
    (found,) = prior_edit_effects(read_question_ledger(tmp_path), edits)
    assert (found.before.run_id, found.after.run_id, found.edits, found.n) == (FIRST, SECOND, (edits[0],), 0)
    assert found.difference is None
    assert untested_edits(edits, [found]) == (edits[1],)  # the data changed with it
    resolve(tmp_path, "reach-4-12m", False)
    resolve(tmp_path, "reach-3-12m", True)
    (found,) = prior_edit_effects(read_question_ledger(tmp_path), edits)
    assert found.n == 2
    assert found.scores == (pytest.approx((0.10**2 + 0.5**2) / 2), pytest.approx((0.05**2 + 0.6**2) / 2))
    assert found.difference is not None
    assert found.log_difference is not None
    assert found.difference.value == pytest.approx((0.05**2 + 0.6**2 - 0.10**2 - 0.5**2) / 2)
    assert found.log_difference.value == pytest.approx((-log(0.95) - log(0.4) + log(0.90) + log(0.5)) / 2)


def test_edits_between_two_runs_are_found_by_the_digests_of_priors(tmp_path: Path) -> None:
    published(tmp_path, priors=A)
    published(tmp_path, SECOND, priors=C)
    first, last = read_question_ledger(tmp_path).runs
    together = [edit(1, A, C, change=1), edit(2, A, C, change=1)]
    assert edits_between(together, first, last) == tuple(together)
    assert edits_between([edit(1, A, B), edit(2, B, C)], first, last) == (edit(1, A, B), edit(2, B, C))
    assert edits_between([edit(1, A, B)], first, last) == ()
    assert edits_between([edit(1, A, C, day=26)], first, last) == (), "it was made after the later run"
    there_and_back = [edit(1, A, B), edit(2, B, A), edit(3, A, C)]
    assert edits_between(there_and_back, first, last) == (there_and_back[2],)


def test_a_workspace_is_scored_whole(tmp_path: Path) -> None:
    where = Workspace(tmp_path / "data", tmp_path / "priors", tmp_path / "reports", "made")
    published(where.reports, priors=A, chances={"reach-4-12m": 0.1})
    published(where.reports, SECOND, priors=B, chances={"reach-4-12m": 0.2})
    resolve(where.reports, "reach-4-12m", True)
    found = score_ledger(where, DONE.date()).as_dict()
    assert found["questions"]["resolved"] == 1
    (moved,) = found["edits"]
    assert (moved["edits"], moved["n"], moved["brier_before"]) == ([], 1, pytest.approx(0.81))
    assert moved["difference"]["brier"]["mean"] == pytest.approx(0.64 - 0.81)
    model = next(row for row in found["scores"] if row["author"] == "model")
    assert model["scores"]["brier"] == {"mean": pytest.approx(0.64), "standard_error": None, "n": 1, "windows": 1}


def test_a_report_says_how_earlier_numbers_did(tmp_path: Path) -> None:
    assert past_performance(tmp_path, NOW.date()) == {}
    published(tmp_path, chances={"reach-4-12m": 0.04, "event-direct-action-12m": 0.1})
    resolve(tmp_path, "reach-4-12m", False)
    resolve(tmp_path, "event-direct-action-12m", True)
    resolve(tmp_path, "count-designation-12m", 2)
    found = past_performance(tmp_path, DONE.date())
    assert found["questions"]["resolved"] == 3
    report: Any = SimpleNamespace(past_performance=PastPerformance.model_validate(found))
    table = past_performance_table(report)
    assert ("Levels reached within 12 months", "1", "1", "Brier", "0.002", "0.010", "0.040") in table.rows
    assert ("Events within 12 months", "1", "1", "Brier", "0.810", "–", "–") in table.rows
    assert {row[0] for row in table.rows} >= {"Numbers of events within 12 months", "At least one event within 12 months"}
    assert past_performance_summary(report).startswith("Of the questions of earlier runs in the ledger: ")
    assert past_performance_summary(SimpleNamespace(past_performance=None)) == ""  # type: ignore[arg-type]
