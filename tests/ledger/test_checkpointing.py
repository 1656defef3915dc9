"""What is signed is a continuation of what was signed before, or it is not signed."""

import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from tests.actors import actor_called
from tests.ledger.filling import checkpointed, fill
from tutela.errors import AlreadyExistsError, StorageError
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.model import AlteredLedgerError
from tutela.ledger.places.choosing import second_place
from tutela.ledger.signing import renew_key
from tutela.ledger.tables import ledger_entries, ledger_head, ledger_reasons, ledger_tiles


def written(settings) -> list[str]:
    folder = settings.keys_folder / "checkpoints"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def name(size: int) -> str:
    return f"{size:020d}.checkpoint"


def test_a_checkpoint_is_written_apart_from_the_data_folder(database, settings, clock) -> None:
    checkpoints = checkpointed(database, settings, clock, [5])
    assert written(settings) == [name(5)]
    assert not settings.keys_folder.is_relative_to(settings.data.absolute())
    assert checkpoints.newest().checkpoint.size == 5
    assert checkpoints.make() is None


def test_nothing_is_signed_of_an_empty_ledger(database, settings, clock) -> None:
    assert Checkpoints(database, settings, clock).make() is None
    assert written(settings) == []


def test_a_checkpoint_is_made_after_so_many_entries_or_an_hour(database, settings, clock) -> None:
    settings = settings.model_copy(update={"ledger_checkpoint_every": 10})
    checkpoints = Checkpoints(database, settings, clock)
    checkpoints.keep_up()
    fill(database, clock, 9)
    assert checkpoints.keep_up() is None
    fill(database, clock, 1, first=9)
    assert checkpoints.keep_up().checkpoint.size == 10
    fill(database, clock, 1, first=10)
    for _ in range(12):
        assert checkpoints.keep_up() is None
        clock.turn(minutes=5)
    assert checkpoints.keep_up().checkpoint.size == 11
    clock.turn(hours=2)
    assert checkpoints.keep_up() is None
    assert written(settings) == [name(10), name(11)]


def test_what_a_killed_process_left_unsigned_is_signed_at_the_next_start(
    database, settings, clock
) -> None:
    fill(database, clock, 3)
    assert Checkpoints(database, settings, clock).keep_up().checkpoint.size == 3


