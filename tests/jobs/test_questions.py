"""What runs and persons leave in the ledger, what is refused, and every kind of tampering that the audit has to see."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from forecast.errors import ForecastError, StoreError, UsageError
from forecast.jobs.questions import record
from forecast.jobs.questions.freeze import enter_published_runs, read_question_ledger
from forecast.jobs.questions.verify import verify_ledger
from forecast.runs import ledger, manifest, publication_lock
from forecast.runs.ledger import Head
from tests.conftest import NOW
from tests.support.ledgers import FIRST, SECOND, THIRD, example, publish, published

Q = "reach-4-12m@2026-06"
COUNT = "count-designation-12m@2026-06"
AFTER = datetime(2027, 8, 30, tzinfo=UTC)


def predict(reports: Path, name: str = Q, p: float = 0.1, by: str = "ann", now: datetime = NOW) -> int:
    return record.record_prediction(reports, name, p, by, None, now).number


def resolve(reports: Path, name: str = Q, outcome: bool | int = True, day: str = "2027-08-29", now: datetime = AFTER, **how: Any) -> int:
    told = {"about": "known", "source": "a court", "by": "bob", "why": None, "settles": None} | how
    return record.record_resolution(reports, name, outcome, day=day, now=now, **told).number


def test_a_published_run_freezes_its_open_questions_once(tmp_path: Path) -> None:
    report = example(FIRST)
    publish(tmp_path, report)
    still_open = [q for q in report["questions"] if q["window"]["end"] >= "2026-11"]
    assert 0 < len(still_open) < len(report["questions"])
    assert enter_published_runs(tmp_path, NOW) == len(still_open)
    assert enter_published_runs(tmp_path, NOW) == 0
    (entry,) = ledger.read(tmp_path)
    assert (entry.kind, entry.created, entry.content["run_id"], entry.content["origin"]) == ("forecast", NOW, FIRST, "2026-06")
    assert entry.content["priors_digest"] == report["priors_digest"]
    frozen = {row["id"]: row for row in entry.content["questions"]}
    assert set(frozen) == {f"{q['id']}@2026-06" for q in still_open}
    base = {row["id"]: row for row in report["baselines"]}
    for q in still_open:
        row = frozen[f"{q['id']}@2026-06"]
        for key in ("text", "probability", "probability_known", "expected", "interval", "resolution_date"):
            assert row[key] == q[key]
        assert row["baselines"]["persistence"] == base[q["id"]]["persistence"]
    assert verify_ledger(tmp_path).problems == ()


def test_a_window_ends_with_its_last_day(tmp_path: Path) -> None:
    publish(tmp_path, example(FIRST))
    enter_published_runs(tmp_path, datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert "event-deemed-sufficient-6m@2026-06" in read_question_ledger(tmp_path).questions
    shutil.rmtree(tmp_path / ledger.FOLDER)
    enter_published_runs(tmp_path, datetime(2027, 1, 1, tzinfo=UTC))
    assert "event-deemed-sufficient-6m@2026-06" not in read_question_ledger(tmp_path).questions


def test_runs_that_wait_are_entered_oldest_first(tmp_path: Path) -> None:
    for run_id in (FIRST, SECOND, THIRD):
        publish(tmp_path, example(run_id))
    enter_published_runs(tmp_path, NOW + timedelta(days=3))
    assert [entry.content["run_id"] for entry in ledger.read(tmp_path)] == [FIRST, SECOND, THIRD]
    assert [f.run_id for f in read_question_ledger(tmp_path).questions[Q].forecasts] == [FIRST, SECOND, THIRD]


def test_without_a_published_run_nothing_is_made(tmp_path: Path) -> None:
    assert enter_published_runs(tmp_path, NOW) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_run_from_before_the_ledger_is_left_out(tmp_path: Path) -> None:
    report = example(FIRST) | {"schema_version": "1"}
    del report["baselines"]
    publish(tmp_path, report)
    assert enter_published_runs(tmp_path, NOW) == 0
    assert verify_ledger(tmp_path).problems == ()


def test_a_persons_own_question(tmp_path: Path) -> None:
    said = record.add_question(tmp_path, "pact", "  Is there\n a pact? ", date(2027, 1, 1), " ann ", "https://example.org", NOW)
    assert said.content["text"] == "Is there a pact?"
    asked = read_question_ledger(tmp_path).questions["pact"]
    assert (asked.by, asked.link, asked.resolves, asked.state(NOW.date())) == ("ann", "https://example.org", date(2027, 1, 1), "open")
    assert asked.state(date(2027, 1, 2)) == "due"


@pytest.mark.parametrize(
    ("slug", "text", "day", "by", "said"),
    [
        ("Pact", "?", date(2027, 1, 1), "ann", "cannot be the id"),
        ("pact@2026-06", "?", date(2027, 1, 1), "ann", "cannot be the id"),
        ("reach-4-12m", "?", date(2027, 1, 1), "ann", "looks like a question of the model"),
        ("pact", " ", date(2027, 1, 1), "ann", "is empty"),
        ("pact", "\x1b[2J", date(2027, 1, 1), "ann", "unprintable"),
        ("pact", "\udcff", date(2027, 1, 1), "ann", "unprintable"),
        ("pact", "?", date(2026, 11, 23), "ann", "is past"),
        ("pact", "?", date(2027, 1, 1), "Model", "is not a person's name"),
        ("pact", "?", date(2027, 1, 1), "a" * 61, "61 characters"),
    ],
)
def test_questions_that_are_refused(tmp_path: Path, slug: str, text: str, day: date, by: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        record.add_question(tmp_path, slug, text, day, by, None, NOW)
    assert ledger.read(tmp_path) == ()


def test_an_id_is_taken_once(tmp_path: Path) -> None:
    record.add_question(tmp_path, "pact", "?", date(2027, 1, 1), "ann", None, NOW)
    with pytest.raises(UsageError, match="already"):
        record.add_question(tmp_path, "pact", "another?", date(2027, 1, 1), "bob", None, NOW)


def test_numbers_of_persons(tmp_path: Path) -> None:
    published(tmp_path)
    predict(tmp_path, "reach-4-12", 0.2)
    predict(tmp_path, Q, 0.3)
    predict(tmp_path, Q, 0.4, by="bob")
    assert [(p.by, p.probability) for p in read_question_ledger(tmp_path).questions[Q].predictions] == [
        ("ann", 0.2),
        ("ann", 0.3),
        ("bob", 0.4),
    ]


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, 1.5, float("nan"), float("inf")])
def test_what_is_no_probability_is_refused(tmp_path: Path, p: float) -> None:
    published(tmp_path)
    with pytest.raises(UsageError, match="not between 0 and 1"):
        predict(tmp_path, Q, p)


def test_names_that_are_not_of_one_question(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the ledger has none yet"):
        predict(tmp_path)
    published(tmp_path)
    with pytest.raises(UsageError, match=r"may mean reach-4-6m@2026-06, reach-4-12m@2026-06, reach-4-24m@2026-06"):
        predict(tmp_path, "reach-4")
    with pytest.raises(UsageError, match=r"Did you mean .*reach-4-12m@2026-06"):
        predict(tmp_path, "reech-4-12m@2026-06")
    with pytest.raises(UsageError, match="may mean"):
        predict(tmp_path, "count")
    with pytest.raises(UsageError, match="is not a question"):
        predict(tmp_path, "")


def test_a_number_comes_too_late_once_the_question_is_due_or_resolved(tmp_path: Path) -> None:
    published(tmp_path)
    predict(tmp_path, now=datetime(2027, 8, 29, 23, tzinfo=UTC))
    with pytest.raises(UsageError, match="was due on 2027-08-29"):
        predict(tmp_path, now=AFTER)
    number = resolve(tmp_path, day="2027-01-05", now=datetime(2027, 1, 6, tzinfo=UTC))
    with pytest.raises(UsageError, match="is resolved"):
        predict(tmp_path)
    record.record_dispute(tmp_path, Q, number, "carl", "It was a training flight.", AFTER)
    with pytest.raises(UsageError, match="is disputed"):
        predict(tmp_path)


@pytest.mark.parametrize(
    ("name", "outcome", "day", "now", "said"),
    [
        (Q, 3, "2027-08-29", AFTER, "is yes or no"),
        (COUNT, True, "2027-08-29", AFTER, "is a number"),
        (Q, False, "2027-07-01", AFTER, "was still open"),
        (COUNT, 2, "2027-08-28", AFTER, "was still open"),
        (Q, True, "2026-06-30", AFTER, "had not begun"),
        ("hold-4-12m@2026-06", True, "2027-05-31", AFTER, "had not begun"),
        (Q, True, "2027-08-31", AFTER, "is in the future"),
        (Q, True, "2027-08-30T00:01", AFTER, "is in the future"),
        (Q, True, "yesterday", AFTER, "is not a day"),
    ],
)
def test_resolutions_that_cannot_be_yet(tmp_path: Path, name: str, outcome: bool | int, day: str, now: datetime, said: str) -> None:
    published(tmp_path)
    with pytest.raises(UsageError, match=said):
        resolve(tmp_path, name, outcome, day, now)
    assert read_question_ledger(tmp_path).questions[name].resolutions == []


def test_a_resolution_stands_until_it_is_disputed_and_settled(tmp_path: Path) -> None:
    published(tmp_path)
    first = resolve(tmp_path, outcome=False)
    with pytest.raises(UsageError, match=f"To contest it: --disputes {first}"):
        resolve(tmp_path, outcome=True)
    with pytest.raises(UsageError, match="Its resolutions: "):
        record.record_dispute(tmp_path, Q, 1, "carl", "Wrong.", AFTER)
    with pytest.raises(UsageError, match="A dispute needs a reason"):
        record.record_dispute(tmp_path, Q, first, "carl", None, AFTER)
    over = record.record_dispute(tmp_path, Q, first, "carl", "A court says otherwise.", AFTER).number
    asked = read_question_ledger(tmp_path).questions[Q]
    assert asked.state(AFTER.date()) == "disputed"
    with pytest.raises(UsageError, match="disputes it already"):
        record.record_dispute(tmp_path, Q, first, "dora", "I think so too.", AFTER)
    with pytest.raises(UsageError, match=f"--settles {over}"):
        resolve(tmp_path, outcome=True)
    second = resolve(tmp_path, outcome=True, day="2027-03-01", settles=over)
    asked = read_question_ledger(tmp_path).questions[Q]
    assert asked.state(AFTER.date()) == "resolved"
    standing = asked.resolution()
    assert standing is not None
    assert (standing.number, standing.outcome, standing.settles) == (second, True, over)
    with pytest.raises(UsageError, match="has replaced entry"):
        record.record_dispute(tmp_path, Q, first, "dora", "Again.", AFTER)


def test_what_later_exposures_made_of_it_is_kept_beside(tmp_path: Path) -> None:
    published(tmp_path)
    resolve(tmp_path, outcome=False)
    resolve(tmp_path, outcome=True, about="happens", day="2029-06-30", now=datetime(2029, 7, 1, tzinfo=UTC))
    asked = read_question_ledger(tmp_path).questions[Q]
    known, happens = asked.resolution("known"), asked.resolution("happens")
    assert known is not None
    assert happens is not None
    assert (known.outcome, happens.outcome) == (False, True)
    with pytest.raises(UsageError, match="not about a level"):
        resolve(tmp_path, COUNT, 3, about="happens")


def test_only_what_was_entered_before_the_resolution_counts(tmp_path: Path) -> None:
    published(tmp_path)
    predict(tmp_path, p=0.1, now=datetime(2027, 1, 4, tzinfo=UTC))
    predict(tmp_path, p=0.2, now=datetime(2027, 1, 5, 13, tzinfo=UTC))
    predict(tmp_path, p=0.9, now=datetime(2027, 1, 5, 15, tzinfo=UTC))
    predict(tmp_path, p=0.99, now=datetime(2027, 1, 6, tzinfo=UTC))
    resolve(tmp_path, day="2027-01-05T14:00", now=datetime(2027, 2, 1, tzinfo=UTC))
    assert read_question_ledger(tmp_path).questions[Q].last_predictions()["ann"].probability == 0.2


def test_a_clock_set_back_makes_nothing_earlier(tmp_path: Path) -> None:
    published(tmp_path)
    predict(tmp_path, by="bob", now=datetime(2027, 1, 7, tzinfo=UTC))
    predict(tmp_path, p=0.99, now=datetime(2027, 1, 1, tzinfo=UTC))  # the event was on the 5th
    resolve(tmp_path, day="2027-01-05", now=datetime(2027, 2, 1, tzinfo=UTC))
    assert read_question_ledger(tmp_path).questions[Q].last_predictions() == {}
    assert "has an earlier time than entry 2" in verify_ledger(tmp_path).notes[0]


def test_a_question_in_other_words_is_another(tmp_path: Path) -> None:
    published(tmp_path)
    report = example(SECOND)
    next(q for q in report["questions"] if q["id"] == "reach-4-12m")["text"] = "Something else?"
    publish(tmp_path, report)
    enter_published_runs(tmp_path, NOW + timedelta(days=1))
    asked = read_question_ledger(tmp_path).questions[Q]
    assert [f.run_id for f in asked.forecasts] == [FIRST]
    assert verify_ledger(tmp_path).notes == (f"entry 2 words {Q} differently, so it is not scored as an answer to it",)


# Tampering that the chain alone cannot show: each is done to a ledger of two runs and a person's number, digests and head made anew.


def entries_of(reports: Path) -> list[dict[str, Any]]:
    folder = reports / ledger.FOLDER
    return [json.loads(p.read_text()) for p in sorted(folder.glob("0*.json"))]


def rewrite(reports: Path, bodies: list[dict[str, Any]]) -> None:
    """A ledger forged from scratch, its chain sound."""
    shutil.rmtree(reports / ledger.FOLDER)
    with ledger.writing(reports) as writer:
        for body in bodies:
            content = {k: v for k, v in body.items() if k not in ledger._FRAME}
            writer.append(body["kind"], content, datetime.fromisoformat(body["created"]))
    assert ledger.verify(reports) == ()


def raised(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    next(q for q in bodies[0]["questions"] if q["id"] == Q)["probability_known"] = 0.5
    return bodies


def other_baseline(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    bodies[2]["questions"][0]["baselines"]["persistence"] = 0.5
    return bodies


def question_out(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    bodies[2]["questions"].pop()
    return bodies


FORGERIES: dict[str, Callable[[list[dict[str, Any]]], list[dict[str, Any]]]] = {
    "a probability of the first run raised": raised,
    "a baseline of the last run changed": other_baseline,
    "a question of the last run taken out": question_out,
    "the first run taken out": lambda b: b[1:],
    "a person's number taken out": lambda b: [b[0], b[2]],
    "a person's number put in before the last run": lambda b: [b[0], {**b[1], "by": "eve"}, b[1], b[2]],
    "two entries exchanged": lambda b: [b[1], b[0], b[2]],
    "the last run cut off": lambda b: b[:2],
    "all but the first entry cut off": lambda b: b[:1],
    "the time of the first run set back": lambda b: [{**b[0], "created": "2026-08-01T00:00:00Z"}, *b[1:]],
    "everything cut off": lambda b: [],
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_ledger_forged_with_sound_digests_is_seen(tmp_path: Path, how: str) -> None:
    published(tmp_path)
    predict(tmp_path)
    published(tmp_path, SECOND)
    assert verify_ledger(tmp_path).problems == ()
    rewrite(tmp_path, FORGERIES[how](entries_of(tmp_path)))
    assert verify_ledger(tmp_path).problems != ()


def test_a_ledger_that_is_gone_is_missed(tmp_path: Path) -> None:
    published(tmp_path)
    shutil.rmtree(tmp_path / ledger.FOLDER)
    assert "its questions are not in the ledger" in verify_ledger(tmp_path).problems[0]


def test_a_head_noted_elsewhere_shows_what_nothing_else_can(tmp_path: Path) -> None:
    """The last entry is a person's: no run was made since that noted the head."""
    published(tmp_path)
    predict(tmp_path, p=0.1)
    noted = ledger.head(tmp_path)
    bodies = entries_of(tmp_path)
    rewrite(tmp_path, [bodies[0], {**bodies[1], "probability": 0.9}])
    assert verify_ledger(tmp_path).problems == ()
    assert "does not contain the head given" in verify_ledger(tmp_path, noted).problems[0]
    assert verify_ledger(tmp_path, Head(1, noted.digest)).problems != ()
    assert verify_ledger(tmp_path, Head(1, ledger.read(tmp_path)[0].sha256[:12])).problems == ()


