"""A backup is of one moment, whatever goes on meanwhile, and leaves the house as it was."""

import resource
import threading
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from tests.backup.house import ACTOR, House, content_of, everything
from tests.backup.processes import in_another_process
from tutela.backup.model import Lack
from tutela.backup.proving import prove
from tutela.backup.restoring import restore_backup
from tutela.cases.tables import case_items, case_matches, cases
from tutela.errors import NotFoundError
from tutela.evidence.model import BlobState, State
from tutela.evidence.shredding import shred
from tutela.evidence.tables import blobs, evidence_items
from tutela.evidence.tombstones import check_tombstone
from tutela.evidence.vault import Vault
from tutela.ledger.model import Act
from tutela.ledger.reading import newest_entries


def test_that_a_backup_was_made_is_in_the_ledger_with_the_head_that_it_holds(
    house: House, tmp_path: Path
) -> None:
    made = house.back_up(tmp_path)
    with house.database.reading() as connection:
        (entry,) = newest_entries(connection, 1)
    assert entry.act == Act.BACKUP_MADE
    assert entry.number == made.checked.contents.ledger.size
    assert entry.thing == made.checked.contents.ledger_name
    assert entry.thing.startswith(f"backup:{made.checked.contents.id}@{entry.number}:")


def test_four_threads_that_open_cases_meanwhile_leave_every_case_whole(
    house: House, sqlite_vault: Vault, tmp_path: Path
) -> None:
    acknowledged: list[str] = []
    stop, begun = threading.Event(), threading.Barrier(5)

    def keep_opening(thread: int) -> None:
        begun.wait()
        number = 0
        while not stop.is_set():
            number += 1
            content = content_of(1000 * thread + number, 2_000)
            acknowledged.append(house.add_case(content, f"{thread}-{number}.png")[0])

    threads = [threading.Thread(target=keep_opening, args=(each,)) for each in range(1, 5)]
    for thread in threads:
        thread.start()
    begun.wait()
    while len(acknowledged) < 8:
        stop.wait(0.01)
    before = list(acknowledged)
    # Slowly, so that much happens between its tables and between its blobs.
    made = house.back_up(tmp_path, tell=lambda _: stop.wait(0.01) and None)
    during = len(acknowledged) - len(before)
    stop.set()
    for thread in threads:
        thread.join()
    assert during > 4
    assert made.missing == ()

    restored = restore_backup(sqlite_vault, made.path, ACTOR)
    assert (
        prove(sqlite_vault, house.settings_of(sqlite_vault), restored.contents, ACTOR).wrong == ()
    )
    with sqlite_vault.database.reading() as connection:
        found = set(connection.execute(select(cases.c.id)).scalars())
        items = list(connection.execute(select(case_items.c.case_id)).scalars())
        sealed = list(connection.execute(select(evidence_items.c.case_id)).scalars())
        matches = connection.execute(select(case_matches.c.id)).all()
    assert set(before) <= found
    assert sorted(items) == sorted(sealed) == sorted(found)
    assert len(matches) == len(found)


def test_evidence_destroyed_meanwhile_is_no_failure_and_stays_destroyed(
    house: House, sqlite_vault: Vault, tmp_path: Path
) -> None:
    _, item = house.add_case(content_of(77), "to be destroyed.png")
    with house.database.reading() as connection:
        blob = connection.execute(
            select(evidence_items.c.blob_id).where(evidence_items.c.id == item)
        ).scalar_one()
    done = threading.Event()

    def destroy(progress) -> None:
        if not done.is_set() and progress.rows == progress.rows_total > 0:
            with house.database.writing() as connection:
                connection.execute(
                    update(evidence_items)
                    .where(evidence_items.c.id == item)
                    .values(state=State.DESTROYED, wrapped_key=None, key_id=None)
                )
                connection.execute(
                    update(blobs).where(blobs.c.id == blob).values(state=BlobState.DOOMED)
                )
            house.vault.store.delete(blob)
            done.set()

    made = house.back_up(tmp_path, tell=destroy)
    assert done.is_set()
    assert made.missing == ()
    assert [(each.id, each.lack) for each in made.checked.lacking] == [(blob, Lack.DESTROYED)]

    restored = restore_backup(sqlite_vault, made.path, ACTOR)
    assert restored.destroyed == (item,)
    assert (
        prove(sqlite_vault, house.settings_of(sqlite_vault), restored.contents, ACTOR).wrong == ()
    )
    with sqlite_vault.database.reading() as connection:
        row = connection.execute(select(evidence_items).where(evidence_items.c.id == item)).one()
        acts = [(entry.act, entry.item) for entry in newest_entries(connection, 3)[1:]]
    assert (row.state, row.wrapped_key) == (State.DESTROYED, None)
    assert acts == [(Act.BACKUP_RESTORED, None), (Act.EVIDENCE_DESTROYED, item)]


