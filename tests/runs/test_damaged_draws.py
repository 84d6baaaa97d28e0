"""Draws and posteriors that are not what a run holds are refused by name, shape, kind, range and finiteness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from forecast import workspace as places
from forecast.errors import StoreError
from forecast.jobs.saved_run import SavedRun
from forecast.reweighting.draws_archive_form import check_arrays
from forecast.runs.draws_files import DRAWS, POSTERIOR, DrawsArrays, check_posterior, write_draws, write_posterior
from tests.support.damage import EDIT, RUN, Arrays, Command, arrays, damaged, mostly_slow, original, report, seal_again
from tests.support.prior_forecasts import prior_forecast

__all__ = ["arrays", "damaged", "original", "report"]


def other(name: str, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: arrays | {name: change(arrays[name])}


def without(name: str) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {key: values for key, values in arrays.items() if key != name}


def poisoned(values: NDArray[Any]) -> NDArray[Any]:
    out = values.astype(float)
    out.flat[0] = np.nan
    return out


ARRAYS: Mapping[str, tuple[str, Callable[[Arrays], Arrays]]] = {
    "an array is missing": ("main/leverage", without("main/leverage")),
    "an array too many": ("surplus", lambda arrays: arrays | {"surplus": np.zeros(3)}),
    "one axis too many": ("main/leverage", other("main/leverage", lambda x: x[:, None])),
    "fewer draws than elsewhere": ("main/leverage", other("main/leverage", lambda x: x[:-1])),
    "no draws": ("pool/eta", other("pool/eta", lambda x: x[:0])),
    "text for numbers": ("main/leverage", other("main/leverage", lambda x: x.astype(str))),
    "whole numbers for real ones": ("main/just_risen", other("main/just_risen", lambda x: x.astype(int))),
    "numbers for names": ("readings", other("readings", lambda x: np.arange(len(x)))),
    "a name twice": ("readings", other("readings", lambda x: np.array([x[0]] * len(x)))),
    "a level off the ladder": ("main/levels", other("main/levels", lambda x: x + 6)),
    "a chance above one": ("main/questions", other("main/questions", lambda x: x + 1)),
    "another origin": ("origin", other("origin", lambda x: x + 1)),
}
VALUES: Mapping[str, tuple[str, Callable[[Arrays], Arrays]]] = {
    "a draw that is no number": ("main/leverage", other("main/leverage", lambda x: poisoned(x).astype(np.float32))),
    "infinite leverage": ("pool/leverage", other("pool/leverage", lambda x: x / np.float32(0) if x.all() else x + np.float32(np.inf))),
    "chances that are no numbers": ("main/questions", other("main/questions", lambda x: (x * np.nan).astype(np.float32))),
}


@pytest.mark.parametrize("name", [*ARRAYS, *VALUES])
def test_each_array_is_checked_by_name_shape_kind_and_range(arrays: Arrays, name: str) -> None:
    array, change = (ARRAYS | VALUES)[name]
    with np.errstate(all="ignore"):
        spoilt = change(dict(arrays))
    with pytest.raises(ValueError, match=array):
        check_arrays(spoilt)


@pytest.mark.parametrize("name", mostly_slow([*ARRAYS, *VALUES], "an array is missing", "chances that are no numbers"))
def test_draws_that_are_not_those_of_the_form_are_refused(damaged: places.Workspace, command: Command, arrays: Arrays, name: str) -> None:
    array, change = (ARRAYS | VALUES)[name]
    with np.errstate(all="ignore"):
        spoilt = change(dict(arrays))
    write_draws(damaged.reports / RUN, spoilt)
    seal_again(damaged.reports)
    root = damaged.data.parent
    words = {"priors try": ("priors", "try", EDIT), "runs verify": ("runs", "verify"), "publish": ("runs", "publish", RUN)}
    for reader in words.values():
        result = command("--workspace", root, *reader)
        assert result.exit_code == 7, (reader, result.stdout, result.stderr)
        assert array in result.stdout + result.stderr
        assert "nan %" not in result.stdout
    if name in ARRAYS:  # `status` has no time to read all values
        assert command("--workspace", root, "status").exit_code == 8


def test_every_array_is_stated_and_checked(arrays: Arrays, tmp_path: Path) -> None:
    check_arrays(arrays)
    for name in arrays:
        if name != "form":
            with pytest.raises(ValueError, match="no array"):
                check_arrays(without(name)(arrays))


def test_arrays_larger_than_their_file_are_refused_before_they_are_read(tmp_path: Path) -> None:
    """Twelve bytes that say they are ten to the twelve numbers, and zeros that unpack to more than any run has."""
    import io
    import zipfile

    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    with zipfile.ZipFile(tmp_path / DRAWS, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("main/leverage.npy", header.getvalue() + b"\0" * 96)
    with pytest.raises(StoreError, match="another size than it has"):
        DrawsArrays(tmp_path / DRAWS)


@pytest.mark.parametrize("damage", [lambda raw: b"", lambda raw: raw[: len(raw) // 3], lambda raw: b"\x89HDF\r\n\x1a\n" + b"\0" * 2000])
def test_a_posterior_that_cannot_be_read_is_damage(damaged: places.Workspace, command: Command, damage: Callable[[bytes], bytes]) -> None:
    path = damaged.reports / RUN / POSTERIOR
    path.write_bytes(damage(path.read_bytes()))
    seal_again(damaged.reports)
    assert POSTERIOR in SavedRun(damaged.reports / RUN).problems()[0]
    result = command("--workspace", damaged.data.parent, "runs", "verify")
    assert result.exit_code == 7
    assert "Unexpected" not in result.stderr


def test_a_posterior_with_a_draw_that_is_no_number_is_damage(original: places.Workspace, tmp_path: Path) -> None:
    fitted = prior_forecast().readings["main"].posterior.copy(deep=True)
    check_posterior(original.reports / RUN)
    fitted["posterior/leverage_effect"][2, 17] = np.nan
    write_posterior(tmp_path, {"main": fitted})
    with pytest.raises(StoreError, match="leverage_effect: it holds what is not a finite number"):
        check_posterior(tmp_path)


def _virtual(fit: Any) -> None:
    import h5py

    layout = h5py.VirtualLayout((3,), "f8")
    layout[:] = h5py.VirtualSource("/dev/zero", "x", (3,))
    fit.create_virtual_dataset("surplus", layout)


def _linked(fit: Any) -> None:
    import h5py

    fit["surplus"] = h5py.ExternalLink("/dev/zero", "/")


def _circle(fit: Any) -> None:
    fit["surplus"] = fit


HOSTILE: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "a terabyte that takes no room": ("bytes", lambda fit: fit.create_dataset("surplus", (10**11,), "f8", chunks=(1000,))),
    "an array in another file": ("in another file", lambda fit: fit.create_dataset("surplus", (9,), "f8", external="/dev/zero")),
    "a view of another file": ("in another file", _virtual),
    "a link to another file": ("is a link", _linked),
    "a circle": ("too deep", _circle),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_posterior_that_is_more_than_its_bytes_is_damage(original: places.Workspace, tmp_path: Path, name: str) -> None:
    """What an array of no parameter holds is loaded with the rest."""
    import h5py

    said, change = HOSTILE[name]
    (tmp_path / POSTERIOR).write_bytes((original.reports / RUN / POSTERIOR).read_bytes())
    with h5py.File(tmp_path / POSTERIOR, "a") as file:
        change(file["main/posterior"])
    with pytest.raises(StoreError, match=said):
        check_posterior(tmp_path)
