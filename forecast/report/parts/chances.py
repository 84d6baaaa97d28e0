"""Questions, readings, their mixture, and the same headline under other choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import gaussian_kde

from forecast.arrays.transforms import logit
from forecast.arrays.weighted_quantiles import INTERVAL, WeightedSample
from forecast.domain import HORIZONS, LEVELS, TOP, month_text
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.ladder_forecast import question_probability
from forecast.forecasting.multiverse import Outcome
from forecast.forecasting.question_forecasts import QuestionForecast
from forecast.forecasting.questions import resolution_date
from forecast.typing import Floats

type Rows = list[dict[str, Any]]

TITLES = {
    "main": "the codebook applied strictly",
    "advisers_stayed": "US advisers never left federal command posts",
    "denials_true": "Mexico's denials are true",
    "covert_true": "the covert claims are true",
}
MEANINGS = (
    "even liaison is suspended: agents expelled, or intelligence sharing stopped",
    "accredited US agents who share information; training; extraditions and hand-overs",
    "US aircraft, drones, sensors or fusion centres, with open or tacit consent",
    "US personnel in the planning cell, the command post or the field, beside Mexicans who execute",
    "US personnel or weapons carry out a capture, strike or killing that Mexico overlooks or denies",
    "the same, with consent on the record",
)
_GRID = 120


def questions(forecast: Forecast) -> Rows:
    config = forecast.situation.data.questions
    return [
        {
            "id": a.question.id,
            "text": a.question.text,
            "level": a.question.level,
            "kind": a.question.kind,
            "horizon_months": a.question.horizon,
            "window": {"start": month_text(a.question.start), "end": month_text(a.question.end)},
            "resolution_date": resolution_date(a.question, config).isoformat(),
            "probability": _unit(a.probability),
            "probability_known": None if a.known is None else _unit(a.known),
            "expected": a.expected,
            "mcse": a.mcse,
            "interval": interval(a),
            "prior_probability": _unit(a.prior),
            "by_reading": {name: _unit(p) for name, p in a.by_reading.items()},
        }
        for a in forecast.answers.values()
    ]


def interval(answer: QuestionForecast) -> dict[str, float]:
    low, high = answer.interval
    return {"prob": INTERVAL, "low": _unit(low), "high": _unit(high)}


def readings(forecast: Forecast) -> Rows:
    """One row a reading that differs; readings that coincide are named together."""
    situation, answer = forecast.situation, forecast.headline
    grid = _grid(answer)
    why = {row.reading: row.why for row in reversed(situation.data.readings)}
    rows = []
    for i, (name, fit) in enumerate(forecast.readings.items()):
        low, high = WeightedSample.equal(answer.draws[i]).interval()
        prior = question_probability(fit.prior_climb, answer.question.kind, answer.question.level or 0, answer.question.horizon)
        rows.append({
            "name": name,
            "title": " = ".join(TITLES.get(n, n) for n in situation.merged[name]),
            "weight": situation.weights[name],
            "level_now": fit.history.level_now,
            "why": why[name],
            "headline": answer.by_reading[name],
            "headline_interval": {"prob": INTERVAL, "low": low, "high": high},
            "headline_prior": float(prior.mean()),
            "density": density(answer.draws[i], grid),
        })  # fmt: skip
    return rows


def mixture(forecast: Forecast) -> dict[str, Any]:
    answer, weights = forecast.headline, np.array(list(forecast.situation.weights.values()))
    grid = _grid(answer)
    parts = [density(row, grid)["y"] for row in answer.draws]
    return {
        "mean": answer.probability,
        "median": float(WeightedSample.mixture(answer.draws, weights).quantile(0.5)),
        "interval": interval(answer),
        "density": {"x": [float(x) for x in grid], "y": [float(y) for y in weights @ np.array(parts)]},
    }


def _grid(answer: QuestionForecast) -> Floats:
    """Denser near zero, where most of the chance lies."""
    top = min(1.0, float(np.quantile(answer.draws, 0.995)) * 1.1)
    return np.asarray(top * (np.arange(1, _GRID + 1) / _GRID) ** 2)


def density(draws: Floats, grid: Floats) -> dict[str, list[float]]:
    """A kernel density of probabilities, smoothed on the logit scale, where they have no walls."""
    y = gaussian_kde(logit(draws, 1e-9))(logit(np.minimum(grid, 1 - 1e-9))) / (grid * np.maximum(1 - grid, 1e-9))
    return {"x": [float(x) for x in grid], "y": [float(v) for v in y]}


def weights_alternative(forecast: Forecast, reading: str = "advisers_stayed", others: tuple[float, ...] = (0.2, 0.6)) -> Rows:
    """The headline with another weight on one reading, the rest sharing what is left as before."""
    weights, by_reading = forecast.situation.weights, forecast.headline.by_reading
    if reading not in weights or weights[reading] >= 1:
        return []
    rest = 1 - weights[reading]
    rows = []
    for w in others:
        changed = {name: w if name == reading else share * (1 - w) / rest for name, share in weights.items()}
        headline = sum(changed[name] * p for name, p in by_reading.items())
        rows.append({"label": f"“{TITLES[reading]}” at {w:.0%}", "weight_advisers": w, "headline": headline})
    return rows


def multiverse(forecast: Forecast) -> Rows:
    return [{"label": o.label, "group": o.group, "probability": o.probability, "note": _note(o)} for o in forecast.multiverse]


def _note(outcome: Outcome) -> str:
    """What the choice is; and that its fit had trouble, if it had."""
    trouble = f"{outcome.divergences} divergent transitions: take it with care" if outcome.divergences else ""
    return "; ".join(part for part in (outcome.note, trouble) if part)


def ladder(forecast: Forecast) -> Rows:
    levels = forecast.situation.histories["main"].levels
    return [
        {
            "level": k,
            "name": LEVELS[k],
            "meaning": MEANINGS[k],
            "months_at_level_main": int((levels == k).sum()),
            "ever_observed": bool((levels == k).any()),
        }
        for k in range(TOP + 1)
    ]


def prior_vs_posterior(forecast: Forecast) -> Rows:
    """What the data changed, on the scale of the forecast."""
    out = []
    ids: Mapping[str, str] = {
        **{f"reach-{k}-{HORIZONS[2]}m": f"level {k} or above within a year" for k in (5, 4, 3)},
        **{f"fall-{k}-{HORIZONS[2]}m": f"level {k} or below within a year" for k in (1, 0)},
    }
    for id_, words in ids.items():
        if answer := forecast.answers.get(id_):
            out.append({"quantity": words, "prior": _unit(answer.prior), "posterior": _unit(answer.probability)})
    return out


def _unit(p: float) -> float:
    """Sums of exact recursions can pass one by a rounding error."""
    return float(min(max(p, 0.0), 1.0))
