"""A server that takes every connection and never answers, as one does whose machine hangs."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silent_server() -> Iterator[str]:
    """Its address, on a free port."""
    # The kernel takes the connections; nobody reads from them.
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
