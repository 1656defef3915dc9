"""Telling what one hash in a list file is."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tutela.errors import InvalidInputError
from tutela.fingerprints import vpdq
from tutela.fingerprints.links import entry_for
from tutela.fingerprints.model import Fingerprint, Kind, VideoFrame
from tutela.fingerprints.texts import text_digest

AMBIGUOUS = (
    "64 digits may be SHA-256 or PDQ: say which with --kind sha256 or --kind pdq, "
    "or in a column or file name"
)


@dataclass(frozen=True, slots=True)
class KindHint:
    """What is known of hashes that do not say their kind themselves.

    Attributes:
        every: All of them are of this kind.
        wide: Those of 64 digits are SHA-256, or PDQ, if that is known.
    """

    every: Kind | None = None
    wide: Kind | None = None


def read_kind(word: str) -> Kind | None:
    """The kind that a word such as ``SHA-256``, ``video_md5`` or ``HASH_PDQ`` names, if any.

    ``video_md5`` and ``HASH_...`` are signal and indicator types of Meta's ThreatExchange.
    """
    return _KINDS.get(_SEPARATORS.sub("", word.lower()))


def is_video(text: str, kind: Kind | None, hint: KindHint) -> bool:
    """Whether a hash is a vPDQ hash with all its frames, by what it is said to be or its looks."""
    expected = kind or hint.every
    return expected is Kind.VPDQ or (expected is None and text[:1] in ("[", "{"))


def read_video(text: str) -> tuple[Fingerprint, bytes]:
    """Read one vPDQ hash, in the published form; gives its frames beside it, packed.

    Raises:
        InvalidInputError: It is none; the message is a reason for people.
    """
    return of_frames(vpdq.read_text(text))


def of_frames(frames: Sequence[VideoFrame]) -> tuple[Fingerprint, bytes]:
    """A vPDQ hash, and its frames, packed."""
    packed = vpdq.pack(frames)
    return Fingerprint(Kind.VPDQ, vpdq.identity(packed)), packed


def read_listed(kind: Kind, text: str) -> tuple[Fingerprint, bytes]:
    """Read one hash of a known kind as it is on a list, or as it is called there.

    Gives the frames, packed, beside a vPDQ hash that is given whole. Its 64 digits alone, as lists
    of withdrawn entries have them, name one that is on the list.

    Raises:
        InvalidInputError: It is none.
    """
    text = text.strip()
    if kind is Kind.VPDQ and text[:1] in ("[", "{"):
        return read_video(text)
    if kind.is_of_words:
        return read_words(kind, text), b""
    return Fingerprint.from_text(kind, text), b""


def read_words(kind: Kind, text: str) -> Fingerprint:
    """Read an address or a text, of which only the digest is kept; or that digest.

    Raises:
        InvalidInputError: It is none; the message is a reason for people, without what it says.
    """
    if _DIGEST.fullmatch(text):
        return Fingerprint.from_text(kind, text)
    return text_digest(text) if kind is Kind.TEXT else entry_for(kind, text)


def read_hash(text: str, kind: Kind | None, hint: KindHint) -> Fingerprint:
    """Read one hash, in hexadecimal digits of either case or in Base64; or what is hashed here.

    Args:
        text: The hash, without spaces around it.
        kind: What the row or its column says it is.
        hint: What is known otherwise.

    Raises:
        InvalidInputError: It is none; the message is a reason for people, without the hash.
    """
    expected = kind or hint.every
    if expected is not None and expected.is_of_words:
        return read_words(expected, text)
    value = _bytes(text)
    if expected is None:
        expected = _BY_WIDTH.get(len(value), hint.wide)
        if len(value) not in _WIDTHS:
            raise InvalidInputError(
                "{digits} hexadecimal digits are no hash: MD5 has 32, SHA-1 has 40, SHA-256 "
                "and PDQ have 64",
                digits=2 * len(value),
            )
        if expected is None:
            raise InvalidInputError(AMBIGUOUS)
    elif len(value) != expected.width:
        raise InvalidInputError(
            "a {expected} hash has {expected_digits} hexadecimal digits, not {digits}",
            expected=expected,
            expected_digits=2 * expected.width,
            digits=2 * len(value),
        )
    return Fingerprint(expected, value)


_SEPARATORS = re.compile(r"[-_ ]")
_KINDS = {
    prefix + str(kind) + suffix: kind
    for kind in Kind
    if not kind.is_of_words
    for prefix in ("", "hash", "photo", "image", "video", "hashvideo")
    for suffix in ("", "hash")
} | {
    "url": Kind.URL,
    "uri": Kind.URL,
    "urlprefix": Kind.URL_PREFIX,
    "prefix": Kind.URL_PREFIX,
    "domain": Kind.DOMAIN,
    "host": Kind.DOMAIN,
    "hostname": Kind.DOMAIN,
    "text": Kind.TEXT,
}
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_BY_WIDTH = {Kind.MD5.width: Kind.MD5, Kind.SHA1.width: Kind.SHA1}
_WIDTHS = {kind.width for kind in Kind}
# As long as a MD5, SHA-1 or 32-byte value is in Base64, padding and all.
_BASE64 = re.compile(r"[A-Za-z0-9+/]{22}==|[A-Za-z0-9+/]{27}=|[A-Za-z0-9+/]{43}=")


def _bytes(text: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    # fromhex passes over spaces between the digits.
    if value and 2 * len(value) == len(text):
        return value
    if not text:
        raise InvalidInputError("the hash is missing")
    if _BASE64.fullmatch(text):
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            pass
    if re.fullmatch(r"[0-9a-fA-F]+", text):
        raise InvalidInputError(
            "an odd number of hexadecimal digits ({digits}) is no hash", digits=len(text)
        )
    raise InvalidInputError("is not a hash: it is not hexadecimal digits alone")
