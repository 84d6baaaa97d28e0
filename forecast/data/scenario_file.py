"""A new scenario file: a template to be edited, written whole and never over another."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from forecast.data.lock import editing
from forecast.errors import ForecastError, UsageError
from forecast.storage.atomic_write import sweep_beside, write_beside

TEMPLATE: Final = '''# A scenario: what the forecast becomes if ... Run it with `forecast scenario run NAME`, NAME being that of this file.
# Months count from the one after the origin: 1 is the first month that is forecast, 24 the last.
title = "What happens, in a few words"

# "intervened": set from outside, the mechanism downstream reacts. "conditioned": we learn that it is so, and keep the simulated paths
# on which it is; whatever goes with it moves too. A file does one of them.
kind = "intervened"

story = """
A few sentences in plain words."""
assumptions = ["What is put in, one sentence each."]
not_represented = ["What the model cannot show of it."]

# The months of the story: where no other are given, changes last for them, and the plausibility is judged over them.
months = [1, 12]

# What happens for sure. Streams: threat.economic, threat.diplomatic, threat.security, measure.economic, measure.diplomatic,
# measure.security, act, relaxation, demonstration, mobilisation, concession. Intensity 1 to 5 as in data/CODEBOOK.md (a concession has
# none). An act, a relaxation and a demonstration need a channel. `ends = true`: this relaxation ends a standing measure of its channel.
[[arrival]]
stream = "measure.economic"
intensity = 3
months = [2, 5]

# [[arrival]]
# stream = "relaxation"
# channel = "economic"
# intensity = 3
# months = [8]
# ends = true

# How often things come, as a factor on their usual rate; 0 is never.
# [rates]
# factors = { "threat.security" = 1.5, "concession" = 0.5 }
# from = 1
# to = 12

# US overdose deaths, as a factor on what is simulated, built up over some months and kept.
# [deaths]
# factor = 1.3
# from = 1
# over = 6

# Mexicans opposed to US force, in percentage points more (or, below zero, fewer) than simulated.
# [opposition]
# points = 5
# from = 1
# over = 3

# Leverage itself, where no event tells the story; 1 is its mean of 2025.
# [leverage]
# add = 0.2
# from = 1
# to = 12

# Only where kind = "conditioned": the mean of a driver over some months. Drivers: leverage (1 is its mean of 2025), deaths (a month),
# opposition (per cent opposed), mobilisation (1 is its mean of 2025).
# [[condition]]
# driver = "leverage"
# months = [1, 12]
# below = 1.1
'''


def write_new(path: Path, text: str = TEMPLATE) -> None:
    """Write a file that must not be there yet, in one step. Raises UsageError if it is, ForecastError if it cannot be written."""
    if path.exists():
        raise _exists(path)
    try:
        path.parent.mkdir(exist_ok=True)
        with editing(path.parent):
            sweep_beside(path.parent)
            made = write_beside(path, text.encode(), 0o644)
            try:
                os.link(made, path)  # unlike a rename, it fails where the name is taken
            finally:
                made.unlink()
    except FileExistsError:
        raise _exists(path) from None
    except OSError as e:
        raise ForecastError(f"{path} could not be written: {e.strerror or e}.", "Check the disk and the permissions.") from e


def _exists(path: Path) -> UsageError:
    return UsageError(f"{path} exists already; it was left as it is.", "Edit it, or choose another name.")
