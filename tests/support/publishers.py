"""A real server on this machine that plays the publishers, with all their oddities, and what it answers when it is in good order."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from forecast.data.sources.http_client import Endpoint, Limits
from forecast.data.sources.overdose import INDICATOR_SERIES, MONTHS
from tests.support.workbooks import Cell, xls, xlsx

HASTE = Limits(connect=2.0, silence=0.3, whole=0.6, attempts=3, first_wait=0.001, longest_wait=2.0, jitter=0.001)
"""Limits for tests: the same rules, in a hurry."""

OVERDOSE = "/resource/xkb8-kh2a.json"
GPR = "/gpr_files/data_gpr_export.xls"
TPU = "/tpu_files/tpu_web_latest.xlsx"
FRED = "/graph/fredgraph.csv"
HOSTS = ("data.cdc.gov", "www.matteoiacoviello.com", "fred.stlouisfed.org")


@dataclass(frozen=True)
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in small letters


@dataclass(frozen=True)
class Answer:
    """declared: the length that is said, if not that of the body. drip: seconds between bytes. silent: seconds before anything."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    declared: int | None = None
    drip: float = 0.0
    silent: float = 0.0
    endless: bool = False


type Reaction = Callable[[Asked], Answer]


class Publisher:
    """What is asked is in `asked`; what is answered to each path in `answers`. A list answers in turn, its last element from then on."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.endpoint = Endpoint(f"{address[0]}:{address[1]}", "http")
        self.asked: list[Asked] = []
        self.answers: dict[str, Reaction | Answer | list[Answer]] = {}

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def react(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        answer = self.answers.get(asked.path, Answer(b"", 404))
        if isinstance(answer, list):
            return answer.pop(0) if len(answer) > 1 else answer[0]
        return answer if isinstance(answer, Answer) else answer(asked)


@contextmanager
def publisher() -> Iterator[Publisher]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = played.react(Asked(parts.path, dict(parse_qsl(parts.query)), headers))
            time.sleep(answer.silent)
            with suppress(OSError):
                self._send(answer)

        def _send(self, answer: Answer) -> None:
            self.send_response_only(answer.status)
            if "Date" not in answer.headers:
                self.send_header("Date", self.date_time_string())
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if not answer.endless:
                self.send_header("Content-Length", str(len(answer.body) if answer.declared is None else answer.declared))
            self.send_header("Connection", "close")
            self.close_connection = True
            self.end_headers()
            while answer.endless:
                self.wfile.write(answer.body)
            step = 1 if answer.drip else max(1, len(answer.body))
            for i in range(0, len(answer.body), step):
                self.wfile.write(answer.body[i : i + step])
                time.sleep(answer.drip)

        def log_message(self, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    played = Publisher(("127.0.0.1", server.server_address[1]))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield played
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kept(body: bytes, **headers: str) -> Reaction:
    """A file that is known again by its ETag."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'

    def react(asked: Asked) -> Answer:
        if asked.headers.get("if-none-match") == tag:
            return Answer(b"", 304, {"ETag": tag})
        return Answer(body, 200, {"ETag": tag, **headers})

    return react


def soda(rows: Sequence[dict[str, Any]], page: int | None = None) -> Reaction:
    """The Socrata interface: filters, `$limit` (default, or whatever is asked for, at most `page`) and `$offset`, in the order of ids."""

    def react(asked: Asked) -> Answer:
        assert asked.query.get("$order") == ":id", "pages without an order overlap"
        wanted = {k: v for k, v in asked.query.items() if not k.startswith("$")}
        found = [row for row in rows if all(row.get(k) == v for k, v in wanted.items())]
        limit = min(int(asked.query.get("$limit", "1000")), page or 50_000)
        offset = int(asked.query.get("$offset", "0"))
        return Answer(json.dumps(found[offset : offset + limit]).encode(), 200, {"Content-Type": "application/json"})

    return react


