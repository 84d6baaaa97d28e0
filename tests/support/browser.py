"""A headless Chromium for tests, driven over a pipe by its DevTools protocol, which a page's Content-Security-Policy does not bind."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EXECUTABLE = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe"),
)
_LAUNCH = """import fcntl, os, sys
pipes = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for place, pipe in enumerate(pipes, 3):
    os.dup2(pipe, place)
os.execv(sys.argv[3], sys.argv[3:])"""
"""The browser reads its commands from descriptor 3 and writes its answers to descriptor 4."""
_LONGEST = 60.0
"""Seconds that one answer may take."""


@dataclass
class Tab:
    """One page. `messages`: what the console and the browser's log said of it; `requests`: every address it asked for and was let."""

    _command: int
    _answers: int
    _session: str = ""
    _last: int = 0
    _buffer: bytes = b""
    _events: set[str] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to one command of the protocol; RuntimeError if the browser refuses it."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters} | ({"sessionId": self._session} if self._session else {})
        os.write(self._command, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return dict(answer["result"])
            self._note(answer)

    def open(self, path: Path, width: int, media: str = "screen", dark: bool = False, height: int = 900) -> None:
        """Load a file in a window of `width` CSS pixels; returns when it has been drawn."""
        self.messages.clear()
        self.requests.clear()
        self._events.clear()
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.send("Page.navigate", url=path.as_uri())
        while "Page.loadEventFired" not in self._events:
            self._note(self._next())
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        found = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """The whole page as PNG."""
        found = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], _LONGEST)
            chunk = os.read(self._answers, 1 << 20) if ready else b""
            if not chunk:
                raise RuntimeError("the browser does not answer")
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        name, told = event.get("method", ""), event.get("params", {})
        self._events.add(name)
        if name == "Log.entryAdded":
            self.messages.append(told["entry"]["text"])
        elif name == "Runtime.consoleAPICalled":
            self.messages.append(" ".join(str(a.get("value")) for a in told["args"]))
        elif name == "Runtime.exceptionThrown":
            self.messages.append(str(told["exceptionDetails"]["text"]))
        elif name == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif name == "Network.loadingFailed" and told.get("blockedReason") == "csp":
            self.requests.pop()  # it was announced, and never left the browser


@contextmanager
def browser(profile: Path) -> Iterator[Tab]:
    """A browser with one tab and a profile of its own, ended when the block is left."""
    assert EXECUTABLE is not None, "CI must have a chromium"
    reads, command = os.pipe()
    answers, writes = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-ISc", _LAUNCH, str(reads), str(writes), EXECUTABLE, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(reads, writes), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(reads)
    os.close(writes)
    tab = Tab(command, answers)
    try:
        target = tab.send("Target.createTarget", url="about:blank")["targetId"]
        tab._session = tab.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.send(f"{domain}.enable")
        yield tab
    finally:
        with suppress(OSError, RuntimeError):
            tab.send("Browser.close")
        os.close(command)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        os.close(answers)
