"""Reading what mail servers write back: delivery status notifications (RFC 3464).

They come from anybody who writes to the sender's address, so nothing in them is believed but which
report they name and what they say became of it; a person enters them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from enum import StrEnum

from tutela.errors import InvalidInputError

MOST_BYTES = 1 << 20
_MOST_PARTS = 50
_MOST_WORDS = 300
_ADDRESS = re.compile(r"\S+@\S+")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)
_XTEXT = re.compile(r"\+([0-9A-F]{2})", re.ASCII)


class Fate(StrEnum):
    """What became of a letter on its way. A word once used is never given another meaning."""

    DELAYED = "delayed"
    """It is still on its way, and tried further."""
    RELAYED = "relayed"
    """It was passed on to a server that tells nothing more."""
    DELIVERED = "delivered"
    """It is in the authority's mailbox."""
    FAILED = "failed"
    """It did not arrive, and is not tried any more."""
    ANSWERED = "answered"
    """Somebody at the authority says that they have it."""

    @property
    def words(self) -> str:
        """The same as people say it."""
        return _WORDS[self]


_WORDS = {
    Fate.DELAYED: "still on its way",
    Fate.RELAYED: "passed on to a server that tells nothing more",
    Fate.DELIVERED: "in the authority's mailbox",
    Fate.FAILED: "not delivered",
    Fate.ANSWERED: "acknowledged by the authority",
}

# RFC 3464, section 2.3.3. "Expanded" is to a list, of which each member is told of apart.
_ACTIONS = {
    "delayed": Fate.DELAYED,
    "relayed": Fate.RELAYED,
    "expanded": Fate.RELAYED,
    "delivered": Fate.DELIVERED,
    "failed": Fate.FAILED,
}


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a mail server has written back.

    Attributes:
        message: The letter that it is about: a ``Message-ID`` without its angle brackets.
        fate: What became of it.
        code: The status by RFC 3463, such as ``5.1.1``; empty if it gives none.
        words: What the server says of it, without addresses.
    """

    message: str
    fate: Fate
    code: str
    words: str


def read_bounce(content: bytes) -> Bounce:
    """Read a mail that a mail server has written back.

    Args:
        content: The whole mail, as it came.

    Raises:
        InvalidInputError: It is no such mail, or names no letter.
    """
    if len(content) > MOST_BYTES:
        raise InvalidInputError("it is too large for a notice of a mail server: is it one?")
    # As headers are: those who take them apart by the grammar trip over some that are damaged.
    mail = BytesParser().parsebytes(content)
    status = next(_parts(mail, "message/delivery-status"), None)
    if status is None:
        raise InvalidInputError(
            "it is no notice of a mail server (a mail with a part message/delivery-status): save "
            "the mail with all its parts, or say by --set what became of the report"
        )
    groups = [each for each in status.get_payload() if isinstance(each, Message)][:_MOST_PARTS]
    told = [each for each in groups if _field(each, "Action").lower() in _ACTIONS]
    if not told:
        raise InvalidInputError("the notice does not say what became of the mail")
    # One letter has one recipient; were there several, the worst counts.
    worst = min(told, key=lambda each: _SEVERITY.index(_ACTIONS[_field(each, "Action").lower()]))
    code = _STATUS.search(_field(worst, "Status"))
    return Bounce(
        message=_letter(mail, groups[0]),
        fate=_ACTIONS[_field(worst, "Action").lower()],
        code=code.group() if code else "",
        words=_ADDRESS.sub("(an address)", _field(worst, "Diagnostic-Code"))[:_MOST_WORDS],
    )


_SEVERITY = [Fate.FAILED, Fate.DELAYED, Fate.RELAYED, Fate.DELIVERED]


def _letter(mail: Message, about_all: Message) -> str:
    envelope = _XTEXT.sub(
        lambda found: chr(int(found[1], 16)), _field(about_all, "Original-Envelope-Id")
    )
    if envelope:
        return envelope.strip("<>")
    for kind in ("message/rfc822", "message/rfc822-headers", "text/rfc822-headers"):
        for part in _parts(mail, kind):
            found = _field(_returned(part), "Message-ID").strip("<>")
            if found:
                return found
    raise InvalidInputError(
        "the notice does not say which mail it is about: find its Message-ID in it, and say by "
        "--set what became of that report"
    )


def _returned(part: Message) -> Message:
    inner = part.get_payload()
    if isinstance(inner, list):
        return next((each for each in inner if isinstance(each, Message)), part)
    text = part.get_payload(decode=True)
    content = text if isinstance(text, bytes) else b""
    return BytesParser().parsebytes(content, headersonly=True)


def _parts(mail: Message, kind: str) -> Iterator[Message]:
    for number, part in enumerate(mail.walk()):
        if number >= _MOST_PARTS:
            return
        if part.get_content_type() == kind:
            yield part


def _field(part: Message, name: str) -> str:
    text = str(part.get(name, ""))
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
