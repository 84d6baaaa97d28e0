"""The priors that a run was made from, which the workspace may have left behind since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.errors import InputError
from forecast.priors.catalogue import CATALOGUE
from forecast.priors.load import Priors
from forecast.priors.parsing import parse_prior
from forecast.priors.specs import SpecError

type Meta = Mapping[str, Any]


def priors_then(now: Priors, meta: Meta) -> Priors:
    """The priors of the workspace with what the manifest of a run says otherwise, as far as this version can say it."""
    edits = {}
    for name, told in meta.get("priors", {}).items():
        try:
            if name in CATALOGUE and str(now.spec(name)) != told["spec"]:
                edits[name] = parse_prior(name, told["spec"])
        except (SpecError, KeyError, TypeError):  # an older version could say what this one can't
            continue
    return now.replace(edits)


def priors_of(now: Priors, meta: Meta, run: str) -> Priors:
    """The same, by the run's digest exactly what it was made from. InputError if it does not tell."""
    then = now if meta.get("priors_digest") == now.digest() else priors_then(now, meta)
    if then.digest() != meta.get("priors_digest"):
        raise InputError(
            f"Run {run} was made from other priors than the workspace has now, and does not name them.",
            "Make a new one: `forecast run --publish`. What it found itself stands in its report.",
        )
    return then
