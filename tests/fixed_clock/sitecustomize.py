"""A fixed clock for an installed `forecast`: Python imports this module at its start if its folder is in PYTHONPATH.

Modules of `forecast.cli`, where the clock is read, get a `datetime` whose `now` is the moment in the variable FIXED_CLOCK.
"""

from __future__ import annotations

import datetime as real
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


class _Type(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, real.datetime)


class FixedDatetime(real.datetime, metaclass=_Type):
    """`datetime` but for `now`; what it makes are plain datetimes."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return real.datetime(*args, **kwargs)  # noqa: DTZ001 (as naive as it is asked for)

    @classmethod
    def now(cls, tz: real.tzinfo | None = None) -> Any:
        return real.datetime.fromisoformat(os.environ["FIXED_CLOCK"]).astimezone(tz)


class _Finder:
    """Imports modules of `forecast.cli` as Python would, then replaces their `datetime`."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith("forecast.cli") or (spec := PathFinder.find_spec(name, path, target)) is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            if vars(module).get("datetime") is real.datetime:
                vars(module)["datetime"] = FixedDatetime

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Finder)
