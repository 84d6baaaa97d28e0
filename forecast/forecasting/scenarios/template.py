"""A new scenario file: a template to be edited, written whole and never over another."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from forecast.errors import UsageError
from forecast.storage.atomic import create_file

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


def create_scenario_file(path: Path, text: str = TEMPLATE) -> None:
    """Write a scenario file that does not exist yet. Raises UsageError if it exists, ForecastError if it cannot be written."""
    try:
        create_file(path, text.encode())
    except FileExistsError:
        raise UsageError(f"{path} exists already; it was left as it is.", "Edit it, or choose another name.") from None
