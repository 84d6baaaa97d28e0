"""The store keeps whole runs only, and says what is wrong with a damaged one."""

from __future__ import annotations

import errno
import os
import shutil
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import ForecastError, StoreError, UsageError
from forecast.runs import manifest, store
from forecast.storage import temporary_folder

IDS = ["20260101T000000Z-aaaaaa", "20260102T000000Z-bbbbbb", "20260102T000000Z-cccccc", "20260103T000000Z-dddddd"]


def fill(folder: Path) -> None:
    (folder / "report.md").write_text("# Report\n")
    (folder / "charts").mkdir()
    (folder / "charts" / "one.bin").write_bytes(bytes(range(256)))


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A store of four runs, the third published."""
    for run_id in IDS:
        store.write_run(tmp_path / "reports", run_id, fill, {"seed": 1})
    store.publish(tmp_path / "reports", IDS[2])
    return tmp_path / "reports"


def test_a_run_is_named_by_its_time_in_utc_and_its_digest() -> None:
    at = datetime(2026, 11, 24, 8, 15, 7, tzinfo=timezone(timedelta(hours=-6)))
    assert store.new_run_id(at, "ab12cdef") == "20261124T141507Z-ab12cd"
    assert store.made_at("20261124T141507Z-ab12cd") == at
    with pytest.raises(ValueError):
        store.new_run_id(at.replace(tzinfo=None), "ab12cdef")
    with pytest.raises(ValueError):
        store.new_run_id(at, "../../etc")


@given(st.lists(st.integers(0, 4 * 10**9), min_size=2, max_size=2))
def test_names_sort_by_age(seconds: list[int]) -> None:
    early, late = (datetime.fromtimestamp(s, UTC) for s in sorted(seconds))
    assert (store.new_run_id(early, "aaaaaa") < store.new_run_id(late, "aaaaaa")) == (early < late)


def test_a_run_holds_what_was_written_and_what_was_noted(reports: Path) -> None:
    found = manifest.read_manifest(reports / IDS[0])
    assert (found.run_id, dict(found.meta)) == (IDS[0], {"seed": 1})
    assert set(found.digests) == {"report.md", "charts/one.bin"}
    # The digest of the 256 byte values in order, as sha256sum prints it.
    assert found.digests["charts/one.bin"] == "40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880"
    assert manifest.verify(reports / IDS[0]) == ()


def test_latest_is_a_relative_link_that_survives_a_move(reports: Path, tmp_path: Path) -> None:
    assert os.readlink(reports / "latest") == IDS[2]
    moved = reports.rename(tmp_path / "elsewhere")
    assert store.resolve(moved, "latest") == moved / IDS[2]


def test_nothing_else_is_left_in_the_store(reports: Path) -> None:
    assert sorted(p.name for p in reports.iterdir()) == [*IDS, "latest"]


def test_listing_knows_the_published_run(reports: Path) -> None:
    assert [(r.run_id, r.latest) for r in store.list_runs(reports)] == [(i, i == IDS[2]) for i in IDS]
    assert store.list_runs(reports / "nowhere") == ()


@pytest.mark.parametrize(("name", "index"), [("latest", 2), (IDS[0], 0), ("20260103", 3), ("20260102T000000Z-c", 2)])
def test_a_run_is_found_by_its_id_the_beginning_of_it_or_latest(reports: Path, name: str, index: int) -> None:
    assert store.resolve(reports, name) == reports / IDS[index]


def test_a_run_is_found_by_its_path(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store.resolve(Path("other"), str(reports / IDS[1])) == reports / IDS[1]
    monkeypatch.chdir(reports)
    assert store.resolve(Path("other"), f"./{IDS[1]}") == reports / IDS[1]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("20260102", f"{IDS[1]}, {IDS[2]}"),
        ("20260101T000000Z-aaaaab", IDS[0]),
        ("nonsense", IDS[3]),
        ("", IDS[3]),
        ("..", "not a run"),
    ],
)
def test_a_name_that_means_no_run_or_several_is_refused_with_the_nearest(
    reports: Path, name: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(reports)
    with pytest.raises(UsageError, match=says):
        store.resolve(reports, name)


def test_an_empty_store_says_how_to_make_a_run(tmp_path: Path) -> None:
    for name in ("latest", "2026"):
        with pytest.raises(UsageError, match="forecast run"):
            store.resolve(tmp_path, name)


def test_a_failing_writer_leaves_nothing(reports: Path) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise RuntimeError("half way")

    before = sorted(reports.rglob("*"))
    with pytest.raises(RuntimeError, match="half way"):
        store.write_run(reports, "20260104T000000Z-eeeeee", fail, {})
    assert sorted(reports.rglob("*")) == before


def test_a_run_is_never_overwritten(reports: Path) -> None:
    with pytest.raises(ForecastError, match="exists already"):
        store.write_run(reports, IDS[0], fill, {"seed": 2})
    assert manifest.read_manifest(reports / IDS[0]).meta["seed"] == 1


def test_what_json_cannot_hold_is_not_noted(reports: Path) -> None:
    with pytest.raises(ValueError):
        store.write_run(reports, "20260104T000000Z-eeeeee", fill, {"x": float("nan")})
    assert [r.run_id for r in store.list_runs(reports)] == IDS


@given(position=st.integers(min_value=0), bit=st.integers(0, 7), which=st.sampled_from(["charts/one.bin", "report.md", "manifest.json"]))
def test_any_flipped_bit_is_found(tmp_path_factory: pytest.TempPathFactory, position: int, bit: int, which: str) -> None:
    run = store.write_run(tmp_path_factory.mktemp("store"), IDS[0], fill, {"seed": 1})
    path = run / which
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= 1 << bit
    path.write_bytes(content)
    assert len(manifest.verify(run)) == 1


def test_missing_and_shortened_files_and_foreign_manifests_are_found(reports: Path) -> None:
    (reports / IDS[0] / "report.md").unlink()
    (reports / IDS[0] / "charts" / "one.bin").write_bytes(b"short")
    missing, shortened = sorted(manifest.verify(reports / IDS[0]), reverse=True)
    assert "report.md is missing" in missing
    assert "has 5 bytes; 256 were written" in shortened
    (reports / IDS[1]).rename(reports / "20250101T000000Z-ffffff")
    assert "holds the manifest of run" in manifest.verify(reports / "20250101T000000Z-ffffff")[0]
    for text in ("", "[]", "{}", '{"sha256": 1}', "\x00"):
        (reports / IDS[3] / "manifest.json").write_text(text)
        assert len(manifest.verify(reports / IDS[3])) == 1
        with pytest.raises(StoreError):
            manifest.read_manifest(reports / IDS[3])


def test_a_damaged_run_is_not_published(reports: Path) -> None:
    (reports / IDS[3] / "report.md").write_text("# Rep0rt\n")
    with pytest.raises(StoreError, match="altered"):
        store.publish(reports, IDS[3])
    assert store.latest(reports) == reports / IDS[2]


def test_latest_that_points_nowhere_or_is_no_link_is_damage(reports: Path) -> None:
    (reports / IDS[2] / "manifest.json").unlink()
    with pytest.raises(StoreError, match="not a run"):
        store.resolve(reports, "latest")
    (reports / "latest").unlink()
    (reports / "latest").mkdir()
    with pytest.raises(StoreError, match="not a link"):
        store.publish(reports, IDS[0])


def test_pruning_keeps_the_newest_the_published_and_the_ledger(reports: Path) -> None:
    (reports / "ledger").mkdir()
    (reports / "ledger" / "entries.jsonl").write_text("{}\n")
    assert store.prune(reports, 1) == (IDS[0], IDS[1])
    assert sorted(p.name for p in reports.iterdir()) == [IDS[2], IDS[3], "latest", "ledger"]
    assert store.prune(reports, 0) == (IDS[3],)
    assert store.resolve(reports, "latest") == reports / IDS[2]
    assert (reports / "ledger" / "entries.jsonl").read_text() == "{}\n"
    with pytest.raises(ValueError):
        store.prune(reports, -1)


def test_pruning_makes_nothing_on_a_full_disk(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    monkeypatch.setattr(Path, "open", full)
    assert store.prune(reports, 1) == (IDS[0], IDS[1])
    assert sorted(p.name for p in reports.iterdir()) == [IDS[2], IDS[3], "latest"]


def test_what_a_killed_pruning_left_is_swept_up(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            store.prune(reports, 3)
    assert [run.run_id for run in store.list_runs(reports)] == IDS[1:]
    assert len(temporary_folder.remove_abandoned_stages(reports)) == 1
    assert sorted(p.name for p in reports.iterdir()) == [*IDS[1:], "latest"]


def test_a_full_disk_is_said_and_leaves_nothing(reports: Path) -> None:
    def write(folder: Path) -> None:
        (folder / "posterior.nc").symlink_to("/dev/full")  # the system's own full disk
        (folder / "posterior.nc").write_text("x")

    with pytest.raises(ForecastError, match=r"No space left on device.*prune"):
        store.write_run(reports, "20260104T000000Z-eeeeee", write, {})
    assert [p.name for p in reports.iterdir() if p.name.startswith(temporary_folder.STAGING_PREFIX)] == []


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ForecastError, match="in the way"):
        store.write_run(tmp_path / "file" / "reports", IDS[0], fill, {})
    monkeypatch.setattr(Path, "mkdir", refuse)  # the tests may run as root, whom no permission stops
    with pytest.raises(ForecastError, match="You may not write there"):
        store.write_run(tmp_path / "reports", IDS[0], fill, {})


def test_another_line_end_in_a_manifest_is_found(reports: Path) -> None:
    path = reports / IDS[0] / manifest.NAME
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r", 1))
    assert "altered since it was written" in manifest.verify(reports / IDS[0])[0]
