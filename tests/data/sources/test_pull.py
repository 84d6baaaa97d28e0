"""A pull from end to end: publishers played by a server on this machine, a copy of the bundled data, the command."""

from __future__ import annotations

import difflib
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from click.testing import Result

import tests.support.publishers as play
from forecast.data.as_of import as_of, newest_vintages
from forecast.data.data_readme import readme_text
from forecast.data.freshness import freshness
from forecast.data.read import read_data
from forecast.data.sources.registry import CONNECTORS, select_connectors
from forecast.domain import month
from forecast.errors import InputError, SourceError, UsageError
from forecast.jobs.data import pull as job
from forecast.jobs.data.pull import PullOutcome, pull_sources
from forecast.storage.locks import folder_lock
from forecast.workspace import PACKAGE, Workspace
from tests.support.publishers import Answer, Publisher, in_good_order, publisher

SECRET = "s3cr3t-t0k3n"
KEYS = ("overdose", "gpr", "tpu", "usdmxn")

type Command = Callable[..., Result]


@pytest.fixture
def played(workspace: Workspace) -> Iterator[Publisher]:
    with publisher() as server:
        in_good_order(server, workspace.data)
        yield server


def pulled(workspace: Workspace, played: Publisher, now: datetime, *names: str, **how: Any) -> dict[str, PullOutcome]:
    how = {"environ": {}, "limits": play.HASTE, "endpoints": play.endpoints(played), **how}
    return {outcome.source: outcome for outcome in pull_sources(workspace, names, now=now, **how)}


def failing(workspace: Workspace, played: Publisher, now: datetime, *names: str, **how: Any) -> tuple[SourceError, dict[str, PullOutcome]]:
    heard: list[PullOutcome] = []
    with pytest.raises(SourceError) as failed:
        pulled(workspace, played, now, *names, on_outcome=heard.append, **how)
    assert failed.value.exit_code == 6
    return failed.value, {outcome.source: outcome for outcome in heard}


def contents(workspace: Workspace) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in workspace.data.iterdir() if p.is_file() and p.name != ".fetched.json"}


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, tuple[list[str], list[str]]]:
    """File → lines that are gone, lines that are new."""
    out = {}
    for name in sorted(before | after):
        if before.get(name) != after[name]:
            diff = list(difflib.unified_diff(before[name].decode().splitlines(), after[name].decode().splitlines(), n=0, lineterm=""))[2:]
            out[name] = [d[1:] for d in diff if d.startswith("-")], [d[1:] for d in diff if d.startswith("+")]
    return out


def test_a_first_pull_adds_what_is_new_and_the_data_stay_sound(workspace: Workspace, played: Publisher, now: datetime) -> None:
    before, held = contents(workspace), read_data(workspace.data)
    outcomes = pulled(workspace, played, now)
    data = read_data(workspace.data)
    assert {key: (o.status, o.rows) for key, o in outcomes.items()} == {
        "overdose": ("new rows", len(play.newest_release(workspace.data))),
        "gpr": ("new rows", 4),
        "tpu": ("new rows", 27 * 6),
        "usdmxn": ("new rows", 2),
    }
    diff = changed(before, contents(workspace))
    assert set(diff) == {"README.md", "coverage.toml", "indicators.csv", "overdose_releases.csv"}
    assert diff["indicators.csv"][0] == diff["overdose_releases.csv"][0] == []
    assert '2026-06,gprc_mex,0.198765,per cent of articles,2026-11-24,"Caldara and Iacoviello, GPR index"' in diff["indicators.csv"][1]
    assert "2026-07,usdmxn_avg,17.6125,MXN per USD,2026-11-24,Federal Reserve H.10 monthly averages" in diff["indicators.csv"][1]
    assert "2026-11-24,2026-02,synthetic_opioids,36001,36701,0.31" in diff["overdose_releases.csv"][1]
    assert (workspace.data / "README.md").read_text(encoding="utf-8") == readme_text(data)
    assert (data.coverage["overdose_releases.csv"], data.coverage["indicators.csv"]) == (date(2026, 11, 24), date(2026, 7, 31))
    assert {f: d for f, d in data.coverage.items() if f not in ("overdose_releases.csv", "indicators.csv")} == {
        f: d for f, d in held.coverage.items() if f not in ("overdose_releases.csv", "indicators.csv")
    }
    assert diff["coverage.toml"][1] == ["covered_through = 2026-11-24", "covered_through = 2026-07-31"]
    # Each row stands where the order of its file has it.
    assert list(data.indicators) == sorted(data.indicators, key=lambda r: (r.series, r.month, r.published.last))
    assert list(data.overdose_releases) == sorted(data.overdose_releases, key=lambda r: (r.published.last, r.indicator, r.period_end))


