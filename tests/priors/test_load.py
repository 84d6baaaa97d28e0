"""The bundled prior files say what the model's description says; files that are wrong are refused with all that is wrong."""

import math
import pickle
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from forecast.errors import InputError
from forecast.priors.apply_edits import edit_prior_text
from forecast.priors.catalogue import CATALOGUE, closest_name
from forecast.priors.distributions import Beta, Fixed, Gamma, HalfNormal, LogNormal, Normal, Quantiles
from forecast.priors.load import load_priors
from forecast.priors.plausibility import check_reading_names, plausibility_warnings
from forecast.priors.specs import NamedNumbers, PriorSpec, Weights
from forecast.storage.atomic import replace_text

BUNDLED = Path(__file__).parents[2] / "priors"

DEFAULTS: dict[str, PriorSpec] = {
    "leverage.effect": Normal(1.6, 0.8),
    "leverage.effect_on_falls": Normal(0.25, 0.65),
    "leverage.weights": Weights({"economic": 1 / 3, "diplomatic": 1 / 3, "security": 1 / 3}),
    "leverage.half_life.economic": Fixed(3),
    "leverage.half_life.diplomatic": Fixed(3),
    "leverage.half_life.security": Fixed(6),
    "ladder.skip_up.1": Beta(1, 1),
    "overdose.level_effect": Normal(0.1, 0.15),
    "overdose.change_effect": Normal(0.3, 0.4),
    "opposition.effect": Normal(0.4, 0.3),
    "opposition.mobilisation": HalfNormal(0.3),
    "administration.sd": HalfNormal(0.3),
    "drift.sd": HalfNormal(0.5),
    "drift.half_life": LogNormal(12, 0.6, shift=3),
    "readings.weights": Weights({"main": 0.45, "advisers_stayed": 0.35, "denials_true": 0.1, "covert_true": 0.1}),
    "direct.rate": Quantiles(0.005, 0.02, 0.08, "logit"),
    "direct.leverage": Normal(1.5, 0.8),
    "events.sufficiency": Normal(0.2, 0.3),
    "events.backlash": Normal(0.2, 0.3),
    "events.demand": Normal(0.1, 0.2),
    "events.determination": Beta(1, 19),
    "opposition.wording.unilateral": Normal(0.5, 0.5),
    "opposition.wording.coordinated": Normal(-1, 0.5),
    "opposition.wording.agents": Normal(-0.3, 0.5),
    "opposition.house_sd": HalfNormal(0.5),
    "opposition.walk_sd": HalfNormal(0.15),
    "opposition.poll_noise": HalfNormal(0.3),
    "opposition.favourability": Normal(0.7, 0.4),
    "opposition.favourability_intercept": Normal(-1, 0.7),
    "opposition.start": Normal(math.log(0.65) - math.log1p(-0.65), 0.5),
    **{
        f"companion.{slug}": Gamma(0.5, 1)
        for slug in ("senate-vote-in", "mass-hand-over", "designation", "new-tariff", "deemed-sufficient", "deemed-insufficient")
    },
    "exposure.delay.3": LogNormal(18, 0.7),
    "exposure.delay.4": LogNormal(4, 0.7),
    "outside_view.selection": Fixed(0.75),
    "outside_view.classes": Weights({"all_but_failed": 0.5, "drug_cases": 0.25, "like_mexico": 0.25}),
    "outside_view.widening": NamedNumbers({"rise_low": 0.4, "rise_high": 0.6, "stay_low": 0.3, "stay_high": 0.5}),
}
FITTED = {
    *(f"ladder.rise.{j}" for j in range(5)),
    *(f"ladder.stay.{j}" for j in range(1, 6)),
    *(f"ladder.skip_up.{i}" for i in (2, 3, 4)),
    *(f"ladder.skip_down.{i}" for i in (1, 2, 3, 4)),
    "ladder.just_risen",
}
RISE_0 = str(load_priors(BUNDLED).spec("ladder.rise.0"))  # rewritten whenever the outside view is fitted anew
JUDGED = {"exposure.never.3", "exposure.never.4"}


