"""The key is changed while the vault is in use, and nothing is lost on the way."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests import amazon
from tests.actors import actor_called
from tests.evidence.sealing import AT_LENGTH, blob_files, opened, sealed_item
from tutela.errors import DamagedEvidenceError, StorageError
from tutela.evidence.key_registry import keys_in_use
from tutela.evidence.rotating import Rotated, rotate_key
from tutela.evidence.tables import evidence_items, vault_keys
from tutela.evidence.vault import StaleSealError, Vault
from tutela.ledger.tables import ledger_entries
from tutela.storage.database import Database
from tutela.storage.settings import Settings

CONTENTS = [b"one", b"two", b"one", b"three" * 1000]


def rotated(vault: Vault) -> Rotated:
    return rotate_key(vault, actor_called("test"), tell=lambda _: None)


@pytest.fixture
def items(vault: Vault, new_case) -> list[str]:
    return [sealed_item(vault, new_case(), content) for content in CONTENTS]


def assert_all_open(vault: Vault, items: list[str]) -> None:
    assert [opened(vault, item) for item in items] == CONTENTS


def test_everything_is_wrapped_anew_and_no_blob_is_touched(
    vault: Vault, settings: Settings, items
) -> None:
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in blob_files(settings)}
    (old,) = vault.keyring.file.key_ids()
    done = rotated(vault)
    assert (done.rewrapped, done.retired) == (4, (old,))
    assert vault.keyring.file.key_ids() == (done.key,)
    assert done.key != old
    assert before == {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in blob_files(settings)
    }
    with vault.database.reading() as connection:
        assert keys_in_use(connection) == {done.key}
        act = connection.execute(
            select(ledger_entries.c.act, ledger_entries.c.thing).order_by(
                ledger_entries.c.number.desc()
            )
        ).first()
    assert tuple(act) == ("vault.keys-rotated", done.key)
    assert_all_open(vault, items)


def test_each_rotation_makes_a_new_key(vault: Vault, items) -> None:
    keys = {rotated(vault).key for _ in range(3)}
    assert len(keys) == 3
    assert_all_open(vault, items)


def test_a_vault_with_nothing_in_it_gets_a_new_key_too(vault: Vault) -> None:
    (old,) = vault.keyring.file.key_ids()
    assert rotated(vault).retired == (old,)
    assert len(vault.keyring.file.key_ids()) == 1


def test_what_was_sealed_by_the_old_key_just_before_is_sealed_once_more(
    vault: Vault, items, new_case
) -> None:
    sealed = vault.seal(lambda: [b"four"], new_case(), "a" * 26)
    rotated(vault)
    with pytest.raises(StaleSealError), vault.database.writing() as connection:
        vault.claim(connection, [sealed])
    item = sealed_item(vault, new_case(), b"four")
    assert opened(vault, item) == b"four"


def test_an_old_copy_of_the_key_file_is_refused_after_a_rotation(
    vault: Vault, settings: Settings, items, new_case, clock
) -> None:
    key = settings.keys_folder / "vault.key"
    old = key.read_bytes()
    rotated(vault)
    new = key.read_bytes()
    key.write_bytes(old)
    with pytest.raises(StorageError, match=r"put back|Put back"):
        sealed_item(Vault.over(settings, vault.database, clock), new_case(), b"four")
    key.write_bytes(new)
    assert_all_open(vault, items)


def test_sealing_goes_on_meanwhile(
    vault: Vault, settings: Settings, items, new_case, clock
) -> None:
    stop = threading.Event()
    sealed: list[tuple[str, bytes]] = []

    def go_on() -> None:
        other = Vault.over(settings, vault.database, clock)
        while not stop.is_set():
            content = os.urandom(100)
            try:
                sealed.append((sealed_item(other, new_case(), content), content))
            except StaleSealError:
                continue

    threads = [threading.Thread(target=go_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            rotated(vault)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    rotated(vault)
    assert sealed
    assert all(opened(vault, item) == content for item, content in sealed)
    assert_all_open(vault, items)
    with vault.database.reading() as connection:
        assert keys_in_use(connection) == set(vault.keyring.file.key_ids())


def test_an_altered_row_stops_it_before_the_old_key_is_lost(vault: Vault, items) -> None:
    with vault.database.writing() as connection:
        connection.execute(
            update(evidence_items)
            .where(evidence_items.c.id == items[1])
            .values(wrapped_key=b"altered")
        )
    with pytest.raises(DamagedEvidenceError, match=items[1]):
        rotated(vault)
    assert len(vault.keyring.file.key_ids()) == 2
    with vault.database.reading() as connection:
        assert not any(connection.execute(select(vault_keys.c.retired_at)).scalars())
    for item, content in zip(items, CONTENTS, strict=True):
        if item != items[1]:
            assert opened(vault, item) == content


def test_of_two_rotations_at_once_one_is_refused_and_no_key_is_lost(
    vault: Vault, settings: Settings, items, clock
) -> None:
    other = Vault.over(settings, vault.database, clock)
    refused: list[str] = []

    def rotate_too(_done: int) -> None:
        with pytest.raises(StorageError, match=r"is being changed by another process") as error:
            rotated(other)
        refused.append(str(error.value))

    done = rotate_key(vault, actor_called("test"), rotate_too)
    assert refused
    assert vault.keyring.file.key_ids() == (done.key,)
    assert_all_open(other, items)
    assert rotated(other).retired == (done.key,)
    assert_all_open(vault, items)


def test_many_who_add_and_remove_keys_lose_none_that_another_one_added(
    vault: Vault, settings: Settings, clock
) -> None:
    added: set[str] = set()

    def add() -> None:
        file = Vault.over(settings, vault.database, clock).keyring.file
        for _ in range(2):
            while True:
                try:
                    added.add(file.add_key())
                    file.remove_keys({"file:none"})
                    break
                except StorageError:
                    continue

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One whose removal was refused has added another.
    assert len(added) >= 8
    assert added < set(vault.keyring.file.key_ids())


ROTATES = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from tests.actors import actor_called
from tutela.evidence.rotating import rotate_key
from tutela.evidence.vault import Vault
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import load_settings
settings = load_settings(data=Path(sys.argv[1]), database_url=sys.argv[2] or None)
database = Database.open(settings)
with database.reading():
    pass
database.close()
for step in range(int(sys.argv[3]), 1000, int(sys.argv[4])):
    child = os.fork()
    if not child:
        database, left = Database.open(settings), [step]
        vault = Vault.over(settings, database, system_clock)
        def count(*_):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
        def counted(real):
            return lambda *some, **named: (count(), real(*some, **named))[1]
        for name in ("rename", "fsync", "unlink"):
            setattr(os, name, counted(getattr(os, name)))
        event.listen(database.engine, "before_cursor_execute", count)
        event.listen(database.engine, "commit", count)
        rotate_key(vault, actor_called("test"), lambda _: None)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        assert status == 0, status
        break
    print(step, flush=True)
"""


