"""Densities, quantiles and draws of every family against SciPy, and texts against themselves."""

import math
import pickle
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from forecast.priors.distributions import Beta, Distribution, Fixed, Gamma, HalfNormal, LogNormal, Normal, Quantiles, fit_beta
from forecast.priors.parsing import parse
from forecast.priors.specs import NamedNumbers, PriorSpec, SpecError, Weights, number_text

REAL = st.floats(-50, 50)
SPREAD = st.floats(0.01, 20)
SHAPE = st.floats(0.2, 200)
P = np.array([0.005, 0.05, 0.3, 0.5, 0.8, 0.95, 0.995])
QUICK = settings(max_examples=40, deadline=None)


def agrees(spec: Distribution, frozen: object, rtol: float = 1e-6) -> None:
    x = frozen.ppf(P)  # type: ignore[attr-defined]
    np.testing.assert_allclose(spec.quantile(P), x, rtol=rtol, atol=1e-9)
    np.testing.assert_allclose(spec.logpdf(x), frozen.logpdf(x), rtol=1e-7, atol=1e-7)  # type: ignore[attr-defined]


@QUICK
@given(REAL, SPREAD)
def test_normal(mean: float, sd: float) -> None:
    agrees(Normal(mean, sd), stats.norm(mean, sd))


@QUICK
@given(SPREAD)
def test_half_normal(sd: float) -> None:
    agrees(HalfNormal(sd), stats.halfnorm(scale=sd))


@QUICK
@given(SHAPE, SHAPE)
def test_beta(a: float, b: float) -> None:
    agrees(Beta(a, b), stats.beta(a, b))


@QUICK
@given(SHAPE, SPREAD)
def test_gamma(shape: float, rate: float) -> None:
    agrees(Gamma(shape, rate), stats.gamma(shape, scale=1 / rate))


@QUICK
@given(SPREAD, st.floats(0.05, 3), st.floats(0, 10))
def test_log_normal(median: float, sd: float, shift: float) -> None:
    agrees(LogNormal(median, sd, shift), stats.lognorm(sd, loc=shift, scale=median))


@QUICK
@given(st.floats(-6, 4), st.floats(0.1, 2), st.floats(0.1, 2))
def test_quantiles_on_the_logit_scale_are_a_normal_there(middle: float, left: float, right: float) -> None:
    stated = 1 / (1 + np.exp(-np.array([middle - left, middle, middle + right])))
    spec = Quantiles(*map(float, stated), scale="logit")
    normal = stats.norm(middle, (left + right) / 3.29)
    x = 1 / (1 + np.exp(-normal.ppf(P)))
    np.testing.assert_allclose(spec.quantile(P), x, rtol=1e-9)
    np.testing.assert_allclose(spec.logpdf(x), normal.logpdf(normal.ppf(P)) - np.log(x * (1 - x)), rtol=1e-6, atol=1e-6)


@QUICK
@given(st.floats(0.1, 500), st.floats(1.2, 20))
def test_quantiles_on_the_log_scale_are_a_log_normal(median: float, factor: float) -> None:
    spec = Quantiles(median / factor, median, median * factor, scale="log")
    agrees(spec, stats.lognorm(2 * math.log(factor) / 3.29, scale=median))


@QUICK
@given(st.floats(0.5, 60), st.floats(0.5, 60))
def test_the_beta_fitted_to_the_quantiles_of_a_beta_has_them(a: float, b: float) -> None:
    stated = stats.beta(a, b).ppf([0.05, 0.5, 0.95])
    np.testing.assert_allclose(stats.beta(*fit_beta(*stated)).ppf([0.05, 0.5, 0.95]), stated, atol=1e-5)


@pytest.mark.parametrize("stated", [(0.009, 0.065, 0.26), (0.27, 0.58, 0.77), (0.2, 0.44, 0.75), (0.064, 0.17, 0.33)])
def test_the_beta_fit_is_the_least_squares_one(stated: tuple[float, float, float]) -> None:
    from scipy.optimize import least_squares

    peer = least_squares(
        lambda t: stats.beta(*np.exp(t)).ppf([0.05, 0.5, 0.95]) - stated, np.log([2.0, 4.0]), xtol=1e-12, ftol=1e-12, gtol=1e-12
    )
    np.testing.assert_allclose(fit_beta(*stated), np.exp(peer.x), rtol=1e-4)


@pytest.mark.parametrize("stated", [(0.01, 0.02, 0.5), (0.01, 0.1, 0.9), (0.05, 0.06, 0.9), (0.0376, 0.061, 0.872), (0.1, 0.94, 0.95)])
def test_skewed_quantiles_have_their_beta_too(stated: tuple[float, float, float]) -> None:
    """SciPy's simplex, from the best of a grid, finds none that is better."""

    def miss(log_ab: Sequence[float]) -> float:
        return float(((stats.beta(*np.exp(log_ab)).ppf([0.05, 0.5, 0.95]) - stated) ** 2).sum())

    start = min(((x, y) for x in range(-3, 5) for y in range(-3, 5)), key=miss)
    best = optimize.minimize(miss, start, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12})
    assert miss(np.log(fit_beta(*stated)).tolist()) <= best.fun + 1e-6


