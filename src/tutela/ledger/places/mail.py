"""Checkpoints by mail: a mailbox remembers, and cannot be rolled back from here."""

import smtplib
import ssl
from email.message import EmailMessage

from tutela.errors import StorageError
from tutela.ledger.places.model import Place
from tutela.storage.settings import Mail, MailSecurity

_TIMEOUT_SECONDS = 10.0


class MailingPlace:
    """A place that also mails what is written there.

    A mailbox cannot be read back, so the place itself is what later checkpoints are compared with.
    What could not be mailed is not written there either, and so is tried again.
    """

    def __init__(self, place: Place, mail: Mail, recipient: str) -> None:
        self._place = place
        self._mail = mail
        self._recipient = recipient

    def write(self, name: str, content: bytes) -> None:
        """Mail a text, and keep it."""
        message = EmailMessage()
        message["From"] = self._mail.sender
        message["To"] = self._recipient
        message["Subject"] = f"Tutela: {name}"
        message.set_content(
            "Keep this. It shows later that nothing of the ledger up to here was changed:\n"
            'copy what is attached into a folder, and run "tutela ledger verify --checkpoints '
            'FOLDER".\n'
        )
        message.add_attachment(
            content, maintype="application", subtype="octet-stream", filename=name
        )
        try:
            self._send(message)
        except (OSError, smtplib.SMTPException) as error:
            reason = str(error).strip().splitlines()[0][:200] if str(error) else "no answer"
            raise StorageError(
                f"the ledger's checkpoint could not be mailed to {self._recipient} ({reason}): "
                "check the settings ledger_checkpoints and mail"
            ) from error
        self._place.write(name, content)

    def read(self, name: str) -> bytes | None:
        """A text."""
        return self._place.read(name)

    def names(self, after: str = "") -> list[str]:
        """The names behind a name."""
        return self._place.names(after)

    def _send(self, message: EmailMessage) -> None:
        mail = self._mail
        trust = ssl.create_default_context()
        if mail.security is MailSecurity.TLS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                mail.server, mail.port, timeout=_TIMEOUT_SECONDS, context=trust
            )
        else:
            server = smtplib.SMTP(mail.server, mail.port, timeout=_TIMEOUT_SECONDS)
        with server:
            if mail.security is MailSecurity.STARTTLS:
                server.starttls(context=trust)
            if mail.user is not None and mail.password is not None:
                server.login(mail.user, mail.password.get_secret_value())
            server.send_message(message)
