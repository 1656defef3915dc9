"""Receiving a stream by SRT (draft-sharabayko-srt), by a program that is not ours.

There is no SRT in Python, nor in the FFmpeg that PyAV brings. ``srt-live-transmit`` comes with the
protocol's own library. It connects to an address that was checked, as a caller, and what it
receives comes by a socket, as if by a connection of ours.
"""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tutela.sandbox.program import start_program
from tutela.streams.allowing import Calls, no_connection
from tutela.streams.model import Source, SourceError, StoppedError
from tutela.streams.srt_options import srt_options
from tutela.webhooks.addresses import Address

PROGRAM = "srt-live-transmit"
WITHOUT_PROGRAM = (
    "SRT cannot be received here: install srt-live-transmit (on Debian and Ubuntu: apt-get install "
    "srt-tools, on Fedora: dnf install srt)"
)
_PIECE_BYTES = 1 << 16
_SECONDS = 10.0
# Who calls in vain gives up after three seconds. What is received is kept back for the latency, and
# a server may want more of it than the address says.
_FIRST_SECONDS = 20.0
_DYING_SECONDS = 2.0
_HEARD_BYTES = 1 << 12


@contextmanager
def connection(source: Source, calls: Calls) -> Iterator[tuple[socket.socket, bytes]]:
    """A connection to a source, by which its bytes come, and the first of them.

    Args:
        source: Where it comes from.
        calls: Where it may lead. It is among those that are cut.

    Raises:
        RefusedSourceError: Streams may not come from there.
        SourceError: It does not answer, or there is no program for that.
        StoppedError: The connections were cut.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise SourceError(WITHOUT_PROGRAM)
    failure = ""
    for address in calls.addresses(source.host, source.port):
        receiving = _Receiving(program, source, address)
        try:
            calls.note(receiving.line)
            if first := receiving.first():
                yield receiving.line, first
                return
            failure = receiving.complaint()
        finally:
            calls.drop(receiving.line)
            receiving.end()
        if calls.is_cut:
            raise StoppedError
    raise no_connection(failure)


class _Receiving:
    """The process that receives from one address."""

    def __init__(self, program: str, source: Source, address: Address) -> None:
        self.line, output = socket.socketpair()
        self._heard, complaints = socket.socketpair()
        with output, complaints:
            # What there is no room for is lost: nobody waits for it.
            complaints.setblocking(False)
            self.line.settimeout(_FIRST_SECONDS)
            self._heard.setblocking(False)
            command = [program, "-a:no", "-q", _address(source, address), "file://con"]
            try:
                self._process = start_program(command, output, complaints)
            except OSError as error:
                self.line.close()
                self._heard.close()
                raise SourceError("its receiver cannot be started", error.strerror or "") from None

    def first(self) -> bytes:
        """The first bytes; none if there are none in time."""
        first = b""
        with suppress(OSError):
            first = self.line.recv(_PIECE_BYTES)
        self.line.settimeout(_SECONDS)
        return first

    def complaint(self) -> str:
        """Why there are none, in words of ours: what the program says may hold the address."""
        said = b""
        with suppress(OSError):
            said = self._heard.recv(_HEARD_BYTES)
        if b"reject" in said.lower():
            return "its server refuses the connection: see streamid and passphrase"
        return "no answer by SRT"

    def end(self) -> None:
        """End it."""
        self._heard.close()
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_DYING_SECONDS)


def _address(source: Source, address: Address) -> str:
    """What the program is told: a number for a name, so that it looks up none."""
    host = f"[{address}]" if address.version == 6 else str(address)
    options = {"mode": "caller", "transtype": "live", **srt_options(source.text)}
    said = "&".join(f"{name}={value}" for name, value in options.items())
    return f"srt://{host}:{source.port}?{said}"
