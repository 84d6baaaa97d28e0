"""How the forecast was made and what it cannot tell: diagnostics, freshness, warnings, definitions, limitations, sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Final

import numpy as np

from forecast.data.freshness import freshness as series_freshness
from forecast.data.intercoder_agreement import intercoder_agreement as agreements
from forecast.data.tables import Data
from forecast.domain import TOP
from forecast.errors import Problem
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.ladder_forecast import forecast_from_history
from forecast.formatting import listed, number_word, plain_percent
from forecast.report.models.evidence import AgreementEntry, DataWarning, Definition, FreshnessEntry, SourceEntry
from forecast.report.models.fit import DiagnosticsSection, Directions, FitDiagnostics, WeightedFit
from forecast.report.payload.history import ANSWER_WITHIN

DEFINITIONS: Final = (
    (
        "tolerated",
        "Mexico consents to it, or knows of it and answers with nothing beyond words. Only an act counts as resistance: a note, an "
        "expulsion, cooperation suspended, a prosecution or an international case. A verbal denial does not.",
    ),
    (
        "level of a month",
        "The highest level that counts on any day in it. A single act counts for its month. An arrangement continues until evidence ends "
        "it or until two years pass without evidence of it.",
    ),
    (
        "reached by, in force at, fallen to",
        "Reached: in at least one month of the window. In force: in its last month. Fallen: at or below the level in at least one month. "
        "The month of the origin belongs to no window.",
    ),
    (
        "publicly known",
        "The level by the rules of the codebook, from what has been published by the resolution date. This resolves a question. What "
        "happened in secret may come out too late.",
    ),
    (
        "reading",
        "A defensible account of what has happened so far. Each reading is fitted separately. Their weights are judgement; the fit does "
        "not change them.",
    ),
    (
        "leverage",
        "How hard Washington presses: measures in force, and a fading memory of threats, acts and demonstrations. One is the mean of the "
        "months named in scales.toml.",
    ),
    (
        "prior, posterior",
        "The prior is the distribution before Mexico's record since 2006 is used, the posterior the one after. The priors of the ladder "
        "come from other states; most of the rest are judgement and are marked as such.",
    ),
    (
        "learnt",
        "Mexico's record narrowed the prior's variance by at least a fifth, or moved its mean by at least half a standard deviation.",
    ),
    (
        "conditioned, intervened",
        "Conditioned: we learn that something is so, and everything related to it moves too. Intervened: it is set from outside, and only "
        "its consequences move.",
    ),
    ("plausibility", "How often the simulation, without the scenario, goes at least as far as the scenario does, in either direction."),
)
"""Terms of the report and what they mean."""


def definitions() -> list[Definition]:
    return [Definition(term=term, text=text) for term, text in DEFINITIONS]


def diagnostics(forecast: Forecast) -> DiagnosticsSection:
    """The worst over readings, and each reading's own."""
    state = forecast.origin_state
    weighted = {
        name: WeightedFit(k_hat=part.k_hat if np.isfinite(part.k_hat) else None, effective=part.effective)
        for name, part in (("opposition", state.opposition), ("events", state.rates))
    }
    by_reading = {name: FitDiagnostics(**fit.diagnostics.as_dict()) for name, fit in forecast.readings.items()}
    return DiagnosticsSection(**forecast.diagnostics.as_dict(), by_reading=by_reading, weighted=weighted)


def directions(forecast: Forecast) -> Directions:
    """Share of draws in which the chance of level 4 does not fall when leverage rises, or opposition falls, all else held."""
    state, main = forecast.origin_state, forecast.readings["main"]
    quarter = main.draws.take(np.arange(0, main.draws.size, 4))
    pool = forecast.pool
    base = forecast_from_history(state, quarter, pool, main.history).reached(4, 12)

    def share(changed: DriverPaths, which: Any) -> float | None:
        after = forecast_from_history(state, quarter, changed, main.history).reached(4, 12)
        kept = after[which] >= base[which] - 1e-12
        return float(kept.mean()) if kept.size else None

    more_pressure = replace(pool, leverage=pool.leverage + 0.25)
    less_opposition = replace(pool, opposition=pool.opposition - 0.25)
    expected_sign = (quarter.leverage >= 0) & (quarter.leverage_on_falls <= 0)
    all_draws = np.ones(quarter.size, bool)
    return Directions(
        share_leverage_up=share(more_pressure, expected_sign),
        share_opposition_down=share(less_opposition, quarter.opposition >= 0),
        share_leverage_up_all=share(more_pressure, all_draws),
        share_opposition_down_all=share(less_opposition, all_draws),
        note="The first two shares are among draws in which pressure helps rises and does not help falls, and in which opposition does not "
        "help tolerance; the last two are among all draws. Leverage also raises the chance of a fall, so the share among all is lower.",
    )


