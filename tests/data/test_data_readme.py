"""data/README.md is what the data give."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from forecast.data.data_readme import readme_text
from forecast.data.read import read_data
from forecast.data.tables import RECORDS, Data
from forecast.storage.markup import markdown_inline
from tests.support.data_editing import BUNDLED, copied


@pytest.fixture(scope="module")
def data() -> Data:
    return read_data(BUNDLED)


def test_the_committed_text_is_the_generated_one(data: Data) -> None:
    assert (BUNDLED / "README.md").read_text(encoding="utf-8") == readme_text(data), "run `python -m forecast.data.data_readme`"


def test_it_names_every_file_source_and_flaw(data: Data) -> None:
    text = " ".join(readme_text(data).split())
    for name, record in RECORDS.items():
        assert f"## {record.file}" in text
        assert f"| {len(getattr(data, name)):,} |" in text
    for source in data.sources.values():
        for words in (source.name, source.citation, source.terms, source.published_rule, *source.known_flaws):
            assert " ".join(words.split()) in text


def test_it_says_what_every_column_means(data: Data) -> None:
    text = " ".join(readme_text(data).split())
    for record in RECORDS.values():
        for column, field in record.model_fields.items():
            assert field.description, (record.file, column)
            assert f"- `{column}`: {markdown_inline(field.description)}" in text


@pytest.mark.slow
def test_the_command_writes_it_and_refuses_what_cannot_be_read(tmp_path: Path, data: Data) -> None:
    folder = copied(tmp_path)
    call = [sys.executable, "-m", "forecast.data.data_readme", str(folder)]
    subprocess.run(call, check=True, capture_output=True, cwd=BUNDLED.parent)
    assert (folder / "README.md").read_text(encoding="utf-8") == readme_text(data)
    (folder / "polls.csv").write_bytes(b"")
    (folder / "README.md").unlink()
    refused = subprocess.run(call, check=False, capture_output=True, text=True, cwd=BUNDLED.parent)
    assert refused.returncode == 1
    assert "an empty file" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (folder / "README.md").exists()
