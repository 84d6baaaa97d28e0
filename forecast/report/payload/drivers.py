"""The three drivers with their measurements and their simulated futures."""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np

from forecast.arrays.transforms import expit
from forecast.data.as_of import newest_vintages
from forecast.domain import CHANNELS, FIRST_MONTH, Month, month_text
from forecast.forecasting.forecast_result import Forecast
from forecast.model.overdose import START
from forecast.model.tolerance_data import LOG_3000, LOGIT_60
from forecast.report.models.base import Fan, MonthlySeries, Months
from forecast.report.models.evidence import (
    Channels,
    CheckSeries,
    DriversSection,
    FinalDeaths,
    LeverageSection,
    OppositionSection,
    Overdoses,
    PollEntry,
    ProvisionalDeaths,
)
from forecast.typing import Floats

_Z: Final = {"q10": -1.2815515655446004, "q50": 0.0, "q90": 1.2815515655446004}
CHECKS: Final = {"gprc_mex": "geopolitical risk, Mexico", "epu_us_trade_policy": "US trade-policy uncertainty"}
"""Series shown beside leverage. Others made them for other purposes, so that agreement is informative."""
_LOG2: Final = float(np.log(2.0))


def drivers(forecast: Forecast) -> DriversSection:
    return DriversSection(leverage=leverage(forecast), overdoses=overdoses(forecast), opposition=opposition(forecast))


def leverage(forecast: Forecast) -> LeverageSection:
    state = forecast.origin_state
    weights = np.array(state.settings.weights)[:, None] / state.settings.scale
    parts = (state.leverage.measures + state.leverage.impulses) * weights
    return LeverageSection(
        months=_months(FIRST_MONTH, state.origin),
        value=state.leverage.value.tolist(),
        by_channel=Channels(**{channel: parts[i].tolist() for i, channel in enumerate(CHANNELS)}),
        future=_fan(forecast.pool.leverage[:, 1:], state.origin),
        checks=[check for series, name in CHECKS.items() if (check := _check(forecast, series, name))],
    )


def _check(forecast: Forecast, series: str, name: str) -> CheckSeries | None:
    """A series beside leverage, in logs because it is skewed, with its correlation over the months both have."""
    state = forecast.origin_state
    rows = [
        r for r in newest_vintages(state.data.indicators) if r.series == series and FIRST_MONTH <= r.month <= state.origin and r.value > 0
    ]
    if len(rows) < 24:
        return None
    value = np.log([r.value for r in rows])
    pressure = state.leverage.value[[r.month - FIRST_MONTH for r in rows]]
    return CheckSeries(
        name=f"{name} (log)",
        months=[month_text(r.month) for r in rows],
        value=value.tolist(),
        correlation=float(np.corrcoef(value, pressure)[0, 1]),
    )


def overdoses(forecast: Forecast) -> Overdoses:
    state = forecast.origin_state
    here = FIRST_MONTH - START
    mean, sd = state.overdose.mean[here:], state.overdose.sd[here:]
    finals = [
        r for r in newest_vintages(state.data.overdose_final) if "synthetic_opioids" in r.series and FIRST_MONTH <= r.month <= state.origin
    ]
    releases = [r for r in state.data.overdose_releases if r.indicator == "synthetic_opioids" and r.period_end <= state.origin]
    last = max((r.published.last for r in releases), default=None)
    last_final = max((r.month for r in finals), default=0)
    return Overdoses(
        months=_months(FIRST_MONTH, state.origin),
        **{q: np.exp(mean + z * sd).tolist() for q, z in _Z.items()},
        final=[FinalDeaths(month=month_text(r.month), deaths=r.deaths) for r in finals],
        provisional=[
            ProvisionalDeaths(period_end=month_text(r.period_end), published=r.published.text, reported=r.reported, predicted=r.predicted)
            for r in sorted(releases, key=lambda r: r.period_end)
            if r.published.last == last and r.period_end > last_final
        ],
        future=_fan(np.exp(forecast.pool.log2_deaths[:, 1:] * _LOG2 + LOG_3000), state.origin),
    )


def opposition(forecast: Forecast) -> OppositionSection:
    state = forecast.origin_state
    mean, sd = state.opposition.mean, state.opposition.sd
    wordings = {p.poll_id: p.wording for p in state.data.polls}
    polls = [f.poll for f in state.opposition.fits if wordings[f.poll.poll_id] != "favourability"]
    months = _months(FIRST_MONTH, state.origin)
    return OppositionSection(
        months=months,
        **{q: expit(mean + z * sd).tolist() for q, z in _Z.items()},
        polls=[
            PollEntry(
                date=month_text(p.month),
                share=p.share,
                wording=wordings[p.poll_id],
                pollster=p.pollster,
                n=None if p.n_assumed else p.n,
            )
            for p in sorted(polls, key=lambda p: p.month)
        ],
        mobilisation=MonthlySeries(months=months, value=[float(v) for v in state.mobilised]),
        future=_fan(expit(forecast.pool.opposition[:, 1:] + LOGIT_60), state.origin),
        gap=_gap(sorted({p.month for p in polls if wordings[p.poll_id].startswith("force")})),
    )


def _gap(months: list[int]) -> Months | None:
    """The longest stretch without a poll on force."""
    if len(months) < 2:
        return None
    start, end = max(itertools.pairwise(months), key=lambda pair: pair[1] - pair[0])
    return Months(start=month_text(start), end=month_text(end))


def _fan(paths: Floats, origin: Month) -> Fan:
    q10, q50, q90 = np.quantile(paths, [0.1, 0.5, 0.9], axis=0).tolist()
    return Fan(months=_months(origin + 1, origin + paths.shape[1]), q10=q10, q50=q50, q90=q90)


def _months(first: int, last: int) -> list[str]:
    return [month_text(m) for m in range(first, last + 1)]
