"""Checkpoints by mail: a mailbox remembers, and cannot be rolled back from here."""

from email.message import EmailMessage

from tutela.errors import StorageError
from tutela.ledger.places.model import Place
from tutela.storage.mailing import MailError, send_mail
from tutela.storage.settings import Mail


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
            send_mail(self._mail, message)
        except MailError as error:
            raise StorageError(
                f"the ledger's checkpoint could not be mailed to {self._recipient} "
                f"({error.message}): check the settings ledger_checkpoints and mail"
            ) from error
        self._place.write(name, content)

    def read(self, name: str) -> bytes | None:
        """A text."""
        return self._place.read(name)

    def names(self, after: str = "") -> list[str]:
        """The names behind a name."""
        return self._place.names(after)
