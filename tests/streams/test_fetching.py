"""What a server sends without end is let go of as soon as nobody wants it."""

import socket
import threading
from collections.abc import Callable

import pytest

from tutela.streams.allowing import Allowed, Calls
from tutela.streams.fetching import Fetcher
from tutela.streams.model import StoppedError


def serving(send: Callable[[socket.socket], None]) -> str:
    """A server that answers one request."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _ = server.accept()
        with server, line:
            line.recv(1 << 16)
            send(line)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}/one"


def test_a_part_is_found_where_the_whole_is_sent() -> None:
    url = serving(lambda line: line.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(9) + b"abcdef"))
    fetcher = Fetcher(Calls(Allowed.of(["127.0.0.1"])))
    assert fetcher.read(url, 100, 10.0, (10, 3))[1] == b"bcd"


def test_what_is_sent_without_end_before_the_part_is_let_go_of() -> None:
    calls = Calls(Allowed.of(["127.0.0.1"]))

    def send(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        line.sendall(bytes(1 << 20))
        calls.cut()
        try:
            while True:
                line.sendall(bytes(1 << 16))
        except OSError:
            pass

    with pytest.raises(StoppedError):
        Fetcher(calls).read(serving(send), 100, 10.0, (1 << 60, 3))
