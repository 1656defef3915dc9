"""No server, however slowly it answers, holds a worker for longer than it is given."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from queue import Queue

import pytest

from tutela.reporting.cybertipline.client import Client, NoAnswerError
from tutela.reporting.cybertipline.server import Server

# Each byte comes within the time that one step has, and the answer never ends.
_SECONDS, _BETWEEN = 0.5, 0.1


@pytest.fixture
def slow() -> Iterator[tuple[str, threading.Event]]:
    """A server that answers with a byte of a header now and then."""
    over, begun = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            with suppress(OSError):
                caller, _ = door.accept()
                with caller:
                    caller.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
                    begun.set()
                    while not over.wait(_BETWEEN):
                        caller.sendall(b"a")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}", begun
        over.set()
    thread.join(30)


def outcome(act) -> Exception | object:
    """What comes of a call that has to come back, however the other side behaves."""
    heard: Queue[object] = Queue()

    def call() -> None:
        try:
            heard.put(act())
        except NoAnswerError as error:
            heard.put(error)

    threading.Thread(target=call, daemon=True).start()
    return heard.get(timeout=30)


def client_of(base: str) -> Client:
    return Client(Server(base, "user", "password", is_sandbox=True, seconds=_SECONDS))


def test_headers_that_never_end_are_not_waited_for(slow) -> None:
    base, begun = slow
    assert isinstance(outcome(client_of(base).status), NoAnswerError)
    assert begun.is_set()
