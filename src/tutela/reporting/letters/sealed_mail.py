"""Reports by mail: an encrypted package to an authority that has no interface for programs.

A mail server takes a message or does not; whether the authority got it, it may tell later by
another mail. Nobody can be asked. So a connection that breaks between the end of the message and
the answer leaves it unknown whether the mail went out. It is then sent again, with the same
``Message-ID``, and says that it repeats a report: two copies are better than none, and the
authority can tell that they are one.
"""

import json
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from tutela.reporting.delivery.channel import (
    Attempt,
    Channel,
    NeedsPersonError,
    Receipt,
    Sending,
    TryLaterError,
    WrongCredentialsError,
)
from tutela.reporting.letters.letters import (
    Addressee,
    as_found,
    hoping,
    identifier_of,
    letter_of,
    made_for_sending,
    wait_out_doubt,
)
from tutela.reporting.packages.document import as_json
from tutela.reporting.packages.making import MadePackage
from tutela.reporting.packages.model import Letter
from tutela.storage.clock import Clock
from tutela.storage.mail_streams import (
    Attached,
    MailAddressRefusedError,
    MailNotTakenError,
    MailOutcomeUnknownError,
    MailRefusedError,
    MailSignInError,
    MailTooLargeError,
    Taken,
    hand_over,
)
from tutela.storage.settings import Settings

# A server that puts strangers off (greylisting) takes the same mail a few minutes later.
_PUT_OFF_SECONDS = 300.0


class SealedMail:
    """The way to one authority by mail.

    Args:
        settings: The configuration: how mail is sent, and how large it may be.
        addressee: Whom it goes to.
        address: Their mail address.
        clock: The time.
    """

    def __init__(
        self, settings: Settings, addressee: Addressee, address: str, clock: Clock
    ) -> None:
        self._settings = settings
        self._addressee = addressee
        self._address = address
        self._clock = clock

    def counts(self, attempt: Attempt) -> bool | None:
        """As ``channel.Channel`` says. Nobody can be asked about one that came to its end."""
        return as_found(attempt)

    def deliver(self, sending: Sending) -> Receipt:
        """As ``channel.Channel`` says."""
        wait_out_doubt(sending, self._clock())
        for address in (self._address, self._settings.mail.sender):
            if not address.isascii() or not address.isprintable():
                raise WrongCredentialsError(
                    f"the mail address {address} cannot be used: write it in ASCII"
                )
        message_id = f"{identifier_of(sending)}@{self._settings.mail.sender.rpartition('@')[2]}"
        letter = letter_of(
            sending, self._addressee, self._settings.organisation, message_id, self._clock()
        )
        self._refuse_too_large(sum(each.size for each in letter.enclosures), letter)
        with made_for_sending(letter, self._settings) as package:
            self._refuse_too_large(package.size, letter)
            return self._hand_over(sending, letter, package)

    def _hand_over(self, sending: Sending, letter: Letter, package: MadePackage) -> Receipt:
        notebook, mail = sending.notebook, _mail(letter, self._address, package, self._clock())
        attempt = notebook.begin(_documents(letter, mail, package))
        attempt = notebook.opened(attempt, letter.message)

        def before_the_end() -> None:
            nonlocal attempt
            attempt = notebook.finishing(attempt)

        attached = Attached(letter.file, package.size, package.pieces)
        try:
            taken = hand_over(self._settings.mail, mail, attached, before_the_end)
        except MailOutcomeUnknownError as error:
            raise hoping(letter, error.message) from error
        except MailNotTakenError as error:
            notebook.abandoned(attempt)
            raise self._verdict(error, letter) from error
        attempt = notebook.finished(attempt, documents={"answer.txt": _answer(taken)})
        return Receipt(attempt, letter.message, self._clock())

    def _refuse_too_large(self, size: int, letter: Letter) -> None:
        # Four letters for three bytes, and two for the end of each line of 76.
        mail_size = size * 4 / 3 * 78 / 76
        limit = self._settings.reporting.mail_mebibytes
        if mail_size > limit << 20:
            raise _too_large(letter, mail_size / (1 << 20), f"the settings allow {limit} MiB")

    def _verdict(
        self, error: MailNotTakenError, letter: Letter
    ) -> TryLaterError | NeedsPersonError | WrongCredentialsError:
        match error:
            case MailSignInError():
                return WrongCredentialsError(
                    f"{error.message}: check the settings mail.user, mail.password and "
                    "mail.security"
                )
            case MailAddressRefusedError():
                return WrongCredentialsError(
                    f"{error.message}: check the authority's address, and the setting mail.sender"
                )
            case MailTooLargeError():
                return _too_large(letter, None, error.message)
            case MailRefusedError():
                return NeedsPersonError(letter.with_doubt(error.message))
            case _:
                return TryLaterError(error.message, _PUT_OFF_SECONDS)


def _mail(letter: Letter, address: str, package: MadePackage, at: datetime) -> EmailMessage:
    mail = EmailMessage()
    mail["To"] = address
    sender = " ".join(letter.organisation.split()) or "Tutela"
    copy = f" (copy {letter.copy})" if letter.earlier else ""
    mail["Subject"] = f"{letter.title} from {sender}{copy}"
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{letter.message}>"
    # RFC 3834: nobody who is away answers it.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_text(letter, package), cte="quoted-printable")
    return mail


def _text(letter: Letter, package: MadePackage) -> str:
    repetition = f"{letter.repetition}\n\n" if letter.repetition else ""
    return _TEXT.format(
        letter=letter,
        title=letter.title,
        sender=letter.organisation or "the operator of this Tutela",
        repetition=repetition,
        size=f"{package.size:,}",
        sha256=package.sha256,
    )


_TEXT = """\
{title}
For: {letter.authority}
From: {sender}
Identifier: {letter.message}

{repetition}What is attached is a report with its files. It is encrypted to your key with age
(https://age-encryption.org), and nobody else can open it:

    age -d -i PRIVATE-KEY-FILE {letter.file} | tar -x

Then read README.txt first: it says what is inside, and what may harm whoever
opens it.

Size of the attachment: {size} bytes
SHA-256 of it: {sha256}

Please answer to this mail that you have it, with your own number of it.
"""


def _documents(letter: Letter, mail: EmailMessage, package: MadePackage) -> dict[str, bytes]:
    """What the receipt keeps. The package itself can be opened by the authority alone."""
    sealed = {
        "name": letter.file,
        "size": package.size,
        "sha256": package.sha256,
        "recipients": letter.recipients.text.splitlines(),
    }
    return {
        "report.json": as_json(letter),
        "mail.eml": mail.as_bytes(),
        "package.json": json.dumps(sealed, indent=1).encode() + b"\n",
    }


def _answer(taken: Taken) -> bytes:
    """What the mail server said, for whoever looks for the mail in its log."""
    notices = "asked for" if taken.notifies else "not given by this server"
    return f"{taken.answer}\nNotices of its delivery: {notices}\n".encode()


def _too_large(letter: Letter, mebibytes: float | None, limit: str) -> NeedsPersonError:
    size = f"a mail of about {mebibytes:.0f} MiB" if mebibytes else "its mail"
    return NeedsPersonError(
        letter.with_doubt(
            f"{size} is too large ({limit}): leave out files that the authority does not need, "
            "raise reporting.mail_mebibytes if its server takes more, or agree with it on another "
            'way, such as a webhook or a package that is handed over ("tutela evidence disclose")'
        )
    )


_: type[Channel] = SealedMail
