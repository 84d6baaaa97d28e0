"""Pools of beliefs: against SciPy's mixtures and closed forms of the log pool, and the command."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forecast.errors import InputError
from forecast.priors.distributions import Beta, Distribution, Gamma, LogNormal, Normal, Quantiles
from forecast.priors.expert_pooling import COMPARED_AT, Method, Opinion, parse_opinion, pool_opinions, read_opinions
from forecast.priors.load import load_priors
from forecast.priors.specs import SpecError
from forecast.workspace import Workspace, bundled_root

type Command = Callable[..., Result]

PRIORS = load_priors(bundled_root() / "priors")
EFFECT = "leverage.effect"


def pooled(name: str, *specs: Distribution, weights: tuple[float, ...] = (), method: Method = "linear"):  # type: ignore[no-untyped-def]  # Pooled
    each = weights or (1.0,) * len(specs)
    opinions = [Opinion(f"p{i}", spec, w) for i, (spec, w) in enumerate(zip(specs, each, strict=True))]
    return pool_opinions(name, opinions, PRIORS.spec(name), method)


@settings(max_examples=25)
@given(
    st.floats(-2, 2), st.floats(0.1, 1), st.floats(-2, 2), st.floats(0.1, 1), st.floats(0.1, 0.9),
)  # fmt: skip
def test_the_linear_pool_is_the_mixture(a: float, sa: float, b: float, sb: float, w: float) -> None:
    values = pooled(EFFECT, Normal(a, sa), Normal(b, sb), weights=(w, 1 - w))
    at = np.array(values.exact)
    assert w * stats.norm(a, sa).cdf(at) + (1 - w) * stats.norm(b, sb).cdf(at) == pytest.approx(COMPARED_AT, abs=1e-3)
    assert values.within == pytest.approx(w * sa**2 + (1 - w) * sb**2, rel=0.01)
    assert values.between == pytest.approx(w * (1 - w) * (a - b) ** 2, abs=1e-6)
    low, _, high = (values.exact[COMPARED_AT.index(p)] for p in (0.05, 0.5, 0.95))
    assert isinstance(values.spec, Normal)
    assert values.spec.sd == pytest.approx((high - low) / 3.29, rel=0.01)  # three figures


def test_the_log_pool_of_normals_is_a_normal_of_weighted_precision() -> None:
    values = pooled(EFFECT, Normal(0.8, 0.3), Normal(1.5, 0.5), weights=(2, 1), method="log")
    precision = 2 / 3 / 0.3**2 + 1 / 3 / 0.5**2
    mean = (2 / 3 * 0.8 / 0.3**2 + 1 / 3 * 1.5 / 0.5**2) / precision
    assert values.exact == pytest.approx(stats.norm(mean, precision**-0.5).ppf(COMPARED_AT), abs=1e-3)
    assert values.largest_gap < 0.005


def test_the_log_pool_of_betas_and_of_gammas_is_one_of_them() -> None:
    betas = pooled("ladder.skip_up.3", Beta(2, 10), Beta(6, 6), weights=(1, 3), method="log")
    assert betas.exact == pytest.approx(stats.beta(5, 7).ppf(COMPARED_AT), abs=1e-3)
    gammas = pooled("companion.new-tariff", Gamma(2, 4), Gamma(4, 10), method="log")
    assert gammas.exact == pytest.approx(stats.gamma(3, scale=1 / 7).ppf(COMPARED_AT), rel=2e-3)


def test_pools_of_rises_and_stays_are_on_their_own_scale() -> None:
    """On the logit scale the log pool of equals is halfway, whatever density per unit would say."""
    a, b = Quantiles(0.005, 0.01, 0.02, "logit"), Quantiles(0.05, 0.0973, 0.1818, "logit")
    values = pooled("ladder.rise.3", a, b, method="log")
    middle = (a.location / a.sd**2 + b.location / b.sd**2) / (1 / a.sd**2 + 1 / b.sd**2)
    assert math.log(values.exact[2] / (1 - values.exact[2])) == pytest.approx(middle, abs=2e-3)
    months = pooled("ladder.stay.3", Quantiles(10, 20, 40, "log"), Quantiles(40, 80, 160, "log"))
    assert months.exact[2] == pytest.approx(40, rel=0.01)
    assert months.between == pytest.approx((math.log(4) / 2) ** 2, rel=0.01)


def test_people_who_say_the_same_do_not_disagree() -> None:
    for method in ("linear", "log"):
        values = pooled(EFFECT, Normal(1, 0.5), Normal(1, 0.5), Normal(1, 0.5), method=method)
        assert values.disagreement == pytest.approx(0, abs=1e-9)
        assert values.largest_gap < 0.005
        assert values.spec == Normal(1.0, 0.5)


def test_humps_are_said_to_be_no_member_of_the_family() -> None:
    values = pooled(EFFECT, Normal(-2, 0.2), Normal(2, 0.2))
    assert values.disagreement > 0.95
    ours, theirs = stats.norm(values.spec.mean, values.spec.sd), (stats.norm(-2, 0.2), stats.norm(2, 0.2))
    x = np.linspace(-4, 4, 4_001)
    gap = np.abs(ours.cdf(x) - (theirs[0].cdf(x) + theirs[1].cdf(x)) / 2).max()
    assert values.largest_gap == pytest.approx(gap, abs=0.01)
    assert values.largest_gap > 0.15


@pytest.mark.parametrize(
    ("name", "opinions", "message"),
    [
        (EFFECT, [Opinion("a", Normal(1, 1))], "at least two"),
        (EFFECT, [Opinion("a", Normal(1, 1)), Opinion("a", Normal(2, 1))], "once"),
        (EFFECT, [Opinion("a", Normal(1, 1)), Opinion("", Normal(2, 1))], "name"),
        (EFFECT, [Opinion("a", Normal(1, 1)), Opinion("b", Normal(2, 1), 0.0)], "above 0"),
        (EFFECT, [Opinion("a", Normal(1, 1)), Opinion("b", Normal(2, 1), math.nan)], "above 0"),
        ("drift.half_life", [Opinion("a", LogNormal(12, 0.6)), Opinion("b", LogNormal(12, 0.6, 3))], "one range"),
        ("readings.weights", [], "a belief about one uncertain number"),
        ("outside_view.selection", [], "a belief about one uncertain number"),
    ],
)
def test_what_cannot_be_pooled_is_refused(name: str, opinions: list[Opinion], message: str) -> None:
    with pytest.raises(SpecError) as refused:
        pool_opinions(name, opinions, PRIORS.spec(name))
    assert message in f"{refused.value.expected} {refused.value.remedy}"


def test_a_shift_that_all_share_is_kept() -> None:
    values = pooled("drift.half_life", LogNormal(10, 0.5, 3), LogNormal(20, 0.5, 3))
    assert isinstance(values.spec, LogNormal)
    assert values.spec.shift == 3
    assert values.exact[2] == pytest.approx(3 + math.sqrt(200), rel=0.01)


def test_opinions_are_read_from_the_command_line_and_from_files() -> None:
    assert parse_opinion(EFFECT, "Ana: Normal(1, 2)", 1) == Opinion("Ana", Normal(1, 2))
    assert parse_opinion(EFFECT, " Normal(1, 2) ", 2) == Opinion("person 2", Normal(1, 2))
    text = "# asked in May\nname,q05,q50,q95,weight\nAna,0.2%,1%,5%,2\n\nBen, 0.02, 0.05, 0.1,\n"
    ana, ben = read_opinions("ladder.rise.3", text, PRIORS.spec("ladder.rise.3"), "asked.csv")
    assert ana == Opinion("Ana", Quantiles(0.002, 0.01, 0.05, "logit"), 2.0)
    assert ben == Opinion("Ben", Quantiles(0.02, 0.05, 0.1, "logit"))


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        ("name,q05,q50", 1, None),
        ("name,q05,q50,q95\nAna,1,2", 2, None),
        ("name,q05,q50,q95\n# a remark\nAna,3,2,1", 3, None),
        ("name,q05,q50,q95\n\nAna,1,b,3", 3, "q50"),
        ("name,q05,q50,q95\nAna,1,007,3", 2, "q50"),
        ("name,q05,q50,q95\nAna,1,2,1_0", 2, "q95"),
        ("name,q05,q50,q95\nA\x1bna,1,2,3", 2, "name"),
        ("name;q05;q50;q95\nAna;1;2;3", 1, None),
    ],
)
def test_files_that_say_something_else_are_refused_with_their_place(text: str, row: int, column: str | None) -> None:
    with pytest.raises(InputError) as refused:
        read_opinions(EFFECT, text, PRIORS.spec(EFFECT), "asked.csv")
    assert [(p.file, p.row, p.column) for p in refused.value.problems] == [("asked.csv", row, column)]


# ---- the command


def test_the_command_shows_who_says_what_and_writes_nothing(workspace: Workspace, command: Command) -> None:
    cwd = workspace.data.parent
    before = {p: p.read_bytes() for p in workspace.priors.rglob("*.toml")}
    result = command("priors", "pool", EFFECT, "Normal(0.8, 0.3)", "Ben: Normal(2.5, 0.3)", "--weights", "2,1", cwd=cwd)
    assert result.exit_code == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 80
    printed = " ".join(result.stdout.split())
    for words in (
        "person 1 67 %",
        "Ben 33 %",
        "linear pool",
        "as a prior",
        "88 % of the variance is between people",
        "Nothing was written",
    ):
        assert words in printed
    assert f"forecast priors set '{EFFECT} = Normal(" in printed
    assert "Publish a run to see the effect" in printed
    assert {p: p.read_bytes() for p in workspace.priors.rglob("*.toml")} == before


def test_the_line_it_ends_with_can_be_used(workspace: Workspace, command: Command) -> None:
    cwd = workspace.data.parent
    fitted = json.loads(command("priors", "pool", "ladder.skip_up.3", "Beta(2, 10)", "quantiles(0.1, 0.3, 0.5)", "--json", cwd=cwd).stdout)
    assert command("priors", "set", f"ladder.skip_up.3 = {fitted['to']}", "--why", "Pooled.", "--by", "me", cwd=cwd).exit_code == 0
    assert str(load_priors(workspace.priors).spec("ladder.skip_up.3")) == fitted["to"]
    assert fitted["variance"]["disagreement"] == pytest.approx(
        fitted["variance"]["between"] / (fitted["variance"]["between"] + fitted["variance"]["within"])
    )
    assert set(fitted["pool"]) == {"q05", "q25", "q50", "q75", "q95"}
    assert fitted["fit"]["q50"] == pytest.approx(fitted["pool"]["q50"], rel=0.1)


def test_the_log_pool_is_narrower_and_says_so(workspace: Workspace, command: Command) -> None:
    cwd, beliefs = workspace.data.parent, ("Normal(0, 0.4)", "Normal(2, 0.4)")
    linear = json.loads(command("priors", "pool", EFFECT, *beliefs, "--json", cwd=cwd).stdout)
    log = command("priors", "pool", EFFECT, *beliefs, "--method", "log", cwd=cwd).stdout
    assert "ignores this disagreement" in " ".join(log.split())
    assert (
        linear["pool"]["q95"]
        > 2
        > json.loads(command("priors", "pool", EFFECT, *beliefs, "--method", "log", "--json", cwd=cwd).stdout)["pool"]["q95"]
    )


def test_a_file_of_people_is_read(workspace: Workspace, command: Command, tmp_path: Path) -> None:
    (tmp_path / "asked.csv").write_text("name,q05,q50,q95,weight\nAna,0.2,1,1.8,3\nBen,1,2,3,1\n", encoding="utf-8")
    fitted = json.loads(command("priors", "pool", EFFECT, "--file", tmp_path / "asked.csv", "--json", cwd=workspace.data.parent).stdout)
    assert [(o["person"], o["weight"]) for o in fitted["opinions"]] == [("Ana", 0.75), ("Ben", 0.25)]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("leverage.efect", "Normal(1, 1)", "Normal(2, 1)"), 3),
        ((EFFECT, "Normal(1, 1)"), 3),
        ((EFFECT, "Normal(1, 1)", "Normal(2, 0)"), 3),
        ((EFFECT, "Normal(1, 1)", "Beta(2, 1)"), 3),
        ((EFFECT, "Normal(1, 1)", "Normal(2, 1)", "--weights", "1"), 3),
        ((EFFECT, "Normal(1, 1)", "Normal(2, 1)", "--weights", "1,x"), 3),
        (("readings.weights", "Weights(main=1)", "Weights(main=1)"), 3),
        ((EFFECT, "Normal(1, 1)", "Normal(2, 1)", "--method", "mean"), 2),
        ((EFFECT, "--file", "nowhere.csv"), 2),
    ],
)
def test_bad_input_ends_in_a_sentence(workspace: Workspace, command: Command, words: tuple[str, ...], code: int) -> None:
    result = command("priors", "pool", *words, cwd=workspace.data.parent)
    assert result.exit_code == code, result.stderr
    assert "Unexpected" not in result.stderr
    assert result.stderr.strip()
