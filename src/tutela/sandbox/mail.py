"""The files within texts: e-mails, pages that a browser saved whole (MHTML), and RTF.

E-mails are taken apart by the standard library's parser. Runs in a cell, since the bytes are not
trusted.
"""

import binascii
import codecs
import io
import re
from collections.abc import Iterator
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser

from tutela.fingerprints.model import Part, Unreadable
from tutela.sandbox.documents import Around
from tutela.sandbox.formats import MAIL
from tutela.sandbox.office import elsewhere, picture_or_pixels

# In a sealed cell they could not be loaded any more.
for _name in ("ascii", "latin-1", "utf-8", "raw-unicode-escape", "unicode-escape"):
    codecs.lookup(_name)

_ENVELOPES = frozenset(
    {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
)
_MAILBOX = b"From "
_NEXT_MAIL = re.compile(rb"\n(?=From [^\n]*\d\d:\d\d)")
_DIGITS = re.compile(rb"[0-9A-Fa-f][0-9A-Fa-f\s]{200,}")
_WORD = re.compile(rb"\\[A-Za-z]+-?[0-9]* ?")
_SPACE = re.compile(rb"\s+")
_LEAST_PICTURE = 60


def parts_of_mail(
    file: io.BytesIO | io.BufferedReader, place: str, around: Around
) -> Iterator[Part]:
    """The files in an e-mail, in those that are in it, or in a mailbox of several.

    Args:
        file: Must be seekable.
        place: Its own.
        around: What opens it up.
    """
    file.seek(0)
    content = file.read(around.most_held)
    mails = _NEXT_MAIL.split(content) if content.startswith(_MAILBOX) else [content]
    number = 0
    for mail in mails:
        around.budget.see_time()
        try:
            messages = list(BytesParser().parsebytes(mail).walk())
        except Exception:
            # Nobody knows what that parser raises for a mail that is made for it.
            yield Part(place, unreadable=Unreadable.DAMAGED, decoder=MAIL)
            continue
        for message in messages:
            if message.get_content_type() in _ENVELOPES:
                yield Part(place, unreadable=Unreadable.ENCRYPTED, decoder=MAIL)
            elif not message.is_multipart():
                number += 1
                yield from _in_message(message, place, number, around)


def _in_message(message: Message, place: str, number: int, around: Around) -> Iterator[Part]:
    try:
        name, content = _name_of(message), message.get_payload(decode=True)
    except Exception:
        yield Part(place, unreadable=Unreadable.DAMAGED, decoder=MAIL)
        return
    # What people read of it is no file, but a page may have pictures written out in it.
    if isinstance(content, bytes) and (
        name or around.shows(content) or content.lstrip().startswith(b"<")
    ):
        yield from around.file(content, around.called(place, name or f"part {number}", number))


def _name_of(message: Message) -> str:
    """What a file in an e-mail is called, or where it was in the web; else nothing."""
    name = message.get_filename()
    if not name:
        return str(message.get("Content-Location", "")).rpartition("/")[2]
    return "".join(
        piece if isinstance(piece, str) else piece.decode("utf-8", "replace")
        for piece, _ in decode_header(name)
    )


def parts_of_rtf(
    file: io.BytesIO | io.BufferedReader, place: str, around: Around
) -> Iterator[Part]:
    """The pictures in a document in RTF, where they are written in hexadecimal digits."""
    file.seek(0)
    content = file.read(around.most_held)
    number = 0
    # The number at the end of a word is no digit of what follows it.
    for found in _DIGITS.finditer(_WORD.sub(b"|", content)):
        digits = _SPACE.sub(b"", found[0])
        picture = binascii.unhexlify(digits[: len(digits) // 2 * 2])
        if len(picture) < _LEAST_PICTURE:
            continue
        number += 1
        around.budget.begin()
        around.budget.spend(len(picture))
        yield from picture_or_pixels(picture, f"{place} picture {number}".strip(), around)
    yield from elsewhere(content, place, around, after=number)
