"""A known picture in an e-mail, a saved page or a document in RTF is found."""

from base64 import b64encode
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.archived import zipped
from tests.old_office import compound, drawing_of_old, pixels, record
from tests.pictures import encoded
from tests.sandbox.test_archives import in_a_cell, opened, reasons
from tests.sandbox.test_documents import JPEG, KNOWN, files_in, places_of_known
from tutela.fingerprints.model import Unreadable
from tutela.sandbox.pool import CellPool

PNG = encoded(KNOWN)


def mail(content: bytes = JPEG, name: str | None = "été.jpg", kind: str = "jpeg") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "a@forum.example", "b@forum.example"
    message["Subject"] = "words"
    message.set_content("words of a letter")
    message.add_attachment(content, maintype="image", subtype=kind, filename=name)
    return message


def forwarded() -> bytes:
    outer = EmailMessage()
    outer["Received"] = "from forum.example"
    outer.set_content("see below")
    outer.add_attachment(mail())
    return bytes(outer)


def saved_page() -> bytes:
    return (
        b"From: <Saved by a browser>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n"
        b'\tboundary="edge"\r\n\r\n--edge\r\nContent-Type: text/html\r\n\r\n<p>words</p>\r\n'
        b"--edge\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Location: https://forum.example/photos/a.jpg\r\n\r\n"
        + b64encode(JPEG)
        + b"\r\n--edge--\r\n"
    )


MAILS = {
    "été.jpg": bytes(mail()),
    "part 2": bytes(mail(name=None)),
    "a.zip/b.jpg": bytes(mail(zipped({"b.jpg": JPEG}), "a.zip", "zip")),
    "a.jpg": saved_page(),
}


@pytest.mark.parametrize("place", MAILS)
def test_files_in_mails_have_digests_of_their_own(place: str) -> None:
    parts = opened(MAILS[place])
    assert files_in(parts, JPEG) == [place]
    assert reasons(parts) == set()


def test_mails_in_mails_and_mailboxes_are_opened_in_a_sealed_cell(tmp_path: Path) -> None:
    mailbox = b"".join(
        b"From a@b Mon Nov 30 12:00:00 2026\n%s\n" % each
        for each in (bytes(mail(b"words", "a.txt", "x")), bytes(mail()))
    )
    with CellPool(1) as cells:
        for content in (forwarded(), mailbox, bytes(mail()), zipped({"a.eml": forwarded()})):
            found = in_a_cell(cells, tmp_path, content)
            assert len(files_in(list(found.parts), JPEG)) == 1
            assert reasons(list(found.parts)) == set()


def test_pictures_written_out_in_a_page_in_a_mail_are_found() -> None:
    message = EmailMessage()
    message["Subject"] = "words"
    message.set_content(
        f'<img src="data:image/png;base64,{b64encode(PNG).decode()}">', subtype="html"
    )
    assert places_of_known(opened(bytes(message)))


def test_an_encrypted_mail_is_said_to_be() -> None:
    locked = b"Subject: words\nMIME-Version: 1.0\nContent-Type: application/pkcs7-mime\n\nMIAG"
    assert reasons(opened(locked)) == {("", Unreadable.ENCRYPTED)}


@pytest.mark.parametrize(
    "picture",
    [
        b"\\jpegblip " + JPEG.hex().encode(),
        b"\\pngblip\n"
        + b"\r\n".join(PNG.hex().encode()[at : at + 128] for at in range(0, 2 * len(PNG), 128)),
        b"\\dibitmap0 " + pixels(KNOWN).hex().encode(),
        b"\\wmetafile8 " + drawing_of_old(KNOWN)[22:].hex().encode(),
        b"\\jpegblip\\bin%d " % len(JPEG) + JPEG,
        b"\\objdata 0105" + compound({"Data": record(0xF01D, JPEG)}).hex().encode(),
    ],
    ids=["JPEG", "PNG", "pixels", "a drawing", "as it is", "an object"],
)
def test_pictures_in_rtf_are_found(picture: bytes) -> None:
    rtf = b"{\\rtf1\\ansi words {\\pict%s}}" % picture
    parts = opened(rtf)
    assert places_of_known(parts)
    assert reasons(parts) == set()
