"""The one way to the network, against a server on this machine that misbehaves as servers do."""

from __future__ import annotations

import functools
import gzip
import logging
import time
import tracemalloc
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from forecast.data.sources.http_client import ERROR_BYTES, Endpoint, HostClient, Limits, Validators, open_client
from forecast.errors import SourceError
from tests.support.publishers import HASTE, Answer, Publisher, publisher


@functools.cache
def bomb() -> bytes:
    """A kilobyte that unpacks, twice, to 100 megabytes."""
    return gzip.compress(gzip.compress(bytes(100_000_000), 1))


type Fetch = Callable[..., bytes | None]


@pytest.fixture
def played() -> Iterator[Publisher]:
    with publisher() as server:
        yield server


@pytest.fixture
def fetch(played: Publisher) -> Fetch:
    def get(
        answers: Answer | list[Answer],
        stamp: Validators | None = None,
        limits: Limits = HASTE,
        headers: dict[str, str] | None = None,
        explain: Callable[[bytes], str] = lambda body: "",
        on_retry: Callable[[str], None] = lambda words: None,
    ) -> bytes | None:
        played.answers["/file"] = answers
        with open_client(limits) as http:
            return HostClient(http, played.endpoint, limits, 100_000, headers or {}, explain, on_retry).fetch("/file?id=1", stamp).body

    return get


def test_what_is_asked_for_comes_with_the_name_and_version_of_the_program(fetch: Fetch, played: Publisher) -> None:
    assert fetch(Answer(b"hello")) == b"hello"
    assert played.asked[0].query == {"id": "1"}
    assert played.asked[0].headers["user-agent"] == f"tolerance-forecast/{version('tolerance-forecast')}"


@pytest.mark.parametrize("status", [202, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(fetch: Fetch, played: Publisher, status: int) -> None:
    messages: list[str] = []
    assert fetch([Answer(b"later", status), Answer(b"later", status), Answer(b"now")], on_retry=messages.append) == b"now"
    assert len(played.asked) == 3
    assert [words[:10] for words in messages] == ["try 2 of 3", "try 3 of 3"]


def test_a_server_that_stays_busy_is_given_up(fetch: Fetch, played: Publisher) -> None:
    with pytest.raises(SourceError, match=r"answered 503 Service Unavailable, after 3 tries.*later"):
        fetch(Answer(b"", 503))
    assert len(played.asked) == 3


@pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 404, 410])
def test_no_other_answer_is_asked_for_again(fetch: Fetch, played: Publisher, status: int) -> None:
    with pytest.raises(SourceError, match=f"answered {status}"):
        fetch(Answer(b"", status))
    assert len(played.asked) == 1


def test_a_moved_address_says_so(fetch: Fetch) -> None:
    with pytest.raises(SourceError, match=r"404 Not Found for /file.*may have moved"):
        fetch(Answer(b"", 404))


def test_retry_after_is_honoured(fetch: Fetch) -> None:
    began = time.monotonic()
    assert fetch([Answer(b"", 429, {"Retry-After": "1"}), Answer(b"now")]) == b"now"
    assert time.monotonic() - began >= 1.0


def test_retry_after_may_be_a_date_by_the_servers_clock(fetch: Fetch, played: Publisher) -> None:
    busy = Answer(b"", 503, {"Date": "Tue, 24 Nov 2026 10:00:00 GMT", "Retry-After": "Tue, 24 Nov 2026 11:00:00 GMT"})
    with pytest.raises(SourceError, match="asks to wait 3600 seconds"):
        fetch([busy, Answer(b"now")])
    assert len(played.asked) == 1


def test_nobody_waits_for_an_hour(fetch: Fetch, played: Publisher) -> None:
    with pytest.raises(SourceError, match="asks to wait 3600 seconds"):
        fetch([Answer(b"", 429, {"Retry-After": "3600"}), Answer(b"now")])
    assert len(played.asked) == 1


def test_a_retry_after_that_is_none_is_passed_over(fetch: Fetch) -> None:
    assert fetch([Answer(b"", 429, {"Retry-After": "soon"}), Answer(b"now")]) == b"now"


