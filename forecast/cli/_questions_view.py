"""How `forecast questions` shows questions and scores: for a terminal, and as JSON documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

from forecast.cli._text import counted, cut, table, wrap
from forecast.domain import LEVELS, TOP, month_text
from forecast.evaluation.scores import MIN_WINDOWS
from forecast.formatting import NONE, count, month_words, percent

if TYPE_CHECKING:
    from forecast.evaluation.question_ledger import LedgerQuestion, RecordedResolution
    from forecast.evaluation.score_table import LateForecast, PriorEditEffect, ScoreTableRow
    from forecast.evaluation.scores import MeanScore
    from forecast.jobs.questions.freeze import OmittedQuestions
    from forecast.jobs.questions.score import LedgerScores

TITLES = {
    "reached_by": "Level reached within {}",
    "in_force_at": "Level in force after {}",
    "fallen_to": "Level fallen to within {}",
    "event": "Events within {}",
    "count": "Counts within {}, by their number",
    "count_any": "Counts within {}, at least one",
    "own": "Questions of persons",
}
MEASURES = ("brier", "log", "rps")
SCORE_COLUMNS = ("", "n", "Brier", "log", "RPS", "vs persistence", "vs climatology")
COLUMNS = ("question", "kind", "horizon_months", "resolves", "model", "persons", "state", "text")


def rows(chosen: Sequence[LedgerQuestion], today: date) -> list[dict[str, Any]]:
    """One row a question, with the columns of `COLUMNS`."""
    return [
        {
            "question": q.id,
            "kind": q.kind,
            "horizon_months": q.horizon,
            "resolves": q.resolves.isoformat(),
            "model": q.forecasts[-1].probability if q.forecasts else None,
            "persons": len({p.by for p in q.predictions}),
            "state": _state(q, today),
            "text": q.text,
        }
        for q in chosen
    ]


def question_lines(chosen: Sequence[LedgerQuestion], today: date, width: int) -> list[str]:
    """One line a question, under a heading that says what the group asks. Columns that would be empty are left out."""
    if not chosen:
        return []
    predicted = any(q.predictions for q in chosen)
    lines = wrap(
        "model: the probability, in the newest forecast in the ledger, that the answer is yes (of a count: one or more) and public when "
        "the question resolves. It can be lower than the probability that it happens, which `forecast report` gives.",
        width,
    )
    lines += ["persons: how many people entered a probability of their own."] if predicted else []
    for heading, members in groupby(chosen, key=_heading):
        group = list(members)
        stated = any(q.state(today) != "open" for q in group)
        columns = ["question", "model", *(["persons"] if predicted else []), *(["state"] if stated else []), "asks"]
        cells = [_cells(q, today, predicted, stated) for q in group]
        lines += ["", *wrap(heading, width), *table(columns, cells, width, right=[1, 2] if predicted else [1], fold=True, indent="  ")]
    return lines


def _cells(q: LedgerQuestion, today: date, predicted: bool, stated: bool) -> list[str]:
    persons = str(len({p.by for p in q.predictions}) or NONE)
    model = percent(q.forecasts[-1].probability) if q.forecasts else NONE
    return [q.id, model, *([persons] if predicted else []), *([_state(q, today)] if stated else []), _asks(q)]


def _heading(q: LedgerQuestion) -> str:
    title = TITLES["count_any" if q.kind == "count" else q.kind].format(f"{q.horizon} months")
    months = [month_words(month_text(m)) for m in (q.start, q.end) if m is not None]
    return f"{', '.join([title, ' to '.join(dict.fromkeys(months))]) if months else title}; resolves on {q.resolves}"


def _asks(q: LedgerQuestion) -> str:
    """The level asked about, where the heading says the rest; else the whole question."""
    if q.level is None:
        return " ".join(q.text.split())
    return f"level {q.level}, {LEVELS[q.level]}{' or lower' if q.kind == 'fallen_to' else ' or higher' if q.level < TOP else ''}"


def not_entered(left: Sequence[OmittedQuestions]) -> str:
    """Why questions of the newest forecast are not in the ledger."""
    groups = " and ".join(f"{x.questions} of {x.horizon_months} months" for x in left)
    end = month_words(max(x.window_end for x in left))
    return (
        f"Not in the ledger: questions of the newest forecast whose windows had ended when it was published ({groups} from the "
        f"origin {month_words(left[0].origin)}; the last ended in {end}). A forecast of the past could not be scored. To get such "
        "questions again, read the events up to now and raise covered_through of events.csv in data/coverage.toml."
    )


def _state(q: LedgerQuestion, today: date) -> str:
    resolution, state = q.resolution(), q.state(today)
    return f"{state}: {_outcome(resolution)}" if resolution else state


def _outcome(r: RecordedResolution) -> str:
    return str(r.outcome) if not isinstance(r.outcome, bool) else "yes" if r.outcome else "no"


def page(q: LedgerQuestion, today: date, width: int) -> list[str]:
    """Everything that the ledger holds about one question."""
    lines = [f"{q.id}: {_state(q, today)}", *wrap(q.text, width), f"Resolves on {q.resolves}."]
    if q.by:
        lines.append(f"Added by {q.by} on {q.entered:%Y-%m-%d}{f': {q.link}' if q.link else ''}.")
    for f in q.forecasts:
        base = f.row["baselines"]
        baselines = "".join(f", {name} {percent(base[name])}" for name in ("persistence", "climatology") if base[name] is not None)
        lines += _entry(f.number, f"{f.created:%Y-%m-%d}", f"model {percent(f.probability)}{baselines} (run {f.run_id})", width)
    for p in q.predictions:
        lines += _entry(p.number, f"{p.created:%Y-%m-%d}", f"{p.by} {percent(p.probability)}{f': {p.why}' if p.why else ''}", width)
    for r in q.resolutions:
        verb = "later known" if r.about == "happens" else "resolved"
        why = f" ({r.why})" if r.why else ""
        lines += _entry(r.number, r.date, f"{verb} {_outcome(r)} by {r.by}: {r.source}{why}", width)
    for d in q.disputes:
        lines += _entry(d.number, "", f"{d.by} disputes entry {d.disputes}: {d.why}", width)
    return lines


def _entry(number: int, day: str, text: str, width: int) -> list[str]:
    return wrap(f"{number:>5}  {day:<10}  {text}", width, subsequent_indent=" " * 19)


def document(q: LedgerQuestion, today: date) -> dict[str, Any]:
    """Everything that the ledger holds about one question, as JSON."""
    last = q.forecasts[-1] if q.forecasts else None
    return {
        "id": q.id,
        "text": q.text,
        "kind": q.kind,
        "level": q.level,
        "horizon_months": q.horizon,
        "origin": q.origin,
        "window": last and dict(last.row["window"]),
        "resolution_date": q.resolves.isoformat(),
        "state": q.state(today),
        "by": q.by,
        "link": q.link,
        "model": last and last.probability,
        "baselines": last and {name: last.row["baselines"][name] for name in ("persistence", "climatology")},
        "forecasts": [
            {"entry": f.number, "made": f.created.isoformat(), "run_id": f.run_id, "probability": f.probability} for f in q.forecasts
        ],
        "predictions": [
            {"entry": p.number, "made": p.created.isoformat(), "by": p.by, "probability": p.probability, "why": p.why}
            for p in q.predictions
        ],
        "resolutions": [
            {
                "entry": r.number, "about": r.about, "outcome": r.outcome, "date": r.date, "source": r.source, "by": r.by, "why": r.why,
                "settles": r.settles,
            }
            for r in q.resolutions
        ],
        "disputes": [{"entry": d.number, "disputes": d.disputes, "by": d.by, "why": d.why} for d in q.disputes],
    }  # fmt: skip


def score_lines(scores: LedgerScores, width: int) -> Iterator[str]:
    """A table for each kind and horizon, then whether edits of priors helped, then what the scores cannot show."""
    yield f"Questions: {', '.join(f'{n} {state}' for state, n in scores.states.items() if n) or 'none'}."
    blocks: dict[tuple[str, int | None], list[ScoreTableRow]] = {}
    for row in scores.rows:
        blocks.setdefault((row.kind, row.horizon), []).append(row)
    for (kind, horizon), rows in blocks.items():
        yield ""
        yield f"{TITLES[kind].format(f'{horizon} months')}; {separate(max(m.windows for row in rows for m in row.scores.values()))}"
        yield from table(SCORE_COLUMNS, [_score_cells(row) for row in rows], width, right=range(1, 7), indent="  ")
    if scores.rows:
        yield ""
        yield from wrap(
            "Lower scores are better. n: number of questions. RPS: ranked probability score, for levels and counts. vs: the difference "
            "from a baseline on the questions that both answered, in the Brier score or else the RPS; negative is better than the "
            f"baseline. ± is the standard error, given from {MIN_WINDOWS} separate windows on.",
            width,
        )
        yield ""
    if scores.late:
        yield "Entered too late to be scored: the answer was already public or recorded."
        for x in scores.late:
            yield from wrap(_too_late(x), width, initial_indent="  ", subsequent_indent="    ")
    for effect in scores.effects:
        yield from wrap(effect_sentence(effect), width, subsequent_indent="  ")
    if scores.untested:
        names = ", ".join(f"{e.revision} ({e.name})" for e in scores.untested)
        yield from wrap(
            f"Edits whose effect cannot be scored, because no two runs of the same data differ by them: {names}.",
            width,
            subsequent_indent="  ",
        )
    yield from wrap(scores.caution, width)


def _too_late(x: LateForecast) -> str:
    entries = f"entr{'y' if len(x.entries) == 1 else 'ies'} {', '.join(map(str, x.entries))}"
    earlier = "an earlier probability is scored" if x.scored else "no earlier probability can be scored"
    return f"{x.author} on {x.question}: {entries}, from {x.entered} on; public on {x.public[:10]}; {earlier}."


def _score_cells(row: ScoreTableRow) -> list[str]:
    scores = [f"{m.value:.3f}" if (m := row.scores.get(measure)) else NONE for measure in MEASURES]
    n = max(m.n for m in row.scores.values())
    return [cut(row.author, 13), str(n), *scores, *(_difference(row, name) for name in ("persistence", "climatology"))]


def _difference(row: ScoreTableRow, baseline: str) -> str:
    differences = row.against.get(baseline)
    return signed(differences.get("brier") or differences["rps"]) if differences else ""


def signed(m: MeanScore) -> str:
    """A difference, and its standard error if there is one."""
    sign = "−" if m.value < 0 else "+"
    return f"{sign}{abs(m.value):.3f}{f' ± {m.error:.3f}' if m.error is not None else ''}"


def effect_sentence(effect: PriorEditEffect) -> str:
    """Whether the edits between two runs improved the forecasts."""
    edits = ", ".join(f"{e.revision} ({e.name})" for e in effect.edits) or "Priors edited by hand"
    where = f"between runs {effect.before.run_id} and {effect.after.run_id}"
    if effect.difference is None or effect.scores is None:
        return f"{edits}, {where}: no question that both answered is resolved yet."
    d = effect.difference
    verdict = "the later run did better" if d.value < 0 else "the later run did worse" if d.value > 0 else "no difference"
    if d.error is None or abs(d.value) <= 2 * d.error:
        verdict += ", which may be chance"
    return (
        f"{edits}, {where}: {verdict}. Mean Brier score {effect.scores[0]:.3f} → {effect.scores[1]:.3f} ({signed(d)}) "
        f"on {count(effect.n)} resolved question{'' if effect.n == 1 else 's'}, {separate(d.windows)}."
    )


def separate(windows: int) -> str:
    """The number of windows that share no month."""
    return counted(windows, "separate window")
