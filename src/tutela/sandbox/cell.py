"""A cell: a process of its own that opens up untrusted files, one after another.

It is started as ``python -m tutela.sandbox.cell SOCKET LIMITS`` and holds one
end of a socket pair. When it is ready it says ``{"ready": true}``. Each request is one packet,
``{"dihedrals": bool}``, with an open file beside it. The answer is two packets, so that the
digests are known even if a decoder crashes: ``{"size", "md5", "sha1", "sha256"}`` (or ``{"errno"}``
alone, if the file cannot be read), then ``{"state", "reason", "hashes"}``. Neither names nor
pixels pass, in either direction.
"""

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

from tutela.errors import InvalidInputError
from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import Pdq, PictureState
from tutela.fingerprints.pdq import PdqSums
from tutela.sandbox.decoding import Room, decode, prepare, took_too_much_memory
from tutela.sandbox.model import PACKET_BYTES, Limits
from tutela.sandbox.sealing import confine

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER_BYTES = 1 << 16
# Longer files are read piece by piece, twice: for the digests, and by the decoder.
_MOST_WHOLE_BYTES = 1 << 26
# The house kills a cell that is late. If the house itself has gone, the cell does it.
_GRACE_SECONDS = 10


def main(arguments: list[str]) -> None:
    """Serve requests until the other end of the socket is closed."""
    house, limits = socket.socket(fileno=int(arguments[0])), Limits.of(arguments[1])
    prepare()
    confine(limits)
    threading.Thread(target=_end_with, args=[house.fileno()], daemon=True).start()
    room = Room()
    house.send(json.dumps({"ready": True}).encode())
    while True:
        packet, descriptors, _, _ = socket.recv_fds(house, PACKET_BYTES, 1)
        if not packet:
            return
        request = json.loads(packet)
        for answer in _open_up(descriptors[0], limits, room, dihedrals=request["dihedrals"]):
            house.send(json.dumps(answer).encode())


def _open_up(
    descriptor: int, limits: Limits, room: Room, *, dihedrals: bool
) -> Iterator[dict[str, object]]:
    with io.BufferedReader(SharedFile(descriptor), _BUFFER_BYTES) as reader:
        file = cast("BinaryIO", reader)
        try:
            content = _whole(file, limits)
            if content is not None:
                file = io.BytesIO(content)
            digests = digests_of(file)
        except OSError as error:
            yield {"errno": error.errno}
            return
        yield {
            "size": digests.size,
            "md5": digests.md5.hex(),
            "sha1": digests.sha1.hex(),
            "sha256": digests.sha256.hex(),
        }
        signal.alarm(int(limits.seconds) + _GRACE_SECONDS)
        picture = _look(file, limits, room, dihedrals=dihedrals)
        signal.alarm(0)
    yield picture


def _whole(file: BinaryIO, limits: Limits) -> bytes | None:
    """A file's bytes, read once for all that is done with them; ``None`` if they are too many."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size > min(_MOST_WHOLE_BYTES, limits.memory_bytes // 8):
        return None
    try:
        # One more, since the file may have grown.
        content = file.read(size + 1)
        if len(content) <= size:
            return content
    except MemoryError:
        pass
    file.seek(0)
    return None


def _look(file: BinaryIO, limits: Limits, room: Room, *, dihedrals: bool) -> dict[str, object]:
    try:
        sums = None
        for strip in decode(file, limits, room):
            sums = sums or PdqSums(strip.height, strip.width)
            sums.add(strip.first_row, strip.pixels)
        if sums is None:
            return _picture_answer(PictureState.NONE)
        hashes = sums.dihedrals() if dihedrals else (sums.pdq(),)
    except InvalidInputError as error:
        return _picture_answer(PictureState.UNREADABLE, reason=error.message)
    except OSError as error:
        return _picture_answer(
            PictureState.UNREADABLE, reason=f"the file cannot be read: {error.strerror}"
        )
    except MemoryError:
        return _picture_answer(PictureState.UNREADABLE, reason=took_too_much_memory(limits))
    return _picture_answer(PictureState.DECODED, hashes=hashes)


def _picture_answer(
    state: PictureState, *, reason: str | None = None, hashes: tuple[Pdq, ...] = ()
) -> dict[str, object]:
    return {
        "state": state,
        "reason": reason,
        "hashes": [[pdq.text, pdq.quality] for pdq in hashes],
    }


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