def test_a_truncated_body_is_asked_for_again_and_never_taken_for_whole(fetch: Fetch, played: Publisher) -> None:
    cut = Answer(b"half of it", declared=20)
    assert fetch([cut, Answer(b"all of it")]) == b"all of it"
    with pytest.raises(SourceError, match="broke off"):
        fetch(cut)
    assert len(played.asked) == 2 + 3


def test_a_silent_server_is_asked_again(fetch: Fetch) -> None:
    assert fetch([Answer(b"slow", silent=0.6), Answer(b"fast")]) == b"fast"


def test_a_body_that_drips_is_given_up(fetch: Fetch, played: Publisher) -> None:
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"not done after 0\.6 seconds"):
        fetch(Answer(b"x" * 1000, drip=0.05))
    assert time.monotonic() - began < 2.0
    assert len(played.asked) == 1


def test_an_endless_body_is_cut_off(fetch: Fetch, played: Publisher) -> None:
    with pytest.raises(SourceError, match="more than 100,000 bytes"):
        fetch(Answer(b"x" * 10_000, endless=True))
    assert len(played.asked) == 1


def test_a_body_that_says_it_is_too_large_is_not_read(fetch: Fetch) -> None:
    with pytest.raises(SourceError, match="more than 100,000 bytes"):
        fetch(Answer(b"", declared=100_001))


@pytest.mark.parametrize("status", [200, 400, 404])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "GZip", "unheard-of", "identity, gzip"])
def test_a_compressed_body_is_refused_and_never_unpacked(fetch: Fetch, played: Publisher, encoding: str, status: int) -> None:
    with pytest.raises(SourceError, match=rf"answered {status} with a compressed body"):
        fetch(Answer(bomb(), status, {"Content-Encoding": encoding}), explain=lambda body: f"{len(body)} bytes")
    assert len(played.asked) == 1
    assert played.asked[0].headers["accept-encoding"] == "identity"


