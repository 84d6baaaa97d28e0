"""What priors mean: in words, as curves, on the forecast scale, and on the command line."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.formatting import fine_percent, trimmed
from forecast.priors.catalogue import CATALOGUE, CHANCES, COUNTS, LARGEST, MONTHS, SHARPEST, SPREAD
from forecast.priors.density_curve import prior_density, text_histogram
from forecast.priors.descriptions import describe_prior
from forecast.priors.distributions import Beta, Fixed, HalfNormal, LogNormal, Normal, Quantiles
from forecast.priors.implied import chance_within_year, implied_quantities
from forecast.priors.load import Priors, load_priors
from forecast.priors.outside_view import rise_after_selection, skip_after_selection
from forecast.priors.specs import PriorSpec

BUNDLED = Path(__file__).parents[2] / "priors"


@pytest.fixture(scope="module")
def priors() -> Priors:
    return load_priors(BUNDLED)


def test_effects_are_said_as_odds() -> None:
    assert (
        describe_prior("leverage.effect", Normal(1.6, 0.8)) == "full pressure multiplies the monthly odds of a rise by 5 (90 %: 1.3 to 18)"
    )
    assert "by 0.67 (90 %: 0.41 to 1.1)" in describe_prior("opposition.effect", Normal(0.4, 0.3))
    assert "by 1.2 (" in describe_prior("overdose.change_effect", Normal(0.3, 0.4))  # 2 ** 0.3


def test_rises_and_stays_are_said_as_chances_and_months() -> None:
    rise = describe_prior("ladder.rise.3", Quantiles(0.001, 0.007, 0.04, "logit"))
    assert rise.startswith("a rise from embedded within a year, without pressure: about 0.7 %, 90 % between")
    assert "lasts 110 months or more in half of cases" in describe_prior("ladder.stay.3", Quantiles(24, 110, 380, "log"))


def test_every_prior_has_words_with_numbers(priors: Priors) -> None:
    for name, prior in priors.items():
        message = describe_prior(name, prior.spec)
        assert re.search(r"\d", message), name
        assert not re.search(r"nan|inf\b|\.$", message), name


@pytest.mark.parametrize(
    ("x", "text"), [(0.0067, "0.0067"), (4.953, "5"), (18.46, "18"), (9.96, "10"), (4260.0, "4300"), (-0.5, "−0.5"), (0.0, "0")]
)
def test_numbers_have_two_figures(x: float, text: str) -> None:
    assert trimmed(x) == text


def test_chances_next_to_none_or_all_are_bounds() -> None:
    assert [fine_percent(p) for p in (0.00001, 0.0067, 0.17, 0.9995)] == ["<0.01 %", "0.67 %", "17 %", ">99.9 %"]


CURVES: list[PriorSpec] = [
    Normal(1.6, 0.8),
    HalfNormal(0.3),
    Beta(2, 8),
    LogNormal(12, 0.6, shift=3),
    Quantiles(0.001, 0.007, 0.03, "logit"),
    Quantiles(24, 110, 380, "log"),
    Quantiles(0.06, 0.17, 0.33, "beta"),
]


@pytest.mark.parametrize("spec", CURVES, ids=str)
def test_a_curve_holds_the_middle_of_the_mass(spec: PriorSpec) -> None:
    curve = prior_density(spec, 801)
    assert curve is not None
    onto = {"linear": lambda x: x, "log": np.log, "logit": lambda x: np.log(x / (1 - x))}[curve.axis]
    assert np.trapezoid(curve.y, onto(curve.x)) == pytest.approx(0.996, abs=0.001)


def test_the_drawing_is_as_wide_as_asked_and_marks_the_quantiles() -> None:
    lines = text_histogram(Normal(0, 1), trimmed, width=60, height=4)
    assert len(lines) == 6
    assert (len(lines[-2]), lines[-2].count("┴")) == (60, 3)
    assert lines[-1].split() == ["−1.6", "0", "1.6"]
    assert text_histogram(Fixed(3), trimmed) == []


def by_hand(log_odds: float) -> float:
    stay = 1.0
    for _ in range(12):
        stay *= 1 - 1 / (1 + math.exp(-log_odds))
    return 1 - stay


@pytest.mark.parametrize("log_odds", [-9.0, -3.0, 0.5])
def test_a_year_is_twelve_months(log_odds: float) -> None:
    assert float(chance_within_year(np.array(log_odds))) == pytest.approx(by_hand(log_odds), rel=1e-9)


def test_without_pressure_a_rise_implies_itself(priors: Priors) -> None:
    row, pushed = implied_quantities(priors, "ladder.rise.1")
    assert (row.low, row.middle, row.high) == pytest.approx(priors.distribution("ladder.rise.1").interval())
    q = priors.distribution("ladder.rise.1").interval()[1]
    monthly = 1 - (1 - q) ** (1 / 12)
    odds = math.exp(1.6) * monthly / (1 - monthly)
    assert pushed.middle == pytest.approx(1 - (1 / (1 + odds)) ** 12)


def test_the_median_stay_implies_half_a_chance_within_itself(priors: Priors) -> None:
    edited = priors.replace({"ladder.stay.3": Quantiles(6, 12, 24, "log"), "leverage.effect_on_falls": Normal(0, 1)})
    free, pressed, months = implied_quantities(edited, "ladder.stay.3")
    assert (free.middle, pressed.middle) == pytest.approx((0.5, 0.5))
    assert (months.low, months.middle, months.high) == pytest.approx((6, 12, 24), rel=1e-3)


def test_selection_takes_its_share_of_the_skip_and_shifts_the_rise(priors: Priors) -> None:
    whole, part = (priors.replace({"ladder.skip_up.3": Beta(4, 20), "outside_view.selection": Fixed(f)}) for f in (1.0, 0.75))
    assert skip_after_selection(whole) == Beta(4, 20)
    assert skip_after_selection(part) == Beta(3, 21)
    assert rise_after_selection(part)[0] - rise_after_selection(whole)[0] == pytest.approx(math.log(0.75))
    assert rise_after_selection(part)[1] == rise_after_selection(whole)[1]


def test_implied_rows_are_ordered_chances(priors: Priors) -> None:
    stated = [name for name in CATALOGUE if implied_quantities(priors, name)]
    assert {"leverage.effect", "leverage.effect_on_falls", "opposition.effect", "drift.sd"} <= set(stated)
    assert {name for name in CATALOGUE if name.startswith("ladder.")} <= set(stated)
    for name in stated:
        for row in implied_quantities(priors, name):
            assert 0 < row.low <= row.middle <= row.high < (1 if row.unit == "probability" else math.inf), row


WITHOUT_RUNS: list[Path] = []
"""A workspace of the bundled data and priors in which nothing was ever run."""


@pytest.fixture(scope="module", autouse=True)
def without_runs(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("bare")
    for name in ("data", "priors"):
        (root / name).symlink_to(BUNDLED.parent / name)
    WITHOUT_RUNS[:] = [root]


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["priors", *args, "--workspace", str(WITHOUT_RUNS[0])])


def test_list_names_every_prior() -> None:
    assert [line.split("\t")[0] for line in run("list").output.splitlines()[1:]] == list(CATALOGUE)
    assert {prior["name"] for prior in json.loads(run("list", "--json").output)} == set(CATALOGUE)


def test_list_takes_a_theme() -> None:
    listed = {prior["name"] for prior in json.loads(run("list", "leverage", "--json").output)}
    assert listed == {name for name in CATALOGUE if name.startswith("leverage.")}
    assert run("list", "leverge").exit_code == 3


def test_show_says_all_there_is(priors: Priors) -> None:
    printed = " ".join(run("show", "leverage.effect").output.split())
    prior = priors["leverage.effect"]
    for part in (str(prior.spec), prior.rationale, prior.source, prior.author, str(prior.date), "┴", "a rise from embedded within a year"):
        assert part in printed
    document = json.loads(run("show", "leverage.effect", "--json").output)
    assert document["prior"] == str(prior.spec)
    assert len(document["density"]["x"]) == len(document["density"]["y"]) > 100
    assert len(document["implied"]) == 5


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_show_works_for_every_prior(name: str) -> None:
    result = run("show", name)
    assert result.exit_code == 0, result.output
    assert max(map(len, result.output.splitlines())) <= 80


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    result = run("show", "leverage.efect")
    assert result.exit_code == 3
    assert "Did you mean leverage.effect?" in result.output


def test_check_counts_and_refuses(tmp_path: Path) -> None:
    import shutil

    assert "all valid" in run("check").output
    for name in ("data", "priors"):
        shutil.copytree(BUNDLED.parent / name, tmp_path / name)
    path = tmp_path / "priors" / "drift.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("HalfNormal(0.5)", "HalfNormal(-0.5)"), encoding="utf-8")
    refused = CliRunner().invoke(main, ["priors", "check", "--json", "--workspace", str(tmp_path)])
    assert refused.exit_code == 3
    assert json.loads(refused.stdout)["errors"][0]["column"] == "drift.sd"


def test_the_manual_has_the_ranges_that_the_catalogue_checks() -> None:
    page = (BUNDLED.parent / "docs" / "priors.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    for unit, most in LARGEST.items():
        assert any(row.startswith(f"| {unit} ") and f"mean −{most:g} to {most:g}, sd {SHARPEST:g} to {most:g} |" in row for row in rows)
    units = " ".join(row.split("|")[1] for row in rows)
    assert all(part in units for entry in CATALOGUE.values() for part in re.split(r" (?=a |at )| \(.*", entry.unit))
    for low, high in (CHANCES, COUNTS, MONTHS):
        assert f"{low:.6f}".rstrip("0") + f" to {high:,.6f}".rstrip("0").rstrip(".") in page
    assert f"sd of the logarithm {SHARPEST:g} to {SPREAD:g}" in page
