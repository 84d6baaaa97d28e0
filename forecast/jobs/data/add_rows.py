"""Add rows to the data, after showing what they will change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from forecast.data.entry.add_rows import Addition, plan_addition, possible_duplicates, write_addition
from forecast.data.entry.row_input import RowInput
from forecast.data.row_query import cell_value
from forecast.data.tables import origin
from forecast.domain import month_text
from forecast.errors import LockedError, Problem, UsageError
from forecast.jobs.data.row_effects import Effects, row_effects, row_names
from forecast.workspace import Workspace, check_writable

MAX_TRIES: Final = 50
"""Proposals made anew because another command changed the data."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """What would be written, and for each new row its possible duplicates and what it changes."""

    addition: Addition
    similar: tuple[tuple[Any, ...], ...]
    effects: tuple[Effects, ...]

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is odd with the new rows."""
        return self.addition.warnings

    @property
    def origins(self) -> tuple[str, str]:
        """The origin of a forecast before and after."""
        return month_text(origin(self.addition.before)), month_text(origin(self.addition.after))

    def as_dict(self, written: bool) -> dict[str, Any]:
        """The same for a program."""
        addition = self.addition
        return {
            "file": addition.file,
            "written": written,
            "rows": [
                {
                    "line": new.line,
                    "row": {column: cell_value(column, getattr(new.record, column)) for column in type(new.record).model_fields},
                    "text": new.text,
                    "similar": row_names(similar),
                    "effects": asdict(effects),
                }
                for new, similar, effects in zip(addition.rows, self.similar, self.effects, strict=True)
            ],
            "covered_through": [day.isoformat() for day in addition.covered] if addition.covered else None,
            "origin": list(self.origins),
            "warnings": [str(p) for p in self.warnings],
        }


def propose_rows(workspace: Workspace, name: str, given: Sequence[RowInput], covered_through: date | None, today: date) -> Proposal:
    """The proposal for new rows; nothing is written.

    Raises InputError with every problem the data would have, UsageError for a coverage that does not advance or lies in the future.
    """
    if covered_through is not None and covered_through > today:
        raise UsageError(f"{covered_through} is in the future, so no file can have been read through it.", "Give a day that is over.")
    addition = plan_addition(workspace.data, name, given, covered_through, today)
    before, after = addition.before, addition.after
    similar = tuple(possible_duplicates(after, name, new.record) for new in addition.rows)
    return Proposal(addition, similar, tuple(row_effects(before, after, new.record, today) for new in addition.rows))


def add_rows(
    workspace: Workspace,
    name: str,
    given: Sequence[RowInput],
    confirm: Callable[[Proposal], bool],
    covered_through: date | None,
    today: date,
) -> tuple[Proposal, bool]:
    """Propose rows and write them if `confirm` agrees; returns the last proposal and whether it was written.

    If another command changes the data meanwhile, a new proposal is confirmed again.
    """
    for _ in range(MAX_TRIES):
        proposal = propose_rows(workspace, name, given, covered_through, today)
        if not confirm(proposal):
            return proposal, False
        check_writable(workspace)
        if write_addition(workspace.data, proposal.addition):
            return proposal, True
    raise LockedError("Other commands keep changing the data; nothing was written.", "Wait until they have ended, then try again.")
