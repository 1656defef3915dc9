"""Signing a message as Standard Webhooks has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from standardwebhooks.webhooks import Webhook

from tutela.storage.jobs.model import JSON

_SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with
# The specification asks for 24 to 64 bytes.
_SECRET_BYTES = 32
# As the specification's own libraries have it.
_COUNTS_FOR = timedelta(minutes=5)
_MOST_SIGNATURES = 10


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
    return _headers(message, at, signatures)


def signed_headers_of_pieces(
    message: str, body: Iterable[bytes], signing_secrets: Sequence[str], at: datetime
) -> dict[str, str]:
    """The same for a body that is not in memory. The arguments are those of ``signed_headers``.

    Raises:
        ValueError: A secret is none.
    """
    begin = f"{message}.{int(at.timestamp())}.".encode()
    sums = [hmac.new(_key_of(secret), begin, hashlib.sha256) for secret in signing_secrets]
    for piece in body:
        for each in sums:
            each.update(piece)
    signatures = [f"v1,{base64.b64encode(each.digest()).decode()}" for each in sums]
    return _headers(message, at, signatures)


def is_signed(
    headers: Mapping[str, str], body: bytes, signing_secrets: Sequence[str], now: datetime
) -> bool:
    """Whether a message that came in is signed by one of these secrets, and not an old one.

    Args:
        headers: The headers of the request; names in small letters.
        body: The bytes of its body.
        signing_secrets: Every secret that is valid.
        now: The present moment: a message counts for five minutes.
    """
    message, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message or not re.fullmatch("[0-9]{1,12}", moment):
        return False
    at = datetime.fromtimestamp(int(moment), UTC)
    if abs(now - at) > _COUNTS_FOR:
        return False
    own = signed_headers_of_pieces(message, [body], signing_secrets, at)["webhook-signature"]
    given = headers.get("webhook-signature", "").encode().split()[:_MOST_SIGNATURES]
    # Each is compared with each, whatever is found: nothing is learned from how long it takes.
    same = [hmac.compare_digest(one, each.encode()) for one in given for each in own.split()]
    return any(same)


def is_secret(text: str) -> bool:
    """Whether something is a secret that can sign: ``whsec_`` and 24 to 64 bytes in base 64."""
    try:
        return text.startswith(_SECRET_PREFIX) and 24 <= len(_key_of(text)) <= 64
    except ValueError:
        return False


def _key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)


def _headers(message: str, at: datetime, signatures: Sequence[str]) -> dict[str, str]:
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
