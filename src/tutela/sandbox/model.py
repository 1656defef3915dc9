"""The nouns: what opening up one file may cost, and how clearly it is shown to a person."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Self

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Pdq, Unreadable

PACKET_BYTES = 1 << 14
"""More than the longest request to a cell or answer from one."""


SHARE_OF_TIME = 0.6
"""How much of the time for something is over when no other part of it is begun: the rest is for the
one that is under way, and for what is made of them all."""


class UnreadableError(InvalidInputError):
    """What begins as a picture cannot be decoded.

    Attributes:
        unreadable: Why, for policy and counters. The message says it for people, and holds nothing
            of the file but its format and its size.
    """

    def __init__(self, unreadable: Unreadable, template: str, /, **values: object) -> None:
        super().__init__(template, **values)
        self.unreadable = unreadable


class Sampling(StrEnum):
    """Which frames of a video are looked at."""

    SECONDS = "seconds"
    """One of every second, those that Meta's vPDQ library takes."""
    KEY_FRAMES = "key_frames"
    """Those that the others are made from. Many times quicker; it depends on who made the video
    how many there are."""
    SCENES = "scenes"
    """The first of every scene."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What opening up one file may cost. Past any of these it, or the part of it, is unreadable.

    Attributes:
        pixels: Largest picture, width times height.
        memory_bytes: Memory that decoding may take, beyond what an idle cell has.
        seconds: Time that decoding one picture may take, by the clock on the wall. Digests of a
            large file are not counted.
        whole_seconds: Time that all parts of a file may take together, as ``seconds``.
        cpu_seconds: Time of processors that all of them may take.
        frames: Of what moves or has pages, so many frames or pages are looked at.
        video_frames: Of a video, so many frames are looked at.
        parts: So many parts of a file are looked at: members, pictures in documents, frames of
            what is no video.
        depth: How deep archives may lie in one another; 1 is an archive without another one.
        ratio: How many times its packed size something may unpack to, once that is more than
            ``freely_unpacked_bytes``.
        freely_unpacked_bytes: So much may be unpacked whatever its ratio: flat pictures pack well.
        unpacked_bytes: How much may be unpacked in all from one file.
        sampling: Which frames of a video are looked at.
    """

    pixels: int = 100_000_000
    memory_bytes: int = 2 << 30
    seconds: float = 20.0
    whole_seconds: float = 300.0
    cpu_seconds: float = 300.0
    frames: int = 64
    video_frames: int = 20_000
    parts: int = 10_000
    depth: int = 3
    ratio: int = 200
    freely_unpacked_bytes: int = 64 << 20
    unpacked_bytes: int = 4 << 30
    sampling: Sampling = Sampling.SECONDS

    @property
    def text(self) -> str:
        """All of them, as a cell is told of them when it starts."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> Self:
        """From ``text``."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Keeping:
    """How cells are kept.

    Attributes:
        strict: Whether a cell that cannot be sealed whole is to open nothing.
        jobs: After so many files a cell is replaced by a new one.
    """

    strict: bool = False
    jobs: int = 5_000


class Layer(StrEnum):
    """What seals a cell, from the outside in. A word once used is never given another meaning."""

    LIMITS = "limits"
    """Of memory, open files, and no byte written to a file (``setrlimit``)."""
    NAMESPACES = "namespaces"
    """A network without devices and an empty folder as root (``unshare``). Good to have: the two
    below refuse the same things."""
    PRIVILEGES = "privileges"
    """No new ones, none of root's, and nobody looks into its memory (``prctl``, ``capset``)."""
    LANDLOCK = "landlock"
    """No files, no connections, no signals to others (``landlock_restrict_self``)."""
    SECCOMP = "seccomp"
    """No system call but those that decoding takes (``seccomp``)."""


NEEDED_LAYERS = frozenset(Layer) - {Layer.NAMESPACES}
"""Without one of these a cell is not sealed."""


