"""The HTTP client: bounded in time and size, retries for a busy server, and no host but the one that was named."""

from __future__ import annotations

import logging
import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Final

import httpx
import stamina

from forecast.errors import SourceError
from forecast.storage.text import visible

logging.getLogger("stamina").addHandler(logging.NullHandler())  # retries are reported to the listener, not printed by the library

LATER: Final = "Nothing was changed; try again later."

ERROR_BYTES: Final = 4096
"""Bytes that are read of an error answer: its first words are enough."""

PLAIN: Final = "identity"
"""The only content encoding that is accepted: a few bytes of a compressed body can unpack to gigabytes."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The only server that may be asked: a host (with its port, unless it is the default) and a scheme."""

    host: str
    scheme: str = "https"

    def url(self, target: str) -> httpx.URL:
        return httpx.URL(f"{self.scheme}://{self.host}{target}")

    def admits(self, url: httpx.URL) -> bool:
        return url.scheme == self.scheme and url.netloc.decode() == self.host and not url.userinfo


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of waiting, in seconds, and of retries.

    silence: between two packets. whole: for one complete answer. first_wait: doubles from try to try up to longest_wait, plus a random part
    of at most `jitter`; a server that asks for more than longest_wait is not waited for.
    """

    connect: float = 10.0
    silence: float = 30.0
    whole: float = 120.0
    attempts: int = 4
    first_wait: float = 0.5
    longest_wait: float = 60.0
    jitter: float = 1.0
    redirects: int = 4


@dataclass(frozen=True, slots=True)
class Validators:
    """HTTP validators (RFC 9110), by which a server recognises what it sent last."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its bytes, or None if nothing has changed since the validators that were sent."""

    body: bytes | None
    validators: Validators


