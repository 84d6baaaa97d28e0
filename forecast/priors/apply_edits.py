"""Writing edits of priors: the prior files and the history change together, or neither does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from forecast.errors import ForecastError, InputError, Problem
from forecast.priors.catalogue import CATALOGUE, check_spec, name_remedy
from forecast.priors.edit_log import (
    FOLDER,
    START,
    Edit,
    HeadlineEstimate,
    Provenance,
    edit_from_record,
    read_history,
    specs_digest,
)
from forecast.priors.load import Priors
from forecast.priors.parsing import parse_prior
from forecast.priors.specs import PriorSpec, SpecError
from forecast.storage.atomic import replace_files, replace_text
from forecast.storage.files import read_bounded
from forecast.storage.hash_chain import chained_digest
from forecast.storage.text import decode_text, read_text
from forecast.storage.toml import MAX_TOML, parse_toml

_HEAD: Final = "# Edits made by `forecast priors set`. They are added and never altered: the digest of each covers those before it.\n"
_START: Final = "# All priors when this history began. Never altered; later edits are in the files beside it, one for each year.\n"


def begin_history(folder: Path, priors: Priors) -> None:
    """Begin the history of `folder` with these priors, unless it has begun. Raises ForecastError if it cannot be written."""
    path = folder / FOLDER / START
    if path.exists():
        return
    provenance = {name: str(prior.spec) for name, prior in priors.items()}
    lines = [
        _START,
        f"sha256 = {_text(specs_digest(provenance))}",
        "",
        "[priors]",
        *(f"{_text(n)} = {_text(spec)}" for n, spec in provenance.items()),
        "",
    ]
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as e:
        raise ForecastError(f"{path.parent} could not be made: {e.strerror or e}.", "Check the folder's permissions.") from e
    replace_text(path, "\n".join(lines))


def write_edits(
    folder: Path,
    priors: Priors,
    edits: Mapping[str, PriorSpec],
    *,
    why: str,
    by: str,
    source: str,
    now: datetime,
    before: HeadlineEstimate | None = None,
    after: HeadlineEstimate | None = None,
    keep_rationale: bool = False,
    beside: Mapping[Path, bytes] | None = None,
) -> tuple[Edit, ...]:
    """Set priors in the files of `folder`, with an entry each in its history. `priors` are those in the files now.

    Edits that change nothing are left out. The rationale in the file becomes `why`, unless it is kept. beside: other files to write at the
    same time, whether priors change or not. The caller holds the folder's lock (`storage.locks.folder_lock`). The prior files are renamed
    into place before the history, so that after a crash between the two the history shows an edit by hand. Raises InputError, StoreError or
    ForecastError, with every file as it was.
    """
    changed = {name: spec for name, spec in edits.items() if spec != priors.spec(name)}
    provenance = dict.fromkeys(changed, Provenance(why, source, by, _day(now)))
    kept = frozenset({"why"} if keep_rationale else ())
    return _write(folder, priors, priors.replace(edits), changed, provenance, now, before, after, kept=kept, beside=beside)


def write_undo(
    folder: Path,
    priors: Priors,
    undone: Sequence[Edit],
    *,
    now: datetime,
    before: HeadlineEstimate | None = None,
    after: HeadlineEstimate | None = None,
) -> tuple[Edit, ...]:
    """Take edits back, each of another prior: what the files said before them stands there again, down to the day.

    The history gets an edit each that names what it undoes. Every edit has its `replaced`. Otherwise as `change`.
    """
    specs = {edit.name: parse_prior(edit.name, edit.old) for edit in undone}
    provenance = {edit.name: edit.replaced for edit in undone if edit.replaced}
    revisions = {edit.name: edit.revision for edit in undone}
    return _write(folder, priors, priors.replace(specs), specs, provenance, now, before, after, undoes=revisions)


def _write(
    folder: Path,
    priors: Priors,
    edited: Priors,
    changed: Mapping[str, PriorSpec],
    provenance: Mapping[str, Provenance],
    now: datetime,
    before: HeadlineEstimate | None,
    after: HeadlineEstimate | None,
    *,
    kept: frozenset[str] = frozenset(),
    undoes: Mapping[str, str] | None = None,
    beside: Mapping[Path, bytes] | None = None,
) -> tuple[Edit, ...]:
    """Write the files and the history together. said: name → new provenance; kept: keys of the file that stay."""
    history = read_history(folder)
    contents = dict(beside or {})
    if not changed:
        replace_files(contents)
        return ()
    files: dict[Path, dict[str, PriorSpec]] = {}
    for name, spec in changed.items():
        files.setdefault(folder / priors[name].file, {})[name] = spec
    keys = {name: {key: value for key, value in asdict(provenance[name]).items() if key not in kept} for name in changed}
    contents |= {path: edit_prior_text(path, specs, keys).encode() for path, specs in files.items()}
    begin_history(folder, priors)
    previous = history.head if history.start else priors.digest()
    number, group = (history.edits[-1].number, history.edits[-1].change) if history.edits else (0, 0)
    raws = []
    for i, (name, spec) in enumerate(changed.items(), 1):
        was = priors[name]
        raw: dict[str, Any] = {
            "number": number + i,
            "change": group + 1,
            "time": now.astimezone(UTC).replace(microsecond=0),
            "name": name,
            "from": str(was.spec),
            "to": str(spec),
            "why": provenance[name].why,
            "by": provenance[name].by,
            "source": provenance[name].source,
            "replaced": Provenance(was.rationale, was.source, was.author, was.date).as_dict(),
            **({"undoes": undoes[name]} if undoes else {}),
            "before": {"priors": priors.digest(), **(before.as_dict() if before else {})},
            "after": {"priors": edited.digest(), **(after.as_dict() if after else {})},
        }
        previous = raw["sha256"] = chained_digest(previous, raw)
        raws.append(raw)
    path = folder / FOLDER / f"{_day(now).year}.toml"
    if not path.exists():
        replace_text(path, _HEAD)
    contents[path] = read_bounded(path, MAX_TOML) + "".join(map(_block, raws)).encode()
    _check_readable(path, contents[path])
    replace_files(contents)
    return tuple(map(edit_from_record, raws))


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _check_readable(path: Path, raw: bytes) -> None:
    """Raises InputError for a history that could not be read again; it must not be written."""
    text, problems = decode_text(raw, path.name, MAX_TOML)
    problems = problems or parse_toml(text, path.name)[1]
    if problems:
        raise InputError.of(problems)


def _block(raw: Mapping[str, Any]) -> str:
    return "\n[[edit]]\n" + "".join(f"{key} = {_value(value)}\n" for key, value in raw.items())


def _value(value: Any) -> str:
    """As TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        case dict():
            return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    return _text(str(value))


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # of what JSON leaves as it is, TOML refuses this one only


def edit_prior_text(path: Path, specs: Mapping[str, PriorSpec], provenance: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of the file `path` with the priors named set to these specs.

    said: by prior the keys that change with it (why, source, by, date); others, such as a hindsight note, stay. Raises InputError, with
    all problems, for names or specs that cannot be, a prior that the file lacks, or a file that is not TOML.
    """
    import tomlkit

    text, problems = read_text(path, path.name)
    problems = problems or parse_toml(text, path.name)[1]
    if problems:
        raise InputError.of(problems)
    document = tomlkit.parse(text)
    problems = []
    for name, spec in specs.items():
        try:
            if name not in CATALOGUE:
                raise SpecError(repr(name), "the name of a prior", name_remedy(name))
            check_spec(CATALOGUE[name], spec)
            if name not in document:
                raise SpecError(f"no {name}", f'a table ["{name}"]', "Add it first, with its rationale.")
        except SpecError as e:
            problems.append(Problem(path.name, e.found, e.expected, e.remedy, column=name))
    if problems:
        raise InputError.of(problems)
    for name, spec in specs.items():
        for key, value in {"prior": str(spec), **provenance[name]}.items():
            if document[name].get(key) != value:
                document[name][key] = value
    return tomlkit.dumps(document)
