"""The nouns: where a stream comes from, how it stands, and what was seen of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NewType, Protocol
from urllib.parse import urlsplit

from tutela.errors import InvalidInputError
from tutela.streams.srt_options import srt_options

StreamId = NewType("StreamId", int)

LONGEST_SOURCE = 2000
SCHEMES = ("rtmp", "rtmps", "http", "https", "srt", "tcp")
"""How a stream can be received. By ``http`` that is HLS, or a video that is sent as it is made; by
``srt`` and ``tcp`` MPEG-TS."""

PORTS = {"rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}


class State(StrEnum):
    """How a stream stands. A word once used is never given another meaning."""

    STARTING = "starting"
    """Nothing has been seen of it yet, or nobody has taken it up."""
    WATCHED = "watched"
    LAGGING = "lagging"
    """It is watched, but frames are dropped, or come late."""
    LOST = "lost"
    """It cannot be received just now; it is tried again."""
    ENDED = "ended"
    """Its source has ended, or did not come back."""
    STOPPED = "stopped"
    """Somebody had it stopped."""

    @property
    def is_over(self) -> bool:
        """Whether nobody watches it, or will."""
        return self in (State.ENDED, State.STOPPED)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a stream comes from.

    Attributes:
        text: Its address as it was given. It may hold what lets somebody in.
        scheme: One of ``SCHEMES``, or ``file``.
        host: Its host, in small letters; empty for a file.
        port: Its port; 0 for a file.
    """

    text: str
    scheme: str
    host: str
    port: int

    @property
    def shown(self) -> str:
        """As people may see it: without its last part, by which it may be let in."""
        if self.scheme == "file":
            return self.text
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/…"


def source_of(text: str, *, files: bool = False) -> Source:
    """Understand where a stream comes from.

    Args:
        text: An address such as ``rtmp://media.example.org/live/7``, or a path.
        files: Whether it may be a file of this machine.

    Raises:
        InvalidInputError: It is none, or one that cannot be received here.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
        secret = parts.username is not None or parts.password is not None
    except ValueError:
        scheme, host, port, secret = "", "", None, False
    if files and "://" not in text:
        return Source(str(Path(text)), "file", "", 0)
    printable = text.isprintable() and " " not in text and len(text) <= LONGEST_SOURCE
    if scheme not in SCHEMES or not host or not printable or secret:
        raise InvalidInputError(
            "a stream's source looks like rtmp://media.example.org/live/7 or "
            "https://media.example.org/live/7/index.m3u8; it may begin with {schemes}, and has no "
            "user and password",
            schemes=", ".join(f"{each}://" for each in SCHEMES),
        )
    port = port or PORTS.get(scheme)
    if not port:
        raise InvalidInputError("say which port: tcp://media.example.org:9000")
    if scheme == "srt":
        srt_options(text)
    return Source(text, scheme, host.lower(), port)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a stream stands.

    Attributes:
        state: In a word.
        reason: Why it is lost or has ended, if not because it was over.
        frames: How many frames were looked at.
        dropped: How many were not, since there was no time for them.
        skipped: How many seconds of it were left out besides.
        matches: How many frames matched something that was new, and that no policy lets pass.
        lag: How many seconds behind its source it was seen last.
        every_frame: Whether each frame is decoded whatever was asked for: it has no key frames.
        seen_at: When a frame was seen last.
        by_key_frames: Of how many seconds of it only key frames were looked at, although more was
            asked for: it was the turn of others to be decoded whole.
        detail: More of the reason, for those alone who run the house: it is in no answer.
    """

    state: State = State.STARTING
    reason: str | None = None
    frames: int = 0
    dropped: int = 0
    skipped: float = 0.0
    matches: int = 0
    lag: float = 0.0
    every_frame: bool = False
    seen_at: datetime | None = None
    by_key_frames: float = 0.0
    detail: str = ""


class SourceError(Exception):
    """A stream cannot be received, or not any more.

    Args:
        reason: Why, in a few words of ours: nothing of the address.
        detail: More of it, for those alone who run the house.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class RefusedSourceError(SourceError):
    """It leads to where streams may not come from."""


class StoppedError(Exception):
    """Nobody wants it any more."""


class Sink(Protocol):
    """Where the bytes of a stream go."""

    @property
    def keys_alone(self) -> bool:
        """Whether only the frames that others are made from are wanted, just now."""

    def begin(self, *, is_live: bool, burst: float = 0.0) -> None:
        """A run begins: what follows is a stream from its beginning on.

        Args:
            is_live: Whether its source goes on without waiting.
            burst: So many seconds of it come at a time.
        """

    def begin_file(self, descriptor: int) -> None:
        """A run begins, and is the whole of a file. The descriptor is closed afterwards."""

    def write(self, piece: bytes) -> None:
        """The next bytes of the run. Waits until there is room for them.

        Raises:
            StoppedError: Nobody wants them.
        """

    def skipped(self, seconds: float) -> None:
        """So much of the stream was left out, since it is behind."""
