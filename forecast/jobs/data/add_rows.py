"""Add rows to the data, after showing what will change."""

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

TRIES: Final = 50


@dataclass(frozen=True, eq=False)
class Proposal:
    """What would be written, for each new row the rows near it and what it changes."""

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
        made = self.addition
        return {
            "file": made.file,
            "written": written,
            "rows": [
                {
                    "line": new.line,
                    "row": {column: cell_value(column, getattr(new.record, column)) for column in type(new.record).model_fields},
                    "text": new.text,
                    "similar": row_names(near),
                    "effects": asdict(does),
                }
                for new, near, does in zip(made.rows, self.similar, self.effects, strict=True)
            ],
            "covered_through": [day.isoformat() for day in made.covered] if made.covered else None,
            "origin": list(self.origins),
            "warnings": [str(p) for p in self.warnings],
        }


def propose_rows(workspace: Workspace, name: str, given: Sequence[RowInput], covered_through: date | None, today: date) -> Proposal:
    """What adding rows comes to; nothing is written.

    Raises InputError with every problem the data would have, UsageError for a coverage that is behind or in the future.
    """
    if covered_through is not None and covered_through > today:
        raise UsageError(f"{covered_through} is still to come, so nobody has read through it.", "Give a day that is over.")
    made = plan_addition(workspace.data, name, given, covered_through, today)
    near = tuple(possible_duplicates(made.after, name, new.record) for new in made.rows)
    return Proposal(made, near, tuple(row_effects(made.before, made.after, new.record, today) for new in made.rows))


def add_rows(
    workspace: Workspace,
    name: str,
    given: Sequence[RowInput],
    confirm: Callable[[Proposal], bool],
    covered_through: date | None,
    today: date,
) -> tuple[Proposal, bool]:
    """Propose, ask, and write if told to; returns what was proposed last and whether it was written.

    If someone else changes the data between the question and the answer, the proposal is made anew and asked again.
    """
    for _ in range(TRIES):
        proposal = propose_rows(workspace, name, given, covered_through, today)
        if not confirm(proposal):
            return proposal, False
        check_writable(workspace)
        if write_addition(workspace.data, proposal.addition):
            return proposal, True
    raise LockedError("Other commands keep changing the data; nothing was written.", "Wait until they have ended, then try again.")
