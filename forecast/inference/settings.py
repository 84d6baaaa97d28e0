"""Settings of the sampler. Numbers only, so that comparing them imports no sampler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CHAINS: Final = 4
DRAWS: Final = 1_000
TUNE: Final = 1_000
TARGET_ACCEPT: Final = 0.9

DRAWS_A_CHAIN: Final = 500
"""Draws of each chain that the forecast uses."""

RETRY_ACCEPT: Final = 0.99
"""Target acceptance of the second fit, after the gate refused the first."""


@dataclass(frozen=True)
class SamplerSettings:
    """Settings of one fit: number of chains, draws and tuning steps of each, target acceptance of NUTS."""

    chains: int = CHAINS
    draws: int = DRAWS
    tune: int = TUNE
    target_accept: float = TARGET_ACCEPT


MULTIVERSE: Final = SamplerSettings(draws=500, tune=300)
"""Half the draws: the choices of the multiverse differ by more than the sampling error. After 300 tuning steps NUTS moves as after 500."""
