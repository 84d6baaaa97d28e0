"""A run that is damaged is refused by every command that reads it, though its manifest was sealed again over the damage."""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast import workspace as places
from forecast.errors import InputError, StoreError
from forecast.jobs.saved_run import SavedRun
from forecast.report.files import checked, load_document, load_report
from forecast.reweighting.draws_archive import pack
from forecast.runs import manifest
from forecast.runs.draws_files import DRAWS
from tests.support.damage import EDIT, READERS, RUN, Command, arrays, damaged, mostly_slow, original, refused, report, seal_again
from tests.support.prior_forecasts import prior_forecast

__all__ = ["arrays", "damaged", "original", "report"]


REPORTS: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "nothing in it": lambda r: {},
    "a list": lambda r: [],
    "a number": lambda r: 3,
    "no question": lambda r: r | {"questions": []},
    "a probability that is no number": lambda r: r["questions"][0].update(probability=float("nan")) or r,
    "a huge number": lambda r: r | {"seed": 10**4000},
    "a control character": lambda r: r | {"resolution": "over\x1b[2Jwritten"},
    "another run's": lambda r: r | {"run_id": "20261124T120000Z-000000"},
    "a month that is none": lambda r: r | {"origin": "0000-01"},
    "a reading without its weight": lambda r: r | {"readings": r["readings"][1:]},
}


BESIDE_THE_QUESTIONS = {"a huge number", "a month that is none", "a reading without its weight"}
"""Damage that `priors try` has no time to look for: it checks the questions of a report, which is all that it reads."""


def test_each_report_that_is_not_one_is_damage(damaged: places.Workspace, report: dict[str, Any]) -> None:
    run = damaged.reports / RUN
    for name, change in REPORTS.items():
        (run / "report.json").write_text(json.dumps(change(copy.deepcopy(report))))
        seal_again(damaged.reports)
        assert SavedRun(run).problems(), name


@pytest.mark.parametrize("name", mostly_slow(REPORTS, "nothing in it", "a reading without its weight"))
def test_a_report_that_is_not_one_is_refused_by_every_reader(
    damaged: places.Workspace, command: Command, report: dict[str, Any], name: str
) -> None:
    (damaged.reports / RUN / "report.json").write_text(json.dumps(REPORTS[name](copy.deepcopy(report))))
    seal_again(damaged.reports)
    readers = {reader: words for reader, words in READERS.items() if reader != "priors try" or name not in BESIDE_THE_QUESTIONS}
    refused(command, damaged, readers)
    assert "damaged" in command("--workspace", damaged.data.parent, "runs", "list").stdout


