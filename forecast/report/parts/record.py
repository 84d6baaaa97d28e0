"""Mexico's record: the coded levels and what moved them, what was asked and answered, what concessions bought, what is at stake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.data.outcome import changes, claims_in_force
from forecast.data.records import Event
from forecast.data.row_summary import short
from forecast.data.tables import Data
from forecast.data.tables import history as months_of
from forecast.domain import month_text
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.origin_state import claims_day
from forecast.forecasting.predictive_checks import transition_log_odds
from forecast.model.events import arrivals, is_concession

type Rows = list[dict[str, Any]]

ANSWER_WITHIN = 60
"""Days in which a US act that names cooperation as its reason counts as the answer to a concession."""
NOTABLE = 5
"""Intensity from which pressure or opposition is marked on the time line."""


def history(forecast: Forecast) -> dict[str, Any]:
    """Coded levels by month and reading, latent tolerance of the main reading, and the events worth a mark."""
    origin_state = forecast.origin_state
    months = months_of(origin_state.data)
    main = forecast.readings["main"]
    some = np.linspace(0, main.draws.size - 1, 500).astype(int)
    theta = transition_log_odds(main.draws.take(some), origin_state.drivers).theta
    theta[:, 0] = theta[:, 1]  # the first month has no transition; it shows the first one's
    q = np.quantile(theta, [0.1, 0.5, 0.9], axis=0)
    return {
        "months": [month_text(m) for m in months],
        "main": _ints(main.history.levels),
        "by_reading": {name: _ints(fit.history.levels) for name, fit in forecast.readings.items()},
        "theta": {name: [float(v) for v in row] for name, row in zip(("q10", "q50", "q90"), q, strict=True)},
        "changes": _changes(forecast),
        "events": _notable(forecast),
    }


def _changes(forecast: Forecast) -> Rows:
    data = forecast.origin_state.data
    months = months_of(data)
    levels = forecast.readings["main"].history.levels
    return [
        {
            "month": month_text(c.month), "from": c.before, "to": c.after, "claim_id": c.claim.claim_id,
            "confidence": c.claim.confidence, "why": c.claim.why, "events": list(c.claim.basis_ids),
        }
        for c in changes(levels, months, claims_in_force(data.claims, claims_day(data), months))
    ]  # fmt: skip


def _notable(forecast: Forecast) -> Rows:
    """Events behind a change of level, and the strongest pressure and opposition."""
    data = forecast.origin_state.data
    named = {id_ for c in _changes(forecast) for id_ in c["events"]}
    chosen = [
        e for e in data.events
        if e.date.month <= forecast.origin_state.origin and (e.id in named or (e.family in "BC" and (e.intensity or 0) >= NOTABLE))
    ]  # fmt: skip
    return [
        {"date": e.date.text, "id": e.id, "family": e.family, "what": e.description, "short": short(e)}
        for e in sorted(chosen, key=lambda e: e.date)
    ]


def asked_answered(forecast: Forecast) -> Rows:
    """What was asked of Mexico and what it answered, an episode a row: decisions and requests about operations on its soil."""
    origin_state = forecast.origin_state
    groups: dict[str, list[Event]] = {}
    for e in origin_state.data.events:
        if e.date.month <= origin_state.origin and e.role in ("decision", "request") and e.operation_level is not None:
            groups.setdefault(e.episode or e.id, []).append(e)
    rows = []
    for episode, acts in groups.items():
        acts = sorted(acts, key=lambda e: (e.date, e.id))
        levels = [e.operation_level for e in acts if e.operation_level is not None]
        telling = next((e for e in acts if e.role == "decision"), acts[0])
        rows.append({
            "episode": episode,
            "first": acts[0].date.text,
            "last": acts[-1].date.text,
            "level": max(levels),
            "answer": _answer(acts),
            "what": telling.description,
            "ids": [e.id for e in acts],
        })  # fmt: skip
    return sorted(rows, key=lambda r: r["first"])


def _answer(acts: Sequence[Event]) -> str:
    signs = {e.direction for e in acts if e.role == "decision"}
    if not signs:
        return "open"
    return {frozenset("+"): "granted", frozenset("-"): "refused"}.get(frozenset(s or "" for s in signs), "mixed")


def concessions(forecast: Forecast) -> Rows:
    """What Mexico conceded, and the next US act within sixty days that named cooperation, or its lack, as the reason."""
    origin_state = forecast.origin_state
    answers = sorted((e for e in origin_state.data.events if e.answers), key=lambda e: e.date)
    rows = []
    for e in arrivals(origin_state.data.events):
        if not is_concession(e) or e.date.month > origin_state.origin:
            continue
        reply = next((a for a in answers if 0 <= (a.date.last - e.date.last).days <= ANSWER_WITHIN), None)
        rows.append({
            "date": e.date.text,
            "id": e.id,
            "what": e.description,
            "response": reply.answers if reply else "none stated",
            "response_id": reply.id if reply else None,
            "response_date": reply.date.text if reply else None,
            "days": (reply.date.last - e.date.last).days if reply else None,
        })  # fmt: skip
    return sorted(rows, key=lambda r: r["date"])


def stakes(data: Data) -> Rows:
    """Gains and costs for both sides. Modelled: it enters through a driver; measured: there is a figure; else not measured."""
    return [
        {
            "side": s.side, "kind": s.kind, "argument": s.argument, "evidence": s.evidence, "figure": s.figure, "source": s.source,
            "url": s.url, "levels": [int(k) for k in s.applies_to_levels],
            "status": "modelled" if s.driver else "measured" if s.figure and s.figure != "not checked" else "not measured",
        }
        for s in data.stakes
    ]  # fmt: skip


def calendar(forecast: Forecast) -> Rows:
    """What is scheduled after the origin within the longest horizon; of the monthly data releases only the next."""
    origin_state = forecast.origin_state
    ahead = sorted(
        (c for c in origin_state.data.calendar if 1 <= c.date.month - origin_state.origin <= forecast.pool.horizon), key=lambda c: c.date
    )
    releases = [c for c in ahead if c.kind == "data_release"]
    shown = [c for c in ahead if c.kind != "data_release" or c is releases[0]]
    return [
        {
            "date": c.date.text,
            "what": c.what,
            "effect": None if c.effect == "none" else c.effect,
            "probability": c.probability,
            "channel": c.channel,
        }
        for c in shown
    ]


def _ints(levels: NDArray[np.int_]) -> list[int]:
    return [int(v) for v in levels]
