"""Handing one large message to the mail server, and knowing afterwards what became of it.

A message is taken when the server answers well to the dot that ends it (RFC 5321, section 4.1.1.4).
A connection that breaks before the dot was sent leaves nothing; one that breaks after it leaves a
question that mail has no answer to. The two are told apart here.
"""

import base64
import re
import smtplib
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP

from tutela.storage.mailing import MailError, connected, sign_in
from tutela.storage.settings import Mail

# RFC 5321, section 4.5.3.2: a sender that waits too short makes duplicates.
_STEP_SECONDS = 300.0
_END_SECONDS = 600.0
_QUIT_SECONDS = 5.0
# What one line of base64 holds (RFC 2045, section 6.8).
_LINE_BYTES = 57
_PIECE_BYTES = 1024 * _LINE_BYTES
_MARK = b"here goes what is attached"
_MOST_LETTERS = 300


class MailNotTakenError(MailError):
    """The server has certainly not taken the message; the same may go well later."""


class MailRefusedError(MailNotTakenError):
    """The server has refused the message for good: trying again would be of no use."""


class MailAddressRefusedError(MailRefusedError):
    """The server takes nothing from this sender, or nothing for this recipient."""


class MailTooLargeError(MailRefusedError):
    """The server says that the message is larger than it takes.

    Attributes:
        limit: What it takes at most, in bytes, if it says so.
    """

    def __init__(self, words: str, limit: int | None) -> None:
        super().__init__(words)
        self.limit = limit


class MailSignInError(MailNotTakenError):
    """The server does not let this sender in, or lacks what the settings ask of it."""


