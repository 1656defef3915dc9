"""A client that is cheap itself: many connections, one thread, requests written beforehand."""

import selectors
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_READ_BYTES = 1 << 16
_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Load:
    """What a server answered while it was kept busy.

    Attributes:
        answers: How many requests it answered.
        seconds: In how long.
        latencies: How long each took, in seconds.
    """

    answers: int
    seconds: float
    latencies: Sequence[float]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


def request(
    method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """A request as it is sent."""
    lines = {"Host": "localhost", **({"Content-Length": str(len(body))} if body else {})}
    lines |= headers or {}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def ask(port: int, sent: bytes) -> bytes:
    """Send one request over a connection of its own and give the answer's body.

    Raises:
        RuntimeError: The status is not 200.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS) as connection:
        return ask_over(connection, sent)


def ask_over(connection: socket.socket, sent: bytes) -> bytes:
    """Likewise over an open connection, which stays open if the server leaves it so."""
    connection.sendall(sent)
    received = b""
    while (end := _end_of(received)) is None or len(received) < end:
        if not (part := connection.recv(_READ_BYTES)):
            raise RuntimeError("the server closed the connection without an answer")
        received += part
    _check(received)
    return received.partition(b"\r\n\r\n")[2]


def drive(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> Load:
    """Keep a server busy: each connection sends its next request when it has its answer.

    A connection that the server closes is made anew, as by any client.

    Raises:
        RuntimeError: A status is not 200, or no answer comes.
    """
    latencies: list[float] = []
    with selectors.DefaultSelector() as selector:
        lines = [_Line(port, selector) for _ in range(connections)]
        begin = time.perf_counter()
        for line in lines:
            line.send(next(requests))
        until = begin + seconds
        while (now := time.perf_counter()) < until:
            events = selector.select(_PATIENCE_SECONDS)
            if not events:
                raise RuntimeError("the server does not answer")
            for key, _ in events:
                line = key.data
                if line.receive():
                    latencies.append(time.perf_counter() - line.sent_at)
                    line.send(next(requests))
        for line in lines:
            line.close()
    return Load(len(latencies), now - begin, latencies)


@dataclass(slots=True)
class _Line:
    """One connection, with at most one request under way."""

    port: int
    selector: selectors.BaseSelector
    sent_at: float = 0.0
    _socket: socket.socket | None = None
    _received: bytes = field(default=b"", repr=False)

    def send(self, sent: bytes) -> None:
        self.sent_at = time.perf_counter()
        self._received = b""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(self._socket, selectors.EVENT_READ, self)
        self._socket.sendall(sent)

    def receive(self) -> bool:
        """Whether the answer is whole."""
        assert self._socket is not None
        part = self._socket.recv(_READ_BYTES)
        self._received += part
        end = _end_of(self._received)
        whole = end is not None and len(self._received) >= end
        if not part and not whole:
            raise RuntimeError("the server closed the connection without an answer")
        if whole:
            _check(self._received)
            if b"connection: close" in self._received[:1024].lower():
                self.close()
        return whole

    def close(self) -> None:
        if self._socket is not None:
            self.selector.unregister(self._socket)
            self._socket.close()
            self._socket = None


def _end_of(received: bytes) -> int | None:
    """Where an answer ends, once its head is there."""
    head, found, _ = received.partition(b"\r\n\r\n")
    if not found:
        return None
    lower = head.lower()
    place = lower.index(b"content-length:") + len(b"content-length:")
    return len(head) + 4 + int(lower[place:].partition(b"\r\n")[0])


def _check(received: bytes) -> None:
    if not received.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the server answered {received[:300]!r}")
