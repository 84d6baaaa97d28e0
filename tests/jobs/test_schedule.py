"""What a scheduler is told: cron's line run as cron runs it, systemd's units as systemd reads them, whatever the folder is called."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from forecast import __version__
from forecast.errors import ForecastError, UsageError
from forecast.jobs.schedule import BARE, KEEP, LONGEST, UNIT, Schedule, cron, find_program, service, timer
from forecast.runs import refit_attempts
from forecast.workspace import Workspace

type Command = Callable[..., Result]

ODD = ["plain", "with a space", "50 % done", 'it\'s "quoted"', "$HOME `id` $(id)", "täglich; rm -rf *", "#1 & <2>", "-q"]
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and not os.environ.get("CI"), reason="no systemd here; CI must have it"
)


@pytest.fixture
def witness(tmp_path: Path) -> Path:
    """A program that writes down the words it is given, says something on both streams, and ends with the code in `code`."""
    program = tmp_path / "a program's" / "forecast 100 %"
    program.parent.mkdir()
    program.write_text(f"""#!/bin/sh
printf '%s\\0' "$@" >> '{tmp_path}/words'
echo result; echo '{{"event": "end"}}' >&2
exit $(cat '{tmp_path}/code')
""")
    program.chmod(0o755)
    return program


def planned(program: Path, folder: Path, **how: object) -> Schedule:
    (folder / "reports").mkdir(parents=True, exist_ok=True)
    return replace(Schedule((str(program),), folder), **how)  # type: ignore[arg-type]


def as_cron_reads(text: str) -> tuple[dict[str, str], list[str], str]:
    """A crontab's environment, its one job's five fields, and the command that is given to the shell."""
    environ, jobs = {}, []
    for line in text.splitlines():
        if not line or line.lstrip().startswith("#"):
            continue
        if found := re.fullmatch(r"([A-Z]+)=(.*)", line):
            environ[found[1]] = found[2]
        else:
            jobs.append(line)
    (job,) = jobs
    *fields, command = job.split(maxsplit=5)
    command, *standard_input = re.split(r"(?<!\\)%", command)
    assert not standard_input, "a per-cent sign that is not escaped ends the command"
    return environ, fields, command.replace("\\%", "%")


def run_by_cron(text: str) -> str:
    """What cron would mail."""
    environ, _, command = as_cron_reads(text)
    done = subprocess.run(
        [environ["SHELL"], "-c", command], cwd="/", env={"HOME": "/", "PATH": environ["PATH"]}, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", ODD)
def test_cron_starts_the_program_with_its_words(witness: Path, tmp_path: Path, name: str) -> None:
    plan = planned(witness, tmp_path / name, pull=True)
    (tmp_path / "code").write_text("0")
    assert run_by_cron(cron(plan)) == ""
    words = (tmp_path / "words").read_text().split("\0")[:-1]
    begin = ["--workspace", str(tmp_path / name)]
    assert words == [*begin, "refit", "--pull", "--log-json", *begin, "runs", "prune", "--keep", str(KEEP), "--log-json"]
    assert plan.log.read_text() == '{"event": "end"}\n' * 2


@pytest.mark.parametrize(("code", "mailed"), [(0, False), (1, True), (3, True), (4, True), (5, False), (6, False), (7, True), (130, True)])
def test_cron_mails_what_failed_and_nothing_else(witness: Path, tmp_path: Path, code: int, mailed: bool) -> None:
    (tmp_path / "code").write_text(str(code))
    plan = planned(witness, tmp_path / "50 % 'x'")
    expected = [f"forecast {word}: exit code {code}; see {plan.log}" for word in ("refit", "runs")] if mailed else []
    assert run_by_cron(cron(plan)).splitlines() == expected


def test_who_gets_the_mail_is_asked_where_it_is_answered() -> None:
    before, after = cron(Schedule(("/bin/forecast",), Path("/w"), "day")).split("#MAILTO=")
    assert before.rstrip().endswith("To set who gets the mail:")
    assert "Who gets it" not in after


def test_cron_says_so_when_the_log_cannot_be_written(witness: Path, tmp_path: Path) -> None:
    plan = planned(witness, tmp_path / "w")
    plan.log.parent.rmdir()
    assert "forecast refit: exit code" in run_by_cron(cron(plan))


def days(fields: list[str], year: int) -> Iterator[datetime]:
    """The moments of a year that five plain cron fields mean, by their definition."""
    assert all(re.fullmatch(r"\*|\d+", f) for f in fields)
    minute, hour, *_ = map(int, fields[:2])
    day = date(year, 1, 1)
    while day.year == year:
        given = (day.day, day.month, day.isoweekday() % 7)
        if all(f == "*" or int(f) == value for f, value in zip(fields[2:], given, strict=True)):
            yield datetime.combine(day, time(hour, minute))
        day += timedelta(days=1)


@pytest.mark.parametrize(("every", "n"), [("day", 365), ("week", 52), ("month", 12)])
def test_cron_fires_when_it_is_to(every: str, n: int) -> None:
    plan = Schedule(("/bin/forecast",), Path("/w"), every, time(5, 30))
    found = list(days(as_cron_reads(cron(plan))[1], 2026))
    assert len(found) == n
    assert {moment.time() for moment in found} == {time(5, 30)}
    assert every != "week" or all(moment.weekday() == 0 for moment in found)


@pytest.mark.parametrize("fields", ["17 6 * * 1-5", "*/15 * * * *", "0 0,12 1-15/2 1,7 0", "59 23 31 12 7"])
def test_cron_takes_its_own_words(fields: str) -> None:
    assert as_cron_reads(cron(Schedule(("/bin/forecast",), Path("/w"), fields)))[1] == fields.split()


WRONG = """daily|60 6 * * *|0 24 * * *|0 0 0 * *|0 0 * 13 *|0 0 * * 8|0 0 * *|0 0 * * * *|5-1 * * * *|5/2 * * * *|*/0 * * * *|1, * * * *|
0 0 * * *
* * * * * rm"""


@pytest.mark.parametrize("fields", WRONG.split("|"))
def test_what_is_no_time_for_cron_is_refused(fields: str) -> None:
    with pytest.raises(UsageError, match="not a time that cron understands"):
        cron(Schedule(("/bin/forecast",), Path("/w"), fields))


NEVER = ["31 2 *", "30,31 2 *", "31 2,4,6,9,11 *", "31 4-12/5 *", "30-31 2 */3", "31 4-6/2 *"]
SELDOM = ["29 2 *", "31 1-2 *", "31 2 1", "*/30 2 *", "30 2-3 *", "31 */11 *", "31 2 1-5"]


@pytest.mark.parametrize("fields", NEVER)
def test_a_day_that_its_months_do_not_have_is_refused_for_cron(fields: str) -> None:
    with pytest.raises(UsageError, match="never comes"):
        cron(Schedule(("/bin/forecast",), Path("/w"), f"17 6 {fields}"))


@pytest.mark.parametrize("fields", SELDOM)
def test_a_day_that_comes_seldom_is_taken_by_cron(fields: str) -> None:
    assert f"17 6 {fields} " in cron(Schedule(("/bin/forecast",), Path("/w"), f"17 6 {fields}"))


@pytest.mark.parametrize("installed", [pytest.param(True, marks=needs_systemd), False])
@pytest.mark.parametrize("every", ["*-02-31", "02-30 06:17", "Mon *-04-31 06:00:00", "*-13-01", "*-06-31 UTC"])
def test_a_day_that_its_month_does_not_have_is_refused_for_systemd(every: str, installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not installed:
        monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match=r"never comes"):
        timer(Schedule(("/bin/forecast",), Path("/w"), every))


@needs_systemd
@pytest.mark.parametrize("every", ["2020-01-01 06:17", "2027-02-29"])
def test_a_time_that_never_comes_again_is_refused_for_systemd(every: str) -> None:
    with pytest.raises(UsageError, match="never comes again"):
        timer(Schedule(("/bin/forecast",), Path("/w"), every))


@pytest.mark.parametrize("every", ["*-02-29", "*-01-31 06:17", "Mon..Fri 06:17", "*-*-31", "*-02,03-31", "06:17"])
def test_a_day_that_comes_seldom_is_taken_by_systemd(every: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"OnCalendar={every}" in timer(Schedule(("/bin/forecast",), Path("/w"), every))
    monkeypatch.setenv("PATH", "/nowhere")
    assert f"OnCalendar={every}" in timer(Schedule(("/bin/forecast",), Path("/w"), every))


def test_what_a_crontab_cannot_hold_is_refused() -> None:
    for name in ("a\nb", "a\\b", "a\tb"):
        with pytest.raises(UsageError, match="Rename"):
            cron(Schedule(("/bin/forecast",), Path("/") / name))
    with pytest.raises(UsageError, match="systemd"):
        cron(Schedule(("/bin/forecast",), Path("/" + LONGEST * "x")))
    for name in ("a\nb", "a ", "a\\"):
        with pytest.raises(UsageError, match="Rename"):
            service(Schedule(("/bin/forecast",), Path("/") / name))


def analyze(*words: str, folder: Path, level: str = "warning") -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"XDG_RUNTIME_DIR": str(folder), "SYSTEMD_LOG_LEVEL": level, "SYSTEMD_COLORS": "0"}
    return subprocess.run(["systemd-analyze", *words], env=environ, capture_output=True, text=True, check=False)


def written(plan: Schedule, folder: Path) -> list[str]:
    folder.mkdir()
    units = {f"{UNIT}.service": service(plan), f"{UNIT}.timer": timer(plan)}
    for name, text in units.items():
        (folder / name).write_text(text)
    return [str(folder / name) for name in units]


@needs_systemd
@pytest.mark.parametrize("manager", ["--user", "--system"])
def test_systemd_finds_nothing_wrong(witness: Path, tmp_path: Path, manager: str) -> None:
    units = written(planned(witness, tmp_path / 'it\'s 50 % "x"', pull=True), tmp_path / "units")
    done = analyze("verify", manager, *units, folder=tmp_path)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    (tmp_path / "units" / f"{UNIT}.service").write_text(Path(units[0]).read_text().replace("Nice=10", "Nice=100"))
    assert "Nice" in analyze("verify", manager, *units, folder=tmp_path).stderr, "it would have seen an error"


@needs_systemd
@pytest.mark.parametrize("name", ODD)
def test_systemd_reads_the_words_and_the_folder_as_meant(witness: Path, tmp_path: Path, name: str) -> None:
    """`verify` tells at its loudest what it has read, quoted for a shell."""
    plan = planned(witness, tmp_path / name)
    told = analyze("verify", "--user", *written(plan, tmp_path / "units"), folder=tmp_path, level="debug").stdout
    line = re.search(r"Command Line: (.*)", told)
    where = re.search(r"WorkingDirectory: (.*)", told)
    assert line
    assert where
    words = subprocess.run(["bash", "-c", f"printf '%s\\0' {line[1]}"], capture_output=True, text=True, check=True).stdout
    assert words.split("\0")[:-1] == ["/usr/bin/env", *plan.start, *plan.refit]
    assert where[1] == str(tmp_path / name)


@needs_systemd
@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("day", ["2026-11-24 05:30", "2026-11-25 05:30", "2026-11-26 05:30"]),
        ("week", ["2026-11-30 05:30", "2026-12-07 05:30", "2026-12-14 05:30"]),
        ("month", ["2026-12-01 05:30", "2027-01-01 05:30", "2027-02-01 05:30"]),
        ("Mon..Fri 06:17", ["2026-11-24 06:17", "2026-11-25 06:17", "2026-11-26 06:17"]),
    ],
)
def test_the_timer_fires_when_it_is_to(every: str, expected: list[str], tmp_path: Path) -> None:
    text = timer(Schedule(("/bin/forecast",), Path("/w"), every, time(5, 30)))
    (when,) = re.findall(r"^OnCalendar=(.*)$", text, re.MULTILINE)
    told = analyze("calendar", "--iterations=3", "--base-time=2026-11-24 00:00:00", when, folder=tmp_path)
    assert re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d", told.stdout.split("Next elapse")[1]) == expected, told.stdout


@pytest.mark.parametrize("every", ["", "50 %", "Mon\nExecStart=/bin/rm", pytest.param("fortnightly", marks=needs_systemd)])
def test_what_is_no_time_for_systemd_is_refused(every: str) -> None:
    with pytest.raises(UsageError, match="not a time that systemd understands"):
        timer(Schedule(("/bin/forecast",), Path("/w"), every))


def test_the_program_is_found_by_running_it(tmp_path: Path) -> None:
    found = find_program(sys.executable, __version__)
    done = subprocess.run([*found, "--version"], cwd="/", env=BARE, capture_output=True, text=True, check=True)
    assert done.stdout == f"forecast {__version__}\n"
    impostor = tmp_path / "forecast"
    impostor.write_text("#!/bin/sh\necho forecast 0.0.0\n")
    impostor.chmod(0o755)
    with pytest.raises(ForecastError, match="Install the package"):
        find_program(str(tmp_path / "python"), __version__)


def test_the_command_prints_this_workspace(workspace: Workspace, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.jobs.schedule.find_program", lambda *_: ("/opt/forecast",))
    root = workspace.data.parent
    told = command("schedule", "cron", "--time", "5:30", "--pull", cwd=root)
    assert told.exit_code == 0, told.stderr
    assert f"\n30 5 * * * f() {{ /opt/forecast --workspace {root} " in told.stdout
    assert told.stdout.endswith(f"; f refit --pull --log-json; f runs prune --keep {KEEP} --log-json\n")
    comments = [line for line in told.stdout.splitlines() if line.startswith("#")]
    assert all(len(line) <= 80 or str(root) in line for line in comments)
    both = command("schedule", "systemd", cwd=root).stdout
    parts = json.loads(command("schedule", "systemd", "--json", cwd=root).stdout)
    started = [line for line in parts[f"{UNIT}.service"].splitlines() if line.startswith("ExecStart=")]
    words = f"ExecStart=/opt/forecast --workspace {root}"
    assert started == [f"{words} refit --log-json", f"{words} runs prune --keep {KEEP} --log-json"]
    assert list(parts) == [f"{UNIT}.service", f"{UNIT}.timer"]
    assert both == "\n".join(parts.values())
    assert command("schedule", "systemd", "--part", "timer", cwd=root).stdout == parts[f"{UNIT}.timer"]
    for wrong in (("--time", "24:00"), ("--time", "5"), ("--time", "5:30", "--every", "1 2 * * *"), ("--every", "never")):
        assert command("schedule", "cron", *wrong, cwd=root).exit_code == 2


@pytest.mark.slow
def test_what_is_printed_refits_and_then_skips(workspace: Workspace) -> None:
    """The whole of it but the sampler, as cron starts it."""
    root = Path(__file__).parents[2]
    plan = Schedule(
        ("/usr/bin/env", f"PYTHONPATH={root}", sys.executable, "-m", "tests.support.fake_sampler", "well"), workspace.data.parent
    )
    for decision in ("refitted", "skipped"):
        assert run_by_cron(cron(plan)) == ""
        last = refit_attempts.last(workspace.reports)
        assert last is not None
        assert (last.decision, last.exit_code) == (decision, 0)
    events = [json.loads(line) for line in plan.log.read_text().splitlines()]
    assert [e["kind"] for e in events if e["event"] == "decision"] == ["refitted", "skipped"]
    assert [e["exit_code"] for e in events if e["event"] == "end"] == [0, 0, 0, 0]
    assert {e["stage"] for e in events if e["event"] == "progress"} >= {"drivers", "report"}
