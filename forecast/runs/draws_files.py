"""The draws of a run on disk: `posterior.nc`, which plain ArviZ and xarray open, and `draws.npz`, which NumPy alone opens. No pickles."""

from __future__ import annotations

import io
import lzma
import math
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from forecast.errors import StoreError
from forecast.forecasting.parameter_draws import POSTERIOR_NAMES
from forecast.reweighting.draws_archive_form import Form, Header, check_headers, check_values
from forecast.runs.manifest_form import MAX_BYTES  # neither file is larger, nor are all arrays of one
from forecast.storage.files import UnreadableError, read_bounded

if TYPE_CHECKING:
    import xarray as xr

POSTERIOR: Final = "posterior.nc"
DRAWS: Final = "draws.npz"
GROUPS: Final = ("posterior", "sample_stats")
_HEADER: Final = 10_000
_DAMAGE: Final = (
    OSError, EOFError, ValueError, SyntaxError, RuntimeError, MemoryError, BadZipFile, zlib.error, lzma.LZMAError, struct.error,
)  # fmt: skip
"""What NumPy and zipfile raise of a damaged file."""
REMEDY: Final = "Restore the run, or make it again."


def write_posterior(folder: Path, readings: Mapping[str, xr.DataTree]) -> None:
    """An ArviZ DataTree with a group a reading, each holding posterior and sample_stats; what is neither number nor text is left out."""
    import xarray as xr

    tree = xr.DataTree()
    for name, fitted in readings.items():
        for group in GROUPS:
            data = fitted[group].to_dataset()
            texts = {c: data[c].astype(str) for c in data.coords if data[c].dtype == object}
            data = data.drop_vars([v for v in data.data_vars if data[v].dtype == object]).assign_coords(texts)
            tree[f"{name}/{group}"] = xr.DataTree(data.drop_attrs())
    # By way of memory: HDF5 brings down the process when the disk fills up while it writes.
    (folder / POSTERIOR).write_bytes(tree.to_netcdf(engine="h5netcdf"))


def read_posterior(run: Path, raw: bytes | None = None) -> dict[str, xr.DataTree]:
    """The fits of a run by reading, each with posterior and sample_stats, in memory. Raises StoreError for what `check_posterior` does."""
    import xarray as xr

    raw = check_posterior(run, raw)
    try:
        with xr.open_datatree(io.BytesIO(raw), engine="h5netcdf") as tree:
            return {str(name): fitted.load() for name, fitted in tree.children.items()}
    except (*_DAMAGE, KeyError, TypeError) as e:
        raise _unreadable(run / POSTERIOR, e) from e


def check_posterior(run: Path, raw: bytes | None = None) -> bytes:
    """The bytes of `posterior.nc`. raw: these, if they were read before.

    StoreError if it cannot be read, holds more than any run does or leads to other files, or if a fit lacks a parameter or a draw of one is
    no finite number.
    """
    import h5py

    path = run / POSTERIOR
    raw = _raw(path) if raw is None else raw
    try:
        with h5py.File(io.BytesIO(raw)) as file:
            if (size := sum(_sizes(file))) > MAX_BYTES:
                raise ValueError(f"its arrays would take {size:,} bytes")
            fits = list(file.items())
            wrong = next((f"{name}, {problem}" for name, fit in fits if (problem := _wrong(fit))), "" if fits else "there is no fit in it")
    except (*_DAMAGE, KeyError, TypeError, AttributeError) as e:
        raise _unreadable(path, e) from e
    if wrong:
        raise _unreadable(path, wrong)
    return raw


def _sizes(group: Any, below: int = 2) -> Iterator[int]:
    """The bytes that each array below a group of HDF5 takes in memory: in a file, those of a group of a reading.

    below: how many levels of groups may follow; a group that holds itself has no end. ValueError for a group below these, for an array that
    lies in another file, and for a link.
    """
    import h5py

    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{group.name}/{name} is a link")
        item = group[name]
        if isinstance(item, h5py.Group):
            if not below:
                raise ValueError(f"{group.name}/{name} lies too deep")
            yield from _sizes(item, below - 1)
        elif isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise ValueError(f"{item.name} lies in another file")
            yield math.prod(item.shape or ()) * item.dtype.itemsize


