"""`reports/index.html`: all runs and the headline over time, as one page that asks nothing of the network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from forecast.domain import is_stale, month
from forecast.report import words
from forecast.report.charts.svg import SIZES, draw
from forecast.report.entry import Entry
from forecast.report.page import page


def render_index(entries: Sequence[Entry], now: datetime) -> str:
    """The page of these runs, oldest first; of `now` it only takes whether the published forecast is stale."""
    from markupsafe import Markup

    from forecast.arrays.weighted_quantiles import INTERVAL

    published = [e for e in entries if e.published and e.probability is not None]
    newest = published[-1] if published else None
    asked = [e for e in published if newest and e.question == newest.question]
    stale = bool(newest and newest.origin and is_stale(month(newest.origin), now.astimezone(UTC).date()))
    return page(
        "index.html.j2",
        ("style.css", "index.css"),
        entries=list(reversed(entries)),
        newest=newest,
        stale=stale,
        chart=Markup(_chart(asked)) if asked else "",  # draw() escapes
        charted=len(asked),
        fits=_fits(),
        interval=words.percent(INTERVAL),
        count=len(entries),
        others=len(published) - len(asked),
    )  # fmt: skip


def _chart(entries: Sequence[Entry]) -> str:
    from altair.utils.schemapi import debug_mode

    from forecast.arrays.weighted_quantiles import INTERVAL
    from forecast.report.charts.index import headlines

    label = "The headline over time"
    told = (
        f"A dot a published run over its {words.percent(INTERVAL)} interval; "
        "beneath it diamonds where data, priors, model or settings were new."
    )
    with debug_mode(False):
        return "".join(draw(headlines(entries, size), size, "headlines", label, told) for size in SIZES)


def _fits() -> dict[str, int]:
    from forecast.report.charts.index import most_shown

    return {size.name: most_shown(size) for size in SIZES}
