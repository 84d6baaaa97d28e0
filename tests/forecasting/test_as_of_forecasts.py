"""As of a day the whole situation, and the outside view, are blind to what was published a day later; and there is one for old days too."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from forecast.data.as_of import as_of
from forecast.data.read import read_data
from forecast.data.tables import RECORDS, Data, origin
from forecast.domain import FIRST_MONTH, PartialDate, month
from forecast.errors import UsageError
from forecast.forecasting import origin_state
from forecast.forecasting.inputs import load_workspace
from forecast.model.opposition import fit_opposition
from forecast.model.outside_view_data import list_transitions
from forecast.priors.load import Priors, load_priors
from tests.support.data_editing import BUNDLED, Row, rows_of, with_rows

DAY = date(2009, 6, 30)  # early, where a situation takes a fraction of a second; all at once also on a later day
DAY_LATE = date(2025, 6, 30)
NIGHT = timedelta(days=1)


def absurd(day: date) -> Mapping[str, Row]:
    """A record for each file with a `published` column that would change much as of `day`, were it seen; deaths and polls no more than the
    gate of the drivers lets through."""
    now, year = f"{day:%Y-%m}", str(day.year)
    month_deaths, year_deaths = ("250", "2900") if day.year < 2015 else ("6800", "52000")
    return {
        "events": {"id": "B999", "date": now, "until": "", "ends": "", "intensity": "5", "kind": "measure", "channel": "economic"},
        "claims": {
            "claim_id": "ZZ",
            "start": "2006-01",
            "end": "",
            "level": "5",
            "supersedes": "",
            "basis_ids": "",
            "stance": "documented",
        },
        "readings": {"reading": "denials_true", "start": "2007-01", "end": "2009-01", "level": "5"},
        "administrations": {"country": "Mexico", "name": "Z", "start": "2008-10", "end": "2036-09"},
        "polls": {"poll_id": "zz", "field_start": now, "field_end": now, "opposed_pct": "20", "in_favour_pct": "80", "other_pct": ""},
        "overdose_final": {"month": f"{day.year - 2}-02", "deaths": month_deaths},
        "overdose_releases": {"period_end": f"{year}-01", "reported": year_deaths, "predicted": year_deaths},
        "indicators": {"month": now, "value": "999999"},
        "calendar": {"id": "KZ", "date": f"{year}-09-01", "effect": "starts", "intensity": "5", "probability": "1", "channel": "economic"},
        "spells": {"country": "Zembla", "start": f"{year}-01", "end": f"{year}-03", "level": "5"},
        "states": {"country": "Colombia", "year_start": "1986", "year_end": year, "income": "high", "capable_army": "0"},
        "pressure": {"country": "Colombia", "year_start": "1986", "year_end": year, "kind": "request"},
    }


LIKE: Mapping[str, tuple[str, str]] = {
    "events": ("id", "B009"),
    "polls": ("wording", "force_unqualified"),
    "overdose_final": ("series", "deaths_synthetic_opioids"),
    "overdose_releases": ("indicator", "synthetic_opioids"),
}
"""The row that the planted one is a copy of, where it is not the first."""

FELT = ("events", "claims", "readings", "administrations", "polls", "overdose_final", "overdose_releases", "calendar")
OF_OUTSIDE = ("spells", "states", "pressure")


@functools.cache
def bundled() -> tuple[Data, Priors]:
    return read_data(BUNDLED), load_priors(BUNDLED.parent / "priors")


@pytest.fixture
def data() -> Data:
    return bundled()[0]


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Identity does not need many."""
    monkeypatch.setattr(origin_state, "fit_opposition", functools.partial(fit_opposition, size=800))


def planted(data: Data, name: str, day: date, published: date) -> Data:
    """The data with the absurd record for `day` at the end of its file."""
    record = RECORDS[name]
    column, value = LIKE.get(name, ("published", ""))
    like = next(row for row in rows_of(BUNDLED / record.file) if (row[column] == value if value else row["published"]))
    row = record.model_validate({**like, **absurd(day)[name], "published": published.isoformat()})
    return with_rows(data, **{name: (*getattr(data, name), row)})


