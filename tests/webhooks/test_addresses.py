"""A webhook leads to a public address by https, or to where the settings allow it."""

from ipaddress import ip_network

import pytest

from tutela.errors import InvalidInputError
from tutela.webhooks.addresses import RefusedAddressError, checked_url, find_destination

OWN = (ip_network("127.0.0.0/8"), ip_network("10.1.0.0/16"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    "url",
    [
        "https://platform.example/hooks",
        "https://platform.example:8443/a?b=c",
        "https://93.184.216.34/hooks",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/",
    ],
)
def test_a_public_address_is_taken(url: str) -> None:
    assert checked_url(f" {url} ", ()) == url


@pytest.mark.parametrize(
    "url",
    ["", "platform.example", "ftp://platform.example", "https://", "https://a b/", "https://x\n/",
     "javascript:alert(1)", "https://" + "a" * 2000, "https://[::1", "https://a:b@c.example/",
     "https://c.example/#part"],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError):
        checked_url(url, OWN)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0",
     "100.64.0.1", "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[fe80::1]", "[fd00::1]",
     "[::ffff:127.0.0.1]", "[64:ff9b::a00:1]", "[2002:7f00:1::]", "[ff02::1]",
     "[::7f00:1]", "[64:ff9b:1::7f00:1]"],
)  # fmt: skip
def test_private_addresses_are_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(RefusedAddressError, match="private network"):
        checked_url(f"https://{host}/", ())
    with pytest.raises(RefusedAddressError):
        find_destination(f"https://{host}/", ())


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f000001", "2130706433"])
def test_a_name_is_refused_for_where_it_leads(host: str) -> None:
    with pytest.raises(InvalidInputError):
        find_destination(f"https://{host}/", ())


def test_networks_of_ones_own_may_be_allowed() -> None:
    assert str(find_destination("http://10.1.2.3:3000/", OWN).addresses[0]) == "10.1.2.3"
    assert str(find_destination("https://[fd00::5]/", OWN).addresses[0]) == "fd00::5"
    assert find_destination("http://localhost/", (*OWN, ip_network("::1"))).url.host == "localhost"
    with pytest.raises(RefusedAddressError, match="private network"):
        find_destination("http://10.2.0.1/", OWN)


def test_http_is_for_networks_of_ones_own() -> None:
    with pytest.raises(RefusedAddressError, match="https"):
        checked_url("http://platform.example/", ())
    with pytest.raises(RefusedAddressError, match="https"):
        find_destination("http://93.184.216.34/", OWN)
