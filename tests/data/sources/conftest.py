"""A workspace that is quick to pull into, again and again."""

from __future__ import annotations

import pytest

from forecast.data.sources.registry import CONNECTORS
from forecast.workspace import Workspace
from tests.support.data_editing import rows_of, write_rows


@pytest.fixture
def small(workspace: Workspace) -> Workspace:
    """The bundled workspace with only what the connectors fill, and of that the newest: quicker to read again and again."""
    data = workspace.data
    filled = {series.name for c in CONNECTORS for series in c.series}
    rows = [r for r in rows_of(data / "indicators.csv") if r["series"] in filled and r["month"] >= "2023-01"]
    write_rows(data / "indicators.csv", rows)
    write_rows(data / "overdose_releases.csv", [r for r in rows_of(data / "overdose_releases.csv") if r["published"] >= "2026"])
    return workspace
