"""Readings of the record, their mixture, and the same headline under other weights and other choices of method."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.stats import gaussian_kde

from forecast.arrays.transforms import logit
from forecast.arrays.weighted_quantiles import INTERVAL, WeightedSample
from forecast.data.outcome import reading_titles
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.ladder_forecast import question_probability
from forecast.forecasting.multiverse import UniverseResult
from forecast.forecasting.question_forecasts import QuestionForecast
from forecast.report.models.base import Density, Interval
from forecast.report.models.forecast import AlternativeWeight, Choice, Mixture, Reading
from forecast.report.payload.questions import interval
from forecast.typing import Floats

_GRID: Final = 120


def readings(forecast: Forecast) -> list[Reading]:
    """One row a reading that differs; readings that coincide are named together."""
    state, answer = forecast.origin_state, forecast.headline
    grid = _grid(answer)
    titles = reading_titles(state.data)
    why = {row.reading: row.why for row in reversed(state.data.readings)}
    rows = []
    for i, (name, fit) in enumerate(forecast.readings.items()):
        low, high = WeightedSample.equal(answer.draws[i]).interval()
        prior = question_probability(fit.prior_ladder, answer.question.kind, answer.question.level or 0, answer.question.horizon)
        rows.append(
            Reading(
                name=name,
                title=" = ".join(titles[n] for n in state.merged[name]),
                weight=state.weights[name],
                level_now=fit.history.level_now,
                why=why[name],
                headline=answer.by_reading[name],
                headline_interval=Interval(prob=INTERVAL, low=low, high=high),
                headline_prior=float(prior.mean()),
                density=density(answer.draws[i], grid),
            )
        )
    return rows


def mixture(forecast: Forecast) -> Mixture:
    answer, weights = forecast.headline, np.array(list(forecast.origin_state.weights.values()))
    grid = _grid(answer)
    heights = weights @ np.array([density(row, grid).y for row in answer.draws])
    return Mixture(
        mean=answer.probability,
        median=float(WeightedSample.mixture(answer.draws, weights).quantile(0.5)),
        interval=interval(answer),
        density=Density(x=grid.tolist(), y=heights.tolist()),
    )


def _grid(answer: QuestionForecast) -> Floats:
    """Denser near zero, where most of the chance lies."""
    top = min(1.0, float(np.quantile(answer.draws, 0.995)) * 1.1)
    return np.asarray(top * (np.arange(1, _GRID + 1) / _GRID) ** 2)


def density(draws: Floats, grid: Floats) -> Density:
    """A kernel density of probabilities, smoothed on the logit scale, which has no bounds."""
    y = gaussian_kde(logit(draws, 1e-9))(logit(np.minimum(grid, 1 - 1e-9))) / (grid * np.maximum(1 - grid, 1e-9))
    return Density(x=grid.tolist(), y=y.tolist())


def alternative_weights(
    forecast: Forecast, reading: str = "advisers_stayed", others: tuple[float, ...] = (0.2, 0.6)
) -> list[AlternativeWeight]:
    """The headline with another weight on one reading, the rest sharing what is left as before."""
    weights, by_reading = forecast.origin_state.weights, forecast.headline.by_reading
    if reading not in weights or weights[reading] >= 1:
        return []
    title, rest = reading_titles(forecast.origin_state.data)[reading], 1 - weights[reading]
    rows = []
    for w in others:
        changed = {name: w if name == reading else share * (1 - w) / rest for name, share in weights.items()}
        headline = sum(changed[name] * p for name, p in by_reading.items())
        rows.append(AlternativeWeight(label=f"“{title}” at a weight of {100 * w:.0f} %", weight_advisers=w, headline=headline))
    return rows


def multiverse(forecast: Forecast) -> list[Choice]:
    return [Choice(label=o.label, group=o.group, probability=o.probability, note=_note(o)) for o in forecast.multiverse]


def _note(outcome: UniverseResult) -> str:
    """What the choice is, how it was answered if by no fit, and whether its fit had trouble."""
    how = "the published draws, weighted" if outcome.weighted else ""
    chance = f"Monte Carlo error {100 * outcome.mcse:.2f} points" if outcome.mcse is not None else ""
    trouble = f"{outcome.divergences} divergent transitions: treat it with care" if outcome.divergences else ""
    return "; ".join(part for part in (outcome.note, how, chance, trouble) if part)
