"""Timestamps of checkpoints (RFC 3161): an authority confirms that one was there at a time."""

import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from tutela.errors import InvalidInputError, SettingsError, StorageError
from tutela.ledger.checkpointing import TIMESTAMP, checkpoint_name, timestamp_name
from tutela.ledger.places.choosing import second_place
from tutela.storage.jobs.model import Job, Kind, Never
from tutela.storage.settings import Settings

_TIMEOUT_SECONDS = 30.0
_MOST_BYTES = 1 << 20


class StampVerifier:
    """Says whether a timestamp is what it claims to be.

    Args:
        roots: The certificates that are trusted.
    """

    def __init__(self, roots: Sequence[Certificate]) -> None:
        self._roots = roots

    @classmethod
    def read(cls, path: Path) -> "StampVerifier":
        """One that trusts the certificates in a PEM file.

        Raises:
            SettingsError: There are none in it.
        """
        try:
            return cls(load_pem_x509_certificates(path.read_bytes()))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it holds no PEM certificate"
            raise SettingsError(
                f"ledger_timestamp_certificates: {path} cannot be read: {reason}"
            ) from None

    def what_is_wrong(self, answer: bytes, content: bytes) -> str | None:
        """What is wrong with an authority's answer about some content; ``None`` if nothing is."""
        try:
            response = decode_timestamp_response(answer)
            builder = VerifierBuilder()
            for root in self._roots:
                builder = builder.add_root_certificate(root)
            builder.build().verify_message(response, content)
        except (ValueError, VerificationError) as error:
            return str(error).strip().splitlines()[0] if str(error) else "it cannot be read"
        return None


def timestamping(settings: Settings) -> Kind:
    """The kind of job that has a checkpoint timestamped."""

    def timestamp(job: Job) -> None:
        size = job.payload.get("size")
        if not isinstance(size, int) or not settings.ledger_timestamp_url:
            raise Never("no checkpoint is named, or ledger_timestamp_url is not set")
        place = second_place(settings)
        note = place.read(checkpoint_name(size))
        if note is None:
            raise StorageError(f"the checkpoint over {size} entries is not written yet")
        answer = ask_for_timestamp(settings.ledger_timestamp_url, note)
        if settings.ledger_timestamp_certificates is not None:
            stamps = StampVerifier.read(settings.ledger_timestamp_certificates)
            wrong = stamps.what_is_wrong(answer, note)
            if wrong is not None:
                raise StorageError(f"the timestamp is not to be trusted: {wrong}")
        place.write(timestamp_name(size), answer)

    return Kind(TIMESTAMP, timestamp, attempts=20)


def ask_for_timestamp(url: str, content: bytes) -> bytes:
    """Have an authority confirm that some content is there now. It is told its hash alone.

    Returns:
        The authority's answer as it came.

    Raises:
        StorageError: The authority cannot be reached, or refuses: ask again later.
    """
    if not url.startswith(("https://", "http://")):
        raise SettingsError("ledger_timestamp_url: write it as https://...")
    asked = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).build()
    request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
        url, asked.as_bytes(), {"Content-Type": "application/timestamp-query"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as reply:  # noqa: S310
            answer = bytes(reply.read(_MOST_BYTES))
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise StorageError(f"the time-stamping authority {url} does not answer: {error}") from error
    try:
        response = decode_timestamp_response(answer)
    except ValueError as error:
        raise StorageError(
            f"what {url} answers cannot be read as a timestamp ({error}): check the setting "
            "ledger_timestamp_url"
        ) from None
    if response.status not in (0, 1) or response.tst_info.nonce != asked.nonce:
        raise StorageError(f"the time-stamping authority {url} refused: {response.status_string}")
    return answer


def stamped_at(answer: bytes) -> datetime:
    """When an authority saw what its answer is about.

    Raises:
        InvalidInputError: It is no timestamp.
    """
    try:
        return decode_timestamp_response(answer).tst_info.gen_time
    except ValueError:
        raise InvalidInputError("this is no timestamp") from None
