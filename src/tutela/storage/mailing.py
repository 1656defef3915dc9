"""Sending mail, by the settings of ``[mail]``."""

import smtplib
import ssl
from email.message import EmailMessage

from tutela.errors import StorageError
from tutela.storage.settings import Mail, MailSecurity

_TIMEOUT_SECONDS = 10.0


class MailError(StorageError):
    """The mail server does not answer, or does not take the mail."""


def send_mail(mail: Mail, message: EmailMessage) -> None:
    """Hand a message, which names its recipient, to the mail server.

    Raises:
        MailError: It could not be handed over.
    """
    message["From"] = mail.sender
    try:
        _send(mail, message)
    except (OSError, smtplib.SMTPException) as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error) else "no answer"
        raise MailError(reason) from error


def _send(mail: Mail, message: EmailMessage) -> None:
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