def freshness(forecast: Forecast, today: date) -> list[FreshnessEntry]:
    return [
        FreshnessEntry(
            series=f.series,
            file=f.file,
            newest=f.newest,
            published=f.published.isoformat() if f.published else None,
            expected_next=f.expected_next.isoformat() if f.expected_next else None,
            status=f.status,
            used_for=f.used_for,
        )
        for f in series_freshness(forecast.origin_state.data, today)
    ]


def data_warnings(problems: Iterable[Problem]) -> list[DataWarning]:
    return [DataWarning(file=p.file, row=p.row, column=p.column, text=f"{p.found}; expected {p.expected}. {p.remedy}") for p in problems]


def reliability(forecast: Forecast) -> list[AgreementEntry]:
    return [AgreementEntry(field=a.field, statistic=a.statistic, value=a.value, n=a.n) for a in agreements(forecast.origin_state.data)]


def limitations(forecast: Forecast) -> list[str]:
    """What the forecast cannot tell, in sentences whose numbers come from it."""
    return list(_limitations(forecast))


def _limitations(forecast: Forecast) -> Iterator[str]:
    state, headline = forecast.origin_state, forecast.headline
    main = state.histories["main"].levels
    changes = int((np.diff(main) != 0).sum())
    unseen = [str(k) for k in range(TOP + 1) if not (main == k).any()]
    yield (
        f"The record holds {number_word(changes)} changes of level in {len(main)} months; "
        f"levels {listed(unseen, 'and')} never occur in the main reading. "
        "For them the forecast uses what other states did, adjusted by what the lower levels show."
    )
    if forecast.disputed:
        yield (
            "One act carries most of what Mexico's record says about pressure: "
            f"{forecast.disputed.label}. The multiverse table shows the headline without it."
        )
    low, high = min(headline.by_reading.values()), max(headline.by_reading.values())
    yield (
        "How a few months are coded matters more than any sampling error: "
        f"the readings run from {plain_percent(low)} to {plain_percent(high)}, and their weights are judgement."
    )
    yield (
        "The pressure effect and the selection factor are judgement too: pressure on other states was partly coded because "
        "something happened there."
    )
    yield "About half of the headline comes from rises that continue past level 3. Mexico's record says very little about them."
    yield "Drivers are lagged by a month. This does not make them causes. Effects are associations unless a scenario intervenes."
    yield "Within the horizon the level affects no driver: a strike that is tolerated changes neither pressure nor opposition here."
    yield "Months without pressure before 2017 may be gaps in the coding. The record is far denser since 2025."
    yield "A bias that all pollsters share cannot be seen, and there are no polls on force for a decade."
    yield (
        f"Answers to concessions are matched by timing, within {ANSWER_WITHIN} days. "
        "It is not known what Washington would have done anyway."
    )
    yield (
        "An act that never becomes public never resolves a question; the publicly known probability counts only what comes out in "
        "time. At level 4 it depends almost entirely on the prior: the delays are judgement."
    )
    never = float(state.priors.distribution("exposure.never.4").quantile(0.5))
    yield (
        f"A level counts only what comes to be documented. If about {plain_percent(never)} of covert acts never come out, "
        f"as the prior has it, the chance that one happens is nearer {plain_percent(min(1.0, headline.probability / (1 - never)))}. "
        "No score uses that."
    )
    yield (
        "Direct US action that Mexico resists does not count as tolerance. "
        "It has a question of its own, whose probability is judgement alone."
    )
    if forecast.as_of:
        yield (
            "This is a forecast as of an earlier day. The ladder's priors were fitted to what was public about other states by then. "
            "All other priors and the fixed scales are those of today, set with hindsight."
        )
    if source := forecast.draws_source:
        k_hat = "" if source.k_hat is None else f" (k̂ at most {source.k_hat:.2f})"
        yield (
            f"No new fit was made for this forecast: the draws of run {source.fitted_in} got new weights for what was added to the data "
            f"since{k_hat}. "
            f"They are as precise as {source.ess:,.0f} unweighted draws. Diagnostics and the multiverse table are those of that run."
        )
    yield "The argument behind this forecast is older than the present Mexican government."


def sources(data: Data) -> list[SourceEntry]:
    return [
        SourceEntry(name=s.name, what=f"{s.publisher}; {s.used_for}", terms=s.terms, citation=s.citation, url=s.url or None)
        for s in data.sources.values()
    ]
