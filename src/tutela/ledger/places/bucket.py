"""Checkpoints in a bucket of S3."""

from datetime import timedelta

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tutela.errors import SettingsError, StorageError


class BucketPlace:
    """A bucket of S3, or a part of it.

    Who may write there is found as Amazon's own programs find it: ``AWS_ACCESS_KEY_ID`` and
    ``AWS_SECRET_ACCESS_KEY``, or the machine's role.

    Raises:
        SettingsError: The address cannot be understood.
    """

    def __init__(self, url: str, endpoint: str | None) -> None:
        self._url = url
        try:
            self._store = S3Store.from_url(
                url,
                # Ten seconds in all: one that hangs is not asked a second time.
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=9)},
                client_options={
                    "allow_http": bool(endpoint),
                    "connect_timeout": "3s",
                    "timeout": "10s",
                },
                config={"endpoint": endpoint} if endpoint else None,
            )
        except (BaseError, ValueError) as error:
            raise SettingsError(f"ledger_checkpoints: {url} is no bucket: {error}") from None

    def write(self, name: str, content: bytes) -> None:
        """Keep a text."""
        try:
            obstore.put(self._store, name, content)
        except (BaseError, OSError) as error:
            raise self._explained("written", error) from error

    def read(self, name: str) -> bytes | None:
        """A text."""
        try:
            return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise self._explained("read", error) from error

    def names(self, after: str = "") -> list[str]:
        """The names behind a name."""
        try:
            portions = list(obstore.list(self._store, offset=after or None))
        except (BaseError, OSError) as error:
            raise self._explained("read", error) from error
        return sorted(each["path"] for portion in portions for each in portion)

    def _explained(self, what: str, error: Exception) -> StorageError:
        reason = str(error).strip().splitlines()[0][:200]
        return StorageError(
            f"the ledger's checkpoints at {self._url} cannot be {what} ({reason}): "
            "check the setting ledger_checkpoints and the credentials of S3"
        )
