"""What the comparison of two versions sees: a changed number anywhere, through renames, and apart from words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.compare_versions import CLOCK, run_in_pipe, run_on_terminal, values_of_command, values_of_run
from tests.comparison import Table, Value, compare, summary

TABLE = Table(
    words={"ladder.fresh": "ladder.just_risen"},
    keys={"*/main/fresh": "*/main/just_risen", "told": "estimate", "effect_*_z": "z_*"},
    by_design={"run_id": "named by its time"},
)
REPORT = {"run_id": "20261130T162242Z-fe1226", "told": [{"told": 0.25, "name": "ladder.fresh"}, {"told": 3, "name": "x"}], "none": []}


def a_run(folder: Path, report: Any, **arrays: Any) -> dict[str, Value]:
    """The values of a run with this report, these draws, and of each a posterior of the same name."""
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps(report))
    np.savez(folder / "draws.npz", **arrays)
    with h5py.File(folder / "posterior.nc", "w") as file:
        for name, values in arrays.items():
            file[name] = values if np.asarray(values).dtype.kind != "U" else np.asarray(values, dtype=object)
    return values_of_run(folder)


def differing(
    old: dict[str, Value], new: dict[str, Value], table: Table = TABLE, *, numbers_only: bool = False
) -> tuple[set[str], set[str]]:
    """The places that differ in numbers, and in words alone."""
    comparison = compare(old, new, TABLE, numbers_only=numbers_only)
    return set(comparison.numbers), set(comparison.words)


def test_a_run_equals_itself_under_other_names(tmp_path: Path) -> None:
    arrays = {"names": np.array(["a", "b"]), "scale": np.float64(3)}
    old = a_run(tmp_path / "old", REPORT, **arrays, **{"main/fresh": np.arange(3.0), "effect_1_z": np.array([np.nan, 1])})
    text = json.dumps({**REPORT, "run_id": "another"}).replace("told", "estimate").replace("ladder.fresh", "ladder.just_risen")
    new = a_run(tmp_path / "new", json.loads(text), **arrays, **{"main/just_risen": np.arange(3.0), "z_1": np.array([np.nan, 1])})
    comparison = compare(old, new, TABLE)
    assert not comparison
    assert comparison.compared == {"report.json": 5, "draws.npz": 4, "posterior.nc": 4}
    assert comparison.by_design == {"run_id: named by its time": 1}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (0.1, 0.1 * (1 + 3e-12)),
        (1, 2),
        (0.0, 1e-14),
        (True, False),
        (1, True),
        (None, 0.0),
        (0.0, "0.0"),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-11])),
        (np.array([1.0, np.nan]), np.array([1.0, 2.0])),
        (np.array([1.0, 2.0]), np.array([[1.0, 2.0]])),
        (np.array([1.0], dtype=np.float32), np.array([1.0])),
        (np.float64(1), np.float64(2)),
        ("about 7 %", "about 8 %"),
        ("a fall of −0.3", "a fall of 0.3"),
        ("1,250 draws", "1,251 draws"),
        ("▁▃▅", "▁▃▆"),
    ],
)
@pytest.mark.parametrize("numbers_only", [False, True])
def test_a_changed_number_is_seen(old: Value, new: Value, numbers_only: bool) -> None:
    assert differing({"a/b": old}, {"a/b": new}, numbers_only=numbers_only) == ({"a/b"}, set())


@pytest.mark.parametrize(("old", "new"), [(0.1, 0.1 * (1 + 1e-13)), (7, 7.0), (0.0, 1e-16), (np.array([np.nan]), np.array([np.nan]))])
def test_rounding_is_no_change(old: Value, new: Value) -> None:
    assert differing({"a": old}, {"a": new}) == (set(), set())


def test_words_are_kept_apart_from_numbers() -> None:
    old, new = {"a": "It rests on 28 states,\nand 4 readings."}, {"a": "The evidence: 28 states, 4 readings."}
    assert differing(old, new) == (set(), {"a"})
    assert differing(old, new, numbers_only=True) == (set(), set())
    assert differing(old, {"a": "The evidence: 4 readings, 28 states."}, numbers_only=True) == ({"a"}, set())


def test_what_is_only_in_one_version_is_seen() -> None:
    assert differing({"a": 1.0, "b": "7 %", "c": "words"}, {}) == ({"a", "b"}, {"c"})
    assert differing({}, {"a": np.zeros(2), "b": "7 %", "c": "words"}, numbers_only=True) == ({"a", "b"}, set())


def test_ids_times_and_digests_of_a_run_are_masked() -> None:
    old = "Run 20261130T162242Z-fe1226 of 2026-11-30T16:22:42Z, revision 1-457dd029, data " + "ab12" * 16 + ", 6 %"
    new = "Run 20261201T000000Z-000000 of 2026-12-01T00:00:00Z, revision 1-0123456f, data " + "cd34" * 16 + ", 6 %"
    assert differing({"a": old}, {"a": new}) == (set(), set())
    assert differing({"a": old}, {"a": new.replace("6 %", "7 %")})[0] == {"a"}


def test_an_exit_code_and_each_value_of_json_are_compared() -> None:
    old, new = values_of_command("status --json", 0, '{"a": [1, 2]}'), values_of_command("status --json", 8, '{"a": [1, 3]}')
    assert differing(old, new)[0] == {"status --json/exit code", "status --json/a/1"}
    assert values_of_command("a/b", 3, "", "Wrong.") == {"a∕b/exit code": 3, "a∕b/text": "", "a∕b/errors": "Wrong."}


def test_a_rename_with_another_number_of_stars_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a/\*"):
        Table(keys={"a/*": "b"})


def test_two_places_may_not_get_one_name() -> None:
    with pytest.raises(ValueError, match="new"):
        compare({"old/a": 1, "new/a": 2}, {"new/a": 2}, Table(keys={"old": "new"}))


def test_the_page_names_document_place_and_values() -> None:
    comparison = compare({f"report.json/rows/{i}/p": 0.5 for i in range(9)}, {f"report.json/rows/{i}/p": 0.25 for i in range(9)}, TABLE)
    page = summary(comparison, TABLE, 3)
    assert "report.json/rows/0/p and 8 more like it" in page
    assert "0.5 → 0.25" in page
    assert "run_id: named by its time (nothing of the kind)" in page


def test_the_table_of_the_project_is_read() -> None:
    table = Table.read(Path(__file__).with_name("compare_versions.toml"))
    assert len([*table.once, *table.in_both_forms]) > 20
    assert all(any(command.startswith(start) for command in table.once) for start in table.slow)


def test_a_command_believes_it_speaks_to_a_terminal_or_to_a_pipe() -> None:
    code = "import sys; print(sys.stdout.isatty(), 'x' * 200_000); print('wrong', file=sys.stderr); sys.exit(3)"
    for run, terminal in ((run_on_terminal, True), (run_in_pipe, False)):
        done = run([sys.executable, "-c", code])
        assert (done.returncode, done.stdout, done.stderr) == (3, f"{terminal} {'x' * 200_000}\n", "wrong\n")


def test_the_command_goes_by_the_fixed_clock() -> None:
    """In every module of the command line that reads the clock, by whatever name."""
    code = (
        "import sys, datetime, forecast.cli\n"
        "modules = [m for name, m in sys.modules.items() if name.startswith('forecast.cli') and hasattr(m, 'datetime')]\n"
        "assert all(isinstance(datetime.datetime.now(), m.datetime) for m in modules)\n"
        "print({m.datetime.now(datetime.UTC).isoformat() for m in modules})"
    )
    moment = datetime(2020, 2, 3, 4, 5, tzinfo=UTC).isoformat()
    environ = {**os.environ, "PYTHONPATH": str(CLOCK), "FIXED_CLOCK": moment}
    done = subprocess.run([sys.executable, "-c", code], env=environ, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == f"{{{moment!r}}}"
