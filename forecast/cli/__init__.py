"""The command `forecast`. This file names the commands; what each does is imported only when it is asked for."""

from __future__ import annotations

from forecast.cli._options import examples
from forecast.cli._root import Lazy, Root

main = Root(
    "forecast",
    help="Forecast whether, how far and by when Mexico will tolerate US operations against cartels on its soil.",
    epilog=examples("forecast run --publish", "forecast status", "forecast data check", "forecast init mine"),
    lazy={
        "run": Lazy("forecast.cli.run:run", "Fit the model, forecast, and write a report."),
        "refit": Lazy("forecast.cli.run:refit", "Bring the published forecast up to its data and priors, if they changed."),
        "report": Lazy("forecast.cli.report:report", "Render a run's report again, without fitting."),
        "status": Lazy("forecast.cli.status:status", "Say what is newest, how old it is and whether it is sound."),
        "diff": Lazy("forecast.cli.report:diff", "Say what differs between run A and run B: data, priors, settings, code, forecast."),
        "explain": Lazy("forecast.cli.explain:explain", "Split the change of the forecast from run A to run B into what made it."),
        "data": Lazy("forecast.cli.data:data", "Check, show, add to and pull the data."),
        "priors": Lazy("forecast.cli.priors:priors", "See, try and change the priors: what is believed before Mexico's record speaks."),
        "scenario": Lazy("forecast.cli.scenario:scenario", "List, run and write what-if scenarios."),
        "questions": Lazy("forecast.cli.questions:questions", "List, answer, resolve and score the questions in the ledger."),
        "runs": Lazy("forecast.cli.runs:runs", "List, verify, publish and prune the runs in reports/."),
        "schedule": Lazy("forecast.cli.schedule:schedule", "Print what cron or systemd must be told to refit by itself."),
        "init": Lazy("forecast.cli.init:init", "Copy the bundled data and priors into a new folder."),
    },
)
