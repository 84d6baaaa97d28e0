"""A forecast as of an earlier day: the ladder's priors as the outside view would have given them then."""

from __future__ import annotations

from dataclasses import replace

from forecast.forecasting.inputs import Inputs
from forecast.jobs.priors.reference import fit_reference
from forecast.progress import Progress, silent, within


def with_priors_as_of(inputs: Inputs, progress: Progress = silent) -> Inputs:
    """The inputs with the priors that come from other states fitted to what was public of them by the day; as they are without a day.

    The priors that people wrote stay: they were set with hindsight, and the report says so. Raises GateError if a fit fails twice.
    """
    if inputs.as_of is None:
        return inputs
    found = fit_reference(inputs.data, inputs.priors, progress=within(progress, "outside view"))
    return replace(inputs, priors=inputs.priors.replace(found.specs))
