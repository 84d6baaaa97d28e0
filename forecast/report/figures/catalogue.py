"""Which figures the report has: for each its chart, its description for readers who cannot see it, and the tables behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from forecast.report.figures import attribution, drivers, history, parameters, questions, readings, scenarios, sensitivity
from forecast.report.figures.drawing_cache import kept_drawings
from forecast.report.figures.svg_export import draw
from forecast.report.tables import Table

if TYPE_CHECKING:
    from forecast.report.models.report import Report


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, its name in the page, its label and description, and the titled tables behind it."""

    name: str
    chart: Callable[[Report], Any]
    label: str
    description: str
    tables: tuple[tuple[str, Callable[[Report], Table]], ...]

    def svg(self, report: Report) -> str:
        return draw(lambda: self.chart(report), self.name, self.label, self.description)


def drawn_figures(report: Report) -> dict[str, str]:
    """The chart of each figure as an SVG element, by name; from the cache if it has those of this very report."""
    return kept_drawings(report.model_dump_json(), lambda: {figure.name: figure.svg(report) for figure in FIGURES})


FIGURES: Final[tuple[Figure, ...]] = (
    Figure(
        "headline", questions.headline_chart, "What the headline depends on",
        "The forecast with its interval; beneath it the prior alone, the readings, the main reading without the disputed act, and "
        "other scales of pressure.",
        (("The numbers", questions.headline_table),),
    ),
    Figure(
        "attribution", attribution.steps_chart, "What moved the headline since the run before",
        "From the chance before to the chance now: one bar for each change, which begins where the bar above ended. Grey bars are "
        "within the noise.",
        (("Part by part", attribution.parts_table), ("Every question, by kind of change", attribution.kinds_table)),
    ),
    Figure(
        "horizons", questions.horizons_chart, "Chances by horizon",
        "One line for each level: solid for the chance that it or a higher level is reached, dashed for the chance that the level "
        "falls to it or lower.",
        (("Every question of the ladder", questions.ladder_table),),
    ),
    Figure(
        "densities", readings.densities_chart, "Where the chance may lie, by reading",
        "One density for each reading, and all of them stacked by weight. The axis is a square root, which gives small chances "
        "more room. A tick marks each mean.",
        (("The curves", readings.densities_table), ("Other weights of the readings", readings.weights_table)),
    ),
    Figure(
        "multiverse", readings.multiverse_chart, "The headline under other defensible choices",
        "One dot for each choice, grouped by kind, with a line to the published choice. All are for the main reading.",
        (("Each choice", readings.multiverse_table),),
    ),
    Figure(
        "tolerance", history.tolerance_chart, "Latent tolerance over time",
        "The latent tolerance by month with its 80 % band, and numbered flags for the events listed below.",
        (("Tolerance and levels by month", history.history_table),),
    ),
    Figure(
        "levels", history.levels_chart, "Levels as coded",
        "The level of each month in the main reading as steps. Short bars show where another reading differs. Levels that were "
        "never observed are shaded.",
        (("Each change of level", history.changes_table),),
    ),
    Figure(
        "leverage", drivers.leverage_chart, "Pressure by channel",
        "Economic, security and diplomatic pressure, stacked by month, and the simulated future with its 80 % band.",
        (("Leverage by month", drivers.leverage_table),),
    ),
    Figure(
        "checks", drivers.checks_chart, "Leverage and independent series",
        "Leverage and the series it is compared with, each on its own scale.",
        (("The series by month", drivers.checks_table),),
    ),
    Figure(
        "overdoses", drivers.overdoses_chart, "Synthetic-opioid deaths a month in the United States",
        "Final monthly counts as dots, the estimate with its 80 % band, provisional totals as horizontal bars, and the simulated future.",
        (("Deaths by month", drivers.overdoses_table), ("Provisional totals as published", drivers.provisional_table)),
    ),
    Figure(
        "opposition", drivers.opposition_chart, "Opposition in Mexico to US force",
        "The share opposed with its 80 % band, each poll by its wording, and the simulated future. The years without a poll are shaded.",
        (("Opposition and mobilisation by month", drivers.opposition_table), ("The polls", drivers.polls_table)),
    ),
    Figure(
        "mobilisation", drivers.mobilisation_chart, "Mobilisation against US pressure",
        "The strength of mobilisation by month.",
        (("Opposition and mobilisation by month", drivers.opposition_table),),
    ),
    Figure(
        "prior-and-forecast", questions.prior_and_forecast_chart, "Prior chance and forecast, question by question",
        "A hollow dot for the prior and a filled one for the forecast, with a line between them.",
        (("Prior and forecast", questions.prior_and_forecast_table),),
    ),
    Figure(
        "parameters", parameters.parameters_chart, "Prior and posterior of each parameter",
        "A pale bar for the prior and a dark one for the posterior, in units of the prior's standard deviation. Parameters that "
        "the data changed are coloured and marked.",
        (("Every parameter", parameters.parameters_table),),
    ),
    Figure(
        "skips", parameters.skips_chart, "Whether a change that reaches a level goes on to the next",
        "For rises and falls by level: prior pale and hollow, posterior dark and filled.",
        (("Skips", parameters.skips_table),),
    ),
    Figure(
        "replicates", parameters.replicates_chart, "The record and simulated histories",
        "For each statistic the range of simulated histories, grey from the prior and blue from the posterior, and a dot for the record.",
        (("Simulated histories", parameters.replicates_table),),
    ),
    Figure(
        "sensitivity", sensitivity.sensitivity_chart, "The effect of each prior and each block of data on the headline",
        "One row for each prior and block of data: a hollow dot for the headline with it lower or weighted down, a filled dot for "
        "the opposite.",
        (
            ("Every prior", lambda report: sensitivity.priors_table(report.sensitivity)),
            ("Every block of data", lambda report: sensitivity.data_table(report.sensitivity)),
        ),
    ),
    Figure(
        "answers", scenarios.answers_chart, "What Mexico was asked for, and what it answered",
        "One mark for each episode, at the kind of operation asked for and the time of the answer.",
        (("Each episode", scenarios.episodes_table),),
    ),
    Figure(
        "scenarios", scenarios.scenarios_chart, "The headline in each scenario",
        "One dot for each scenario over its interval, and a line for the forecast. Filled: an intervention. Hollow: a condition.",
        (("Scenarios", scenarios.scenarios_table), ("By horizon", scenarios.scenario_horizons_table)),
    ),
    Figure(
        "companions", questions.companions_chart, "Companion questions",
        "One row for each question: a filled dot for the forecast and a hollow one for the prior.",
        (("Each question", questions.companions_table),),
    ),
)  # fmt: skip
