"""One compilation serves every fit of a process whose history has as many slots."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forecast.domain import Month
from forecast.forecasting import fit_readings
from forecast.model.hyperparameters import tolerance_priors
from tests.support.bundled_state import bundled_origin_state


def test_the_model_is_compiled_once_for_all_origins_of_its_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def compiler(history: object, constants: object, engine: str) -> str:
        made.append(engine)
        return f"{engine} {len(made)}"

    monkeypatch.setattr(fit_readings, "tolerance_sampler", compiler)
    origin_state = bundled_origin_state()
    constants = tolerance_priors(origin_state.priors)
    earlier, far = (
        replace(origin_state, origin=Month(origin_state.origin - 100)),
        replace(origin_state, origin=Month(origin_state.origin + 100)),
    )
    first = fit_readings.compiled_sampler(origin_state, constants)
    assert fit_readings.compiled_sampler(earlier, replace(constants, drift_sd=1.0)) is first
    assert fit_readings.compiled_sampler(origin_state, constants, "pymc") != first
    assert fit_readings.compiled_sampler(far, constants) != first
    assert made == ["nutpie", "pymc", "nutpie"]
    monkeypatch.setattr(fit_readings, "tolerance_sampler", lambda *_: "another stand-in")
    assert fit_readings.compiled_sampler(origin_state, constants) == "another stand-in"
