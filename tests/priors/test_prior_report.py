"""What a run made of a prior: curves of draws, posteriors against SciPy's, the headline with one quantity held, the page and the figure."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from scipy import integrate, stats

from forecast.arrays.weighted_quantiles import WeightedSample
from forecast.forecasting.ladder_forecast import assign_paths, forecast_ladder
from forecast.forecasting.predictive_checks import history_statistics
from forecast.jobs.priors.report import prior_report
from forecast.priors.density_curve import axis_range, posterior_density, prior_density, text_histogram
from forecast.priors.distributions import PROBABILITIES, Beta, Distribution, Fixed, Gamma, HalfNormal, LogNormal, Normal, Quantiles
from forecast.priors.implied import implied_quantities
from forecast.priors.load import Priors, load_priors
from forecast.priors.outside_view import after_selection, rise_after_selection, skip_after_selection
from forecast.report.figures.prior_svg import prior_curves
from forecast.reweighting.draws_archive import pack, unpack_draws, unpack_pool
from forecast.reweighting.driver_update import parameter_by_path
from forecast.reweighting.importance_ratios import PARAMETER_FIELDS, with_parameter_fixed
from forecast.reweighting.prior_edits import reweight_to_priors
from forecast.runs import store
from forecast.runs.draws_files import write_draws
from forecast.sensitivity import prior_effects
from forecast.sensitivity.prior_effects import PROFILE_DRAWS, histories, path_profile, posterior, profile
from forecast.typing import Floats
from forecast.workspace import Workspace, bundled_root
from tests.support.prior_forecasts import prior_forecast
from tests.support.sound_reports import EXAMPLE, question_rows, sound_report

type Command = Callable[..., Result]

RUN = "20261101T000000Z-abcdef"
PRIORS = load_priors(bundled_root() / "priors")


@functools.cache
def arrays() -> Mapping[str, Any]:
    return pack(prior_forecast())


def alike(values: Floats) -> WeightedSample:
    return WeightedSample(values, np.full(len(values), 1 / len(values)))


# ---- curves


SPECS: list[Distribution] = [
    Normal(1.6, 0.8),
    HalfNormal(0.3),
    Beta(2, 11),
    Gamma(3, 8),
    LogNormal(12, 0.6, 3),
    Quantiles(0.001, 0.006, 0.03, "logit"),
    Quantiles(30, 120, 340, "log"),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_curve_of_many_draws_is_the_curve_of_what_they_were_drawn_from(spec: Distribution) -> None:
    after = alike(spec.sample(np.random.default_rng(1), 200_000))
    span = axis_range(spec)
    outcome, expected = posterior_density(after, spec, span=span), prior_density(spec, span=span)
    assert expected is not None
    assert outcome.x == pytest.approx(expected.x)
    assert np.abs(outcome.y - expected.y).max() <= 0.06 * expected.y.max()


def test_the_curve_is_scipys_with_the_same_bandwidth() -> None:
    rng = np.random.default_rng(3)
    values, weights = rng.normal(1, 2, 500), rng.random(500)
    weights /= weights.sum()
    outcome = posterior_density(WeightedSample(values, weights), Normal(0, 1), span=(-6.0, 8.0))
    n = 1 / (weights**2).sum()
    q25, q75 = WeightedSample(values, weights).quantile([0.25, 0.75])
    spread = min(np.sqrt(np.cov(values, aweights=weights, ddof=0)), (q75 - q25) / 1.34)
    theirs = stats.gaussian_kde(values, weights=weights)
    theirs.set_bandwidth(0.9 * spread * n**-0.2 / np.sqrt(theirs.covariance[0, 0]) * theirs.factor)
    assert outcome.y == pytest.approx(theirs(outcome.x), abs=0.01 * outcome.y.max())


def test_no_mass_is_lost_at_the_end_of_a_support() -> None:
    after = alike(np.abs(np.random.default_rng(2).normal(0, 0.3, 4_000)))
    curve = posterior_density(after, HalfNormal(0.3), 2_000, span=(0.0, 2.0))
    assert integrate.trapezoid(curve.y, curve.x) == pytest.approx(1, abs=2e-3)


def test_the_line_is_drawn_over_the_shade_to_one_scale() -> None:
    """Draws half as wide as the prior: a line twice as high, in the middle; shade alone on the sides."""
    after = alike(Normal(0, 0.5).quantile((np.arange(2_000) + 0.5) / 2_000))
    lines = text_histogram(Normal(0, 1), str, 60, 5, after)
    assert len(lines) == 9
    assert max(map(len, lines)) <= 60
    top, bottom = lines[0], lines[6]
    assert any(0x2800 < ord(c) < 0x2900 for c in top)
    assert "░" not in top
    assert "░" in bottom
    first_shade = next(row for row, line in enumerate(lines) if "░" in line)
    assert first_shade in (3, 4)
    assert "┴" in lines[7]


# ---- posteriors


def test_a_skip_after_the_record_is_its_conjugate_posterior() -> None:
    name = "ladder.skip_up.3"
    prior = skip_after_selection(PRIORS)
    outcome = posterior(arrays(), name, prior)
    assert outcome is not None
    went_on, stopped = arrays()["main/skips_up"][2]
    assert stopped > 0
    expected = stats.beta(prior.a + went_on, prior.b + stopped)
    assert outcome.quantile(PROBABILITIES) == pytest.approx(expected.ppf(PROBABILITIES), rel=2e-3)


def test_a_counted_rate_after_the_record_is_its_conjugate_posterior() -> None:
    prior = PRIORS.distribution("companion.new-tariff")
    outcome = posterior(arrays(), "companion.new-tariff", prior)
    assert outcome is not None
    n, months = float(arrays()["companion/counted"][3]), float(arrays()["companion/months"])
    assert n > 0
    expected = stats.gamma(0.5 + n, scale=1 / (1 + months))
    assert outcome.quantile(PROBABILITIES) == pytest.approx(expected.ppf(PROBABILITIES), rel=2e-3)


def test_a_parameter_is_in_the_unit_of_its_prior() -> None:
    """The stand-in's draws are from the prior, so its quantiles are the prior's within Monte Carlo error (400 draws)."""
    for name in PARAMETER_FIELDS:
        prior = after_selection(PRIORS, name)
        if isinstance(prior, Beta):
            continue
        outcome = posterior(arrays(), name, prior)
        assert outcome is not None
        below = [float((outcome.values < q).mean()) for q in prior.quantile(PROBABILITIES)]
        assert below == pytest.approx(PROBABILITIES, abs=0.09), name


def test_polls_and_rates_of_events_have_weights_that_sum_to_one() -> None:
    for name in ("opposition.walk_sd", "opposition.favourability", "events.demand", "events.backlash"):
        outcome = posterior(arrays(), name, PRIORS.distribution(name))
        assert outcome is not None
        assert outcome.weights.sum() == pytest.approx(1)
        assert len(outcome.values) == len(outcome.weights)


def test_a_rate_of_what_is_deemed_has_its_conjugate_posterior() -> None:
    for i, answer in enumerate(("sufficient", "insufficient")):
        prior = PRIORS.distribution(f"companion.deemed-{answer}")
        outcome = posterior(arrays(), f"companion.deemed-{answer}", prior)
        assert outcome is not None
        assert isinstance(prior, Gamma)
        n, months = float(arrays()["companion/answers"][i]), float(arrays()["companion/months"])
        expected = stats.gamma(prior.shape + n, scale=1 / (prior.rate + months))
        assert outcome.quantile(PROBABILITIES) == pytest.approx(expected.ppf(PROBABILITIES), rel=2e-3)


def test_of_every_prior_that_a_record_speaks_to_there_are_draws() -> None:
    silent = {"events.determination", *(name for name in PRIORS if name.startswith(("direct.", "exposure.")))}
    for name, prior in PRIORS.items():
        if isinstance(prior.spec, Distribution) and not isinstance(prior.spec, Fixed):
            assert (posterior(arrays(), name, after_selection(PRIORS, name)) is None) == (name in silent), name


@pytest.mark.parametrize("name", ["exposure.delay.4", "direct.rate", "events.determination"])
def test_what_no_draws_tell_of_has_no_posterior(name: str) -> None:
    assert posterior(arrays(), name, PRIORS.distribution(name)) is None


# ---- one quantity held


def test_holding_a_quantity_changes_it_and_nothing_else() -> None:
    draws = unpack_draws(arrays(), "main")
    held = with_parameter_fixed(draws, "ladder.rise.3", 0.02)
    assert 1 / (1 + np.exp(-held.logit_rise[:, 3])) == pytest.approx(np.full(draws.size, 0.02))
    assert np.array_equal(np.delete(held.logit_rise, 3, 1), np.delete(draws.logit_rise, 3, 1))
    assert np.exp(with_parameter_fixed(draws, "ladder.stay.2", 40.0).log_stay[:, 1]) == pytest.approx(np.full(draws.size, 40.0))
    assert all(np.array_equal(getattr(held, f), v) for f, v in draws.__dict__.items() if f != "logit_rise")


def test_a_spread_takes_its_moods_with_it() -> None:
    draws = unpack_draws(arrays(), "main")
    for name, field, moods in (("administration.sd", "administration_sd", "alpha"), ("drift.sd", "drift_sd", "drift")):
        held = with_parameter_fixed(draws, name, 0.7)
        outs = getattr(held, moods) / 0.7
        assert outs == pytest.approx(getattr(draws, moods) / getattr(draws, field)[:, None], rel=1e-6)


def test_another_half_life_walks_the_same_steps() -> None:
    """Unchanged where it is what it was; with a very short one the steps themselves are left, standard normals."""
    draws = unpack_draws(arrays(), "main")
    same = replace(draws, half_life=np.full(draws.size, 15.0))
    assert with_parameter_fixed(same, "drift.half_life", 15.0).drift == pytest.approx(same.drift, abs=1e-9)
    short = with_parameter_fixed(draws, "drift.half_life", 1e-2).drift / draws.drift_sd[:, None]
    assert short[:, 1:].std() == pytest.approx(1, abs=0.05)
    assert abs(np.corrcoef(short[:, 3], short[:, 4])[0, 1]) < 0.15


def test_the_profile_is_the_recursion_with_that_value() -> None:
    a = arrays()
    draws, pool = unpack_draws(a, "main"), unpack_pool(a)
    draws = draws.take(np.linspace(0, draws.size - 1, PROFILE_DRAWS).astype(int))
    changed = replace(draws, leverage=np.full(draws.size, 2.5))
    levels = a["main/levels"].astype(int)
    paths = assign_paths(draws.size, len(pool.leverage), 1)
    outcome = forecast_ladder(
        changed, pool, paths, int(levels[-1]), bool(levels[-1] > levels[-2]), int(a["origin"]), a["administrations"].astype(int)
    )  # type: ignore[arg-type]
    low, high = profile(a, "leverage.effect", [0.0, 2.5], "reach-4-12m")
    assert high == pytest.approx(outcome.reached(4, 12).mean(), rel=1e-9)
    assert low < high


def test_near_a_value_the_answer_is_that_of_paths_which_have_it() -> None:
    """A line through what is near gives what a moved prior gives, which weighs the same paths otherwise; here it is pressure itself."""
    name, spec = "events.demand", PRIORS.distribution("events.demand")
    assert isinstance(spec, Normal)
    pressure = arrays()["pool/leverage"][:, :12].mean(1)
    eta = arrays()["pool/eta"].copy()
    eta[:, 0] = spec.mean + spec.sd * (pressure - pressure.mean()) / pressure.std()
    a = {**arrays(), "pool/eta": eta}
    at, chances = path_profile(a, PRIORS, name, parameter_by_path(a, name), "reach-4-12m")
    line = np.polynomial.Polynomial.fit(at, np.log(chances), 1)
    moved = PRIORS.replace({name: Normal(spec.mean + spec.sd / 2, spec.sd)})
    outcome = reweight_to_priors(a, PRIORS, moved, "reach-4-12m").diagnostics["main"].probability
    parts = (np.arange(400) + 0.5) / 400
    before, after = (np.exp(line(p.distribution(name).quantile(parts))).mean() for p in (PRIORS, moved))
    assert after > 1.03 * before
    assert after / before == pytest.approx(outcome / a["main/questions"][row(a, "reach-4-12m")].mean(), rel=0.03)


def test_near_a_value_of_the_polls_past_opposition_moves_too() -> None:
    a, name = arrays(), "opposition.start"
    at, chances = path_profile(a, PRIORS, name, parameter_by_path(a, name), "reach-4-12m")
    assert (np.diff(at) > 0).all()
    assert np.ptp(chances) < 0.3 * chances.mean()  # where opposition was in 2000 hardly matters today


def row(a: Mapping[str, Any], question: str) -> int:
    return [str(i) for i in a["questions"]].index(question)


def test_histories_start_from_the_same_random_numbers() -> None:
    record, (low, again, high) = histories(arrays(), "leverage.effect", [-2.0, -2.0, 4.0])
    levels = arrays()["main/levels"].astype(int)
    assert record["changes"] == history_statistics(levels[None, :])["changes"][0] == (np.diff(levels) != 0).sum()
    assert np.array_equal(low["changes"], again["changes"])
    assert high["ever_4"].mean() > low["ever_4"].mean()


# ---- priors after the selection factor, and what they imply at other values


def test_the_selection_factor_is_in_what_is_drawn() -> None:
    location, sd = rise_after_selection(PRIORS)
    outcome = after_selection(PRIORS, "ladder.rise.3")
    assert isinstance(outcome, Quantiles)
    assert (outcome.location, outcome.sd) == (pytest.approx(location), pytest.approx(sd))
    assert after_selection(PRIORS, "ladder.skip_up.3") == skip_after_selection(PRIORS)
    assert after_selection(PRIORS, "leverage.effect") == PRIORS.spec("leverage.effect")


@pytest.mark.parametrize("name", [n for n in PRIORS if implied_quantities(PRIORS, n)])
def test_what_is_implied_at_the_priors_own_quantiles_is_what_the_prior_implies(name: str) -> None:
    at = after_selection(PRIORS, name).quantile(PROBABILITIES)
    for own, other in zip(implied_quantities(PRIORS, name), implied_quantities(PRIORS, name, [float(q) for q in at]), strict=True):
        assert own.what == other.what
        assert (other.low, other.middle, other.high) == pytest.approx((own.low, own.middle, own.high), rel=2e-3)


# ---- the run, the page, the figure


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the stand-in, as far as `show` reads one."""
    message = {"probability": 0.06, "prior_probability": 0.03}
    asked = [q | message for q in question_rows(prior_forecast())]
    skips = [EXAMPLE["skips"][0] | {"direction": d, "level": i, "went_on": 0, "stopped": 2} for d in ("up", "down") for i in range(1, 5)]
    report_rows = [EXAMPLE["parameters"][0] | {"name": "leverage.effect", "contraction": 0.3, "shift": 0.6, "transitions": 1}]
    report = sound_report(RUN, headline="reach-4-12m", questions=asked, skips=skips, parameters=report_rows)

    def write(folder: Path) -> None:
        (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
        write_draws(folder, dict(arrays()))

    named = {name: {"spec": str(p.spec), "revision": "as shipped"} for name, p in PRIORS.items()}
    meta = {"headline": "reach-4-12m", "priors_digest": PRIORS.digest(), "priors": named}
    return store.write_run(tmp_path_factory.mktemp("reports"), RUN, write, meta)


@pytest.fixture
def published(workspace: Workspace, run: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with that run; few draws are used, for speed."""
    monkeypatch.setattr(prior_effects, "PROFILE_DRAWS", 40)
    monkeypatch.setattr(prior_effects, "HISTORIES", 40)
    shutil.copytree(run, workspace.reports / RUN)
    store.publish(workspace.reports, RUN)
    return workspace


def test_draws_from_the_prior_have_taught_nothing(published: Workspace) -> None:
    priors = load_priors(published.priors)
    outcome = prior_report(published, priors, "ladder.rise.2")
    assert outcome is not None
    assert outcome.same
    assert outcome.contraction == pytest.approx(0, abs=0.2)
    assert outcome.shift == pytest.approx(0, abs=0.2)
    assert not outcome.learnt
    assert outcome.on_forecast is not None
    assert outcome.on_forecast.after == pytest.approx(outcome.on_forecast.before, rel=0.25)
    assert outcome.on_forecast.before[0] < outcome.on_forecast.before[2]
    assert outcome.written[0].words == "changes of level"


def test_a_prior_changed_since_the_run_is_shown_as_the_run_had_it(published: Workspace, command: Command) -> None:
    cwd = published.data.parent
    assert command("priors", "set", "ladder.rise.2 = quantiles(0.2, 0.3, 0.5)", "--why", "A test.", "--by", "me", cwd=cwd).exit_code == 0
    priors = load_priors(published.priors)
    outcome = prior_report(published, priors, "ladder.rise.2")
    assert outcome is not None
    assert not outcome.same
    assert str(outcome.prior) == str(PRIORS.spec("ladder.rise.2"))
    printed = " ".join(command("priors", "show", "ladder.rise.2", cwd=cwd).stdout.split())
    assert "The prior was changed since that run" in printed
    assert "Changed 1 time" in printed
    assert "A test." in printed


SHOWN = [
    "leverage.effect", "readings.weights", "direct.rate", "companion.deemed-sufficient",
    *(pytest.param(name, marks=pytest.mark.slow) for name in (
        "ladder.skip_up.3", "administration.sd", "opposition.house_sd", "companion.new-tariff", "outside_view.selection",
        "opposition.wording.agents",
    )),
]  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_the_page_fits_80_columns(published: Workspace, command: Command, name: str) -> None:
    result = command("priors", "show", name, cwd=published.data.parent)
    assert result.exit_code == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 80
    curved = not isinstance(PRIORS.spec(name), Fixed) and isinstance(PRIORS.spec(name), Distribution)
    if curved and name != "direct.rate":
        assert "after the data" in result.stdout
        assert "contraction" in result.stdout


def test_the_document_has_both_curves_and_both_scales(published: Workspace, command: Command) -> None:
    document = json.loads(command("priors", "show", "leverage.effect", "--json", cwd=published.data.parent).stdout)
    after = document["posterior"]
    assert (after["contraction"], after["shift"], after["learnt"], after["transitions"]) == (0.3, 0.6, True, 1)  # those of the report
    assert len(after["density"]["y"]) == len(after["density"]["x"]) > 100
    assert len(after["implied"]) == len(document["implied"]) == 5
    assert after["headline"]["after"][0] < after["headline"]["after"][2]
    assert {"words", "record", "written", "share"} == set(after["histories"][0])
    assert json.loads(command("priors", "show", "readings.weights", "--json", cwd=published.data.parent).stdout)["posterior"] is None


@pytest.mark.slow
def test_the_figure_is_svg_with_plain_colours_and_words(published: Workspace, command: Command) -> None:
    cwd = published.data.parent
    result = command("priors", "show", "ladder.rise.3", "--figure", "rise.svg", cwd=cwd)
    assert result.exit_code == 0, result.stderr
    text = (cwd / "rise.svg").read_text(encoding="utf-8")
    root = ET.fromstring(text)
    message = " ".join("".join(e.itertext()) for e in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "ladder.rise.3 (q_3)" in message
    assert "0.47 %" in message  # the median after the factor, to two figures
    assert "The headline (main reading), all else as fitted" in message
    assert "var(" not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    ("words", "message"), [(("leverage.weights", "--figure", "x.svg"), "no curve"), (("leverage.effect", "--figure", "x.png"), "SVG")]
)
def test_a_figure_that_cannot_be_is_refused(published: Workspace, command: Command, words: tuple[str, ...], message: str) -> None:
    result = command("priors", "show", *words, cwd=published.data.parent)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not list(published.data.parent.glob("x.*"))


def test_the_chart_is_valid_vega_lite() -> None:
    prior_curves(Normal(0, 1), alike(np.linspace(-1, 1, 50)), str).to_dict(validate=True)


def test_damage_is_told_and_not_shown(published: Workspace, command: Command) -> None:
    (published.reports / RUN / "draws.npz").write_bytes(b"nothing")
    result = command("priors", "show", "leverage.effect", cwd=published.data.parent)
    assert result.exit_code == 7
    assert "draws.npz" in result.stderr


@pytest.mark.slow
def test_seeing_a_prior_imports_nothing_heavy() -> None:
    code = "import sys, forecast.jobs.priors.report, forecast.cli.priors_show, forecast.priors.expert_pooling; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"scipy", "pymc", "pytensor", "xarray", "arviz", "altair", "jinja2", "pandas"}


def test_a_gamma_keeps_its_family(published: Workspace) -> None:
    priors: Priors = load_priors(published.priors)
    outcome = prior_report(published, priors, "companion.designation")
    assert outcome is not None
    assert isinstance(outcome.prior, Gamma)
    assert outcome.question is not None
    assert outcome.question.id == "count-designation-12m"
