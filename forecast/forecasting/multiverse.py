"""The headline of the main reading under other defensible choices, all through the one compiled function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.ladder import saturate_pressure
from forecast.data.outcome import changes, claims_in_force, main_levels, real_time_levels
from forecast.data.tables import history as months_of
from forecast.domain import Month, first_day
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.fit_readings import fit_history, posterior_draws
from forecast.forecasting.ladder_forecast import PressureTransform, forecast_from_history
from forecast.forecasting.origin_state import OriginState, claims_day
from forecast.inference.sample import Sampler
from forecast.inference.settings import SamplerSettings
from forecast.model.hyperparameters import tolerance_priors
from forecast.model.tolerance_data import History, TolerancePriors
from forecast.priors.distributions import Fixed, Normal, PriorSpec
from forecast.priors.outside_view_variants import DRUG_CASES, SAME_YEAR, YEAR_BEFORE, Alternatives
from forecast.typing import Floats

type Levels = NDArray[np.int_]

OFF: Final[Floats] = np.zeros(2)
"""The mean and the sd of an effect that is none. It is set in the constants: a prior may not be so narrow."""

SYMMETRIC = Normal(1.1, 0.67)
"""One effect that lifts rises and holds falls: set as the effect on rises is, between the two fits and wide."""


@dataclass(frozen=True)
class Universe:
    """One choice: what it changes, and the group it belongs to in the strip."""

    label: str
    group: str
    note: str
    levels: Levels
    constants: TolerancePriors
    link: PressureTransform = saturate_pressure


@dataclass(frozen=True)
class Disputed:
    """The one act on which most of what Mexico's record says about pressure rests."""

    event: str
    claim: str
    month: Month

    @property
    def label(self) -> str:
        day = first_day(self.month)
        return f"the disputed act of {day:%B %Y} ({self.event})"


def disputed_act(situation: OriginState) -> Disputed | None:
    """The act behind the newest rise of the main reading, if the claim that makes it counts with low confidence."""
    data, months = situation.data, months_of(situation.data)
    levels = situation.histories["main"].levels
    rises = [c for c in changes(levels, months, claims_in_force(data.claims, claims_day(data), months)) if c.after > c.before]
    if not rises or rises[-1].claim.confidence != "low" or not rises[-1].claim.basis_ids:
        return None
    return Disputed(rises[-1].claim.basis_ids[0], rises[-1].claim.claim_id, rises[-1].month)


@dataclass(frozen=True)
class Outcome:
    """The headline of the main reading under one choice; divergences of its fit, which must be none."""

    label: str
    group: str
    note: str
    probability: float
    divergences: int


def universes(situation: OriginState, disputed: Disputed | None, alternatives: Alternatives) -> Iterator[Universe]:
    """Every choice of the strip, the published one first. `disputed` is left out in one of them."""
    data, priors = situation.data, situation.priors
    main = situation.histories["main"]
    here = tolerance_priors(priors)
    months = months_of(data)

    def with_priors(**edits: PriorSpec) -> TolerancePriors:
        return tolerance_priors(priors.replace({name.replace("__", "."): spec for name, spec in edits.items()}))

    def universe(
        label: str, group: str, note: str, constants: TolerancePriors = here, levels: Levels = main.levels, **link: PressureTransform
    ) -> Universe:
        return Universe(label, group, note, levels, constants, **link)

    yield universe("as published (main reading)", "as published", "")
    yield universe(
        "coded as known at the time", "coding", "each month as it was known when it ended", levels=real_time_levels(data.claims, months)
    )
    if disputed is not None:
        without = [c for c in data.claims if disputed.event not in c.basis_ids]
        yield universe(
            f"without {disputed.label}",
            "disputed act",
            f"{disputed.event} and the claims that rest on it left out",
            levels=main_levels(without, claims_day(data), months),
        )
    for label, link, note in LINKS:
        yield universe(f"pressure {label}", "scale of pressure", note, link=link)
    symmetric = replace(with_priors(leverage__effect=SYMMETRIC), symmetric=True)
    yield universe("pressure symmetric", "scale of pressure", "one effect that lifts rises and holds falls", symmetric)
    yield universe(
        "pressure effect as coded elsewhere",
        "scale of pressure",
        "of the same year, with its hindsight",
        tolerance_priors(priors.replace(alternatives[SAME_YEAR])),
    )
    yield universe(
        "pressure effect of the year before",
        "scale of pressure",
        "the lagged fit to other states",
        tolerance_priors(priors.replace(alternatives[YEAR_BEFORE])),
    )
    yield universe("pressure off", "drivers", "no effect on rises or falls", replace(here, leverage=OFF, leverage_on_falls=OFF))
    for factor in (1.0, 0.5):
        yield universe(
            f"selection factor {factor:g}",
            "outside view",
            "on the chances of reaching 4",
            with_priors(outside_view__selection=Fixed(factor)),
        )
    drug_cases = tolerance_priors(priors.replace(alternatives[DRUG_CASES]))
    yield universe("drug cases alone", "outside view", "the ladder of states where drugs were the reason", drug_cases)
    yield universe(
        "no going on through 3", "outside view", "a rise that reaches 3 stops there", replace(here, skip_up=_never_through_3(here))
    )
    yield universe("falls no likelier just after a rise", "model", "no effect of the month after a rise", replace(here, fresh=OFF))
    yield universe("weak priors", "priors", "every sd doubled", _weakened(here))
    yield universe("opposition off", "drivers", "opposition has no effect", replace(here, opposition=OFF))
    yield universe("leverage only (model S)", "model", "no overdoses, opposition, administrations or drift", _leverage_only(here))


