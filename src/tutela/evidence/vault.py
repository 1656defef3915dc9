"""The vault: what is sealed in it, and how it is opened again.

Each content is encrypted under a data key of its own into a blob. Each item that has this content
holds that data key wrapped for itself alone, by a key that is kept elsewhere. So an item is
destroyed by erasing a few bytes of its row, and copies of database and blobs tell nothing to whom
does not have the key.

The blob is written first, the row that names it second: a crash leaves at most a blob that nobody
can open, which a sweep removes (``sweeping.py``).
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from tutela.errors import DamagedEvidenceError, NotFoundError, StorageError
from tutela.evidence.assigning import start_clock
from tutela.evidence.encrypting import AlteredError, decrypted, encrypted, new_data_key
from tutela.evidence.guarding import GUARD
from tutela.evidence.inspecting import is_whole
from tutela.evidence.key_registry import UnfitKeyError, check_keys, register
from tutela.evidence.keyring import Keyring
from tutela.evidence.model import (
    BlobState,
    Content,
    ContentChangedError,
    ItemId,
    Missed,
    Sealed,
    State,
    WrappedKey,
    WrongKeyError,
    wrapping_context,
)
from tutela.evidence.rules import NO_RULES, RuleBook, open_rule_book
from tutela.evidence.tables import blobs, evidence_items, vault_keys
from tutela.ledger.appending import append
from tutela.ledger.model import SYSTEM, Act, Actor
from tutela.storage.blobs.folder import BlobFolder
from tutela.storage.blobs.model import BlobId, BlobMissingError, BlobStore, new_blob_id
from tutela.storage.blobs.opening import open_blobs
from tutela.storage.clock import Clock
from tutela.storage.database import Database, insert_or_ignore
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.settings import Settings

_WRAPPINGS_TRIED = 5
# Far less than a blob without a row is left alone by the sweep.
_KEPT_WITHIN = timedelta(hours=6)


class StaleSealError(Exception):
    """What was sealed cannot be kept any more, so that it has to be sealed once more.

    Another one has sealed the same content first, or destroyed the one that was to be shared, or
    the key that wraps it is retired.

    Attributes:
        blobs: The blobs of all that can no longer be kept.
    """

    def __init__(self, blobs: frozenset[BlobId]) -> None:
        super().__init__(blobs)
        self.blobs = blobs


class Vault:
    """Seals contents and opens them. Safe to share between threads.

    Attributes:
        database: Knows what is sealed.
        store: Holds the blobs.
        keyring: Holds the keys that wrap.
        clock: The time.
        rules: How long what is sealed is kept.
    """

    def __init__(
        self,
        database: Database,
        store: BlobStore,
        keyring: Keyring,
        clock: Clock,
        rules: RuleBook = NO_RULES,
    ) -> None:
        self.database = database
        self.store = store
        self.keyring = keyring
        self.clock = clock
        self.rules = rules
        self._registered: set[str] = set()

    @classmethod
    def over(cls, settings: Settings, database: Database, clock: Clock) -> "Vault":
        """The vault of a house. It asks no key and no store yet.

        Raises:
            SettingsError: ``vault_key`` or ``blob_url`` cannot be understood, or there is no
                retention rule for ``jurisdiction``.
        """
        rules = open_rule_book(settings)
        return cls(database, open_blobs(settings), Keyring(settings), clock, rules)

    def seal(
        self, content: Content, case: str, item: ItemId, sha256: bytes | None = None
    ) -> Sealed:
        """Make a content durable in the vault, outside of any transaction. No row names it yet.

        A content that is there already is read and compared, but not stored again, unless what is
        there is damaged. Of one that is larger than ``READ_UP_TO``, only the length shows that.

        Args:
            content: The bytes.
            case: The case that it is for.
            item: The piece of evidence that it is to be.
            sha256: What its SHA-256 has to be. Without it, nobody looks whether it is there
                already; if it is, ``claim`` says so, and it can be sealed once more with it.

        Raises:
            ContentChangedError: It has another SHA-256, or is gone. Nothing of it is kept.
            StorageError: The blob store, the key provider or the database fails.
        """
        shared = None if sha256 is None else self._live(sha256)
        blob, data_key, size = (new_blob_id(), new_data_key(), 0) if shared is None else shared
        # First of all, since without it the blob would be written in vain.
        wrapped = self._wrap(data_key, blob, case, item)
        count = _Count(content(), sha256)
        if (
            sha256 is None
            or shared is None
            or not is_whole(self.store, blob, data_key, sha256, size)
        ):
            # One that is missing or damaged although its row is there is mended so.
            self.store.write(blob, encrypted(count, data_key, blob.encode()))
        else:
            count.exhaust()
        return Sealed(
            blob=blob,
            case=case,
            item=item,
            sha256=count.sha256,
            size=count.size,
            wrapped=wrapped,
            sealed_at=self.clock(),
            fresh=shared is None,
        )

    def seal_again(self, sealed: Sealed, case: str, item: ItemId) -> Sealed:
        """Seal for another item what has just been sealed for one, without reading it again.

        Raises:
            StorageError: The key provider fails.
        """
        data_key = self._unwrap(sealed.wrapped, sealed.blob, sealed.case, sealed.item)
        return Sealed(
            blob=sealed.blob,
            case=case,
            item=item,
            sha256=sealed.sha256,
            size=sealed.size,
            wrapped=self._wrap(data_key, sealed.blob, case, item),
            sealed_at=sealed.sealed_at,
            fresh=False,
        )

    def claim(self, connection: Connection, sealed: Sequence[Sealed]) -> None:
        """Take hold of blobs in the caller's transaction, before anything is said to the ledger.

        What was sealed fresh gets its row here. Nobody else may destroy or seal these contents,
        nor retire these keys, until the transaction ends.

        Raises:
            StaleSealError: Some of them can no longer be kept. The transaction has to be rolled
                back, and these sealed once more.
        """
        now = self.clock()
        stale: set[BlobId] = set()
        for key_id in sorted({each.wrapped.key_id for each in sealed}):
            in_use = select(vault_keys.c.id).where(
                vault_keys.c.id == key_id, vault_keys.c.retired_at.is_(None)
            )
            if connection.execute(in_use.with_for_update(read=True)).first() is None:
                # To be looked at once more before it wraps: it may have been put back by mistake.
                self._registered.discard(key_id)
                stale.update(each.blob for each in sealed if each.wrapped.key_id == key_id)
        # In one order everywhere, so that no two transactions wait for each other.
        for each in sorted(sealed, key=lambda one: (one.sha256, not one.fresh)):
            if now - each.sealed_at > _KEPT_WITHIN or not _claimed(connection, each):
                stale.add(each.blob)
        if stale:
            raise StaleSealError(frozenset(stale))

    def keep(self, connection: Connection, sealed: Sealed, actor: Actor = SYSTEM) -> None:
        """Give what was sealed and claimed its row, in the caller's transaction.

        The row of its case has to be there. From when the transaction commits, the evidence is
        kept.
        """
        connection.execute(
            insert(evidence_items).values(
                id=sealed.item,
                case_id=sealed.case,
                state=State.SEALED,
                sealed_at=sealed.sealed_at,
                reason="",
                blob_id=sealed.blob,
                wrapped_key=sealed.wrapped.ciphertext,
                key_id=sealed.wrapped.key_id,
            )
        )
        start_clock(connection, sealed.item, self.rules.current, actor, self.clock)
        if not isinstance(self.store, BlobFolder):
            # Its case may be held already, or its clock run from now on.
            enqueue(connection, GUARD, {"blob": sealed.blob}, self.clock)
        append(
            connection,
            actor,
            Act.EVIDENCE_SEALED,
            self.clock,
            case=sealed.case,
            item=sealed.item,
        )

    def keep_missed(self, connection: Connection, missed: Missed, actor: Actor = SYSTEM) -> None:
        """Say in the caller's transaction that there was evidence which could not be sealed."""
        connection.execute(
            insert(evidence_items).values(
                id=missed.item,
                case_id=missed.case,
                state=State.MISSED,
                sealed_at=self.clock(),
                reason=missed.reason[:200],
            )
        )
        append(
            connection,
            actor,
            Act.EVIDENCE_MISSED,
            self.clock,
            case=missed.case,
            item=missed.item,
        )

    def discard(self, sealed: Sealed) -> None:
        """Remove at once what was sealed fresh and is certainly not kept.

        Where that fails, the sweep does it later.
        """
        if sealed.fresh:
            with suppress(StorageError):
                self.store.delete(sealed.blob)

    def open(self, item: ItemId) -> Iterator[bytes]:
        """The bytes of a piece of evidence, in pieces.

        Each piece is authenticated. That the last one was the last, and that the whole has the
        length and SHA-256 it was sealed with, is known when this ends without an error.

        Raises:
            NotFoundError: There is no such evidence, or it was missed or destroyed.
            DamagedEvidenceError: The blob or the wrapped key is altered or missing.
            StorageError: The blob store, the key provider or the database fails.
        """
        row = self._row(item)
        data_key = self._unwrapped(row)
        count = _Count(self._decrypted(row, data_key))
        yield from count
        if (count.size, count.sha256) != (row.size, row.sha256):
            raise _damaged(item, f"its blob {row.blob_id} is not the one that its row tells of")

    def data_key(self, item: ItemId) -> bytes:
        """The key that a piece of evidence is encrypted with.

        Raises:
            NotFoundError, DamagedEvidenceError, StorageError: As ``open``.
        """
        return self._unwrapped(self._row(item))

    def check(self) -> str:
        """Whether something could be sealed now; gives a few words for people.

        Raises:
            StorageError: The blob store, the key provider or the database fails, or the key file
                is not the one that wrapped last.
        """
        keys = self.keyring.check()
        check_keys(self.keyring, self.database)
        return f"{keys}, {self.store.check()}"

    def rewrapped(self, wrapped: WrappedKey, blob: str, case: str, item: str) -> WrappedKey:
        """An item's data key, wrapped by the newest key.

        Raises:
            WrongKeyError: It does not open.
            StorageError: The key provider fails.
        """
        return self._wrap(self._unwrap(wrapped, blob, case, item), blob, case, item)

    def _wrap(self, data_key: bytes, blob: str, case: str, item: str) -> WrappedKey:
        for left in reversed(range(_WRAPPINGS_TRIED)):
            wrapped = self.keyring.wrap(data_key, wrapping_context(blob, case, item))
            if wrapped.key_id in self._registered:
                break
            try:
                register(self.database, self.keyring, wrapped.key_id, self.clock)
            except UnfitKeyError:
                # A rotation may have retired it since it was read.
                if not left:
                    raise
            else:
                self._registered.add(wrapped.key_id)
                break
        return wrapped

    def _unwrap(self, wrapped: WrappedKey, blob: str, case: str, item: str) -> bytes:
        return self.keyring.unwrap(wrapped, wrapping_context(blob, case, item))

    def newest_key(self) -> str:
        """The id of the key that wraps from now on, in every process.

        Raises:
            StorageError: The key provider or the database fails.
        """
        return self._wrap(b"?", "-", "-", "-").key_id

    def _row(self, item: ItemId) -> Row[Any]:
        with self.database.reading() as connection:
            row = connection.execute(
                select(evidence_items, blobs.c.sha256, blobs.c.size)
                .join_from(evidence_items, blobs, isouter=True)
                .where(evidence_items.c.id == item)
            ).one_or_none()
        if row is None:
            raise NotFoundError(f'there is no evidence {item}: see "tutela evidence ls"')
        if row.state != State.SEALED or row.wrapped_key is None:
            raise NotFoundError(f"the evidence {item} cannot be opened: it is {row.state}")
        return row

    def _unwrapped(self, row: Row[Any]) -> bytes:
        wrapped = WrappedKey(row.key_id, row.wrapped_key)
        try:
            return self._unwrap(wrapped, row.blob_id, row.case_id, row.id)
        except WrongKeyError:
            raise _damaged(row.id, "its key does not open: its row is altered") from None

    def _decrypted(self, row: Row[Any], data_key: bytes) -> Iterator[bytes]:
        blob = BlobId(row.blob_id)
        try:
            yield from decrypted(self.store.read(blob), data_key, blob.encode())
        except BlobMissingError:
            raise _damaged(row.id, f"its blob {blob} is missing") from None
        except AlteredError:
            raise _damaged(row.id, f"its blob {blob} is not as it was sealed") from None
        except WrongKeyError:
            raise _damaged(row.id, "its key is not one: its row is altered") from None

    def _live(self, sha256: bytes) -> tuple[BlobId, bytes, int] | None:
        """The blob of a content that is there already, its data key, and the content's size."""
        with self.database.reading() as connection:
            row = connection.execute(
                select(evidence_items, blobs.c.size)
                .join_from(evidence_items, blobs)
                .where(
                    blobs.c.sha256 == sha256,
                    blobs.c.state == BlobState.LIVE,
                    evidence_items.c.wrapped_key.is_not(None),
                )
                .limit(1)
            ).one_or_none()
        if row is None:
            return None
        wrapped = WrappedKey(row.key_id, row.wrapped_key)
        data_key = self._unwrap(wrapped, row.blob_id, row.case_id, row.id)
        return BlobId(row.blob_id), data_key, row.size


