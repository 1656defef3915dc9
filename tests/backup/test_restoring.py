"""A restored house is the one that was backed up, on either database, or there is none."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, select, text

from tests.backup.house import ACTOR, House, content_of, everything, open_house
from tests.hashlists.filling import add, md5
from tutela.accounts.invitations import find_invitation, invite_anew
from tutela.accounts.locking import account_called, begin_try
from tutela.accounts.passwords import kept_password
from tutela.accounts.people import all_people
from tutela.accounts.sessions import begin_session, find_session
from tutela.accounts.tables import NOT_BACKED_UP, api_keys
from tutela.backup.envelope import sealed
from tutela.backup.form import encode
from tutela.backup.model import BackupId, Contents, End, LedgerHead
from tutela.backup.proving import prove
from tutela.backup.restoring import restore_backup
from tutela.backup.snapshot import all_rows, all_tables, count_rows
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError, StorageError
from tutela.evidence.tables import evidence_items
from tutela.evidence.vault import Vault
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.merkle import EMPTY_ROOT
from tutela.ledger.model import Act
from tutela.ledger.reading import newest_entries
from tutela.storage.database import Database
from tutela.storage.migration import revision_of, upgrade_within

_CHANGED_BY_A_RESTORE = {"ledger_entries", "ledger_head", "house_restorations"}


def test_every_row_comes_back_exactly_on_either_database(
    house: House, empty_vault: Vault, tmp_path: Path
) -> None:
    before = everything(house.database)
    assert len([name for name, rows in before.items() if rows]) >= 12
    made = house.back_up(tmp_path)
    restored = restore_backup(empty_vault, made.path, ACTOR)
    assert restored.rows == sum(map(len, before.values()))
    after = everything(empty_vault.database)
    for name in before.keys() - _CHANGED_BY_A_RESTORE:
        assert after[name] == before[name], name
    assert len(after["house_restorations"]) == len(before["house_restorations"]) + 1
    assert after["ledger_entries"][: len(before["ledger_entries"])] == before["ledger_entries"]


def test_after_a_restore_nobody_is_signed_in_or_invited_and_everybody_is_there(
    house: House, empty_vault: Vault, tmp_path: Path
) -> None:
    with house.database.writing() as connection:
        (rosa,) = all_people(connection)
        token = begin_session(connection, rosa, house.clock, proved=True)
        invited = invite_anew(connection, rosa, actor=ACTOR, clock=house.clock)
        begin_try(connection, [account_called("rosa@house.example")], house.clock)
    made = house.back_up(tmp_path)
    restore_backup(empty_vault, made.path, ACTOR)
    after = everything(empty_vault.database)
    assert {name for name in NOT_BACKED_UP if after[name]} == set()
    with empty_vault.database.reading() as connection:
        assert all_people(connection) == [rosa]
        assert kept_password(connection, rosa.id) == "a hash of a password"
        assert find_session(connection, token, house.settings, house.clock) is None
        with pytest.raises(NotFoundError):
            find_invitation(connection, invited.token, house.clock)


def test_a_restore_proves_itself_and_is_in_the_ledger(
    house: House, empty_vault: Vault, tmp_path: Path
) -> None:
    made = house.back_up(tmp_path)
    restored = restore_backup(empty_vault, made.path, ACTOR)
    proof = prove(empty_vault, house.settings_of(empty_vault), restored.contents, ACTOR)
    assert proof.wrong == ()
    assert proof.items == 3
    assert proof.bytes == 3 * len(content_of(0))
    assert proof.entries == restored.contents.ledger.size + 1
    with empty_vault.database.reading() as connection:
        verified, entry = newest_entries(connection, 2)
        items = connection.execute(select(evidence_items.c.id)).scalars().all()
    assert (entry.act, entry.thing) == (Act.BACKUP_RESTORED, restored.contents.ledger_name)
    assert (verified.act, verified.thing) == (Act.EVIDENCE_VERIFIED, "sound:3/3")
    found = {b"".join(empty_vault.open(item)) for item in items}
    assert found == {content_of(number) for number in range(3)}


def test_a_restored_house_goes_on_as_before(
    sqlite_house: House, empty_vault: Vault, tmp_path: Path, clock
) -> None:
    restore_backup(empty_vault, sqlite_house.back_up(tmp_path).path, ACTOR)
    settings = sqlite_house.settings_of(empty_vault)
    going_on = House(settings, clock, empty_vault.database, empty_vault, sqlite_house.known)
    added = add(going_on.database, going_on.known, clock, md5(5), md5(7), md5(5_000))
    assert (added.added, added.already, added.withdrawn) == (1, 1, 1)
    _, item = going_on.add_case(content_of(500), "after.png")
    assert b"".join(empty_vault.open(item)) == content_of(500)
    again = going_on.back_up(tmp_path / "again.backup")
    assert again.missing == ()


def test_a_house_that_is_not_empty_is_left_alone(
    sqlite_house: House, tmp_path: Path, empty_settings, clock
) -> None:
    made = sqlite_house.back_up(tmp_path)
    other = open_house(empty_settings, clock)
    before = everything(other.database)
    with pytest.raises(AlreadyExistsError, match=r"not empty \(there are entries\)|not empty"):
        restore_backup(other.vault, made.path, ACTOR)
    assert everything(other.database) == before
    other.close()


def test_a_house_with_empty_tables_is_restored_into(
    sqlite_house: House, empty_settings, tmp_path: Path, clock
) -> None:
    made = sqlite_house.back_up(tmp_path)
    database = Database.open(empty_settings)
    with database.writing() as connection:
        upgrade_within(connection)
    restored = restore_backup(Vault.over(empty_settings, database, clock), made.path, ACTOR)
    assert restored.rows == made.checked.end.rows
    database.close()


def test_a_database_of_a_newer_tutela_is_left_alone(
    sqlite_house: House, sqlite_vault: Vault, tmp_path: Path
) -> None:
    with sqlite_vault.database.writing() as connection:
        upgrade_within(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(AlreadyExistsError, match="of a newer Tutela"):
        restore_backup(sqlite_vault, sqlite_house.back_up(tmp_path).path, ACTOR)


def test_a_damaged_backup_leaves_no_row_behind(
    sqlite_house: House, empty_vault: Vault, tmp_path: Path
) -> None:
    sqlite_house.add_case(content_of(9, 3_000_000), "large.png")
    path = sqlite_house.back_up(tmp_path / "x.backup").path
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="damaged"):
        restore_backup(empty_vault, path, ACTOR)
    with empty_vault.database.reading() as connection:
        assert all_tables(connection) == []
    # With the sound one it works then, in spite of blobs that lie there already.
    content[-1] ^= 1
    path.write_bytes(content)
    restore_backup(empty_vault, path, ACTOR)


def test_a_backup_of_an_older_revision_is_upgraded(
    sqlite_house: House, empty_vault: Vault, tmp_path: Path, clock
) -> None:
    old = create_engine(f"sqlite:///{tmp_path / 'old.db'}")
    with old.begin() as connection:
        upgrade_within(connection, "0003")
        connection.execute(
            insert(api_keys).values(
                name="old",
                secret_sha256=b"\1" * 32,
                scopes="screen",
                created_at=clock(),
                created_by="x",
            )
        )
        path = tmp_path / "old.backup"
        path.write_bytes(_backup_of(connection, sqlite_house, "0003"))
    restored = restore_backup(empty_vault, path, ACTOR)
    assert restored.contents.revision == "0003"
    with empty_vault.database.reading() as connection:
        assert connection.execute(select(api_keys.c.name)).scalars().all() == ["old"]
        assert revision_of(connection) > "0003"
        assert count_rows(connection, next(iter(all_tables(connection)))) >= 0


def test_a_backup_of_a_newer_revision_is_refused(
    sqlite_house: House, sqlite_vault: Vault, tmp_path: Path
) -> None:
    with sqlite_house.database.reading() as connection:
        path = tmp_path / "newer.backup"
        path.write_bytes(_backup_of(connection, sqlite_house, "9999"))
    with pytest.raises(InvalidInputError, match="made by a newer Tutela"):
        restore_backup(sqlite_vault, path, ACTOR)


def test_checkpoints_of_before_the_backup_are_verified_and_later_ones_are_told_of(
    sqlite_house: House, sqlite_vault: Vault, tmp_path: Path, clock
) -> None:
    checkpoints = Checkpoints(sqlite_house.database, sqlite_house.settings, clock)
    assert checkpoints.make() is not None
    made = sqlite_house.back_up(tmp_path)
    sqlite_house.add_case(content_of(31), "lost.png")
    sqlite_house.add_case(content_of(32), "lost.png")
    latest = checkpoints.make()
    assert latest is not None
    restored = restore_backup(sqlite_vault, made.path, ACTOR)
    settings = sqlite_house.settings_of(sqlite_vault)
    proof = prove(sqlite_vault, settings, restored.contents, ACTOR)
    assert proof.wrong == ()
    assert proof.checkpoints == 1
    assert proof.lost == latest.checkpoint.size - restored.contents.ledger.size > 0


def test_a_backup_of_a_rewritten_ledger_is_not_proved(
    sqlite_house: House, sqlite_vault: Vault, tmp_path: Path, clock
) -> None:
    Checkpoints(sqlite_house.database, sqlite_house.settings, clock).make()
    with sqlite_house.database.writing() as connection:
        connection.execute(text("UPDATE ledger_entries SET actor = 'nobody' WHERE number = 1"))
    restored = restore_backup(sqlite_vault, sqlite_house.back_up(tmp_path).path, ACTOR)
    proof = prove(sqlite_vault, sqlite_house.settings_of(sqlite_vault), restored.contents, ACTOR)
    assert any("entry 1" in each for each in proof.wrong)


def test_without_the_keys_a_restore_says_so_and_leaves_nothing(
    sqlite_house: House, tmp_path: Path, empty_settings, clock
) -> None:
    made = sqlite_house.back_up(tmp_path)
    settings = empty_settings.model_copy(update={"secrets": tmp_path / "no-keys"})
    database = Database.open(settings)
    with pytest.raises(StorageError, match="put back the copy that was kept elsewhere"):
        restore_backup(Vault.over(settings, database, clock), made.path, ACTOR)
    with database.reading() as connection:
        assert all_tables(connection) == []
    database.close()


def _backup_of(connection, house: House, revision: str) -> bytes:
    shapes = all_tables(connection)
    rows = {shape.name: count_rows(connection, shape) for shape in shapes}
    contents = Contents(
        BackupId("ab" * 16),
        house.clock(),
        "0.0.1",
        revision,
        "sqlite",
        rows,
        None,
        LedgerHead(0, EMPTY_ROOT),
        {},
    )
    tables = [piece for shape in shapes for piece in (shape, *all_rows(connection, shape))]
    pieces = [contents, *tables, End(sum(rows.values()), 0)]
    return b"".join(sealed(contents.id, encode(pieces), house.vault.keyring))
