"""The nouns: what a fingerprint is."""

from dataclasses import dataclass
from enum import StrEnum

from tutela.errors import InvalidInputError


class Kind(StrEnum):
    """The kinds of fingerprint, named as public hash lists name them."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    PDQ = "pdq"

    @property
    def width(self) -> int:
        """Length of a value in bytes."""
        return _WIDTHS[self]


_WIDTHS = {Kind.MD5: 16, Kind.SHA1: 20, Kind.SHA256: 32, Kind.PDQ: 32}


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
                f"a {self.kind} fingerprint is {self.kind.width} bytes, not {len(self.value)}"
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
        digits = text.strip()
        if len(digits) != 2 * kind.width or not digits.isalnum():
            raise InvalidInputError(
                f"a {kind} fingerprint is {2 * kind.width} hexadecimal digits"
            )
        try:
            return cls(kind, bytes.fromhex(digits))
        except ValueError:
            raise InvalidInputError(
                f"a {kind} fingerprint is {2 * kind.width} hexadecimal digits"
            ) from None


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
class FileFingerprints:
    """All that screening knows of a file.

    Attributes:
        size: Length of the file in bytes.
        md5: 16 bytes.
        sha1: 20 bytes.
        sha256: 32 bytes.
        pdq: The perceptual hash, or ``None`` where there is no picture.
        reason: Why ``pdq`` is ``None``, in a few words for people; ``None`` when it is there.
        dihedrals: The PDQ hashes of the eight turned and mirrored pictures, if asked for.
    """

    size: int
    md5: bytes
    sha1: bytes
    sha256: bytes
    pdq: Pdq | None = None
    reason: str | None = None
    dihedrals: tuple[Pdq, ...] = ()
