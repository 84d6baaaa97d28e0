"""What moved the forecast since an earlier run: sentences, tables, and the headline as steps from the chance before to the chance now."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from forecast.attribution.sequential import rounded_parts
from forecast.formatting import capital, fixed_points, listed, month_words, percent
from forecast.report.figures.dot_plot import Axis, Bar, Dot, Row, dot_plot
from forecast.report.tables import Row as Cells
from forecast.report.tables import Table, shortened, table

if TYPE_CHECKING:
    from forecast.report.models.forecast import Attribution, QuestionChange
    from forecast.report.models.report import Report

KINDS: Final[Mapping[str, str]] = {
    "model": "model",
    "settings": "settings",
    "prior": "prior edits",
    "revision": "old values revised",
    "time": "time passing",
    "new": "new observations",
    "several": "several at once",
    "noise": "Monte Carlo noise",
}
"""Kinds of parts in the order in which changes are made; changes that cannot be separated, and noise, come last."""
BESIDE: Final = ("reach-3-12m", "fall-1-12m")
"""Questions shown beside the headline."""
MAX_PARTS: Final = 14
"""So many parts have a row each in the chart; of more, the smallest share one of their kind."""
WITHIN_NOISE: Final = "~"
JOINT: Final = "*"
"""Marks in tables; `attribution_marks` explains them."""
_DIGITS: Final = 4  # of probabilities: hundredths of a point
_NAMES: Final = {"reached_by": "level {} or above", "in_force_at": "level {} or above at the end", "fallen_to": "level {} or below"}


def shown_questions(report: Report) -> list[str]:
    """The headline's id and those beside it, as far as both runs asked them."""
    asked = report.attribution.questions if report.attribution else {}
    return [id_ for id_ in dict.fromkeys((report.headline, *BESIDE)) if id_ in asked]


def _se(q: QuestionChange) -> str:
    return _points_se(q.remainder_se)


def _points_se(se: float) -> str:
    return f"{100 * se:.2f}"


def rounded_changes(q: QuestionChange) -> tuple[list[float], float, float]:
    """The parts, the noise and the total change of a question, rounded to hundredths of a point so that what is printed adds up."""
    rounded, total = rounded_parts([*q.parts, q.noise], _DIGITS)
    return rounded[:-1], rounded[-1], total


def by_kind(attribution: Attribution, question: str) -> dict[str, float]:
    """What each kind of change added to a question, noise last; only kinds that occur. Rounded so that what is printed adds up."""
    q = attribution.questions[question]
    sums: dict[str, float] = {}
    for part, value in zip(attribution.parts, q.parts, strict=True):
        sums[part.kind] = sums.get(part.kind, 0.0) + value
    added = {kind: sums[kind] for kind in KINDS if kind in sums} | {"noise": q.noise}
    return dict(zip(added, rounded_parts(list(added.values()), _DIGITS)[0], strict=True))


def joint_part(attribution: Attribution) -> int | None:
    """The number of the part that the draws cannot carry; None if they carry all."""
    return next((i for i, part in enumerate(attribution.parts) if part.how == "joint"), None)


def attribution_summary(report: Report) -> str:
    """One sentence: from what to what, and by what kinds of change; empty if no run came before or the headline was not asked then."""
    attribution = report.attribution
    if attribution is None or report.headline not in attribution.questions:
        return ""
    q = attribution.questions[report.headline]
    sums = by_kind(attribution, report.headline)
    added = [f"{KINDS[kind]} {fixed_points(value)}" for kind, value in sums.items() if kind != "noise"]
    noise = f"{KINDS['noise']} {fixed_points(sums['noise'])} (standard error {_se(q)})"
    parts, _, total = rounded_changes(q)
    sentence = (
        f"Since run {attribution.from_run}, which used what was known at the end of {month_words(attribution.from_origin)}, the headline "
        f"went from {percent(q.before)} to {percent(q.after)}, by {fixed_points(total)} points: {listed([*added, noise])}."
    )
    joint = joint_part(attribution)
    if joint is None:
        return sentence
    kind, se = KINDS[attribution.parts[joint].kind], _points_se(q.parts_se[joint])
    return (
        f"{sentence} Of this, {fixed_points(parts[joint])} ({kind}) is one part that reweighting cannot divide; it contains the noise "
        f"of both runs (standard error {se})."
    )


def attribution_alarm(report: Report) -> str:
    """What must be said first if the parts do not explain the whole; empty if they do."""
    attribution = report.attribution
    if attribution is None or not attribution.unexplained:
        return ""
    names = attribution.unexplained
    q = attribution.questions[names[0]]
    return (
        f"No known change explains all of the move of {listed(names[:4])}{' and others' if len(names) > 4 else ''}: "
        f"{fixed_points(q.noise)} points of {names[0]} remain; chance alone has a standard error of {_se(q)}."
    )


def attribution_aside(report: Report) -> str:
    """What is not in the parts: rows that no model reads, questions that only one of the runs asked, and a note on the noise."""
    attribution = report.attribution
    if attribution is None:
        return ""
    parts = []
    if attribution.unread:
        rows = listed(f"{n} of {file}" for file, n in attribution.unread.items())
        parts.append(f"rows changed that no model reads: {rows}")
    for ids, words in ((attribution.appeared, "new questions"), (attribution.gone, "questions no longer asked")):
        if ids:
            parts.append(f"{words}: {listed(ids)}")
    return " ".join(text for text in (f"{capital('; '.join(parts))}." if parts else "", attribution.note) if text)


