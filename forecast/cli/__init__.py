"""The command `forecast`. This file lists the commands; the code of a command is imported when it is used."""

from __future__ import annotations

from forecast.cli._options import examples
from forecast.cli._root import Lazy, Root

main = Root(
    "forecast",
    help="Forecast whether Mexico will tolerate US operations against cartels on its soil: what kind of action, and how soon.",
    epilog=examples("forecast run --publish", "forecast status", "forecast data check", "forecast init mine"),
    lazy={
        "run": Lazy("forecast.cli.run:run", "Fit the model, forecast, and write a report."),
        "refit": Lazy("forecast.cli.run:refit", "Update the published forecast if data or priors have changed."),
        "report": Lazy("forecast.cli.report:report", "Show a run's report again, without fitting."),
        "status": Lazy("forecast.cli.status:status", "Show the published forecast, its age, and whether anything needs attention."),
        "diff": Lazy("forecast.cli.report:diff", "List what differs between run A and run B: data, priors, settings, code and forecast."),
        "explain": Lazy("forecast.cli.explain:explain", "Show what moved the forecast from run A to run B."),
        "data": Lazy("forecast.cli.data:data", "Check, show, add to and pull the data."),
        "priors": Lazy("forecast.cli.priors:priors", "See, try and change the priors: what we assume before looking at Mexico's record."),
        "scenario": Lazy("forecast.cli.scenario:scenario", "List, run and write what-if scenarios."),
        "questions": Lazy("forecast.cli.questions:questions", "List, predict, resolve and score the questions in the ledger."),
        "runs": Lazy("forecast.cli.runs:runs", "List, verify, publish and prune the runs in reports/."),
        "schedule": Lazy("forecast.cli.schedule:schedule", "Print settings with which cron or systemd runs the refit."),
        "cache": Lazy("forecast.cli.cache:cache", "Show or clear the compiled code and the charts that later commands use again."),
        "init": Lazy("forecast.cli.init:init", "Copy the bundled data and priors into a new folder."),
    },
)
