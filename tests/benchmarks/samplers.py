"""Effective draws a second of model 5 in one sampler, in a process of its own: `python -m tests.benchmarks.samplers ENGINE REPEATS DRAWS`.

All engines sample the main reading of the bundled record with four chains, as many draws and tuning steps, and the forecast's target
acceptance; the textbook model with nutpie's defaults. Prints JSON.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Any

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats

from forecast.inference.gate import scalar_draws
from forecast.inference.sample import compile_sampler
from forecast.inference.settings import SamplerSettings
from forecast.inference.tolerance_sampler import tolerance_sampler
from forecast.model import tolerance_density as density
from forecast.model.hyperparameters import tolerance_priors
from forecast.model.tolerance_data import History, TolerancePriors, model_data
from forecast.storage.caches import use_cache_folder
from forecast.typing import Floats
from tests.benchmarks import stan
from tests.support.bundled_state import bundled_origin_state

type Draw = Callable[[int], tuple[xr.Dataset, int]]
"""From a seed to the named parameters, dims chain and draw first, and the number of divergent draws."""
NUTPIE_TARGET = 0.8  # its default


def kernel(history: History, constants: TolerancePriors, settings: SamplerSettings) -> Draw:
    return _drawn(tolerance_sampler(history, constants), history, constants, settings)


def graph(history: History, constants: TolerancePriors, settings: SamplerSettings) -> Draw:
    from forecast.model.tolerance import build_model

    names = tuple(density.parameters(_points(history, constants, 1), model_data(history, constants)))
    return _drawn(compile_sampler(build_model(history, constants), names), history, constants, settings)


def _drawn(sampler: Any, history: History, constants: TolerancePriors, settings: SamplerSettings) -> Draw:
    def draw(seed: int) -> tuple[xr.Dataset, int]:
        tree = sampler(model_data(history, constants), seed, settings)
        return tree["posterior"].to_dataset(), int(tree["sample_stats"]["diverging"].sum())

    return draw


def textbook(history: History, constants: TolerancePriors, settings: SamplerSettings) -> Draw:
    import nutpie

    from tests.benchmarks.textbook import textbook_model

    names = [*density.parameters(_points(history, constants, 1), model_data(history, constants))]
    compiled = nutpie.compile_pymc_model(textbook_model(history, constants), var_names=names)

    def draw(seed: int) -> tuple[xr.Dataset, int]:
        tree = nutpie.sample(
            compiled, draws=settings.draws, tune=settings.tune, chains=settings.chains, seed=seed, target_accept=NUTPIE_TARGET,
            progress_bar=False,
        )  # fmt: skip
        return tree["posterior"].to_dataset(), int(tree["sample_stats"]["diverging"].sum())

    return draw


def pymc(history: History, constants: TolerancePriors, settings: SamplerSettings) -> Draw:
    import pymc as pm

    from forecast.model.tolerance import build_model

    names = [*density.parameters(_points(history, constants, 1), model_data(history, constants))]
    with build_model(history, constants) as model:
        _, step = pm.init_nuts(chains=settings.chains, random_seed=1, target_accept=settings.target_accept, progressbar=False)

    def draw(seed: int) -> tuple[xr.Dataset, int]:
        with model:
            tree = pm.sample(
                draws=settings.draws, tune=settings.tune, chains=settings.chains, random_seed=seed, step=step, var_names=names,
                progressbar=False, compute_convergence_checks=False,
            )  # fmt: skip
        return tree["posterior"].to_dataset(), int(tree["sample_stats"]["diverging"].sum())

    return draw


def numpyro(history: History, constants: TolerancePriors, settings: SamplerSettings) -> Draw:
    """NumPyro's NUTS on the log density of the graph, compiled by JAX; one chain a core."""
    import numpyro as library

    library.enable_x64()
    library.set_host_device_count(settings.chains)
    import jax
    from numpyro.infer import MCMC, NUTS
    from pymc.sampling.jax import get_jaxified_logp

    from forecast.model.tolerance import build_model

    model, data = build_model(history, constants), model_data(history, constants)
    shapes = density.free_parameters(density.knots_of(data))
    assert [v.name for v in model.value_vars] == list(shapes)
    potential = get_jaxified_logp(model, negative_logp=False)  # so called because it is the negative of what `negative_logp` gives
    mcmc = MCMC(
        NUTS(potential_fn=potential, target_accept_prob=settings.target_accept), num_warmup=settings.tune, num_samples=settings.draws,
        num_chains=settings.chains, chain_method="parallel", progress_bar=False,
    )  # fmt: skip

    def draw(seed: int) -> tuple[xr.Dataset, int]:
        points = _points(history, constants, settings.chains, seed)
        ends = np.cumsum([*shapes.values()])[:-1]
        scalars = [v.type.ndim == 0 for v in model.value_vars]
        start = [part[:, 0] if scalar else part for part, scalar in zip(np.split(points, ends, axis=-1), scalars, strict=True)]
        mcmc.run(jax.random.split(jax.random.PRNGKey(seed), settings.chains), init_params=start, extra_fields=("diverging",))
        parts = [np.asarray(part).reshape(settings.chains, settings.draws, -1) for part in mcmc.get_samples(group_by_chain=True)]
        return _named(np.concatenate(parts, axis=-1), data), int(np.asarray(mcmc.get_extra_fields()["diverging"]).sum())

    draw(0)  # compiles
    return draw


