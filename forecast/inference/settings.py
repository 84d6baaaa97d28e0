"""How fits are run: numbers alone, so that comparing them imports no sampler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CHAINS: Final = 4
DRAWS: Final = 1_000
TUNE: Final = 1_000
TARGET_ACCEPT: Final = 0.9

DRAWS_A_CHAIN: Final = 500
"""How many draws of each chain are carried forward."""

RETRY_ACCEPT: Final = 0.99
"""The target of acceptance of the second fit, when the gate refused the first."""


@dataclass(frozen=True)
class SamplerSettings:
    """How a fit is run."""

    chains: int = CHAINS
    draws: int = DRAWS
    tune: int = TUNE
    target_accept: float = TARGET_ACCEPT


MULTIVERSE: Final = SamplerSettings(draws=500, tune=500)
"""Half the draws: the strip compares choices that lie far apart."""
