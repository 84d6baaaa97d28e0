"""The page is made once before a fit, with the workspace's texts and invented numbers: a text that cannot be shown costs no minutes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from forecast.data.outcome import reading_titles
from forecast.data.records import Record
from forecast.data.row_query import summarise_event
from forecast.data.tables import RECORDS, Data, origin, table_rows
from forecast.domain import FIRST_MONTH, LEVELS, PUBLISHED_CHOICE, Month, month_text
from forecast.errors import InputError, Problem
from forecast.forecasting.questions import build_questions
from forecast.forecasting.scenarios.specification import Scenario
from forecast.storage.text import character_name, refused_character

if TYPE_CHECKING:
    from forecast.report.models.report import Report

_MARKED = 12
"""Events shown with a flag of their own; the chart of flags holds numbers, so that a few are enough. Every event is in a table."""


def rehearse(data: Data, scenarios: Sequence[Scenario]) -> None:
    """Make the page, without its charts, and its Markdown from the texts of a workspace and invented numbers, and drop them.

    InputError (exit code 3) that names every text with a character that no page can show.
    """
    if problems := [*_of_tables(data), *_of_settings(data), *_of_scenarios(scenarios)]:
        raise InputError.of(problems)
    from forecast.report.figures.svg_export import check_room
    from forecast.report.html import render_html
    from forecast.report.markdown import render_markdown

    check_room()
    report = placeholder_report(data, scenarios)
    render_html(report, drawn=False)  # every text of a chart is made printable when it is drawn, and most stand in its table too
    render_markdown(report)


def _of_tables(data: Data) -> Iterator[Problem]:
    for name, record in RECORDS.items():
        for row in table_rows(data, name):
            yield from _refused(record.file, row.model_dump(), _key(row))


def _key(row: Record) -> str:
    """What names a row for a person: the cells of its key."""
    return " ".join(str(getattr(row, column)) for column in row.key)


def _of_settings(data: Data) -> Iterator[Problem]:
    yield from _refused("questions.toml", data.questions.model_dump())
    for key, source in data.sources.items():
        yield from _refused("sources.toml", {key: source.model_dump()})


def _of_scenarios(scenarios: Sequence[Scenario]) -> Iterator[Problem]:
    for scenario in scenarios:
        yield from _refused(f"{scenario.name}.toml", scenario.says.model_dump())


def _refused(file: str, cells: Mapping[str, Any], row: str = "") -> Iterator[Problem]:
    for place, text in _texts(cells):
        if character := refused_character(text):
            where = f" in {row}" if row and row not in text else ""
            yield Problem(
                file,
                f"the character {character_name(character)}{where}",
                "only characters that can be shown",
                "Take it out: it is not visible, but it would damage the report.",
                column=place,
            )


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text of nested tables with its place, as in `companion.designation.text`."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, place)


def placeholder_report(data: Data, scenarios: Sequence[Scenario]) -> Report:
    """A report that holds everything a person wrote which the page shows; its numbers mean nothing."""
    from forecast.report.files import SCHEMA_VERSION
    from forecast.report.models import evidence as e
    from forecast.report.models import fit as f
    from forecast.report.models import forecast as q
    from forecast.report.models.base import Band, Density, Fan, Interval, MonthlySeries, Months
    from forecast.report.models.report import Report
    from forecast.report.payload import history, provenance
    from forecast.report.payload.build import NO_SENTENCES
    from forecast.report.payload.questions import MEANINGS
    from forecast.report.sentences import build_sentences

    p = 0.1
    two: Any = [0.1, 0.2]
    interval, density = Interval(prob=0.8, low=0.05, high=0.2), Density(x=two, y=two)
    at = origin(data)
    months = [month_text(m) for m in (FIRST_MONTH, at)]
    titles = reading_titles(data)
    asked = build_questions(data.questions, at)
    future = Fan(months=[month_text(Month(at + h)) for h in (1, 24)], q10=two, q50=two, q90=two)
    band: dict[str, Any] = {"months": months, "q10": two, "q50": two, "q90": two, "future": future}
    move: dict[str, Any] = {"probability": p, "difference": 0.0, "k_hat": None, "ess": 1.0}
    moves = [f.PowerMove(alpha=alpha, **move) for alpha in (0.8, 1.25)]
    headline = data.questions.resolution.headline
    report = Report(
        schema_version=SCHEMA_VERSION, run_id="rehearsal", created="2000-01-01T00:00:00Z", origin=month_text(at), as_of=None, stale=False,
        model_version="0", seed=0, data_digest="none", priors_digest="none", versions={}, headline=headline, sentences=NO_SENTENCES,
        questions=[
            q.QuestionEntry(
                id=x.id, text=x.text, level=x.level, kind=x.kind, horizon_months=x.horizon,
                window=Months(start=month_text(x.start), end=month_text(x.end)), resolution_date=month_text(x.end), probability=p,
                probability_known=None, expected=None, mcse=None, interval=interval, prior_probability=p,
                by_reading=dict.fromkeys(titles, p),
            )
            for x in asked
        ],
        baselines=[q.BaselineEntry(id=x.id, persistence=None, climatology=None, counts=None) for x in asked],
        readings=[
            q.Reading(
                name=name, title=title, weight=1 / len(titles), level_now=0, headline=p, headline_interval=interval, headline_prior=p,
                why="; ".join(row.why for row in data.readings if row.reading == name), density=density,
            )
            for name, title in titles.items()
        ],
        mixture=q.Mixture(mean=p, median=p, interval=interval, density=density), weights_alternative=[],
        multiverse=[q.Choice(label="as published", group=PUBLISHED_CHOICE, probability=p, note="")],
        ladder=[
            q.Rung(level=k, name=name, meaning=MEANINGS[k], months_at_level_main=0, ever_observed=False) for k, name in enumerate(LEVELS)
        ],
        history=e.HistorySection(
            months=months, main=[0, 0], by_reading={name: [0, 1] for name in titles},
            theta=Band(q10=[-1.0, -1.0], q50=[0.0, 0.0], q90=[1.0, 1.0]),
            changes=[
                e.LevelChangeEntry(
                    month=months[0], before=0, after=int(c.level), claim_id=c.claim_id, confidence=c.confidence, why=c.why,
                    events=list(c.basis_ids),
                )
                for c in data.claims
            ],
            events=[
                e.NotableEvent(date=x.date.text, id=x.id, family=x.family, what=x.description, short=summarise_event(x))
                for x in data.events[-_MARKED:]
            ],
        ),
        drivers=e.DriversSection(
            leverage=e.LeverageSection(
                months=months, value=two, by_channel=e.Channels(economic=two, diplomatic=two, security=two), future=future, checks=[]
            ),
            overdoses=e.Overdoses(**band, final=[], provisional=[]),
            opposition=e.OppositionSection(
                **band, gap=None, mobilisation=MonthlySeries(months=months, value=two),
                polls=[e.PollEntry(date=month_text(at), share=0.5, wording=x.wording, pollster=x.pollster, n=None) for x in data.polls],
            ),
        ),
        parameters=[], prior_vs_posterior=[], skips=[], replicates=f.Replicates(observed={}, prior=[], posterior=[]),
        sensitivity=f.SensitivitySection(
            headline=headline, probability=p, powers=[0.8, 1.25], tilts=[-0.5, 0.5], threshold=0.05, label="no sensitivity", flips=[],
            scaled=[
                f.Component(
                    name=name, kind="all", symbol=None, words=name, moves=moves, tilts=[], sensitivity=None, own=None, label=None, note=""
                )
                for name in ("all priors", "all data")
            ],
            sweeps=[],
            shared_bias=f.SharedBiasEntry(
                most=2.0, trusted=2.0, opposed_now=0.5, low=p, high=p, sixty_at_most=two, crossings=[], halved=None, doubled=None, curve=[]
            ),
        ),
        asked_answered=[
            e.Episode(episode=x.episode or x.id, first=x.date.text, last=x.date.text, level=None, answer="open", what=x.id, ids=[x.id])
            for x in data.events
        ],
        concessions=[
            e.Concession(
                date=x.date.text, id=x.id, what=x.description, response="none stated", response_id=None, response_date=None, days=None
            )
            for x in data.events
        ],
        stakes=history.stakes(data),
        scenarios=[
            q.ScenarioEntry(
                name=s.name, title=s.says.title, kind=s.says.kind, story=" ".join(s.says.story.split()),
                assumptions=list(s.says.assumptions), probability=p, baseline=p, difference=0.0, mcse=None, interval=interval,
                plausibility=None, by_horizon={}, fallen_1_12m=None,
            )
            for s in scenarios
        ],
        directions=None,
        diagnostics=f.DiagnosticsSection(
            status="pass", reasons=[], finite=True, chains=4, draws=1, divergences=0, rhat_max=None, ess_bulk_min=None, ess_tail_min=None,
            bfmi_min=None, constant=[], retried=False, by_reading={}, weighted={},
        ),
        freshness=[
            e.FreshnessEntry(
                series=s.name, file=s.file, newest=None, published=None, expected_next=None, status="fresh", used_for=s.used_for
            )
            for s in data.sources.values()
        ],
        warnings=provenance.data_warnings(data.warnings),
        calendar=[
            e.CalendarEntry(date=c.date.text, what=c.what, effect=c.effect, probability=c.probability, channel=c.channel)
            for c in data.calendar
        ],
        reliability=[], definitions=provenance.definitions(), resolution=data.questions.resolution.text.strip(), limitations=[],
        sources=provenance.sources(data), draws_source=None, moved=q.Nothing(), past_performance=None,
    )  # fmt: skip
    return report.model_copy(update={"sentences": build_sentences(report)})