def test_the_defaults_are_those_of_the_model() -> None:
    priors = load_priors(BUNDLED)
    assert {name: priors.spec(name) for name in DEFAULTS} == DEFAULTS


def test_the_catalogue_has_every_name_and_no_other() -> None:
    assert set(CATALOGUE) == set(DEFAULTS) | FITTED | JUDGED
    assert list(load_priors(BUNDLED)) == list(CATALOGUE)


def test_every_prior_says_why_and_from_where() -> None:
    for name, prior in load_priors(BUNDLED).items():
        assert len(prior.rationale) > 40, name
        assert min(prior.source, prior.author) > "", name


def test_the_bundled_priors_are_not_odd_and_have_the_readings_of_the_data() -> None:
    priors = load_priors(BUNDLED)
    assert [p for p in plausibility_warnings(priors) if p.column not in FITTED] == []
    assert check_reading_names(priors, ["advisers_stayed", "denials_true", "covert_true"]) == ()
    others = check_reading_names(priors, ["advisers_stayed", "denials_true", "new"])
    assert {p.found for p in others} == {"a weight of covert_true", "no weight of new"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BUNDLED, tmp_path / "priors"))


def edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def refused(folder: Path) -> InputError:
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(InputError) as caught:
        load_priors(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    return caught.value


@pytest.mark.parametrize(
    ("file", "old", "new", "message", "row"),
    [
        ("leverage.toml", '"Normal(1.6, 0.8)"', '"Normal(1.6, -0.8)"', "sd above 0", 4),
        ("leverage.toml", '"Normal(1.6, 0.8)"', '"Normal(1.6, nan)"', "plain numbers", 4),
        ("leverage.toml", '"Normal(1.6, 0.8)"', '"HalfNormal(0.8)"', "Normal for leverage.effect", 4),
        ("leverage.toml", '"Normal(1.6, 0.8)"', "1.6", "a text", 4),
        ("leverage.toml", '["leverage.effect"]', '["leverage.efect"]', "Did you mean leverage.effect?", 3),
        ("leverage.toml", '["leverage.effect"]', "[leverage.effect]", 'in quotes: ["leverage.effect"]', 3),
        ("leverage.toml", "\nwhy =", "\nwyh =", "Did you mean why?", 5),
        ("leverage.toml", "economic=1/3", "economic=1/2", "weights that sum to 1", None),
        ("leverage.toml", "economic=1/3", "economics=1/3", "exactly the parts economic", None),
        ("leverage.toml", "Fixed(3)", "Fixed(0)", "values above 0", None),
        ("leverage.toml", "date = 2026-11-24", 'date = "2026-11-24"', "without quotes", 8),
        ("leverage.toml", "date = 2026-11-24", "date = 2026-13-24", "text that is not TOML", 8),
        ("leverage.toml", '"Normal(1.6, 0.8)"', '"Normal(1.6, 0.8)', "text that is not TOML", 4),
        ("ladder.toml", RISE_0, "quantiles(0.03, 0.021, 0.11)", "quantiles that rise", 5),
        ("ladder.toml", RISE_0, "quantiles(3, 21, 110)", "probabilities below 1", 5),
        ("ladder.toml", RISE_0, "Beta(1, 20)", "quantiles for ladder.rise.0", 5),
        ("outside_view.toml", "Fixed(0.75)", "Fixed(1.2)", "at most 1", 4),
        ("outside_view.toml", "Fixed(0.75)", "Fixed(0)", "values above 0", 4),
        ("drift.toml", "LogNormal(12, 0.6, shift=3)", "LogNormal(12, 0.6, shift=-2)", "values above 0", None),
        ("drift.toml", "LogNormal(12, 0.6, shift=3)", "LogNormal(12, 0.6, shift=15)", "a support that holds 12 months", None),
        ("readings.toml", "main=0.45", "mian=0.45", "a weight of main", 4),
    ],
)
def test_one_thing_wrong_is_said_with_its_place(folder: Path, file: str, old: str, new: str, message: str, row: int | None) -> None:
    edit(folder, file, old, new)
    error = refused(folder)
    first = error.problems[0]
    assert (error.exit_code, first.file) == (3, file)
    assert message in str(first)
    assert first.row is not None
    assert row in (None, first.row)
    assert first.remedy.endswith((".", "?", "]"))


def test_all_problems_are_said_at_once(folder: Path) -> None:
    edit(folder, "leverage.toml", "Normal(1.6, 0.8)", "Normal(1.6, 0)")
    edit(folder, "drift.toml", "HalfNormal(0.3)", "HalfNormal(inf)")
    (folder / "direct.toml").unlink()
    (folder / "events.toml").write_bytes(b"\xff\xfe")
    assert {p.file for p in refused(folder).problems} == {"leverage.toml", "drift.toml", "direct.toml", "events.toml"}


def test_a_missing_prior_is_named_once(folder: Path) -> None:
    text = (folder / "direct.toml").read_text(encoding="utf-8")
    start = text.index('["direct.leverage"]')
    (folder / "direct.toml").write_text(text[:start], encoding="utf-8")
    assert [p.found for p in refused(folder).problems] == ["no direct.leverage"]


def test_a_prior_in_another_file_or_twice_is_refused(folder: Path) -> None:
    text = (folder / "direct.toml").read_text(encoding="utf-8")
    (folder / "extra.toml").write_text(text, encoding="utf-8")
    assert {p.remedy for p in refused(folder).problems} >= {"Move it there."}


def test_an_empty_folder_is_said_in_a_line_a_file(tmp_path: Path) -> None:
    assert len(refused(tmp_path).problems) == len({entry.file for entry in CATALOGUE.values()})


def test_the_nearest_name() -> None:
    assert closest_name("leverage.efect") == "leverage.effect"
    assert closest_name("ladder.rises.3") == "ladder.rise.3"


def test_replacing_changes_the_digest_and_nothing_else(folder: Path) -> None:
    priors = load_priors(folder)
    edited = priors.replace({"leverage.effect": Normal(0.8, 0.3)})
    assert edited.spec("leverage.effect") == Normal(0.8, 0.3)
    assert {n for n in priors if priors[n] != edited[n]} == {"leverage.effect"}
    assert edited.digest() != priors.digest()
    assert edited.replace({"leverage.effect": Normal(1.6, 0.8)}).digest() == priors.digest()
    assert pickle.loads(pickle.dumps(edited)).digest() == edited.digest()


def test_the_digest_is_of_the_meaning(folder: Path) -> None:
    before = load_priors(folder).digest()
    edit(folder, "leverage.toml", "Normal(1.6, 0.8)", "normal(mean=1.60, sd=8/10)")
    edit(folder, "leverage.toml", 'by = "the maintainers"', 'by = "another"')
    assert load_priors(folder).digest() == before


def test_impossible_edits_are_all_refused() -> None:
    with pytest.raises(InputError) as caught:
        load_priors(BUNDLED).replace({"leverage.efect": Normal(0, 1), "outside_view.selection": Fixed(2), "drift.sd": Normal(0, 1)})
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("name", "spec", "message"),
    [
        ("ladder.stay.1", Quantiles(20, 60, 180, "log"), "end in refusal"),
        ("ladder.stay.4", Quantiles(0.2, 40, 8000, "log"), "Single acts"),
        ("ladder.rise.2", Quantiles(0.3, 0.6, 0.9, "logit"), "without pressure"),
        ("ladder.skip_up.3", Beta(5, 5), "past embedded"),
        ("ladder.skip_up.2", Beta(99, 1), "multiply; check both"),
        ("leverage.effect", Normal(-1, 0.5), "the other way"),
        ("leverage.effect", Normal(1, 5), "90 % interval spans"),
        ("ladder.rise.3", Quantiles(0.001, 0.002, 0.3, "logit"), "which becomes"),
        ("ladder.skip_down.2", Quantiles(0.1, 0.15, 0.9, "beta"), "which becomes"),
    ],
)
def test_what_is_odd_is_warned_about(name: str, spec: PriorSpec, message: str) -> None:
    result = plausibility_warnings(load_priors(BUNDLED).replace({name: spec}))
    mine = [p for p in result if p.column == name and message in str(p)]
    assert [p.severity for p in mine] == ["warning"]


