"""What the headline is made of: where each prior, block of data and setting would take it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from forecast.arrays.psis import ESS_MIN, K_HAT_MAX
from forecast.formatting import bare, capital, listed, month_words, number, percent, percent_range, plain_percent, points, significant
from forecast.report.figures.dot_plot import Axis, Bar, Dot, Row, dot_plot, percent_axis
from forecast.report.tables import Table, table

if TYPE_CHECKING:
    from forecast.report.models.fit import Component, CrossingEntry, Flip, HeadlineMove, SensitivitySection, SweptSetting
    from forecast.report.models.report import Report

SHORT: Final = 12
"""Rows of a short table."""
_SETTINGS: Final = {
    "readings": "other weights of the readings",
    "leverage": "other weights of the channels",
    "leverage.half_life": "other memories of pressure",
    "outside_view": "other selection factors",
}


def component_name(component: Component) -> str:
    """The words of a component, with its month in words."""
    head, _, last = component.name.partition(".")
    if component.kind == "data" and head == "record" and last not in ("", "quiet"):
        return f"record of {month_words(last)}"
    return component.words


def _scaled(s: SensitivitySection, *kinds: str) -> list[Component]:
    """Components of these kinds that were scaled, in order of size."""
    return [c for c in s.scaled if c.moves and c.kind in kinds]


def sensitivity_chart(report: Report) -> Any:
    """Priors moved half their spread down (hollow) and up (filled); data and priors counted less (hollow) and more (filled)."""
    s = report.sensitivity
    priors, blocks = _scaled(s, "prior"), _scaled(s, "data")
    together = {c.name: c for c in _scaled(s, "all")}
    groups: tuple[tuple[str, str, Sequence[Component], str], ...] = (
        ("Priors, moved half an sd lower or higher", "tilts", _largest(priors, "tilts", 9), "one"),
        ("Priors, counting less or more", "moves", [together["all priors"], *_largest(priors, "moves", 5)], "three"),
        ("Data, counting less or more", "moves", [together["all data"], *_largest(blocks, "moves", 7)], "two"),
    )
    rows: list[Row] = []
    for title, key, members, tint in groups:
        rows += [Row(title, heading=True)] if members else []
        for c in members:
            low, high = (move.probability for move in getattr(c, key))
            changes = " / ".join(points(move.difference) for move in getattr(c, key))
            rows.append(_span_row(capital(component_name(c)), changes, low, high, tint, strong=c.kind == "all"))
    settings = setting_ranges(s)
    rows += [Row("Settings, from the lowest to the highest", heading=True)] if settings else []
    for words, (low, high) in settings.items():
        rows.append(_span_row(capital(words.removeprefix("other ")), percent_range(low, high), low, high, "four"))
    highest = max([s.probability, *(bar.high for row in rows for bar in row.bars)])
    return dot_plot(rows, _axis(highest), right=92, reference=s.probability)


def _span_row(label: str, value: str, low: float, high: float, tint: str, strong: bool = False) -> Row:
    """A hollow dot for the lower or lesser, a filled one for the higher or greater; settings have two filled ones."""
    dots = (Dot(low, tint, filled=tint == "four", size=46), Dot(high, tint, size=46))
    return Row(label, value, dots, (Bar(min(low, high), max(low, high), tint, 2),), strong=strong)


def _axis(highest: float) -> Axis:
    """From 0 to the next five points, where that makes a few ticks."""
    top = math.ceil(20 * highest)
    return Axis(0, top / 20, tuple(i / 20 for i in range(top + 1))) if 2 <= top <= 6 else percent_axis(highest)


def _largest(components: Sequence[Component], key: str, most: int) -> list[Component]:
    """Those that move it most; the table has all."""
    return sorted(components, key=lambda c: -max(abs(move.difference) for move in getattr(c, key)))[:most]


def priors_table(s: SensitivitySection, most: int | None = None) -> Table:
    """Every prior that acts on the headline, or the `most` largest."""
    rows = []
    for c in _scaled(s, "prior")[:most]:
        own = (None, None) if c.own is None else (number(c.own.prior), number(c.own.data))
        rows.append((
            f"{capital(c.words)} ({c.symbol}, {c.name})",
            *(_move_cell(move) for move in (*c.tilts, *c.moves)), number(c.sensitivity), *own, c.label,
        ))  # fmt: skip
    columns = (
        "Prior", "½ sd lower", "½ sd higher", "Counts less", "Counts more", "Sensitivity of the headline", "Own sensitivity: prior",
        "Own sensitivity: data", "What it is",
    )  # fmt: skip
    return table(columns, rows, range(1, 8))


def data_table(s: SensitivitySection, most: int | None = None) -> Table:
    """Every block of data, and all priors and all data together, or the `most` largest."""
    rows = [
        (capital(component_name(c)), *(_move_cell(move) for move in c.moves), number(c.sensitivity))
        for c in _scaled(s, "data", "all")[:most]
    ]
    return table(("Block", "Counts less", "Counts more", "Sensitivity of the headline"), rows, (1, 2, 3))


def _move_cell(move: HeadlineMove) -> str:
    """Points of the headline; an asterisk where too few draws count, also where no Pareto fits the tail, so that there is no k̂."""
    rough = (move.k_hat is not None and move.k_hat >= K_HAT_MAX) or move.ess < ESS_MIN
    return f"{points(move.difference)}{'*' if rough else ''}"


def not_scaled_table(s: SensitivitySection) -> Table:
    """What was not scaled, by the reason."""
    reasons: dict[str, list[str]] = {}
    for c in s.scaled:
        if not c.moves:
            reasons.setdefault(c.note, []).append(component_name(c) if c.kind == "data" else c.name)
    return table(("Reason", "Priors and data"), [(note, ", ".join(names)) for note, names in reasons.items()])


def flips_table(s: SensitivitySection) -> Table:
    """The values of each effect at which the headline crosses the lines."""
    lines = [c.line for c in s.flips[0].crossings] if s.flips else []
    rows = [
        (
            f"{capital(f.words)} ({f.symbol})",
            effect_value(f, f.now),
            *(_crossing_with_error(f, c) for c in f.crossings),
            f"{effect_value(f, f.low)} to {effect_value(f, f.high)}",
            headline_span(f),
        )
        for f in s.flips
    ]
    columns = ("Effect", "Now", *(plain_percent(line) for line in lines), "Looked for in", "Headline there")
    return table(columns, rows, range(1, len(lines) + 2))


def crossing_value(flip: Flip, crossing: CrossingEntry) -> str:
    """The value, after a tilde where too few draws are near it; a dash where there is none."""
    return "–" if crossing.value is None else f"{'~' if crossing.rough else ''}{effect_value(flip, crossing.value)}"


def _crossing_with_error(flip: Flip, crossing: CrossingEntry) -> str:
    text = crossing_value(flip, crossing)
    if crossing.value is None or crossing.error is None:
        return text
    unit = " %" if text.endswith(" %") else ""
    return f"{text.removesuffix(' %')} ± {significant(crossing.error * (100 if unit else 1), 1)}{unit}"


def headline_span(flip: Flip) -> str:
    """From where to where the headline goes along the range."""
    return _span([p.probability for p in flip.curve])


def _span(probabilities: Iterable[float]) -> str:
    values = list(probabilities)
    return f"{percent(min(values)).removesuffix(' %')}–{percent(max(values))}"


def effect_value(flip: Flip, value: float) -> str:
    """A value of an effect in its own unit: chances in per cent."""
    if "probability" in flip.unit:
        return percent(value)
    return number(value) if abs(value) >= 0.005 else "0"


def settings_table(s: SensitivitySection) -> Table:
    """Settings that are fixed in the fit, at other values."""
    rows = [(setting_name(r), percent(r.probability), points(r.difference), "" if r.accepted else "approximate") for r in s.sweeps]
    return table(("Setting", "Headline", "Points", ""), rows, (1, 2))


def setting_name(setting: SweptSetting) -> str:
    """A setting with its other value, in words."""
    part, value = setting.part.replace("_", " "), setting.value
    if setting.name == "leverage.weights":
        return f"{part.capitalize()} pressure {'left out' if value == 0 else 'alone' if value == 1 else f'weighs {percent(value)}'}"
    if setting.name.startswith("leverage.half_life"):
        return f"{part.capitalize()} pressure remembered for {number(value)} months"
    if setting.name == "readings.weights":
        return f"Without the reading {part}" if value == 0 else f"The reading {part} alone"
    return f"{capital(setting.words)} {value:g}"


def setting_ranges(s: SensitivitySection) -> dict[str, tuple[float, float]]:
    """From where to where each kind of setting takes the headline: words → lowest and highest."""
    groups: dict[str, list[float]] = {}
    for setting in s.sweeps:
        groups.setdefault(_SETTINGS[setting.name.rpartition(".")[0]], []).append(setting.probability)
    return {words: (min(values), max(values)) for words, values in groups.items()}


def settings_summary(s: SensitivitySection) -> str:
    """From where to where the settings take the headline, in a sentence."""
    parts = [f"{percent_range(low, high)} with {words}" for words, (low, high) in setting_ranges(s).items()]
    return f"The headline is {listed(parts)}." if parts else ""


def shared_bias_summary(s: SensitivitySection) -> str:
    """At which bias shared by all pollsters the headline would cross the lines, in sentences."""
    b = s.shared_bias
    low, high = b.sixty_at_most
    opposed = f"(from {bare(low)} to {plain_percent(high)} opposed where polls say 60 %)"
    out = [
        f"With a shared bias between {number(-b.most)} and {number(b.most)} logits {opposed} "
        f"the headline stays within {_span([b.low, b.high])}."
    ]
    for c in b.crossings:
        if c.value is not None:
            verb = "understate" if c.value > 0 else "overstate"
            rough = ", approximately" if c.rough else ""
            out.append(
                f"It would be {plain_percent(c.line)} if all polls {verb} opposition by {number(abs(c.value))} logits{rough}: "
                f"{plain_percent(c.sixty_is)} where they say 60 %, {plain_percent(c.now_is)} today instead of "
                f"{plain_percent(b.opposed_now)}."
            )
    if b.trusted < b.most:
        out.append(f"Beyond {number(b.trusted)} logits either way this is approximate: too few samples there.")
    if missing := [plain_percent(c.line) for c in b.crossings if c.value is None]:
        out.append(f"No such bias takes it to {listed(missing, 'or')}.")
    return " ".join(out)


def verdict(s: SensitivitySection) -> str:
    """The headline under all its priors and under all its data, each counted less and more, in one sentence."""
    together = {c.name: c for c in s.scaled if c.kind == "all"}
    pairs = [[move.probability for move in together[name].moves] for name in ("all priors", "all data")]
    slopes = [more - less for less, more in pairs]
    priors, data = (f"{percent(less)} or {percent(more)}" for less, more in pairs)
    ends = _VERDICTS[s.label]
    if s.label == "prior–data conflict" and slopes[0] * slopes[1] > 0:
        ends = "both matter"
    powers = f"to the power {s.powers[0]:g} or {s.powers[1]:g}"
    return f"Weighting the priors down or up ({powers}) gives {priors}; weighting the data, {data}: {ends}."


_VERDICTS: Final = {
    "prior–data conflict": "both matter, and they pull in opposite directions",
    "strong prior, weak likelihood": "the priors decide it, not the data",
    "no sensitivity": "the priors hardly matter",
}