class _Count:
    """Counts and hashes what passes, and sees that it is what it has to be."""

    def __init__(self, chunks: Iterable[bytes], expected: bytes | None = None) -> None:
        self._chunks = chunks
        self._expected = expected
        self._hash = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._hash.update(chunk)
            self.size += len(chunk)
            yield chunk
        if self._expected is not None and self.sha256 != self._expected:
            raise ContentChangedError("it changed after it had matched")

    def exhaust(self) -> None:
        for _ in self:
            pass

    @property
    def sha256(self) -> bytes:
        return self._hash.digest()


def _claimed(connection: Connection, sealed: Sealed) -> bool:
    if sealed.fresh:
        added = connection.execute(
            insert_or_ignore(connection, blobs)
            .values(
                id=sealed.blob,
                sha256=sealed.sha256,
                size=sealed.size,
                state=BlobState.LIVE,
                sealed_at=sealed.sealed_at,
            )
            .returning(blobs.c.id)
        )
        return added.first() is not None
    live = select(blobs.c.id).where(blobs.c.id == sealed.blob, blobs.c.state == BlobState.LIVE)
    return connection.execute(live.with_for_update()).first() is not None


def _damaged(item: str, detail: str) -> DamagedEvidenceError:
    return DamagedEvidenceError(
        f"the evidence {item} is damaged ({detail}): "
        "stop whatever may do such damage, and restore blob and database from a backup"
    )