def cut_off(database, end: int) -> None:
    """Make of a ledger of 600 one of 300, as if an old copy had been put in its place."""
    from tutela.ledger.merkle import frontier
    from tutela.ledger.reading import kept_hashes

    with database.writing() as connection:
        tree = frontier(end, kept_hashes(connection))
        connection.execute(delete(ledger_reasons).where(ledger_reasons.c.entry >= end))
        connection.execute(delete(ledger_entries).where(ledger_entries.c.number >= end))
        connection.execute(delete(ledger_tiles).where(ledger_tiles.c.number >= end // 256))
        connection.execute(update(ledger_head).values(size=end, frontier=bytes(tree)))


def test_a_database_that_was_rolled_back_is_not_signed_over(database, settings, clock) -> None:
    checkpointed(database, settings, clock, [300, 600])
    cut_off(database, 300)
    checkpoints = Checkpoints(database, settings, clock)
    for _ in range(2):
        with pytest.raises(AlteredLedgerError, match="rolled back"):
            checkpoints.keep_up()
    # Not even when it has grown beyond what was signed.
    fill(database, clock, 500, first=300)
    with pytest.raises(AlteredLedgerError, match="rewritten"):
        checkpoints.keep_up()
    assert written(settings) == [name(300), name(600)]


def test_a_rollback_under_a_running_service_is_noticed(database, settings, clock) -> None:
    checkpoints = checkpointed(database, settings, clock, [300, 600])
    assert checkpoints.keep_up() is None
    cut_off(database, 300)
    with pytest.raises(AlteredLedgerError, match="rolled back"):
        checkpoints.keep_up()


def test_a_changed_leaf_hash_below_the_last_checkpoint_is_not_signed_over(
    database, settings, clock
) -> None:
    checkpoints = checkpointed(database, settings, clock, [300])
    fill(database, clock, 10, first=300)
    with database.writing() as connection:
        where = ledger_entries.c.number == 299
        connection.execute(update(ledger_entries).where(where).values(leaf=b"x" * 32))
    with pytest.raises(AlteredLedgerError, match="rewritten"):
        checkpoints.make()


def test_another_key_is_not_signed_with(database, settings, clock) -> None:
    checkpointed(database, settings, clock, [3])
    fill(database, clock, 1, first=3)
    key = settings.keys_folder / "ledger.key"
    key.rename(key.with_name("old.key"))
    with pytest.raises(StorageError, match="is gone, though checkpoints were signed"):
        Checkpoints(database, settings, clock).make()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    other = Ed25519PrivateKey.generate()
    key.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    with pytest.raises(AlteredLedgerError, match="not ours"):
        Checkpoints(database, settings, clock).make()
    assert written(settings) == [name(3)]


def test_a_lost_key_is_never_replaced_unasked_even_if_its_whole_folder_is_gone(
    database, settings, clock
) -> None:
    checkpoints = checkpointed(database, settings, clock, [3])
    before = checkpoints.verifier()
    settings.keys_folder.rename(settings.keys_folder.with_name("aside"))
    with pytest.raises(StorageError, match="ledger key --new"):
        checkpoints.keep_up()
    for act in (Checkpoints.make, Checkpoints.keep_up, Checkpoints.verifier):
        with pytest.raises(StorageError, match="ledger key --new"):
            act(Checkpoints(database, settings, clock))
    assert not settings.keys_folder.exists()
    place = second_place(settings)
    renew_key(settings.keys_folder, place, database, actor_called("cli:test"), clock)
    renewed = Checkpoints(database, settings, clock)
    assert renewed.make().checkpoint.size == 4
    assert renewed.verifier() != before
    with pytest.raises(AlreadyExistsError, match="is there"):
        renew_key(settings.keys_folder, place, database, actor_called("cli:test"), clock)
    (settings.keys_folder / "ledger.key").unlink()
    with pytest.raises(AlreadyExistsError, match="move them"):
        renew_key(settings.keys_folder, place, database, actor_called("cli:test"), clock)


def test_the_key_is_for_its_owner_alone(database, settings, clock) -> None:
    checkpointed(database, settings, clock, [1])
    key = settings.keys_folder / "ledger.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.keys_folder.stat().st_mode) == 0o700
    key.chmod(0o640)
    with pytest.raises(StorageError, match="chmod 600"):
        Checkpoints(database, settings, clock).verifier()
    key.chmod(0o600)
    key.write_text("no key")
    with pytest.raises(StorageError, match="no Ed25519 key"):
        Checkpoints(database, settings, clock).verifier()


def test_a_place_that_cannot_be_written_is_tried_again(
    database, settings, clock, tmp_path: Path
) -> None:
    blocked = tmp_path / "second"
    blocked.write_text("a file in its way")
    settings = settings.model_copy(update={"ledger_checkpoints": str(blocked)})
    checkpoints = Checkpoints(database, settings, clock)
    fill(database, clock, 3)
    for _ in range(2):
        with pytest.raises(StorageError, match="ledger_checkpoints"):
            checkpoints.keep_up()
    blocked.unlink()
    assert checkpoints.keep_up().checkpoint.size == 3
    assert [path.name for path in blocked.iterdir()] == [name(3)]


def test_processes_that_sign_at_once_never_sign_two_trees_of_one_size(
    database, settings, clock
) -> None:
    failures: list[Exception] = []
    notes: dict[int, set[bytes]] = {}

    def work() -> None:
        checkpoints = Checkpoints(database, settings, clock)
        try:
            for _ in range(12):
                fill(database, clock, 1)
                made = checkpoints.make()
                if made is not None:
                    notes.setdefault(made.checkpoint.size, set()).add(made.note)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert all(len(each) == 1 for each in notes.values())
    assert max(notes) == 48