def test_nothing_new_means_that_every_byte_stays(small: Workspace, played: Publisher, now: datetime) -> None:
    pulled(small, played, now)
    before = contents(small)
    for later in (now, now + timedelta(days=3)):
        (small.data / ".fetched.json").unlink()  # so that the bodies are fetched and compared, not just the stamps
        outcomes = pulled(small, played, later)
        assert {o.status for o in outcomes.values()} == {"nothing new"}
        assert contents(small) == before


def test_what_has_not_changed_is_not_sent_again(small: Workspace, played: Publisher, now: datetime) -> None:
    sample = "overdose", "usdmxn"
    pulled(small, played, now, *sample)
    first = len(played.asked)
    assert pulled(small, played, now, *sample)["usdmxn"].detail == "not changed since the last pull"
    again = played.asked[first:]
    # The one sends an ETag, the other none.
    assert [("if-none-match" in a.headers, a.path) for a in again] == [(False, play.OVERDOSE), (False, play.OVERDOSE), (True, play.FRED)]


def test_rows_that_were_taken_back_are_fetched_again(small: Workspace, played: Publisher, now: datetime) -> None:
    before = contents(small)
    pulled(small, played, now, "gpr")
    for name in ("indicators.csv", "coverage.toml"):
        (small.data / name).write_bytes(before[name])
    assert pulled(small, played, now, "gpr")["gpr"].rows == 4


def test_a_month_that_ends_after_the_pull_is_taken_from_the_same_file_later(small: Workspace, played: Publisher, now: datetime) -> None:
    pesos = play.monthly(small.data, "usdmxn_avg")
    played.answers[play.FRED] = play.kept(play.fred_file({**pesos, "2026-11": 17.5}))
    assert pulled(small, played, now, "usdmxn")["usdmxn"].status == "nothing new"
    assert pulled(small, played, now, "usdmxn")["usdmxn"].detail == "not changed since the last pull"
    assert pulled(small, played, now + timedelta(days=8), "usdmxn")["usdmxn"].rows == 1


def test_a_memory_that_is_damaged_is_forgotten(small: Workspace, played: Publisher, now: datetime) -> None:
    pulled(small, played, now, "usdmxn")
    for text in ("{", "[]", '{"usdmxn": 3}', '{"usdmxn": {"held": "x", "stamps": [1]}}'):
        (small.data / ".fetched.json").write_text(text, encoding="utf-8")
        assert pulled(small, played, now, "usdmxn")["usdmxn"].status == "nothing new"


def test_a_memory_that_is_no_file_is_passed_over(small: Workspace, played: Publisher, now: datetime) -> None:
    memory = small.data / ".fetched.json"
    os.mkfifo(memory)
    assert pulled(small, played, now, "usdmxn")["usdmxn"].status == "new rows"
    memory.unlink()
    with memory.open("wb") as file:
        file.truncate(10**9)
    assert pulled(small, played, now, "usdmxn")["usdmxn"].status == "nothing new"


def test_a_revision_is_a_new_row_and_the_old_one_stays_known_as_of_then(small: Workspace, played: Publisher, now: datetime) -> None:
    old = play.monthly(small.data, "usdmxn_avg")
    played.answers[play.FRED] = play.kept(play.fred_file({**old, "2026-05": 17.4}))
    before = contents(small)
    assert pulled(small, played, now, "usdmxn")["usdmxn"].rows == 1
    diff = changed(before, contents(small))
    assert diff["indicators.csv"] == ([], ["2026-05,usdmxn_avg,17.4,MXN per USD,2026-11-24,Federal Reserve H.10 monthly averages"])
    assert "coverage.toml" not in diff

    def may(day: date) -> float:
        rows = newest_vintages(as_of(read_data(small.data), day).indicators)
        return next(r.value for r in rows if r.series == "usdmxn_avg" and r.month == month("2026-05"))

    assert (may(date(2026, 11, 23)), may(date(2026, 11, 24))) == (old["2026-05"], 17.4)


