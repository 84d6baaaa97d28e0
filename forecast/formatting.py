"""How numbers, dates and lists are written in every output: pure functions from values to text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from forecast.domain import month, month_text

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")

NONE = "–"


def significant(x: float, digits: int) -> str:
    """`x` rounded to so many significant digits, never in exponent form: 0.0834 → 0.083, 1234 → 1200."""
    if x == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(x)))
    rounded = round(x, places)
    if rounded and math.floor(math.log10(abs(rounded))) > math.floor(math.log10(abs(x))):
        places -= 1  # 9.96 to two digits is 10, not 10.0
    return f"{rounded:.{max(places, 0)}f}"


def percent(p: float | None, digits: int = 2) -> str:
    """A probability as per cent, in two figures, or one below 1 %. What rounds to none or to all is a bound: never 0 %, never 100 %."""
    if p is None:
        return NONE
    if p < 0.00095:
        return "<0.1 %"
    if p > 0.99:
        near_all = f"{100 * p:.1f} %"
        return ">99.9 %" if near_all == "100.0 %" else near_all
    return f"{significant(100 * p, digits if p >= 0.00995 else 1)} %"


def headline_percent(p: float) -> str:
    """One significant figure, as the headline is given: 0.081 → 8 %; from 95 % up the distance to certainty is what counts."""
    return percent(p, 1) if p < 0.95 else percent(p, 2)


def bare(p: float | None) -> str:
    """As `plain_percent`, without the sign: for columns headed per cent."""
    return plain_percent(p).removesuffix(" %")


def bare_range(low: float, high: float) -> str:
    """As `percent_range`, without the sign."""
    return percent_range(low, high).removesuffix(" %")


def plain_percent(p: float | None) -> str:
    """As people say it: one significant figure below ten per cent, whole per cent above: 0.8 %, 6 %, 15 %."""
    return percent(p, 1 if p is not None and p < 0.0995 else 2)


def percent_range(low: float, high: float) -> str:
    """Two probabilities with one sign: 0.8–19 %."""
    a, b = plain_percent(low), plain_percent(high)
    if a == b:
        return a
    if b.startswith(">") and low >= 0.9:
        return f"≥{a}"
    top = b.removeprefix(">").replace(" %", "+ %") if b.startswith(">") else b  # 60–99.9+ %
    return f"{a.removesuffix(' %')}–{top}"


def points(d: float | None) -> str:
    """A difference of probabilities in percentage points, signed."""
    if d is None:
        return NONE
    if abs(d) < 0.0005:
        return "±0.0"
    return f"{'+' if d > 0 else '−'}{significant(abs(100 * d), 2)}"


def fixed_points(d: float) -> str:
    """A difference of probabilities in points to the hundredth, signed, so that the numbers of a column add up."""
    rounded = round(100 * d, 2)
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else '±'}{abs(rounded):.2f}"


def number(x: float | None, digits: int = 2) -> str:
    """A plain number with a true minus sign and commas between thousands."""
    if x is None:
        return NONE
    if abs(x) >= 1000:
        text = f"{abs(x):,.0f}"
    elif abs(x) >= 100 or float(x).is_integer():
        text = f"{abs(x):.0f}"
    else:
        text = significant(abs(x), digits)
    return f"−{text}" if x < 0 and text != "0" else text


def trimmed(x: float) -> str:
    """A number in two significant figures without idle zeros, as in descriptions of priors: 0.0067, 1.3, 18, 880."""
    if not math.isfinite(x):
        return f"{x:g}"
    text = significant(abs(x), 2)
    return f"{'−' if x < 0 else ''}{text.rstrip('0').rstrip('.') if '.' in text else text}"


def fine_percent(p: float) -> str:
    """As `percent`, but in two figures down to 0.01 %, as in descriptions of priors: 0.67 %, 17 %."""
    if p < 0.0001:
        return "<0.01 %"
    return ">99.9 %" if p > 0.999 else f"{trimmed(100 * p)} %"


def number_word(n: int) -> str:
    """Small whole numbers as words."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return words[n] if n < len(words) else str(n)


def count(n: int | float | None) -> str:
    return NONE if n is None else f"{n:,.0f}"


def month_words(text: str) -> str:
    """`2026-06` → June 2026."""
    m = month(text)
    return f"{MONTHS[m % 12]} {m // 12}"


def window_words(start: str, end: str) -> str:
    """`2026-07`, `2027-06` → July 2026 – June 2027."""
    return month_words(start) if start == end else f"{month_words(start)} – {month_words(end)}"


def day_words(text: str) -> str:
    """`2026-06-30` → 30 June 2026; a month or a year keeps its precision."""
    parts = text.split("-")
    if len(parts) == 3:
        return f"{int(parts[2])} {MONTHS[int(parts[1]) - 1]} {parts[0]}"
    return month_words(text) if len(parts) == 2 else text


def time_words(time: datetime) -> str:
    """24 November 2026, 16:27."""
    return f"{time.day} {MONTHS[time.month - 1]} {time.year}, {time:%H:%M}"


def year_of(text: str) -> float:
    """A month or a day as a decimal year, for the time axes of charts; a month stands at its middle, a year likewise."""
    parts = [int(p) for p in text.split("-")]
    if len(parts) == 1:
        return parts[0] + 0.5
    if len(parts) == 2:
        return parts[0] + (parts[1] - 0.5) / 12
    day = date(*parts)
    first = date(day.year, 1, 1)
    return day.year + (day - first) / timedelta(days=366 if day.year % 4 == 0 else 365)


def month_before(text: str, months: int) -> str:
    return month_text(month(text) - months)


def listed(items: Iterable[str], last: str = "and") -> str:
    """a, b and c."""
    parts = list(items)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}" if parts else ""


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
