"""A finished forecast: what `forecast.fit` returns, and what a report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from forecast.data.suggestions import did_you_mean
from forecast.errors import Problem, UsageError
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.fit_readings import ReadingForecast
from forecast.forecasting.multiverse import Disputed, UniverseResult
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.question_forecasts import QuestionForecast
from forecast.inference.gate import Diagnostics

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, slots=True)
class DrawsSource:
    """The run whose draws a forecast weights, where it has no fit of its own.

    fitted_in  id of the run
    k_hat      Pareto k̂ of the weights, the worst over readings; None if all draws weigh the same
    ess        effective sample size, the worst over readings
    """

    fitted_in: str
    k_hat: float | None
    ess: float


@dataclass(frozen=True, eq=False)
class Forecast:
    """A finished forecast. Read it with `probability`, `questions` and `posterior`; the fields hold everything a report shows.

    origin_state      the origin: data, priors, fitted drivers and coded histories
    pool              simulated paths of the drivers
    readings          reading → its fit and its forecast of the ladder
    answers           question id → forecast of the question
    multiverse        the headline under other defensible choices of method
    disputed          the act that one of these choices leaves out; None if there is none
    scenarios         results of the scenarios, as `report.json` has them
    warnings          what is unusual in the data, and scenarios that could not be run
    diagnostics       what the gate says, the worst over readings
    as_of             the day whose knowledge was used; None for today's
    moved             what moved the forecast since the published run, as `report.json` has it
    past_performance  how earlier forecasts scored, as `report.json` has it
    draws_source      the run whose draws were weighted; None if the draws were sampled for this forecast

    >>> 0 < result.probability("reach-4-12m") < 1
    True
    >>> row = result.questions()[0]
    >>> row["question"], row["level"], row["horizon_months"]
    ('reach-1-3m', 1, 3)
    >>> result.posterior["main/posterior"]["leverage_effect"].dims
    ('chain', 'draw')
    """

    origin_state: OriginState
    pool: DriverPaths
    readings: Mapping[str, ReadingForecast]
    answers: Mapping[str, QuestionForecast]
    multiverse: Sequence[UniverseResult]
    disputed: Disputed | None
    scenarios: Sequence[Mapping[str, Any]]
    warnings: Sequence[Problem]
    diagnostics: Diagnostics
    as_of: date | None
    moved: Mapping[str, Any] = field(default_factory=dict)
    past_performance: Mapping[str, Any] = field(default_factory=dict)
    draws_source: DrawsSource | None = None

    @property
    def headline(self) -> QuestionForecast:
        """The forecast of the headline question."""
        return self.answers[self.origin_state.data.questions.resolution.headline]

    def probability(self, question: str = "") -> float:
        """Probability of yes; of a count, of at least one.

        question: its id, such as `reach-4-12m`; the headline if left out. UsageError if there is no such question.
        """
        if not question:
            return self.headline.probability
        if question not in self.answers:
            raise UsageError(f"There is no question {question!r}.", did_you_mean(question, self.answers))
        return self.answers[question].probability

    def questions(self) -> list[dict[str, Any]]:
        """A row a question, for a data frame: `pandas.DataFrame(result.questions())`.

        question           its id
        text               the question in words
        kind               reached_by, in_force_at, fallen_to, event or count
        level              the level asked about; None for events and counts
        horizon_months     months after the origin
        probability        of yes; of a count, of at least one
        probability_known  of yes and public by the resolution date; None where that makes no difference
        low, high          80 % interval of the probability
        prior_probability  the same probability from the priors alone
        expected           expected number, of a count; else None
        mcse               Monte Carlo standard error of the probability
        """
        return [
            {
                "question": id_,
                "text": q.question.text,
                "kind": q.question.kind,
                "level": q.question.level,
                "horizon_months": q.question.horizon,
                "probability": q.probability,
                "probability_known": q.known,
                "low": q.interval[0],
                "high": q.interval[1],
                "prior_probability": q.prior,
                "expected": q.expected,
                "mcse": q.mcse,
            }
            for id_, q in self.answers.items()
        ]

    @property
    def posterior(self) -> xr.DataTree:
        """The fits for ArviZ: a group a reading, each with the groups `posterior` and `sample_stats`, dims chain, draw.

        A plot takes one reading: `arviz.plot_trace_dist(result.posterior["main"])`.
        """
        import xarray as xr

        return xr.DataTree(children={name: reading.posterior.copy() for name, reading in self.readings.items()})
