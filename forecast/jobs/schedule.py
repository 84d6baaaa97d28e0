"""The scheduled job as a line for cron, or as a service and a timer for systemd; only the text, nothing is installed."""

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

from forecast.errors import ForecastError, UsageError

UNIT: Final = "forecast-refit"
LOG: Final = "refit.log"
BARE: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
"""What a scheduler hands a job, little more: the program must run in that."""
EVERY: Final = {
    "day": ("* * *", "*-*-*"),
    "week": ("* * 1", "Mon *-*-*"),
    "month": ("1 * *", "*-*-01"),
}
"""The day fields of cron, and the date of systemd."""
WELL: Final = (5, 6)
"""Exit codes that call nobody: another refit holds the lock and does the work; a source was down and will be asked again."""

LEAP: Final = 2000
"""A year with a 29th of February."""

KEEP: Final = 30
"""Runs that a schedule keeps; at 28 megabytes each they take less than a gigabyte. What other things rest on stays besides."""
LONGEST: Final = 998
"""Characters of a command that cron takes."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a refit is to run, and what it is: `every` is day, week or month, or the scheduler's own words for when."""

    program: tuple[str, ...]
    root: Path
    every: str = "day"
    at: time = time(6, 17)
    pull: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The command, each word as the program is to receive it."""
        return (*self._begin, "refit", *(["--pull"] if self.pull else []), "--log-json")

    @property
    def prune(self) -> tuple[str, ...]:
        """The command that removes old runs afterwards."""
        return (*self._begin, "runs", "prune", "--keep", str(KEEP), "--log-json")

    @property
    def _begin(self) -> tuple[str, ...]:
        return (*self.program, "--workspace", str(self.root))

    @property
    def log(self) -> Path:
        return self.root / "reports" / LOG


def find_program(executable: str, version: str) -> tuple[str, ...]:
    """How to start this very program from anywhere: the command beside the interpreter, or the interpreter itself; tried by running it.

    executable: the interpreter that runs now. Raises ForecastError if neither answers with this version.
    """
    tried = [(str(Path(executable).with_name("forecast")),), (executable, "-m", "forecast")]
    for words in tried:
        try:
            done = subprocess.run([*words, "--version"], cwd="/", env=BARE, capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.SubprocessError):
            continue
        if done.stdout.strip() == f"forecast {version}":
            return words
    raise ForecastError(
        f"Neither {' '.join(tried[0])} nor {' '.join(tried[1])} runs from another folder.", "Install the package in that environment."
    )


def cron(s: Schedule) -> str:
    """Lines for `crontab -e`. Raises UsageError for what cron cannot be told."""
    _printable(s, "\\")
    begin = len(s._begin)
    program, refit, prune = (" ".join(map(shlex.quote, words)) for words in (s._begin, s.words[begin:], s.prune[begin:]))
    log = shlex.quote(str(s.log))
    well = "|".join(map(str, (0, *WELL)))
    job = f'{program} "$@" >/dev/null 2>>{log}; c=$?; case $c in {well}) ;; *) echo "forecast $1: exit code $c; see" {log};; esac'
    command = f"f() {{ {job}; }}; f {refit}; f {prune}".replace("%", "\\%")
    if len(command) > LONGEST:
        raise UsageError(f"The command has {len(command)} characters; cron takes {LONGEST}.", "Use `forecast schedule systemd`.")
    return _text(
        "# Brings the forecast up to its data and priors; does nothing if they have not changed. Add these lines with `crontab -e`.",
        f"# Each event goes to {s.log} as a line of JSON; have logrotate keep that short.",
        f"# Afterwards all but the newest {KEEP} runs are removed, which take 28 megabytes each. The ledger, and what is needed to explain "
        "the forecast, stay.",
        "# cron mails what the line prints: nothing, unless the refit failed. Exit codes 5 (another refit is at work) and 6 (a source was "
        "down, the rest went on) are no failures. Who gets it:",
        "#MAILTO=you@example.org",
        "SHELL=/bin/sh",
        f"PATH={BARE['PATH']}",
        "# Minute, hour, day of the month, month, day of the week (1 is Monday), by this machine's clock; then the command, in which a "
        "per-cent sign is written \\%. A second refit while one is at work leaves at once.",
        f"{_cron_time(s)} {command}",
    )


def _cron_time(s: Schedule) -> str:
    if s.every in EVERY:
        return f"{s.at.minute} {s.at.hour} {EVERY[s.every][0]}"
    fields = s.every.split()
    if len(fields) != 5 or not all(map(_cron_field, fields, _LEAST, _MOST)):
        raise UsageError(f"{s.every!r} is no time for cron.", "Write day, week or month, or cron's five fields, such as '17 6 * * 1-5'.")
    if not _cron_fires(*fields[2:]):
        raise _never(s.every)
    return " ".join(fields)


_LEAST, _MOST = (0, 0, 1, 1, 0), (59, 23, 31, 12, 7)
_PART: Final = re.compile(r"(\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?")


def _cron_field(text: str, least: int, most: int) -> bool:
    """Whether a field is a list of numbers, ranges and steps within bounds. Names of days and months are not taken."""
    for part in text.split(","):
        found = _PART.fullmatch(part)
        if not found or (found[4] is not None and (int(found[4]) == 0 or (found[2] is not None and found[3] is None))):
            return False
        ends = [int(end) for end in found.group(2, 3) if end is not None]
        if any(not least <= end <= most for end in ends) or ends != sorted(ends):
            return False
    return True


def _cron_fires(days: str, months: str, weekdays: str) -> bool:
    """Whether any of the days is in any of the months. Beside days of the month, cron takes days of the week as further ones."""
    if not days.startswith("*") and not weekdays.startswith("*"):
        return True
    return any(day <= monthrange(LEAP, month)[1] for month in _numbers(months, 1, 12) for day in _numbers(days, 1, 31))


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


def service(s: Schedule) -> str:
    """The service: one refit. Raises UsageError for a path that systemd cannot be told."""
    _printable(s, "")
    root = str(s.root)
    if root != root.strip() or root.endswith("\\"):
        raise UsageError(f"systemd cannot be told of a folder whose name ends so: {root!r}.", "Rename the folder.")
    words = (*(["/usr/bin/env"] if set(s.program[0]) & set("'\"\\") else []), *s.words)  # systemd itself starts no program named so
    # With a colon before it, systemd leaves dollar signs alone.
    colon = ":" if any("$" in word for word in words) else ""
    start, prune = (colon + " ".join(map(_systemd_word, all_)) for all_ in (words, (*words[: -len(s.words)], *s.prune)))
    return _text(
        f"# {UNIT}.service: one refit of the forecast. It does nothing if data and priors mean what they meant.",
        "# For one user: put it in ~/.config/systemd/user/, and have `loginctl enable-linger` run your timers while you are logged out.",
        "# For the machine: put it in /etc/systemd/system/, and name the workspace's owner in User=.",
        "# A second workspace needs names of its own: rename both files alike.",
        "[Unit]",
        f"Description=Refit of the forecast in {root.replace('%', '%%')}",
        "",
        "[Service]",
        "Type=oneshot",
        "#User=",
        f"WorkingDirectory={root.replace('%', '%%')}",
        f"ExecStart={start}",
        f"# Then all but the newest {KEEP} runs are removed, which take 28 megabytes each. The ledger, and what is needed to explain the "
        "forecast, stay.",
        f"ExecStart={prune}",
        "# Keys of publishers, if you have any, in a file that only you can read:",
        "#EnvironmentFile=-%h/.config/forecast.env",
        "# 5: another refit is at work. 6: a source was down, the rest went on. Any other code is a failure: see `forecast status`.",
        f"SuccessExitStatus={' '.join(map(str, WELL))}",
        "# It computes for minutes and is in no hurry.",
        "Nice=10",
        "IOSchedulingClass=idle",
        "# Stopping it leaves the last good forecast; what is half-made is swept up.",
        "TimeoutStartSec=3h",
    )


def timer(s: Schedule) -> str:
    """The timer that starts the service of the same name. Raises UsageError for what systemd does not take as a time."""
    if s.every in EVERY:
        when = f"{EVERY[s.every][1]} {s.at:%H:%M}:00"
    else:
        when = _calendar(s.every)
    return _text(
        f"# {UNIT}.timer: starts {UNIT}.service. Put it beside that, then (without --user for the machine):",
        "#   systemctl --user daemon-reload",
        f"#   systemctl --user enable --now {UNIT}.timer",
        f"# `systemctl --user list-timers` shows the next start, `journalctl --user -u {UNIT}` what was said.",
        "[Unit]",
        "Description=When the forecast is brought up to its data and priors",
        "",
        "[Timer]",
        "# By this machine's clock; add UTC for that one.",
        f"OnCalendar={when}",
        "# After a time without power: once, as soon as it is back.",
        "Persistent=true",
        "# Not all workspaces ask a publisher at one moment.",
        "RandomizedDelaySec=15min",
        "",
        "[Install]",
        "WantedBy=timers.target",
    )


def _calendar(text: str) -> str:
    """An expression of OnCalendar, judged by systemd itself where it is installed, by its dates alone elsewhere."""
    wrong = UsageError(
        f"{text!r} is no time for systemd.", "Write day, week or month, or an expression of OnCalendar, such as 'Mon..Fri 06:17'."
    )
    if not text.strip() or not text.isprintable() or "%" in text:
        raise wrong
    if (date := _MONTH_DAY.search(text)) and not _exists(*map(int, date.groups())):
        raise _never(text)
    command = ["systemd-analyze", "calendar", "--", text]
    environ = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return text
    if done.returncode:
        raise wrong
    if re.search(r"Next elapse: never", done.stdout):
        raise UsageError(f"{text!r} never comes again.", "Write a time that lies ahead, such as 'Mon..Fri 06:17'.")
    return text


_MONTH_DAY: Final = re.compile(r"(?<![\d:.,/])(?:[\d*]{1,4}-)?(\d{1,2})-(\d{1,2})(?![\d:.,/-])")
"""A month and a day in plain numbers, in an expression of OnCalendar."""


def _exists(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= monthrange(LEAP, month)[1]


_PLAIN: Final = re.compile(r"[A-Za-z0-9_./@:,+=-]+")


def _systemd_word(word: str) -> str:
    """A word of ExecStart, in double quotes if it needs them."""
    if _PLAIN.fullmatch(word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _printable(s: Schedule, forbidden: str) -> None:
    for word in s.words:
        if not word.isprintable() or any(c in word for c in forbidden):
            raise UsageError(f"A schedule cannot name {word!r}: it holds a character that would be read otherwise.", "Rename the folder.")


def _text(*lines: str) -> str:
    """Lines as they are, but for comments, which are filled to 80 columns."""
    from textwrap import wrap

    filled = (
        wrap(line, 80, subsequent_indent="# ", break_on_hyphens=False) if line.startswith("# ") and len(line) > 80 else [line]
        for line in lines
    )
    return "\n".join(line for some in filled for line in some) + "\n"
