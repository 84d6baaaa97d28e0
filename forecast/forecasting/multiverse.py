"""The multiverse: the headline of the main reading under other defensible choices of method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.ladder import saturate_pressure
from forecast.data.outcome import claims_in_force, level_changes, main_levels, real_time_levels
from forecast.data.tables import history_months as months_of
from forecast.domain import DISPUTED_ACT, PRESSURE_SCALE, PUBLISHED_CHOICE, Month, first_day
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.fit_readings import fit_history, posterior_draws
from forecast.forecasting.ladder_forecast import PressureTransform, forecast_from_history
from forecast.forecasting.origin_state import OriginState, claims_day
from forecast.forecasting.question_forecasts import monte_carlo_error
from forecast.inference.sample import Sampler
from forecast.inference.settings import SamplerSettings
from forecast.model.hyperparameters import tolerance_priors
from forecast.model.tolerance_data import History, TolerancePriors
from forecast.priors.distributions import Fixed, Normal
from forecast.priors.outside_view import DRUG_CASES, SAME_YEAR, YEAR_BEFORE, Alternatives
from forecast.priors.specs import PriorSpec
from forecast.progress import Report
from forecast.typing import Floats

type Levels = NDArray[np.int_]

NO_EFFECT: Final[Floats] = np.zeros(2)
"""Mean and sd of an effect that is switched off. It replaces the constants, because a prior may not be so narrow."""

SYMMETRIC = Normal(1.1, 0.67)
"""Prior of one effect that raises the odds of rises and lowers those of falls: wide, between the two fits of the outside view."""

PRESSURE_TRANSFORMS: tuple[tuple[str, PressureTransform, str], ...] = (
    ("linear", lambda leverage: leverage, "the log-odds rise in proportion to leverage"),
    ("capped at 1", lambda leverage: np.minimum(leverage, 1.0), "pressure above the mean of 2025 adds nothing"),
    ("as yes or no", lambda leverage: np.asarray(leverage > 0.5, float), "0 or 1, as in the outside view"),
)


@dataclass(frozen=True)
class Universe:
    """One defensible choice of method.

    label      its name
    group      what kind of choice it is
    note       what it changes, in words
    levels     [T] the levels that are fitted
    constants  constants of the priors that are fitted
    link       the transform from leverage to pressure
    edits      named priors that make the constants from the published ones, but for skips that are ruled out; None if no named priors do
    """

    label: str
    group: str
    note: str
    levels: Levels
    constants: TolerancePriors
    link: PressureTransform = saturate_pressure
    edits: Mapping[str, PriorSpec] | None = None

    def history(self, origin_state: OriginState) -> History:
        """The levels, with the drivers as this choice scales pressure."""
        main = origin_state.histories["main"]
        if self.link is saturate_pressure and np.array_equal(self.levels, main.levels):
            return main
        return History(self.levels, origin_state.drivers.with_pressure(self.link(origin_state.leverage.value)))


@dataclass(frozen=True)
class UniverseResult:
    """The headline of the main reading under one choice.

    label, group, note  those of the universe
    probability         the headline
    divergences         divergent transitions of the fit; there must be none
    mcse                Monte Carlo standard error of the probability; None where it is not known
    weighted            whether the published draws were weighted instead of a fit
    """

    label: str
    group: str
    note: str
    probability: float
    divergences: int
    mcse: float | None = None
    weighted: bool = False


@dataclass(frozen=True)
class Disputed:
    """The one act on which most of what Mexico's record says about pressure depends.

    event  id of the act
    claim  id of the claim that counts it
    month  the month of the rise that it makes
    """

    event: str
    claim: str
    month: Month

    @property
    def label(self) -> str:
        return f"the disputed act of {first_day(self.month):%B %Y} ({self.event})"


def disputed_act(origin_state: OriginState) -> Disputed | None:
    """The act behind the newest rise of the main reading, if the claim that counts it has low confidence."""
    data, months = origin_state.data, months_of(origin_state.data)
    levels = origin_state.histories["main"].levels
    rises = [c for c in level_changes(levels, months, claims_in_force(data.claims, claims_day(data), months)) if c.after > c.before]
    if not rises or rises[-1].claim.confidence != "low" or not rises[-1].claim.basis_ids:
        return None
    return Disputed(rises[-1].claim.basis_ids[0], rises[-1].claim.claim_id, rises[-1].month)


def universes(origin_state: OriginState, disputed: Disputed | None, alternatives: Alternatives) -> Iterator[Universe]:
    """Every choice of the multiverse, the published one first. One of them leaves out the `disputed` act."""
    data, priors = origin_state.data, origin_state.priors
    levels, months = origin_state.histories["main"].levels, months_of(data)
    base = tolerance_priors(priors)

    def with_priors(edits: Mapping[str, PriorSpec]) -> TolerancePriors:
        return tolerance_priors(priors.replace(edits))

    yield Universe("as published (main reading)", PUBLISHED_CHOICE, "", levels, base, edits={})
    at_the_time = real_time_levels(data.claims, months)
    yield Universe("coded as known at the time", "coding", "each month as it was known when it ended", at_the_time, base, edits={})
    if disputed is not None:
        claims = [c for c in data.claims if disputed.event not in c.basis_ids]
        note = f"{disputed.event} and the claims based on it left out"
        yield Universe(f"without {disputed.label}", DISPUTED_ACT, note, main_levels(claims, claims_day(data), months), base, edits={})
    for label, link, note in PRESSURE_TRANSFORMS:
        yield Universe(f"pressure {label}", PRESSURE_SCALE, note, levels, base, link, edits={})

    def prior_choice(label: str, group: str, note: str, constants: TolerancePriors) -> Universe:
        return Universe(label, group, note, levels, constants)

    def edited(label: str, group: str, note: str, edits: Mapping[str, PriorSpec]) -> Universe:
        return Universe(label, group, note, levels, with_priors(edits), edits=edits)

    symmetric = replace(with_priors({"leverage.effect": SYMMETRIC}), symmetric=True)
    yield prior_choice("pressure symmetric", PRESSURE_SCALE, "one effect: rises likelier, falls as much less likely", symmetric)
    same_year, year_before = alternatives[SAME_YEAR], alternatives[YEAR_BEFORE]
    yield edited("pressure effect as coded elsewhere", PRESSURE_SCALE, "fit to other states: same year", same_year)
    yield edited("pressure effect of the year before", PRESSURE_SCALE, "fit to other states: year before", year_before)
    no_pressure = replace(base, leverage=NO_EFFECT, leverage_on_falls=NO_EFFECT)
    yield prior_choice("pressure off", "drivers", "no effect on rises or falls", no_pressure)
    for factor in (1.0, 0.5):
        selection = {"outside_view.selection": Fixed(factor)}
        yield edited(f"selection factor {factor:g}", "outside view", "on the chances of reaching 4", selection)
    yield edited("drug cases alone", "outside view", "priors of the ladder from drug cases only", alternatives[DRUG_CASES])
    stops_at_3 = replace(base, skip_up=_never_through_3(base))
    yield Universe("no going on through 3", "outside view", "a rise that reaches 3 stops there", levels, stops_at_3, edits={})
    no_just_risen = replace(base, just_risen=NO_EFFECT)
    yield prior_choice("falls no likelier just after a rise", "model", "no effect of the month after a rise", no_just_risen)
    yield prior_choice("weak priors", "priors", "every sd doubled", _weakened(base))
    yield prior_choice("opposition off", "drivers", "opposition has no effect", replace(base, opposition=NO_EFFECT))
    leverage_only = "no overdoses, opposition, administrations or drift"
    yield prior_choice("leverage only (model S)", "model", leverage_only, _leverage_only(base))


def _never_through_3(constants: TolerancePriors) -> Floats:
    out = constants.skip_up.copy()
    out[2] = 0.0, 1.0
    return out


def _weakened(constants: TolerancePriors) -> TolerancePriors:
    """Every sd doubled. A Beta keeps its mean and has a quarter of its weight."""
    doubled = {
        name: getattr(constants, name) * np.array([1.0, 2.0])
        for name in ("rise", "stay", "leverage", "leverage_on_falls", "just_risen", "overdose_level", "overdose_change", "opposition")
    }
    return replace(
        constants, **doubled, mobilisation_sd=2 * constants.mobilisation_sd, administration_sd=2 * constants.administration_sd,
        drift_sd=2 * constants.drift_sd, half_life=constants.half_life * np.array([1.0, 2.0, 1.0]),
        skip_up=constants.skip_up / 4, skip_down=constants.skip_down / 4,
    )  # fmt: skip


def _leverage_only(constants: TolerancePriors) -> TolerancePriors:
    off = replace(constants, overdose_level=NO_EFFECT, overdose_change=NO_EFFECT, opposition=NO_EFFECT)
    return replace(off, mobilisation_sd=0.0, administration_sd=0.0, drift_sd=0.0)


type Shortcut = Callable[[Universe], UniverseResult | None]
"""The headline under a choice without a fit; None if it takes one."""


def run_multiverse(
    origin_state: OriginState,
    sampler: Sampler,
    pool: DriverPaths,
    seed: int,
    level: int,
    horizon: int,
    disputed: Disputed | None,
    alternatives: Alternatives,
    settings: SamplerSettings = SamplerSettings(),
    report: Report | None = None,
    shortcut: Shortcut = lambda _: None,
) -> list[UniverseResult]:
    """P(level >= `level` within `horizon` months) of the main reading under every choice, by `shortcut` if that gives it, else fitted."""
    choices = list(universes(origin_state, disputed, alternatives))
    results = [shortcut(choice) for choice in choices]
    fitted = [i for i, result in enumerate(results) if result is None]
    for done, i in enumerate(fitted):
        if report:
            report(done / len(fitted), choices[i].label)
        results[i] = _fitted(origin_state, sampler, pool, choices[i], seed + i, level, horizon, settings)
    return [result for result in results if result is not None]


def _fitted(
    origin_state: OriginState, sampler: Sampler, pool: DriverPaths, choice: Universe, seed: int, level: int, horizon: int,
    settings: SamplerSettings,
) -> UniverseResult:  # fmt: skip
    history = choice.history(origin_state)
    tree = fit_history(sampler, history, choice.constants, seed, settings)
    draws = posterior_draws(tree, history, choice.constants, seed)
    ladder = forecast_from_history(origin_state, draws, pool, history, link=choice.link)
    divergences = int(tree["sample_stats"]["diverging"].sum())
    values, batches = ladder.reached(level, horizon), ladder.path_batch_means("reached_by", level, horizon)
    mcse = monte_carlo_error(values[None], np.ones(1), batches)
    return UniverseResult(choice.label, choice.group, choice.note, float(values.mean()), divergences, mcse)