BYTES: Mapping[str, Callable[[bytes], bytes]] = {
    "empty": lambda raw: b"",
    "cut short": lambda raw: raw[: len(raw) // 2],
    "not UTF-8": lambda raw: b"\xff\xfe" + raw,
    "nested without end": lambda raw: b"[" * 200_000,
}


@pytest.mark.parametrize("name", mostly_slow(BYTES, "cut short"))
def test_bytes_that_are_no_report_are_refused(damaged: places.Workspace, command: Command, name: str) -> None:
    path = damaged.reports / RUN / "report.json"
    path.write_bytes(BYTES[name](path.read_bytes()))
    seal_again(damaged.reports)
    refused(command, damaged)


FEW = ("report", "priors try", "runs verify")
"""Of readers that begin alike, one: for what is wrong in so many ways that all would take long."""

PLACES: Mapping[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "a named pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a gigabyte": lambda path: path.touch() or os.truncate(path, 10**9),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
}


@pytest.mark.parametrize("file", mostly_slow(["report.json", DRAWS, manifest.NAME], DRAWS))
@pytest.mark.parametrize("name", mostly_slow(PLACES, "missing", "a named pipe"))
def test_what_is_no_file_is_damage_and_nothing_waits_for_it(damaged: places.Workspace, command: Command, file: str, name: str) -> None:
    path = damaged.reports / RUN / file
    path.unlink()
    PLACES[name](path)
    refused(command, damaged, {reader: READERS[reader] for reader in FEW})


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every part of a document; of a long list, the first two."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value[:2]):
            yield from leaves(inner, (*path, i))


GONE = object()
SPOILT: tuple[Any, ...] = (GONE, None, "", "x", -1, 10**30, 1e300, True, [], {}, [[]], "\x1b", "9999-99-99")


@pytest.fixture(scope="module")
def places_of(report: dict[str, Any]) -> list[tuple[str | int, ...]]:
    return list(leaves(report))


@given(at=st.integers(0, 10**6), spoilt=st.integers(0, len(SPOILT) - 1))
@settings(max_examples=50)
def test_one_changed_part_of_a_report_is_refused_or_still_a_report(
    report: dict[str, Any], places_of: list[tuple[str | int, ...]], at: int, spoilt: int
) -> None:
    """Whatever one part becomes, the report is refused, or every page can be made of it."""
    from forecast.report.markdown import render_markdown
    from forecast.report.text_view import render_text

    changed = copy.deepcopy(report)
    *above, last = places_of[at % len(places_of)]
    holder: Any = changed
    for key in above:
        holder = holder[key]
    if SPOILT[spoilt] is GONE:
        del holder[last]
    else:
        holder[last] = copy.deepcopy(SPOILT[spoilt])
    found, problems = checked(changed)
    if found and not problems:
        json.dumps(changed, allow_nan=False)
        render_text(found)
        render_markdown(found)


META: Mapping[str, Any] = {
    "probability": "six",
    "probabilities": {"reach-4-12m": 7.0},
    "interval": {"low": 0.1},
    "follows": "../../etc",
    "fitted_in": "/etc",
    "decision": "run",
    "ledger": {"entries": "many", "digest": ""},
    "priors": [],
    "today": "yesterday",
    "origin": "2026-13",
    "seed": 1.5,
    "headline": ["reach-4-12m"],
    "gate": "pass\x1b[2J",
}


def forged(run: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Another content of the manifest, with a digest of its own that is right."""
    path = run / manifest.NAME
    body = json.loads(path.read_text())
    del body["sha256"]
    path.write_text(manifest._text(change(body)))


@pytest.mark.parametrize("key", META)
def test_a_manifest_of_the_wrong_types_is_damage(damaged: places.Workspace, command: Command, key: str) -> None:
    forged(damaged.reports / RUN, lambda body: body | {"meta": body["meta"] | {key: META[key]}})
    with pytest.raises(StoreError, match="cannot be trusted"):
        manifest.read_manifest(damaged.reports / RUN)
    with pytest.raises(ValueError):  # and no writer writes one
        manifest.seal(damaged.reports / RUN, RUN, {key: META[key]})


FRAMES: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "no files": lambda body: {k: v for k, v in body.items() if k != "files"},
    "a file outside": lambda body: body | {"files": {"../../passwd": {"sha256": "0" * 64, "bytes": 1}}},
    "a file at the root": lambda body: body | {"files": {"/etc/passwd": {"sha256": "0" * 64, "bytes": 1}}},
    "no size": lambda body: body | {"files": {"report.json": {"sha256": "0" * 64}}},
    "a size beyond all memory": lambda body: body | {"files": {"report.json": {"sha256": "0" * 64, "bytes": 2**63 - 1}}},
    "a digest that is none": lambda body: body | {"files": {"report.json": {"sha256": 5, "bytes": 1}}},
    "no meta": lambda body: body | {"meta": None},
    "no id": lambda body: body | {"run_id": 7},
    "a list in place of files": lambda body: body | {"files": []},
}


@pytest.mark.parametrize("name", mostly_slow([*FRAMES, *META], "a file outside", "follows"))
def test_every_command_refuses_a_forged_manifest(damaged: places.Workspace, command: Command, name: str) -> None:
    change = FRAMES.get(name) or (lambda body: body | {"meta": body["meta"] | {name: META[name]}})
    forged(damaged.reports / RUN, change)
    refused(command, damaged, {reader: READERS[reader] for reader in FEW})
    assert "damaged" in command("--workspace", damaged.data.parent, "runs", "list").stdout


LINKS: Mapping[str, Callable[[Path, Path], object]] = {
    "absolute": lambda link, outside: link.symlink_to(outside / RUN),
    "out of the store": lambda link, outside: link.symlink_to(f"../../outside/{RUN}"),
    "to the store itself": lambda link, outside: link.symlink_to("."),
    "to nothing": lambda link, outside: link.symlink_to("20261124T120000Z-000000"),
    "a folder": lambda link, outside: shutil.copytree(outside / RUN, link),
    "a file": lambda link, outside: link.write_text(RUN),
}


@pytest.mark.parametrize("name", mostly_slow(LINKS, "out of the store", "a file"))
def test_a_wrong_latest_is_said_and_refused(damaged: places.Workspace, command: Command, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    shutil.copytree(damaged.reports / RUN, outside / RUN)
    link = damaged.reports / "latest"
    link.unlink()
    LINKS[name](link, outside)
    readers = {reader: words for reader, words in READERS.items() if "latest" in words or reader in ("refit", "runs verify", "priors try")}
    refused(command, damaged, readers)
    listed = command("--workspace", damaged.data.parent, "runs", "list")
    assert listed.exit_code == 0
    assert "latest" in listed.stderr
    assert command("--workspace", damaged.data.parent, "run").exit_code == 7  # before the fit


def test_a_latest_that_is_missing_is_said_and_set_again(damaged: places.Workspace, command: Command) -> None:
    root = damaged.data.parent
    (damaged.reports / "latest").unlink()
    assert RUN in command("--workspace", root, "runs", "list").stderr
    for words, code in ((("status",), 8), (("runs", "verify"), 7), (("runs", "prune", "--keep", "0"), 7)):
        result = command("--workspace", root, *words)
        assert result.exit_code == code, result.stderr
        assert f"runs publish {RUN}" in result.stderr
    assert (damaged.reports / RUN).is_dir()
    assert command("--workspace", root, "runs", "publish", RUN).exit_code == 0
    assert os.readlink(damaged.reports / "latest") == RUN


def test_a_report_of_another_version_is_no_damage(damaged: places.Workspace, command: Command, report: dict[str, Any]) -> None:
    run, root = damaged.reports / RUN, damaged.data.parent
    (run / "report.json").write_text(json.dumps({"schema_version": "9", "anything": 1}))
    seal_again(damaged.reports)
    with pytest.raises(InputError, match="another version"):
        load_report(run)
    assert load_document(run) == {"schema_version": "9", "anything": 1}
    assert SavedRun(run).problems() == ()
    for words in (("report",), ("diff", RUN, RUN), ("priors", "try", EDIT), ("runs", "publish", RUN)):
        result = command("--workspace", root, *words)
        assert result.exit_code == 3, (words, result.stderr)
        assert "another version" in result.stderr
    assert json.loads(command("--workspace", root, "report", "--json").stdout)["anything"] == 1
    result = command("--workspace", root, "status")
    assert result.exit_code == 8
    assert "another version" in result.stderr
    assert "damaged" not in result.stderr
    for words in (("runs", "list"), ("runs", "verify"), ("runs", "prune", "--keep", "1")):
        result = command("--workspace", root, *words)
        assert result.exit_code == 0, (words, result.stderr)
        assert "by another version" in result.stdout
        assert "damaged" not in result.stdout
    assert json.loads(command("--workspace", root, "runs", "verify", "--json").stdout)[0]["other_version"] is True


@pytest.mark.slow
def test_a_sound_run_is_read_by_all(original: places.Workspace, command: Command) -> None:
    """So that the refusals above are of the damage."""
    root = original.data.parent
    assert SavedRun(original.reports / RUN).problems() == ()
    assert set(SavedRun(original.reports / RUN).draws) == set(pack(prior_forecast()))
    for reader in READERS.keys() - {"explain", "runs publish", "refit"}:  # which write, or want two runs
        result = command("--workspace", root, *READERS[reader])
        assert result.exit_code == 0, (reader, result.stderr)
