"""What is fetched is public, within its limits, and from where it was looked for."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.certificates import own_certificate
from tests.web import Web, answering, pointing_to, running_web
from tutela.fingerprints.urls import Url, read_url
from tutela.screening.fetching import Fetched, Fetcher, FetchError
from tutela.storage.settings import Links
from tutela.webhooks.addresses import Address, UnknownNameError

OWN = ("127.0.0.0/8",)


@pytest.fixture(scope="module")
def running() -> Iterator[Web]:
    with running_web() as web:
        yield web


@pytest.fixture
def web(running: Web) -> Web:
    running.pages.clear()
    running.asked.clear()
    return running


class Names:
    """A server of names that answers differently each time."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> list[Address]:
        self.asked.append((host, port))
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not found:
            raise UnknownNameError
        return [ip_address(each) for each in found]


def ask(
    web: Web,
    url: str,
    *,
    names: Names | None = None,
    held: list[int] | None = None,
    trust: ssl.SSLContext | None = None,
    **settings: object,
) -> Fetched | Url:
    links = Links(
        **{"fetch": True, "ports": (web.port,), "private_networks": OWN, "max_mib": 1} | settings
    )
    parts = [links] if names is None else [links, names]
    with Fetcher(*parts, **({} if trust is None else {"trust": trust})) as fetcher:
        return asyncio.run(fetcher.ask(read_url(url), (held if held is not None else []).append))


def refused(web: Web, url: str, **options: object) -> FetchError:
    with pytest.raises(FetchError) as error:
        ask(web, url, **options)
    assert "example" not in error.value.reason
    assert "127" not in error.value.reason
    return error.value


def test_what_is_there_comes_as_it_is_and_nothing_is_told_of_who_asks(web: Web) -> None:
    held: list[int] = []
    url = web.at("/a%20b?c=%3C", answering(b"\x89PNG\r\n", content_type="image/png; x"))
    found = ask(web, url.replace("%20", " ").replace("%3C", "<") + "#secret", held=held)
    assert found == Fetched(b"\x89PNG\r\n", ".jpg")
    assert sum(held) == 6
    (head,) = web.asked
    first, *headers = head.strip().split("\r\n")
    assert first == "get /a%20b?c=%3c http/1.1"
    names = {line.partition(":")[0] for line in headers}
    assert names == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert "\r\nuser-agent: tutela/" in head
    web.asked.clear()
    ask(web, url, user_agent="Example forum (abuse@example.org)")
    assert "\r\nuser-agent: example forum (abuse@example.org)\r\n" in web.asked[0]
    for odd in ("", " a", "a\r\nx: y", "é", "a" * 301):
        with pytest.raises(ValueError, match="user_agent"):
            Links(user_agent=odd)


def test_a_server_says_what_kind_of_file_it_is(web: Web) -> None:
    for path, kind, suffix in (
        ("/a.jpg", {"content_type": "text/html"}, ""),
        ("/a.png", {}, ".png"),
        ("/a", {"content_type": "IMAGE/AVIF"}, ".jpg"),
        ("/a.svg", {"content_type": "image/svg+xml"}, ""),
        ("/b.jpg", {"content_encoding": "gzip"}, ""),
    ):
        found = ask(web, web.at(path, answering(b"x", **kind)))
        assert isinstance(found, Fetched)
        assert found.suffix == suffix


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(web: Web) -> None:
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    url = web.at("/", answering(b"here"), host="moves.example")
    assert ask(web, url, names=names) == Fetched(b"here", "")
    assert names.asked == [("moves.example", web.port)]
    assert f"host: moves.example:{web.port}" in web.asked[0]
    # The second time it answers otherwise, as after a redirect.
    assert "no public address" in refused(web, url, names=names).reason
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["192.168.1.1"],
        ["169.254.169.254"],
        ["100.64.0.1"],
        ["0.0.0.0"],
        ["224.0.0.1"],
        ["240.0.0.1"],
        ["198.18.0.1"],
        ["::1"],
        ["::"],
        ["fe80::1"],
        ["fc00::1"],
        ["ff02::1"],
        ["::ffff:10.0.0.1"],
        ["::ffff:0:10.0.0.1"],
        ["64:ff9b::10.0.0.1"],
        ["64:ff9b:1::10.0.0.1"],
        ["2002:a00:1::1"],
        ["2001:0:a00:1::1"],
        ["::10.0.0.1"],
        ["2001:db8::1"],
        ["5f00::1"],
        ["127.0.0.1", "10.0.0.1"],
        [],
    ],
)
def test_what_is_not_public_is_not_asked_and_nobody_learns_whether_it_is_there(
    web: Web, addresses: list[str]
) -> None:
    error = refused(web, web.at("/", answering(), host="in.example"), names=Names(addresses))
    assert error.reason == "it cannot be fetched: its host has no public address"
    assert web.asked == []


