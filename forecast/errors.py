"""Everything that can go wrong for a reason the user can mend.

    ForecastError            1   unexpected; the base of all
    ├── UsageError           2   the command was written wrongly
    ├── InputError           3   data, priors or scenarios are refused; carries every Problem found
    ├── GateError            4   the fit did not pass the gate; the last good forecast stands
    ├── LockedError          5   another refit holds the lock
    ├── SourceError          6   a source could not be reached; the rest went on
    ├── StoreError           7   the store or the ledger is damaged
    └── UnhealthyError       8   `status` found something that needs a person

The number is the exit code of the command; 130 if a signal ended it. An error says what, where and why, and its remedy says what to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar, Final, Literal

INTERRUPTED: Final = 130

MAX_PROBLEMS: Final = 100
"""Of one file so many problems are listed; of the others only their number is said."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, or odd, in a file that a person edits: where, what was found, what was expected, how to mend it."""

    file: str
    found: str
    expected: str
    remedy: str
    row: int | None = None  # line number in the file as an editor shows it, 1 is the header
    column: str | None = None
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = self.file
        if self.row is not None:
            where += f", line {self.row}"
        if self.column is not None:
            where += f", column {self.column}"
        return f"{where}: found {self.found}; expected {self.expected}. {self.remedy}"


def listed(problems: Sequence[Problem]) -> list[Problem]:
    """The problems in their order, but of a file with more than MAX_PROBLEMS the first ones and one that says how many more there are."""
    number = Counter(problem.file for problem in problems)
    many = {file: n for file, n in number.items() if n > MAX_PROBLEMS + 1}  # one more is listed itself, so listing twice changes nothing
    seen: Counter[str] = Counter()
    shown = []
    for problem in problems:
        seen[problem.file] += 1
        if problem.file not in many or seen[problem.file] <= MAX_PROBLEMS:
            shown.append(problem)
    remedy = "Mend those listed, then check again."
    return shown + [Problem(file, f"{n - MAX_PROBLEMS:,} more problems", "none", remedy) for file, n in many.items()]


def limited(problems: Iterable[Problem]) -> list[Problem]:
    """The first MAX_PROBLEMS of one file; if there are more, one that says so, and the rest of the file is not even read."""
    first = list(islice(problems, MAX_PROBLEMS + 1))
    if len(first) > MAX_PROBLEMS:
        last = first.pop()
        remedy = "Mend those listed, then check again: the rest was not read."
        first.append(Problem(last.file, f"more than {MAX_PROBLEMS} problems", "none", remedy, last.row))
    return first


class ForecastError(Exception):
    """A failure with a sentence for the user; `exit_code` is what the command returns."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UsageError(ForecastError):
    exit_code = 2


class InputError(ForecastError):
    """Data, priors or a scenario were refused; `problems` holds all that is wrong, never only the first."""

    exit_code = 3

    def __init__(self, message: str, remedy: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, remedy)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> InputError:
        """The error for a list of problems that is not empty; of each file the first ones are listed."""
        n = len(problems)
        return cls(f"{n:,} problem{'s' if n > 1 else ''} found; nothing was written.", problems=listed(problems))

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {p}" for p in self.problems)])


class GateError(ForecastError):
    exit_code = 4


class LockedError(ForecastError):
    exit_code = 5


class SourceError(ForecastError):
    exit_code = 6


class StoreError(ForecastError):
    exit_code = 7


class UnhealthyError(ForecastError):
    exit_code = 8
