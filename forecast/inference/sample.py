"""The only caller of a sampler: nutpie by default, PyMC's own NUTS as the fallback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.inference.settings import SamplerSettings
from forecast.progress import Report

if TYPE_CHECKING:
    import pymc as pm


class Sampler(Protocol):
    """Samples the posterior of one model, for any values of its data."""

    def __call__(
        self, data: Mapping[str, NDArray[Any]], seed: int, settings: SamplerSettings = ..., report: Report | None = None
    ) -> xr.DataTree:
        """Groups `posterior` and `sample_stats` with dims chain, draw."""
        ...


def compile_sampler(model: pm.Model, kept: Sequence[str] = (), engine: Literal["nutpie", "pymc"] = "nutpie") -> Sampler:
    """A sampler for the model's graph; for nutpie the compilation happens here, once, and serves every later call.

    kept: the variables to keep, all if empty.
    """
    return _Nutpie(model, kept) if engine == "nutpie" else _Nuts(model, kept)


class _Nutpie:
    def __init__(self, model: pm.Model, kept: Sequence[str]) -> None:
        import nutpie
        import pytensor

        # With fast maths the order of additions, and so every draw, would depend on the contents of the cache of compiled code. Numba's
        # own cache is of no use here: no other process would find what it keeps.
        with pytensor.config.change_flags(numba__fastmath=False):
            self._compiled = nutpie.compile_pymc_model(model, var_names=list(kept) or None, cache=False)

    def __call__(
        self,
        data: Mapping[str, NDArray[Any]],
        seed: int,
        settings: SamplerSettings = SamplerSettings(),
        report: Report | None = None,
    ) -> xr.DataTree:
        return draw(self._compiled.with_data(**data), seed, settings, report)


def draw(compiled: Any, seed: int, settings: SamplerSettings, report: Report | None) -> xr.DataTree:
    """Sample what nutpie has compiled: groups `posterior` and `sample_stats`, dims chain, draw."""
    import nutpie

    total = settings.chains * (settings.draws + settings.tune)

    def pass_on(chains: Sequence[Any]) -> None:
        if report:
            done = sum(c.finished_draws for c in chains)
            report(done / total, f"{done} of {total} draws, {sum(c.divergences for c in chains)} divergences")

    run = nutpie.sample(
        compiled, draws=settings.draws, tune=settings.tune, chains=settings.chains, seed=seed, target_accept=settings.target_accept,
        save_warmup=False, progress_bar=False, progress_callback=pass_on, blocking=False,
    )  # fmt: skip
    try:
        tree: xr.DataTree = run.wait()
    except KeyboardInterrupt:
        run.cancel()
        raise
    return _marked(tree, settings)


class _Nuts:
    def __init__(self, model: pm.Model, kept: Sequence[str]) -> None:
        self._model, self._kept = model, list(kept) or None

    def __call__(
        self,
        data: Mapping[str, NDArray[Any]],
        seed: int,
        settings: SamplerSettings = SamplerSettings(),
        report: Report | None = None,
    ) -> xr.DataTree:
        import pymc as pm

        with self._model:
            pm.set_data({k: np.asarray(v) for k, v in data.items()})
            tree: xr.DataTree = pm.sample(
                draws=settings.draws, tune=settings.tune, chains=settings.chains, random_seed=seed, nuts_sampler="pymc",
                target_accept=settings.target_accept, var_names=self._kept, progressbar=False, compute_convergence_checks=False,
            )  # fmt: skip
        return _marked(tree, settings)


def _marked(tree: xr.DataTree, settings: SamplerSettings) -> xr.DataTree:
    """Mark whether the sampler reached its last draw: an interrupted PyMC returns the draws it has."""
    sizes = tree["posterior"].sizes
    tree.attrs["completed"] = bool(sizes["chain"] == settings.chains and sizes["draw"] == settings.draws)
    return tree
