"""What a forecast was made from, as digests of meaning: two runs that agree in all of them differ by chance alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from forecast.data.fingerprint import data_digest
from forecast.forecasting.driver_simulation import HORIZON, N_PATHS
from forecast.forecasting.inputs import Inputs
from forecast.forecasting.ladder_forecast import PATHS_A_DRAW
from forecast.forecasting.scenarios.specification import Scenario
from forecast.inference.settings import DRAWS_A_CHAIN, MULTIVERSE, RETRY_ACCEPT, SamplerSettings
from forecast.model.tolerance_data import MODEL_VERSION

TEXTS: Final = frozenset({"title", "story", "assumptions", "not_represented"})
"""Texts of a scenario that only its reader uses."""


@dataclass(frozen=True, slots=True)
class InputFingerprint:
    """Digests of data and priors, the version of the model, and the digest of the settings; None where a run does not record it."""

    data: str | None
    priors: str | None
    model: str | None
    settings: str | None

    @classmethod
    def of(cls, inputs: Inputs) -> Self:
        """Of inputs that a forecast could be made from now."""
        return cls(data_digest(inputs.data), inputs.priors.digest(), MODEL_VERSION, settings_digest(inputs))

    @classmethod
    def from_manifest(cls, meta: Mapping[str, Any]) -> Self:
        """Of a run, by its manifest."""
        return cls(meta.get("data_digest"), meta.get("priors_digest"), meta.get("model_version"), meta.get("settings_digest"))


def settings_digest(inputs: Inputs) -> str:
    """SHA-256 of what moves the published numbers besides data, priors and the model.

    That is how much is sampled, the choices of the multiverse table, and the scenarios.

    The seed and the sampler's maker are not among them: they move a number by its Monte Carlo error.
    """
    form = sampling() | {
        "alternatives": {name: {prior: str(spec) for prior, spec in specs.items()} for name, specs in inputs.alternatives.items()},
        "scenarios": {scenario.name: changes(scenario) for scenario in inputs.scenarios},
    }
    return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()


def sampling() -> dict[str, dict[str, Any]]:
    """How much is sampled, for the fit and for each choice of the multiverse table, and how much is simulated."""
    return {
        "fit": asdict(SamplerSettings()) | {"retry_accept": RETRY_ACCEPT},
        "multiverse": asdict(MULTIVERSE),
        "carried": {"draws_a_chain": DRAWS_A_CHAIN, "paths": N_PATHS, "paths_a_draw": PATHS_A_DRAW, "horizon": HORIZON},
    }


def changes(scenario: Scenario) -> dict[str, Any]:
    """What a scenario sets or learns; the order of its arrivals and conditions does not count."""
    fields = scenario.says.model_dump(mode="json", exclude=set(TEXTS))
    return {
        key: sorted(value, key=lambda row: json.dumps(row, sort_keys=True)) if key in ("arrival", "condition") else value
        for key, value in fields.items()
    }
