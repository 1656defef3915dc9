"""A case and its evidence are there together, or neither is."""

import hashlib
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from tests.actors import actor_called
from tests.evidence.sealing import blob_files, opened
from tutela.cases.adding import Opening
from tutela.cases.model import Item
from tutela.cases.reading import find_case
from tutela.cases.sealing import open_cases
from tutela.cases.tables import cases
from tutela.errors import StorageError
from tutela.evidence.key_registry import UnfitKeyError, prepare_keys
from tutela.evidence.model import Content, ContentChangedError
from tutela.evidence.rotating import rotate_key
from tutela.evidence.tables import blobs, evidence_items
from tutela.evidence.vault import Vault
from tutela.fingerprints.model import FingerprintSet
from tutela.ledger.tables import ledger_entries
from tutela.storage.database import Database
from tutela.storage.settings import Settings


@pytest.fixture
def vault(settings: Settings, database: Database, clock) -> Vault:
    opened_vault = Vault.over(settings, database, clock)
    prepare_keys(opened_vault.keyring, database, tell=lambda _: None)
    return opened_vault


def opening(content: bytes, request: str | None = None, given: Content | None = None) -> Opening:
    known = FingerprintSet(size=len(content), sha256=hashlib.sha256(content).digest())
    return Opening(Item("p", "scan", known), (), request, given or (lambda: [content]))


def rows(database: Database) -> tuple[int, ...]:
    with database.reading() as connection:
        return tuple(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (cases, evidence_items, blobs)
        )


def contents(vault: Vault, numbers: list) -> list[bytes]:
    with vault.database.reading() as connection:
        found = [find_case(connection, number) for number in numbers]
    return [opened(vault, case.evidence[0].id) for case in found]


def test_each_case_has_its_evidence(vault: Vault, database: Database, clock) -> None:
    several = [b"one", b"two", b"one", b""]
    numbers = open_cases(vault, [opening(each) for each in several], clock)
    assert len(set(numbers)) == 4
    assert contents(vault, numbers) == several
    assert rows(database) == (4, 4, 3)


def test_the_ledger_knows_each_piece_of_evidence(vault: Vault, database, clock) -> None:
    (number,) = open_cases(vault, [opening(b"one")], clock)
    with database.reading() as connection:
        (evidence,) = find_case(connection, number).evidence
        entries = connection.execute(
            select(ledger_entries.c.act, ledger_entries.c.item).where(
                ledger_entries.c.case_id == number, ledger_entries.c.item.is_not(None)
            )
        ).all()
    assert [tuple(entry) for entry in entries] == [("evidence.sealed", evidence.id)]


def test_without_content_there_is_a_case_and_no_evidence(vault: Vault, database, clock) -> None:
    numbers = set()
    for _ in range(2):
        bare = Opening(Item("p", "scan", FingerprintSet(md5=bytes(16))), (), "r")
        numbers.update(open_cases(vault, [bare], clock))
    assert len(numbers) == 1
    assert rows(database) == (1, 0, 0)


def test_the_same_request_again_seals_nothing(vault: Vault, settings, database, clock) -> None:
    read = []

    def counted() -> list[bytes]:
        read.append(1)
        return [b"one"]

    numbers = {open_cases(vault, [opening(b"one", "r", counted)], clock)[0] for _ in range(3)}
    assert len(numbers) == 1
    assert read == [1]
    assert len(blob_files(settings)) == 1