def test_a_series_that_went_on_after_its_expected_stop_has_not_stopped(small: Workspace, played: Publisher, now: datetime) -> None:
    def state(of: str) -> str:
        return next(row.status for row in freshness(read_data(small.data), now.date()) if row.series == of)

    assert state("usdmxn_avg") == "stopped (expected)"
    pulled(small, played, now, "usdmxn")
    assert state("usdmxn_avg") == "late"


def test_comments_line_ends_and_quotes_of_the_files_stay(small: Workspace, played: Publisher, now: datetime) -> None:
    file, coverage = small.data / "indicators.csv", small.data / "coverage.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    coverage.write_text(
        coverage.read_text(encoding="utf-8").replace(
            'covered_through = 2026-06-30\nnote = "Series', 'covered_through = 2026-06-30  # mine\nnote = "Series'
        ),
        encoding="utf-8",
    )
    before = contents(small)
    pulled(small, played, now, "usdmxn")
    after = contents(small)
    kept_lines = set(before["indicators.csv"].splitlines(keepends=True))
    added = [line for line in after["indicators.csv"].splitlines(keepends=True) if line not in kept_lines]
    assert len(added) == 2
    assert all(line.endswith(b"\r\n") for line in added)
    assert after["coverage.toml"] == before["coverage.toml"].replace(b"2026-06-30  # mine", b"2026-07-31  # mine")


def test_a_readme_of_ones_own_is_left_alone(small: Workspace, played: Publisher, now: datetime) -> None:
    (small.data / "README.md").write_text("mine", encoding="utf-8")
    pulled(small, played, now, "usdmxn")
    assert (small.data / "README.md").read_text(encoding="utf-8") == "mine"


def test_a_source_that_fails_leaves_its_data_and_the_others_go_on(small: Workspace, played: Publisher, now: datetime) -> None:
    before = contents(small)
    played.answers[play.OVERDOSE] = Answer(b"", 503)
    played.answers[play.GPR] = Answer(b"<html>Moved</html>")
    error, outcomes = failing(small, played, now)
    assert {key: o.status for key, o in outcomes.items()} == {
        "overdose": "failed",
        "gpr": "failed",
        "tpu": "new rows",
        "usdmxn": "new rows",
    }
    assert "2 of 4 sources failed" in str(error)
    assert "overdose: data.cdc.gov" not in str(error)  # it is the server on this machine that is named
    assert "overdose: 127.0.0.1" in str(error)
    assert "gpr: data_gpr_export.xls is a web page; expected a workbook" in str(error)
    after = contents(small)
    assert after["overdose_releases.csv"] == before["overdose_releases.csv"]
    assert not [line for line in changed(before, after)["indicators.csv"][1] if "gpr" in line]
    read_data(small.data)
    in_good_order(played, small.data)
    assert pulled(small, played, now, "gpr")["gpr"].rows == 4


BROKEN: dict[str, Callable[[Publisher], object]] = {
    "drift": lambda p: p.answers.update({play.FRED: Answer(b"observation_date,EXMX\n2026-06-01,17\n")}),
    "truncated": lambda p: p.answers.update({play.FRED: Answer(b"observation_date,EXMXUS\n2026-06", declared=5000)}),
    "truncated unnoticed": lambda p: p.answers.update({play.FRED: Answer(b"observation_date,EXMXUS\n2026-06-01,1")}),
    "slow": lambda p: p.answers.update({play.FRED: Answer(b"observation_date,EXMXUS\n", drip=0.1)}),
    "endless": lambda p: p.answers.update({play.FRED: Answer(b"0" * 65_536, endless=True)}),
    "another host": lambda p: p.answers.update({play.FRED: Answer(b"", 302, {"Location": "http://localhost:9/graph/fredgraph.csv"})}),
    "gone": lambda p: p.answers.update({play.FRED: Answer(b"", 404)}),
    "a page": lambda p: p.answers.update({play.FRED: Answer(b"<!DOCTYPE html>", headers={"Content-Type": "text/html"})}),
    "no rows": lambda p: p.answers.update({play.FRED: Answer(b"observation_date,EXMXUS\n")}),
    "zeros": lambda p: p.answers.update({play.FRED: Answer(b"observation_date,EXMXUS\n2026-06-01,0\n")}),
    "a month": lambda p: p.answers.update({play.FRED: Answer(b"observation_date,EXMXUS\n2026-06-01,17\n")}),
}