def test_killed_at_any_step_it_goes_on_where_it_stopped(
    vault: Vault, settings: Settings, items
) -> None:
    every = 1 if AT_LENGTH else 3
    done = subprocess.run(
        [sys.executable, "-c", ROTATES, str(settings.data), settings.database_url or "", "0",
         str(every)],
        cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert len(done.stdout.splitlines()) * every > 12
    assert_all_open(vault, items)
    final = rotated(vault)
    assert vault.keyring.file.key_ids() == (final.key,)
    left = {path.name for path in settings.keys_folder.glob("*vault*") if path.name[0] != "."}
    assert left == {"vault.key", "vault.key.lock"}
    assert_all_open(vault, items)


def test_it_moves_from_a_file_to_a_kms_to_another_key_and_back(
    vault: Vault, settings: Settings, database: Database, items, clock, amazon_endpoint: str
) -> None:
    first, second = (amazon.new_key(amazon_endpoint) for _ in range(2))
    for vault_key in (f"aws-kms:{first}", f"aws-kms:{second}", "file"):
        changed = settings.model_copy(
            update={"vault_key": vault_key, "kms_endpoint": amazon_endpoint}
        )
        moved = Vault.over(changed, database, clock)
        assert_all_open(moved, items)
        done = rotated(moved)
        assert done.rewrapped == 4
        assert done.key.startswith(vault_key)
        assert_all_open(moved, items)
        with database.reading() as connection:
            assert keys_in_use(connection) == {done.key}


def test_an_alias_that_is_given_another_key_is_followed(
    settings: Settings, database: Database, new_case, clock, amazon_endpoint: str, tmp_path
) -> None:
    alias = f"a-{tmp_path.name}"
    amazon.new_key(amazon_endpoint, alias)
    settings = settings.model_copy(
        update={"vault_key": f"aws-kms:alias/{alias}", "kms_endpoint": amazon_endpoint}
    )
    vault = Vault.over(settings, database, clock)
    item = sealed_item(vault, new_case(), b"one")
    assert rotated(vault).rewrapped == 0
    other = amazon.new_key(amazon_endpoint)
    kms = amazon.client("kms", amazon_endpoint)
    kms.update_alias(AliasName=f"alias/{alias}", TargetKeyId=other)
    assert opened(vault, item) == b"one"
    assert rotated(vault) == Rotated(f"aws-kms:{other}", 1, rotated_keys(database, other))
    assert opened(vault, item) == b"one"
    assert not settings.keys_folder.exists() or not (settings.keys_folder / "vault.key").exists()


def rotated_keys(database: Database, but: str) -> tuple[str, ...]:
    with database.reading() as connection:
        keys = connection.execute(select(vault_keys.c.id)).scalars()
        return tuple(key for key in keys if not key.endswith(but))
