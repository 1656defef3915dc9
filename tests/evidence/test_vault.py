"""What is sealed comes back as it was, for its own item and for no other."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from tink.proto import tink_pb2

from tests.evidence.sealing import AT_LENGTH, blob_files, opened, sealed_item
from tutela.errors import DamagedEvidenceError, NotFoundError, StorageError
from tutela.evidence.inspecting import READ_UP_TO
from tutela.evidence.model import ContentChangedError, ItemId, new_item_id
from tutela.evidence.reading import find_evidence
from tutela.evidence.shredding import shred
from tutela.evidence.tables import blobs, evidence_items
from tutela.evidence.vault import StaleSealError, Vault
from tutela.storage.database import Database
from tutela.storage.settings import Settings

CONTENT = bytes(range(256)) * 40


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


@examples(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.binary(max_size=3000), max_size=8))
def test_any_chunks_come_back(vault: Vault, new_case, chunks: list[bytes]) -> None:
    item, case = new_item_id(), new_case()
    sealed = vault.seal(lambda: chunks, case, item)
    with vault.database.writing() as connection:
        try:
            vault.claim(connection, [sealed])
        except StaleSealError:
            return
        vault.keep(connection, sealed)
    assert b"".join(vault.open(item)) == b"".join(chunks)


def test_what_is_known_of_it_is_told(vault: Vault, new_case, clock) -> None:
    case = new_case()
    item = sealed_item(vault, case, CONTENT)
    with vault.database.reading() as connection:
        evidence = find_evidence(connection, item)
    assert (evidence.case, evidence.state, evidence.sealed_at) == (case, "sealed", clock())
    assert (evidence.size, evidence.sha256) == (len(CONTENT), sha256(CONTENT))


def test_equal_contents_are_stored_once_and_each_item_has_its_own_key(
    vault: Vault, settings: Settings, new_case
) -> None:
    items = [sealed_item(vault, new_case(), CONTENT) for _ in range(3)]
    assert len(blob_files(settings)) == 1
    assert [opened(vault, item) for item in items] == [CONTENT] * 3
    with vault.database.reading() as connection:
        wrapped = connection.execute(select(evidence_items.c.wrapped_key)).scalars().all()
    assert len(set(wrapped)) == 3


def test_what_is_there_already_is_read_and_compared_all_the_same(vault: Vault, new_case) -> None:
    sealed_item(vault, new_case(), CONTENT)
    with pytest.raises(ContentChangedError, match="changed"):
        vault.seal(lambda: [b"other"], new_case(), new_item_id(), sha256(CONTENT))


def test_what_changed_leaves_nothing(vault: Vault, settings: Settings, new_case) -> None:
    with pytest.raises(ContentChangedError, match="changed"):
        vault.seal(lambda: [b"other"], new_case(), new_item_id(), sha256(CONTENT))
    assert blob_files(settings) == []


def test_what_is_gone_leaves_nothing(vault: Vault, settings: Settings, new_case) -> None:
    def going() -> Iterator[bytes]:
        yield CONTENT
        raise ContentChangedError("it is no longer there")

    with pytest.raises(ContentChangedError, match="no longer there"):
        vault.seal(going, new_case(), new_item_id(), sha256(CONTENT))
    assert blob_files(settings) == []


def test_a_blob_that_is_missing_is_mended_when_its_content_comes_again(
    vault: Vault, settings: Settings, new_case
) -> None:
    first = sealed_item(vault, new_case(), CONTENT)
    (blob,) = blob_files(settings)
    blob.unlink()
    with pytest.raises(DamagedEvidenceError, match="is missing"):
        opened(vault, first)
    second = sealed_item(vault, new_case(), CONTENT)
    assert opened(vault, first) == opened(vault, second) == CONTENT
    assert blob_files(settings) == [blob]


def test_each_flipped_bit_of_a_blob_is_found(vault: Vault, settings: Settings, new_case) -> None:
    item = sealed_item(vault, new_case(), CONTENT[:300])
    (blob,) = blob_files(settings)
    sound = blob.read_bytes()
    for place in range(0, len(sound) * 8, 1 if AT_LENGTH else 11):
        altered = bytearray(sound)
        altered[place // 8] ^= 1 << place % 8
        blob.write_bytes(altered)
        with pytest.raises(DamagedEvidenceError, match=f"{item} is damaged .*not as it was sealed"):
            opened(vault, item)
    blob.write_bytes(sound)
    assert opened(vault, item) == CONTENT[:300]


def test_exchanged_and_emptied_blobs_are_found(vault: Vault, settings: Settings, new_case) -> None:
    items = [sealed_item(vault, new_case(), content) for content in (b"one", b"two")]
    first, second = blob_files(settings)
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    for item in items:
        with pytest.raises(DamagedEvidenceError, match=item):
            opened(vault, item)
    for blob in (first, second):
        blob.write_bytes(b"")
    for item in items:
        with pytest.raises(DamagedEvidenceError, match=item):
            opened(vault, item)


def test_a_wrapped_key_that_is_copied_to_another_row_does_not_open(vault: Vault, new_case) -> None:
    case = new_case()
    first, second = (sealed_item(vault, case, CONTENT) for _ in range(2))
    with vault.database.writing() as connection:
        copied = connection.execute(
            select(evidence_items.c.wrapped_key).where(evidence_items.c.id == first)
        ).scalar_one()
        connection.execute(
            update(evidence_items).where(evidence_items.c.id == second).values(wrapped_key=copied)
        )
    assert opened(vault, first) == CONTENT
    with pytest.raises(DamagedEvidenceError, match=f"{second} is damaged .*key does not open"):
        opened(vault, second)


@pytest.mark.parametrize("column", ["case_id", "blob_id"])
def test_a_row_that_is_moved_to_another_case_or_blob_does_not_open(
    vault: Vault, new_case, column: str
) -> None:
    item = sealed_item(vault, new_case(), CONTENT)
    other = sealed_item(vault, new_case(), b"other")
    with vault.database.writing() as connection:
        value = connection.execute(
            select(evidence_items.c[column]).where(evidence_items.c.id == other)
        ).scalar_one()
        connection.execute(
            update(evidence_items).where(evidence_items.c.id == item).values({column: value})
        )
    with pytest.raises(DamagedEvidenceError, match=item):
        opened(vault, item)


@pytest.mark.parametrize("column", ["size", "sha256"])
def test_a_row_that_tells_of_another_content_is_found(vault: Vault, new_case, column: str) -> None:
    item = sealed_item(vault, new_case(), CONTENT)
    wrong = {"size": 5, "sha256": sha256(b"other")}[column]
    with vault.database.writing() as connection:
        connection.execute(update(blobs).values({column: wrong}))
    with pytest.raises(DamagedEvidenceError, match="not the one that its row tells of"):
        opened(vault, item)


def test_what_there_is_not_is_said(vault: Vault, new_case, clock) -> None:
    with pytest.raises(NotFoundError, match="there is no evidence"):
        opened(vault, new_item_id())
    item = sealed_item(vault, new_case(), CONTENT)
    with vault.database.writing() as connection:
        shred(connection, item, clock)
    with pytest.raises(NotFoundError, match="it is destroyed"):
        opened(vault, item)


def test_what_was_sealed_is_not_kept_if_its_transaction_fails(
    vault: Vault, database: Database, new_case
) -> None:
    sealed = vault.seal(lambda: [CONTENT], new_case(), new_item_id())
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        vault.claim(connection, [sealed])
        vault.keep(connection, sealed)
        _ = 1 / 0
    with database.reading() as connection:
        for table in (blobs, evidence_items):
            count = select(func.count()).select_from(table)
            assert connection.execute(count).scalar_one() == 0


def test_what_was_sealed_long_ago_is_not_kept(vault: Vault, database, new_case, clock) -> None:
    sealed = vault.seal(lambda: [CONTENT], new_case(), new_item_id())
    clock.turn(hours=7)
    with pytest.raises(StaleSealError), database.writing() as connection:
        vault.claim(connection, [sealed])


def test_the_same_content_can_be_sealed_for_another_item_without_it(
    vault: Vault, database: Database, settings: Settings, new_case
) -> None:
    first = vault.seal(lambda: [CONTENT], new_case(), new_item_id())
    second = vault.seal_again(first, new_case(), new_item_id())
    with database.writing() as connection:
        vault.claim(connection, [second, first])
        for each in (second, first):
            vault.keep(connection, each)
    assert opened(vault, first.item) == opened(vault, second.item) == CONTENT
    assert len(blob_files(settings)) == 1


def test_neither_the_content_nor_its_key_is_in_the_data_folder_in_the_clear(
    vault: Vault, settings: Settings, database: Database, new_case
) -> None:
    content = random.Random(4).randbytes(3 << 20)
    item = sealed_item(vault, new_case(), content)
    data_key = vault.data_key(item)
    database.close()
    secret = [content[place : place + 32] for place in (0, 1 << 20, len(content) - 32)]
    (key,) = tink_pb2.Keyset.FromString(data_key).key
    secret += [key.key_data.value[-32:], key.key_data.value[-32:].hex().encode()]
    for path in settings.data.rglob("*"):
        if path.is_file():
            kept = path.read_bytes()
            assert not any(each in kept for each in secret), path
    assert not any(each in _key_file(settings) for each in secret)


def _key_file(settings: Settings) -> bytes:
    return (settings.keys_folder / "vault.key").read_bytes()


HARMS = {
    "emptied": lambda whole: b"",
    "cut": lambda whole: whole[:-1],
    "longer": lambda whole: whole + b"?",
    "altered": lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
}


@pytest.mark.parametrize("harm", HARMS)
def test_evidence_that_would_share_a_damaged_blob_mends_it(
    vault: Vault, settings: Settings, new_case, harm: str
) -> None:
    first = sealed_item(vault, new_case(), CONTENT)
    (blob,) = blob_files(settings)
    blob.write_bytes(HARMS[harm](blob.read_bytes()))
    second = sealed_item(vault, new_case(), CONTENT)
    assert opened(vault, first) == opened(vault, second) == CONTENT
    assert blob_files(settings) == [blob]


def test_a_large_blob_that_is_too_short_is_mended_as_well(
    vault: Vault, settings: Settings, new_case
) -> None:
    content = bytes(READ_UP_TO + 1)
    first = sealed_item(vault, new_case(), content)
    (blob,) = blob_files(settings)
    written = blob.stat().st_mtime_ns
    sealed_item(vault, new_case(), content)
    assert blob.stat().st_mtime_ns == written
    blob.write_bytes(blob.read_bytes()[:-1])
    second = sealed_item(vault, new_case(), content)
    assert opened(vault, first) == opened(vault, second) == content


def test_a_vault_that_works_says_so(vault: Vault) -> None:
    assert vault.check() == "keys in a file, blobs in a folder"


def test_without_its_key_nothing_is_sealed_and_nothing_is_left(
    vault: Vault, settings: Settings, new_case
) -> None:
    item = sealed_item(vault, new_case(), CONTENT)
    key = settings.keys_folder / "vault.key"
    away = key.rename(key.with_suffix(".away"))
    before = blob_files(settings)
    for use in (
        lambda: vault.seal(lambda: [b"other"], new_case(), new_item_id()),
        lambda: opened(vault, item),
        vault.check,
    ):
        with pytest.raises(StorageError, match=f"{key} is missing: put back the copy"):
            use()
    assert blob_files(settings) == before
    assert not key.exists()
    away.rename(key)
    assert opened(vault, item) == CONTENT


def test_ids_are_random_and_are_letters_and_digits() -> None:
    ids = {new_item_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(each) == 26 and ItemId(each).islower() and each.isalnum() for each in ids)


def test_the_vault_folder_is_where_the_settings_say(vault: Vault, settings, new_case) -> None:
    sealed_item(vault, new_case(), CONTENT)
    (blob,) = blob_files(settings)
    assert blob.is_relative_to(Path(settings.data) / "vault")
