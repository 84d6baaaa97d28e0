"""The one way to the network, against a server on this machine that misbehaves as servers do."""

from __future__ import annotations

import gzip
import logging
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version

import pytest
from publishers import HASTE, Answer, Publisher, publisher

from forecast.data.sources.web import Endpoint, Limits, Stamp, Web, client
from forecast.errors import SourceError

type Fetch = Callable[..., bytes | None]


@pytest.fixture
def played() -> Iterator[Publisher]:
    with publisher() as server:
        yield server


@pytest.fixture
def fetch(played: Publisher) -> Fetch:
    def get(
        answers: Answer | list[Answer],
        stamp: Stamp | None = None,
        limits: Limits = HASTE,
        headers: dict[str, str] | None = None,
        explain: Callable[[bytes], str] = lambda body: "",
        tell: Callable[[str], None] = lambda words: None,
    ) -> bytes | None:
        played.answers["/file"] = answers
        with client(limits) as http:
            return Web(http, played.endpoint, limits, 100_000, headers or {}, explain, tell).fetch("/file?id=1", stamp).body

    return get


def test_what_is_asked_for_comes_with_the_name_and_version_of_the_program(fetch: Fetch, played: Publisher) -> None:
    assert fetch(Answer(b"hello")) == b"hello"
    assert played.asked[0].query == {"id": "1"}
    assert played.asked[0].headers["user-agent"] == f"tolerance-forecast/{version('tolerance-forecast')}"


@pytest.mark.parametrize("status", [202, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(fetch: Fetch, played: Publisher, status: int) -> None:
    told: list[str] = []
    assert fetch([Answer(b"later", status), Answer(b"later", status), Answer(b"now")], tell=told.append) == b"now"
    assert len(played.asked) == 3
    assert [words[:10] for words in told] == ["try 2 of 3", "try 3 of 3"]


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


def test_a_small_body_that_unpacks_to_a_large_one_is_too_large(fetch: Fetch) -> None:
    with pytest.raises(SourceError, match="more than 100,000 bytes"):
        fetch(Answer(gzip.compress(bytes(20_000_000)), headers={"Content-Encoding": "gzip"}))


def test_a_body_that_cannot_be_unpacked_is_refused(fetch: Fetch, played: Publisher) -> None:
    with pytest.raises(SourceError, match="can't be read"):
        fetch(Answer(b"not gzip", headers={"Content-Encoding": "gzip"}))
    assert len(played.asked) == 1


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
    assert fetch(Answer(b"", 304), Stamp('"abc"', "Tue, 24 Nov 2026 10:00:00 GMT")) is None
    assert played.asked[0].headers["if-none-match"] == '"abc"'
    assert played.asked[0].headers["if-modified-since"] == "Tue, 24 Nov 2026 10:00:00 GMT"


def test_a_secret_is_sent_and_never_shown(fetch: Fetch, played: Publisher, caplog: pytest.LogCaptureFixture) -> None:
    secret = "s3cr3t-t0k3n"
    told: list[str] = []
    caplog.set_level(logging.DEBUG)
    for answer in (
        Answer(secret.encode(), 403),
        Answer(b"", 503),
        Answer(b"", 302, {"Location": f"http://{secret}.org/"}),
        Answer(b"x", declared=9),
    ):
        with pytest.raises(SourceError) as failed:
            fetch(answer, headers={"X-App-Token": secret}, explain=lambda body: body.decode(), tell=told.append)
        assert secret not in str(failed.value)
        assert failed.value.__cause__ is None
    assert played.asked[0].headers["x-app-token"] == secret
    # What a server says in its own headers is its own; what we sent is in no record.
    assert not [r for r in caplog.records if secret in r.getMessage() and "location" not in r.getMessage().lower()]
    assert told
    assert secret not in "".join(told)


def test_the_words_of_a_server_cannot_upset_a_terminal(fetch: Fetch) -> None:
    with pytest.raises(SourceError) as failed:
        fetch(Answer(b"\x1b[2Jgone\nnext", 400), explain=lambda body: body.decode())
    assert failed.value.message.isprintable()


def test_nobody_there_is_an_error_in_words(played: Publisher) -> None:
    with client(HASTE) as http, pytest.raises(SourceError, match=r"127\.0\.0\.1:1 broke off"):
        Web(http, Endpoint("127.0.0.1:1", "http"), HASTE, 1000, {}).fetch("/")
