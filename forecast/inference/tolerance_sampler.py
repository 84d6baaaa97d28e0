"""The sampler of model 5: nutpie on the kernel of the model, compiled once for all processes.

The model's graph in PyMC states the model, and is what the kernel is tested against. It is compiled only if the kernel cannot be used.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.arrays.ladder import N_LEVELS
from forecast.domain import FIRST_MONTH, TOP
from forecast.inference.machine_code import CodeError, MachineCode, machine_code
from forecast.inference.sample import Sampler, compile_sampler, draw
from forecast.inference.settings import SamplerSettings
from forecast.model import tolerance_density as density
from forecast.model.tolerance_data import ADMINISTRATIONS, History, TolerancePriors, model_data
from forecast.progress import Report
from forecast.storage.caches import cache_folder
from forecast.typing import Floats

_KERNEL: Final = "forecast.model.tolerance_kernel"
_POINTS: Final = 3
"""Random points at which the compiled density is compared before it is used."""
_STATISTICS: Final = ("diverging", "energy", "logp", "depth", "n_steps", "step_size", "mean_tree_accept")
"""What is kept of the sampler's own statistics; nutpie has a dozen more, which concern its adaptation."""
_DIMS: Final = {
    "logit_rise": "from_rise", "log_stay": "from_fall", "administration_effect": "administration", "drift": "knot",
}  # fmt: skip


def tolerance_sampler(history: History, constants: TolerancePriors, engine: Literal["nutpie", "pymc"] = "nutpie") -> Sampler:
    """A sampler for histories with as many slots as this one, and for any constants of the priors."""
    if engine == "pymc":
        return _graph_sampler(history, constants, engine)
    data = model_data(history, constants)
    try:
        folder = cache_folder()
        value = machine_code(_KERNEL, "value_and_gradient", lambda address: difference(address, data), folder)
        copy = machine_code(_KERNEL, "copy", lambda address: _copy_difference(address, len(_start(data, 0))), folder)
        sampler = _KernelSampler(value, copy)
        sampler.nutpie_model(data)
    except (CodeError, ImportError, AttributeError, TypeError) as e:  # the last two: nutpie has changed
        logging.getLogger(__name__).warning("The compiled density cannot be used (%s); the model's graph is compiled, which is slower.", e)
        return _graph_sampler(history, constants, engine)
    return sampler


def _graph_sampler(history: History, constants: TolerancePriors, engine: Literal["nutpie", "pymc"]) -> Sampler:
    from forecast.model.tolerance import build_model

    data = model_data(history, constants)
    return compile_sampler(build_model(history, constants), tuple(density.parameters(_start(data, 0), data)), engine)


def _start(data: density.ModelData, seed: int | None) -> Floats:
    """Where a chain starts: uniform within 1 of the middle of the prior."""
    n = sum(density.free_parameters(density.knots_of(data)).values())
    return np.random.default_rng(seed).uniform(-1.0, 1.0, n)


def difference(address: int, data: density.ModelData) -> str:
    """What is wrong with the density and gradient at an address, against NumPy and its central differences; empty if nothing."""
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)(address)
    packed, step = density.pack(data), 1e-5
    for seed in range(_POINTS):
        point = _start(data, seed)
        n = len(point)
        gradient, value = np.empty(n), np.empty(1)
        if call(n, point.ctypes.data, gradient.ctypes.data, value.ctypes.data, packed.ctypes.data) != 0:
            return "it fails at a point where the density is finite"
        near = density.log_density(np.concatenate([point[None], point + step * np.eye(n), point - step * np.eye(n)]), data)
        expected = (near[1 : n + 1] - near[n + 1 :]) / (2.0 * step)
        if not np.allclose(value[0], near[0], rtol=1e-10, atol=1e-9):
            return f"its log density is {value[0]:.9g} where NumPy has {near[0]:.9g}"
        if not np.allclose(gradient, expected, rtol=1e-5, atol=1e-5):
            return "its gradient is not the slope of its log density"
    return ""


def _copy_difference(address: int, n: int) -> str:
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, ctypes.c_uint64, *[ctypes.c_void_p] * 3)(address)
    point, kept = np.arange(1.0, n + 1.0), np.zeros(n)
    status = call(n, n, point.ctypes.data, kept.ctypes.data, point.ctypes.data)
    return "" if status == 0 and (point == kept).all() else "it does not copy a point"


@dataclass(frozen=True, eq=False)
class _KernelSampler:
    """Samples by the two compiled functions."""

    value: MachineCode
    copy: MachineCode

    def nutpie_model(self, data: density.ModelData) -> Any:
        """What nutpie samples: the fields that its own compilation of a graph would fill."""
        import pandas as pd
        from nutpie.compile_pymc import CompiledPyMCModel

        n = len(_start(data, 0))
        names, slices, shapes = ["point"], [slice(0, n)], [(n,)]
        return CompiledPyMCModel(
            _n_dim=n, dims={"point": ("parameter",)}, _coords={"parameter": pd.RangeIndex(n), "unconstrained_parameter": pd.RangeIndex(n)},
            _shapes={"point": (n,)}, compiled_logp_func=self.value, compiled_expand_func=self.copy,
            initial_point_func=lambda seed: _start(data, seed), shared_data={}, shared_var_keys={}, user_data=density.pack(data),
            n_expanded=n, shape_info=(names, slices, shapes), logp_func=None, expand_func=None, reparameterized_names=[],
        )  # fmt: skip

    def __call__(
        self,
        data: Mapping[str, NDArray[Any]],
        seed: int,
        settings: SamplerSettings = SamplerSettings(),
        report: Report | None = None,
    ) -> xr.DataTree:
        tree = draw(self.nutpie_model(data), seed, settings, report)
        points = np.asarray(tree["posterior"]["point"].transpose("chain", "draw", "parameter").values)
        variables = {
            name: (("chain", "draw", *([_DIMS[name]] if name in _DIMS else [])), values)
            for name, values in density.parameters(points, data).items()
        }
        tree["sample_stats"] = xr.DataTree(tree["sample_stats"].to_dataset()[list(_STATISTICS)])
        kept = tree["posterior"].to_dataset()
        coords = {"chain": kept["chain"], "draw": kept["draw"], **_coords(density.knots_of(data))}
        tree["posterior"] = xr.DataTree(xr.Dataset(variables, coords, kept.attrs))
        return tree


def _coords(n_knots: int) -> dict[str, list[int] | list[str]]:
    return {
        "from_rise": list(range(TOP)),
        "from_fall": list(range(1, N_LEVELS)),
        "administration": list(range(ADMINISTRATIONS)),
        "knot": [f"{FIRST_MONTH // 12 + k}-01" for k in range(n_knots)],
    }
