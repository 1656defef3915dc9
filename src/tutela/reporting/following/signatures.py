"""Whose message it is that came in: each authority signs by its own secret."""

from collections.abc import Mapping
from datetime import datetime

from tutela.errors import NotSignedInError
from tutela.storage.settings import Settings
from tutela.webhooks.signing import is_secret, is_signed


def sender_of(settings: Settings, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of the authority that signed a message, as Standard Webhooks has it.

    Args:
        settings: The configuration, with the secrets.
        headers: The headers of the request; names in small letters.
        body: The bytes of its body.
        now: The present moment.

    Raises:
        NotSignedInError: No authority did, or it is an old one.
    """
    for authority, kept in settings.reporting.feedback_secrets.items():
        # One that is no secret signs nothing: the health page of the house is no place to fail.
        valid = [each for each in kept.get_secret_value().split() if is_secret(each)]
        if is_signed(headers, body, valid, now):
            return authority
    raise NotSignedInError(
        "this message is not signed by an authority that is known here, or it is too old: sign it "
        "as Standard Webhooks has it, with the secret that you were given"
    )
