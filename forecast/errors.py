"""The errors that a user can cause or resolve, and the exit code of each.

    ForecastError            1   unexpected; base class of the others
    ├── UsageError           2   the command line is wrong
    ├── InputError           3   data, priors or scenarios are refused; holds every Problem found
    ├── GateError            4   the fit did not pass the gate; the published forecast stays as it was
    ├── LockedError          5   another refit holds the lock
    ├── SourceError          6   a source could not be reached; the rest was done
    ├── StoreError           7   the store or the ledger is damaged
    └── UnhealthyError       8   `status` found something that needs attention

The exit code is 130 if a signal ended the command. A message says what is wrong, where and why; the remedy says what to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar, Final, Literal

INTERRUPTED: Final = 130

MAX_PROBLEMS: Final = 100
"""So many problems of one file are listed; of the rest only the number."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error or a warning about a file that the user edits.

    file      its name
    found     what was found
    expected  what was expected
    remedy    how to correct it
    row       line number as an editor shows it; 1 is the header
    column    name of the column or key
    severity  error or warning
    """

    file: str
    found: str
    expected: str
    remedy: str
    row: int | None = None
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
    """The problems in their order. Of a file with more than MAX_PROBLEMS, the first ones and one with the number of the rest."""
    number = Counter(problem.file for problem in problems)
    many = {
        file: n for file, n in number.items() if n > MAX_PROBLEMS + 1
    }  # a single further problem is listed itself, so that listing twice changes nothing
    listed_of: Counter[str] = Counter()
    shown = []
    for problem in problems:
        listed_of[problem.file] += 1
        if problem.file not in many or listed_of[problem.file] <= MAX_PROBLEMS:
            shown.append(problem)
    remedy = "Correct those listed, then check again."
    return shown + [Problem(file, f"{n - MAX_PROBLEMS:,} more problems", "none", remedy) for file, n in many.items()]


def limited(problems: Iterable[Problem]) -> list[Problem]:
    """The first MAX_PROBLEMS of one file. If there are more, one that says so; the rest of the file is not read."""
    first = list(islice(problems, MAX_PROBLEMS + 1))
    if len(first) > MAX_PROBLEMS:
        last = first.pop()
        remedy = "Correct those listed, then check again: the rest was not read."
        first.append(Problem(last.file, f"more than {MAX_PROBLEMS} problems", "none", remedy, last.row))
    return first


class ForecastError(Exception):
    """A failure with a message for the user; `exit_code` is the exit code of the command."""

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
    """Data, priors or a scenario were refused. `problems` holds everything that is wrong, not only the first."""

    exit_code = 3

    def __init__(self, message: str, remedy: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, remedy)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> InputError:
        """The error for a list of problems that is not empty. Only the first problems of each file are listed."""
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
