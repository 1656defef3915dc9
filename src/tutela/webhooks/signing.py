"""Signing a message as Standard Webhooks has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from standardwebhooks.webhooks import Webhook

from tutela.storage.jobs.model import JSON

_SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with
# The specification asks for 24 to 64 bytes.
_SECRET_BYTES = 32


def new_secret() -> str:
    """A secret as a receiver is given it: ``whsec_`` and base 64."""
    return _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def new_message_id() -> str:
    """What all attempts to tell of one event bear."""
    return f"msg_{secrets.token_hex(16)}"


def body_of(kind: str, happened_at: datetime, data: Mapping[str, JSON]) -> bytes:
    """The message's body: the same bytes at each attempt."""
    told = {"type": kind, "timestamp": happened_at.isoformat(), "data": dict(data)}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def signed_headers(
    message: str, body: bytes, signing_secrets: Sequence[str], at: datetime
) -> dict[str, str]:
    """The headers by which a receiver knows that a message is ours, and not an old one.

    Args:
        message: Its id.
        body: Its body.
        signing_secrets: Every secret that is valid; the receiver knows one of them.
        at: When this attempt is made.
    """
    text = body.decode()
    signatures = [Webhook(secret).sign(message, at, text) for secret in signing_secrets]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
