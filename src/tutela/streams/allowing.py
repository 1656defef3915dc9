"""Where streams may come from: what ``streams.sources`` names, and nowhere else.

A platform's own media servers have private addresses, so these cannot be refused as such. What is
named is the list of hosts. Each name is looked up here, and the address that was checked is the one
that is connected to. A playlist or a redirect that leads elsewhere is refused in the same way.
"""

import re
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from ipaddress import ip_address, ip_network
from threading import Event, Lock

from tutela.streams.model import RefusedSourceError, Source, SourceError, StoppedError
from tutela.webhooks.addresses import (
    Address,
    Network,
    UnknownNameError,
    look_name_up,
    meant,
)

_SECONDS = 10.0
_SMALL_BYTES = 1024
_GATHERED_SECONDS = 0.005
_NAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_THIS_MACHINE = "localhost"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Hosts that streams may come from.

    Attributes:
        names: Names, or ``*.`` and a domain for all names in it.
        networks: Addresses. A name that leads to one of them need not be named.
        ports: The ports there that may be connected to.
    """

    names: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    ports: tuple[range, ...] = (range(1, 1 << 16),)

    @classmethod
    def of(cls, texts: Iterable[str], ports: Iterable[int | str] = ("1-65535",)) -> "Allowed":
        """From the settings.

        Args:
            texts: The hosts.
            ports: The ports, and spans of ports such as ``9000-9100``.

        Raises:
            ValueError: One is neither a name nor an address, or no port.
        """
        names, networks = [], []
        for text in texts:
            try:
                networks.append(ip_network(text))
            except ValueError:
                if not _NAME.fullmatch(text.lower()):
                    raise ValueError(
                        f'"{text}" is no host: write media.example.org, *.example.org, 10.0.0.0/8'
                    ) from None
                names.append(text.lower())
        return cls(tuple(names), tuple(networks), tuple(map(_span, ports)))

    @property
    def nothing(self) -> bool:
        """Whether there are none."""
        return not self.names and not self.networks

    def and_host_of(self, source: Source) -> "Allowed":
        """These and the host and port of a source that somebody of the house names by hand."""
        ports = (*self.ports, range(source.port, source.port + 1))
        try:
            return Allowed(self.names, (*self.networks, ip_network(source.host)), ports)
        except ValueError:
            return Allowed((*self.names, source.host), self.networks, ports)

    def has_port(self, port: int) -> bool:
        """Whether a port may be connected to."""
        return any(port in each for each in self.ports)

    def has(self, host: str) -> bool:
        """Whether a host may be, as far as can be said without looking its name up."""
        try:
            return self._has_address(ip_address(host))
        except ValueError:
            return bool(self.networks) or self._has_name(host)

    def addresses(self, host: str, port: int) -> list[Address]:
        """Those of a host that may be connected to; at least one.

        Raises:
            RefusedSourceError: There are none.
            SourceError: Nobody knows the name just now.
        """
        if not self.has_port(port):
            raise RefusedSourceError(
                f"it leads to port {port}, where streams may not come from: streams.ports names "
                "the ports"
            )
        try:
            literal = ip_address(host)
        except ValueError:
            named = self._has_name(host)
        else:
            if self._has_address(literal):
                return [literal]
            raise _refused(host)
        if not named and not self.networks:
            raise _refused(host)
        try:
            addresses = look_name_up(host, port)
        except UnknownNameError:
            if named:
                raise no_connection("the name is not known") from None
            # In the same words as a name that is known: nobody finds out which of the two it is.
            raise _refused(host) from None
        good = [
            each
            for each in addresses
            if self._has_address(each) or (named and _may_be_named(each, host))
        ]
        if not good:
            raise _refused(host)
        return good

    def _has_name(self, host: str) -> bool:
        return any(fnmatchcase(host.rstrip("."), each) for each in self.names)

    def _has_address(self, address: Address) -> bool:
        return any(
            each.version == network.version and each in network
            for each in (address, meant(address))
            for network in self.networks
        )


def _may_be_named(address: Address, host: str) -> bool:
    """Whether a name that is allowed may lead there.

    Not to this machine itself, nor to the addresses at which clouds tell machines their secrets:
    whoever rules the name would rule those.
    """
    both = (address, meant(address))
    if any(each.is_loopback for each in both):
        return host == _THIS_MACHINE
    return not any(
        each.is_link_local or each.is_multicast or each.is_unspecified or each.is_reserved
        for each in both
    )


def _refused(host: str) -> RefusedSourceError:
    return RefusedSourceError(
        f"it leads to {host[:100]}, where streams may not come from: streams.sources names the "
        "hosts"
    )


class Calls:
    """The connections of one stream. Another thread can cut them.

    Args:
        allowed: Where they may lead.
    """

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._cut = Event()

    @property
    def is_cut(self) -> bool:
        """Whether nobody wants more."""
        return self._cut.is_set()

    def rest(self, seconds: float) -> None:
        """Wait for so long.

        Raises:
            StoppedError: The connections were cut, before or meanwhile.
        """
        if self._cut.wait(seconds):
            raise StoppedError

    def gather(self, size: int) -> None:
        """After a piece of this size came: let more come together, if it was a small one.

        Who sends a byte at a time would else have the house wake up for each of them.

        Raises:
            StoppedError: As ``rest``.
        """
        if size < _SMALL_BYTES:
            self.rest(_GATHERED_SECONDS)

    def addresses(self, host: str, port: int) -> list[Address]:
        """Where a host may be connected to; at least one.

        Raises:
            RefusedSourceError: Streams may not come from there.
            SourceError: Nobody knows the name just now.
        """
        return self._allowed.addresses(host, port)

    def connect(self, host: str, port: int, *, encrypted: bool) -> socket.socket:
        """Connect to a host.

        Raises:
            RefusedSourceError: Streams may not come from there.
            SourceError: It does not answer.
            StoppedError: The connections were cut.
        """
        addresses = self.addresses(host, port)
        failure = ""
        for address in addresses:
            line = socket.socket(
                socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM
            )
            self.note(line)
            try:
                line.settimeout(_SECONDS)
                line.connect((str(address), port))
                if encrypted:
                    plain, line = line, _trust().wrap_socket(line, server_hostname=host)
                    self._forget(plain)
                    self.note(line)
                return line
            except (OSError, ValueError) as error:
                self.drop(line)
                failure = _words(error)
        if self.is_cut:
            raise StoppedError
        raise no_connection(failure)

    def drop(self, line: socket.socket) -> None:
        """Let go of a connection."""
        self._forget(line)
        line.close()

    def cut(self) -> None:
        """End all connections, and let none begin: whoever waits for one goes on at once."""
        with self._lock:
            self._cut.set()
            lines = list(self._open)
        for line in lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def note(self, line: socket.socket) -> None:
        """Have a connection be among those that are cut.

        Raises:
            StoppedError: They were cut before. It is closed.
        """
        with self._lock:
            if self.is_cut:
                line.close()
                raise StoppedError
            self._open.add(line)

    def _forget(self, line: socket.socket) -> None:
        with self._lock:
            self._open.discard(line)


def no_connection(detail: str) -> SourceError:
    """That a source does not answer.

    In one wording for all: else whoever may name sources would learn which ports are open.

    Args:
        detail: More of it, for those alone who run the house.
    """
    return SourceError("there is no connection to its server", detail)


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not good ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return "no encrypted connection"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"no connection ({getattr(error, 'strerror', None) or type(error).__name__})"


def _span(port: int | str) -> range:
    first, dash, last = str(port).partition("-")
    try:
        span = range(int(first), int(last if dash else first) + 1)
    except ValueError:
        span = range(0)
    if not span or not 0 < span[0] <= span[-1] < 1 << 16:
        raise ValueError(f'"{port}" is no port: write 1935, or "9000-9100"')
    return span


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