SPECS: list[tuple[PriorSpec, str | None]] = [
    (Normal(1.6, 0.8), None),
    (Normal(-0.3, 1e-05), None),
    (HalfNormal(0.15), None),
    (Beta(1, 19), None),
    (Gamma(0.5, 1), None),
    (LogNormal(12, 0.6, shift=3), None),
    (LogNormal(4, 0.7), None),
    (Quantiles(0.0011, 0.0067, 0.031, "logit"), "logit"),
    (Quantiles(180, 880, 4200, "log"), "log"),
    (Quantiles(0.064, 0.17, 0.33, "beta"), "beta"),
    (Fixed(0.75), None),
    (Weights({"economic": 1 / 3, "diplomatic": 1 / 3, "security": 1 / 3}), None),
    (NamedNumbers({"rise_low": 0.4, "stay_high": 0.0}), None),
]


@pytest.mark.parametrize(("spec", "scale"), SPECS, ids=str)
def test_text_is_read_back_as_the_same_spec(spec: PriorSpec, scale: str | None) -> None:
    assert parse(str(spec), scale) == spec  # type: ignore[arg-type]
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert hash(parse(str(spec), scale)) == hash(spec)  # type: ignore[arg-type]


@pytest.mark.parametrize("spec", [s for s, _ in SPECS if isinstance(s, Distribution) and not isinstance(s, Fixed)], ids=str)
def test_draws_follow_the_quantiles(spec: Distribution) -> None:
    draws = spec.sample(np.random.default_rng(7), (100, 200))
    assert draws.shape == (100, 200)
    below = np.mean(draws.ravel()[:, None] <= spec.quantile(P), axis=0)
    assert np.all(np.abs(below - P) < 4.5 * np.sqrt(P * (1 - P) / draws.size))


def test_the_texts_of_the_contract() -> None:
    assert str(Normal(0.8, 0.3)) == "Normal(0.8, 0.3)"
    assert str(Quantiles(0.01, 0.04, 0.12, "logit")) == "quantiles(0.01, 0.04, 0.12)"
    assert str(Weights({"a": 1 / 3, "b": 2 / 3})) == "Weights(a=1/3, b=2/3)"
    assert str(parse("Normal( logit(0.65) , sd = 1/2 )")) == "Normal(logit(0.65), 0.5)"


@given(st.floats(allow_nan=False, allow_infinity=False))
@QUICK
def test_a_number_is_written_exactly(x: float) -> None:
    assert parse(f"Fixed({number_text(x)})") == Fixed(x)


@pytest.mark.parametrize("x", [-0.1, 1.2])
def test_there_is_no_mass_outside_the_support(x: float) -> None:
    assert Beta(1, 1).logpdf(x) == -np.inf
    assert Quantiles(0.1, 0.2, 0.3, "logit").logpdf(x) == -np.inf
    assert (HalfNormal(1).logpdf(x) == -np.inf) == (x < 0)
    assert (Gamma(2, 1).logpdf(x) == -np.inf) == (x < 0)
    assert Beta(1, 3).logpdf(0.0) == pytest.approx(math.log(3))  # an edge that has mass


BAD = [
    "Normal(0, 0)",
    "Normal(1, -0.2)",
    "Normal(nan, 1)",
    "Normal(1e400, 1)",
    "Normal(0)",
    "Normal(0, 1, 2)",
    "Normal(0, sd=1, mean=0)",
    "HalfNormal(-1)",
    "Beta(0, 1)",
    "Gamma(1, 0)",
    "LogNormal(0, 1)",
    "quantiles(0.1, 0.05, 0.2)",
    "quantiles(0.1, 0.1, 0.2)",
    "quantiles(0, 0.1, 0.2)",
    "quantiles(0.5, 0.9, 1.2)",
    "quantiles(4, 10, 20)",
    "Weights(main=0.5, other=0.6)",
    "Weights(0.5, 0.5)",
    "Weights()",
    "Weights(main=1.5, other=-0.5)",
    "Table(a=-1)",
    "Fixed(True)",
    "Fixed('3')",
    "Fixed(1/0)",
    "Fixed(__import__('os').getpid())",
    "Gaussian(0, 1)",
    "Normal(0, 1",
    "0.3",
    "",
    "(" * 5000,
    "Fixed(1" + "0" * 5000 + ")",
    "Fixed(\0)",
]


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:40])
def test_what_cannot_be_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse(text, "logit")
    assert refused.value.expected
    assert refused.value.remedy.endswith((".", "?"))


@settings(max_examples=80, deadline=None)
@given(st.one_of(st.text(max_size=40), st.from_regex(r"(Normal|quantiles|Weights|Fixed|Beta)\([-\w.,=/ ]{0,20}\)", fullmatch=True)))
def test_any_text_is_a_spec_or_refused(text: str) -> None:
    try:
        spec = parse(text, "beta")
    except SpecError:
        return
    assert parse(str(spec), "beta") == spec


def test_a_wrong_family_is_answered_with_the_nearest() -> None:
    with pytest.raises(SpecError, match="Did you mean Normal"):
        parse("Nomral(0, 1)")


def test_importing_the_priors_imports_neither_scipy_nor_pydantic() -> None:
    code = "import sys, forecast.priors.load, forecast.priors.descriptions, forecast.priors.implied, forecast.priors.apply_edits\n"
    code += "print([m for m in ('scipy', 'pydantic', 'pymc', 'tomlkit', 'click') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
