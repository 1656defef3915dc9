"""The API keys in use, in memory, so that a request need not ask the database for its own."""

from collections.abc import Mapping

from tutela.accounts.keys import check_key, digest, keys_in_use
from tutela.accounts.model import ApiKey
from tutela.storage.database import Database


class KnownKeys:
    """The keys that were in use when they were last read. Safe to share between threads.

    It is for somebody else to call ``refresh`` often: a revoked key works here until then.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._in_use: Mapping[bytes, ApiKey] = {}

    def refresh(self) -> None:
        """Read the keys anew.

        Raises:
            StorageError: The database does not answer; what was known stays so.
        """
        with self._database.reading() as connection:
            self._in_use = keys_in_use(connection)

    def find(self, key: str) -> ApiKey | None:
        """The key that a caller sent, if it is known here. Asks nobody."""
        return self._in_use.get(digest(key))

    def check(self, key: str) -> ApiKey:
        """The key that a caller sent. Of one that is not known here the database is asked.

        Raises:
            NotSignedInError: The key is unknown or revoked.
            StorageError: The database does not answer.
        """
        known = self.find(key)
        if known is not None:
            return known
        # Perhaps it was made a moment ago.
        with self._database.reading() as connection:
            return check_key(connection, key)