class _TemporaryFailure(Exception):
    """A failure that may pass by itself; `after` is how long the server asks to wait, in seconds, if it does."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.after = after


def open_client(limits: Limits) -> httpx.Client:
    """A client for one publisher; close it, or use it in a `with`. Redirects are followed by `fetch`, which looks where they lead.

    Raises SourceError where the environment names certificates or a proxy that cannot be used.
    """
    agent = f"tolerance-forecast/{version('tolerance-forecast')}"
    timeout = httpx.Timeout(limits.silence, connect=limits.connect)
    headers = {"User-Agent": agent, "Accept-Encoding": PLAIN}
    try:
        trusted = _authorities(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        return httpx.Client(verify=trusted, timeout=timeout, follow_redirects=False, headers=headers)
    except OSError as e:
        raise SourceError(
            f"The certificates of trusted authorities cannot be loaded ({e.strerror or e}).", "Correct or unset SSL_CERT_FILE."
        ) from e
    except (ValueError, httpx.InvalidURL) as e:
        raise SourceError(f"The proxy cannot be used ({e}).", "Correct or unset HTTPS_PROXY, ALL_PROXY and NO_PROXY.") from e


@lru_cache(1)
def _authorities(file: str | None, folder: str | None) -> ssl.SSLContext:
    """The trusted authorities that these variables name, or the usual ones; read once for all publishers."""
    return httpx.create_ssl_context()


@dataclass(frozen=True, slots=True)
class HostClient:
    """A client for one publisher's host. `headers` may hold a secret, which is sent to the host and never shown."""

    client: httpx.Client
    endpoint: Endpoint
    limits: Limits
    most_bytes: int
    headers: Mapping[str, str]
    explain: Callable[[bytes], str] = lambda body: ""
    on_retry: Callable[[str], None] = lambda words: None

    def fetch(self, target: str, validators: Validators | None = None) -> Reply:
        """The answer to a path with its query; with `validators` only if it has changed.

        Retries, with jitter and as Retry-After asks, only after 202, 429, 5xx and a broken or silent connection. Raises SourceError,
        without any secret, for any other answer but 200, too many bytes, too slow an answer, and a redirect to another host or scheme.
        """
        lim = self.limits
        message = ""
        try:
            for attempt in stamina.retry_context(
                on=self._pause,
                attempts=lim.attempts,
                timeout=None,
                wait_initial=lim.first_wait,
                wait_max=lim.longest_wait,
                wait_jitter=lim.jitter,
            ):
                if attempt.num > 1:
                    self.on_retry(f"try {attempt.num} of {lim.attempts}: {message}")
                with attempt:
                    try:
                        return self._once(target, validators)
                    except _TemporaryFailure as e:
                        message = e.message
                        raise
        except _TemporaryFailure as e:
            raise SourceError(
                self._clean(f"{e.message}, after {lim.attempts} tries." if e.after is None else _asked_wait(e)), LATER
            ) from None
        raise AssertionError("a retry ends with an answer or an error")

    def _pause(self, failure: Exception) -> bool | float:
        if not isinstance(failure, _TemporaryFailure):
            return False
        if failure.after is None:
            return True
        return failure.after if failure.after <= self.limits.longest_wait else False

    def _once(self, target: str, validators: Validators | None) -> Reply:
        url = self.endpoint.url(target)
        asked = {**self.headers, **(validators.headers() if validators else {})}
        began = time.monotonic()
        try:
            for _ in range(self.limits.redirects + 1):
                with self.client.stream("GET", url, headers=asked) as response:
                    if not response.has_redirect_location:
                        return self._read(response, url, bool(validators and validators.headers()), began)
                    url = self._redirected(response, url)
        except httpx.TransportError as e:
            raise _TemporaryFailure(self._clean(f"{self.endpoint.host} broke off ({_words(e)})")) from None
        except httpx.HTTPError as e:
            raise SourceError(self._clean(f"{self.endpoint.host} sent an unreadable answer ({_words(e)})."), LATER) from None
        except (httpx.InvalidURL, UnicodeError):  # httpx looks at the address of a redirect even where it does not follow it
            raise SourceError(f"{self.endpoint.host} redirects to no address.", LATER) from None
        raise SourceError(f"{self.endpoint.host} redirects in a circle.", LATER)

    def _redirected(self, response: httpx.Response, url: httpx.URL) -> httpx.URL:
        to = url.join(response.headers["location"])
        if not self.endpoint.admits(to):
            raise SourceError(
                self._clean(f"{self.endpoint.host} redirects to {to.scheme}://{to.netloc.decode()}, which is not followed."),
                "If the publisher has moved, change the connector's host.",
            )
        return to

    def _read(self, response: httpx.Response, url: httpx.URL, conditional: bool, began: float) -> Reply:
        code = response.status_code
        validators = Validators(response.headers.get("etag"), response.headers.get("last-modified"))
        if code == HTTPStatus.OK:
            return Reply(self._body(response, began), validators)
        if code == HTTPStatus.NOT_MODIFIED and conditional:
            return Reply(None, validators)
        answered = f"{self.endpoint.host} answered {code} {_phrase(code)}".rstrip()
        if code in (HTTPStatus.ACCEPTED, HTTPStatus.TOO_MANY_REQUESTS) or code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _TemporaryFailure(answered, _retry_after(response))
        words = self.explain(self._start(response, began))
        remedy = "The address may have moved: see the publisher's page." if code in (404, 410) else "Nothing was changed."
        raise SourceError(self._clean(f"{answered} for {url.path}{f' ({words})' if words else ''}."), remedy)

    def _body(self, response: httpx.Response, began: float) -> bytes:
        large = SourceError(
            f"{self.endpoint.host} sends more than {self.most_bytes:,} bytes.", "That is not what was asked for; nothing was changed."
        )
        declared = response.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self.most_bytes:
            raise large
        parts, size = [], 0
        for part in self._parts(response, began):
            size += len(part)
            if size > self.most_bytes:
                raise large
            parts.append(part)
        return b"".join(parts)

    def _start(self, response: httpx.Response, began: float) -> bytes:
        """The first bytes of an error answer."""
        start = b""
        for part in self._parts(response, began):
            start += part
            if len(start) >= ERROR_BYTES:
                break
        return start[:ERROR_BYTES]

    def _parts(self, response: httpx.Response, began: float) -> Iterator[bytes]:
        """The bytes of a body as they arrive, never unpacked. Raises SourceError for an encoded body, and once it takes too long."""
        encoding = response.headers.get("content-encoding", PLAIN).strip().lower()
        if encoding not in ("", PLAIN):
            raise SourceError(
                self._clean(f"{self.endpoint.host} answered {response.status_code} with a compressed body ({encoding[:40]})."),
                "A plain one was requested; nothing was changed.",
            )
        for part in response.iter_raw():
            if time.monotonic() - began > self.limits.whole:
                raise SourceError(f"{self.endpoint.host} was not done after {self.limits.whole:g} seconds.", LATER)
            yield part

    def _clean(self, text: str) -> str:
        """Without secrets, whoever wrote them into it, and on one line of a terminal."""
        for secret in self.headers.values():
            text = text.replace(secret, "…")
        return visible(text, line=True)


def _asked_wait(failure: _TemporaryFailure) -> str:
    return f"{failure.message} and asks to wait {failure.after:.0f} seconds."


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait, from a number or, against the server's own clock, from a date."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until, at = parsedate_to_datetime(text), parsedate_to_datetime(response.headers.get("date", ""))
        return max(0.0, (until - at).total_seconds())
    except (TypeError, ValueError):
        return None


def _phrase(code: int) -> str:
    return HTTPStatus(code).phrase if code in {status.value for status in HTTPStatus} else ""


def _words(e: httpx.HTTPError) -> str:
    kinds: dict[type[httpx.HTTPError], str] = {httpx.ConnectTimeout: "no connection in time", httpx.ReadTimeout: "silent for too long"}
    return kinds.get(type(e)) or str(e) or type(e).__name__
