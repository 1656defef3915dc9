"""The nouns: what a fingerprint is."""

import re
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Self

from tutela.errors import InvalidInputError


class Kind(StrEnum):
    """The kinds of fingerprint, named as public hash lists name them."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    PDQ = "pdq"
    VPDQ = "vpdq"
    """Of a video: the hashes of its frames, of any number. Its value is what tells one from all
    others: ``vpdq.identity``."""
    URL = "url"
    """Of one address of the web, as ``links`` has it; likewise below."""
    URL_PREFIX = "url_prefix"
    """Of an address and all that lie below it."""
    DOMAIN = "domain"
    """Of a host and all hosts below it."""
    TEXT = "text"
    """Of words, in the form that ``texts`` brings them into."""

    @property
    def width(self) -> int:
        """Length of a value in bytes."""
        return _WIDTHS.get(self, _USUAL_WIDTH)

    @property
    def is_digest(self) -> bool:
        """Whether equal values mean equal files, to the bit."""
        return self in _DIGESTS

    @property
    def is_of_words(self) -> bool:
        """Whether it is made of what is written down, of an address or a text, and of no file."""
        return self in _OF_WORDS


_WIDTHS = {Kind.MD5: 16, Kind.SHA1: 20}
_USUAL_WIDTH = 32
_DIGESTS = frozenset({Kind.MD5, Kind.SHA1, Kind.SHA256})
_OF_WORDS = frozenset({Kind.URL, Kind.URL_PREFIX, Kind.DOMAIN, Kind.TEXT})


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One fingerprint of one file.

    Attributes:
        kind: Which function made it.
        value: The bytes, ``kind.width`` long. For PDQ they are in the order of the public text
            form: the first byte holds bits (15, 15) down to (15, 8), the last bit is (0, 0).
    """

    kind: Kind
    value: bytes

    def __post_init__(self) -> None:
        if len(self.value) != self.kind.width:
            raise InvalidInputError(
                "a {kind} fingerprint is {width} bytes, not {count}",
                kind=self.kind,
                width=self.kind.width,
                count=len(self.value),
            )

    @property
    def text(self) -> str:
        """Lower-case hexadecimal digits, as in public lists."""
        return self.value.hex()

    @classmethod
    def from_text(cls, kind: Kind, text: str) -> "Fingerprint":
        """Read the hexadecimal form, in either case.

        Raises:
            InvalidInputError: The text is not ``2 * kind.width`` hexadecimal digits.
        """
        return cls(kind, value_of(kind, text))


def value_of(kind: Kind, text: str) -> bytes:
    """The bytes behind the hexadecimal form, in either case: as ``Fingerprint.from_text``.

    Raises:
        InvalidInputError: The text is not ``2 * kind.width`` hexadecimal digits.
    """
    digits = text.strip()
    # Between digits ``fromhex`` would pass over spaces.
    if len(digits) == 2 * kind.width and digits.isalnum():
        try:
            return bytes.fromhex(digits)
        except ValueError:
            pass
    raise InvalidInputError(
        "a {kind} fingerprint is {digits} hexadecimal digits", kind=kind, digits=2 * kind.width
    )


