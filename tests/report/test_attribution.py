"""What moved the forecast, as the report shows it: what is printed adds up, and a part that holds the noise of both runs is marked."""

from __future__ import annotations

import copy
from itertools import accumulate

import numpy as np
import pytest

from forecast.report.figures.attribution import attribution_marks, attribution_summary, kinds_table, parts_table
from forecast.report.markdown import render_markdown
from forecast.report.models.report import Report
from tests.fixtures.report_example import as_report, report_example


def points(cell: object) -> int:
    """A printed difference in hundredths of a point."""
    text = str(cell).removesuffix("\u00a0~").replace("−", "-").replace("±", "")
    return round(100 * float(text))


def changed(seed: int) -> Report:
    """The example with parts of many digits, so that rounding each alone would not add up."""
    document = copy.deepcopy(report_example())
    rng = np.random.default_rng(seed)
    for q in document["moved"]["questions"].values():
        q["parts"] = (rng.normal(size=len(q["parts"])) * 0.004).tolist()
        q["noise"] = float(rng.normal() * 0.001)
        q["before"] = 0.4
        q["after"] = list(accumulate([q["before"], *q["parts"], q["noise"]]))[-1]
    return as_report(document)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_printed_adds_up(seed: int) -> None:
    report = changed(seed)
    shown = parts_table(report)
    rows = {str(row[0]): row[1:] for row in shown.rows}
    added = [cells for label, cells in rows.items() if ":" in label or label == "Monte Carlo noise"]
    assert len(added) == len(report.moved.parts) + 1  # type: ignore[union-attr]  # the example has an attribution
    for i, total in enumerate(rows["Total change"]):
        assert sum(points(cells[i]) for cells in added) == points(total)
    for row in kinds_table(report).rows:
        assert sum(map(points, row[4:-1])) == points(row[3])


def test_a_joint_part_is_marked_and_has_its_standard_error() -> None:
    report = as_report()
    labels = [str(row[0]) for row in parts_table(report).rows]
    (joint,) = [i for i, label in enumerate(labels) if label.endswith("*")]
    assert labels[joint].startswith("New observations: A075")
    assert labels[joint + 1] == "Standard error of this part"
    assert "contains the noise of both runs" in attribution_marks(report)
    assert "contains the noise of both runs (standard error" in attribution_summary(report)
    assert attribution_marks(report).replace("*", "\\*") in render_markdown(report).replace("\\~", "~")


def test_without_a_joint_part_there_is_no_mark() -> None:
    document = copy.deepcopy(report_example())
    for part in document["moved"]["parts"]:
        part["how"] = "reweighted"
    report = as_report(document)
    assert not any(str(row[0]).endswith("*") for row in parts_table(report).rows)
    assert "noise of both runs" not in attribution_marks(report) + attribution_summary(report)
