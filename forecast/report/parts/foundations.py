"""What the forecast stands on: diagnostics, freshness, warnings, definitions, limitations, sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from forecast.data.freshness import freshness as series_freshness
from forecast.data.intercoder_agreement import reliability as agreements
from forecast.data.tables import Data
from forecast.domain import TOP
from forecast.errors import Problem
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.ladder_forecast import forecast_from_history
from forecast.report.parts.record import ANSWER_WITHIN
from forecast.report.parts.words_used import DEFINITIONS
from forecast.report.words import listed, number_word, plain_percent

type Rows = list[dict[str, Any]]


def diagnostics(forecast: Forecast) -> dict[str, Any]:
    by_reading = {name: fit.diagnostics.as_dict() for name, fit in forecast.readings.items()}
    origin_state = forecast.origin_state
    weighted = {
        name: {"k_hat": part.k_hat if np.isfinite(part.k_hat) else None, "effective": part.effective}
        for name, part in (("opposition", origin_state.opposition), ("events", origin_state.rates))
    }
    return forecast.diagnostics.as_dict() | {"by_reading": by_reading, "weighted": weighted}


def directions(forecast: Forecast) -> dict[str, Any]:
    """Share of draws in which the chance of level 4 does not fall when leverage rises, or opposition falls, all else held.

    Among draws in which pressure helps rises and does not help falls, and among all.
    """
    origin_state, main = forecast.origin_state, forecast.readings["main"]
    some = main.draws.take(np.arange(0, main.draws.size, 4))
    pool = forecast.pool
    base = forecast_from_history(origin_state, some, pool, main.history).reached(4, 12)

    def share(changed: DriverPaths, which: Any) -> float | None:
        after = forecast_from_history(origin_state, some, changed, main.history).reached(4, 12)
        kept = after[which] >= base[which] - 1e-12
        return float(kept.mean()) if kept.size else None

    harder = replace(pool, leverage=pool.leverage + 0.25)
    milder = replace(pool, opposition=pool.opposition - 0.25)
    helpful = (some.leverage >= 0) & (some.leverage_on_falls <= 0)
    everyone = np.ones(some.size, bool)
    return {
        "share_leverage_up": share(harder, helpful),
        "share_opposition_down": share(milder, some.opposition >= 0),
        "share_leverage_up_all": share(harder, everyone),
        "share_opposition_down_all": share(milder, everyone),
        "note": "The first two among draws in which pressure helps rises and does not help falls, and in which opposition does not help "
        "tolerance; the last two among all. Leverage also raises the chance of a fall, so the share among all is lower.",
    }


def freshness(forecast: Forecast, today: date) -> Rows:
    return [
        {
            "series": f.series,
            "file": f.file,
            "newest": f.newest,
            "published": f.published.isoformat() if f.published else None,
            "expected_next": f.expected_next.isoformat() if f.expected_next else None,
            "status": f.status,
            "used_for": f.used_for,
        }
        for f in series_freshness(forecast.origin_state.data, today)
    ]


def warnings(odd: Iterable[Problem]) -> Rows:
    return [{"file": w.file, "row": w.row, "column": w.column, "text": f"{w.found}; expected {w.expected}. {w.remedy}"} for w in odd]


def reliability(forecast: Forecast) -> Rows:
    return [{"field": a.field, "statistic": a.statistic, "value": a.value, "n": a.n} for a in agreements(forecast.origin_state.data)]


def definitions() -> Rows:
    return [{"term": term, "text": text} for term, text in DEFINITIONS]


def limitations(forecast: Forecast) -> list[str]:
    """What the forecast cannot tell, in sentences whose numbers come from it."""
    return list(_limitations(forecast))


def _limitations(forecast: Forecast) -> Iterator[str]:
    origin_state, headline = forecast.origin_state, forecast.headline
    main = origin_state.histories["main"].levels
    changes = int((np.diff(main) != 0).sum())
    unseen = [str(k) for k in range(TOP + 1) if not (main == k).any()]
    yield (
        f"The record holds {number_word(changes)} changes of level in {len(main)} months; "
        f"levels {listed(unseen, 'and')} never occur in the main reading. "
        "What is said of them is the outside view, moved by what the lower steps teach."
    )
    if forecast.disputed:
        yield (
            f"One act carries most of what Mexico's record says about pressure: {forecast.disputed.label}. The strip of choices "
            f"shows the headline without it."
        )
    low, high = min(headline.by_reading.values()), max(headline.by_reading.values())
    yield (
        f"How a few months are coded decides more than any fit: the readings run from {plain_percent(low)} to {plain_percent(high)}, "
        "and their weights are judgement."
    )
    yield (
        "The pressure effect and the selection factor are judgement too: pressure on other states was partly coded because "
        "something happened there."
    )
    yield "Rises that go on past level 3 carry about half of the headline; Mexico's record hardly speaks of them."
    yield "Drivers are lagged, which is not the same as being causes. Effects are associations unless a scenario intervenes."
    yield "Within the horizon the level feeds back on nothing: a strike that is tolerated changes neither pressure nor opposition here."
    yield "Silence before 2017 may be missing coding rather than missing pressure; the ledger is far denser since 2025."
    yield "A bias that all pollsters share cannot be seen, and force polls are missing for a decade."
    yield f"Answers to concessions are matched by timing, within {ANSWER_WITHIN} days; what Washington would have done anyway is not known."
    yield (
        "An act that is never exposed never resolves a question; the publicly known probability counts only what comes out in "
        "time. At level 4 that is nearly all prior: the delays are judgement."
    )
    never = float(origin_state.priors.distribution("exposure.never.4").quantile(0.5))
    yield (
        f"Levels are what comes to be documented. If, as is judged, about {plain_percent(never)} of covert acts never come out, "
        f"the chance that one happens is nearer {plain_percent(min(1.0, headline.probability / (1 - never)))}; no score uses that."
    )
    yield "Direct US action that Mexico resists is no tolerance: it has a question of its own, on judgement alone."
    if forecast.as_of:
        yield (
            "This is a forecast as of an earlier day. The ladder's priors were fitted to what other states had done in public by then; "
            "every other prior and the frozen scales are those of today: set with hindsight."
        )
    if rests_on := forecast.draws_source:
        tail = "" if rests_on.k_hat is None else f" (k̂ at most {rests_on.k_hat:.2f})"
        yield (
            f"No sampler ran for this forecast: the draws of run {rests_on.fitted_in} are weighted to what was added to the data "
            f"since{tail}, which leaves the worth of {rests_on.ess:,.0f} of them. "
            "Diagnostics and the strip of choices are those of that run."
        )
    yield "The argument this forecast grew from predates the present Mexican government."


def sources(data: Data) -> Rows:
    return [
        {"name": s.name, "what": f"{s.publisher}; {s.used_for}", "terms": s.terms, "citation": s.citation, "url": s.url or None}
        for s in data.sources.values()
    ]