@dataclass(frozen=True, slots=True)
class Worn:
    """How it is with one layer on this machine.

    Attributes:
        layer: Which.
        holds: Whether it refuses everything that it is there to refuse.
        needed: Whether a cell is not sealed without it.
        reason: Why it does not hold; else empty.
    """

    layer: Layer
    holds: bool
    needed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Seal:
    """How cells are sealed on this machine, as it was tried.

    Attributes:
        layers: Each of them, alone.
        gaps: What a cell with all of them on can do although it must not.
        libarchive: Which version of that library cells find; empty if there is none.
        libjxl: The same of that one.
    """

    layers: tuple[Worn, ...]
    gaps: tuple[str, ...] = ()
    libarchive: str = ""
    libjxl: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether every needed layer holds, and nothing is left open by all together."""
        return not self.gaps and all(each.holds for each in self.layers if each.needed)

    @property
    def words(self) -> str:
        """All of it in a line for operators."""
        said = [f"{each.layer}: {each.reason or 'holds'}" for each in self.layers]
        if self.gaps:
            said.append(f"a cell can still {', '.join(self.gaps)}")
        return "; ".join(said)


class Level(StrEnum):
    """How clearly something is shown. A word once used is never given another meaning."""

    VEIL = "veil"
    """Small, grey, and so blurred that only light and dark are left."""
    PART = "part"
    """Without its details: blurred in colour; or sharp in grey with the faces that were found
    hidden."""
    WHOLE = "whole"
    """Everything."""


MOST_SHOWN_BYTES = 1 << 20
"""No picture that is shown is larger."""


class Shown(StrEnum):
    """What a person was shown of a file."""

    PICTURE = "picture"
    """All that the file is a picture of."""
    SHEET = "sheet"
    """A few moments of a video or of a moving picture, side by side."""
    ONE = "one"
    """One of the pictures in a file: a frame, a page, a picture in an archive."""
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
        place: Which part of the file, as ``fingerprints.model.Part`` has it. ``None`` is the file
            as a whole, or, where it is neither a picture nor a video, the first part that can be
            seen.
    """

    level: Level
    colour: bool
    mark: str
    side: int = 800
    place: str | None = None


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
        place: Which part it is; ``None`` if it is the file as a whole.
        before: The place of the part before it; ``None`` if it is the first.
        after: The place of the part after it; ``None`` if there is none, or it could not be found.
    """

    shown: Shown
    jpeg: bytes = b""
    reason: str = ""
    width: int = 0
    height: int = 0
    frames: int = 1
    seconds: float | None = None
    faces: int | None = None
    place: str | None = None
    before: str | None = None
    after: str | None = None


MOST_WAITING = 4
"""So many frames of a file at most are with whoever judges them, and one of a live stream: a cell
keeps their pixels until then, and drops what comes meanwhile. The next one is the newest then."""

PIECE = b"\0"
"""What a packet begins with that is part of a picture, and no JSON."""

MOST_STILL_BYTES = 64 << 20
"""No picture of a frame is larger."""

MOST_TRACKS = 16
"""So many videos that one file or stream shows side by side are looked at."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A frame that was looked at.

    Attributes:
        number: Counts the frames of the stream.
        pdq: Its hash.
        seconds: Its instant, from the beginning of its run.
        arrived: When it had come in, by the machine's own clock, which never goes back.
        dropped: How many frames before it were not looked at since the decoder was busy.
        width: In pixels.
        height: In pixels.
        whole: Whether every frame was decoded where it stands, and not key frames alone.
        track: Of which of the videos that the stream shows side by side, from 0.
    """

    number: int
    pdq: Pdq
    seconds: float
    arrived: float
    dropped: int
    width: int
    height: int
    whole: bool = False
    track: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """A run has ended.

    Attributes:
        run: Which.
        reason: Why, if not because there was no more of it.
        blind: Whether it was given up because it has no key frames.
    """

    run: int
    reason: str | None = None
    blind: bool = False