def rewrite(path: Path, specs: dict[str, PriorSpec], why: str | None = None) -> None:
    message = {"source": "a fit", "by": "somebody", "date": date(2026, 12, 1)} | ({"why": why} if why else {})
    replace_text(path, edit_prior_text(path, specs, dict.fromkeys(specs, message)))


def test_rewritten_priors_are_read_back_and_comments_stay(folder: Path) -> None:
    path, before = folder / "ladder.toml", load_priors(folder)
    edit(folder, "ladder.toml", '["ladder.rise.3"]', '# a remark\n["ladder.rise.3"]  # another')
    specs: dict[str, PriorSpec] = {"ladder.rise.3": Quantiles(0.00123, 0.0071, 0.04, "logit"), "ladder.just_risen": Normal(2.25, 1.11)}
    rewrite(path, specs)
    after = load_priors(folder)
    assert {name: after.spec(name) for name in specs} == specs
    assert (after["ladder.rise.3"].author, after["ladder.rise.3"].date) == ("somebody", date(2026, 12, 1))
    assert after["ladder.rise.3"].rationale == before["ladder.rise.3"].rationale
    assert {n for n in before if before[n] != after[n]} == set(specs)
    assert '# a remark\n["ladder.rise.3"]  # another' in path.read_text(encoding="utf-8")


