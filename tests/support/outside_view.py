"""A sampler of the outside view that samples nothing. What is heavy is imported only when it is called: many tests only name it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecast.inference.settings import SamplerSettings
from forecast.progress import Report

if TYPE_CHECKING:
    import xarray as xr


class StandIn:
    """Independent draws around fixed values, whatever the data; `seen` are the calls. With `stuck` the first so many calls do not move."""

    def __init__(self, stuck: int = 0) -> None:
        self.seen: list[tuple[Mapping[str, NDArray[Any]], int, SamplerSettings]] = []
        self.stuck = stuck

    def __call__(
        self, data: Mapping[str, NDArray[Any]], seed: int, settings: SamplerSettings = SamplerSettings(), report: Report | None = None
    ) -> xr.DataTree:
        import xarray as xr

        from forecast.model.outside_view import KEPT

        self.seen.append((data, seed, settings))
        rng = np.random.default_rng(seed)
        shape = (settings.chains, settings.draws)
        n = data["rise"].shape[0]
        sizes = {"logit_q": 5, "log_m": 5, "effect_rise": n, "effect_fall": n}
        centres = {"logit_q": -3.5, "log_m": 5.0, "sigma": 1.0, "just_risen_effect": 2.5, "pressure_on_rises": 2.0}
        spread = 0.0 if len(self.seen) <= self.stuck else 0.1
        draws = {
            name: (
                ("chain", "draw", *((f"{name}_dim",) if name in sizes else ())),
                centres.get(name, 0.0) + spread * rng.standard_normal((*shape, *((sizes[name],) if name in sizes else ()))),
            )
            for name in (*KEPT, "tau")
        }
        stats = {"diverging": (("chain", "draw"), np.zeros(shape, bool)), "energy": (("chain", "draw"), rng.standard_normal(shape))}
        return xr.DataTree.from_dict({"posterior": xr.Dataset(draws), "sample_stats": xr.Dataset(stats)})
