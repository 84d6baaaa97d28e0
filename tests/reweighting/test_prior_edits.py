"""Edited priors answered from draws, against drawing or counting anew.

Here the draws come from the prior, so that both ways are exact but for noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from forecast.arrays.psis import pareto_smooth
from forecast.errors import InputError
from forecast.forecasting.ladder_forecast import forecast_from_history
from forecast.forecasting.parameter_draws import from_prior
from forecast.forecasting.question_forecasts import DisclosureDelay, probability_disclosed
from forecast.model.events import COUNTED
from forecast.model.hyperparameters import tolerance_priors
from forecast.priors.catalogue import CATALOGUE
from forecast.priors.distributions import Beta, Gamma
from forecast.priors.load import Priors
from forecast.priors.parsing import parse_prior
from forecast.reweighting import edit_effects
from forecast.reweighting.draws_archive import pack
from forecast.reweighting.driver_update import ELASTICITIES, LEVERAGE, POLLS
from forecast.reweighting.edit_effects import FITTED, answerable, edited_priors
from forecast.reweighting.estimate import LadderQuestions, control_variate_mean
from forecast.reweighting.importance_ratios import PARAMETER_READERS, log_ratio
from forecast.reweighting.prior_edits import EditedForecast, reweight_to_priors
from tests.support.prior_forecasts import SIZE, prior_forecast
from tests.support.random_edits import near

HEADLINE = "reach-4-12m"


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    return pack(prior_forecast())


def edited(**edits: str) -> Priors:
    named = {name.replace("__", "."): text for name, text in edits.items()}
    return prior_forecast().origin_state.priors.replace({name: parse_prior(name, text) for name, text in named.items()})


def tried(arrays: dict[str, Any], **edits: str) -> EditedForecast:
    return reweight_to_priors(arrays, prior_forecast().origin_state.priors, edited(**edits), HEADLINE)


def drawn_anew(**edits: str) -> tuple[float, float]:
    """The headline from fresh draws of the edited prior, and its standard error but for that of the paths, which are the same."""
    origin_state = prior_forecast().origin_state
    draws = from_prior(tolerance_priors(edited(**edits)), origin_state.origin, 500, np.random.default_rng(8))
    starts: dict[tuple[int, bool], Any] = {}
    total = np.zeros(draws.size)
    for name, history in origin_state.histories.items():
        here = history.level_now, history.just_risen_now
        if here not in starts:
            starts[here] = forecast_from_history(origin_state, draws, prior_forecast().pool, history).reached(4, 12)
        total += origin_state.weights[name] * starts[here]
    return float(total.mean()), float(total.std() / draws.size**0.5)


def test_every_prior_has_a_way_to_be_answered() -> None:
    ways = [
        PARAMETER_READERS,
        LEVERAGE,
        POLLS,
        ELASTICITIES,
        edit_effects.DELAYS,
        edit_effects.NEVER_DISCLOSED,
        edit_effects.COUNTED,
        edit_effects.DIRECT,
        FITTED,
    ]
    named = [name for way in ways for name in way] + [edit_effects.READING_WEIGHTS, edit_effects.SELECTION]
    assert sorted(named) == sorted(CATALOGUE)


def test_without_an_edit_the_answer_is_the_run_itself(arrays: dict[str, Any]) -> None:
    found = tried(arrays)
    assert found.accepted
    assert not found.moved
    for id_, answer in prior_forecast().answers.items():
        assert found.questions[id_].probability == pytest.approx(answer.probability, rel=1e-5)
        assert found.questions[id_].before == pytest.approx(found.questions[id_].probability, rel=1e-12)
        assert found.questions[id_].prior == pytest.approx(answer.prior, rel=1e-5)
        assert found.questions[id_].interval == pytest.approx(answer.interval, rel=1e-3)
        if answer.known is not None:
            assert found.questions[id_].known == pytest.approx(answer.known, rel=1e-5)


@pytest.mark.parametrize(
    "edits",
    [
        {"leverage__effect": "Normal(1.3, 0.7)"},
        {"drift__half_life": "LogNormal(15, 0.6, shift=3)", "administration__sd": "HalfNormal(0.25)"},
        {"outside_view__selection": "Fixed(0.9)"},
        {"ladder__skip_up__3": "Beta(9, 3)", "leverage__effect": "Normal(1.8, 0.7)", "ladder__rise__2": "quantiles(0.01, 0.03, 0.1)"},
    ],
    ids=" ".join,
)
def test_reweighting_agrees_with_drawing_anew(arrays: dict[str, Any], edits: dict[str, str]) -> None:
    found = tried(arrays, **edits)
    assert found.accepted
    exact, error = drawn_anew(**edits)
    assert abs(found.questions[HEADLINE].probability - exact) < 4 * np.hypot(found.questions[HEADLINE].mcse, error)
    assert abs(found.questions[HEADLINE].prior - exact) < 4 * np.hypot(2 * found.questions[HEADLINE].mcse, error)


def test_an_edit_far_away_is_refused_but_carries_its_numbers(arrays: dict[str, Any]) -> None:
    found = tried(arrays, leverage__effect="Normal(-3, 0.05)")
    assert found.how == "reweighted"
    assert not found.accepted
    assert 0 <= found.questions[HEADLINE].probability <= 1


def test_mass_where_no_draw_can_be_is_refused_though_the_weights_look_well(arrays: dict[str, Any]) -> None:
    """Nothing that wanders has a half-life below the old shift, so no weight could show what a lower one would do."""
    near_it, below = (tried(arrays, drift__half_life=f"LogNormal({text})") for text in ("12, 0.6, shift=2.9", "2, 0.4, shift=1"))
    assert near_it.accepted
    assert not below.accepted
    assert "no draws" in " ".join(below.notes)


def test_weights_of_readings_are_recomputed_exactly(arrays: dict[str, Any]) -> None:
    found = tried(arrays, readings__weights="Weights(main=0.2, advisers_stayed=0.6, denials_true=0.1, covert_true=0.1)")
    parts = prior_forecast().headline.by_reading
    exact = 0.2 * parts["main"] + 0.6 * parts["advisers_stayed"] + 0.1 * parts["denials_true"] + 0.1 * parts["covert_true"]
    assert found.how == "recomputed"
    assert found.questions[HEADLINE].probability == pytest.approx(exact, rel=1e-5)
    assert found.questions[HEADLINE].before == pytest.approx(prior_forecast().headline.probability, rel=1e-5)


def test_a_reading_has_the_weights_of_those_that_coincide_with_it(arrays: dict[str, Any]) -> None:
    """As where two readings say the same of every month: the first of them stands for both, whatever its name."""
    merged = {"main": ["main"], "advisers_stayed": ["advisers_stayed", "covert_true"], "denials_true": ["denials_true"]}
    as_if = arrays | {"readings": np.array(list(merged))} | {f"merged/{name}": np.array(names) for name, names in merged.items()}
    found = tried(as_if, readings__weights="Weights(main=0.3, advisers_stayed=0.1, denials_true=0.1, covert_true=0.5)")
    parts = prior_forecast().headline.by_reading
    exact = 0.3 * parts["main"] + 0.6 * parts["advisers_stayed"] + 0.1 * parts["denials_true"]
    assert found.questions[HEADLINE].probability == pytest.approx(exact, rel=1e-5)


def test_delays_of_exposure_change_what_is_known_and_nothing_else(arrays: dict[str, Any]) -> None:
    found = tried(arrays, exposure__delay__4="LogNormal(8, 0.7)", exposure__delay__3="LogNormal(24, 0.3)")
    origin_state = prior_forecast().origin_state
    rng = np.random.default_rng(4)
    normals = rng.standard_normal((2, SIZE))
    exposure = DisclosureDelay({3: 24 * np.exp(0.3 * normals[0]), 4: 8 * np.exp(0.7 * normals[1])})
    for id_ in (HEADLINE, "reach-3-6m", "reach-5-24m"):
        k, h = int(id_[6]), int(id_[8:-1])
        by_hand = sum(
            origin_state.weights[n] * probability_disclosed(made.ladder.entered[k - 1], k, h, exposure, 2).mean()
            for n, made in prior_forecast().readings.items()
        )
        assert found.questions[id_].known == pytest.approx(by_hand, rel=0.03)  # other random delays
        assert found.questions[id_].probability == pytest.approx(prior_forecast().answers[id_].probability, rel=1e-5)
    assert found.questions[HEADLINE].known < (prior_forecast().headline.known or 0)
    assert found.how == "recomputed"
    assert found.accepted
    assert not found.moved
    assert found.known_moved == {id_ for id_ in found.questions if id_.startswith(("reach-3", "reach-4"))}


def test_what_never_comes_out_changes_words_only(arrays: dict[str, Any]) -> None:
    found = tried(arrays, exposure__never__4="Beta(1, 30)")
    assert found.accepted
    assert not found.moved
    assert "words" in " ".join(found.notes)


@pytest.mark.parametrize("slug", COUNTED)
def test_a_counted_companion_is_a_gamma_with_its_count(arrays: dict[str, Any], slug: str) -> None:
    found = tried(arrays, **{f"companion__{slug}": "Gamma(3, 4)"})
    ids = [id_ for id_ in found.questions if f"-{slug}-" in id_]
    assert found.moved == set(ids)
    n, months = float(arrays["companion/counted"][COUNTED.index(slug)]), int(arrays["companion/months"])
    for id_ in ids:
        h = int(id_.rsplit("-", 1)[1][:-1])
        exact = 1 - ((4 + months) / (4 + months + h)) ** (3 + n)
        assert found.questions[id_].probability == pytest.approx(exact, abs=5 * found.questions[id_].mcse + 1e-9)
        assert found.questions[id_].expected == pytest.approx(h * (3 + n) / (4 + months), rel=0.15)
        assert found.questions[id_].prior == pytest.approx(1 - (4 / (4 + h)) ** 3, abs=0.06)


def test_deemed_insufficient_has_the_record_and_the_determination(arrays: dict[str, Any]) -> None:
    found = tried(arrays, **{"companion__deemed-insufficient": "Gamma(2, 3)", "events__determination": "Beta(5, 5)"})
    (id_,) = (i for i in found.questions if i.startswith("event-deemed-insufficient"))
    h, months = int(id_.rsplit("-", 1)[1][:-1]), int(arrays["companion/months"])
    due = sum(1 <= after <= h for after in arrays["companion/determinations"])
    spared = stats.beta(5, 5).expect(lambda p: (1 - p) ** due)
    exact = 1 - spared * ((3 + months) / (3 + months + h)) ** (2 + float(arrays["companion/answers"][1]))
    assert found.questions[id_].probability == pytest.approx(exact, abs=5 * found.questions[id_].mcse)
    assert HEADLINE not in found.moved


def test_what_is_deemed_sufficient_does_not_move_what_is_deemed_insufficient(arrays: dict[str, Any]) -> None:
    found = tried(arrays, **{"companion__deemed-sufficient": "Gamma(2, 3)"})
    said = prior_forecast().answers
    moved = {i.rsplit("-", 1)[0] for i in said if i.startswith("event-deemed") and found.questions[i].probability != said[i].probability}
    assert moved == {"event-deemed-sufficient"}


def test_hardly_an_edit_has_the_error_of_the_run(arrays: dict[str, Any]) -> None:
    """Draws that hang together count as few as they are worth, in the error and in the rule."""
    lazy = {**arrays} | {f"{n}/efficiency": np.full_like(arrays[f"{n}/efficiency"], 0.25) for n in map(str, arrays["readings"])}
    for kept, share in ((arrays, 1.0), (lazy, 0.25)):
        found = tried(kept, leverage__effect="Normal(1.6, 0.8001)")
        assert found.ess == pytest.approx(share * SIZE, rel=0.02)
        by_paths = {n: kept[f"{n}/slots"][question(kept)].var(ddof=1) / kept[f"{n}/slots"].shape[1] for n in found.diagnostics}
        for name, r in found.diagnostics.items():
            by_draws = kept[f"{name}/questions"][question(kept)].var() / (SIZE * kept[f"{name}/efficiency"][question(kept)])
            assert r.mcse == pytest.approx(np.sqrt(by_draws + by_paths[name]), rel=0.01)


def question(arrays: dict[str, Any]) -> int:
    return [str(i) for i in arrays["questions"]].index(HEADLINE)


def test_direct_action_follows_its_rate_and_the_pressure(arrays: dict[str, Any]) -> None:
    rate = tried(arrays, direct__rate="quantiles(0.02, 0.06, 0.16)", direct__leverage="Normal(0.001, 0.001)")
    exact = parse_prior("direct.rate", "quantiles(0.02, 0.06, 0.16)").sample(np.random.default_rng(1), 100_000).mean()  # type: ignore[attr-defined]
    assert rate.questions["event-direct-action-12m"].probability == pytest.approx(exact, rel=0.08)
    assert rate.moved == {f"event-direct-action-{h}m" for h in (3, 6, 12, 24)}
    pressed = tried(arrays, leverage__weights="Weights(economic=0.6, diplomatic=0.3, security=0.1)")
    assert "event-direct-action-12m" in pressed.moved


def test_several_kinds_of_edits_add_up(arrays: dict[str, Any]) -> None:
    """Weights of readings are exact and delays touch nothing else, so both at once with the rest are what each says after the rest."""
    rest = {"leverage__half_life__security": "Fixed(8)", "ladder__skip_up__3": "Beta(3, 9)", "opposition__start": "Normal(0.4, 0.4)"}
    mixture = {"readings__weights": "Weights(main=0.25, advisers_stayed=0.25, denials_true=0.25, covert_true=0.25)"}
    alone, both = tried(arrays, **rest), tried(arrays, **rest, **mixture, exposure__delay__4="LogNormal(1.5, 0.4)")
    assert both.questions[HEADLINE].probability == pytest.approx(np.mean(list(alone.questions[HEADLINE].by_reading.values())), rel=1e-9)
    known, known_alone = (q.known / q.probability for q in (both.questions[HEADLINE], alone.questions[HEADLINE]) if q.known)
    assert known > known_alone
    assert both.how == "reweighted"


@pytest.mark.parametrize(
    "name", ["leverage.weights", "opposition.walk_sd", "events.backlash", "ladder.skip_up.2", "overdose.change_effect"]
)
def test_the_prior_alone_is_answered_too_and_nothing_leaves_its_range(arrays: dict[str, Any], name: str) -> None:
    old = prior_forecast().origin_state.priors
    found = reweight_to_priors(arrays, old, old.replace({name: near(old.spec(name), name, np.random.default_rng(5))}), HEADLINE)
    for q in found.questions.values():
        assert 0 <= q.probability <= 1
        assert 0 <= q.prior <= 1
        assert q.interval[0] <= q.interval[1]
        assert q.known is None or 0 <= q.known <= q.probability + 1e-9


def test_a_ratio_of_densities_is_that_of_the_specs() -> None:
    old, new = prior_forecast().origin_state.priors, edited(leverage__effect="Normal(1, 0.5)")
    draws = prior_forecast().readings["main"].draws
    expected = new.distribution("leverage.effect").logpdf(draws.leverage) - old.distribution("leverage.effect").logpdf(draws.leverage)
    np.testing.assert_allclose(log_ratio(draws, old, new, edited_priors(old, new)), expected)


def test_what_only_a_fit_can_follow_needs_a_refit_and_carries_the_rest(arrays: dict[str, Any]) -> None:
    classes = {"outside_view__classes": "Weights(all_but_failed=0.2, drug_cases=0.4, like_mexico=0.4)"}
    found, both = tried(arrays, **classes), tried(arrays, **classes, leverage__effect="Normal(1.3, 0.7)")
    assert found.how == both.how == "refit"
    assert not found.accepted
    assert not both.accepted
    assert not found.moved
    assert both.questions[HEADLINE].probability == tried(arrays, leverage__effect="Normal(1.3, 0.7)").questions[HEADLINE].probability
    assert not answerable(["outside_view.widening"])
    assert answerable(["opposition.walk_sd", "leverage.weights"])


def test_arrays_of_an_earlier_form_get_a_sentence(arrays: dict[str, Any]) -> None:
    earlier = {name: values for name, values in arrays.items() if name not in ("form", "seed")}
    with pytest.raises(InputError, match="another version of this program"):
        tried(earlier, leverage__effect="Normal(1.3, 0.7)")


def test_a_paired_mean_follows_what_moves_and_is_exact_where_nothing_does() -> None:
    rng = np.random.default_rng(3)
    old = rng.beta(2, 20, (3, 2_000))
    weights = pareto_smooth(0.3 * rng.standard_normal(2_000)).weights
    some = rng.choice(2_000, 200, p=weights)
    target = old @ weights
    means, variance = control_variate_mean(old[:, some], old[:, some], old, weights)
    np.testing.assert_allclose(means, target)
    np.testing.assert_allclose(variance, (weights**2 * (old - target[:, None]) ** 2).sum(1))
    halved, _ = control_variate_mean(0.5 * old[:, some], old[:, some], old, weights)
    np.testing.assert_allclose(halved, 0.5 * target)
    noisy = old[:, some] + 0.01 * rng.standard_normal((3, 200))
    means, variance = control_variate_mean(noisy, old[:, some], old, weights)
    np.testing.assert_allclose(variance - (weights**2 * (old - target[:, None]) ** 2).sum(1), 0.01**2 / 200, rtol=0.4)


def test_the_same_random_delays_serve_every_prior(arrays: dict[str, Any]) -> None:
    asked = LadderQuestions.of_archive(arrays)
    old = asked.delays(prior_forecast().origin_state.priors)
    new = asked.delays(edited(exposure__delay__4="LogNormal(8, 0.7)"))
    np.testing.assert_allclose(new.delays[4], 2 * old.delays[4])
    np.testing.assert_array_equal(new.delays[3], old.delays[3])


def test_random_edits_are_of_every_prior_and_can_be(arrays: dict[str, Any]) -> None:
    old = prior_forecast().origin_state.priors
    rng = np.random.default_rng(6)
    for name in CATALOGUE:
        if name not in FITTED:
            spec = near(old.spec(name), name, rng)
            assert old.replace({name: spec}).spec(name) == spec
    assert isinstance(near(Gamma(1, 2), "companion.designation", rng), Gamma)
    assert isinstance(near(Beta(1, 2), "exposure.never.3", rng), Beta)