def _wrong(fit: Mapping[str, Any]) -> str:
    """What is wrong with the groups and the draws of one reading, in words; empty if nothing is."""
    for name in (*GROUPS, *(f"posterior/{parameter}" for parameter in POSTERIOR_NAMES.values())):
        if name not in fit:
            return f"{name}: it is missing"
    draws = fit["posterior"]
    length = draws["chain"].shape + draws["draw"].shape
    for parameter in POSTERIOR_NAMES.values():
        values = draws[parameter]
        if values.shape[:2] != length or values.dtype.kind != "f":
            return f"{parameter}: it is not a number by chain and draw"
        if not np.isfinite(values[()]).all():
            return f"{parameter}: it holds what is not a finite number"
    return ""


def write_draws(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with (folder / DRAWS).open("wb") as out:
        np.savez_compressed(out, allow_pickle=False, **arrays)


class NoArrayError(StoreError, KeyError):
    """A file of draws holds no array of this name."""


class DrawsArrays(Mapping[str, NDArray[Any]]):
    """The arrays of a `draws.npz`, each read and checked when it is asked for. raw: the bytes of the file, if they were read before.

    Every thread has an archive of its own: threads that share one get torn bytes now and then. Raises StoreError if the file is not there,
    cannot be read, or does not hold the arrays of its form; for an array that it does not hold a StoreError that is a KeyError too.
    """

    def __init__(self, path: Path, raw: bytes | None = None) -> None:
        self._path, self._raw, self._mine = path, _raw(path) if raw is None else raw, threading.local()
        with _refusing(path):
            headers = _headers(self._raw)
            self._names = tuple(headers)
            self._forms: Mapping[str, Form] = {}
            self._forms = check_headers(headers, self.__getitem__)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._names:
            raise NoArrayError(f"{self._path} holds no {name}.", REMEDY)
        with _refusing(self._path):
            values = np.asarray(self._archive()[name])
            if name in self._forms:
                check_values(name, values, self._forms[name])
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return len(self._names)

    def _archive(self) -> np.lib.npyio.NpzFile:
        """This thread's own."""
        if not hasattr(self._mine, "archive"):
            self._mine.archive = np.load(io.BytesIO(self._raw), allow_pickle=False)
        found: np.lib.npyio.NpzFile = self._mine.archive
        return found


def _headers(raw: bytes) -> dict[str, Header]:
    """Kind and shape of every array. ValueError if they do not fit the sizes that the archive states, or add up to too much."""
    found, total = {}, 0
    with ZipFile(io.BytesIO(raw)) as archive:
        for info in archive.infolist():
            with archive.open(info) as file:
                version = np.lib.format.read_magic(file)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(file, max_header_size=_HEADER)
                size = math.prod(shape) * dtype.itemsize
                if dtype.hasobject or file.tell() + size != info.file_size:
                    raise ValueError(f"{info.filename} states another size than it has")
            total += size
            found[info.filename.removesuffix(".npy")] = Header(dtype.kind, shape)
    if total > MAX_BYTES:
        raise ValueError(f"its arrays would take {total:,} bytes")
    return found


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Turn damage into a sentence."""
    try:
        yield
    except (
        OSError,
        EOFError,
        ValueError,
        SyntaxError,
        BadZipFile,
        zlib.error,
        lzma.LZMAError,
        struct.error,
        RuntimeError,
        MemoryError,
    ) as e:
        raise _unreadable(path, e) from e


def _raw(path: Path) -> bytes:
    try:
        return read_bounded(path, MAX_BYTES)
    except UnreadableError as e:
        raise _unreadable(path, f"{e.found} was found where {e.expected} was expected") from e


def _unreadable(path: Path, why: Exception | str) -> StoreError:
    return StoreError(f"{path} cannot be read: {str(why).rstrip('.') or type(why).__name__}.", REMEDY)
