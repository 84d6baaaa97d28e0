"""`draws.npz`: read back as written, by many threads at once, and refused in words when it is damaged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from forecast.errors import StoreError
from forecast.runs.draws_files import DRAWS, DrawsArrays, write_draws

ARRAYS = {f"part/{i}": np.random.default_rng(i).normal(size=(40, 50)) for i in range(60)}


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    write_draws(tmp_path, ARRAYS)
    found = DrawsArrays(tmp_path / DRAWS)
    assert list(found) == list(ARRAYS)
    assert len(found) == len(ARRAYS)
    assert "part/3" in found
    with pytest.raises(KeyError):
        found["nothing"]
    assert all(np.array_equal(found[name], values) for name, values in ARRAYS.items())


def test_many_threads_read_at_once(tmp_path: Path) -> None:
    """With one handle for all, bytes of one array turn up in another every few hundred reads."""
    write_draws(tmp_path, ARRAYS)
    names = [name for _ in range(40) for name in ARRAYS]
    found = DrawsArrays(tmp_path / DRAWS)
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda name: np.array_equal(found[name], ARRAYS[name]), names))


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b"nothing", lambda b: b[: len(b) // 2]])
def test_a_damaged_file_is_refused(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]  # bytes to bytes
    write_draws(tmp_path, ARRAYS)
    path = tmp_path / DRAWS
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(StoreError, match="cannot be read"):
        DrawsArrays(path)
    path.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        DrawsArrays(path)


def test_a_torn_array_is_refused_when_it_is_asked_for(tmp_path: Path) -> None:
    write_draws(tmp_path, ARRAYS)
    path = tmp_path / DRAWS
    whole = bytearray(path.read_bytes())
    at = whole.index(b"part/30.npy") + 200
    whole[at : at + 400] = bytes(400)
    path.write_bytes(whole)
    found = DrawsArrays(path)
    assert np.array_equal(found["part/2"], ARRAYS["part/2"])
    with pytest.raises(StoreError, match="cannot be read"):
        found["part/30"]
