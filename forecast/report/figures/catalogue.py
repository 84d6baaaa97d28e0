"""Which figures a report has: for each its chart, what to say to who cannot see it, and the tables behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from forecast.report.charts import chances, drivers, history, ladder, learning, moved, readings, sensitivity
from forecast.report.charts.svg import SIZES, Size, draw
from forecast.report.tables import chances as chance_tables
from forecast.report.tables import evidence, model
from forecast.report.tables import moved as moved_tables
from forecast.report.tables import sensitivity as made_tables
from forecast.report.tables.table import Table

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, its name in the page, its label and description, and the titled tables behind it."""

    name: str
    chart: Callable[[Report, Size], Any]
    label: str
    description: str
    tables: tuple[tuple[str, Callable[[Report], Table]], ...]

    def svg(self, report: Report, sizes: Sequence[Size] = SIZES) -> str:
        """The chart for each size, as SVG elements; the page's style shows the one that fits."""
        from altair.utils.schemapi import debug_mode

        with debug_mode(False):  # the tests check every chart against Vega-Lite's schema; doing so again takes seconds a report
            return "".join(draw(self.chart(report, size), size, self.name, self.label, self.description) for size in sizes)


FIGURES: Final[tuple[Figure, ...]] = (
    Figure(
        "hangs-on", chances.hangs_on, "What the headline hangs on",
        "The forecast with its interval; beneath it the prior alone, the readings, main without the disputed act, other scales.",
        (("The numbers", chance_tables.hangs_on),),
    ),
    Figure(
        "moved-by", moved.steps, "What moved the headline since the run before",
        "From the chance before to the chance now, a bar a change, each beginning where the one above ended; grey is within the noise.",
        (("Part by part", moved_tables.parts), ("Every question, by kind of change", moved_tables.questions)),
    ),
    Figure(
        "horizons", ladder.horizons, "Chances by horizon",
        "Lines that rise with the horizon: solid for reaching a level or one above, dashed for falling to a level or one below.",
        (("Every question of the ladder", chance_tables.ladder),),
    ),
    Figure(
        "densities", readings.densities, "Where the chance may lie, by reading",
        "One hump a reading of the record, and the weighted humps stacked, on an axis that opens up small chances; a tick marks each mean.",
        (("The curves", chance_tables.densities), ("Other weights of the readings", chance_tables.weights)),
    ),
    Figure(
        "multiverse", chances.multiverse, "The headline under other defensible choices",
        "One dot a choice, grouped by what was chosen, with a line to the choice that was published; all for the main reading of one fit.",
        (("Each choice", chance_tables.multiverse),),
    ),
    Figure(
        "tolerance", history.tolerance, "Latent tolerance over time",
        "The latent tolerance by month with its band, and numbered flags for the events listed below it.",
        (("Tolerance and levels by month", evidence.history),),
    ),
    Figure(
        "levels", history.levels, "Levels as coded",
        "The level of each month in the main reading as steps; short bars where another reading differs; shaded where never observed.",
        (("Each change of level", evidence.changes),),
    ),
    Figure(
        "leverage", drivers.leverage, "Pressure by channel",
        "What economic, security and diplomatic pressure add, stacked by month, and its simulated future as a fan.",
        (("Leverage by month", evidence.leverage),),
    ),
    Figure(
        "checks", drivers.checks, "Leverage beside independent series",
        "Leverage and the series it is checked against, each on its own scale.",
        (("The series by month", evidence.checks),),
    ),
    Figure(
        "overdoses", drivers.overdoses, "Synthetic-opioid deaths a month in the United States",
        "Final monthly counts as dots, the estimate with its band, provisional totals as level bars, and the simulated future as a fan.",
        (("Deaths by month", evidence.overdoses), ("Provisional totals as published", evidence.provisional)),
    ),
    Figure(
        "opposition", drivers.opposition, "Opposition in Mexico to US force",
        "The share opposed with its band, each poll by its wording, the years without a poll shaded, and the simulated future as a fan.",
        (("Opposition and mobilisation by month", evidence.opposition), ("The polls", evidence.polls)),
    ),
    Figure(
        "mobilisation", drivers.mobilisation, "Mobilisation against US pressure",
        "The strength of mobilisation by month.",
        (("Opposition and mobilisation by month", evidence.opposition),),
    ),
    Figure(
        "moved", chances.what_moved, "Prior chance and forecast, question by question",
        "A hollow dot for the prior and a filled one for the forecast, joined.",
        (("Prior and forecast", chance_tables.moved),),
    ),
    Figure(
        "parameters", learning.parameters, "Prior and posterior of each parameter",
        "A pale bar for the prior and a dark one for the posterior, in units of the prior's spread; what was learnt is coloured and named.",
        (("Every parameter", model.parameters),),
    ),
    Figure(
        "skips", learning.skips, "Whether a step that reaches a level goes on to the next",
        "For rises and falls by level: prior pale and hollow, posterior dark and filled.",
        (("Skips", model.skips),),
    ),
    Figure(
        "replicates", learning.replicates, "The record against histories that the model invents",
        "For each statistic the span of invented histories, grey from the prior and blue from the posterior, and a dot for the record.",
        (("Replicated histories", model.replicates),),
    ),
    Figure(
        "made-of", sensitivity.made_of, "What each prior and each block of data does to the headline",
        "A row a prior or block of data: a hollow dot for the headline with it lower or counting less, a filled one for the other way.",
        (("Every prior", made_tables.priors), ("Every block of data", made_tables.data)),
    ),
    Figure(
        "answers", ladder.answers, "What was asked of Mexico, and what it answered",
        "One mark an episode, at the kind of operation asked for and the time of the answer.",
        (("Each episode", evidence.asked),),
    ),
    Figure(
        "scenarios", chances.scenarios, "The headline in each scenario",
        "A dot a scenario over its interval, against the forecast; filled for an intervention, hollow for a condition.",
        (("Scenarios", chance_tables.scenarios), ("By horizon", chance_tables.scenario_horizons)),
    ),
    Figure(
        "companions", chances.companions, "Companion questions",
        "A filled dot for the forecast and a hollow one for the prior, one row a question.",
        (("Each question", chance_tables.companions),),
    ),
)  # fmt: skip
