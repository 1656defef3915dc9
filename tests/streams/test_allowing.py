"""Streams come from the hosts that the settings name, whatever those names lead to."""

from ipaddress import ip_address

import pytest

from tutela.errors import InvalidInputError
from tutela.streams import allowing
from tutela.streams.allowing import Allowed
from tutela.streams.model import RefusedSourceError, source_of


@pytest.mark.parametrize(
    ("named", "host", "leads_to", "is_allowed"),
    [
        (["media.example.org"], "media.example.org", "192.0.2.1", True),
        (["media.example.org"], "MEDIA.example.org.".lower(), "192.0.2.1", True),
        (["media.example.org"], "other.example.org", "192.0.2.1", False),
        (["*.example.org"], "a.b.example.org", "10.0.0.1", True),
        (["*.example.org"], "example.org", "192.0.2.1", False),
        (["*.example.org"], "example.org.evil.example", "192.0.2.1", False),
        # Whoever rules the name does not rule this machine, nor the secrets of a cloud.
        (["media.example.org"], "media.example.org", "127.0.0.1", False),
        (["media.example.org"], "media.example.org", "169.254.169.254", False),
        (["media.example.org"], "media.example.org", "::ffff:169.254.169.254", False),
        (["media.example.org"], "media.example.org", "0.0.0.0", False),
        (["media.example.org"], "media.example.org", "::1", False),
        (["media.example.org"], "media.example.org", "fd00::7", True),
        (["media.example.org", "127.0.0.0/8"], "media.example.org", "127.0.0.1", True),
        (["localhost"], "localhost", "127.0.0.1", True),
        (["10.1.0.0/16"], "media.example.org", "10.1.2.3", True),
        (["10.1.0.0/16"], "media.example.org", "10.2.2.3", False),
        (["10.1.0.0/16"], "10.1.2.3", None, True),
        (["10.1.0.0/16"], "10.2.2.3", None, False),
        (["*.example.org"], "10.1.2.3", None, False),
        (["::1"], "::1", None, True),
        ([], "media.example.org", "192.0.2.1", False),
    ],
)
def test_a_host_is_allowed_by_its_name_or_by_where_it_leads(
    monkeypatch, named, host, leads_to, is_allowed
) -> None:
    # The world's names are not ours to change: this one asks a book of our own.
    monkeypatch.setattr(
        allowing.socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (leads_to,))]
    )
    allowed = Allowed.of(named)
    if is_allowed:
        assert allowed.addresses(host, 80) == [ip_address(leads_to or host)]
    else:
        with pytest.raises(RefusedSourceError):
            allowed.addresses(host, 80)


def test_no_port_is_connected_to_but_those_that_are_named() -> None:
    allowed = Allowed.of(["10.1.0.0/16"], [1935, "9000-9002"])
    for port in (1935, 9000, 9002):
        assert allowed.addresses("10.1.2.3", port)
    for port in (22, 1936, 8999, 9003):
        with pytest.raises(RefusedSourceError, match=r"streams\.ports"):
            allowed.addresses("10.1.2.3", port)
    by_hand = allowed.and_host_of(source_of("tcp://10.2.2.3:22"))
    assert by_hand.addresses("10.2.2.3", 22)


@pytest.mark.parametrize("port", [0, 65536, "a", "7-", "9-8", "-1", ""])
def test_what_is_no_port_is_refused(port: int | str) -> None:
    with pytest.raises(ValueError, match="no port"):
        Allowed.of([], [port])


def test_whether_a_name_that_is_not_named_is_known_is_told_to_nobody(monkeypatch) -> None:
    allowed = Allowed.of(["10.1.0.0/16"])
    said = set()
    for leads_to in ("192.0.2.1", None):

        def look_up(*_, leads_to=leads_to, **__):
            if leads_to is None:
                raise OSError
            return [(0, 0, 0, "", (leads_to,))]

        monkeypatch.setattr(allowing.socket, "getaddrinfo", look_up)
        with pytest.raises(RefusedSourceError) as refused:
            allowed.addresses("inner.example.org", 80)
        said.add(refused.value.reason)
    assert len(said) == 1


@pytest.mark.parametrize("text", ["http://media.example.org", "media..*", "10.0.0.1/8", ""])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no host"):
        Allowed.of([text])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("srt://media.example.org?streamid=7", "which port"),
        ("srt://user:word@media.example.org:9000", "no user and password"),
        ("udp://192.0.2.1:9000", "rtmp://"),
        ("file:///etc/passwd", "rtmp://"),
        ("/etc/passwd", "rtmp://"),
        ("rtmp://user:word@media.example.org/live/1", "no user and password"),
        ("tcp://media.example.org", "which port"),
        ("rtmp://media.example.org:99999/live", "rtmp://"),
        ("http://", "rtmp://"),
    ],
)
def test_what_is_no_source_is_refused_with_what_would_be_one(text: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        source_of(text)


def test_of_a_source_people_see_its_host_and_not_what_lets_somebody_in() -> None:
    source = source_of("rtmp://Media.example.org/live/secret?token=7")
    assert (source.shown, source.port) == ("rtmp://media.example.org:1935/…", 1935)