def test_rewriting_with_the_same_values_changes_no_byte(folder: Path) -> None:
    path, specs = folder / "ladder.toml", {"ladder.stay.2": Quantiles(50.0, 200.0, 900.0, "log")}
    rewrite(path, {**specs}, "because")
    once = path.read_bytes()
    rewrite(path, {**specs}, "because")
    assert path.read_bytes() == once
    assert load_priors(folder)["ladder.stay.2"].rationale == "because"


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("ladder.rise.9", Quantiles(0.1, 0.2, 0.3, "logit")),
        ("ladder.just_risen", Quantiles(0.1, 0.2, 0.3, "logit")),
        ("ladder.rise.2", Quantiles(0.1, 0.2, 0.3, "beta")),
        ("ladder.rise.2", Normal(0.1, 0.2)),
        ("direct.rate", Quantiles(0.1, 0.2, 0.3, "logit")),  # stands in another file
    ],
)
def test_an_impossible_rewrite_leaves_the_file_alone(folder: Path, name: str, spec: PriorSpec) -> None:
    path = folder / "ladder.toml"
    before = path.read_bytes()
    with pytest.raises(InputError) as caught:
        rewrite(path, {"ladder.rise.1": Quantiles(0.01, 0.02, 0.03, "logit"), name: spec})
    assert [p.column for p in caught.value.problems] == [name]
    assert path.read_bytes() == before
    assert sorted(p.name for p in folder.iterdir()) == sorted(p.name for p in BUNDLED.iterdir())


def test_a_file_that_is_no_toml_is_not_rewritten(folder: Path) -> None:
    edit(folder, "ladder.toml", 'why = "', "why = ")
    with pytest.raises(InputError, match="not TOML"):
        rewrite(folder / "ladder.toml", {"ladder.rise.1": Quantiles(0.01, 0.02, 0.03, "logit")})


def test_typed_access_refuses_another_kind() -> None:
    priors = load_priors(BUNDLED)
    assert priors.value("outside_view.selection") == 0.75
    assert priors.parts("readings.weights")["main"] == 0.45
    for call, name in ((priors.value, "drift.sd"), (priors.parts, "drift.sd"), (priors.distribution, "readings.weights")):
        untyped: Callable[[str], object] = call
        with pytest.raises(TypeError, match=name):
            untyped(name)
