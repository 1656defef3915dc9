"""A cell: a process of its own that opens up untrusted files, one after another.

It is started as ``python -m tutela.sandbox.cell SOCKET LIMITS [strict]`` and holds one end of a
socket pair. When it is ready it says ``{"ready": true}``; if it cannot be sealed although it is to
be, ``{"ready": false, "lacking": {layer: reason}}``, and ends. Each request is one packet,
``{"dihedrals": bool}``, with an open file beside it. The answer is a stream of packets, as
``packets`` has them. While it goes on, ``{"enough": number}`` says that of the video of which so
many frames were heard, no more are wanted.
"""

import errno
import io
import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import Picture, PictureState
from tutela.sandbox import video
from tutela.sandbox.archives import archive_format
from tutela.sandbox.decoding import Room, prepare
from tutela.sandbox.enough import Enough
from tutela.sandbox.everything import at_hand, everything_in
from tutela.sandbox.formats import HEAD_BYTES, recognise_visible
from tutela.sandbox.model import PACKET_BYTES, Limits
from tutela.sandbox.packets import write_digests, write_found, write_not_read
from tutela.sandbox.sealing import confine
from tutela.sandbox.starting import STRICT, lacks_needed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER_BYTES = 1 << 16
# The house kills a cell that is late. If the house itself has gone, the cell does it.
_GRACE_SECONDS = 10


def main(arguments: list[str]) -> None:
    """Serve requests until the other end of the socket is closed."""
    house, limits = socket.socket(fileno=int(arguments[0])), Limits.of(arguments[1])
    prepare()
    video.prepare()
    lacking = confine(limits)
    if STRICT in arguments and lacks_needed(lacking):
        house.send(json.dumps({"ready": False, "lacking": lacking}).encode())
        return
    threading.Thread(target=_end_with, args=[house.fileno()], daemon=True).start()
    room, enough = Room(), Enough(house)
    house.send(json.dumps({"ready": True}).encode())
    while True:
        packet, descriptors, _, _ = socket.recv_fds(house, PACKET_BYTES, 1)
        if not packet:
            return
        request = json.loads(packet)
        if not descriptors:
            # Enough of a file that was at its end by then.
            continue
        enough.begins()
        dihedrals = request["dihedrals"]
        for answer in _open_up(descriptors[0], limits, room, enough, dihedrals=dihedrals):
            house.send(answer)


def _open_up(
    descriptor: int, limits: Limits, room: Room, enough: Enough, *, dihedrals: bool
) -> Iterator[bytes]:
    with io.BufferedReader(SharedFile(descriptor), _BUFFER_BYTES) as reader:
        try:
            file = at_hand(cast("BinaryIO", reader), limits)
            head = file.read(HEAD_BYTES)
            file_format = recognise_visible(head)
            file.seek(0)
            digests = digests_of(file)
        except OSError as error:
            yield write_not_read(error.errno or errno.EIO)
            return
        name = file_format.name if file_format else None
        yield write_digests(digests, name, archive_format(head))
        signal.alarm(int(limits.whole_seconds) + _GRACE_SECONDS)
        picture = Picture(PictureState.NONE)
        for found in everything_in(
            file, file_format, limits, room, dihedrals=dihedrals, enough=enough
        ):
            if isinstance(found, Picture):
                picture = found
            else:
                yield write_found(found)
                enough.told += found.seconds is not None
        signal.alarm(0)
    # Whoever hears this may take it that the file is closed.
    yield write_found(picture)


def _end_with(descriptor: int) -> None:
    """End this process when the other end of the socket is closed, whatever it is doing."""
    poll = select.poll()
    poll.register(descriptor, 0)
    poll.poll()
    os._exit(0)


class SharedFile(io.RawIOBase):
    """An open file with a position of its own, whoever else moves the descriptor's."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._position = 0

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer, or as much of it as there is, from here on."""
        count = os.preadv(self._descriptor, [buffer], self._position)
        self._position += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        start = {
            os.SEEK_SET: 0,
            os.SEEK_CUR: self._position,
            # Not by asking for its status: the C library does that with a call that can name files.
            os.SEEK_END: os.lseek(self._descriptor, 0, os.SEEK_END) if whence == os.SEEK_END else 0,
        }[whence]
        if start + offset < 0:
            raise ValueError("before the beginning of the file")
        self._position = start + offset
        return self._position

    def close(self) -> None:
        """Close the descriptor."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()


if __name__ == "__main__":
    main(sys.argv[1:])
