"""A cell that watches streams: each in a process of its own, which has seen no other one.

It is started as ``python -m tutela.sandbox.watching_cell SOCKET LIMITS [strict]`` and holds one end
of a socket pair. It loads the decoders, says ``{"ready": true}``, and never reads a stream itself.
For each packet with a socket beside it, it splits off a process that gives up what it does not need
and speaks by that socket until its other end is closed:

- The house says ``{"run": n, "every", "live", "burst"}`` with a descriptor beside it, where the
  bytes of a run come from; ``{"whole": bool}``, whether every frame is decoded from now on;
  ``{"seen": n}`` of a frame that has been judged; or ``{"picture": n}``.
- The process says ``{"frame": n, ...}``, ``{"ended": run, ...}``, or ``{"picture": n, "bytes"}``,
  which the bytes of a PNG follow, in packets that begin with a zero.
"""

import json
import os
import queue
import signal
import socket
import sys
import threading
from typing import NoReturn

from tutela.sandbox import video
from tutela.sandbox.decoding import prepare
from tutela.sandbox.model import PACKET_BYTES, PIECE, Ended, Limits, Sampled
from tutela.sandbox.packets import write_watched
from tutela.sandbox.sealing import confine_split, confine_splitting
from tutela.sandbox.starting import STRICT, lacks_needed
from tutela.sandbox.watching import Run, Watch


def main(arguments: list[str]) -> None:
    """Split off a process for each stream until the other end of the socket is closed."""
    house, limits = socket.socket(fileno=int(arguments[0])), Limits.of(arguments[1])
    strict = STRICT in arguments
    prepare()
    video.prepare()
    idle = confine_splitting(limits)
    # Nobody asks how they end: the house sees that their line does.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    house.send(json.dumps({"ready": True}).encode())
    while True:
        packet, descriptors, _, _ = socket.recv_fds(house, PACKET_BYTES, 1)
        if not packet:
            return
        if os.fork() == 0:
            house.close()
            _watch(descriptors[0], limits, idle, strict=strict)
        for each in descriptors:
            os.close(each)


def _watch(descriptor: int, limits: Limits, idle: int, *, strict: bool) -> NoReturn:
    """Watch one stream, and end."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        lacking = confine_split(limits, idle)
        with socket.socket(fileno=descriptor) as line:
            if strict and lacks_needed(lacking):
                line.send(json.dumps({"unsafe": True}).encode())
            else:
                _follow(line, limits)
    finally:
        # Never back into the cell's own loop.
        os._exit(0)


def _follow(line: socket.socket, limits: Limits) -> None:
    def tell(told: Sampled | Ended) -> None:
        line.send(write_watched(told))

    watch = Watch(limits, tell)
    runs: queue.Queue[Run] = queue.Queue()
    threading.Thread(target=_listen, args=[line, watch, runs], daemon=True).start()
    while True:
        watch.follow(runs.get())


def _listen(line: socket.socket, watch: Watch, runs: "queue.Queue[Run]") -> None:
    try:
        while True:
            packet, descriptors, _, _ = socket.recv_fds(line, PACKET_BYTES, 1)
            if not packet:
                break
            told = json.loads(packet)
            if "seen" in told:
                watch.seen(told["seen"])
            elif "picture" in told:
                _show(line, told["picture"], watch.picture(told["picture"]))
            elif "whole" in told:
                watch.look_whole(told["whole"])
            else:
                runs.put(
                    Run(told["run"], descriptors[0], told["every"], told["live"], told["burst"])
                )
    finally:
        os._exit(0)


def _show(line: socket.socket, number: int, picture: bytes) -> None:
    line.send(json.dumps({"picture": number, "bytes": len(picture)}).encode())
    size = PACKET_BYTES - len(PIECE)
    for start in range(0, len(picture), size):
        line.send(PIECE + picture[start : start + size])


if __name__ == "__main__":
    main(sys.argv[1:])
