"""What the headline is made of: where each prior, block of data and setting would take it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecast.report.models.report import Report


def made_of(report: Report, size: Size) -> Any:
    """Priors moved half their spread down (hollow) and up (filled); data and priors counted less (hollow) and more (filled)."""
    found = scaled(report)
    groups: tuple[tuple[str, str, Sequence[Mapping[str, Any]], str], ...] = (
        ("Priors, moved half an sd lower or higher", "tilts", _largest(found, "prior", "tilts", 9), "one"),
        ("Priors, counting less or more", "moves", _all(found, "all priors") + _largest(found, "prior", "moves", 5), "three"),
        ("Data, counting less or more", "moves", _all(found, "all data") + _largest(found, "data", "moves", 7), "two"),
    )
    rows: list[Row] = []
    base, highest = report.sensitivity.probability, report.sensitivity.probability
    for title, key, members, colour in groups:
        rows += [Row(title, heading=True)] if members else []
        for row in members:
            low, high = (move.probability for move in row[key])
            highest = max(highest, low, high)
            moved = " / ".join(points(move.difference) for move in row[key])
            dots = (Dot(low, colour, filled=False, size=46), Dot(high, colour, size=46))
            bars = (Bar(min(low, high), max(low, high), colour, 2),)
            rows.append(Row(capital(label(row)), moved, dots, bars, strong=row.kind == "all"))
    rows += _settings(report)
    highest = max([highest, *(bar.high for row in rows for bar in row.bars)])
    return rows_chart(rows, size, _axis(highest), left=225, right=92, reference=base)


def _axis(highest: float) -> Axis:
    """From 0 to the next five points, where that makes a few ticks."""
    top = math.ceil(20 * highest)
    return Axis(0, top / 20, tuple(i / 20 for i in range(top + 1))) if 2 <= top <= 6 else percent_axis(highest)


def _settings(report: Report) -> list[Row]:
    """How far settings that are fixed take it."""
    found = [(capital(words.removeprefix("other ")), low, high) for words, (low, high) in spans(report).items()]
    rows = [
        Row(words, percent_range(low, high), (Dot(low, "four", size=46), Dot(high, "four", size=46)), (Bar(low, high, "four", 2),))
        for words, low, high in found
    ]
    return [Row("Settings, from the lowest to the highest", heading=True), *rows] if rows else []


def _all(found: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    return [row for row in found if row.name == name]


def _largest(found: Sequence[Mapping[str, Any]], kind: str, key: str, most: int) -> list[Mapping[str, Any]]:
    """Those that move it most; the table has all."""
    chosen = [row for row in found if row.kind == kind]
    return sorted(chosen, key=lambda row: -max(abs(move.difference) for move in row[key]))[:most]


Row = Mapping[str, Any]

SHORT = 12
"""Rows of a short table."""


def label(row: Row) -> str:
    """The words of a component, with its month in words."""
    head, _, last = row.name.partition(".")
    if row.kind == "data" and head == "record" and last not in ("", "quiet"):
        return f"record of {month_words(last)}"
    return str(row.words)


def scaled(report: Report) -> list[Row]:
    """Components that were scaled, in order of size."""
    return [row for row in report.sensitivity.scaled if row.moves]


def priors(report: Report) -> Table:
    """Every prior that acts on the headline."""
    return _priors(row for row in scaled(report) if row.kind == "prior")


def priors_short(report: Report) -> Table:
    return _priors([row for row in scaled(report) if row.kind == "prior"][:SHORT])


def _priors(chosen: Iterable[Row]) -> Table:
    rows = []
    for row in chosen:
        lower, higher = row.tilts
        less, more = row.moves
        rows.append((
            f"{capital(row.words)} ({row.symbol}, {row.name})",
            _move(lower), _move(higher), _move(less), _move(more),
            number(row.sensitivity), number(row.own.prior), number(row.own.data), row.label,
        ))  # fmt: skip
    columns = (
        "Prior", "½ sd lower", "½ sd higher", "Counts less", "Counts more", "Speed of the headline", "Own speed: prior", "Own speed: data",
        "What it is",
    )  # fmt: skip
    return table(columns, rows, range(1, 8))


def data(report: Report) -> Table:
    """Every block of data, and all priors and all data together."""
    return _data(row for row in scaled(report) if row.kind != "prior")


def data_short(report: Report) -> Table:
    return _data([row for row in scaled(report) if row.kind != "prior"][:SHORT])


def _data(chosen: Iterable[Row]) -> Table:
    rows = [(capital(label(row)), _move(row.moves[0]), _move(row.moves[1]), number(row.sensitivity)) for row in chosen]
    return table(("Block", "Counts less", "Counts more", "Speed of the headline"), rows, (1, 2, 3))


def _move(move: Row) -> str:
    """Points of the headline; an asterisk where the draws carry it badly. A tail that no Pareto fits has no k̂, but then few draws count."""
    rough = (move.k_hat is not None and move.k_hat >= K_HAT_MAX) or move.ess < EFFECTIVE_MIN
    return f"{points(move.difference)}{'*' if rough else ''}"


def not_scaled(report: Report) -> Table:
    """What was not scaled, by the reason."""
    reasons: dict[str, list[str]] = {}
    for row in report.sensitivity.scaled:
        if not row.moves:
            reasons.setdefault(row.note, []).append(label(row) if row.kind == "data" else row.name)
    return table(("Reason", "Priors and data"), [(note, ", ".join(names)) for note, names in reasons.items()])


def flips(report: Report) -> Table:
    """The values of each effect at which the headline crosses the lines."""
    found = report.sensitivity.flips
    lines = [c.line for c in found[0].crossings] if found else []
    rows = [
        (
            f"{capital(f.words)} ({f.symbol})",
            value(f, f.now),
            *(crossed_about(f, c) for c in f.crossings),
            f"{value(f, f.low)} to {value(f, f.high)}",
            span(f),
        )
        for f in found
    ]
    columns = ("Effect", "Now", *(plain_percent(line) for line in lines), "Looked for in", "Headline there")
    return table(columns, rows, range(1, len(lines) + 2))


def crossed(flip: Row, crossing: Row) -> str:
    """The value, after a tilde where it is rough; a dash where there is none."""
    if crossing.value is None:
        return "–"
    return f"{'~' if crossing.rough else ''}{value(flip, crossing.value)}"


def crossed_about(flip: Row, crossing: Row) -> str:
    """The same with its Monte Carlo error."""
    found = crossed(flip, crossing)
    if crossing.value is None:
        return found
    error = significant(crossing.error * (100 if found.endswith(" %") else 1), 1)
    return f"{found.removesuffix(' %')} ± {error}{' %' if found.endswith(' %') else ''}"


def span(flip: Row) -> str:
    """From where to where the headline goes along the range."""
    chances = [p.probability for p in flip.curve]
    return f"{percent(min(chances)).removesuffix(' %')}–{percent(max(chances))}"


def value(flip: Row, v: float) -> str:
    """A value of an effect in its own unit: chances in per cent."""
    if "probability" in flip.unit:
        return percent(v)
    return number(v) if abs(v) >= 0.005 else "0"


def sweeps(report: Report) -> Table:
    """Settings that are fixed in the fit, at other values."""
    rows = [(setting(s), percent(s.probability), points(s.difference), "" if s.accepted else "rough") for s in report.sensitivity.sweeps]
    return table(("Setting", "Headline", "Points", ""), rows, (1, 2))


def setting(sweep: Row) -> str:
    """A swept setting in words."""
    name, part, at = sweep.name, sweep.part.replace("_", " "), sweep.value
    if name == "leverage.weights":
        return f"{part.capitalize()} pressure {'left out' if at == 0 else 'alone' if at == 1 else f'weighs {percent(at)}'}"
    if name.startswith("leverage.half_life"):
        return f"{part.capitalize()} pressure remembered for {number(at)} months"
    if name == "readings.weights":
        return f"Without the reading {part}" if at == 0 else f"The reading {part} alone"
    return f"{capital(sweep.words)} {at:g}"


def spans(report: Report) -> dict[str, tuple[float, float]]:
    """From where to where each kind of setting takes the headline: words → lowest and highest."""
    groups: dict[str, list[float]] = {}
    for s in report.sensitivity.sweeps:
        groups.setdefault(_GROUPS[s.name.rpartition(".")[0]], []).append(s.probability)
    return {words: (min(v), max(v)) for words, v in groups.items()}


def swept(report: Report) -> str:
    """From where to where the sweeps take the headline, in a sentence."""
    parts = [f"{percent_range(low, high)} with {words}" for words, (low, high) in spans(report).items()]
    return f"The headline is {listed(parts)}." if parts else ""


_GROUPS = {
    "readings": "other weights of the readings",
    "leverage": "other weights of the channels",
    "leverage.half_life": "other memories of pressure",
    "outside_view": "other selection factors",
}


def shared_bias(report: Report) -> str:
    """The break-even of the bias that all pollsters share, in sentences."""
    b = report.sensitivity.shared_bias
    low, high = b.sixty_at_most
    span = f"({bare(low)} to {plain_percent(high)} opposed where polls say 60 %)"
    found = [c for c in b.crossings if c.value is not None]
    within = f"{percent(b.low).removesuffix(' %')}–{percent(b.high)}"
    out = [f"Between {number(-b.most)} and {number(b.most)} logits {span} the headline stays within {within}."]
    for c in found:
        verb = "understate" if c.value > 0 else "overstate"
        rough = ", roughly" if c.rough else ""
        out.append(
            f"It would be {plain_percent(c.line)} if all polls {verb} opposition by {number(abs(c.value))} logits{rough}: "
            f"{plain_percent(c.sixty_is)} where they say 60 %, {plain_percent(c.now_is)} today instead of "
            f"{plain_percent(b.opposed_now)}."
        )
    if b.trusted < b.most:
        out.append(f"The draws carry that up to {number(b.trusted)} either way; beyond, it is rough.")
    missing = [plain_percent(c.line) for c in b.crossings if c.value is None]
    if missing:
        out.append(f"No such bias takes it to {listed(missing, 'or')}.")
    return " ".join(out)


def verdict(report: Report) -> str:
    """The headline itself, under all its priors and under all its data."""
    s = report.sensitivity
    rows = {row.name: row for row in s.scaled}
    parts, slopes = [], []
    for name, words in (("all priors", "all priors of tolerance"), ("all data", "all its data")):
        less, more = rows[name].moves
        slopes.append(more.probability - less.probability)
        parts.append(f"{words} take it to {percent(less.probability)} or {percent(more.probability)}")
    verdict = _VERDICTS[s.label]
    if s.label == "prior–data conflict" and slopes[0] * slopes[1] > 0:
        verdict = "both matter"
    return f"Counting {s.powers[0]:g} or {s.powers[1]:g} times, {listed(parts)}: {verdict}."


_VERDICTS = {
    "prior–data conflict": "both matter, and they pull apart",
    "strong prior, weak likelihood": "it is the priors that speak",
    "no sensitivity": "the priors hardly matter",
}
