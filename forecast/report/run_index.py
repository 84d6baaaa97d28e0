"""`reports/index.html`: all runs and the headline over time, as one page that asks nothing of the network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from forecast.domain import is_stale, month
from forecast.formatting import NONE, percent, percent_range, plain_percent
from forecast.report.figures.drawing_cache import kept_drawings
from forecast.report.figures.svg_export import draw


@dataclass(frozen=True, slots=True)
class InputChange:
    """What a published run was made from that the one before it was not; kind: data, priors, model or settings."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as its manifest describes it. What an older run does not record is None; of a damaged one only `damage` is known.

    question, probability, interval: of the headline; decision: run, refitted or reweighted; published: it is or was `latest`;
    page: whether its report.html is there; changes: against the published run before it; other_version: another version of this program
    made it, so this one only shows its own files.
    """

    run_id: str
    created: datetime
    latest: bool = False
    published: bool = False
    damage: str | None = None
    page: bool = False
    origin: str | None = None
    as_of: str | None = None
    question: str | None = None
    probability: float | None = None
    interval: tuple[float, float] | None = None
    gate: str | None = None
    decision: str | None = None
    reason: str | None = None
    changes: tuple[InputChange, ...] = ()
    other_version: bool = False

    @property
    def headline(self) -> str:
        """The chance with its interval: 6 % (0.7–15 %)."""
        if self.probability is None:
            return NONE
        interval = f" ({percent_range(*self.interval)})" if self.interval else ""
        return plain_percent(self.probability) + interval


def render_index(runs: Sequence[RunSummary], now: datetime) -> str:
    """The page of these runs, oldest first; `now` decides only whether the published forecast is stale."""
    from markupsafe import Markup

    from forecast.arrays.weighted_quantiles import INTERVAL
    from forecast.report.figures.run_history import MAX_RUNS
    from forecast.report.html import page

    published = [run for run in runs if run.published and run.probability is not None]
    newest = published[-1] if published else None
    charted = [run for run in published if newest and run.question == newest.question]
    return page(
        "index.html.j2",
        ("style.css", "index.css"),
        runs=list(reversed(runs)),
        newest=newest,
        stale=bool(newest and newest.origin and is_stale(month(newest.origin), now.astimezone(UTC).date())),
        chart=Markup(_chart(charted)) if charted else "",  # draw() escapes
        charted=len(charted),
        fits=MAX_RUNS,
        interval=percent(INTERVAL),
        others=len(published) - len(charted),
    )  # fmt: skip


def _chart(runs: Sequence[RunSummary]) -> str:
    from forecast.arrays.weighted_quantiles import INTERVAL
    from forecast.report.figures.run_history import headlines_chart

    label = "The headline over time"
    description = (
        f"One dot for each published run over its {percent(INTERVAL)} interval. "
        "Diamonds below mark runs with new data, priors, model or settings."
    )
    key = json.dumps([asdict(run) for run in runs], default=str)
    name = "headlines"
    return kept_drawings(key, lambda: {name: draw(lambda: headlines_chart(runs), name, label, description)})[name]
