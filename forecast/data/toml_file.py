"""The reader of the TOML files of `data/`: unknown keys, wrong types and broken syntax are problems with a line and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from forecast.data.problems import describe_error, key_path
from forecast.data.settings import Coverage, QuestionsConfig, Scales, ScalesFile, Setting, Source
from forecast.data.suggestions import did_you_mean, nearest, quoted
from forecast.errors import MAX_PROBLEMS, Problem, limited
from forecast.storage.toml import TomlDocument, read_toml_file


@dataclass(frozen=True, slots=True)
class Settings:
    """What the TOML files of `data/` say."""

    coverage: Mapping[str, date]
    scales: Scales
    sources: Mapping[str, Source]
    questions: QuestionsConfig


_COVERAGE = TypeAdapter(dict[str, Coverage])
_SOURCES = TypeAdapter(dict[str, Source])
_SCALES = TypeAdapter(ScalesFile)
_QUESTIONS = TypeAdapter(QuestionsConfig)


def read_settings(folder: Path) -> tuple[Settings | None, list[Problem]]:
    """The settings, or None and every problem of the four files."""
    coverage, problems = read_setting_file(folder / "coverage.toml", _COVERAGE.validate_python, Coverage)
    scales, more = read_setting_file(folder / "scales.toml", _SCALES.validate_python, ScalesFile)
    problems += more
    sources, more = read_setting_file(folder / "sources.toml", _SOURCES.validate_python, Source)
    problems += more
    questions, more = read_setting_file(folder / "questions.toml", _QUESTIONS.validate_python, QuestionsConfig)
    problems += more
    if problems or coverage is None or scales is None or sources is None or questions is None:
        return None, problems
    return Settings({name: c.covered_through for name, c in coverage.items()}, Scales.of(scales), sources, questions), []


def read_setting_file[T](path: Path, shape: Callable[[Any], T], model: type[Setting]) -> tuple[T | None, list[Problem]]:
    """One TOML file as `shape` validates it, or None and what is wrong with it; `model` names the keys to suggest for an unknown one."""
    name = path.name
    document, problems = read_toml_file(path, name)
    if document is None:
        return None, problems
    try:
        return shape(_frozen(document.tables)), []
    except ValidationError as e:
        return None, limited(_refused(name, document, e, model))


def _refused(name: str, document: TomlDocument, refusal: ValidationError, model: type[Setting]) -> Iterator[Problem]:
    """The problems that a validation found; a misspelt key is one problem, not an unknown and a missing one."""
    errors = refusal.errors(include_url=False)
    unknown = [_path(error) for error in errors if error["type"] == "extra_forbidden"]
    intended = {(*loc[:-1], _intended_key(document.tables, loc, model)) for loc in unknown[: MAX_PROBLEMS + 1]}
    for error in errors:
        if error["type"] != "missing" or tuple(_path(error)) not in intended:
            yield _problem(name, document, error, model)


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _frozen(v) for key, v in value.items()}
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value


def _problem(name: str, document: TomlDocument, error: Any, model: type[Setting]) -> Problem:
    loc = _path(error)
    row = document.line(tuple(loc))
    if error["type"] == "extra_forbidden":
        return Problem(
            name,
            f"the key {quoted(str(loc[-1]))}",
            "only the keys of this table",
            _right_key(document.tables, loc, model),
            row,
            key_path(loc),
        )
    if error["type"] == "missing":
        return Problem(name, f"no key {quoted(str(loc[-1]))}", "this key", "Add it to its table.", row, key_path(loc))
    return Problem(name, *describe_error(error), row, key_path(loc))


def _path(error: Any) -> list[Any]:
    """Where in the file; a key that Python reserves, like `from`, has a trailing underscore in its model."""
    return [part.removesuffix("_") if isinstance(part, str) else part for part in error["loc"] if part != "[key]"]


def _intended_key(written: Any, loc: list[Any], model: type[Setting]) -> str | None:
    """The key of the table at `loc` that is missing and looks like the last part of `loc`."""
    return nearest(str(loc[-1]), _keys(written, loc, model)[1])


def _right_key(written: Any, loc: list[Any], model: type[Setting]) -> str:
    """The nearest right key that the table lacks, or the list of its keys."""
    keys, free = _keys(written, loc, model)
    return did_you_mean(str(loc[-1]), free if nearest(str(loc[-1]), free) else keys)


def _keys(written: Any, loc: list[Any], model: type[Setting]) -> tuple[list[str], list[str]]:
    """All keys of the table that holds the last part of a path, and those that it lacks."""
    here = model
    for part in loc[:-1]:
        here = _below(here, part) or here
    keys = [f.alias or key for key, f in here.model_fields.items()]
    present: Any = written
    for part in loc[:-1]:
        try:
            present = present[part]
        except (KeyError, IndexError, TypeError):  # a branch of a union, which is no part of the file
            continue
    return keys, [key for key in keys if key not in present]


def _below(model: type[Setting], key: Any) -> type[Setting] | None:
    field = next((f for name, f in model.model_fields.items() if (f.alias or name) == key), None)
    return _setting_in(field.annotation) if field else None


def _setting_in(annotation: Any) -> type[Setting] | None:
    if isinstance(annotation, type) and issubclass(annotation, Setting):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _setting_in(inner))), None)
