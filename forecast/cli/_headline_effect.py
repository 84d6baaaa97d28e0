"""What a prior that is only talked about would do to the newest published run, in a sentence; nothing is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from forecast.cli._context import Context

if TYPE_CHECKING:
    from forecast.jobs.priors.try_edits import EditTrial
    from forecast.priors.specs import PriorSpec


def tried_on_newest(context: Context, edits: Mapping[str, PriorSpec]) -> EditTrial | str:
    """The edits tried, or a sentence that says why they could not be."""
    from forecast.errors import ForecastError
    from forecast.jobs.priors.try_edits import try_edits
    from forecast.runs.store import latest

    if not edits:
        return "The headline stays what it is: nothing would change."
    try:
        if latest(context.workspace.reports) is None:
            return "What it does to the headline can be said once a run is published: `forecast run --publish`."
        return try_edits(context.workspace, edits)
    except ForecastError as e:
        return f"What it does to the headline cannot be said. {e}"


def headline_words(tried: EditTrial | str) -> str:
    """The headline before and after, and whether that can be relied on."""
    from forecast.priors.descriptions import percent

    if isinstance(tried, str):
        return tried
    if tried.how == "refit":
        return f"What it does to the headline ({percent(tried.before)} now) only a refit can tell: `forecast priors try --refit`."
    if tried.accepted:
        k_hat = f", k-hat {tried.k_hat:.2f}".replace(" -", " −") if abs(tried.k_hat) < 100 else ""
        return f"The headline: {percent(tried.before)} now, {percent(tried.headline)} with it ({tried.how}{k_hat}; run {tried.run_id})."
    return (
        f"The headline: {percent(tried.before)} now, roughly {percent(tried.headline)} with it. That lies too far from run "
        f"{tried.run_id} to rely on: `forecast priors try --refit` answers."
    )
