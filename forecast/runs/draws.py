"""The draws of a run on disk: `posterior.nc`, which plain ArviZ and xarray open, and `draws.npz`, which NumPy alone opens. No pickles."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from forecast.errors import StoreError

if TYPE_CHECKING:
    import xarray as xr

POSTERIOR: Final = "posterior.nc"
DRAWS: Final = "draws.npz"
GROUPS: Final = ("posterior", "sample_stats")


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


def read_posterior(run: Path) -> dict[str, xr.DataTree]:
    """The fits of a run by reading, each with posterior and sample_stats, in memory. StoreError if they cannot be read."""
    import xarray as xr

    try:
        with xr.open_datatree(run / POSTERIOR, engine="h5netcdf") as tree:
            return {str(name): fitted.load() for name, fitted in tree.children.items()}
    except (OSError, ValueError) as e:
        raise StoreError(f"{run / POSTERIOR} cannot be read: {e}.", "Restore the run, or make it again.") from e


def write_draws(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with (folder / DRAWS).open("wb") as out:
        np.savez_compressed(out, allow_pickle=False, **arrays)


class _Arrays(Mapping[str, NDArray[Any]]):
    """The arrays of a `draws.npz`, each read when it is asked for.

    Every thread has a handle of its own: threads that share one get torn bytes now and then.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._mine = path, threading.local()
        self._handles: list[IO[bytes]] = []
        self._names = tuple(self._archive().files)

    def __getitem__(self, name: str) -> NDArray[Any]:
        try:
            return np.asarray(self._archive()[name])
        except (OSError, EOFError, ValueError, BadZipFile, zlib.error) as e:
            raise _unreadable(self._path, e) from e

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def close(self) -> None:
        for handle in self._handles:
            handle.close()

    def _archive(self) -> np.lib.npyio.NpzFile:
        """This thread's own."""
        if not hasattr(self._mine, "archive"):
            handle = self._path.open("rb")
            try:
                self._mine.archive = np.load(handle, allow_pickle=False)
            except BaseException:
                handle.close()
                raise
            self._handles.append(handle)
        found: np.lib.npyio.NpzFile = self._mine.archive
        return found


@contextmanager
def open_draws(run: Path) -> Iterator[Mapping[str, NDArray[Any]]]:
    """The arrays of a run's `draws.npz`, each read when it is asked for, by any thread.

    Raises StoreError if the file is not there or cannot be read; the mapping KeyError for an array that it does not hold.
    """
    path = run / DRAWS
    try:
        found = _Arrays(path)
    except (OSError, EOFError, ValueError, BadZipFile) as e:
        raise _unreadable(path, e) from e
    with closing(found):
        yield found


def _unreadable(path: Path, why: Exception) -> StoreError:
    return StoreError(f"{path} cannot be read: {why}.", "Restore the run, or make it again.")


def read_draws(run: Path) -> dict[str, NDArray[Any]]:
    """Every array of a run's `draws.npz`. StoreError if it is not there or cannot be read."""
    with open_draws(run) as arrays:
        return dict(arrays)
