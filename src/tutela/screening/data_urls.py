"""``data:`` addresses, which hold in themselves what is at them (RFC 2397).

They are taken apart as browsers do it: the "data: URL processor" of the WHATWG fetch standard
(https://fetch.spec.whatwg.org/#data-url-processor).
"""

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from tutela.errors import InvalidInputError
from tutela.fingerprints.urls import stripped

LONGEST_DATA_URL = 4 << 20
"""Letters of such an address. What is larger is sent as a file."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is in a ``data:`` address.

    Attributes:
        content: Its bytes.
        media_type: What it is said to be, in lower case, such as ``image/png``; may be empty.
    """

    content: bytes
    media_type: str


def is_data_url(text: str) -> bool:
    """Whether an address holds what is at it, whether or not that can be read."""
    return _SCHEME.match(text) is not None


def read_data_url(text: str) -> Held:
    """What is in a ``data:`` address.

    Raises:
        InvalidInputError: It is none, or what is in it cannot be read.
    """
    if not is_data_url(text):
        raise InvalidInputError("is no data: address")
    said, comma, body = stripped(text).partition(":")[2].partition(",")
    if not comma:
        raise InvalidInputError("the data: address has no comma, behind which its content begins")
    # What stands behind a # is no part of it.
    content = unquote_to_bytes(body.partition("#")[0])
    packed = _BASE64.search(said)
    if packed:
        said = said[: packed.start()]
        content = _unpacked(content)
    return Held(content, said.partition(";")[0].strip().lower())


_SCHEME = re.compile(r"[\x00-\x20]*d[\t\n\r]*a[\t\n\r]*t[\t\n\r]*a[\t\n\r]*:", re.IGNORECASE)
_BASE64 = re.compile(r"; *base64\s*$", re.IGNORECASE)
_SPACES = re.compile(rb"[\t\n\f\r ]+")


def _unpacked(content: bytes) -> bytes:
    """Base64 as browsers forgive it: with spaces in it, and without its padding."""
    letters = _SPACES.sub(b"", content)
    if len(letters) % 4 == 0:
        letters = re.sub(rb"={1,2}$", b"", letters)
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4), validate=True)
    except binascii.Error:
        raise InvalidInputError("the data: address is not well formed: it is no Base64") from None