def pieces(value: Any) -> Iterator[bytes]:
    """Everything a result is made of, down to the bytes of its arrays."""
    if isinstance(value, np.ndarray):
        yield f"{value.dtype}{value.shape}".encode() + value.tobytes()
    elif isinstance(value, BaseModel):
        yield repr(value).encode()
    elif isinstance(value, PartialDate) or not is_dataclass(value):
        if isinstance(value, Mapping):
            for key, inner in value.items():
                yield repr(key).encode()
                yield from pieces(inner)
        elif isinstance(value, (tuple, list)):
            for inner in value:
                yield from pieces(inner)
        else:
            yield repr(value).encode()
    else:
        for field in fields(value):
            yield field.name.encode()
            yield from pieces(getattr(value, field.name))


def digest(value: Any) -> str:
    return hashlib.sha256(b"\x1f".join(pieces(value))).hexdigest()


@functools.cache
def output(day: date, published: date | None = None, names: tuple[str, ...] = ()) -> str:
    """A digest of the situation as of `day` with records planted, and of the paths that start from it; the data themselves left out."""
    data, priors = bundled()
    for name in names:
        assert published is not None
        data = planted(data, name, day, published)
    made = origin_state.build_origin_state(as_of(data, day), priors, 7)
    return digest([made.pool(), *(getattr(made, field.name) for field in fields(made) if field.name != "data")])


def test_every_dated_file_has_its_planted_record() -> None:
    assert set(absurd(DAY)) == {name for name, record in RECORDS.items() if "published" in record.model_fields}


@pytest.mark.slow
@pytest.mark.parametrize("name", absurd(DAY))
def test_the_situation_does_not_see_a_record_published_a_day_later(name: str) -> None:
    assert output(DAY, DAY + NIGHT, (name,)) == output(DAY)


@pytest.mark.slow
@pytest.mark.parametrize("name", FELT)
def test_published_that_day_it_is_seen(name: str) -> None:
    """Else the test above could not fail."""
    assert output(DAY, DAY, (name,)) != output(DAY)


@pytest.mark.slow
@pytest.mark.parametrize("day", [DAY, DAY_LATE])
def test_all_of_them_at_once_are_not_seen_on_a_later_day(day: date) -> None:
    assert output(day, day + NIGHT, tuple(absurd(DAY))) == output(day) != output(day, day, tuple(absurd(DAY)))


@pytest.mark.parametrize("name", OF_OUTSIDE)
def test_the_outside_view_does_not_see_it_either(data: Data, name: str) -> None:
    def transitions(data: Data) -> str:
        then = as_of(data, DAY)
        return digest(list_transitions(then.spells, then.states, then.pressure))

    assert transitions(planted(data, name, DAY, DAY + NIGHT)) == transitions(data)
    assert transitions(planted(data, name, DAY, DAY)) != transitions(data)


def test_a_reading_nobody_could_hold_yet_says_what_main_says(data: Data) -> None:
    made = origin_state.build_origin_state(as_of(data, DAY), bundled()[1], 7)
    assert made.merged == {"main": ("main", "advisers_stayed", "denials_true", "covert_true")}
    assert made.weights == {"main": pytest.approx(1.0)}


@pytest.mark.parametrize(
    "day",
    [
        date(2006, 12, 31),
        *(
            pytest.param(day, marks=pytest.mark.slow)
            for day in (date(2007, 6, 30), date(2010, 3, 15), date(2015, 6, 30), date(2019, 12, 31))
        ),
        DAY_LATE,
    ],
)
def test_every_day_has_its_situation(data: Data, day: date) -> None:
    made = origin_state.build_origin_state(as_of(data, day), bundled()[1], 7)
    last = month(f"{day:%Y-%m}") - (day.day < 30)
    assert made.origin == last
    for history in made.histories.values():
        assert len(history.levels) == last - FIRST_MONTH + 1
        assert np.isfinite(history.drivers.pressure).all()
        assert np.isfinite(history.drivers.opposition).all()
        assert np.isfinite(history.drivers.log2_deaths).all()
        assert np.isfinite(history.drivers.change).all()
        assert (history.drivers.administration < sum(row.country == "Mexico" for row in made.data.administrations)).all()
    assert made.rates.window[0] > FIRST_MONTH
    assert np.isfinite(made.pool().leverage).all()
    assert sum(made.weights.values()) == pytest.approx(1.0)


def test_a_day_without_a_history_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match=r"the record begins in 2006-01.*2006-12-31 or a later day"):
        load_workspace(BUNDLED.parent, date(2006, 12, 30))
    assert origin(load_workspace(BUNDLED.parent, date(2006, 12, 31)).data) == month("2006-12")
