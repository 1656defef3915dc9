"""A cell that shows files: each in a process of its own, which has never seen another one.

It is started as ``python -m tutela.sandbox.rendering_cell SOCKET LIMITS [strict]`` and
holds one end of a socket pair. It loads the decoders, says ``{"ready": true}``, and never reads a
file itself. For each request, one packet with an open file and a socket beside it, it splits off a
process that gives up what it does not need, reads the file, writes the answer to that socket and
ends: first ``Rendering`` without its picture, as JSON, then the picture, then a packet for each of
its places, of which the last may not come. When that process has
ended, or is ended for being late, the cell says so: ``{"ended": status, "late": bool}``.
"""

import io
import json
import os
import resource
import select
import signal
import socket
import sys
from dataclasses import asdict
from typing import BinaryIO, cast

from tutela.sandbox.cell import SharedFile
from tutela.sandbox.decoding import prepare
from tutela.sandbox.model import PACKET_BYTES, Level, Limits, Look, Rendering, Shown
from tutela.sandbox.rendering import Showing, rehearse
from tutela.sandbox.sealing import confine_split, confine_splitting
from tutela.sandbox.starting import STRICT, lacks_needed

_BUFFER_BYTES = 1 << 16
# Names within the file, each as long as a packet may be.
_PLACES = ("place", "before", "after")


def main(arguments: list[str]) -> None:
    """Serve requests until the other end of the socket is closed."""
    house, limits = socket.socket(fileno=int(arguments[0])), Limits.of(arguments[1])
    strict = STRICT in arguments
    prepare()
    rehearse()
    idle = confine_splitting(limits)
    house.send(json.dumps({"ready": True}).encode())
    while True:
        packet, descriptors, _, _ = socket.recv_fds(house, PACKET_BYTES, 2)
        if not packet:
            return
        process = os.fork()
        if process == 0:
            house.close()
            _show(descriptors[0], descriptors[1], json.loads(packet), limits, idle, strict=strict)
        for each in descriptors:
            os.close(each)
        house.send(json.dumps(_awaited(process, house, limits)).encode())


def _awaited(process: int, house: socket.socket, limits: Limits) -> dict[str, object]:
    """How the process ended; it is ended if it is late, or if the house has gone."""
    handle = os.pidfd_open(process)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(house.fileno(), 0)
    ended = [number for number, _ in poll.poll(int(limits.seconds * 1000))]
    os.close(handle)
    late = not ended
    if process_goes_on := handle not in ended:
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    if process_goes_on and not late:
        os._exit(0)
    return {"ended": os.waitstatus_to_exitcode(status), "late": late}


def _show(
    file: int, answer: int, request: dict[str, object], limits: Limits, idle: int, *, strict: bool
) -> None:
    """Show one file, and end."""
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (int(limits.seconds) + 1,) * 2)
        lacking = confine_split(limits, idle)
        look = Look(
            Level(str(request["level"])),
            bool(request["colour"]),
            str(request["mark"]),
            int(str(request["side"])),
            None if request["place"] is None else str(request["place"]),
        )
        with (
            io.BufferedReader(SharedFile(file), _BUFFER_BYTES) as reader,
            socket.socket(fileno=answer) as line,
        ):
            if strict and lacks_needed(lacking):
                reason = "files cannot be opened safely on this machine"
                _answer(line, Rendering(Shown.NOTHING, reason=reason))
                return
            showing = Showing(cast("BinaryIO", reader), look, limits)
            _answer(line, showing.show())
            # What comes after it may take long, or break this process.
            line.send(json.dumps(showing.what_follows()).encode())
    finally:
        # Never back into the cell's own loop.
        os._exit(0)


def _answer(line: socket.socket, rendering: Rendering) -> None:
    fields = {key: value for key, value in asdict(rendering).items() if key not in _PLACES}
    line.send(json.dumps(fields | {"jpeg": len(rendering.jpeg)}).encode())
    for start in range(0, len(rendering.jpeg), PACKET_BYTES):
        line.send(rendering.jpeg[start : start + PACKET_BYTES])
    for place in (rendering.place, rendering.before):
        line.send(json.dumps(place).encode())


if __name__ == "__main__":
    main(sys.argv[1:])
