"""What the house has heard enough of: the rest of a video can be left out. In a cell."""

import json
import socket

from tutela.sandbox.model import PACKET_BYTES


class Enough:
    """Hears from the house, while a file is opened up, that no more of a video is wanted.

    Frames are counted over the whole file, so that what is said late, of a video that is over
    already, is not taken for the next one.

    Attributes:
        told: How many frames of videos in this file have been told of.

    Args:
        line: The line to the house; ``None`` where everything is wanted.
    """

    def __init__(self, line: socket.socket | None = None) -> None:
        self.told = 0
        self._line = line
        self._heard = 0

    def begins(self) -> None:
        """Another file is opened up."""
        self.told = self._heard = 0

    def of_what_began(self, told: int) -> bool:
        """Whether enough was heard of the video before which so many frames had been told of."""
        while self._line is not None:
            try:
                packet = self._line.recvmsg(PACKET_BYTES, 0, socket.MSG_DONTWAIT)[0]
            except BlockingIOError:
                break
            if not packet:
                # Whoever ends this process with the house sees it too.
                break
            self._heard = int(json.loads(packet)["enough"])
        return self._heard > told
