"""The sentences that go with the number, made from the payload's numbers and nothing else.

`payload.build` calls `build_sentences` last; the views only print what it returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast.domain import DISPUTED_ACT, LEVELS, PRESSURE_SCALE, PUBLISHED_CHOICE
from forecast.formatting import (
    capital,
    day_words,
    headline_percent,
    listed,
    month_words,
    number_word,
    percent,
    percent_range,
    plain_percent,
    points,
    window_words,
    year_of,
)

if TYPE_CHECKING:
    from forecast.report.models.forecast import Choice
    from forecast.report.models.report import Report, Sentences

TITLE = "Will Mexico tolerate US operations against cartels on its soil?"


def choices_of(report: Report, group: str) -> list[Choice]:
    """The rows of the multiverse table in one group."""
    return [choice for choice in report.multiverse if choice.group == group]


def published_choice(report: Report) -> Choice | None:
    """The main reading as it was published, the first row of the multiverse table; None if there is no table."""
    return next(iter(choices_of(report, PUBLISHED_CHOICE)), None)


def fit_words(report: Report) -> str:
    """Whose fit the multiverse table belongs to if the forecast was weighted from an earlier run; empty if it is its own."""
    return f"the fit of run {report.draws_source.fitted_in}" if report.draws_source else ""


def _headline(report: Report) -> str:
    q = report.headline_question
    window = window_words(q.window.start, q.window.end).replace(" – ", " to ")
    return f"About {headline_percent(q.probability)}: the chance that Mexico tolerates {_levels(q.level or 0)} at some time from {window}."


def _levels(level: int) -> str:
    names = listed([name.removesuffix(" action") for name in LEVELS[level:]], "or")
    return f"{names} US action on its soil (level {level} or above)" if level >= 4 else f"level {level} or above ({names})"


def _interval(report: Report) -> str:
    i = report.headline_question.interval
    return f"{plain_percent(i.prob)} interval {percent_range(i.low, i.high)}" if i else ""


def _disputed_act(report: Report) -> str:
    published, without = published_choice(report), choices_of(report, DISPUTED_ACT)
    if not published or not without:
        return ""
    before, after = published.probability, without[0].probability
    verb = "falls" if after < before else "rises"
    where = f"in {fit}, " if (fit := fit_words(report)) else ""
    return f"{where}{without[0].label} the main reading {verb} from {plain_percent(before)} to {plain_percent(after)}"


def _range_readings(report: Report) -> str:
    values = [r.headline for r in report.readings]
    return f"the {number_word(len(values))} readings of the record run from {plain_percent(min(values))} to {plain_percent(max(values))}"


def _range_pressure(report: Report) -> str:
    values = [choice.probability for choice in choices_of(report, PRESSURE_SCALE)]
    if not values:
        return ""
    low, high = plain_percent(min(values)), plain_percent(max(values))
    return f"other scales of pressure put the main reading{_whose_main(report)} between {low} and {high}"


def _whose_main(report: Report) -> str:
    """After "the main reading" where it is that of an earlier fit: whose, and its number."""
    published = published_choice(report)
    return f" of {fit_words(report)} ({plain_percent(published.probability)})" if report.draws_source and published else ""


def _never_observed(report: Report) -> str:
    level, since = report.headline_question.level or 0, report.history.months[0][:4]
    seen = "has been" if any(rung.ever_observed for rung in report.ladder if rung.level >= level) else "has never been"
    return f"a level of {level} or above {seen} observed here since {since}"


def what_would_change(report: Report, most: int = 7) -> list[str]:
    """What moves the headline most, of what the run itself has computed: readings, skips, scenarios, choices."""
    return [*_readings_change(report), *_skip_change(report), *_scenarios_change(report), *_choices_change(report)][:most]


def _readings_change(report: Report) -> list[str]:
    p = report.headline_question.probability
    others = sorted((r for r in report.readings if r.name != "main"), key=lambda r: -abs(r.headline - p) * r.weight)
    return [
        f"Proof that the reading “{r.title}” is right: {plain_percent(r.headline)} (it has {plain_percent(r.weight)} of the weight)."
        for r in others[:1]
    ]


def _skip_change(report: Report) -> list[str]:
    level = report.headline_question.level or 0
    return [
        f"Whether a rise that reaches level {level - 1} goes on to {level}: the model gives it {plain_percent(s.posterior.mean)}, "
        f"from {s.went_on} of {s.went_on + s.stopped} rises here and the outside view."
        for s in report.skips
        if s.direction == "up" and s.level == level - 1
    ]


def _scenarios_change(report: Report) -> list[str]:
    by_size = sorted(report.scenarios, key=lambda s: s.difference)
    chosen = [s for s in (by_size[-1:] + by_size[:1]) if s.difference] if len(by_size) > 1 else by_size
    return [f"{s.title}: {percent(s.probability)} ({points(s.difference)} points, {s.kind})." for s in chosen]


def _choices_change(report: Report) -> list[str]:
    published = published_choice(report)
    if published is None:
        return []
    by_size = sorted(report.multiverse, key=lambda choice: choice.probability)
    return [
        f"Another choice of method, “{choice.label}”: {plain_percent(choice.probability)} under the main reading{_whose_main(report)}."
        for choice in (by_size[0], by_size[-1])
        if choice.probability != published.probability
    ]


def short_headline(report: Report) -> str:
    q = report.headline_question
    window = window_words(q.window.start, q.window.end)
    return f"Level {q.level} or above reached, {window}: about {headline_percent(q.probability)} ({_interval(report)})"


def build_sentences(report: Report) -> Sentences:
    """All that `report.json` says in words, from a report whose other parts are complete.

    KeyError if the question that `headline` names is missing. A clause whose numbers the report lacks is the empty string.
    """
    from forecast.report.models.report import Sentences

    headline = _headline(report)
    clauses = {
        "prior": f"the prior alone says {plain_percent(report.headline_question.prior_probability)}",
        "disputed_act": _disputed_act(report),
        "range_readings": _range_readings(report),
        "range_pressure": _range_pressure(report),
        "never_observed": _never_observed(report),
    }
    details = capital("; ".join(clause for clause in [_interval(report), *clauses.values()] if clause))
    return Sentences(
        headline=headline,
        headline_long=f"{headline} {details}.",
        what_would_change=what_would_change(report),
        short=short_headline(report),
        **clauses,
    )


def next_dates(report: Report, most: int = 3) -> list[str]:
    """The nearest dates of the calendar that act on the forecast."""
    acting = [entry for entry in report.calendar if entry.effect not in (None, "", "none")]
    return [f"{entry.what} ({day_words(entry.date)})" for entry in sorted(acting, key=lambda entry: year_of(entry.date))[:most]]


def banners(report: Report) -> list[tuple[str, str]]:
    """What a reader must know first, in bold and in plain: the gate refused the fit, it is stale, it is as of an earlier day."""
    out = []
    if report.diagnostics.status != "pass":
        out.append(("The gate refused this fit.", "; ".join(report.diagnostics.reasons)))
    if report.stale:
        out.append(("This forecast is stale.", f"It uses nothing from after {month_words(report.origin)}; later months are simulated."))
    if report.as_of:
        out.append(("", f"As of {day_words(report.as_of)}: it uses only what was published by then."))
    return out
