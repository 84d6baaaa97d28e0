"""The sampler of model 5: the same draws in every process, and the model's graph where the kernel cannot be used."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from forecast.inference import tolerance_sampler as sampler
from forecast.inference.settings import SamplerSettings
from forecast.model.tolerance_data import model_data
from tests.support import synthetic

SHORT = SamplerSettings(chains=2, draws=60, tune=60)


def history_and_priors() -> tuple[sampler.History, sampler.TolerancePriors]:
    return synthetic.origin_state().histories["main"], synthetic.constants()


def test_it_samples_the_named_parameters() -> None:
    history, constants = history_and_priors()
    tree = sampler.tolerance_sampler(history, constants)(model_data(history, constants), 3, SHORT)
    posterior = tree["posterior"]
    assert posterior["drift"].dims == ("chain", "draw", "knot")
    assert dict(posterior.sizes) == {"chain": 2, "draw": 60, "from_rise": 5, "from_fall": 5, "administration": 8, "knot": 28}
    np.testing.assert_allclose(posterior["administration_effect"].std("administration").values.shape, (2, 60))
    assert tree.attrs["completed"]
    assert {"diverging", "energy"} <= set(tree["sample_stats"].data_vars)


def test_where_nutpie_has_changed_the_graph_is_compiled(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def changed(**_: object) -> None:
        raise TypeError("unexpected keyword argument '_n_dim'")

    monkeypatch.setattr("nutpie.compile_pymc.CompiledPyMCModel", changed)
    monkeypatch.setattr(sampler, "compile_sampler", lambda model, kept, engine: ("graph", model.name, engine, len(kept)))
    with caplog.at_level(logging.WARNING):
        assert sampler.tolerance_sampler(*history_and_priors()) == ("graph", "", "nutpie", 14)
    assert "the model's graph is compiled" in caplog.text


@pytest.mark.parametrize("wrong", ["value", "gradient"])
def test_code_of_another_density_is_not_believed(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    """The check sees a density that is off by a constant, and one whose slope is off."""
    history, constants = history_and_priors()
    data = model_data(history, constants)
    compiled = sampler.tolerance_sampler(history, constants)
    address = compiled.value.address
    assert sampler.difference(address, data) == ""
    exact = sampler.density.log_density
    off = {"value": lambda points, data: exact(points, data) + 1e-4, "gradient": lambda points, data: exact(points, data) + _bump(points)}
    monkeypatch.setattr(sampler.density, "log_density", off[wrong])
    assert ("log density is" if wrong == "value" else "gradient is not") in sampler.difference(address, data)


def _bump(points: np.ndarray) -> np.ndarray:
    """Nothing at the first point, and a slope around it."""
    return 1e-3 * (points - points[:1]).sum(-1)


SCRIPT = """
import hashlib, json, logging, sys
logging.basicConfig(level="WARNING")
from forecast.inference import machine_code
from forecast.inference.settings import SamplerSettings
from forecast.inference.tolerance_sampler import tolerance_sampler
from forecast.model.tolerance_data import model_data
from tests.support import synthetic

compiled, real = [], machine_code._compile
machine_code._compile = lambda module, function: compiled.append(function) or real(module, function)
history, constants = synthetic.origin_state().histories["main"], synthetic.constants()
tree = tolerance_sampler(history, constants)(model_data(history, constants), 3, SamplerSettings(chains=2, draws=60, tune=60))
draws = b"".join(tree["posterior"][name].values.tobytes() for name in sorted(tree["posterior"].data_vars))
heavy = [name for name in ("pymc", "pytensor") if name in sys.modules]
print(json.dumps({"compiled": compiled, "draws": hashlib.sha256(draws).hexdigest(), "heavy": heavy}))
"""


@pytest.mark.slow
def test_a_second_process_compiles_nothing_and_draws_the_same(tmp_path: Path) -> None:
    environ = os.environ | {"FORECAST_CACHE": str(tmp_path / "cache")}
    done = []
    for _ in range(2):
        done.append(subprocess.run([sys.executable, "-c", SCRIPT], env=environ, capture_output=True, text=True, check=True))
    first, second = (json.loads(d.stdout) for d in done)
    assert first["compiled"] == ["value_and_gradient", "copy"]
    assert second["compiled"] == []
    assert first["draws"] == second["draws"]
    assert first["heavy"] == second["heavy"] == []
    for path in (tmp_path / "cache").glob("*.code"):
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    third = subprocess.run([sys.executable, "-c", SCRIPT], env=environ, capture_output=True, text=True, check=True)
    assert json.loads(third.stdout) == first
    assert third.stderr.count("is not used, and is compiled again") == 2