def test_evidence_destroyed_after_its_blob_was_copied_stays_destroyed(
    house: House, sqlite_vault: Vault, tmp_path: Path
) -> None:
    _, alone = house.add_case(content_of(77), "alone.png")
    _, shared = house.add_case(content_of(78), "shared.png")
    _, kept = house.add_case(content_of(78), "kept.png")
    done: list[str] = []

    def destroy(progress) -> None:
        if not done and progress.blobs_total and progress.blobs == progress.blobs_total - 1:
            done.append("")
            for item in (alone, shared):
                with house.database.writing() as connection:
                    shred(connection, item, house.clock)

    made = house.back_up(tmp_path, tell=destroy)
    assert done
    restored = restore_backup(sqlite_vault, made.path, ACTOR)
    assert sorted(restored.destroyed) == sorted([alone, shared])
    assert b"".join(sqlite_vault.open(kept)) == content_of(78)
    for item in (alone, shared):
        with pytest.raises(NotFoundError, match="destroyed"):
            b"".join(sqlite_vault.open(item))
        with sqlite_vault.database.reading() as connection:
            assert check_tombstone(connection, item) is None
    assert len(list(sqlite_vault.store.list())) == restored.blobs - 1
    assert (
        prove(sqlite_vault, house.settings_of(sqlite_vault), restored.contents, ACTOR).wrong == ()
    )


def test_a_blob_that_is_missing_is_named_by_backup_and_proof(
    sqlite_house: House, empty_vault: Vault, tmp_path: Path
) -> None:
    lost = sorted(each.id for each in sqlite_house.vault.store.list())[1]
    sqlite_house.vault.store.delete(lost)
    made = sqlite_house.back_up(tmp_path)
    assert made.missing == (lost,)
    restored = restore_backup(empty_vault, made.path, ACTOR)
    (wrong,) = prove(
        empty_vault, sqlite_house.settings_of(empty_vault), restored.contents, ACTOR
    ).wrong
    assert lost in wrong


def test_without_blobs_the_rows_are_restored_and_the_proof_looks_into_the_store_at_hand(
    sqlite_house: House, sqlite_vault: Vault, tmp_path: Path
) -> None:
    made = sqlite_house.back_up(tmp_path, with_blobs=False)
    assert made.checked.contents.blobs is None
    assert made.missing == ()
    store = sqlite_house.vault.store
    # As a bucket would be there still.
    for each in store.list():
        sqlite_vault.store.write(each.id, store.read(each.id))
    restored = restore_backup(sqlite_vault, made.path, ACTOR)
    assert restored.blobs == 0
    proof = prove(sqlite_vault, sqlite_house.settings_of(sqlite_vault), restored.contents, ACTOR)
    assert (proof.items, proof.wrong) == (3, ())


def test_a_disk_that_is_full_gives_a_clear_error_and_the_house_is_unharmed(
    sqlite_house: House, tmp_path: Path
) -> None:
    before = everything(sqlite_house.database)

    def back_up() -> str:
        sqlite_house.reopen()
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        sqlite_house.back_up(tmp_path / "too-large.backup")
        return "made"

    # Small enough to be refused while the file is being written.
    answer = in_another_process(back_up)
    assert answer.startswith("StorageError: the backup ")
    assert "too-large.backup cannot be written (File too large)" in answer
    assert "check free space" in answer
    assert not list(tmp_path.glob("*too-large*"))
    assert everything(sqlite_house.database) == before


def test_a_table_of_another_program_is_neither_backed_up_nor_touched(
    sqlite_house: House, empty_vault: Vault, tmp_path: Path
) -> None:
    for database in (sqlite_house.database, empty_vault.database):
        with database.writing() as connection:
            connection.execute(text("CREATE TABLE letters (id INTEGER, words VARCHAR(20))"))
            connection.execute(text("INSERT INTO letters VALUES (1, 'kept')"))
    made = sqlite_house.back_up(tmp_path)
    assert "letters" not in made.checked.contents.rows
    restore_backup(empty_vault, made.path, ACTOR)
    with empty_vault.database.reading() as connection:
        assert connection.execute(text("SELECT words FROM letters")).scalars().all() == ["kept"]