def attribution_marks(report: Report, ids: Iterable[str] | None = None) -> str:
    """What the marks in the table of parts mean; empty if there are none. ids: the questions in the table, by default those shown."""
    attribution = report.attribution
    if attribution is None:
        return ""
    noise = any(any(attribution.questions[id_].within_noise) for id_ in (shown_questions(report) if ids is None else ids))
    notes = [f"{WITHIN_NOISE} within the noise"] if noise else []
    if joint_part(attribution) is not None:
        notes.append(f"{JOINT} computed from both runs instead of by reweighting, so it contains the noise of both runs")
    return f"{'; '.join(notes)}." if notes else ""


def question_name(report: Report, id_: str) -> str:
    """A question in few words: level 4 or above, 12 months."""
    q = next((q for q in report.questions if q.id == id_), None)
    return id_ if q is None or q.level is None else f"{_NAMES[q.kind].format(q.level)}, {q.horizon_months} months"


def parts_table(report: Report) -> Table:
    """A row a part, in points, the joint part with its standard error. Chances before and after stand at the ends.

    The printed parts and the printed noise add up to the printed total.
    """
    attribution, ids = report.attribution, shown_questions(report)
    columns = ("Change", *(capital(question_name(report, id_)) for id_ in ids))
    if attribution is None or not ids:
        return table(columns, [], range(1, len(columns)))
    questions = [attribution.questions[id_] for id_ in ids]
    rounded = [rounded_changes(q) for q in questions]
    rows: list[Cells] = [["Before", *(percent(q.before) for q in questions)]]
    for i, part in enumerate(attribution.parts):
        joint = part.how == "joint"
        cells = [
            fixed_points(parts[i]) + (f"\u00a0{WITHIN_NOISE}" if q.within_noise[i] else "")
            for q, (parts, _, _) in zip(questions, rounded, strict=True)
        ]
        rows.append([f"{capital(KINDS[part.kind])}: {part.label}{f' {JOINT}' if joint else ''}", *cells])
        if joint:
            rows.append(["Standard error of this part", *(_points_se(q.parts_se[i]) for q in questions)])
    rows += [
        [KINDS["noise"], *(fixed_points(noise) for _, noise, _ in rounded)],
        ["Standard error of the noise", *map(_se, questions)],
        ["Total change", *(fixed_points(total) for _, _, total in rounded)],
        ["Now", *(percent(q.after) for q in questions)],
    ]
    return table(columns, rows, range(1, len(columns)))


def kinds_table(report: Report) -> Table:
    """Every question of both runs: before, now, and what each kind of change added."""
    attribution = report.attribution
    sums = {id_: by_kind(attribution, id_) for id_ in attribution.questions} if attribution else {}
    kinds = [kind for kind in KINDS if any(kind in added for added in sums.values())]
    rows = []
    for id_, added in sums.items():
        assert attribution is not None
        q = attribution.questions[id_]
        points = [fixed_points(rounded_changes(q)[2]), *(fixed_points(added.get(kind, 0.0)) for kind in kinds)]
        rows.append([id_, percent(q.before), percent(q.after), *points, _se(q)])
    columns = ("Question", "Before", "Now", "Points", *(capital(KINDS[k]) for k in kinds), "Standard error of the noise")
    return table(columns, rows, range(1, len(columns)))


def steps_chart(report: Report) -> Any:
    """A row a part: its bar begins where the row above ended. Upward and downward in two colours, what is within the noise grey."""
    attribution = report.attribution
    q = attribution.questions.get(report.headline) if attribution else None
    if attribution is None or q is None:
        return dot_plot([], _axis(0.0, 0.1), right=64)
    rows = [Row("Before", percent(q.before), (Dot(q.before, "soft", filled=False, size=110),))]
    at = [q.before]
    steps = _steps(attribution, q)
    printed, _ = rounded_parts([value for _, value, _ in steps], _DIGITS)
    for (label, value, faint), shown in zip(steps, printed, strict=True):
        low, high = sorted((at[-1], at[-1] + value))
        bar = Bar(low, high, "soft" if faint else "one" if value > 0 else "two", 3 if faint else 7)
        rows.append(Row(shortened(label, 54), fixed_points(shown), (), (bar,)))
        at.append(at[-1] + value)
    rows.append(Row("Now", percent(q.after), (Dot(q.after, size=130),), strong=True))
    at.append(q.after)
    return dot_plot(rows, _axis(min(at), max(at)), right=64, reference=at[-1])


def _steps(attribution: Attribution, q: QuestionChange) -> list[tuple[str, float, bool]]:
    """Label, value and whether it is within the noise, of each large part and of the small ones of a kind together; noise last."""
    parts = list(zip(attribution.parts, q.parts, q.within_noise, strict=True))
    largest = sorted(range(len(parts)), key=lambda i: -abs(parts[i][1]))[:MAX_PARTS]
    out = [
        (f"{JOINT} {part.label}" if part.how == "joint" else part.label, value, faint)
        for i, (part, value, faint) in enumerate(parts)
        if i in largest
    ]
    rest: dict[str, list[float]] = {}
    for i, (part, value, _) in enumerate(parts):
        if i not in largest:
            rest.setdefault(part.kind, []).append(value)
    out += [(f"{KINDS[kind]}, {len(values)} smaller parts", sum(values), True) for kind, values in rest.items()]
    return [*out, (f"{KINDS['noise']}, standard error {_se(q)}", q.noise, True)]


def _axis(low: float, high: float) -> Axis:
    """Round ticks around the chances that occur, not from zero: the steps are what is looked at."""
    wide = max(high - low, 0.002)
    power = 10.0 ** math.floor(math.log10(wide))
    step = next(s for s in (power / 5, power / 2, power, 2 * power, 5 * power) if wide / s <= 5)
    first, last = math.floor((low - wide * 0.05) / step), math.ceil((high + wide * 0.05) / step)
    ticks = tuple(round(i * step, 6) for i in range(max(first, 0), last + 1))
    return Axis(ticks[0], ticks[-1], ticks)
