"""The textbook form of the benchmarks is model 5 in other coordinates: both densities differ by the Jacobian of the change alone."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.arrays.decay import yearly_persistence
from forecast.model import tolerance_density as density
from forecast.model.hyperparameters import tolerance_priors
from forecast.model.tolerance_data import model_data
from tests.support.bundled_state import bundled_origin_state


@pytest.mark.slow
def test_the_textbook_form_is_the_same_model() -> None:
    from pytensor.compile.mode import Mode

    from tests.benchmarks.textbook import textbook_model

    state = bundled_origin_state()
    history, constants = state.histories["main"], tolerance_priors(state.priors)
    data = model_data(history, constants)
    n_knots = density.knots_of(data)
    model = textbook_model(history, constants)
    compiled = model.compile_logp(mode=Mode(linker="py", optimizer=None))  # three points are not worth a compilation
    points = np.random.default_rng(3).uniform(-1.0, 1.0, (3, sum(density.free_parameters(n_knots).values())))
    apart = []
    for point, expected in zip(points, density.log_density(points, data), strict=True):
        named = {name: np.asarray(value) for name, value in density.parameters(point, data).items()}
        named["log_half_life"] = np.log(named["drift_half_life"] - constants.half_life[2])
        for name in ("opposition_mobilisation", "administration_sd", "drift_sd"):  # PyMC samples their logarithms, as the landed model does
            named[f"{name}_log__"] = np.log(named[name])
        there = float(compiled({variable.name: named[variable.name] for variable in model.value_vars}))
        scales = named["administration_effect"].size * np.log(named["administration_sd"]) + n_knots * np.log(named["drift_sd"])
        innovations = (n_knots - 1) * 0.5 * np.log1p(-(yearly_persistence(named["drift_half_life"]) ** 2))
        apart.append(there - (expected - scales - innovations))
    # What is left are the logarithms of the fixed scales of the priors.
    np.testing.assert_allclose(apart, apart[0], atol=1e-6)
