"""Warnings about priors that are valid but unusual."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from forecast.domain import LEVELS
from forecast.errors import Problem
from forecast.formatting import fine_percent, trimmed
from forecast.priors.distributions import PROBABILITIES, Normal, Quantiles
from forecast.priors.load import Priors
from forecast.priors.outside_view import as_beta, skip_after_selection

LIAISON_MONTHS = 200
PAST_EMBEDDED = 0.5
STRAIGHT_UP = 0.12
RISE_A_YEAR = 0.5
WIDE = 3.0
FIT_FACTOR, FIT_POINTS = 1.3, 0.05
SIGNS = ("leverage.effect", "opposition.effect", "overdose.level_effect", "overdose.change_effect", "direct.leverage", "events.backlash")


def plausibility_warnings(priors: Priors) -> tuple[Problem, ...]:
    """Warnings about everything unusual in the priors, with what is usual and what to do."""
    value = [*_stays(priors), *_rises(priors), *_skips(priors), *_effects(priors), *_fits(priors)]
    return tuple(value)


def check_reading_names(priors: Priors, readings: Iterable[str]) -> tuple[Problem, ...]:
    """Errors where the readings with weights are not those of the data (`main` is always one)."""
    known, weighted = {"main", *readings}, set(priors.parts("readings.weights"))
    file = priors["readings.weights"].file
    unknown = [
        Problem(file, f"a weight of {name}", f"one of {', '.join(sorted(known))}", "Correct the name.", column="readings.weights")
        for name in sorted(weighted - known)
    ]
    missing = [
        Problem(file, f"no weight of {name}", "one for each reading", "Add it; 0 leaves it out.", column="readings.weights")
        for name in sorted(known - weighted)
    ]
    return (*unknown, *missing)


def _stays(priors: Priors) -> Iterator[Problem]:
    median = priors.median("ladder.stay.1")
    if median < LIAISON_MONTHS:
        expected = f"{LIAISON_MONTHS} or more; with less, most simulated histories of Mexico end in refusal"
        yield _warn(
            priors,
            "ladder.stay.1",
            f"liaison that lasts {trimmed(median)} months",
            expected,
            "See what it implies: `forecast priors show ladder.stay.1`.",
        )
    for j in range(1, 6):
        name = f"ladder.stay.{j}"
        low = priors.distribution(name).interval()[0]
        if low < 1:
            yield _warn(
                priors,
                name,
                f"a 5 % quantile of {trimmed(low)} months",
                "a month or more",
                "Single acts are described by ladder.just_risen.",
            )


def _rises(priors: Priors) -> Iterator[Problem]:
    for j in range(5):
        name = f"ladder.rise.{j}"
        median = priors.median(name)
        if median > RISE_A_YEAR:
            expected = f"less than {fine_percent(RISE_A_YEAR)} without pressure"
            yield _warn(
                priors,
                name,
                f"a rise from {LEVELS[j]} within a year at {fine_percent(median)}",
                expected,
                "Check that it is not meant for times under pressure.",
            )


def _skips(priors: Priors) -> Iterator[Problem]:
    name = "ladder.skip_up.3"
    third = skip_after_selection(priors)
    high = third.interval()[2]
    if high > PAST_EMBEDDED:
        expected = f"little probability above {fine_percent(PAST_EMBEDDED)}; half of the headline or more depends on it"
        yield _warn(
            priors,
            name,
            f"a chance of {fine_percent(high)} (95 % quantile) of going on past embedded",
            expected,
            "See `forecast priors show ladder.skip_up.3`.",
        )
    second = as_beta(priors, "ladder.skip_up.2")
    straight = second.a / (second.a + second.b) * third.a / (third.a + third.b)
    if straight > STRAIGHT_UP:
        value = f"{fine_percent(straight)} of rises from liaison that end at covert action or above"
        yield _warn(
            priors,
            "ladder.skip_up.2",
            value,
            f"less than {fine_percent(STRAIGHT_UP)}",
            "The skips through levels 2 and 3 multiply; check both.",
        )


def _effects(priors: Priors) -> Iterator[Problem]:
    for name in SIGNS:
        if priors.median(name) < 0:
            yield _warn(
                priors,
                name,
                f"{priors.spec(name)}, below zero",
                "an effect above zero",
                "Keep it if the driver is meant to work the other way.",
            )
    for name, prior in priors.items():
        if isinstance(prior.spec, Normal) and prior.spec.sd > WIDE:
            factor = trimmed(float(np.exp(3.29 * prior.spec.sd)))
            yield _warn(
                priors,
                name,
                f"an sd of {trimmed(prior.spec.sd)}",
                f"at most {trimmed(WIDE)}",
                f"Its 90 % interval spans a factor of {factor}.",
            )


def _fits(priors: Priors) -> Iterator[Problem]:
    for name, prior in priors.items():
        if isinstance(prior.spec, Quantiles) and _misses(prior.spec):
            say = fine_percent if prior.spec.scale != "log" else trimmed
            fitted = ", ".join(map(say, prior.spec.interval()))
            yield _warn(
                priors,
                name,
                f"{prior.spec}, which becomes {fitted}",
                "quantiles that its family can match",
                "The fitted quantiles are used; state quantiles closer to them.",
            )


def _misses(spec: Quantiles) -> bool:
    stated, fitted = np.array([spec.q05, spec.q50, spec.q95]), spec.quantile(PROBABILITIES)
    if spec.scale == "beta":
        return bool(np.abs(stated - fitted).max() > FIT_POINTS)
    ratio = stated / fitted
    if spec.scale == "logit":  # compare odds
        ratio = ratio * (1 - fitted) / (1 - stated)
    return bool(np.abs(np.log(ratio)).max() > np.log(FIT_FACTOR))


def _warn(priors: Priors, name: str, value: str, expected: str, remedy: str) -> Problem:
    return Problem(priors[name].file, value, expected, remedy, column=name, severity="warning")
