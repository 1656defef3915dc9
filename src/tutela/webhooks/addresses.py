"""Where webhooks may go: to public addresses by https, and to what the settings name.

Whoever may add a webhook could otherwise have the house knock at doors that only it can reach. A
name is looked up at each delivery and the address that was checked is the one that is connected
to, so that a name which answers differently the second time gains nothing.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from tutela.errors import InvalidInputError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_LONGEST = 2000
# Addresses of these hold another one, which is where they lead.
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
# All that IANA gives out as public. Beside it are addresses that networks translate to others of
# their own, such as 64:ff9b:1::/48 and ::ffff:0:0:0/96.
_PUBLIC = IPv6Network("2000::/3")


class RefusedAddressError(InvalidInputError):
    """The webhook leads to where it may not go."""


class UnknownNameError(InvalidInputError):
    """Nobody knows the addresses of a name just now."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to connect to.

    Attributes:
        url: The webhook's address as it was given.
        addresses: The checked addresses behind its name, the best first.
    """

    url: httpx.URL
    addresses: tuple[Address, ...]


def checked_url(text: str, private: Sequence[Network]) -> str:
    """A webhook's address as it is kept.

    Args:
        text: What somebody typed.
        private: The networks of one's own that webhooks may go to.

    Raises:
        InvalidInputError: It is no address of the web, or has a password or a fragment.
        RefusedAddressError: It is without encryption and leads to no network of one's own, or it
            is an address that webhooks may not go to.
    """
    text = text.strip()
    try:
        url = httpx.URL(text)
        host, good = (
            url.host,
            url.scheme in ("https", "http") and text.isprintable() and " " not in text,
        )
    except (httpx.InvalidURL, ValueError):
        host, good = "", False
    if not good or not host or len(text) > _LONGEST:
        raise InvalidInputError("a webhook's URL looks like https://platform.example/hooks/tutela")
    if url.userinfo or url.fragment:
        raise InvalidInputError(
            "a webhook's URL has no user, password or fragment: what is sent is signed instead"
        )
    if url.scheme == "http" and not private:
        raise RefusedAddressError(
            "a webhook's URL begins with https://; one of your own network may begin with http:// "
            "once webhooks.private_networks names that network"
        )
    try:
        literal = ip_address(host)
    except ValueError:
        return text
    _refuse(url, (literal,), private)
    return text


def find_destination(text: str, private: Sequence[Network]) -> Destination:
    """Look a webhook's name up.

    Raises:
        RefusedAddressError: It leads to where webhooks may not go.
        UnknownNameError: The name is not known just now.
    """
    url = httpx.URL(text)
    addresses = look_name_up(url.host, port_of(url))
    _refuse(url, addresses, private)
    return Destination(url, addresses)


def look_name_up(host: str, port: int) -> tuple[Address, ...]:
    """The addresses behind a name, the best first.

    Raises:
        UnknownNameError: Nobody knows any just now.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UnknownNameError("the name {host} is not known", host=host) from None
    return tuple(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found)


def port_of(url: httpx.URL) -> int:
    """The port that a URL means."""
    return url.port or {"https": 443, "http": 80}[url.scheme]


def _refuse(url: httpx.URL, addresses: Sequence[Address], private: Sequence[Network]) -> None:
    for address in addresses:
        ours = is_in(address, private)
        if not ours and not is_public(address):
            raise RefusedAddressError(
                "{host} is an address of a private network or of this machine: webhooks go "
                "there only once webhooks.private_networks names that network",
                host=url.host,
            )
        if url.scheme == "http" and not ours:
            raise RefusedAddressError(
                "{host} is not in a network that webhooks.private_networks names, so its URL "
                "has to begin with https://",
                host=url.host,
            )


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    """Whether an address, or the one that it stands for, is in one of some networks."""
    real = meant(address)
    return any(real.version == network.version and real in network for network in networks)


def is_public(address: Address) -> bool:
    """Whether an address, or the one that it stands for, is one of the public network."""
    real = meant(address)
    if isinstance(real, IPv6Address) and real not in _PUBLIC:
        return False
    return real.is_global and not real.is_multicast


def meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address.sixtofour:
            return address.sixtofour
        if any(address in each for each in _TRANSLATED):
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
