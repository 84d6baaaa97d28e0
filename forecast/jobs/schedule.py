"""The scheduled refit as lines for cron, or as a service and a timer for systemd: only the text, from the templates beside this file."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from calendar import monthrange
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from forecast.errors import ForecastError, UsageError

UNIT: Final = "forecast-refit"
LOG: Final = "refit.log"
BARE: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
"""The environment that a scheduler gives a job, or little more: the program must run in it."""
EVERY: Final = {
    "day": ("* * *", "*-*-*"),
    "week": ("* * 1", "Mon *-*-*"),
    "month": ("1 * *", "*-*-01"),
}
"""The day fields of cron, and the date of systemd."""
NO_FAILURE: Final = (5, 6)
"""Exit codes that are no failure: another refit holds the lock and does the work; a source was unreachable and is asked again."""
KEEP: Final = 30
"""Runs that a schedule keeps; at 28 megabytes each they take less than a gigabyte."""
LONGEST: Final = 998
"""Characters of a command that cron takes."""
_LEAP_YEAR: Final = 2000


@dataclass(frozen=True, slots=True)
class Schedule:
    """A refit that is to run regularly.

    program: the words that start this program.
    root: the workspace.
    every: day, week or month, or the scheduler's own expression.
    at: the time of day; not used with an expression.
    pull: whether the newest official figures are fetched first.
    """

    program: tuple[str, ...]
    root: Path
    every: str = "day"
    at: time = time(6, 17)
    pull: bool = False

    @property
    def start(self) -> tuple[str, ...]:
        """The words that both commands begin with."""
        return (*self.program, "--workspace", str(self.root))

    @property
    def refit(self) -> tuple[str, ...]:
        return ("refit", *(["--pull"] if self.pull else []), "--log-json")

    @property
    def prune(self) -> tuple[str, ...]:
        """What removes old runs afterwards."""
        return ("runs", "prune", "--keep", str(KEEP), "--log-json")

    @property
    def log(self) -> Path:
        return self.root / "reports" / LOG


def find_program(executable: str, version: str) -> tuple[str, ...]:
    """The words that start this very program from anywhere: the command beside the interpreter, or the interpreter; each is tried.

    executable: the interpreter that runs now. Raises ForecastError if neither answers with this version.
    """
    candidates = [(str(Path(executable).with_name("forecast")),), (executable, "-m", "forecast")]
    for words in candidates:
        try:
            done = subprocess.run([*words, "--version"], cwd="/", env=BARE, capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.SubprocessError):
            continue
        if done.stdout.strip() == f"forecast {version}":
            return words
    names = " nor ".join(" ".join(words) for words in candidates)
    raise ForecastError(f"Neither {names} runs from another folder.", "Install the package in that environment.")


def cron(s: Schedule) -> str:
    """Lines for `crontab -e`. Raises UsageError for a path or a time that cron does not take."""
    _check_printable(s, "\\")
    program, refit, prune, log = (" ".join(map(shlex.quote, words)) for words in (s.start, s.refit, s.prune, (str(s.log),)))
    no_failure = "|".join(map(str, (0, *NO_FAILURE)))
    job = f'{program} "$@" >/dev/null 2>>{log}; c=$?; case $c in {no_failure}) ;; *) echo "forecast $1: exit code $c; see" {log};; esac'
    command = f"f() {{ {job}; }}; f {refit}; f {prune}".replace("%", "\\%")
    if len(command) > LONGEST:
        raise UsageError(f"The command has {len(command)} characters; cron takes {LONGEST}.", "Use `forecast schedule systemd`.")
    return _render("crontab", log=s.log, keep=KEEP, path=BARE["PATH"], when=_cron_time(s), command=command)


def service(s: Schedule) -> str:
    """The service: one refit. Raises UsageError for a path that systemd does not take."""
    _check_printable(s, "")
    root = str(s.root)
    if root != root.strip() or root.endswith("\\"):
        raise UsageError(f"systemd does not take a folder whose name ends like this: {root!r}.", "Rename the folder.")
    env = ("/usr/bin/env",) if set(s.program[0]) & set("'\"\\") else ()  # systemd itself starts no program with such a name
    colon = ":" if any("$" in word for word in s.start) else ""  # after a colon, systemd leaves dollar signs alone
    refit, prune = (colon + " ".join(map(_systemd_word, (*env, *s.start, *words))) for words in (s.refit, s.prune))
    return _render(
        "service", unit=UNIT, root=root.replace("%", "%%"), refit=refit, prune=prune, keep=KEEP, ok=" ".join(map(str, NO_FAILURE))
    )


def timer(s: Schedule) -> str:
    """The timer that starts the service of the same name. Raises UsageError for what systemd does not take as a time."""
    when = f"{EVERY[s.every][1]} {s.at:%H:%M}:00" if s.every in EVERY else _calendar(s.every)
    return _render("timer", unit=UNIT, when=when)


def _render(template: str, **values: object) -> str:
    loader = PackageLoader("forecast.jobs", "templates")
    environment = Environment(loader=loader, undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    return environment.get_template(f"{template}.j2").render(values)


_LEAST, _MOST = (0, 0, 1, 1, 0), (59, 23, 31, 12, 7)
_CRON_PART: Final = re.compile(r"(\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?")


def _cron_time(s: Schedule) -> str:
    if s.every in EVERY:
        return f"{s.at.minute} {s.at.hour} {EVERY[s.every][0]}"
    fields = s.every.split()
    if len(fields) != 5 or not all(map(_is_cron_field, fields, _LEAST, _MOST)):
        raise UsageError(
            f"{s.every!r} is not a time that cron understands.", "Write day, week or month, or cron's five fields, such as '17 6 * * 1-5'."
        )
    days, months, weekdays = fields[2:]
    # Beside days of the month, cron takes days of the week as further ones.
    if (days.startswith("*") or weekdays.startswith("*")) and not any(
        day <= monthrange(_LEAP_YEAR, month)[1] for month in _numbers(months, 1, 12) for day in _numbers(days, 1, 31)
    ):
        raise _never(s.every)
    return " ".join(fields)


def _is_cron_field(text: str, least: int, most: int) -> bool:
    """Whether a field is a list of numbers, ranges and steps within bounds. Names of days and months are not taken."""
    for part in text.split(","):
        found = _CRON_PART.fullmatch(part)
        if not found or (found[4] is not None and (int(found[4]) == 0 or (found[2] is not None and found[3] is None))):
            return False
        ends = [int(end) for end in found.group(2, 3) if end is not None]
        if any(not least <= end <= most for end in ends) or ends != sorted(ends):
            return False
    return True


def _numbers(field: str, least: int, most: int) -> set[int]:
    """The numbers that a field of cron lists."""
    listed: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{least}-{most}" if span == "*" else span).partition("-")
        listed |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    return listed


def _never(text: str) -> UsageError:
    return UsageError(f"{text!r} never comes: no such month has such a day.", "Correct the day or the month.")


_MONTH_AND_DAY: Final = re.compile(r"(?<![\d:.,/])(?:[\d*]{1,4}-)?(\d{1,2})-(\d{1,2})(?![\d:.,/-])")
"""A month and a day in plain numbers, in an expression of OnCalendar."""


def _calendar(text: str) -> str:
    """An expression of OnCalendar, judged by systemd itself where it is installed, by its dates alone elsewhere."""
    refusal = UsageError(
        f"{text!r} is not a time that systemd understands.",
        "Write day, week or month, or an expression of OnCalendar, such as 'Mon..Fri 06:17'.",
    )
    if not text.strip() or not text.isprintable() or "%" in text:
        raise refusal
    if found := _MONTH_AND_DAY.search(text):
        month, day = map(int, found.groups())
        if not (1 <= month <= 12 and 1 <= day <= monthrange(_LEAP_YEAR, month)[1]):
            raise _never(text)
    command = ["systemd-analyze", "calendar", "--", text]
    environ = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return text
    if done.returncode:
        raise refusal
    if "Next elapse: never" in done.stdout:
        raise UsageError(f"{text!r} never comes again.", "Write a time that lies ahead, such as 'Mon..Fri 06:17'.")
    return text


_PLAIN: Final = re.compile(r"[A-Za-z0-9_./@:,+=-]+")


def _systemd_word(word: str) -> str:
    """A word of ExecStart, in double quotes if it needs them."""
    if _PLAIN.fullmatch(word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _check_printable(s: Schedule, forbidden: str) -> None:
    for word in s.start:
        if not word.isprintable() or any(c in word for c in forbidden):
            raise UsageError(f"A schedule cannot name {word!r}: it has a character with another meaning there.", "Rename the folder.")