@dataclass(frozen=True, slots=True)
class Pdq:
    """A PDQ hash with its quality.

    Attributes:
        value: 32 bytes in the order of the public text form (see ``Fingerprint``).
        quality: 0 to 100; below 50 the picture is too flat for its hash to mean much.
    """

    value: bytes
    quality: int

    @property
    def text(self) -> str:
        """64 lower-case hexadecimal digits."""
        return self.value.hex()


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One frame of a video.

    Attributes:
        pdq: Its hash.
        seconds: Its instant, from the video's beginning.
    """

    pdq: Pdq
    seconds: float


@dataclass(frozen=True, slots=True)
class Digests:
    """The cryptographic digests of some bytes.

    Attributes:
        size: How many bytes.
        md5: 16 bytes.
        sha1: 20 bytes.
        sha256: 32 bytes.
    """

    size: int
    md5: bytes
    sha1: bytes
    sha256: bytes


class PictureState(StrEnum):
    """What came of looking for a picture in a file."""

    DECODED = "decoded"
    """There is one, and its PDQ hash is known."""
    NONE = "none"
    """The file is something else, and does not call itself a picture."""
    UNREADABLE = "unreadable"
    """The file is a picture by its content or its name, but could not be decoded."""


class Unreadable(StrEnum):
    """Why something could not be looked at: what policy and counters go by.

    A word once used is never given another meaning.
    """

    DAMAGED = "damaged"
    ENDS_EARLY = "ends_early"
    TOO_LARGE = "too_large"
    """More bytes than are looked at."""
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SLOW = "too_slow"
    TOO_MUCH_MEMORY = "too_much_memory"
    CRASHED = "crashed"
    """It brought the decoding process down."""
    ATTACK = "attack"
    """It made its decoder try what no decoder does, such as to open a connection."""
    NOT_SUPPORTED = "not_supported"
    """Its format, or something that it makes use of, cannot be decoded here."""
    ENCRYPTED = "encrypted"
    BOMB = "bomb"
    """It unpacks to far more than it is."""
    TOO_DEEP = "too_deep"
    """Files within files within files."""
    TOO_MANY = "too_many"
    """More parts than are looked at."""
    EMPTY = "empty"
    WRONG_NAME = "wrong_name"
    """Its name says that it is a picture, and its content does not."""
    NOT_READ = "not_read"
    """Its bytes could not be read."""
    CUT_SHORT = "cut_short"
    """The rest of a video was left out, since what came before it decides."""

    @property
    def words(self) -> str:
        """The same for people, where nothing more is known."""
        return _UNREADABLE_WORDS[self]


_UNREADABLE_WORDS = {
    Unreadable.DAMAGED: "it is damaged",
    Unreadable.ENDS_EARLY: "its data ends early",
    Unreadable.TOO_LARGE: "it is too large",
    Unreadable.TOO_MANY_PIXELS: "it has too many pixels",
    Unreadable.TOO_SLOW: "it took too long to decode",
    Unreadable.TOO_MUCH_MEMORY: "it took too much memory to decode",
    Unreadable.CRASHED: "it crashed the decoder",
    Unreadable.ATTACK: "it made its decoder try what no decoder does: likely an attack",
    Unreadable.NOT_SUPPORTED: "it cannot be decoded here",
    Unreadable.ENCRYPTED: "it is encrypted",
    Unreadable.BOMB: "it unpacks to far more than it is",
    Unreadable.TOO_DEEP: "it lies too deep within other files",
    Unreadable.TOO_MANY: "there are too many like it",
    Unreadable.EMPTY: "it is empty",
    Unreadable.WRONG_NAME: "its content is not what its name says",
    Unreadable.NOT_READ: "it cannot be read",
    Unreadable.CUT_SHORT: "it was left out, since what came before it matched",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """What came of looking for a picture in a file.

    Attributes:
        state: Whether there is a picture.
        pdq: The perceptual hash if it is known. A picture that broke the decoder later on, as one
            of its frames did, is unreadable and has one all the same.
        reason: Why it is not ``DECODED``, in a few words for people; else ``None``.
        unreadable: The same for policy and counters, if it is ``UNREADABLE``.
        dihedrals: The PDQ hashes of the eight turned and mirrored pictures, in the order of
            ``DIHEDRALS``, if asked for.
    """

    state: PictureState
    pdq: Pdq | None = None
    reason: str | None = None
    dihedrals: tuple[Pdq, ...] = ()
    unreadable: Unreadable | None = None


DIHEDRALS = (
    "original",
    "rotate90",
    "rotate180",
    "rotate270",
    "flip_x",
    "flip_y",
    "flip_plus1",
    "flip_minus1",
)
"""The eight ways to turn and mirror a picture, in the order of Meta's library.

