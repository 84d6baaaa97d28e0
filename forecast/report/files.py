"""`report.json` and the pages made from it as files: check, write, read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from forecast.errors import InputError, StoreError
from forecast.runs import manifest
from forecast.runs.manifest_form import broken_places
from forecast.storage.text import refused_texts

if TYPE_CHECKING:
    from forecast.report.models.report import Report

type Document = Mapping[str, Any]
"""report.json as it was parsed."""
type Write = Callable[[Path, str], None]

REPORT: Final = "report.json"
SCHEMA_VERSION: Final = "3"
"""Of the form of report.json. 2 had the keys `standing` and `rests_on`, and `from` and `to` in a change of level; 1 lacked the errors of
what remains of a change when its parts are added up."""
MAX_BYTES: Final = 64_000_000
"""No report.json is larger: one has half a megabyte."""
_ROUNDING: Final = 1e-12
_MIXED: Final = 1e-3
"""By so much a probability may differ from the weighted mean over readings."""


def load_report(run: Path) -> Report:
    """report.json of a run, verified by its digest and validated; the run's other files are not looked at.

    Raises StoreError if it is damaged, InputError if another version of this program wrote it in another form.
    """
    return validated_report(_load(run), run)


def load_document(run: Path) -> Document:
    """report.json of a run of any version, verified by its digest; validated if this version writes its form.

    What another version wrote may hold anything. Raises StoreError if it is damaged.
    """
    document = _load(run)
    if is_current(document):
        validated_report(document, run)
    return document


def _load(run: Path) -> Document:
    held = manifest.read_manifest(run)
    return parse_document(manifest.read_verified(run, REPORT, MAX_BYTES, held), run, held.run_id)


def parse_document(raw: bytes, run: Path, run_id: str) -> Document:
    """The verified bytes of a report.json: an object that names its form; if the form is current, with texts that may be printed, and of
    this run. run: the run's folder, for errors. Raises StoreError if it is damaged.
    """
    try:
        text = raw.decode()
        document = json.loads(text)
    except (ValueError, RecursionError) as e:  # not UTF-8, not JSON
        raise StoreError(f"{run / REPORT} cannot be read: {e}.", manifest.RESTORE) from e
    if not isinstance(document, dict) or not isinstance(document.get("schema_version"), str):
        raise StoreError(f"{run / REPORT} is not the report of a run: it does not name its form.", manifest.RESTORE)
    if is_current(document):
        _refuse(run, list(refused_texts(document, text)))
        if document.get("run_id") != run_id:
            _refuse(run, [f"run_id: it is the report of run {document.get('run_id')}"])
    return document


def validated_report(document: Document, run: Path) -> Report:
    """The report in a document of a run. Raises what `load_report` raises."""
    check_version(document, run.name)
    report, problems = checked(document)
    _refuse(run, problems)
    assert report is not None
    return report


def headline_and_questions(document: Document, run: Path) -> tuple[str, tuple[dict[str, Any], ...]]:
    """The headline and the questions of a report as they are in the file, and nothing else of it.

    For `forecast priors try`, which has no time to import pydantic. Raises what `load_report` raises if what is read here is damaged.
    """
    check_version(document, run.name)
    _refuse(run, list(_question_problems(document)))
    return document["headline"], tuple(document["questions"])


def _refuse(run: Path, problems: Sequence[str]) -> None:
    if problems:
        raise StoreError(f"{run / REPORT} is damaged: {_first(problems, 3)}.", manifest.RESTORE)


def is_current(document: Document) -> bool:
    """Whether this version of the program writes reports of this form."""
    return document.get("schema_version") == SCHEMA_VERSION


def check_version(document: Document, name: str) -> None:
    """InputError if a report is of another form than this version of the program writes."""
    if not is_current(document):
        form = document.get("schema_version")
        raise InputError(
            f"Run {name} was made by another version of this program. Its report has form {form}; this version reads {SCHEMA_VERSION}.",
            "Run `forecast run` again. The run's folder has its report.html and report.md, and `forecast report --json` prints it.",
        )


def render(report: Report, form: str) -> str:
    """A report as `text`, `html` or `markdown`."""
    if form == "html":
        from forecast.report.html import render_html

        return render_html(report)
    if form == "markdown":
        from forecast.report.markdown import render_markdown

        return render_markdown(report)
    from forecast.report.text_view import render_text

    return render_text(report)


def canonical_json(document: Document) -> str:
    """`report.json` as text: the payload's order, two spaces, no NaN; ValueError if it holds one. Half a pair is escaped, as JSON can."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def write_report_files(report: Report, directory: Path, write: Write = write_text) -> tuple[Path, ...]:
    """Write `report.json`, `report.html` and `report.md` into `directory` by `write`, and return their paths.

    All three are made before the first is written, so a report that contradicts itself (StoreError) leaves nothing behind.
    """
    document = report.document()
    validate(document)
    texts = {REPORT: canonical_json(document), "report.html": render(report, "html"), "report.md": render(report, "markdown")}
    for name, text in texts.items():
        write(directory / name, text)
    return tuple(directory / name for name in texts)


def validate(document: Document, most: int = 10) -> None:
    """StoreError naming up to `most` places where a document does not have the form of a report, each with what is wrong there."""
    _, problems = checked(document)
    if problems := problems or list(refused_texts(document)):
        raise StoreError(
            f"report.json does not have the form of its schema: {_first(problems, most)}.",
            "If the file was edited, make the run again; if it was just written, this is an error in the program.",
        )