def test_the_same_request_many_times_at_once_is_kept_once(
    vault: Vault, settings: Settings, database: Database, clock
) -> None:
    numbers: list = []

    def send(content: bytes) -> None:
        several = [opening(content + each, f"r{each!r}") for each in (b"1", b"2")]
        numbers.append(tuple(open_cases(vault, several, clock)))

    threads = [threading.Thread(target=send, args=(b"x",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 6
    assert len(set(numbers)) == 1
    assert rows(database) == (2, 2, 2)
    # Those that were sealed in vain are gone at once.
    assert len(blob_files(settings)) == 2


def test_a_request_that_comes_twice_in_one_call_has_one_case(vault: Vault, database, clock) -> None:
    first, second = open_cases(vault, [opening(b"one", "r"), opening(b"one", "r")], clock)
    assert first == second
    assert rows(database) == (1, 1, 1)


def test_what_changed_or_went_has_a_case_that_says_so(
    vault: Vault, settings: Settings, database: Database, clock
) -> None:
    def gone() -> Iterator[bytes]:
        yield b"o"
        raise ContentChangedError("it is no longer there")

    several = [
        opening(b"one", given=lambda: [b"another"]),
        opening(b"two", given=gone),
        opening(b"three"),
    ]
    numbers = open_cases(vault, several, clock)
    with database.reading() as connection:
        found = [find_case(connection, number).evidence[0] for number in numbers]
    assert [each.state for each in found] == ["missed", "missed", "sealed"]
    assert [each.reason for each in found] == [
        "it changed after it had matched",
        "it is no longer there",
        "",
    ]
    assert len(blob_files(settings)) == 1


def test_of_equal_files_one_that_changed_does_not_spoil_the_others(vault: Vault, clock) -> None:
    several = [opening(b"one", given=lambda: [b"another"]), opening(b"one"), opening(b"one")]
    numbers = open_cases(vault, several, clock)
    assert contents(vault, numbers[1:]) == [b"one", b"one"]


def test_if_one_cannot_be_sealed_no_case_is_opened_and_nothing_is_left(
    vault: Vault, settings: Settings, database: Database, clock
) -> None:
    def failing() -> Iterator[bytes]:
        raise StorageError("too many files are open")
        yield b""

    several = [opening(bytes([number])) for number in range(5)]
    with pytest.raises(StorageError, match="too many files"):
        open_cases(vault, [*several, opening(b"x", given=failing)], clock)
    assert rows(database) == (0, 0, 0)
    assert blob_files(settings) == []


def test_a_lost_key_opens_no_case_and_leaves_nothing(
    vault: Vault, settings: Settings, database: Database, clock
) -> None:
    (settings.keys_folder / "vault.key").unlink()
    with pytest.raises(StorageError, match="put back the copy"):
        open_cases(vault, [opening(b"one")], clock)
    assert rows(database) == (0, 0, 0)
    assert blob_files(settings) == []


def test_a_large_batch_for_which_others_were_quicker_is_sealed_nevertheless(
    vault: Vault, settings: Settings, database: Database, clock
) -> None:
    several = [b"%d" % number for number in range(30)]
    quicker = iter([lambda: open_cases(vault, [opening(each) for each in several], clock)])

    def last() -> list[bytes]:
        # The last to be begun, when others have been sealed.
        for others_seal in quicker:
            others_seal()
        return [b"last"]

    unknown = Item("p", "scan", FingerprintSet(sha256=hashlib.sha256(b"last").digest()))
    batch = [opening(each) for each in several]
    batch.append(Opening(unknown, (), None, last))
    numbers = open_cases(vault, batch, clock)
    assert contents(vault, numbers) == [*several, b"last"]
    assert len(blob_files(settings)) == 31


def test_a_large_batch_is_sealed_though_its_key_was_retired_meanwhile(
    vault: Vault, settings: Settings, database: Database, clock
) -> None:
    several = [b"%d" % number for number in range(30)]
    other = Vault.over(settings, database, clock)
    rotations = iter([lambda: rotate_key(other, actor_called("test"), tell=lambda _: None)])

    def last() -> list[bytes]:
        for rotate in rotations:
            rotate()
        return [b"last"]

    batch = [*(opening(each) for each in several), opening(b"last", given=last)]
    numbers = open_cases(vault, batch, clock)
    assert contents(vault, numbers) == [*several, b"last"]
    assert len(blob_files(settings)) == 31


def test_a_retired_key_that_was_put_back_is_named_and_leaves_nothing(
    vault: Vault, settings: Settings, database: Database, clock
) -> None:
    key = settings.keys_folder / "vault.key"
    open_cases(vault, [opening(b"one")], clock)
    old = key.read_bytes()
    rotate_key(Vault.over(settings, database, clock), actor_called("test"), tell=lambda _: None)
    assert vault.check()
    new = key.read_bytes()
    key.write_bytes(old)
    with pytest.raises(UnfitKeyError, match=r"[Pp]ut back"):
        vault.check()
    with pytest.raises(StorageError, match=r"[Pp]ut back"):
        open_cases(vault, [opening(b"two")], clock)
    assert len(blob_files(settings)) == 1
    key.write_bytes(new)
    assert vault.check()
