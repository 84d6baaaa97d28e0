"""Questions and their scores, for a terminal and as documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

from forecast.cli._text import wrap
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


def table(chosen: Sequence[LedgerQuestion], today: date, width: int) -> list[str]:
    """One line a question, under a heading that says what those below it ask; columns that would say nothing are left out."""
    if not chosen:
        return []
    predicted = any(q.predictions for q in chosen)
    said = (
        "model: the chance, in the newest forecast entered, of a yes (of a count: one or more) by what is publicly known when the question "
        "resolves; so it can be lower than the chance that it happens, which `forecast report` gives."
    )
    lines = wrap(said, width)
    lines += ["persons: how many gave a number of their own."] if predicted else []
    for heading, members in groupby(chosen, key=_heading):
        group = list(members)
        stated = any(q.state(today) != "open" for q in group)
        ids = max(len(q.id) for q in group)
        columns = [f"{'question':<{ids}}", f"{'model':>7}", *(["persons"] if predicted else []), *([f"{'state':<13}"] if stated else [])]
        lines += ["", *wrap(heading, width), f"  {'  '.join([*columns, 'asks'])}"]
        for q in group:
            persons = len({p.by for p in q.predictions})
            cells = [f"{q.id:<{ids}}", f"{percent(q.forecasts[-1].probability) if q.forecasts else NONE:>7}"]
            cells += [f"{persons or NONE:>7}"] if predicted else []
            cells += [f"{_state(q, today):<13}"] if stated else []
            line, asks = f"  {'  '.join(cells)}", _asks(q)
            if len(line) + 2 + len(asks) <= width:
                lines.append(f"{line}  {asks}")
            else:
                lines += [line.rstrip(), *wrap(asks, width, initial_indent=" " * 6, subsequent_indent=" " * 6)]
    return lines


def _heading(q: LedgerQuestion) -> str:
    title = TITLES["count_any" if q.kind == "count" else q.kind].format(f"{q.horizon} months")
    months = [month_words(month_text(m)) for m in (q.start, q.end) if m is not None]
    return f"{', '.join([title, ' to '.join(dict.fromkeys(months))]) if months else title}; resolves on {q.resolves}"


def _asks(q: LedgerQuestion) -> str:
    """The level, where the heading says the rest; else the question itself."""
    if q.level is None:
        return " ".join(q.text.split())
    return f"level {q.level}, {LEVELS[q.level]}{' or lower' if q.kind == 'fallen_to' else ' or higher' if q.level < TOP else ''}"


def not_entered(left: Sequence[OmittedQuestions]) -> str:
    """Why questions of the newest forecast are not there, in words."""
    many = " and ".join(f"{x.questions} of {x.horizon_months} months" for x in left)
    end = month_words(max(x.window_end for x in left))
    return (
        f"Not in the ledger: the questions that the newest forecast has for windows that were over when it was published ({many} from the "
        f"origin {month_words(left[0].origin)}; the last ended in {end}). Nothing could be learnt from them any more. They come back with "
        "a newer origin: read the events up to now, and raise covered_through of events.csv in data/coverage.toml."
    )


def _state(q: LedgerQuestion, today: date) -> str:
    standing, state = q.resolution(), q.state(today)
    return f"{state}: {_outcome(standing)}" if standing else state


def _outcome(r: RecordedResolution) -> str:
    return str(r.outcome) if not isinstance(r.outcome, bool) else "yes" if r.outcome else "no"


def page(q: LedgerQuestion, today: date, width: int) -> list[str]:
    """All that the ledger has of one question."""
    lines = [f"{q.id}: {_state(q, today)}", *wrap(q.text, width), f"Resolves on {q.resolves}."]
    if q.by:
        lines.append(f"Asked by {q.by} on {q.entered:%Y-%m-%d}{f': {q.link}' if q.link else ''}.")
    for f in q.forecasts:
        base = f.row["baselines"]
        beside = "".join(f", {name} {percent(base[name])}" for name in ("persistence", "climatology") if base[name] is not None)
        lines += _entry(f.number, f"{f.created:%Y-%m-%d}", f"model {percent(f.probability)}{beside} (run {f.run_id})", width)
    for p in q.predictions:
        lines += _entry(p.number, f"{p.created:%Y-%m-%d}", f"{p.by} {percent(p.probability)}{f': {p.why}' if p.why else ''}", width)
    for r in q.resolutions:
        what = "later known" if r.about == "happens" else "resolved"
        why = f" ({r.why})" if r.why else ""
        lines += _entry(r.number, r.date, f"{what} {_outcome(r)} by {r.by}: {r.source}{why}", width)
    for d in q.disputes:
        lines += _entry(d.number, "", f"{d.by} disputes entry {d.disputes}: {d.why}", width)
    return lines


def _entry(number: int, when: str, what: str, width: int) -> list[str]:
    return wrap(f"{number:>5}  {when:<10}  {what}", width, subsequent_indent=" " * 19)


def document(q: LedgerQuestion, today: date) -> dict[str, Any]:
    """The same for a program."""
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


def scores(found: LedgerScores, width: int) -> Iterator[str]:
    """A block a kind and horizon, then the edits of priors, then what none of it can show."""
    yield f"Questions: {', '.join(f'{n} {state}' for state, n in found.states.items() if n) or 'none'}."
    blocks: dict[tuple[str, int | None], list[ScoreTableRow]] = {}
    for row in found.rows:
        blocks.setdefault((row.kind, row.horizon), []).append(row)
    for (kind, horizon), rows in blocks.items():
        yield ""
        yield f"{TITLES[kind].format(f'{horizon} months')}; {separate(max(m.windows for row in rows for m in row.scores.values()))}"
        yield f"  {'':<14}{'n':>4}{'Brier':>8}{'log':>8}{'RPS':>8}{'less persistence':>17}{'less climatology':>17}"
        for row in rows:
            yield "  " + _line(row)
    if found.rows:
        yield ""
        yield from wrap(
            "Small is good. n: questions; RPS: of sets of levels, and of counts; less: the difference on the questions both answered, of "
            f"the Brier score or else of the RPS, ± its standard error from {MIN_WINDOWS} separate windows on; below zero is better.",
            width,
        )
        yield ""
    if found.late:
        yield "Too late to be scored, since the answer was public or recorded by then:"
        for x in found.late:
            yield from wrap(_too_late(x), width, initial_indent="  ", subsequent_indent="    ")
    for effect in found.effects:
        yield from wrap(told(effect), width, subsequent_indent="  ")
    if found.untested:
        names = ", ".join(f"{e.revision} ({e.name})" for e in found.untested)
        yield from wrap(f"Edits that no two runs of the same data tell apart: {names}.", width, subsequent_indent="  ")
    yield from wrap(found.caution, width)


def _too_late(x: LateForecast) -> str:
    entries = f"entr{'y' if len(x.entries) == 1 else 'ies'} {', '.join(map(str, x.entries))}"
    earlier = "an earlier number is scored" if x.scored else "nothing earlier is there to be scored"
    return f"{x.author} on {x.question}: {entries}, from {x.entered} on; public on {x.public[:10]}; {earlier}."


def _line(row: ScoreTableRow) -> str:
    cells = "".join(f"{f'{m.value:.3f}' if (m := row.scores.get(measure)) else NONE:>8}" for measure in MEASURES)
    n = max(m.n for m in row.scores.values())
    less = "".join(f"{_difference(row, name):>17}" for name in ("persistence", "climatology"))
    return f"{row.author[:13]:<14}{n:>4}{cells}{less}".rstrip()


def _difference(row: ScoreTableRow, name: str) -> str:
    found = row.against.get(name)
    if found is None:
        return ""
    m = found.get("brier") or found["rps"]
    return signed(m)


def signed(m: MeanScore) -> str:
    """A difference, and its standard error if there is one."""
    sign = "−" if m.value < 0 else "+"
    return f"{sign}{abs(m.value):.3f}{f' ± {m.error:.3f}' if m.error is not None else ''}"


def told(effect: PriorEditEffect) -> str:
    """Whether the edits between two runs helped, in a sentence."""
    what = ", ".join(f"{e.revision} ({e.name})" for e in effect.edits) or "Priors edited by hand"
    where = f"between runs {effect.before.run_id} and {effect.after.run_id}"
    if effect.difference is None or effect.scores is None:
        return f"{what}, {where}: no question that both answered is resolved yet."
    d = effect.difference
    verdict = "the later did better" if d.value < 0 else "the later did worse" if d.value > 0 else "no difference"
    if d.error is None or abs(d.value) <= 2 * d.error:
        verdict += ", which may be luck"
    return (
        f"{what}, {where}: {verdict}. Mean Brier score {effect.scores[0]:.3f} → {effect.scores[1]:.3f} ({signed(d)}) "
        f"on {count(effect.n)} resolved question{'' if effect.n == 1 else 's'}, {separate(d.windows)}."
    )


def separate(windows: int) -> str:
    """How many windows there are that share no month."""
    return f"{windows} separate window{'' if windows == 1 else 's'}"