def in_stan(history: History, constants: TolerancePriors, settings: SamplerSettings) -> Draw:
    program, data = stan.compiled(), model_data(history, constants)
    file = Path(tempfile.mkdtemp(dir=stan.BUILD)) / "data.json"
    stan.write_data(data, len(history.levels), file)
    stan.check(program, file, data)

    def draw(seed: int) -> tuple[xr.Dataset, int]:
        points, divergent = stan.sample(program, file, seed, settings, os.cpu_count() or 1)
        return _named(points, data), divergent

    return draw


ENGINES: Mapping[str, tuple[str, Callable[[History, TolerancePriors, SamplerSettings], Draw]]] = {
    "kernel": ("the landed model: the compiled kernel in nutpie", kernel),
    "graph": ("the same model's PyMC graph in nutpie", graph),
    "pymc": ("the same graph in PyMC's NUTS", pymc),
    "numpyro": ("the same graph in NumPyro's NUTS", numpyro),
    "stan": ("the same model in Stan's NUTS", in_stan),
    "textbook": ("the textbook form in nutpie, with nutpie's defaults", textbook),
}
"""By name: what is measured, and how to prepare it."""


def _points(history: History, constants: TolerancePriors, n: int, seed: int = 0) -> Floats:
    free = density.free_parameters(density.knots_of(model_data(history, constants)))
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (n, sum(free.values())))


def _named(points: Floats, data: density.ModelData) -> xr.Dataset:
    named = density.parameters(points, data)
    return xr.Dataset({n: (("chain", "draw", *([f"{n}_i"] if v.ndim > 2 else [])), v) for n, v in named.items()})


def effective(posterior: xr.Dataset) -> dict[str, float]:
    """The smallest bulk and tail effective sample sizes and the largest R-hat over all scalars that vary, and which is the smallest."""
    moving = {name: q for name, q in scalar_draws(posterior).items() if np.ptp(q) > 0}
    bulk = {name: float(array_stats.ess(q, chain_axis=0, draw_axis=1, method="bulk")) for name, q in moving.items()}
    tail = [float(array_stats.ess(q, chain_axis=0, draw_axis=1, method="tail", prob=(0.05, 0.95))) for q in moving.values()]
    rhat = [float(array_stats.rhat(q, chain_axis=0, draw_axis=1)) for q in moving.values()]
    return {"bulk": min(bulk.values()), "tail": min(tail), "rhat": max(rhat)}


def _clock() -> tuple[float, float]:
    own, children = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    return time.perf_counter(), own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def run(engine: str, repeats: int, settings: SamplerSettings) -> dict[str, Any]:
    """What an engine needs to get ready, and each repetition's effective draws, seconds, R-hat and divergent draws."""
    state = bundled_origin_state()
    history, constants = state.histories["main"], tolerance_priors(state.priors)
    before = _clock()
    draw = ENGINES[engine][1](history, constants, settings)
    ready = _clock()
    found = []
    for seed in range(1, repeats + 1):
        start = _clock()
        posterior, divergent = draw(seed)
        end = _clock()
        found.append({**effective(posterior), "divergent": divergent, "wall": end[0] - start[0], "cpu": end[1] - start[1]})
    return {"prepare_wall": ready[0] - before[0], "prepare_cpu": ready[1] - before[1], "repeats": found}


if __name__ == "__main__":
    use_cache_folder()
    try:
        made = run(sys.argv[1], int(sys.argv[2]), SamplerSettings(draws=int(sys.argv[3]), tune=int(sys.argv[3])))
    except stan.NoToolchainError as e:
        made = {"missing": str(e)}
    sys.stdout.write(json.dumps(made) + "\n")
