"""The nouns: what opening up one file may cost, and how clearly it is shown to a person."""

from dataclasses import dataclass
from enum import StrEnum

PACKET_BYTES = 1 << 14
"""More than the longest request to a cell or answer from one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What decoding one picture may cost. Past any of these it is unreadable.

    Attributes:
        pixels: Largest picture, width times height.
        memory_bytes: Memory that decoding may take, beyond what an idle cell has.
        seconds: Time that decoding may take. Digests of a large file are not counted.
    """

    pixels: int = 100_000_000
    memory_bytes: int = 2 << 30
    seconds: float = 20.0


class Level(StrEnum):
    """How clearly something is shown. A word once used is never given another meaning."""

    VEIL = "veil"
    """Small, grey, and so blurred that only light and dark are left."""
    PART = "part"
    """Without its details: blurred in colour; or sharp in grey with the faces that were found
    hidden."""
    WHOLE = "whole"
    """Everything."""


class Shown(StrEnum):
    """What a person was shown of a file."""

    PICTURE = "picture"
    SHEET = "sheet"
    """A few moments of a video or of a moving picture, side by side."""
    TEXT = "text"
    NOTHING = "nothing"
    """It cannot be shown."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a file is to be shown, and to whom.

    Attributes:
        level: How clearly.
        colour: Whether in colour. A veil has none.
        mark: What is written all over it: who looks.
        side: The longer side of what is shown, in pixels; a veil is smaller.
    """

    level: Level
    colour: bool
    mark: str
    side: int = 800


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a person is shown of a file.

    Attributes:
        shown: What it is.
        jpeg: The picture; empty if there is none.
        reason: Why it cannot be shown, in a few words; else empty.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
        frames: How many moments there are on it.
        seconds: How long the video is, if that is known.
        faces: How many faces are hidden; ``None`` where nobody looked for any.
    """

    shown: Shown
    jpeg: bytes = b""
    reason: str = ""
    width: int = 0
    height: int = 0
    frames: int = 1
    seconds: float | None = None
    faces: int | None = None
