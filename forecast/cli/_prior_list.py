"""`forecast priors list`, for a terminal and as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from forecast.cli._text import wrap

if TYPE_CHECKING:
    from forecast.priors.load import Prior

THEMES: Final = {
    "ladder": "how often the level rises and falls without pressure, and how far",
    "leverage": "what US pressure does to it",
    "opposition": "what Mexicans think, and what that does to it",
    "overdose": "what US overdose deaths do to it",
    "drift": "how fast its habits change",
    "administration": "how much governments differ",
    "events": "what makes Washington demand and Mexico concede",
    "direct": "US action that Mexico resists",
    "exposure": "when what is covert becomes known",
    "companion": "how often the events of other questions happen",
    "readings": "how much each reading of the record counts",
    "outside_view": "how much other states count",
}
"""The first word of a prior's name → what its priors are about."""

LEAST: Final = 0.0005
"""A move smaller than this, 0.05 points, is shown as none."""

UNKNOWN: Final = "–"


def list_rows(priors: Sequence[Prior], moves: Mapping[str, float]) -> list[dict[str, Any]]:
    """One mapping a prior, in their order; headline_moves_by is a probability, None where it is not known."""
    from forecast.priors.descriptions import describe_prior

    return [
        {"name": p.name, "prior": str(p.spec), "headline_moves_by": moves.get(p.name), "words": describe_prior(p.name, p.spec)}
        for p in priors
    ]


def list_lines(priors: Sequence[Prior], run: str | None, moves: Mapping[str, float], width: int) -> list[str]:
    """The priors under a heading a theme; what they move has a column if there is a run to know it from."""
    names = max(len(prior.name) for prior in priors)
    out: list[str] = []
    if run is not None:
        out += wrap(
            f"moves: points by which a prior moved the headline of run {run}, at most; `forecast priors sensitivity` has more.", width
        )
    themes: dict[str, list[Prior]] = {}
    for prior in priors:
        themes.setdefault(prior.name.partition(".")[0], []).append(prior)
    for theme, members in themes.items():
        heading = f"{theme}: {THEMES[theme]}" if theme in THEMES else theme
        out += ["", *wrap(heading, width)] if out else wrap(heading, width)
        if run is not None:
            out.append(f"  {'':<{names}}  moves")
        for row in list_rows(members, moves):
            shown = f"{_points(row['headline_moves_by']):>5}  " if run is not None else ""
            first = f"  {row['name']:<{names}}  {shown}"
            out += wrap(f"{first}{row['prior']}", width, subsequent_indent=" " * len(first))
            out += wrap(row["words"], width, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return out


def _points(move: float | None) -> str:
    if move is None:
        return UNKNOWN
    return "0" if move < LEAST else f"{100 * move:.1f}"