def test_an_address_that_is_written_oddly_is_refused_as_what_it_is(web: Web) -> None:
    for host in ("10.1", "0xA000001", "012.0.0.1", "[::ffff:a00:1]", "[fe80::1]", "2130706433"):
        own = () if host == "2130706433" else OWN
        refused(web, web.at("/", answering(), host=host), private_networks=own)
    assert web.asked == []
    assert ask(web, web.at("/", answering(b"x"), host="2130706433")) == Fetched(b"x", "")


def test_networks_of_ones_own_can_be_refused_although_they_are_public(web: Web) -> None:
    names = Names(["8.8.8.8"])
    url = web.at("/", answering(), host="ours.example")
    assert refused(web, url, names=names, refused_networks=("8.8.8.0/24",))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://127.0.0.1/", "only http and https"),
        ("http://user:word@127.0.0.1/", "a user or a password"),
        ("http://127.0.0.1:22/", "its port"),
        ("https://127.0.0.1/", "its port"),
    ],
)
def test_only_what_anybody_may_ask_for_is_asked_for(web: Web, url: str, said: str) -> None:
    assert said in refused(web, url).reason


def test_where_an_answer_points_to_is_given_and_not_followed(web: Web) -> None:
    for location, form in (
        ("/b?c", "127.0.0.1/b?c"),
        (r"\\other.example\x", "other.example/x"),
        ("http://169.254.169.254/", "169.254.169.254/"),
    ):
        found = ask(web, web.at("/a", pointing_to(location)))
        assert isinstance(found, Url)
        assert found.normal_form == form
    assert "points to no address" in refused(web, web.at("/a", pointing_to("javascript:x"))).reason
    found = ask(web, web.at("/a", pointing_to("file://127.0.0.1/etc/passwd")))
    assert isinstance(found, Url)
    assert "only http and https" in refused(web, found.whole).reason


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answering(b"gone", "404 Not Found"), "answered 404"),
        (answering(b"", "304 Not Modified"), "answered 304"),
        (answering(b"x", content_encoding="br"), "comes packed"),
        (answering(length=False, content_length=str(2 << 20)), "larger than 1 MiB"),
        (answering(b"x" * (1 << 20) + b"y", length=False), "larger than 1 MiB"),
        (CHUNKED + b"100001\r\n" + b"x" * 0x100001 + b"\r\n0\r\n\r\n", "larger than 1 MiB"),
        (answering(b"short", length=False, content_length="10"), "no proper answer"),
        (answering(b"x", length=False, content_length="-1"), "no proper answer"),
        (CHUNKED + b"5\r\nshort\r\n", "no proper answer"),
        (CHUNKED + b"fffffffffffffffffffffff\r\nx", "no proper answer"),
        (CHUNKED + b"-1\r\nx", "no proper answer"),
        (CHUNKED + b"1\r\nxyz\r\n0\r\n\r\n", "no proper answer"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000, "no proper answer"),
        (b"SSH-2.0-server\r\n", "no proper answer"),
        (b"", "no proper answer"),
    ],
)
def test_what_comes_wrong_or_too_large_is_not_read(web: Web, answer: bytes, said: str) -> None:
    held: list[int] = []
    assert said in refused(web, web.at("/", answer), held=held).reason
    assert sum(held) <= 1 << 20


def test_over_https_a_server_is_known_by_its_name(tmp_path: Path) -> None:
    chain, secret = own_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    trust = ssl.create_default_context(cafile=str(chain))
    names = Names(["127.0.0.1"])
    with running_web(context) as web:
        url = web.at("/", answering(b"x"), host="localhost", scheme="https")
        assert ask(web, url, names=names, trust=trust) == Fetched(b"x", "")
        other = url.replace("localhost", "other.example")
        assert "not trusted" in refused(web, other, names=names, trust=trust).reason
        assert "not trusted" in refused(web, url, names=names).reason
        assert len(web.asked) == 1


def test_through_a_proxy_names_are_its_matter_and_addresses_are_checked(web: Web) -> None:
    names = Names(["10.0.0.1"])
    proxied = {"names": names, "proxy": f"http://127.0.0.1:{web.port}", "ports": (80,)}
    web.pages["http://host.example/a"] = answering(b"x")
    assert ask(web, "http://host.example/a", **proxied) == Fetched(b"x", "")
    assert "\r\nhost: host.example\r\n" in web.asked[0]
    assert names.asked == []
    refused(web, "http://10.0.0.1/", **proxied)
    assert len(web.asked) == 1


def test_a_name_that_nobody_answers_for_keeps_no_other_one_waiting() -> None:
    answered = threading.Event()

    def resolve(host: str, _: int) -> list[Address]:
        if host == "slow.example":
            answered.wait(60)
        return [ip_address("10.0.0.1")]

    async def both(fetcher: Fetcher) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await fetcher.ask(read_url("http://slow.example/"), lambda _: None)
        with pytest.raises(FetchError, match="no public address"):
            async with asyncio.timeout(30):
                await fetcher.ask(read_url("http://quick.example/"), lambda _: None)

    with Fetcher(Links(fetch=True, at_once=1), resolve) as fetcher:
        try:
            asyncio.run(both(fetcher))
        finally:
            answered.set()
