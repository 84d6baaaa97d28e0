"""Mexico's record: the coded levels and what moved them, what was asked and answered, what concessions brought, stakes, dates ahead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np

from forecast.data.outcome import claims_in_force, level_changes
from forecast.data.records import Event
from forecast.data.row_query import summarise_event
from forecast.data.tables import Data
from forecast.data.tables import history_months as months_of
from forecast.domain import month_text
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.origin_state import claims_day
from forecast.forecasting.predictive_checks import transition_log_odds
from forecast.model.events import arrivals, is_concession
from forecast.report.models.base import Band
from forecast.report.models.evidence import CalendarEntry, Concession, Episode, HistorySection, LevelChangeEntry, NotableEvent, StakeEntry

ANSWER_WITHIN: Final = 60
"""Days in which a US act that names cooperation as its reason counts as the answer to a concession."""
NOTABLE: Final = 5
"""Intensity from which pressure or opposition is marked on the time line."""
_THETA_DRAWS: Final = 500


def history(forecast: Forecast) -> HistorySection:
    """Coded levels by month and reading, latent tolerance of the main reading, and the events worth a mark."""
    state = forecast.origin_state
    main = forecast.readings["main"]
    chosen = np.linspace(0, main.draws.size - 1, _THETA_DRAWS).astype(int)
    theta = transition_log_odds(main.draws.take(chosen), state.drivers).theta
    theta[:, 0] = theta[:, 1]  # the first month has no transition; it shows the first one's
    q10, q50, q90 = np.quantile(theta, [0.1, 0.5, 0.9], axis=0).tolist()
    return HistorySection(
        months=[month_text(m) for m in months_of(state.data)],
        main=main.history.levels.tolist(),
        by_reading={name: fit.history.levels.tolist() for name, fit in forecast.readings.items()},
        theta=Band(q10=q10, q50=q50, q90=q90),
        changes=_changes(forecast),
        events=_notable(forecast),
    )


def _changes(forecast: Forecast) -> list[LevelChangeEntry]:
    data = forecast.origin_state.data
    months = months_of(data)
    levels = forecast.readings["main"].history.levels
    return [
        LevelChangeEntry(
            month=month_text(c.month),
            before=int(c.before),
            after=int(c.after),
            claim_id=c.claim.claim_id,
            confidence=c.claim.confidence,
            why=c.claim.why,
            events=list(c.claim.basis_ids),
        )
        for c in level_changes(levels, months, claims_in_force(data.claims, claims_day(data), months))
    ]


def _notable(forecast: Forecast) -> list[NotableEvent]:
    """Events behind a change of level, and the strongest pressure and opposition."""
    state = forecast.origin_state
    named = {id_ for change in _changes(forecast) for id_ in change.events}
    chosen = [
        e for e in state.data.events
        if e.date.month <= state.origin and (e.id in named or (e.family in "BC" and (e.intensity or 0) >= NOTABLE))
    ]  # fmt: skip
    return [
        NotableEvent(date=e.date.text, id=e.id, family=e.family, what=e.description, short=summarise_event(e))
        for e in sorted(chosen, key=lambda e: e.date)
    ]


def episodes(forecast: Forecast) -> list[Episode]:
    """What was asked of Mexico and what it answered, an episode a row: decisions and requests about operations on its soil."""
    state = forecast.origin_state
    groups: dict[str, list[Event]] = {}
    for e in state.data.events:
        if e.date.month <= state.origin and e.role in ("decision", "request") and e.operation_level is not None:
            groups.setdefault(e.episode or e.id, []).append(e)
    rows = []
    for episode, unordered in groups.items():
        acts = sorted(unordered, key=lambda e: (e.date, e.id))
        shown = next((e for e in acts if e.role == "decision"), acts[0])
        rows.append(
            Episode(
                episode=episode,
                first=acts[0].date.text,
                last=acts[-1].date.text,
                level=max(e.operation_level for e in acts if e.operation_level is not None),
                answer=_answer(acts),
                what=shown.description,
                ids=[e.id for e in acts],
            )
        )
    return sorted(rows, key=lambda row: row.first)


def _answer(acts: Sequence[Event]) -> Literal["granted", "refused", "mixed", "open"]:
    signs = {e.direction for e in acts if e.role == "decision"}
    if not signs:
        return "open"
    return "granted" if signs == {"+"} else "refused" if signs == {"-"} else "mixed"


def concessions(forecast: Forecast) -> list[Concession]:
    """What Mexico conceded, and the next US act within sixty days that named cooperation, or its lack, as the reason."""
    state = forecast.origin_state
    answers = sorted((e for e in state.data.events if e.answers), key=lambda e: e.date)
    rows = []
    for e in arrivals(state.data.events):
        if not is_concession(e) or e.date.month > state.origin:
            continue
        reply = next((a for a in answers if 0 <= (a.date.last - e.date.last).days <= ANSWER_WITHIN), None)
        rows.append(
            Concession(
                date=e.date.text,
                id=e.id,
                what=e.description,
                response=(reply and reply.answers) or "none stated",
                response_id=reply.id if reply else None,
                response_date=reply.date.text if reply else None,
                days=(reply.date.last - e.date.last).days if reply else None,
            )
        )
    return sorted(rows, key=lambda row: row.date)


def stakes(data: Data) -> list[StakeEntry]:
    """Gains and costs for both sides. Modelled: a driver represents it; measured: there is a figure; else not measured."""
    return [
        StakeEntry(
            side=s.side, kind=s.kind, argument=s.argument, evidence=s.evidence, figure=s.figure, source=s.source, url=s.url,
            levels=[int(k) for k in s.applies_to_levels],
            status="modelled" if s.driver else "measured" if s.figure and s.figure != "not checked" else "not measured",
        )
        for s in data.stakes
    ]  # fmt: skip


def calendar(forecast: Forecast) -> list[CalendarEntry]:
    """What is scheduled after the origin within the longest horizon; of the monthly data releases only the next."""
    state = forecast.origin_state
    ahead = sorted((c for c in state.data.calendar if 1 <= c.date.month - state.origin <= forecast.pool.horizon), key=lambda c: c.date)
    next_release = next((c for c in ahead if c.kind == "data_release"), None)
    return [
        CalendarEntry(
            date=c.date.text, what=c.what, effect=None if c.effect == "none" else c.effect, probability=c.probability, channel=c.channel
        )
        for c in ahead
        if c.kind != "data_release" or c is next_release
    ]
