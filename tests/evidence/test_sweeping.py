"""What no evidence needs is removed in time, and nothing else ever is."""

import os
import threading
import time

import pytest
from sqlalchemy import select

from tests.evidence.sealing import AT_LENGTH, blob_files, opened, sealed_item
from tutela.errors import DamagedEvidenceError
from tutela.evidence.model import new_item_id
from tutela.evidence.shredding import shred
from tutela.evidence.sweeping import SWEEP, Swept, sweep
from tutela.evidence.tables import blobs
from tutela.evidence.vault import StaleSealError, Vault
from tutela.storage.database import Database
from tutela.storage.settings import Settings
from tutela.work import all_kinds


@pytest.fixture(autouse=True)
def _the_clock_is_the_files(clock) -> None:
    """Files know the machine's time alone."""
    clock.now = clock.now.fromtimestamp(time.time(), tz=clock.now.tzinfo)


def test_a_blob_without_a_row_is_removed_after_a_day(
    vault: Vault, settings: Settings, new_case, clock
) -> None:
    kept = sealed_item(vault, new_case(), b"kept")
    vault.seal(lambda: [b"never kept"], new_case(), new_item_id())
    (settings.data / "vault" / "incoming" / "left").write_bytes(b"half")
    assert sweep(vault) == Swept(0, 0)
    clock.turn(hours=23)
    assert sweep(vault) == Swept(0, 0)
    assert len(blob_files(settings)) == 3
    clock.turn(hours=2)
    assert sweep(vault) == Swept(1, 1)
    assert len(blob_files(settings)) == 1
    assert opened(vault, kept) == b"kept"
    assert sweep(vault) == Swept(0, 0)


def test_a_new_database_beside_the_blobs_of_another_removes_none_of_them(
    vault: Vault, settings: Settings, new_case, clock
) -> None:
    before, stray = "a" * 26, "b" * 26
    vault.store.write(before, [b"of the house before"])
    clock.turn(days=2)
    assert sweep(vault) == Swept(0, 0)
    kept = sealed_item(vault, new_case(), b"of this one")
    clock.turn(days=2)
    assert sweep(vault) == Swept(0, 0)
    assert vault.store.find(before)
    assert opened(vault, kept) == b"of this one"
    # What is younger and has no row was sealed by this one, and is removed as ever.
    vault.store.write(stray, [b"never kept"])
    path = next(path for path in blob_files(settings) if path.name == stray)
    os.utime(path, (clock.now.timestamp(), clock.now.timestamp()))
    clock.turn(days=2)
    assert sweep(vault) == Swept(1, 0)
    assert vault.store.find(before)


def test_what_has_another_name_than_a_blob_is_left_alone(
    vault: Vault, settings: Settings, new_case, clock
) -> None:
    sealed_item(vault, new_case(), b"kept")
    strange = settings.data / "vault" / "no" / "notes of the operator"
    strange.parent.mkdir()
    strange.write_bytes(b"?")
    clock.turn(days=2)
    assert sweep(vault) == Swept(0, 0)
    assert strange.exists()


def test_the_blob_goes_with_its_last_item(
    vault: Vault, settings: Settings, database: Database, new_case, clock
) -> None:
    first, second = (sealed_item(vault, new_case(), b"the same") for _ in range(2))
    with database.writing() as connection:
        assert shred(connection, first, clock) is None
    assert opened(vault, second) == b"the same"
    with database.writing() as connection:
        blob = shred(connection, second, clock)
        assert shred(connection, second, clock) == blob
    assert blob is not None
    # Cut short here, the sweep does the rest.
    clock.turn(hours=25)
    assert sweep(vault) == Swept(1, 0)
    assert blob_files(settings) == []


def test_what_was_destroyed_and_comes_again_is_sealed_anew(
    vault: Vault, database: Database, new_case, clock
) -> None:
    item = sealed_item(vault, new_case(), b"again")
    with database.writing() as connection:
        old = shred(connection, item, clock)
    new = sealed_item(vault, new_case(), b"again")
    assert old
    vault.store.delete(old)
    assert opened(vault, new) == b"again"


def test_sealing_the_same_and_destroying_it_at_once_never_loses_what_is_kept(
    vault: Vault, database: Database, new_case, clock
) -> None:
    content = b"wanted and unwanted" * 1000
    rounds = 100 if AT_LENGTH else 12
    kept: list[str] = []
    failures: list[BaseException] = []

    def seal_again_and_again() -> None:
        try:
            for _ in range(rounds):
                case = new_case()
                while True:
                    try:
                        item = sealed_item(vault, case, content)
                        break
                    except StaleSealError:
                        continue
                kept.append(item)
                assert opened(vault, item) == content
        except BaseException as error:
            failures.append(error)

    def destroy_again_and_again() -> None:
        try:
            done = 0
            while done < 2 * rounds - 1:
                if len(kept) > 1:
                    item = kept.pop(0)
                    # It has just been opened, or is about to be.
                    time.sleep(0.01)
                    with database.writing() as connection:
                        blob = shred(connection, item, clock)
                    if blob is not None:
                        vault.store.delete(blob)
                    done += 1
                elif not any(thread.is_alive() for thread in sealing):
                    break
                else:
                    time.sleep(0.001)
        except BaseException as error:
            failures.append(error)

    sealing = [threading.Thread(target=seal_again_and_again) for _ in range(2)]
    destroying = threading.Thread(target=destroy_again_and_again)
    for thread in (*sealing, destroying):
        thread.start()
    for thread in (*sealing, destroying):
        thread.join()
    # One that was destroyed in the moment between may not open, but never is one damaged.
    assert not [each for each in failures if isinstance(each, DamagedEvidenceError)]
    for item in kept:
        assert opened(vault, item) == content
    with database.reading() as connection:
        live = connection.execute(select(blobs.c.id).where(blobs.c.state == "live")).scalars().all()
    assert len(live) == 1


def test_many_who_seal_the_same_at_once_store_it_once(
    vault: Vault, settings: Settings, new_case, clock
) -> None:
    content = os.urandom(100_000)
    items: list[str] = []

    def seal() -> None:
        case = new_case()
        while True:
            try:
                items.append(sealed_item(vault, case, content))
                return
            except StaleSealError:
                continue

    threads = [threading.Thread(target=seal) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [opened(vault, item) for item in items] == [content] * 8
    clock.turn(hours=25)
    sweep(vault)
    assert len(blob_files(settings)) == 1


def test_it_is_a_daily_job(settings: Settings, database: Database, clock) -> None:
    kind = all_kinds(settings, database, clock)[SWEEP]
    assert kind.schedule
    assert kind.schedule.split()[2:] == ["*", "*", "*"]