def checked(document: Any) -> tuple[Report | None, list[str]]:
    """The report in a document, and every place where it breaks the schema or contradicts itself, with what is wrong there."""
    from pydantic import ValidationError

    from forecast.report.models.report import Report

    try:
        report = Report.model_validate(document)
    except ValidationError as e:
        return None, list(broken_places(e))
    return report, list(_contradictions(report))


def _first(problems: Sequence[str], most: int) -> str:
    """Up to `most` problems on one line, and how many more there are."""
    more = f" (and {len(problems) - most} more)" if len(problems) > most else ""
    return f"{'; '.join(problems[:most])}{more}"


def _contradictions(report: Report) -> Iterator[str]:
    """What a schema cannot say: what is named is there, days exist, readings are mixed as stated, series are as long as their months."""
    yield from _dates(report)
    yield from _questions(report)
    h, d = report.history, report.drivers
    theta: dict[str, Sequence[Any]] = {"main": h.main, "theta/q10": h.theta.q10, "theta/q50": h.theta.q50, "theta/q90": h.theta.q90}
    yield from _uneven("history", h.months, theta | {f"by_reading/{name}": levels for name, levels in h.by_reading.items()})
    channels = {name: getattr(d.leverage.by_channel, name) for name in type(d.leverage.by_channel).model_fields}
    yield from _uneven("drivers/leverage", d.leverage.months, {"value": d.leverage.value, **channels})
    for i, check in enumerate(d.leverage.checks):
        yield from _uneven(f"drivers/leverage/checks/{i}", check.months, {"value": check.value})
    fans = {"overdoses": d.overdoses, "opposition": d.opposition}
    futures = {f"{name}/future": getattr(d, name).future for name in ("leverage", "overdoses", "opposition")}
    for name, fan in (fans | futures).items():
        yield from _uneven(f"drivers/{name}", fan.months, {"q10": fan.q10, "q50": fan.q50, "q90": fan.q90})
    yield from _uneven("drivers/opposition/mobilisation", d.opposition.mobilisation.months, {"value": d.opposition.mobilisation.value})
    yield from _moved(report)
    for where, density in [*((f"readings/{r.name}", r.density) for r in report.readings), ("mixture", report.mixture.density)]:
        if len(density.x) != len(density.y):
            yield f"{where}/density: x and y differ in length"


def _uneven(path: str, months: Sequence[str], series: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    for name, values in series.items():
        if len(values) != len(months):
            yield f"{path}/{name}: {len(values)} values for {len(months)} months"


def _dates(report: Report) -> Iterator[str]:
    days = {"created": report.created, "as_of": report.as_of, "origin": f"{report.origin}-01"}
    days |= {f"questions/{q.id}/window/start": f"{q.window.start}-01" for q in report.questions}
    days |= {f"questions/{q.id}/window/end": f"{q.window.end}-01" for q in report.questions}
    for place, text in days.items():
        try:
            if text is not None:
                datetime.fromisoformat(text)
        except ValueError:
            yield f"{place}: there is no day {text}"
    for q in report.questions:
        if q.window.start > q.window.end:
            yield f"questions/{q.id}/window: it ends before it starts"


def _questions(report: Report) -> Iterator[str]:
    """Ids are unique and have a baseline each, and each probability is the weighted mean over the readings."""
    ids = [q.id for q in report.questions]
    if report.headline not in ids:
        yield f"headline: there is no question {report.headline!r}"
    if len(ids) != len(set(ids)):
        yield "questions: an id stands twice"
    if lacking := set(ids) - {row.id for row in report.baselines}:
        yield f"baselines: {', '.join(sorted(lacking))} has none"
    weights = {reading.name: reading.weight for reading in report.readings}
    if len(weights) != len(report.readings) or abs(sum(weights.values()) - 1) > _MIXED:
        yield "readings: a name stands twice, or the weights do not add up to one"
    for q in report.questions:
        if q.by_reading.keys() != weights.keys():
            yield f"questions/{q.id}/by_reading: it does not name the readings"
        elif abs(sum(weights[name] * p for name, p in q.by_reading.items()) - q.probability) > _MIXED:
            yield f"questions/{q.id}/probability: it is not the weighted mean of its readings"


def _moved(report: Report) -> Iterator[str]:
    """Before, parts and noise add up to after."""
    attribution = report.attribution
    for id_, q in attribution.questions.items() if attribution else ():
        if not len(q.parts) == len(q.parts_se) == len(q.within_noise) == len(attribution.parts if attribution else ()):
            yield f"moved/questions/{id_}: not as many values as there are parts"
        elif abs(q.before + sum(q.parts) + q.noise - q.after) > _ROUNDING:
            yield f"moved/questions/{id_}: before, parts and noise do not add up to after"


def _question_problems(document: Document) -> Iterator[str]:
    """What of the questions `forecast priors try` could not work with."""
    questions = document.get("questions")
    if not isinstance(questions, list) or not all(isinstance(q, dict) and isinstance(q.get("id"), str) for q in questions):
        yield "questions: a list of questions with ids was expected"
        return
    if not isinstance(document.get("headline"), str) or document["headline"] not in {q["id"] for q in questions}:
        yield f"headline: there is no question {document.get('headline')!r}"
    for q in questions:
        for key in ("probability", "probability_known", "prior_probability", "expected", "mcse"):
            value = q.get(key, "nothing")
            absent = value is None and key != "probability"
            if not absent and not (isinstance(value, float) and 0 <= value <= (float("inf") if key == "expected" else 1)):
                yield f"questions/{q['id']}/{key}: {value!r} was found"