LINKS: tuple[tuple[str, PressureTransform, str], ...] = (
    ("linear", lambda leverage: leverage, "the log-odds go on rising with leverage"),
    ("capped at 1", lambda leverage: np.minimum(leverage, 1.0), "beyond the mean of 2025 it adds nothing"),
    ("open or not", lambda leverage: np.asarray(leverage > 0.5, float), "0 or 1, as the outside view knows it"),
)


def _never_through_3(constants: TolerancePriors) -> Floats:
    out = constants.skip_up.copy()
    out[2] = 0.0, 1.0
    return out


def _weakened(constants: TolerancePriors) -> TolerancePriors:
    """Every sd doubled; a Beta keeps its mean with a quarter of its weight."""
    located = {
        name: getattr(constants, name) * np.array([1.0, 2.0])
        for name in ("rise", "stay", "leverage", "leverage_on_falls", "fresh", "overdose_level", "overdose_change", "opposition")
    }
    return replace(
        constants, **located, mobilisation_sd=2 * constants.mobilisation_sd, administration_sd=2 * constants.administration_sd,
        drift_sd=2 * constants.drift_sd, half_life=constants.half_life * np.array([1.0, 2.0, 1.0]),
        skip_up=constants.skip_up / 4, skip_down=constants.skip_down / 4,
    )  # fmt: skip


def _leverage_only(constants: TolerancePriors) -> TolerancePriors:
    return replace(
        constants, overdose_level=OFF, overdose_change=OFF, opposition=OFF, mobilisation_sd=0.0, administration_sd=0.0, drift_sd=0.0
    )  # fmt: skip


def explore(
    situation: OriginState,
    sampler: Sampler,
    pool: DriverPaths,
    seed: int,
    level: int,
    horizon: int,
    disputed: Disputed | None,
    alternatives: Alternatives,
    settings: SamplerSettings = SamplerSettings(),
    report: Callable[[float, str], None] | None = None,
) -> list[Outcome]:
    """Refit the main reading under every choice, and give P(level >= `level` within `horizon` months) under each."""
    out = []
    choices = list(universes(situation, disputed, alternatives))
    for i, choice in enumerate(choices):
        if report:
            report(i / len(choices), choice.label)
        drivers = situation.drivers.with_pressure(choice.link(situation.leverage.value))
        history = History(choice.levels, drivers)
        tree = fit_history(sampler, history, choice.constants, seed + i, settings)
        draws = posterior_draws(tree, history, choice.constants, seed + i)
        found = forecast_from_history(situation, draws, pool, history, link=choice.link)
        divergences = int(tree["sample_stats"]["diverging"].sum())
        out.append(Outcome(choice.label, choice.group, choice.note, float(found.reached(level, horizon).mean()), divergences))
    return out
