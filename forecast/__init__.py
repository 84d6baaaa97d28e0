"""Forecast of whether Mexico tolerates US operations against cartels on its soil.

The public names below do in a notebook what the commands do. Each is imported when it is first used, so that `import forecast` stays light.

load_workspace  reads and checks data, priors and scenarios
simulate        simulates the drivers
fit             fits the models and answers the questions
build_model     the PyMC model of tolerance
write_report    writes a run with its report
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

# Before NumPy is imported. The matrices are small, so the threads of the linear algebra would wait for each other longer than they work;
# and the last bits of a sum may depend on their number, which is that of the machine's cores.
for _threads in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

if TYPE_CHECKING:
    from forecast.forecasting.inputs import load_workspace
    from forecast.jobs.run import fit, simulate, write_report
    from forecast.model.tolerance import build_model

    __version__: str

PUBLIC = {
    "load_workspace": "forecast.forecasting.inputs",
    "build_model": "forecast.model.tolerance",
    "fit": "forecast.jobs.run",
    "simulate": "forecast.jobs.run",
    "write_report": "forecast.jobs.run",
}
"""Public name → the module that defines it."""

__all__ = ["__version__", "build_model", "fit", "load_workspace", "simulate", "write_report"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("tolerance-forecast")
    if name in PUBLIC:
        return getattr(importlib.import_module(PUBLIC[name]), name)
    raise AttributeError(f"module 'forecast' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
