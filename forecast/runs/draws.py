"""The draws of a run on disk: `posterior.nc`, which plain ArviZ and xarray open, and `draws.npz`, which NumPy alone opens. No pickles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

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
    tree.to_netcdf(folder / POSTERIOR, engine="h5netcdf")


def write_draws(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with (folder / DRAWS).open("wb") as out:
        np.savez_compressed(out, allow_pickle=False, **arrays)


@contextmanager
def open_draws(run: Path) -> Iterator[Mapping[str, NDArray[Any]]]:
    """The arrays of a run's `draws.npz`, each read when it is asked for. StoreError if the file is not there or cannot be read."""
    try:
        found = np.load(run / DRAWS, allow_pickle=False)
    except (OSError, ValueError) as e:
        raise StoreError(f"{run / DRAWS} cannot be read: {e}.", "Restore the run, or make it again.") from e
    with found:
        yield found


def read_draws(run: Path) -> dict[str, NDArray[Any]]:
    """Every array of a run's `draws.npz`. StoreError if it is not there or cannot be read."""
    with open_draws(run) as arrays:
        return dict(arrays)
