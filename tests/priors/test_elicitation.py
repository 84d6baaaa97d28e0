"""From what a person would say to a prior, and back: the fits by formula and property, the solver on curves, and the conversation."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from forecast.cli import main, priors_elicit
from forecast.cli._context import Environment
from forecast.cli.priors_elicit import parse_numbers
from forecast.jobs.priors import try_edits
from forecast.jobs.priors.try_edits import EditTrial
from forecast.priors.catalogue import CATALOGUE
from forecast.priors.descriptions import describe_prior
from forecast.priors.distributions import Beta, Distribution, Fixed, Gamma, HalfNormal, LogNormal, Normal, Quantiles
from forecast.priors.edit_log import read_history
from forecast.priors.elicitation import (
    CONTRASTS,
    Evaluation,
    ThreeQuantiles,
    check_elicitable,
    from_odds,
    from_quantiles,
    from_yearly_chance,
    shift_prior,
    solve_for_headline,
)
from forecast.priors.load import load_priors
from forecast.priors.outside_view import after_selection
from forecast.priors.specs import SpecError, logit
from forecast.workspace import Workspace, bundled_root

type Run = Callable[..., Result]

PRIORS = load_priors(bundled_root() / "priors")
ELICITED = [n for n, p in PRIORS.items() if isinstance(p.spec, Normal | HalfNormal | Beta | Gamma | LogNormal | Quantiles)]


def fit(name: str, *stated: float) -> Distribution:
    low, middle, high = stated
    return from_quantiles(name, (low, middle, high), PRIORS.spec(name))


# ---- quantiles


@pytest.mark.parametrize("name", ELICITED)
def test_the_quantiles_of_a_prior_give_it_back(name: str) -> None:
    """To the three figures of its parameters; those that are stated by quantiles are fitted by least squares, so not exactly."""
    spec = PRIORS.distribution(name)
    result = fit(name, *spec.interval())
    assert np.allclose(result.interval(), spec.interval(), rtol=0.02, atol=0.01 * abs(spec.interval()[2]))
    assert isinstance(result, CATALOGUE[name].families)


def test_a_normal_has_the_median_and_the_width() -> None:
    assert fit("leverage.effect", -0.2, 0.8, 1.5) == Normal(0.8, 0.517)


def test_a_lognormal_keeps_its_shift() -> None:
    result = fit("drift.half_life", 6, 15, 40)
    assert result == LogNormal(12, 0.764, 3)
    assert math.log(37 / 3) / 3.29 == pytest.approx(0.764, abs=0.0005)


def test_a_half_normal_is_the_nearest() -> None:
    stated = np.array([0.03, 0.2, 0.9])
    result = fit("drift.sd", *stated)
    at = stats.halfnorm().ppf([0.05, 0.5, 0.95])
    best = optimize.minimize_scalar(lambda sd: float(((sd * at - stated) ** 2).sum()))
    assert isinstance(result, HalfNormal)
    assert result.sd == pytest.approx(best.x, rel=0.005)
    assert isinstance(fit("drift.sd", 0, 0.2, 0.9), HalfNormal)  # zero is where it begins


def test_a_gamma_has_the_ratio_and_the_level() -> None:
    result = fit("companion.designation", 0.1, 0.4, 1.2)
    assert isinstance(result, Gamma)
    low, _, high = stats.gamma(result.shape, scale=1 / result.rate).ppf([0.05, 0.5, 0.95])
    assert high / low == pytest.approx(12, rel=0.02)
    middle = np.log(stats.gamma(result.shape, scale=1 / result.rate).ppf([0.05, 0.5, 0.95])).mean()
    assert middle == pytest.approx(np.log([0.1, 0.4, 1.2]).mean(), abs=0.01)


def test_quantiles_are_kept_as_they_are_said_where_a_prior_may_be_stated_so() -> None:
    assert fit("ladder.rise.3", 0.01, 0.04, 0.12) == Quantiles(0.01, 0.04, 0.12, "logit")
    assert fit("ladder.stay.3", 20, 100, 400) == Quantiles(20, 100, 400, "log")
    assert fit("ladder.skip_up.3", 0.05, 0.15, 0.3) == Quantiles(0.05, 0.15, 0.3, "beta")


def outcome(way: Callable[..., Distribution], *message: Any) -> Distribution | SpecError:
    try:
        return way(*message)
    except SpecError as e:
        return e


@settings(max_examples=150)
@given(st.sampled_from(list(CATALOGUE)), st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 3))
def test_whatever_is_said_gives_a_prior_or_a_sentence(name: str, stated: ThreeQuantiles) -> None:
    now = PRIORS.spec(name)
    stated_ways = outcome(from_quantiles, name, stated, now), outcome(from_odds, name, stated, now)
    for result in (*stated_ways, outcome(from_yearly_chance, name, stated[0], stated[2], now)):
        assert result.remedy if isinstance(result, SpecError) else isinstance(result, CATALOGUE[name].families)


@settings(max_examples=150)
@given(st.sampled_from(ELICITED), st.lists(st.floats(1e-9, 1 - 1e-9), min_size=3, max_size=3, unique=True).map(sorted))
def test_any_three_rising_shares_are_a_prior_or_refused(name: str, stated: list[float]) -> None:
    result = outcome(fit, name, *stated)
    if isinstance(result, SpecError):
        assert result.remedy
    else:
        assert outcome(shift_prior, CATALOGUE[name], result, 1.0) != result


@pytest.mark.parametrize(
    ("name", "stated", "message"),
    [
        ("leverage.effect", (1, 0.5, 2), "numbers that rise"),
        ("leverage.effect", (1, 1, 1), "numbers that rise"),
        ("leverage.effect", (math.nan, 1, 2), "finite numbers"),
        ("leverage.effect", (0, 1, math.inf), "finite numbers"),
        ("ladder.stay.1", (1, 1e109, 1e141), "of a usual size"),
        ("ladder.rise.3", (0.0, 0.1, 0.2), "quantiles above 0"),
        ("ladder.rise.3", (1, 4, 12), "probabilities below 1"),
        ("events.determination", (0.1, 0.5, 1.0), "probabilities below 1"),
        ("drift.half_life", (2, 12, 30), "quantiles above 3"),
        ("drift.sd", (-0.1, 0.2, 0.9), "quantiles above 0"),
        ("leverage.weights", (0.1, 0.2, 0.3), "one uncertain number"),
        ("outside_view.selection", (0.1, 0.2, 0.3), "one uncertain number"),
    ],
)
def test_impossible_quantiles(name: str, stated: ThreeQuantiles, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        from_quantiles(name, stated, PRIORS.spec(name))


# ---- odds and years


def test_odds_are_those_of_the_picture() -> None:
    result = from_odds("leverage.effect", (1.2, 3, 8), PRIORS.spec("leverage.effect"))
    assert isinstance(result, Normal)
    assert math.exp(result.mean) == pytest.approx(3, rel=0.01)
    low, _, high = np.exp(result.interval())
    assert high / low == pytest.approx(8 / 1.2, rel=0.01)
    assert "by 3 (90 %: 1.2 to 7.8)" in describe_prior("leverage.effect", result)


@pytest.mark.parametrize("name", CONTRASTS)
def test_the_middle_factor_comes_back_from_the_effect(name: str) -> None:
    result = from_odds(name, (0.5, 0.8, 1.6), PRIORS.spec(name))
    assert isinstance(result, Normal)
    assert math.exp(CONTRASTS[name].size * result.mean) == pytest.approx(0.8, rel=0.02)
    assert check_elicitable(name).families == (Normal,)


def test_more_opposition_and_concessions_lower_the_odds() -> None:
    """80 % opposed is logit .8 − logit .6 more than 60 %; the effect is what is taken from tolerance."""
    result = from_odds("opposition.effect", (0.4, 0.6, 0.9), PRIORS.spec("opposition.effect"))
    assert isinstance(result, Normal)
    assert result.mean == pytest.approx(-math.log(0.6) / (logit(0.8) - logit(0.6)), abs=0.01)
    concession = from_odds("events.sufficiency", (0.4, 0.6, 0.9), PRIORS.spec("events.sufficiency"))
    assert isinstance(concession, Normal)
    assert concession.mean == pytest.approx(-math.log(0.6), abs=0.01)


@pytest.mark.parametrize(("name", "stated"), [("drift.sd", (1, 2, 3)), ("leverage.effect", (0, 1, 2)), ("leverage.effect", (3, 2, 1))])
def test_impossible_odds(name: str, stated: ThreeQuantiles) -> None:
    with pytest.raises(SpecError):
        from_odds(name, stated, PRIORS.spec(name))


def test_a_chance_within_a_year_is_a_rise() -> None:
    result = from_yearly_chance("ladder.rise.3", 0.02, 0.10, PRIORS.spec("ladder.rise.3"))
    assert isinstance(result, Quantiles)
    assert (result.q05, result.q95) == (0.02, 0.10)
    assert logit(result.q50) == pytest.approx((logit(0.02) + logit(0.10)) / 2, abs=0.003)
    assert result.interval() == pytest.approx((0.02, 0.0455, 0.10), rel=0.005)


def test_what_is_said_of_mexico_is_what_is_left_after_the_selection_factor() -> None:
    for factor in (0.75, 0.3):
        message = from_yearly_chance("ladder.rise.3", 0.02, 0.10, PRIORS.spec("ladder.rise.3"), factor)
        fitted = PRIORS.replace({"ladder.rise.3": message, "outside_view.selection": Fixed(factor)})
        low, _, high = after_selection(fitted, "ladder.rise.3").interval()
        assert (low, high) == pytest.approx((0.02, 0.10), rel=1e-3)
    other = from_yearly_chance("ladder.rise.2", 0.02, 0.10, PRIORS.spec("ladder.rise.2"), 0.75)
    assert other.interval() == pytest.approx((0.02, 0.0455, 0.10), rel=0.005)


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.02), (0, 0.1), (0.1, 1), (0.1, 0.1), (2, 10), (math.nan, 0.1)])
def test_impossible_chances(low: float, high: float) -> None:
    with pytest.raises(SpecError):
        from_yearly_chance("ladder.rise.3", low, high, PRIORS.spec("ladder.rise.3"))


def test_only_chances_within_a_year_are_said_so() -> None:
    for name in ("ladder.skip_up.3", "direct.rate"):  # the latter is at full pressure, not in ordinary times
        with pytest.raises(SpecError, match=r"ladder\.rise\.0"):
            from_yearly_chance(name, 0.02, 0.1, PRIORS.spec(name))


# ---- the headline


def curve(
    slope: float, accepted: Callable[[float], bool] = lambda by: True, how: str = "reweighted"
) -> Callable[[Distribution], Evaluation]:
    """A headline of 6 % that moves with the median of leverage.effect, in logits."""

    def ask(spec: Distribution) -> Evaluation:
        by = spec.interval()[1] - 1.6
        return Evaluation(1 / (1 + math.exp(-logit(0.06) - slope * by)), accepted(by), how)

    return ask


@pytest.mark.parametrize("slope", [1.0, -1.0, 0.3, 5.0])
@pytest.mark.parametrize("target", [0.03, 0.05, 0.06, 0.1])
def test_the_headline_is_solved_for(target: float, slope: float) -> None:
    result = solve_for_headline("leverage.effect", Normal(1.6, 0.8), target, curve(slope))
    assert result.reached
    assert result.answer.probability == pytest.approx(target, rel=0.02)
    assert isinstance(result.spec, Normal)
    assert result.spec.sd == 0.8
    exact = 1.6 + (logit(target) - logit(0.06)) / slope
    assert result.spec.mean == pytest.approx(exact, abs=0.03 / abs(slope) + 0.005)
    assert result.answer == curve(slope)(result.spec)


def test_the_nearest_crossing_is_taken() -> None:
    """A headline that bends has two; the one on the near side is found."""
    result = solve_for_headline(
        "leverage.effect", Normal(1.6, 0.8), 0.05, lambda spec: Evaluation(0.06 - 0.02 * (spec.interval()[1] - 1.4) ** 2, True, "x")
    )
    assert isinstance(result.spec, Normal)
    assert result.spec.mean == pytest.approx(1.4 + math.sqrt(0.5), abs=0.05)


def test_what_cannot_be_reached_is_said_with_the_nearest() -> None:
    result = solve_for_headline("leverage.effect", Normal(1.6, 0.8), 0.5, curve(0.1))
    assert not result.reached
    assert result.spec == Normal(4.8, 0.8)
    flat = solve_for_headline("leverage.effect", Normal(1.6, 0.8), 0.5, curve(0.0))
    assert not flat.reached


def test_what_is_reached_only_roughly_is_not_accepted() -> None:
    result = solve_for_headline("leverage.effect", Normal(1.6, 0.8), 0.2, curve(1.0, accepted=lambda by: abs(by) < 0.5))
    assert (result.reached, result.answer.accepted) == (True, False)


def test_where_the_draws_say_nothing_they_are_asked_no_further() -> None:
    asked = []

    def ask(spec: Distribution) -> Evaluation:
        asked.append(spec)
        return Evaluation(0.06, spec == Normal(1.6, 0.8), "reweighted" if spec == Normal(1.6, 0.8) else "refit")

    result = solve_for_headline("leverage.effect", Normal(1.6, 0.8), 0.2, ask)
    assert (result.answer.how, result.reached) == ("refit", False)


@pytest.mark.parametrize("target", [0.0, 1.0, -0.1, 5.0, math.nan])
def test_an_impossible_headline(target: float) -> None:
    with pytest.raises(SpecError, match="a chance between 0 and 1"):
        solve_for_headline("leverage.effect", Normal(1.6, 0.8), target, curve(1.0))


@pytest.mark.parametrize("name", ELICITED)
@pytest.mark.parametrize("by", [-1.0, 1.0])
def test_moving_a_prior_moves_its_median_and_keeps_its_family(name: str, by: float) -> None:
    spec = PRIORS.distribution(name)
    result = shift_prior(CATALOGUE[name], spec, by)
    assert type(result) is type(spec)
    assert (result.interval()[1] - spec.interval()[1]) * by > 0
    assert shift_prior(CATALOGUE[name], spec, 0.0) is spec


def test_what_a_move_keeps() -> None:
    assert shift_prior(CATALOGUE["leverage.effect"], Normal(1.6, 0.8), -1.5) == Normal(0.4, 0.8)
    rise = Quantiles(0.01, 0.04, 0.12, "logit")
    higher = shift_prior(CATALOGUE["ladder.rise.3"], rise, 1.0)
    assert isinstance(higher, Quantiles)
    assert higher.sd == pytest.approx(rise.sd, rel=0.001)
    assert higher.location - rise.location == pytest.approx(rise.sd, rel=0.001)
    beta = shift_prior(CATALOGUE["events.determination"], Beta(1, 19), 0.5)
    assert isinstance(beta, Beta)
    assert beta.a + beta.b == pytest.approx(20, rel=0.005)


def test_settings_have_no_location() -> None:
    with pytest.raises(SpecError, match="one uncertain number"):
        solve_for_headline("readings.weights", PRIORS.spec("readings.weights"), 0.05, curve(1.0))


# ---- the command


@pytest.fixture
def run(command: Run, workspace: Workspace) -> Run:
    return lambda *words: command("--workspace", workspace.data.parent, "priors", "elicit", *words)


def contents(workspace: Workspace) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in workspace.priors.rglob("*") if path.is_file()}


def test_numbers_as_people_write_them() -> None:
    assert parse_numbers("0.01, 0.04,0.12", 3) == (0.01, 0.04, 0.12)
    assert parse_numbers("2 %; 0.7%", 2) == (0.02, 0.007)
    assert parse_numbers(" -1 0 1e2 ", 3) == (-1, 0, 100)
    for text in ("", "1,2", "1,2,3,4", "a,b,c", "1,2,%"):
        with pytest.raises(SpecError, match="three numbers"):
            parse_numbers(text, 3)


def test_flags_show_and_write_nothing(run: Run, workspace: Workspace) -> None:
    before = contents(workspace)
    shown = run("leverage.effect", "--odds", "1.2,3,8")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "Full pressure multiplies the monthly odds of a rise by 3 (90 %: 1.2 to 7.8)." in shown.stdout
    assert "█" in shown.stdout
    assert "a rise from embedded within a year at full pressure: 1.4 % (0.5" in " ".join(shown.stdout.split())
    assert shown.stdout.endswith("Nothing was written.\n")
    assert contents(workspace) == before


def test_flags_write_with_a_reason_and_a_name(run: Run, workspace: Workspace) -> None:
    done = run("ladder.rise.3", "--within-a-year", "2 %,10 %", "--yes", "--why", "As I know Mexico.", "--by", "Ana", "--json")
    assert done.exit_code == 0, done.stderr
    printed = json.loads(done.stdout)
    assert (printed["to"], printed["written"], printed["way"]) == ("quantiles(0.02649, 0.0597, 0.129)", True, "within-a-year")
    prior = load_priors(workspace.priors)["ladder.rise.3"]
    assert str(prior.spec) == printed["to"]
    assert (prior.author, prior.rationale) == ("Ana", "As I know Mexico.")
    assert prior.source == "judgement, elicited by within a year: 0.02, 0.1"
    assert read_history(workspace.priors).edits[0].revision == printed["edits"][0]["revision"]


def test_what_the_family_cannot_have_is_said(run: Run) -> None:
    assert "the nearest prior of this family has" in run("drift.sd", "--quantiles", "0.3,0.4,0.5").stdout
    assert "You stated" not in run("leverage.effect", "--quantiles", "0,1,2").stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("leverage.efect", "--odds", "1,2,3"), 3, "Did you mean leverage.effect?"),
        (("leverage.effect", "--odds", "1,2"), 3, "three numbers"),
        (("leverage.effect", "--odds", "-1,2,3"), 3, "factors above 0"),
        (("leverage.effect", "--quantiles", "1,0,2"), 3, "numbers that rise"),
        (("leverage.effect", "--quantiles", "nan,0,2"), 3, "finite numbers"),
        (("leverage.effect", "--within-a-year", "0.1,0.2"), 3, "a chance within a year"),
        (("ladder.rise.3", "--within-a-year", "2,10"), 3, "between 0 and 1"),
        (("leverage.effect", "--headline", "5"), 3, "a chance between 0 and 1"),
        (("leverage.weights", "--quantiles", "0.1,0.2,0.3"), 3, "one uncertain number"),
        (("leverage.effect",), 2, "not a terminal"),
        (("leverage.effect", "--odds", "1,2,3", "--quantiles", "1,2,3"), 2, "cannot be given together"),
        (("leverage.effect", "--odds", "1,2,3", "--yes"), 2, "--why and --by"),
        (("leverage.effect", "--headline", "0.05"), 2, "No run was published"),
    ],
)
def test_what_is_refused(run: Run, workspace: Workspace, words: tuple[str, ...], code: int, message: str) -> None:
    before = contents(workspace)
    done = run(*words)
    assert (done.exit_code, done.stdout) == (code, "")
    assert message in done.stderr
    assert contents(workspace) == before


def tried(accepted: bool = True, how: str = "reweighted") -> Callable[..., EditTrial]:
    def answer(workspace: Workspace, edits: Mapping[str, Any]) -> EditTrial:
        ((name, spec),) = edits.items()
        p = curve(1.0)(spec).probability
        unmoved = spec == PRIORS.spec(name)
        questions = [{"id": "reach-4-12m", "probability": p, "before": 0.06}]
        return EditTrial("r", {}, "reweighted" if unmoved else how, accepted or unmoved, 0.3, 900.0, "reach-4-12m", questions, {})  # type: ignore[arg-type]  # `how` is one of three

    return answer


def test_the_headline_someone_has_in_mind(run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(try_edits, "try_edits", tried())
    monkeypatch.setattr(try_edits, "try_edits", tried())
    done = run("leverage.effect", "--headline", "5 %", "--yes", "--why", "It feels like it.", "--by", "Ana", "-q")
    assert done.exit_code == 0, done.stderr
    assert "The headline becomes 5 % (reweighted)." in done.stdout
    spec = load_priors(workspace.priors).spec("leverage.effect")
    assert isinstance(spec, Normal)
    assert spec.sd == 0.8
    assert spec.mean == pytest.approx(1.6 + logit(0.05) - logit(0.06), abs=0.03)


@pytest.mark.parametrize(
    ("answer", "message"), [(tried(accepted=False), "needs a refit"), (tried(False, "refit"), "cannot show the effect of leverage.effect")]
)
def test_a_headline_that_needs_a_refit_is_not_written_and_exits_3(
    run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, answer: Callable[..., EditTrial], message: str
) -> None:
    monkeypatch.setattr(try_edits, "try_edits", answer)
    before = contents(workspace)
    done = run("leverage.effect", "--headline", "0.02", "--yes", "--why", "So.", "--by", "Ana")
    assert done.exit_code == 3
    assert message in done.stderr
    assert "Nothing was written." in done.stderr
    printed = json.loads(run("leverage.effect", "--headline", "0.02", "--json").stdout)
    assert (printed["written"], printed["headline"]["accepted"]) == (False, False)
    assert contents(workspace) == before


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (tried(), "The headline: 6 % now, 3.7 % with it (reweighted, k-hat 0.30; run r)."),
        (tried(accepted=False), "roughly 3.7 % with it. That is too far from run r to rely on"),
        (tried(False, "refit"), "Only a refit can compute the effect on the headline (6 % now)"),
    ],
)
def test_what_is_said_is_tried_on_the_newest_run(
    run: Run, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, answer: Callable[..., EditTrial], message: str
) -> None:
    assert "Publish a run to see the effect" in " ".join(run("leverage.effect", "--quantiles", "0.2,1.1,2").stdout.split())
    monkeypatch.setattr("forecast.runs.store.latest", lambda reports: reports)
    monkeypatch.setattr(try_edits, "try_edits", answer)
    words = ("leverage.effect", "--quantiles", "0.277,1.1,1.923")
    assert message in " ".join(run(*words).stdout.split())
    assert json.loads(run(*words, "--json").stdout)["headline"]["probability"] == pytest.approx(0.0372, abs=1e-3)
    same = " ".join(run("leverage.effect", "--quantiles", "0.284,1.6,2.916").stdout.split())
    assert "does not change" in same


def test_odds_that_no_effect_can_have_are_told(run: Run) -> None:
    """Symmetric on the log odds: 1.2, 3, 8 can nearly be had, 1.2, 3, 30 can't."""
    assert "You stated" not in run("leverage.effect", "--odds", "1.2,3,7.5").stdout
    printed = " ".join(run("leverage.effect", "--odds", "1.2,3,30").stdout.split())
    assert "You stated 1.2, 3, 30; the nearest prior of this family has 0.6, 3, 15." in printed