def provisional(label: str, period: str, reported: str | None, predicted: str | None, pending: str | None, **more: Any) -> dict[str, Any]:
    """A row as the interface sends it: all texts, what is null left out."""
    row = {
        "state": "US",
        "year": period[:4],
        "month": MONTHS[int(period[5:]) - 1],
        "period": "12 month-ending",
        "indicator": label,
        "data_value": reported,
        "percent_complete": "99.5+",
        "percent_pending_investigation": pending,
        "state_name": "United States",
        "footnote": "Numbers may differ from published reports using final data.",
        "footnote_symbol": "**",
        "predicted_value": predicted,
        **more,
    }
    return {name: value for name, value in row.items() if value is not None}


def alphabetical(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """As `$order=year,month` would sort them: April before January."""
    return sorted(rows, key=lambda row: (row["indicator"], row["year"], row["month"]))


def held_rows(folder: Path, file: str) -> list[dict[str, str]]:
    with (folder / file).open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def newest_release(folder: Path) -> list[dict[str, Any]]:
    """The newest release held of each indicator, as its publisher sent it."""
    rows = held_rows(folder, "overdose_releases.csv")
    out = []
    for label, indicator in INDICATOR_SERIES.items():
        last = max(r["published"] for r in rows if r["indicator"] == indicator)
        out += [
            provisional(label, r["period_end"], r["reported"] or None, r["predicted"] or None, r["percent_pending"] or None)
            for r in rows
            if r["indicator"] == indicator and r["published"] == last
        ]
    return alphabetical(out)


def monthly(folder: Path, series: str) -> dict[str, float]:
    return {r["month"]: float(r["value"]) for r in held_rows(folder, "indicators.csv") if r["series"] == series}


def first(month: str) -> date:
    return date(int(month[:4]), int(month[5:]), 1)


def gpr_file(world: dict[str, float], mexico: dict[str, float]) -> bytes:
    rows: list[list[Cell]] = [["month", "GPR", "GPRT", "GPRA", "GPRC_MEX", "var_name"], [date(1900, 1, 1), None, None, None, None, "GPR"]]
    rows += [[first(m), world.get(m), 1.0, 1.0, mexico.get(m), None] for m in sorted({*world, *mexico})]
    return xls(rows)


def tpu_file(values: dict[str, float], sheet: str = "TPU_MONTHLY") -> bytes:
    daily = [["DATE", "TPUD"], [date(2026, 1, 1), 1.0]]
    return xlsx({"TPU_DAILY": daily, sheet: [["DATE", "TPU", "note"], *([first(m), v, None] for m, v in sorted(values.items()))]})


def fred_file(values: dict[str, float | str], header: str = "observation_date,EXMXUS") -> bytes:
    out = io.StringIO()
    out.write(f"{header}\n1993-11-01,3.1552\n")
    out.writelines(f"{month}-01,{value}\n" for month, value in sorted(values.items()))
    return out.getvalue().encode()


def in_good_order(played: Publisher, folder: Path) -> None:
    """Everybody publishes what is held, and two months more (overdoses one, trade-policy uncertainty all)."""
    world, mexico, pesos = (monthly(folder, series) for series in ("gpr_global", "gprc_mex", "usdmxn_avg"))
    rows = newest_release(folder)
    for label, end in zip(INDICATOR_SERIES, ("70123", "36001"), strict=True):
        rows.append(provisional(label, "2026-02", end, str(int(end) + 700), "0.31"))
    played.answers = {
        OVERDOSE: soda(alphabetical(rows)),
        GPR: kept(gpr_file({**world, "2026-05": 210.5, "2026-06": 190.25}, {**mexico, "2026-05": 0.21, "2026-06": 0.1987654321})),
        TPU: kept(tpu_file({f"{y}-{m:02d}": 30.0 + m for y in range(1998, 2027) for m in range(1, 7)})),
        FRED: kept(fred_file({**pesos, "2026-06": 17.5, "2026-07": 17.6125})),
    }


def endpoints(played: Publisher) -> dict[str, Endpoint]:
    return dict.fromkeys(HOSTS, played.endpoint)