@pytest.mark.parametrize("how", BROKEN)
def test_whatever_goes_wrong_not_a_byte_changes(small: Workspace, played: Publisher, now: datetime, how: str) -> None:
    before = contents(small)
    BROKEN[how](played)
    _, outcomes = failing(small, played, now, "usdmxn")
    assert outcomes["usdmxn"].detail
    assert contents(small) == before
    assert not (small.data / ".fetched.json").exists()


def test_a_moved_link_on_the_same_host_is_followed(small: Workspace, played: Publisher, now: datetime) -> None:
    played.answers["/new/place.csv"] = played.answers[play.FRED]
    played.answers[play.FRED] = Answer(b"", 301, {"Location": "/new/place.csv"})
    assert pulled(small, played, now, "usdmxn")["usdmxn"].rows == 2


def test_pages_are_put_together_and_none_is_read_twice(small: Workspace, played: Publisher, now: datetime) -> None:
    """A server that never sends more than 1,000 rows, and has more of them for one indicator, back to 1926."""
    label = next(iter(play.INDICATOR_SERIES))
    rows = play.newest_release(small.data)
    first = min((r for r in rows if r["indicator"] == label), key=lambda r: (r["year"], play.MONTHS.index(r["month"])))
    older = (f"{y}-{m:02d}" for y in range(1926, int(first["year"])) for m in range(1, 13))
    rows += [play.provisional(label, period, first["data_value"], None, "0.2") for period in older]
    played.answers[play.OVERDOSE] = play.soda(play.alphabetical(rows), page=1000)
    assert pulled(small, played, now, "overdose")["overdose"].rows == sum(r["indicator"] == label for r in rows) > 1000
    assert [a.query["$offset"] for a in played.asked] == ["0", "0", "1000"]


def test_the_errors_of_the_interface_are_quoted_and_the_key_is_not(small: Workspace, played: Publisher, now: datetime) -> None:
    for envelope in (
        {"message": f"Invalid app_token {SECRET}", "errorCode": "x", "data": {}},
        {"code": "x", "error": True, "message": f"No {SECRET}"},
    ):
        played.answers[play.OVERDOSE] = Answer(json.dumps(envelope).encode(), 400)
        error, _ = failing(small, played, now, "overdose", environ={"SOCRATA_APP_TOKEN": SECRET})
        assert str(envelope["message"]).replace(SECRET, "…") in str(error)
        assert SECRET not in str(error)
    assert played.asked[-1].headers["x-app-token"] == SECRET


def test_the_key_goes_to_its_publisher_alone_and_only_if_there_is_one(small: Workspace, played: Publisher, now: datetime) -> None:
    pulled(small, played, now, "overdose", "usdmxn", environ={"SOCRATA_APP_TOKEN": SECRET})
    assert {a.path for a in played.asked if SECRET in str(a.headers)} == {play.OVERDOSE}
    assert not any(
        SECRET in text for text in (p.read_text(encoding="utf-8", errors="replace") for p in small.data.iterdir() if p.is_file())
    )
    assert play.FRED in played.paths
    played.asked.clear()
    pulled(small, played, now, "overdose")
    assert not any("x-app-token" in a.headers for a in played.asked)


def test_a_key_that_cannot_be_one_is_refused_and_not_shown(small: Workspace, played: Publisher, now: datetime) -> None:
    error, _ = failing(small, played, now, "overdose", environ={"SOCRATA_APP_TOKEN": f"{SECRET}\r\nX: y"})
    assert "SOCRATA_APP_TOKEN" in str(error)
    assert SECRET not in str(error)
    assert not played.asked


