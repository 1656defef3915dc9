"""Connections that end in time, however little of an answer comes however often.

A limit on each step alone does not keep a server that sends a byte now and then from holding a
worker for months. So each call has a moment by which all of its steps are over.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any

import httpcore
import httpx


class InTime(httpx.HTTPTransport):
    """Transport whose reads and writes end at the moment that ``within`` has set.

    Args:
        trust: What certificates are checked by; ``False`` without TLS.
    """

    def __init__(self, trust: SSLContext | bool) -> None:
        super().__init__(verify=trust, trust_env=False)
        self._until = threading.local()
        # There is no public way to give a transport other connections than its own.
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust if isinstance(trust, SSLContext) else None,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_Backend(self._until),
        )

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Have whatever this thread calls meanwhile be over in so many seconds."""
        self._until.at = time.monotonic() + seconds
        try:
            yield
        finally:
            self._until.at = None


class _Backend(httpcore.NetworkBackend):
    def __init__(self, until: threading.local) -> None:
        self._own = httpcore.SyncBackend()
        self._until = until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._until, timeout, httpcore.ConnectTimeout)
        stream = self._own.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._until)


class _Stream(httpcore.NetworkStream):
    def __init__(self, own: httpcore.NetworkStream, until: threading.local) -> None:
        self._own = own
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._own.read(max_bytes, _left(self._until, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._own.write(buffer, _left(self._until, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._own.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._until, timeout, httpcore.ConnectTimeout)
        return _Stream(self._own.start_tls(ssl_context, server_hostname, left), self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._own.get_extra_info(info)


def _left(until: threading.local, timeout: float | None, late: type[Exception]) -> float | None:
    """How long a step may take: no longer than the call has left."""
    at: float | None = getattr(until, "at", None)
    if at is None:
        return timeout
    left = at - time.monotonic()
    if left <= 0:
        raise late("the time of the whole call is over")
    return left if timeout is None else min(left, timeout)
