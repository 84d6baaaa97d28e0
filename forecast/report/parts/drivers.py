"""The three drivers with their measurements and their simulated futures."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.special import expit

from forecast.data.as_of import newest
from forecast.domain import CHANNELS, FIRST_MONTH, Month, month_text
from forecast.forecasting.forecast_result import Forecast
from forecast.model.overdose import START
from forecast.model.tolerance_data import LOG_3000, LOGIT_60
from forecast.typing import Floats

type Fan = dict[str, list[Any]]

_Q = {"q10": -1.2815515655446004, "q50": 0.0, "q90": 1.2815515655446004}
CHECKS = {"gprc_mex": "geopolitical risk, Mexico", "epu_us_trade_policy": "US trade-policy uncertainty"}
"""Series shown beside leverage: made by others for other ends, so that agreement says something."""
_LOG2 = float(np.log(2.0))


def drivers(forecast: Forecast) -> dict[str, Any]:
    return {"leverage": leverage(forecast), "overdoses": overdoses(forecast), "opposition": opposition(forecast)}


def leverage(forecast: Forecast) -> dict[str, Any]:
    origin_state = forecast.origin_state
    made = origin_state.leverage
    parts = (made.measures + made.impulses) * np.array(origin_state.settings.weights)[:, None] / origin_state.settings.scale
    return {
        "months": _months(FIRST_MONTH, origin_state.origin),
        "value": _list(made.value),
        "by_channel": {c: _list(parts[i]) for i, c in enumerate(CHANNELS)},
        "future": _fan(forecast.pool.leverage[:, 1:], origin_state.origin),
        "checks": [check for series, name in CHECKS.items() if (check := _check(forecast, series, name))],
    }


def _check(forecast: Forecast, series: str, name: str) -> dict[str, Any] | None:
    """A series beside leverage, on logs for it is skewed, with its correlation over the months both have."""
    origin_state = forecast.origin_state
    rows = [
        r
        for r in newest(origin_state.data.indicators)
        if r.series == series and FIRST_MONTH <= r.month <= origin_state.origin and r.value > 0
    ]
    if len(rows) < 24:
        return None
    value = np.log([r.value for r in rows])
    pressure = origin_state.leverage.value[[r.month - FIRST_MONTH for r in rows]]
    return {
        "name": f"{name} (log)",
        "months": [month_text(r.month) for r in rows],
        "value": _list(value),
        "correlation": float(np.corrcoef(value, pressure)[0, 1]),
    }


def overdoses(forecast: Forecast) -> dict[str, Any]:
    origin_state = forecast.origin_state
    here = FIRST_MONTH - START
    mean, sd = origin_state.overdose.mean[here:], origin_state.overdose.sd[here:]
    finals = [
        r
        for r in newest(origin_state.data.overdose_final)
        if "synthetic_opioids" in r.series and FIRST_MONTH <= r.month <= origin_state.origin
    ]
    releases = [
        r for r in origin_state.data.overdose_releases if r.indicator == "synthetic_opioids" and r.period_end <= origin_state.origin
    ]
    last = max((r.published.last for r in releases), default=None)
    return {
        "months": _months(FIRST_MONTH, origin_state.origin),
        **{q: _list(np.exp(mean + z * sd)) for q, z in _Q.items()},
        "final": [{"month": month_text(r.month), "deaths": r.deaths} for r in finals],
        "provisional": [
            {"period_end": month_text(r.period_end), "published": r.published.text, "reported": r.reported, "predicted": r.predicted}
            for r in sorted(releases, key=lambda r: r.period_end)
            if r.published.last == last and r.period_end > max((f.month for f in finals), default=0)
        ],
        "future": _fan(np.exp(forecast.pool.log2_deaths[:, 1:] * _LOG2 + LOG_3000), origin_state.origin),
    }


def opposition(forecast: Forecast) -> dict[str, Any]:
    origin_state = forecast.origin_state
    mean, sd = origin_state.opposition.mean, origin_state.opposition.sd
    wordings = {p.poll_id: p.wording for p in origin_state.data.polls}
    fits = [f.poll for f in origin_state.opposition.fits if wordings[f.poll.poll_id] != "favourability"]
    return {
        "months": _months(FIRST_MONTH, origin_state.origin),
        **{q: _list(expit(mean + z * sd)) for q, z in _Q.items()},
        "polls": [
            {
                "date": month_text(p.month),
                "share": p.share,
                "wording": wordings[p.poll_id],
                "pollster": p.pollster,
                "n": None if p.n_assumed else p.n,
            }
            for p in sorted(fits, key=lambda p: p.month)
        ],
        "mobilisation": {"months": _months(FIRST_MONTH, origin_state.origin), "value": _list(origin_state.mobilised)},
        "future": _fan(expit(forecast.pool.opposition[:, 1:] + LOGIT_60), origin_state.origin),
        "gap": _gap(sorted({p.month for p in fits if wordings[p.poll_id].startswith("force")})),
    }


def _gap(months: list[int]) -> dict[str, str] | None:
    """The longest stretch without a poll on force."""
    if len(months) < 2:
        return None
    start, end = max(itertools.pairwise(months), key=lambda pair: pair[1] - pair[0])
    return {"start": month_text(start), "end": month_text(end)}


def _fan(paths: Floats, origin: Month) -> Fan:
    q = np.quantile(paths, [0.1, 0.5, 0.9], axis=0)
    return {
        "months": _months(Month(origin + 1), Month(origin + paths.shape[1])),
        "q10": _list(q[0]),
        "q50": _list(q[1]),
        "q90": _list(q[2]),
    }


def _months(first: int, last: int) -> list[str]:
    return [month_text(m) for m in range(first, last + 1)]


def _list(values: Iterable[Any]) -> list[float]:
    return [float(v) for v in values]