def test_a_series_that_is_used_for_nothing_is_not_pulled(small: Workspace, played: Publisher, now: datetime) -> None:
    file = small.data / "sources.toml"
    text = file.read_text(encoding="utf-8")
    start = text.index("[tpu]")
    file.write_text(text[:start] + text[text.index("\n[", start) + 1 :], encoding="utf-8")
    outcomes = pulled(small, played, now)
    assert (outcomes["tpu"].status, outcomes["tpu"].used_for) == ("not pulled", {})
    assert play.TPU not in played.paths
    assert outcomes["gpr"].used_for == {"gpr_global": "check", "gprc_mex": "check"}


def test_data_that_are_refused_are_not_added_to(small: Workspace, played: Publisher, now: datetime) -> None:
    (small.data / "polls.csv").write_text("x\n", encoding="utf-8")
    with pytest.raises(InputError):
        pulled(small, played, now)
    assert not played.asked


def test_rows_that_would_make_the_data_unsound_are_not_written(
    small: Workspace, played: Publisher, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A series that sources.toml does not know gets past everything before the last check."""
    connector = select_connectors(["usdmxn"])[0]
    odd = replace(connector, series=(replace(connector.series[0], cells={"unit": "MXN per USD", "source": "x", "series": "unheard_of"}),))
    monkeypatch.setattr("forecast.data.sources.registry.CONNECTORS", (odd,))
    before = contents(small)
    _, outcomes = failing(small, played, now)
    assert "would not be valid" in outcomes["usdmxn"].detail
    assert "unheard_of" in outcomes["usdmxn"].detail
    assert contents(small) == before


def test_a_disk_that_refuses_leaves_all_as_it_was(
    small: Workspace, played: Publisher, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(small)
    real = os.replace

    def refuse(source: Any, to: Any) -> None:
        if str(to).endswith("indicators.csv") and str(source) != str(to):
            raise OSError(28, "No space left on device")
        real(source, to)

    monkeypatch.setattr(os, "replace", refuse)
    _, outcomes = failing(small, played, now, "usdmxn")
    assert "No space left" in outcomes["usdmxn"].detail
    assert contents(small) == before


def test_two_pulls_at_once_add_everything_once(small: Workspace, played: Publisher, now: datetime) -> None:
    done: list[dict[str, PullOutcome]] = []
    held = len(read_data(small.data).indicators)
    both = [threading.Thread(target=lambda: done.append(pulled(small, played, now, "gpr", "usdmxn"))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(done) == 2
    assert sorted((one["gpr"].rows, other["gpr"].rows) for one, other in [done]) in ([(0, 4)], [(4, 0)])
    assert sum(one["usdmxn"].rows for one in done) == 2
    assert len(read_data(small.data).indicators) == held + 4 + 2


def test_a_writer_that_holds_the_folder_is_waited_for(small: Workspace, played: Publisher, now: datetime) -> None:
    done: list[dict[str, PullOutcome]] = []
    thread = threading.Thread(target=lambda: done.append(pulled(small, played, now, "usdmxn")))
    before = contents(small)
    with folder_lock(small.data):
        thread.start()
        thread.join(0.4)
        assert thread.is_alive()
        assert contents(small) == before
    thread.join()
    assert done[0]["usdmxn"].rows == 2


def test_progress_is_told_source_by_source(small: Workspace, played: Publisher, now: datetime) -> None:
    played.answers[play.FRED] = [Answer(b"", 503), Answer(play.fred_file({**play.monthly(small.data, "usdmxn_avg"), "2026-06": 17.5}))]
    messages: list[tuple[str, float | None, str]] = []
    pulled(small, played, now, "tpu", "usdmxn", progress=lambda stage, done=None, message="": messages.append((stage, done, message)))
    assert [stage for stage, done, _ in messages if done == 0.0] == ["tpu", "usdmxn"]
    assert ("tpu", 1.0, "162 new rows") in messages
    assert ("usdmxn", 1.0, "1 new rows") in messages
    assert [m for s, d, m in messages if d is None and s == "usdmxn"] == [
        f"try 2 of 3: {played.endpoint.host} answered 503 Service Unavailable"
    ]


def test_a_source_goes_by_its_word_or_by_its_series() -> None:
    assert tuple(c.key for c in select_connectors([])) == tuple(c.key for c in CONNECTORS) == KEYS
    for words, keys in {
        ("gprc_mex",): ("gpr",),
        ("overdose_releases",): ("overdose",),
        ("usdmxn", "tpu", "usdmxn_avg"): ("tpu", "usdmxn"),
    }.items():
        assert tuple(c.key for c in select_connectors(words)) == keys
    with pytest.raises(UsageError, match="Did you mean 'overdose'"):
        select_connectors(["overdoses"])
    with pytest.raises(UsageError, match="There is no source 'indicators'"):
        select_connectors(["indicators"])


def test_every_connector_is_complete() -> None:
    for c in CONNECTORS:
        assert c.host in play.HOSTS
        assert all(r.path.startswith("/") for r in c.requests)
        for series in c.series:
            assert set(c.target.record.model_fields) == {c.target.series, c.target.month, "published", *c.target.values, *series.cells}
            assert 0 <= series.least < series.most


def test_the_copy_inside_a_package_is_not_edited(small: Workspace, played: Publisher, now: datetime) -> None:
    with pytest.raises(UsageError, match="forecast init"):
        pulled(replace(small, data=PACKAGE / "_small" / "data"), played, now)


@pytest.fixture
def directed(played: Publisher, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    """The command, with its publishers played."""
    monkeypatch.setattr(job, "pull_sources", partial(pull_sources, endpoints=play.endpoints(played), limits=play.HASTE))
    return played


def test_the_command_prints_what_became_of_each_source(small: Workspace, directed: Publisher, command: Command) -> None:
    root = small.data.parent
    result = command("data", "pull", "--workspace", root)
    assert result.exit_code == 0, result.stderr
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert rows[0] == ["source", "file", "used_for", "status"]
    assert rows[2] == ["gpr", "indicators.csv", "gpr_global check, gprc_mex check", "4 new rows"]
    assert [row[3] for row in rows[3:]] == ["162 new rows", "2 new rows"]
    assert "gpr 0 %" in result.stderr
    again = command("data", "pull", "usdmxn", "--workspace", root, "-q")
    assert again.stdout.splitlines()[1].endswith("nothing new: not changed since the last pull")
    assert again.stderr == ""


def test_the_command_as_json_and_with_a_failure(small: Workspace, directed: Publisher, command: Command) -> None:
    directed.answers[play.GPR] = Answer(b"", 404)
    result = command("--json", "data", "pull", "--workspace", small.data.parent, environ={"SOCRATA_APP_TOKEN": SECRET})
    assert result.exit_code == 6
    document = {row["source"]: row for row in json.loads(result.stdout)["pulled"]}
    assert {key: (row["status"], row["rows"] > 0) for key, row in document.items()} == {
        "overdose": ("new rows", True),
        "gpr": ("failed", False),
        "tpu": ("new rows", True),
        "usdmxn": ("new rows", True),
    }
    assert document["overdose"]["used_for"] == {"all_drugs": "driver", "synthetic_opioids": "driver"}
    assert "1 of 4 sources failed" in result.stderr
    assert "gpr: " in result.stderr
    assert SECRET not in result.stdout + result.stderr


def test_the_command_says_whom_it_would_ask_and_asks_nobody(small: Workspace, directed: Publisher, command: Command) -> None:
    result = command("data", "pull", "--dry-run", "--json", "--workspace", small.data.parent)
    assert result.exit_code == 0
    addresses = [row["address"] for row in json.loads(result.stdout)]
    assert len(addresses) == 5
    assert all(address.startswith("https://") for address in addresses)
    assert not directed.asked
    assert command("data", "pull", "fredd", "--workspace", small.data.parent).exit_code == 2


def test_the_list_of_sources_says_what_each_is_used_for_and_what_pulls_it(workspace: Workspace, command: Command) -> None:
    result = command("data", "sources", "--json", "--workspace", workspace.data.parent)
    rows = {row["series"]: row for row in json.loads(result.stdout)}
    assert list(rows) == list(read_data(workspace.data).sources)
    assert {k: r["pulled_by"] for k, r in rows.items() if r["pulled_by"]} == {
        "overdose_releases": "overdose", "gprc_mex": "gpr", "gpr_global": "gpr", "tpu": "tpu", "usdmxn_avg": "usdmxn",
    }  # fmt: skip
    assert rows["tpu"]["used_for"] == "check"
    assert rows["gprc_mex"]["terms"] == "CC BY 4.0"
