"""Scenario files: what they may say, and what is said of one that may not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from forecast import workspace as places
from forecast.errors import InputError, UsageError
from forecast.forecasting.scenarios.specification import CHANGES, FOLDER, ScenarioSpec, read_named, read_scenarios
from forecast.forecasting.scenarios.template import TEMPLATE, create_scenario_file

HEAD = """title = "What if"
story = "A story."
assumptions = ["One."]
"""

type Refused = Callable[[str], list[str]]


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """The problems of a file with these lines after a sound head."""

    def read(text: str) -> list[str]:
        (tmp_path / "what-if.toml").write_text(text, encoding="utf-8")
        with pytest.raises(InputError) as refusal:
            read_scenarios(tmp_path)
        assert refusal.value.exit_code == 3
        return [str(p) for p in refusal.value.problems]

    return read


def test_the_bundled_scenarios_are_sound_and_say_what_they_are(bundled: places.Workspace) -> None:
    found = {s.name: s.says for s in read_scenarios(bundled.data / FOLDER)}
    assert {
        "concessions-deemed-sufficient", "concessions-not-sufficient", "refusal", "escalating-tariffs", "trade-deal", "mass-casualty",
        "sovereignty-crisis",
    } <= set(found)  # fmt: skip
    assert {says.kind for says in found.values()} == {"conditioned", "intervened"}
    for says in found.values():
        assert says.not_represented
        assert says.condition or any(getattr(says, key) for key in CHANGES)
    conceded = [found[f"concessions-{name}"].arrival[0] for name in ("deemed-sufficient", "not-sufficient")]
    assert conceded[0] == conceded[1]
    assert conceded[0].stream == "concession"


def test_every_problem_of_every_file_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('kind = "intervened"\n' + HEAD + "[deaths]\nfactor = -1\n")
    (tmp_path / "two.toml").write_text('kind = "intervend"\n' + HEAD + "storry = 3\n")
    (tmp_path / "Three Four.toml").write_text('kind = "intervened"\n' + HEAD)
    (tmp_path / "five.toml").write_text("title = [")
    with pytest.raises(InputError) as refusal:
        read_scenarios(tmp_path)
    assert sorted((p.file, p.row) for p in refusal.value.problems) == [
        ("Three Four.toml", None), ("five.toml", 1), ("one.toml", 6), ("two.toml", 1), ("two.toml", 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "row", "says"),
    [
        ("[deths]\nfactor = 2", 5, "Did you mean 'deaths'?"),
        ("[deaths]\nfactr = 2\nfactor = 2", 6, "'factr'"),
        ("[deaths]\nfactor = 0", 6, "a value \u2265 0.05"),
        ("[deaths]\nfactor = nan", 6, "a finite number"),
        ('[deaths]\nfactor = "2"', 6, "a valid number"),
        ("[deaths]\nfactor = 2\nover = 0", 7, "a value \u2265 1"),
        ("[deaths]\nfrom = 2", 5, "no key 'factor'"),
        ("months = [12, 1]", 5, "a last one that is not before it"),
        ("months = [1, 25]", 5, "a value \u2264 24"),
        ('[[arrival]]\nstream = "threat.securty"\nintensity = 2\nmonths = [1]', 6, "Did you mean 'threat.security'?"),
        ('[[arrival]]\nstream = "act"\nintensity = 2\nmonths = [1]', 5, "no key 'channel'"),
        ('[[arrival]]\nstream = "act"\nchannel = "security"\nmonths = [1]', 5, "no key 'intensity'"),
        ('[[arrival]]\nstream = "act"\nchannel = "security"\nintensity = 6\nmonths = [1]', 8, "a value \u2264 5"),
        ('[[arrival]]\nstream = "concession"\nintensity = 2\nmonths = [1]', 7, "a concession has none"),
        ('[[arrival]]\nstream = "measure.economic"\nchannel = "security"\nintensity = 2\nmonths = [1]', 7, "has its own"),
        ('[[arrival]]\nstream = "mobilisation"\nintensity = 2\nmonths = [1]\nends = true', 9, "only with the stream relaxation"),
        ('[[arrival]]\nstream = "mobilisation"\nintensity = 2\nmonths = []', 8, "a list that is not empty"),
        ('[rates]\nfactors = { "concesion" = 2 }', 6, "Did you mean 'concession'?"),
        ('[rates]\nfactors = { "concession" = -2 }', 6, "a value \u2265 0"),
        ("[opposition]\npoints = 99", 6, "a value \u2264 50"),
        ('[[condition]]\ndriver = "leverage"\nmonths = [1, 2]\nbelow = 1', None, "none where kind is 'intervened'"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line_and_a_remedy(lines: str, row: int | None, says: str, refused: Refused) -> None:
    head = 'kind = "intervened"\n' + HEAD
    (problem,) = refused(head + lines + "\n")
    assert says in problem
    assert problem.startswith(f"what-if.toml, line {row}," if row else "what-if.toml")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("", "at least one [[condition]]"),
        ('[[condition]]\ndriver = "leverage"\nmonths = [1, 2]', "a value for below, for above, or for both"),
        ('[[condition]]\ndriver = "leverage"\nmonths = [1, 2]\nbelow = 1\nabove = 2', "a value less than that of below"),
        ('[[condition]]\ndriver = "tariffs"\nmonths = [1, 2]\nbelow = 1', "one of leverage, deaths, opposition, mobilisation"),
        ('[[condition]]\ndriver = "leverage"\nmonths = [1, 2]\nbelow = 1\n[deaths]\nfactor = 2', "conditions only"),
    ],
)
def test_a_condition_is_a_condition(lines: str, says: str, refused: Refused) -> None:
    (problem,) = refused('kind = "conditioned"\n' + HEAD + lines + "\n")
    assert says in problem


def test_the_second_of_two_tables_is_named_by_its_own_line(refused: Refused) -> None:
    good = '[[arrival]]\nstream = "mobilisation"\nintensity = 2\nmonths = [1]\n'
    (problem,) = refused('kind = "intervened"\n' + HEAD + good + good.replace("intensity = 2", "intensity = 9"))
    assert problem.startswith("what-if.toml, line 11,")


def test_a_name_without_a_file_gets_the_nearest(bundled: places.Workspace) -> None:
    with pytest.raises(UsageError, match="Did you mean 'trade-deal'"):
        read_named(bundled.data / FOLDER, ("trade-del",))


def test_the_template_is_sound_with_and_without_what_it_comments_out(tmp_path: Path) -> None:
    create_scenario_file(tmp_path / FOLDER / "mine.toml")
    (scenario,) = read_scenarios(tmp_path / FOLDER)
    assert scenario.name == "mine"
    assert len(scenario.says.arrival) == 1
    laid_bare = re.sub(r"(?m)^# (?=\[|[a-z]+ = )", "", TEMPLATE.partition("# Only where kind")[0])
    (tmp_path / FOLDER / "mine.toml").write_text(laid_bare)
    says = read_scenarios(tmp_path / FOLDER)[0].says
    assert len(says.arrival) == 2
    assert all(getattr(says, key) for key in CHANGES)


def test_a_new_file_is_never_written_over_another(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        create_scenario_file(path)
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_defaults_change_nothing() -> None:
    says = ScenarioSpec(title="t", kind="intervened", story="s", assumptions=("a",))
    assert not says.condition
    assert not any(getattr(says, key) for key in CHANGES)
