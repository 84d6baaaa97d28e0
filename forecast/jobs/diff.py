"""What differs between two runs: data, priors, settings, code, diagnostics, forecast. Read off what they keep; nothing is fitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from forecast.data.diff import DataDiff, RowChange, cell_text, diff_data
from forecast.data.row_query import summarise_row
from forecast.data.tables import RECORDS
from forecast.errors import ForecastError
from forecast.forecasting.inputs import Inputs
from forecast.jobs.input_fingerprint import changes
from forecast.jobs.saved_run import SavedRun

if TYPE_CHECKING:
    from forecast.report.models.report import Report

ABOUT: Final = ("run_id", "created", "origin", "as_of", "seed")
MEASURED: Final = ("status", "divergences", "rhat_max", "ess_bulk_min", "ess_tail_min", "bfmi_min", "retried")


def diff(a: Path, b: Path) -> dict[str, Any]:
    """The document that every form of the answer is made from. Raises StoreError if a run is damaged, InputError if another
    version of this program reported it in another form.

    What is not known of a run, because it kept no inputs or this version refuses them, is None; `lacks` gives the reason.
    """
    runs = [SavedRun(path) for path in (a, b)]
    for run in runs:
        run.check()
    reports, metas = [run.report for run in runs], [run.meta for run in runs]
    lacks: list[str] = []
    kept = [_inputs(run, lacks) for run in runs]
    old, new = kept
    return {
        "a": {key: getattr(reports[0], key) for key in ABOUT},
        "b": {key: getattr(reports[1], key) for key in ABOUT},
        "data": _data(diff_data(old.data, new.data)) if old and new else None,
        "same_data": metas[0].get("data_digest") == metas[1].get("data_digest"),
        "priors": _priors(metas, kept, lacks),
        "same_priors": metas[0].get("priors_digest") == metas[1].get("priors_digest"),
        "settings": _settings(old, new, metas, lacks) if old and new else None,
        "same_settings": metas[0].get("settings_digest") == metas[1].get("settings_digest"),
        "code": {"model_version": _pair(*(r.model_version for r in reports)), "versions": _pairs(*(r.versions for r in reports))},
        "diagnostics": {key: [getattr(r.diagnostics, key) for r in reports] for key in MEASURED},
        "headline": reports[1].headline,
        "forecast": _forecast(*reports),
        "lacks": list(dict.fromkeys(lacks)),
    }


def _inputs(run: SavedRun, lacks: list[str]) -> Inputs | None:
    try:
        return run.inputs
    except ForecastError as e:
        lacks.append(e.message)
        return None


def _data(found: DataDiff) -> dict[str, Any]:
    return {
        "rows": [_row(c) for c in found.rows],
        "coverage": {file: [day and day.isoformat() for day in days] for file, days in found.coverage.items()},
        "settings": {name: list(pair) for name, pair in found.settings.items()},
    }


def _row(change: RowChange) -> dict[str, Any]:
    """A changed row with its cells: those that differ, or all of one that was added or removed."""
    columns = change.cells or tuple(RECORDS[change.table].model_fields)
    cells = {c: [cell_text(row, c) if row is not None else None for row in (change.old, change.new)] for c in columns}
    return {
        "file": change.file,
        "what": change.what,
        "key": list(change.key),
        "brief": summarise_row(change.row),
        "meaning": change.meaning,
        "cells": cells,
    }


def _priors(metas: list[Mapping[str, Any]], kept: list[Inputs | None], lacks: list[str]) -> dict[str, list[str | None]] | None:
    """Every prior whose value differs: by the manifests, else by the files that the runs kept."""
    specs: list[Mapping[str, str]] = []
    for meta, inputs in zip(metas, kept, strict=True):
        if meta.get("priors"):
            specs.append({name: entry["spec"] for name, entry in meta["priors"].items()})
        elif inputs:
            specs.append({name: str(prior.spec) for name, prior in inputs.priors.items()})
        else:
            lacks.append("One of the runs does not record its priors.")
            return None
    return _pairs(*specs)


def _settings(old: Inputs, new: Inputs, metas: list[Mapping[str, Any]], lacks: list[str]) -> dict[str, Any]:
    """Scenarios added, removed or changed, alternatives of the outside view prior by prior, and how much was sampled."""
    sampled = [_flat(meta.get("sampling") or {}) for meta in metas]
    if not all(sampled) and len({meta.get("settings_digest") for meta in metas}) > 1:
        lacks.append("One of the runs does not record how much it sampled.")
    return {
        "scenarios": list(_scenarios(old, new)),
        "alternatives": _pairs(*(_flat(inputs.alternatives) for inputs in (old, new))),
        "sampling": _pairs(*sampled) if all(sampled) else {},
    }


def _scenarios(old: Inputs, new: Inputs) -> Iterator[dict[str, Any]]:
    """By name; `fields` are those in which one that was changed differs, `meaning` is false if they are only texts."""
    before, after = ({s.name: s for s in inputs.scenarios} for inputs in (old, new))
    for name in sorted({*before, *after}):
        a, b = before.get(name), after.get(name)
        if a is None or b is None:
            yield {"name": name, "what": "added" if b else "removed", "fields": [], "meaning": True}
            continue
        one, two = (s.says.model_dump(mode="json") for s in (a, b))
        if fields := [key for key in one if one[key] != two[key]]:
            yield {"name": name, "what": "changed", "fields": fields, "meaning": changes(a) != changes(b)}


def _flat(form: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {f"{group}.{key}": str(value) for group, some in form.items() for key, value in some.items()}


def _pair(old: Any, new: Any) -> list[Any] | None:
    return None if old == new else [old, new]


def _pairs(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, list[str | None]]:
    names = dict.fromkeys([*old, *new])
    return {name: [old.get(name), new.get(name)] for name in names if old.get(name) != new.get(name)}


def _forecast(old: Report, new: Report) -> list[dict[str, Any]]:
    """Every question of either run: probabilities side by side, None where it was not asked."""
    before = {q.id: q for q in old.questions}
    after = {q.id: q for q in new.questions}
    rows = []
    for id_ in dict.fromkeys([*after, *before]):
        a, b = before.get(id_), after.get(id_)
        p, q = (x.probability if x else None for x in (a, b))
        rows.append({
            "id": id_, "before": p, "after": q, "change": None if p is None or q is None else q - p,
            "known_before": a.probability_known if a else None, "known_after": b.probability_known if b else None,
        })  # fmt: skip
    return rows
