"""Signing the ledger's state from time to time, and writing it where the database does not reach.

Before a checkpoint is signed, the newest one in the second place is held against the ledger. So a
database that was rolled back or rewritten is never signed over.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from tutela.errors import StorageError
from tutela.ledger.merkle import consistency_proof, is_consistent
from tutela.ledger.model import AlteredLedgerError
from tutela.ledger.notes import Checkpoint, InvalidNoteError, VerifierKey, read_note, sign
from tutela.ledger.places.choosing import second_place
from tutela.ledger.places.model import Place
from tutela.ledger.reading import Head, kept_hashes, read_head
from tutela.ledger.signing import key_to_sign, public_bytes, signing_key
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.settings import Settings

SUFFIX = ".checkpoint"
TIMESTAMP_SUFFIX = ".tsr"

TIMESTAMP = "ledger.timestamp"
"""The kind of job that has a checkpoint timestamped."""

_LONGEST = timedelta(hours=1)


def checkpoint_name(size: int) -> str:
    """What a checkpoint is called in its place. In the names' order the trees grow."""
    return f"{size:020d}{SUFFIX}"


def timestamp_name(size: int) -> str:
    """What the timestamp of a checkpoint is called, beside it."""
    return f"{size:020d}{TIMESTAMP_SUFFIX}"


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint, and the note that says so."""

    checkpoint: Checkpoint
    note: bytes


class Checkpoints:
    """Makes the checkpoints of one ledger. For one thread; several processes may each have one.

    Two processes may sign the same tree: their notes are equal then. They never sign two trees of
    one size, because both read what is committed.
    """

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._place: Place = second_place(settings)
        self._key: Ed25519PrivateKey | None = None
        self._newest: Signed | None = None
        self._is_checked = False
        self._has_looked = False
        self._uncovered_since: datetime | None = None

    def keep_up(self) -> Signed | None:
        """Make a checkpoint if one is due; when first called, check the ledger against the newest.

        Returns:
            The one that was made, if any.

        Raises:
            AlteredLedgerError: The ledger is not the one that was signed before; nothing is signed.
            StorageError: The database, the key or the second place cannot be used; try again.
        """
        self._see_that_the_key_is_there()
        if not self._is_checked:
            return self.make()
        with self._database.reading() as connection:
            size = read_head(connection).size
        covered = self._newest.checkpoint.size if self._newest else 0
        if size == covered:
            self._uncovered_since = None
            return None
        now = self._clock()
        self._uncovered_since = self._uncovered_since or now
        if (
            size - covered >= self._settings.ledger_checkpoint_every
            or size < covered
            or now - self._uncovered_since >= _LONGEST
        ):
            return self.make()
        return None

    def make(self) -> Signed | None:
        """Make a checkpoint of the ledger as it is, unless there is one already.

        Returns:
            The one that was made; ``None`` if there was nothing new to sign.

        Raises:
            AlteredLedgerError: The ledger is not the one that was signed before; nothing is signed.
            StorageError: The database, the key or the second place cannot be used; try again.
        """
        made = None
        self._is_checked = False
        with self._database.reading() as connection:
            origin = read_head(connection).origin
        # The newest first, and the head in a transaction that begins thereafter: then the head has
        # all that was signed, and one that has less was rolled back.
        newest = self._read_newest(origin)
        with self._database.reading() as connection:
            head = read_head(connection)
            if newest is not None:
                _check(connection, head, newest.checkpoint)
        if newest is None or head.size > newest.checkpoint.size:
            made = self._write(head)
        self._newest = made or newest
        self._is_checked = self._has_looked = True
        self._uncovered_since = None
        return made

    @property
    def has_looked(self) -> bool:
        """Whether the ledger has been compared with what was signed before, once at least."""
        return self._has_looked

    @property
    def worked(self) -> bool:
        """Whether the second place was of use when last asked; not if it is just being asked."""
        return self._is_checked

    def newest(self) -> Signed | None:
        """The newest checkpoint, after ``make``."""
        return self._newest

    def verifier(self) -> VerifierKey:
        """By what the checkpoints are verified."""
        with self._database.reading() as connection:
            return VerifierKey.of(read_head(connection).origin, self._signing_key())

    def _write(self, head: Head) -> Signed | None:
        if not head.size:
            return None
        checkpoint = Checkpoint(head.origin, head.size, head.frontier.root)
        note = sign(checkpoint, self._signing_key()).encode()
        if self._settings.ledger_timestamp_url:
            name = f"{TIMESTAMP}:{head.size}"
            with self._database.writing() as connection:
                enqueue(connection, TIMESTAMP, {"size": head.size}, self._clock, dedupe=name)
        self._place.write(checkpoint_name(head.size), note)
        return Signed(checkpoint, note)

    def _read_newest(self, origin: str) -> Signed | None:
        known = self._newest
        behind = checkpoint_name(known.checkpoint.size) if known else ""
        names = [name for name in self._place.names(behind) if name.endswith(SUFFIX)]
        note = self._place.read(names[-1]) if names else None
        if note is None:
            return known
        try:
            return Signed(read_note(note, VerifierKey.of(origin, self._signing_key())), note)
        except InvalidNoteError as error:
            raise AlteredLedgerError(
                "the ledger's checkpoint {name} is not ours: {error}; nothing is signed until "
                'that is cleared up: see "Lost keys" in docs/ledger.md',
                name=names[-1],
                error=error,
            ) from None

    def _signing_key(self) -> Ed25519PrivateKey:
        if self._key is None:
            folder = self._settings.keys_folder
            self._key = key_to_sign(folder, self._place, self._database, self._clock)
        return self._key

    def _see_that_the_key_is_there(self) -> None:
        """It is in memory, but better missed now than at the next start."""
        if self._key is None:
            return
        folder = self._settings.keys_folder
        if public_bytes(signing_key(folder)) != public_bytes(self._key):
            raise StorageError(
                f"the ledger's key in {folder} was replaced by another one: put back the copy of "
                'it, see "Lost keys" in docs/ledger.md'
            )


def _check(connection: Connection, head: Head, signed: Checkpoint) -> None:
    """Raise ``AlteredLedgerError`` if the ledger is not a continuation of what was signed."""
    if signed.size > head.size:
        raise AlteredLedgerError(
            "the ledger has {size} entries, but a checkpoint over {signed} was signed: the "
            "database was rolled back or its end cut off; nothing is signed until that is "
            'cleared up: see "tutela ledger verify"',
            size=head.size,
            signed=signed.size,
        )
    proof = consistency_proof(signed.size, head.size, kept_hashes(connection))
    if not is_consistent(signed.root, signed.size, head.frontier.root, head.size, proof):
        raise AlteredLedgerError(
            "the ledger is not the one whose first {signed} entries were signed: it was "
            'rewritten; nothing is signed until that is cleared up: see "tutela ledger '
            'verify"',
            signed=signed.size,
        )
