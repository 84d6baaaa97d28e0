"""The history of the priors: what is written is read back, the chain of digests holds, and what passed it by is seen."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import ForecastError, StoreError
from forecast.priors.apply_edits import begin_history, write_edits
from forecast.priors.catalogue import RENAMED
from forecast.priors.edit_log import BY_HAND, SHIPPED, HandEdit, HeadlineEstimate, read_history, revisions, specs_digest
from forecast.priors.load import load_priors
from forecast.priors.parsing import parse_prior
from forecast.priors.specs import PriorSpec
from forecast.workspace import Workspace, bundled_root

NOW = datetime(2026, 11, 24, 14, 15, 30, tzinfo=UTC)
OLD, NEW, NEWER = "Normal(1.6, 0.8)", "Normal(0.8, 0.3)", "Normal(1, 0.5)"


def specs(**texts: str) -> dict[str, PriorSpec]:
    names = {name.replace("__", "."): text for name, text in texts.items()}
    return {name: parse_prior(name, text) for name, text in names.items()}


def write(folder: Path, edits: Mapping[str, PriorSpec], now: datetime = NOW, why: str = "Because.", **more: HeadlineEstimate) -> None:
    write_edits(folder, load_priors(folder), edits, why=why, by="a test", source="judgement", now=now, **more)


def by_hand(folder: Path, old: str, new: str, file: str = "leverage.toml") -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    return workspace.priors


@pytest.fixture(scope="module")
def edited_twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edited") / "priors"
    shutil.copytree(bundled_root() / "priors", folder)
    write(folder, specs(leverage__effect=NEW, ladder__just_risen="Normal(2, 1)"))
    write(folder, specs(leverage__effect=NEWER), NOW.replace(year=2027))
    return folder


@pytest.fixture
def written(edited_twice: Path, tmp_path: Path) -> Path:
    """Three edits by two changes in two years."""
    return Path(shutil.copytree(edited_twice, tmp_path / "priors"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_bundled_prior_is_known_to_the_history(bundled: Workspace) -> None:
    """Change a prior by `forecast priors set`; what is edited past it would reach the reports as `edited by hand`."""
    result = revisions(load_priors(bundled.priors), bundled.priors)
    assert {name for name, message in result.items() if message["revision"] == BY_HAND} == set()
    assert (bundled.priors / "history" / "start.toml").is_file()


def test_what_is_written_is_read_back(written: Path) -> None:
    first, second, third = read_history(written).edits
    assert [e.number for e in (first, second, third)] == [1, 2, 3]
    assert [e.change for e in (first, second, third)] == [1, 1, 2]
    assert (first.name, first.old, first.new) == ("leverage.effect", OLD, NEW)
    assert (third.old, third.new, third.time) == (NEW, NEWER, NOW.replace(year=2027))
    assert (second.why, second.by, second.source, second.before, second.after) == ("Because.", "a test", "judgement", None, None)
    assert first.digest_before == second.digest_before != first.digest_after == second.digest_after == third.digest_before
    assert third.digest_after == load_priors(written).digest()
    assert sorted(p.name for p in (written / "history").iterdir()) == ["2026.toml", "2027.toml", "start.toml"]


def test_the_digests_are_a_chain_that_anyone_can_recompute(written: Path) -> None:
    previous = tomllib.loads((written / "history" / "start.toml").read_text(encoding="utf-8"))["sha256"]
    for year in ("2026", "2027"):
        for raw in tomllib.loads((written / "history" / f"{year}.toml").read_text(encoding="utf-8"))["edit"]:
            stated = raw.pop("sha256")
            text = json.dumps(raw | {"time": str(raw["time"])}, sort_keys=True, ensure_ascii=False)
            previous = hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
            assert stated == previous


def test_the_start_has_the_digest_of_the_priors(bundled: Workspace) -> None:
    priors = load_priors(bundled.priors)
    assert specs_digest({name: str(prior.spec) for name, prior in priors.items()}) == priors.digest()


def alter(folder: Path, file: str, old: str, new: str) -> None:
    by_hand(folder / "history", old, new, file)


def cut(folder: Path, file: str, which: int) -> None:
    path = folder / "history" / file
    head, *edits = path.read_text(encoding="utf-8").split("\n[[edit]]\n")
    del edits[which]
    path.write_text("\n[[edit]]\n".join([head, *edits]), encoding="utf-8")


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: alter(f, "2026.toml", "Because.", "Becuase."),
        lambda f: alter(f, "2026.toml", '"a test"', '"another"'),
        lambda f: alter(f, "2026.toml", '"Normal(2, 1)"', '"Normal(2, 2)"'),
        lambda f: alter(f, "2027.toml", "2027-11-24T14:15:30Z", "2027-11-24T14:15:31Z"),
        lambda f: alter(f, "2027.toml", "2027-11-24T14:15:30Z", "2027-11-24T14:15:30"),
        lambda f: alter(f, "2026.toml", "number = 2", "number = 4"),
        lambda f: alter(f, "2026.toml", "number = 2", "number = 1"),
        lambda f: alter(f, "2026.toml", "number = 2", 'number = "2"'),
        lambda f: alter(f, "2026.toml", "number = 2", "number = 2\nnote = 1"),
        lambda f: alter(f, "2026.toml", "[[edit]]", "[edit]"),
        lambda f: alter(f, "2026.toml", "[[edit]]", "[[edits]]"),
        lambda f: alter(f, "2026.toml", 'by = "a test"\n', ""),
        lambda f: alter(f, "start.toml", "Beta(1, 19)", "Beta(1, 9)"),
        lambda f: alter(f, "start.toml", "[priors]", "[prior]"),
        lambda f: cut(f, "2026.toml", 0),
        lambda f: cut(f, "2026.toml", 1),
        lambda f: (f / "history" / "2026.toml").unlink(),
        lambda f: (f / "history" / "start.toml").unlink(),
        lambda f: (f / "history" / "2026.toml").write_bytes(b"\xff"),
        lambda f: (f / "history" / "2028.toml").write_bytes((f / "history" / "2027.toml").read_bytes()),
    ],
)
def test_a_history_that_was_altered_is_refused(written: Path, damage: Callable[[Path], object]) -> None:
    damage(written)
    before = contents(written)
    with pytest.raises(StoreError, match="history/"):
        read_history(written)
    with pytest.raises(StoreError):
        write(written, specs(leverage__effect="Normal(0, 1)"))
    assert contents(written) == before


def test_comments_and_spaces_in_a_history_are_no_damage(written: Path) -> None:
    alter(written, "2026.toml", "change = 1", "change  =  1  # the first")
    assert len(read_history(written).edits) == 3
    write(written, specs(leverage__effect="Normal(0, 1)"))
    assert "# the first" in (written / "history" / "2026.toml").read_text(encoding="utf-8")


def test_revisions_name_the_edit_that_a_prior_comes_from(written: Path) -> None:
    result = revisions(load_priors(written), written)
    edits = read_history(written).edits
    assert result["leverage.effect"] == {"spec": NEWER, "revision": edits[2].revision}
    assert result["ladder.just_risen"] == {"spec": "Normal(2, 1)", "revision": edits[1].revision}
    assert edits[2].revision == f"3-{edits[2].sha256[:8]}"
    assert result["direct.rate"]["revision"] == SHIPPED
    assert list(result) == list(load_priors(written))


def written_as(path: Path, name: str, old_name: str, previous: str) -> None:
    """The edits of a year as a version wrote them that called a prior by its old name, with the digests that it gave them."""
    text = path.read_text(encoding="utf-8").replace(f'name = "{name}"', f'name = "{old_name}"')
    for raw in tomllib.loads(text)["edit"]:
        stated = raw.pop("sha256")
        body = json.dumps(raw | {"time": str(raw["time"])}, sort_keys=True, ensure_ascii=False)
        previous = hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()
        text = text.replace(stated, previous)
    path.write_text(text, encoding="utf-8")


def test_edits_made_under_an_old_name_count_for_the_prior_of_today(folder: Path) -> None:
    start = tomllib.loads((folder / "history" / "start.toml").read_text(encoding="utf-8"))
    assert set(start["priors"]) & set(RENAMED)  # the bundled history began under an old name, and verifies
    write(folder, specs(leverage__effect=NEW, ladder__just_risen="Normal(2, 1)"))
    written_as(folder / "history" / "2026.toml", "ladder.just_risen", "ladder.fresh", start["sha256"])
    history = read_history(folder)
    assert [(edit.name, edit.old_name) for edit in history.edits] == [("leverage.effect", ""), ("ladder.just_risen", "ladder.fresh")]
    assert history.by_hand(load_priors(folder)) == ()
    assert revisions(load_priors(folder), folder)["ladder.just_risen"]["revision"] == history.edits[1].revision
    write(folder, specs(ladder__just_risen="Normal(2, 0.5)"))  # it is chained to what was written under the old name
    assert [edit.old_name for edit in read_history(folder).edits] == ["", "ladder.fresh", ""]
    alter(folder, "2026.toml", 'name = "ladder.fresh"', 'name = "ladder.just_risen"')
    with pytest.raises(StoreError, match="altered"):
        read_history(folder)


def test_the_commands_follow_a_renamed_prior(workspace: Workspace, command: Callable[..., Result]) -> None:
    where = ("--workspace", workspace.root)
    command("priors", "set", "ladder.just_risen = Normal(2, 1)", "--why", "Why.", "--by", "Ana", *where)
    start = tomllib.loads((workspace.priors / "history" / "start.toml").read_text(encoding="utf-8"))["sha256"]
    written_as(workspace.priors / "history" / "2026.toml", "ladder.just_risen", "ladder.fresh", start)
    assert "ladder.just_risen, then called ladder.fresh\n" in command("priors", "log", "ladder.just_risen", *where).stdout
    undone = command("priors", "undo", "1", *where)
    assert "ladder.just_risen = Normal(2.51, 1.11) again" in undone.stdout
    assert str(load_priors(workspace.priors).spec("ladder.just_risen")) == "Normal(2.51, 1.11)"
    for words in (
        ("log", "ladder.fresh"),
        ("show", "ladder.fresh"),
        ("set", "ladder.fresh = Normal(2, 1)", "--why", "Why.", "--by", "Ana"),
    ):
        refused = command("priors", *words, *where)
        assert (refused.exit_code, "This prior is now called ladder.just_risen." in refused.stderr) == (3, True)


def test_an_edit_by_hand_is_seen_until_it_is_taken_back(written: Path) -> None:
    by_hand(written, NEWER, "Normal(1, 0.6)")
    by_hand(written, "Beta(1, 19)", "Beta(1, 9)", "events.toml")
    priors = load_priors(written)
    assert read_history(written).by_hand(priors) == (
        HandEdit("leverage.effect", NEWER, "Normal(1, 0.6)"),
        HandEdit("events.determination", "Beta(1, 19)", "Beta(1, 9)"),
    )
    result = revisions(priors, written)
    assert {name for name, message in result.items() if message["revision"] == BY_HAND} == {"leverage.effect", "events.determination"}
    by_hand(written, "Normal(1, 0.6)", "normal(mean=1, sd=5/10)")
    assert revisions(load_priors(written), written)["leverage.effect"]["revision"].startswith("3-")


def test_an_edit_by_hand_that_a_later_edit_met_stays_on_record(written: Path) -> None:
    by_hand(written, NEWER, "Normal(1, 0.6)")
    write(written, specs(leverage__effect=OLD))
    history = read_history(written)
    assert history.by_hand(load_priors(written)) == (HandEdit("leverage.effect", NEWER, "Normal(1, 0.6)", until=4),)


def test_without_a_history_all_is_as_shipped_and_a_change_begins_one(folder: Path) -> None:
    (folder / "history" / "start.toml").unlink()
    (folder / "history").rmdir()
    before = load_priors(folder)
    assert {message["revision"] for message in revisions(before, folder).values()} == {SHIPPED}
    write(folder, specs(leverage__effect=NEW))
    history = read_history(folder)
    assert history.start == {name: str(prior.spec) for name, prior in before.items()}
    begin_history(folder, load_priors(folder))
    assert read_history(folder).start == history.start


def test_what_changes_nothing_is_not_recorded(folder: Path) -> None:
    before = contents(folder)
    write(folder, specs(leverage__effect="normal(1.60, 8/10)"))
    assert contents(folder) == before


def test_the_outlooks_are_kept(folder: Path) -> None:
    before = HeadlineEstimate("reach-4-12m", 0.06296991893220864, "fitted", True, "20261124T141500Z-ab12cd")
    after = HeadlineEstimate("reach-4-12m", 1e-7, "reweighted", False, "20261124T141500Z-ab12cd")
    write(folder, specs(leverage__effect=NEW), before=before, after=after)
    (edit,) = read_history(folder).edits
    assert (edit.before, edit.after) == (before, after)


def test_time_is_kept_in_utc(folder: Path) -> None:
    write(folder, specs(leverage__effect=NEW), datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=2))))
    assert read_history(folder).edits[0].time == datetime(2026, 12, 31, 22, 30, tzinfo=UTC)
    assert (folder / "history" / "2026.toml").is_file()


def test_the_clock_may_go_back(written: Path) -> None:
    write(written, specs(leverage__effect=OLD), NOW.replace(year=2025))
    assert [e.time.year for e in read_history(written).edits] == [2026, 2026, 2027, 2025]


@pytest.mark.parametrize("fail_at", ["leverage.toml", "ladder.toml", "2027.toml"])
def test_priors_and_history_change_together_or_not_at_all(written: Path, monkeypatch: pytest.MonkeyPatch, fail_at: str) -> None:
    before, real = contents(written), os.replace

    def replace(fitted: str, path: Path) -> None:
        if Path(path).name == fail_at and b"Normal(3, 1)" in Path(fitted).read_bytes():
            raise OSError(28, "No space left on device")
        real(fitted, path)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(ForecastError, match="No space left"):
        write(written, specs(leverage__effect="Normal(3, 1)", ladder__just_risen="Normal(3, 1)"), NOW.replace(year=2027))
    assert contents(written) == before


def test_comments_layout_and_notes_of_the_file_stay(folder: Path) -> None:
    by_hand(folder, '["leverage.effect"]', '# a remark\n["leverage.effect"]  # another')
    before = (folder / "leverage.toml").read_text(encoding="utf-8").splitlines()
    write(folder, specs(leverage__effect=NEW))
    after = (folder / "leverage.toml").read_text(encoding="utf-8").splitlines()
    assert len(after) == len(before)
    changed = [new.split(" = ")[0] for old, new in zip(before, after, strict=True) if old != new]
    assert changed == ["prior", "why", "source", "by"]  # the day is the same
    assert "# a remark" in after


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, why: str) -> None:
    from forecast.priors.apply_edits import _block

    raw = {"number": 1, "why": why, "time": NOW, "before": {"priors": why, "probability": 0.1, "accepted": False}}
    assert tomllib.loads(_block(raw)) == {"edit": [raw]}
