"""Before a fit the page is drawn from the workspace's texts: what cannot be shown is named with exit code 3, and no sampler is called."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from forecast.errors import InputError
from forecast.forecasting.inputs import Inputs, load_workspace
from forecast.jobs import run
from forecast.report import html
from forecast.report.files import canonical_json, validate
from forecast.report.markdown import render_markdown
from forecast.report.rehearsal import placeholder_report, rehearse
from forecast.workspace import Workspace, bundled_root
from tests.fixtures.hostile import hostile_report
from tests.fixtures.report_example import as_report

REFUSED = ("\x00", "\x01", "\x1b", "\x7f", "\x85", "\u202e", "\u2028", "\ud800", "\ufdd0", "\ufffe", "\U0010ffff")


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return load_workspace(bundled_root())


def test_the_placeholder_has_the_form_of_a_report_and_every_text_of_the_workspace(inputs: Inputs) -> None:
    report = placeholder_report(inputs.data, inputs.scenarios).document()
    validate(report)
    written = json.dumps(report, ensure_ascii=False)
    texts = [
        *(e.description for e in inputs.data.events), *(c.why for c in inputs.data.claims), *(c.what for c in inputs.data.calendar),
        *(s.argument for s in inputs.data.stakes), *(p.pollster for p in inputs.data.polls),
        *(s.citation for s in inputs.data.sources.values()), *(s.says.title for s in inputs.scenarios),
        *(text for s in inputs.scenarios for text in s.says.assumptions),
    ]  # fmt: skip
    for text in texts:
        assert json.dumps(text, ensure_ascii=False)[1:-1] in written


def test_a_workspace_without_fault_is_drawn_within_a_second(inputs: Inputs) -> None:
    rehearse(inputs.data, inputs.scenarios)  # the libraries are imported, and the templates compiled
    began = time.process_time()
    rehearse(inputs.data, inputs.scenarios)
    assert time.process_time() - began < 2, "twice what an idle machine needs"


def spoilt(inputs: Inputs, kind: str, c: str) -> Inputs:
    """With one character in one text of a kind."""
    data = inputs.data
    tables = {
        "event": ("events", "description"), "claim": ("claims", "why"), "reading": ("readings", "why"), "date": ("calendar", "what"),
        "argument": ("stakes", "argument"), "poll": ("polls", "pollster"),
    }  # fmt: skip
    if kind in tables:
        table, column = tables[kind]
        first, *others = getattr(data, table)
        row = first.model_copy(update={column: f"a{c}b"})
        return replace(inputs, data=replace(data, **{table: (row, *others)}))
    if kind == "source":
        key = next(iter(data.sources))
        source = data.sources[key].model_copy(update={"citation": f"a{c}b"})
        return replace(inputs, data=replace(data, sources={**data.sources, key: source}))
    if kind == "question":
        resolution = data.questions.resolution.model_copy(update={"text": f"a{c}b"})
        return replace(inputs, data=replace(data, questions=data.questions.model_copy(update={"resolution": resolution})))
    scenario = inputs.scenarios[0]
    change: dict[str, Any] = {"title": f"a{c}b"} if kind == "scenario" else {"assumptions": ("fine", f"a{c}b")}
    return replace(inputs, scenarios=(replace(scenario, says=scenario.says.model_copy(update=change)), *inputs.scenarios[1:]))


WHERE = {
    "event": "events.csv, column description", "claim": "outcome_claims.csv, column why", "reading": "readings.csv, column why",
    "date": "calendar.csv, column what", "argument": "stakes.csv, column argument", "poll": "polls.csv, column pollster",
    "source": "sources.toml, column ", "question": "questions.toml, column resolution.text", "scenario": ".toml, column title",
    "assumption": ".toml, column assumptions",
}  # fmt: skip


def test_a_text_that_cannot_be_shown_is_named_before_the_sampler_is_made(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of text with one of the characters, and each character in one kind of text."""
    monkeypatch.setattr(run, "build_origin_state", lambda *_: pytest.fail("a model was fitted"))
    monkeypatch.setattr(run, "compiled_sampler", lambda *_: pytest.fail("a sampler was made"))
    for kind, c in [*zip(WHERE, REFUSED, strict=False), ("scenario", REFUSED[-1])]:
        with pytest.raises(InputError) as refused:
            run.fit(spoilt(inputs, kind, c))
        assert refused.value.exit_code == 3
        assert len(refused.value.problems) == 1
        assert WHERE[kind] in str(refused.value)
        assert f"U+{ord(c):04X}" in str(refused.value)


def test_the_page_is_drawn_before_the_sampler_is_made(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> str:
        raise ValueError("the page")

    monkeypatch.setattr(run, "build_origin_state", lambda *_: pytest.fail("a model was fitted"))
    monkeypatch.setattr(html, "page", stop)
    with pytest.raises(ValueError, match="the page"):
        run.fit(inputs)


def test_the_command_ends_with_3_and_writes_nothing(
    workspace: Workspace, tmp_path: Path, command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "build_origin_state", lambda *_: pytest.fail("a model was fitted"))
    path = next((workspace.data / "scenarios").glob("*.toml"))
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('title = "', 'title = "a\\u0001', 1), encoding="utf-8")
    result = command("run", "--workspace", tmp_path / "workspace")
    assert result.exit_code == 3, result.stderr
    assert "U+0001" in result.stderr
    assert path.name in result.stderr
    assert sorted(p.name for p in workspace.reports.iterdir() if p.is_dir() and p.name != "ledger") == []


def test_a_finished_report_is_written_whatever_its_texts_hold() -> None:
    """What comes in beside the workspace, as the labels of an earlier run, is shown with its characters escaped."""
    refused = [c for c in REFUSED if c != "\ud800"]  # half a pair, which no report can hold
    report = hostile_report(f"{''.join(refused)} | <b> \\")
    for text in (html.render_html(as_report(report), drawn=False), render_markdown(as_report(report))):
        assert not any(c in text for c in refused)
        assert "\\x01" in text
        text.encode()
    assert json.loads(canonical_json(report).encode()) == report
