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


def send_words(mail: Mail, recipient: str, subject: str, words: str) -> None:
    """Hand a message of words alone to the mail server.

    Raises:
        MailError: It could not be handed over.
    """
    message = EmailMessage()
    message["To"] = recipient
    message["Subject"] = subject
    message.set_content(words)
    send_mail(mail, message)


def _send(mail: Mail, message: EmailMessage) -> None:
    with connected(mail, _TIMEOUT_SECONDS) as server:
        sign_in(mail, server)
        server.send_message(message)


def connected(mail: Mail, seconds: float) -> smtplib.SMTP:
    """A connection to the mail server, protected as the settings have it, before signing in.

    Args:
        mail: The settings.
        seconds: How long each step may take.

    Raises:
        OSError: It cannot be reached, or is not trusted.
        smtplib.SMTPException: It does not do what is asked of it.
    """
    trust = ssl.create_default_context()
    if mail.security is MailSecurity.TLS:
        return smtplib.SMTP_SSL(mail.server, mail.port, timeout=seconds, context=trust)
    server = smtplib.SMTP(mail.server, mail.port, timeout=seconds)
    try:
        if mail.security is MailSecurity.STARTTLS:
            server.starttls(context=trust)
    except BaseException:
        server.close()
        raise
    return server


def sign_in(mail: Mail, server: smtplib.SMTP) -> None:
    """Sign in, if the settings say as whom.

    Raises:
        smtplib.SMTPException: The server does not take it.
    """
    if mail.user is not None and mail.password is not None:
        server.login(mail.user, mail.password.get_secret_value())