Rotations are anticlockwise; ``flip_x`` turns upside down, ``flip_y`` swaps left and right, and the
last two mirror along the main and the other diagonal.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """Something within a file, or another look of it, that has fingerprints of its own.

    A file within a file comes before whatever is found within it in turn, and has digests.

    Attributes:
        place: Where, for people: "as shown", "frame 12", "photos/a.jpg", "photos/b.gif frame 3".
            Never empty: that is the file itself.
        digests: Of its bytes, if it is a file of its own.
        pdq: The perceptual hash if it is a picture that was decoded.
        unreadable: Why it could not be looked at, if so.
        seconds: The instant of a frame of a video, from the beginning. All frames of a video that
            are looked at are parts, in their order: together they are its vPDQ fingerprint, but
            for those between.
        is_turned: Whether a frame is as its video says that it is to be shown, and not as it is
            stored: turned, or over a page.
        is_between: Whether a frame is looked at besides those that the fingerprint of its video
            has.
        decoder: If it could not be looked at: the format that its decoder is for, where that is
            not the file's own.
    """

    place: str
    digests: Digests | None = None
    pdq: Pdq | None = None
    unreadable: Unreadable | None = None
    seconds: float | None = None
    is_turned: bool = False
    is_between: bool = False
    decoder: str | None = None


# As the sandbox calls what it finds in a file that is no archive, see ``docs/parts.md``.
_IN_A_FILE = re.compile(
    r"(^|.* )(as shown|over (white|black)|with its colour profile|as far as it can be decoded|"
    r"without its margins|with those beside it|"
    r"thumbnail|(frame|page|picture|block) \d+|size \d+ x \d+|\d+:\d\d:\d\d(\.\d+)?|"
    r"from \d+:\d\d:\d\d on|track \d+|uncut|(motion video|cover)( \d+)?)",
    re.DOTALL,
)


def file_of(place: str) -> str:
    """The place of the file that a part is, or is in: ``b.gif`` of ``b.gif frame 3 over white``.

    No file within a file is called so that this would take it for something in another one.
    """
    while found := _IN_A_FILE.fullmatch(place):
        place = found[1].rstrip(" ")
    return place


_INSTANT = re.compile(
    r"(^| )\d+:\d\d:\d\d(\.\d+)?"
    r"(?P<look>( as shown| over white| over black| without its margins)?)$"
)


def place_of_video(place: str) -> str:
    """The place of the video that a frame is of: ``a.mp4`` of ``a.mp4 00:00:05 as shown``."""
    return _INSTANT.sub("", place)


def look_of_frame(place: str) -> str:
    """How a frame looks: ``as shown`` of ``a.mp4 00:00:05 as shown``; ``""`` as it is stored."""
    found = _INSTANT.search(place)
    return found["look"].strip() if found else ""


@dataclass(frozen=True, slots=True)
class FileFingerprints:
    """All that screening knows of a file.

    Attributes:
        digests: MD5, SHA-1, SHA-256 and the size.
        picture: The perceptual hash, or why there is none.
        parts: Everything else that was found in it, in the order in which it was.
        format: The format that it begins as, as people write it, such as ``JPEG``; ``None`` if
            it is of none that can hold a picture or a video.
        archive: The archive format that it begins as, likewise.
    """

    digests: Digests
    picture: Picture
    parts: tuple[Part, ...] = ()
    format: str | None = None
    archive: str | None = None

    @property
    def is_video(self) -> bool:
        """Whether the file itself is a video: frames of one within it come after its digests."""
        return bool(self.parts) and self.parts[0].seconds is not None


@dataclass(frozen=True, slots=True)
class FingerprintSet:
    """As many fingerprints of one file as are known, flat, as they are sent and stored.

    Attributes:
        size: Length in bytes, or ``None`` if it is not known; likewise below.
        md5: 16 bytes.
        sha1: 20 bytes.
        sha256: 32 bytes.
        pdq: 32 bytes, as in ``Fingerprint``.
        pdq_quality: 0 to 100.
    """

    size: int | None = None
    md5: bytes | None = None
    sha1: bytes | None = None
    sha256: bytes | None = None
    pdq: bytes | None = None
    pdq_quality: int | None = None

    @classmethod
    def of(cls, digests: Digests, pdq: Pdq | None = None) -> Self:
        """Of some bytes, and of the picture that they are."""
        return cls(
            digests.size,
            digests.md5,
            digests.sha1,
            digests.sha256,
            pdq.value if pdq else None,
            pdq.quality if pdq else None,
        )

    def as_texts(self) -> dict[str, str | int | None]:
        """The same by name, with lower-case hexadecimal digits for bytes."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in values.items()
        }
