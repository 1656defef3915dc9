"""Serving it: for good by the command, and for the time of a test."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tutela.reporting.cybertipline.sandbox import SANDBOX_HEADER
from tutela.testing.authority.application import build
from tutela.testing.authority.calls import Rules
from tutela.testing.authority.controlling import Control
from tutela.testing.authority.registry import Registry
from tutela.testing.authority.spoiling import CONNECTION

HOST = "127.0.0.1"
"""It is reached from this machine alone."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A running authority, as its callers know it.

    Attributes:
        address: Of its page, such as ``http://127.0.0.1:8100``.
        user: The name in the credentials that are right.
        password: Their password.
        control: What it does as told.
    """

    address: str
    user: str
    password: str
    control: Control

    @property
    def base(self) -> str:
        """What the calls' names are appended to, as ``https://report.cybertip.org/ispws`` is."""
        return base_of(self.address)


def base_of(address: str) -> str:
    """Where the calls of an authority are."""
    return f"{address}/ispws"


def real_time() -> datetime:
    """What the machine takes for the time."""
    return datetime.now(UTC)


def listen(port: int) -> socket.socket:
    """Take a port of this machine; 0 takes a free one.

    Raises:
        OSError: It is in use.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        # From here on callers are kept waiting, not turned away, until the server has started.
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


def address_of(listening: socket.socket) -> str:
    """The address that a port has."""
    return f"http://{HOST}:{listening.getsockname()[1]}"


def server_of(registry: Registry, rules: Rules) -> uvicorn.Server:
    """The server, not yet started."""
    return uvicorn.Server(
        uvicorn.Config(
            build(registry, rules),
            http=_Protocol,
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            headers=[(SANDBOX_HEADER, "yes")],
            timeout_graceful_shutdown=1,
            # A caller on a busy machine may need a while for its next call.
            timeout_keep_alive=60,
        )
    )


@contextmanager
def running_authority(
    folder: Path,
    *,
    port: int = 0,
    user: str = "sandbox",
    password: str = "a password of the sandbox",  # noqa: S107 - it opens nothing else
    clock: Callable[[], datetime] = real_time,
    most_file_bytes: int | None = None,
) -> Iterator[Authority]:
    """An authority in a thread of this process, stopped at the end.

    What it took is there again when another is started on the same folder.

    Args:
        folder: Where it keeps its state; made if need be.
        port: Where it listens; a free one by default.
        user: The name in the credentials that are right.
        password: Their password.
        clock: Gives the time, to which what its own clock was turned forward is added.
        most_file_bytes: How large a file may be.
    """
    rules = Rules(user, password)
    if most_file_bytes is not None:
        rules = Rules(user, password, most_file_bytes=most_file_bytes)
    listening = listen(port)
    address = address_of(listening)
    with Registry(folder, clock) as registry:
        server = server_of(registry, rules)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.005)
            if not server.started:
                raise RuntimeError("the authority did not start: see its log")
            with Control(address) as control:
                yield Authority(address, user, password, control)
        finally:
            server.should_exit = True
            thread.join()
            listening.close()


class _Protocol(HttpToolsProtocol):
    """HTTP in which an answer can end the connection that it would go over."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: self.transport}  # type: ignore[dict-item]