class MailOutcomeUnknownError(MailError):
    """The connection broke when the message was whole: it was taken, or was not."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with a message.

    Attributes:
        name: Its name, in ASCII.
        size: In bytes.
        pieces: Gives its content in pieces of the size that it is told, but for the last.
    """

    name: str
    size: int
    pieces: Callable[[int], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Taken:
    """What the server said when it took the message.

    Attributes:
        answer: Its words, which often hold its own number of the message.
        notifies: Whether it will tell the sender what becomes of the message (RFC 3461).
    """

    answer: str
    notifies: bool


def hand_over(
    mail: Mail,
    message: EmailMessage,
    attached: Attached,
    before_the_end: Callable[[], None],
    *,
    step_seconds: float = _STEP_SECONDS,
    end_seconds: float = _END_SECONDS,
) -> Taken:
    """Hand a message with one large file to the mail server. Memory stays small.

    Args:
        mail: How mail is sent.
        message: Its text and headers, with one recipient, and a ``Message-ID``.
        attached: The file.
        before_the_end: Is called when all has been sent but the dot. If it fails, the server has
            certainly not taken the message.
        step_seconds: How long the server may take for a step.
        end_seconds: How long it may take to answer to the dot.

    Raises:
        MailSignInError: The server does not let us in.
        MailTooLargeError: It takes no message of this size.
        MailRefusedError: It refuses it for good.
        MailNotTakenError: It does not take it now, or cannot be reached.
        MailOutcomeUnknownError: It may have taken it.
        Exception: Whatever ``before_the_end`` or the file's pieces raise.
    """
    message["From"] = mail.sender
    head, tail = _framed(message, attached)
    size = len(head) + _length_in_base64(attached.size) + len(tail)
    server = _entered(mail, step_seconds)
    # Never by the library's own "with": it would say QUIT in the middle of a message.
    try:
        notifies = _addressed(server, mail, message, size)
        with _certainly_not_taken():
            _send(server, head)
        for line in _in_base64(attached.pieces(_PIECE_BYTES)):
            with _certainly_not_taken():
                _send(server, line)
        with _certainly_not_taken():
            _send(server, tail)
        before_the_end()
        taken = Taken(_ended(server, end_seconds), notifies)
        _say_goodbye(server)
        return taken
    finally:
        server.close()


def _entered(mail: Mail, seconds: float) -> smtplib.SMTP:
    with _certainly_not_taken():
        server = connected(mail, seconds)
    try:
        with _certainly_not_taken():
            server.ehlo_or_helo_if_needed()
            sign_in(mail, server)
    except BaseException:
        server.close()
        raise
    return server


def _addressed(server: smtplib.SMTP, mail: Mail, message: EmailMessage, size: int) -> bool:
    """Say from whom, to whom and how much; gives whether the server will notify."""
    limit = _limit_of(server)
    if limit is not None and size > limit:
        raise MailTooLargeError(f"the mail server takes messages of at most {limit:,} bytes", limit)
    notifies = server.has_extn("dsn")
    with _certainly_not_taken():
        options = [f"SIZE={size}"] if server.has_extn("size") else []
        envelope_id = str(message["Message-ID"]).strip("<>")
        if notifies:
            options += ["RET=HDRS", f"ENVID={_xtext(envelope_id)}"]
        _check(server.mail(mail.sender, options), limit, of_address=True)
        recipient = str(message["To"])
        wanted = ["NOTIFY=SUCCESS,FAILURE,DELAY", f"ORCPT=rfc822;{_xtext(recipient)}"]
        _check(server.rcpt(recipient, wanted if notifies else []), limit, of_address=True)
        code, answer = server.docmd("DATA")
        if code != 354:
            _check((code, answer), limit)
            raise MailNotTakenError(f"the mail server answered {code} to DATA")
    return notifies


def _ended(server: smtplib.SMTP, seconds: float) -> str:
    try:
        # Part of it may arrive although sending it fails.
        if server.sock is not None:
            server.sock.settimeout(seconds)
        _send(server, b".\r\n")
        code, answer = server.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise MailOutcomeUnknownError(
            "the connection to the mail server broke when the message had been sent but not yet "
            "confirmed: it may have been taken"
        ) from error
    if not 200 <= code < 300 and not 400 <= code < 600:
        raise MailOutcomeUnknownError(
            f"the mail server answered {code} to the end of the message: it may have been taken"
        )
    _check((code, answer), None)
    return _words(answer)


def _send(server: smtplib.SMTP, content: bytes) -> None:
    if server.sock is None:
        raise smtplib.SMTPServerDisconnected("the connection is closed")
    server.sock.sendall(content)


def _check(reply: tuple[int, bytes], limit: int | None, *, of_address: bool = False) -> None:
    code, answer = reply
    words = f"the mail server answered {code} {_words(answer)}".rstrip()
    if 200 <= code < 300:
        return
    if code in (530, 534, 535, 538):
        raise MailSignInError(words)
    # RFC 1870, section 6, and RFC 3463, section 3.4: too large for it, or for the mailbox.
    if code == 552 or answer.startswith((b"5.3.4", b"5.2.3")):
        raise MailTooLargeError(words, limit)
    if 500 <= code < 600:
        raise MailAddressRefusedError(words) if of_address else MailRefusedError(words)
    raise MailNotTakenError(words)


@contextmanager
def _certainly_not_taken() -> Iterator[None]:
    """Names what fails before the end."""
    try:
        yield
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError) as error:
        raise MailSignInError(_words(str(error).encode())) from error
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error
        _check((error.smtp_code, said if isinstance(said, bytes) else said.encode()), None)
        raise MailNotTakenError(f"the mail server answered {error.smtp_code}") from error
    except ssl.SSLError as error:
        raise MailNotTakenError(
            f"the way to the mail server is not protected as it should be ({error.reason})"
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailNotTakenError(
            "the mail server cannot be reached, or the connection to it broke "
            f"({type(error).__name__})"
        ) from error


def _say_goodbye(server: smtplib.SMTP) -> None:
    # Whatever comes of it: the message has been taken.
    with suppress(OSError, smtplib.SMTPException):
        if server.sock is not None:
            server.sock.settimeout(_QUIT_SECONDS)
        server.quit()


def _limit_of(server: smtplib.SMTP) -> int | None:
    said = server.esmtp_features.get("size", "").split()
    # RFC 1870, section 4: zero means that there is no fixed limit.
    return int(said[0]) or None if said and said[0].isdecimal() else None


def _framed(message: EmailMessage, attached: Attached) -> tuple[bytes, bytes]:
    """What stands before and behind the file's content in the message, ready to be sent."""
    message.add_attachment(
        _MARK, maintype="application", subtype="octet-stream", filename=attached.name
    )
    marked = message.as_bytes(policy=SMTP.clone(cte_type="7bit"))
    head, _, tail = marked.partition(base64.b64encode(_MARK) + b"\r\n")
    if not tail.endswith(b"\r\n"):
        tail += b"\r\n"
    return _dots_doubled(head), _dots_doubled(tail)


def _dots_doubled(content: bytes) -> bytes:
    return re.sub(rb"(?m)^\.", b"..", content)


def _in_base64(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield base64.encodebytes(piece).replace(b"\n", b"\r\n")


def _length_in_base64(size: int) -> int:
    return 4 * -(-size // 3) + 2 * -(-size // _LINE_BYTES)


def _xtext(text: str) -> str:
    """Text as RFC 3461, section 4, has it in parameters."""
    return "".join(
        letter if "!" <= letter <= "~" and letter not in "+=" else f"+{ord(letter):02X}"
        for letter in text
    )


def _words(answer: bytes) -> str:
    text = answer.decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_MOST_LETTERS]