def test_a_run_that_was_altered_is_a_problem(tmp_path: Path) -> None:
    path = published(tmp_path)
    (path / "report.json").write_text("{}")
    assert any("was altered" in problem for problem in verify_ledger(tmp_path).problems)
    (path / manifest.NAME).write_text("{}")
    assert any("noted cannot be read" in problem for problem in verify_ledger(tmp_path).problems)


def test_runs_that_were_pruned_are_not_missed(tmp_path: Path) -> None:
    path = published(tmp_path)
    published(tmp_path, SECOND)
    shutil.rmtree(path)
    found = verify_ledger(tmp_path)
    assert (found.problems, found.runs) == ((), 1)


def test_an_entry_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with ledger.writing(tmp_path) as writer:
        writer.append("prediction", {"question": "nothing"}, NOW)
    with pytest.raises(StoreError, match="cannot be understood"):
        read_question_ledger(tmp_path)
    assert "cannot be understood" in verify_ledger(tmp_path).problems[0]


def test_a_runs_entry_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    published(tmp_path)
    with ledger.writing(tmp_path) as writer:
        writer.append("forecast", {"nothing": 1}, NOW)
    assert "cannot be understood" in verify_ledger(tmp_path).problems[0]


def test_a_run_that_is_just_being_published_is_no_tampering(tmp_path: Path) -> None:
    published(tmp_path)
    moved = threading.Event()

    def work() -> None:
        with publication_lock.publisher(tmp_path, "forecast refit", NOW):
            publish(tmp_path, example(SECOND))
            moved.set()
            time.sleep(0.5)
            enter_published_runs(tmp_path, NOW + timedelta(days=1))

    publisher = threading.Thread(target=work)
    publisher.start()
    moved.wait()
    assert verify_ledger(tmp_path).problems == ()
    publisher.join()
    assert verify_ledger(tmp_path).runs == 2


