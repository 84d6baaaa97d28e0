"""Forecast of Mexican tolerance of US operations against cartels.

The public names below do in a notebook what the command does. Each is imported when first used, so that `import forecast` stays light.
"""

from __future__ import annotations

import importlib
from typing import Any

PUBLIC = {
    "load_workspace": "forecast.forecasting.inputs",
    "build_model": "forecast.model.tolerance",
    "fit": "forecast.jobs.run",
    "simulate": "forecast.jobs.run",
    "write_report": "forecast.jobs.run",
}
"""Public name → the module that defines it. A test keeps `__all__` the same."""

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