def test_a_compressed_body_takes_no_memory(fetch: Fetch) -> None:
    fetch(Answer(b"warm"))
    packed = bomb()
    tracemalloc.start()
    with pytest.raises(SourceError):
        fetch(Answer(packed, 200, {"Content-Encoding": "gzip, gzip"}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_a_plain_body_may_be_called_plain(fetch: Fetch, encoding: str) -> None:
    assert fetch(Answer(b"hello", headers={"Content-Encoding": encoding})) == b"hello"


@pytest.mark.parametrize("answer", [Answer(b"x" * 5000, 404, endless=True), Answer(b"x" * 5000, 404, declared=10**15)])
def test_of_an_error_only_the_beginning_is_read(fetch: Fetch, answer: Answer) -> None:
    with pytest.raises(SourceError, match=f"404 Not Found for /file .{ERROR_BYTES} bytes"):
        fetch(answer, explain=lambda body: f"{len(body)} bytes")


def test_an_error_that_drips_is_given_up(fetch: Fetch) -> None:
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"not done after 0\.6 seconds"):
        fetch(Answer(b"x" * 1000, 404, drip=0.05))
    assert time.monotonic() - began < 2.0


def test_the_body_of_a_redirect_is_not_read(fetch: Fetch, played: Publisher) -> None:
    played.answers["/new"] = Answer(b"moved")
    assert fetch(Answer(b"x" * 10_000, 301, {"Location": "/new", "Content-Encoding": "gzip"}, endless=True)) == b"moved"


def test_a_redirect_within_the_host_is_followed(fetch: Fetch, played: Publisher) -> None:
    played.answers["/new"] = Answer(b"moved")
    assert fetch(Answer(b"", 301, {"Location": "/new"})) == b"moved"
    assert played.paths == ["/file", "/new"]


@pytest.mark.parametrize(
    "to", ["http://localhost:{port}/file", "http://127.0.0.1:1/file", "https://127.0.0.1:{port}/file", "ftp://127.0.0.1:{port}/file",
           "//example.org/file", "http://user@127.0.0.1:{port}/file"],
)  # fmt: skip
def test_a_redirect_to_another_host_port_scheme_or_name_is_refused(fetch: Fetch, played: Publisher, to: str) -> None:
    port = played.endpoint.host.split(":")[1]
    with pytest.raises(SourceError, match="which is not followed"):
        fetch(Answer(b"", 302, {"Location": to.format(port=port)}))
    assert played.paths == ["/file"]


@pytest.mark.parametrize("to", ["javascript:1", "data:,x", "mailto:someone@example.org", "http://xn--/", "urn:x:y"])
def test_a_redirect_to_what_is_no_address_on_the_web_is_refused(fetch: Fetch, played: Publisher, to: str) -> None:
    with pytest.raises(SourceError, match=r"redirects to no address|which is not followed"):
        fetch(Answer(b"", 302, {"Location": to}))
    assert played.paths == ["/file"]


def test_a_circle_of_redirects_ends(fetch: Fetch, played: Publisher) -> None:
    with pytest.raises(SourceError, match="in a circle"):
        fetch(Answer(b"", 302, {"Location": "/file"}))
    assert len(played.asked) == HASTE.redirects + 1


def test_only_https_and_only_the_named_host_is_spoken_to() -> None:
    named = Endpoint("data.cdc.gov")
    assert str(named.url("/x?y=1")) == "https://data.cdc.gov/x?y=1"
    assert named.admits(named.url("/elsewhere"))
    for other in ("http://data.cdc.gov/x", "https://data.cdc.gov.example.org/x", "https://data.cdc.gov:8443/x", "https://cdc.gov/x"):
        assert not named.admits(Endpoint("x").url("/").join(other)), other


def test_a_stamp_asks_for_changes_only(fetch: Fetch, played: Publisher) -> None:
    assert fetch(Answer(b"", 304), Validators('"abc"', "Tue, 24 Nov 2026 10:00:00 GMT")) is None
    assert played.asked[0].headers["if-none-match"] == '"abc"'
    assert played.asked[0].headers["if-modified-since"] == "Tue, 24 Nov 2026 10:00:00 GMT"


def test_a_secret_is_sent_and_never_shown(fetch: Fetch, played: Publisher, caplog: pytest.LogCaptureFixture) -> None:
    secret = "s3cr3t-t0k3n"
    messages: list[str] = []
    caplog.set_level(logging.DEBUG)
    for answer in (
        Answer(secret.encode(), 403),
        Answer(b"", 503),
        Answer(b"", 302, {"Location": f"http://{secret}.org/"}),
        Answer(b"x", declared=9),
    ):
        with pytest.raises(SourceError) as failed:
            fetch(answer, headers={"X-App-Token": secret}, explain=lambda body: body.decode(), on_retry=messages.append)
        assert secret not in str(failed.value)
        assert failed.value.__cause__ is None
    assert played.asked[0].headers["x-app-token"] == secret
    # What a server says in its own headers is its own; what we sent is in no record.
    assert not [r for r in caplog.records if secret in r.getMessage() and "location" not in r.getMessage().lower()]
    assert messages
    assert secret not in "".join(messages)


def test_the_words_of_a_server_cannot_upset_a_terminal(fetch: Fetch) -> None:
    with pytest.raises(SourceError) as failed:
        fetch(Answer(b"\x1b[2Jgone\nnext", 400), explain=lambda body: body.decode())
    assert failed.value.message.isprintable()


def test_nobody_there_is_an_error_in_words(played: Publisher) -> None:
    with open_client(HASTE) as http, pytest.raises(SourceError, match=r"127\.0\.0\.1:1 broke off"):
        HostClient(http, Endpoint("127.0.0.1:1", "http"), HASTE, 1000, {}).fetch("/")


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("SSL_CERT_FILE", "/nowhere/authorities.pem", "unset SSL_CERT_FILE"),
        ("HTTPS_PROXY", "gopher://proxy", "unset HTTPS_PROXY"),
        ("ALL_PROXY", "::", "ALL_PROXY"),
        ("NO_PROXY", "[::", "NO_PROXY"),
    ],
)
def test_an_environment_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, remedy: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SourceError, match=remedy):
        open_client(HASTE)


@pytest.mark.parametrize("content", [b"", b"no certificate"])
def test_certificates_that_are_none_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "authorities.pem").write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    with pytest.raises(SourceError, match="certificates of trusted authorities cannot be loaded"):
        open_client(HASTE)
