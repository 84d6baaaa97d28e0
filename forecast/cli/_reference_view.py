"""The outside view for a terminal of 80 columns: the states, how often they reached level 4, the priors that follow, what they do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast.jobs.priors.reference import Chance, Reference
    from forecast.jobs.priors.try_edits import EditTrial
    from forecast.model.outside_view_data import ComparableState, EntryRate, HighLevelEntry

SHORT = {"all_but_failed": "not failed", "without_drug_cases": "not drugs"}
MARKS = {"all_but_failed": "F", "drug_cases": "D", "like_mexico": "M"}


def page(result: Reference, tried: EditTrial | str, *, written: bool, width: int) -> Iterator[str]:
    """All that `forecast priors reference` says."""
    without = f" without {', '.join(result.dropped)}" if result.dropped else ""
    yield f"{len(result.states)} states{without}; each is shown by `forecast priors reference --states`."
    yield ""
    yield f"{'class':<20}{'weight':>7}{'months':>9}{'rises':>7}{'falls':>7}{'entries of 4 or 5':>20}"
    for c in result.classes:
        yield f"{_words(c.name):<20}{c.weight:>7.2f}{c.months:>9,}{c.counts.rise.sum():>7}{c.counts.fall.sum():>7}{c.entries:>20}"
    yield from ["", *rates_table(result.rates), "", *_chances(result.chances), "", *_entries(result.entries), ""]
    yield from [*_follow(result), "", *_stand(result), ""]
    end = f"{len(result.changed)} of {len(result.specs)} priors differ"
    yield f"{end}; written." if written else f"{end}; nothing was written (--write does it)."
    if result.changed:
        yield from ["", *_would(tried, width)]


def states_table(listed: Sequence[ComparableState]) -> Iterator[str]:
    """One line a state, as it was counted."""
    yield f"{'state':<20}{'spells':>7}{'levels':>8}{'months':>8}{'rises':>7}{'falls':>7}{'entries':>9}  classes"
    for s in listed:
        low, high = s.level
        levels = f"{low}–{high}" if high > low else f"{low}"
        spells = f"{s.spells}{'*' if s.imposed else ''}"
        marks = ", ".join(f"{MARKS[c]}{'' if n == s.months else f' {n}'}" for c, n in s.classes.items() if n)
        yield f"{s.name:<20}{spells:>7}{levels:>8}{s.months:>8}{s.rises:>7}{s.falls:>7}{s.entries:>9}  {marks or '–'}"
    yield ""
    yield "entries: rises to level 4 or 5. * some spells were imposed: exposure, no choice."
    yield "Classes: F all but failed, D drug cases, M like Mexico; a number: so many of its"
    yield "months. Mexico counts to 2005; from 2006 on the forecast is fitted to it."


def rates_table(rates: Sequence[EntryRate]) -> Iterator[str]:
    """How often each class entered level 4 or 5."""
    from forecast.priors.descriptions import percent

    yield "Entries of level 4 or 5 a year spent below it, counted (90 %); pressure as coded"
    yield "in the same year:"
    for r in rates:
        spread = f"{percent(r.q50):>8}  ({percent(r.q05)} to {percent(r.q95)})"
        yield f"{_words(r.of):<20}{'open' if r.pressed else 'none':<6}{r.entries:>3} in {r.years:>5,.0f} years  {spread}"


def _chances(chances: Sequence[Chance]) -> Iterator[str]:
    from forecast.priors.descriptions import percent

    yield "Level 4 or 5 within twelve months, for a new state: mean (90 % of draws)"
    yield f"{'':<20}{'pressure':<10}{'from surveillance':<26}from embedded"
    by = {(c.of, c.pressed, c.start): f"{percent(c.mean)} ({percent(c.q05).removesuffix(' %')}–{percent(c.q95)})" for c in chances}
    for of in dict.fromkeys(c.of for c in chances):
        for pressed in (False, True):
            yield f"{_words(of):<20}{'open' if pressed else 'none':<10}{by[of, pressed, 2]:<26}{by[of, pressed, 3]}"


def _entries(entries: Sequence[HighLevelEntry]) -> Iterator[str]:
    from forecast.domain import month_text

    yield "Entries of level 4 or 5 (pressure in the same year, in the year before)"
    for e in entries:
        pressed = f"{'yes' if e.pressed_same else 'no'}, {'yes' if e.pressed_previous else 'no'}"
        yield f"{month_text(e.month)}  {e.state:20}  {e.before} to {e.after}  {e.months:4} months  {pressed}"


def _follow(result: Reference) -> Iterator[str]:
    """How each prior comes about: the median of each class, and the pool of their predictives, widened."""
    from forecast.model.outside_view_predictive import medians
    from forecast.priors.descriptions import unit_text
    from forecast.priors.distributions import Distribution

    found = {c.name: medians(c.state) for c in result.classes}
    room = len(found) <= 3
    yield "How the priors follow: medians for a new state by class; pooled and widened"
    yield (
        f"{'':<19}"
        + "".join(f"{SHORT.get(name, _words(name))[:11]:>12}" for name in found)
        + (f"{'5, 50, 95 % of prior':>24}" if room else "")
    )
    for name, spec in result.specs.items():
        assert isinstance(spec, Distribution)
        cells = "".join(f"{unit_text(name, of[name]):>12}" for of in found.values())
        quantiles = ", ".join(unit_text(name, q).removesuffix(" %") for q in spec.interval())
        yield f"{name:<19}{cells}" + (f"{quantiles:>24}" if room else "")


def _stand(result: Reference) -> Iterator[str]:
    """The priors as they are written, where they differ from those that stand."""
    if not result.changed:
        yield "The priors that stand are those of the outside view."
        return
    yield "What stands now → the outside view"
    for name, (old, new) in result.changed.items():
        yield f"{name:<19}{old}"
        yield f"{'':<17}→ {new}"


def _would(tried: EditTrial | str, width: int) -> Iterator[str]:
    from forecast.cli._text import wrap
    from forecast.cli.priors_try import lines

    if isinstance(tried, str):
        yield from wrap(tried, width)
        return
    yield f"What they would do to the newest published run, {tried.run_id}:"
    shown = list(lines(tried, False))
    yield from shown[shown.index("") :]  # the edits stand above already


def _words(name: str) -> str:
    return {"priors": "the priors", "like_mexico": "like Mexico"}.get(name, name.replace("_", " "))