def test_what_is_missing_is_told_also_while_a_publisher_is_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.jobs.questions.verify.MAX_WAIT_SECONDS", 0.3)
    published(tmp_path)
    shutil.rmtree(tmp_path / ledger.FOLDER)
    with publication_lock.publisher(tmp_path, "forecast refit", NOW):
        assert "its questions are not in the ledger" in verify_ledger(tmp_path).problems[0]


def test_a_head_that_is_one_behind_is_a_note(tmp_path: Path) -> None:
    published(tmp_path)
    head = tmp_path / ledger.FOLDER / ledger.HEAD
    before = head.read_bytes()
    predict(tmp_path)
    assert verify_ledger(tmp_path).notes == ()
    head.write_bytes(before)
    found = verify_ledger(tmp_path)
    assert found.problems == ()
    assert "the head is one entry behind" in found.notes[0]
    predict(tmp_path, p=0.3)
    assert verify_ledger(tmp_path).notes == ()


def test_a_damaged_run_is_not_entered(tmp_path: Path) -> None:
    path = publish(tmp_path, example(FIRST))
    (path / "report.json").write_text("{}")
    with pytest.raises(ForecastError, match="was altered"):
        enter_published_runs(tmp_path, NOW)
    assert ledger.read(tmp_path) == ()