def converse(workspace: Workspace, now: Any, monkeypatch: pytest.MonkeyPatch, words: str, *answers: str) -> Result:
    monkeypatch.setattr(priors_elicit, "can_prompt", lambda: True)
    environment = Environment(clock=lambda: now, environ={}, cwd=workspace.data.parent)
    return CliRunner().invoke(main, ["priors", "elicit", *words.split()], input="\n".join([*answers, ""]), obj=environment)


def test_it_asks_again_until_agreed(workspace: Workspace, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = ("odds", "3,2,1", "odds", "1.2,3,8", "n", "quantiles", "0.3,0.8,1.3", "y", "y", "Defiance.", "Ana")
    done = converse(workspace, now, monkeypatch, "leverage.effect", *talk)
    assert done.exit_code == 0, done.stderr
    assert "expected numbers that rise" in done.stderr
    assert "no US pressure; full US pressure, as in 2025" in " ".join(done.stderr.split())
    assert max(map(len, done.stderr.splitlines())) <= 100
    assert done.stdout.count("leverage.effect = Normal") == 3
    prior = load_priors(workspace.priors)["leverage.effect"]
    assert (prior.spec, prior.rationale, prior.author) == (Normal(0.8, 0.304), "Defiance.", "Ana")


def test_it_writes_nothing_unless_told(workspace: Workspace, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(workspace)
    done = converse(workspace, now, monkeypatch, "leverage.effect", "", "1.2,3,8", "y", "n")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "Nothing was written.")
    assert converse(workspace, now, monkeypatch, "leverage.effect", "", "1.2,3,8").exit_code == 130  # the answers end: as Ctrl-C
    assert converse(workspace, now, monkeypatch, "leverage.weights").exit_code == 3
    assert contents(workspace) == before


def test_a_way_that_means_nothing_is_not_offered(workspace: Workspace, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = converse(workspace, now, monkeypatch, "ladder.rise.3").stderr
    assert "(quantiles, within-a-year, headline) [within-a-year]" in asked
    assert "(quantiles, headline) [quantiles]" in converse(workspace, now, monkeypatch, "drift.sd").stderr


def test_json_on_a_terminal_keeps_the_talk_apart(workspace: Workspace, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    done = converse(workspace, now, monkeypatch, "ladder.rise.3 --within-a-year 0.02,0.1 --json", "y", "So.", "Ana")
    assert json.loads(done.stdout)["written"] is True
    assert "4.5 %" in done.stderr
