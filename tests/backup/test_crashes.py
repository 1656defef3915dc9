"""Killed at any line, a backup is whole or not to be seen, and a restore is whole or undone."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import MetaData, select

from tests.backup.house import ACTOR, House, content_of, everything
from tests.backup.processes import in_another_process, killed_at_line
from tutela.backup.places import backups_in
from tutela.backup.proving import prove
from tutela.backup.reading import check_backup
from tutela.backup.restoring import restore_backup
from tutela.backup.snapshot import all_tables
from tutela.evidence.vault import Vault
from tutela.ledger.model import Act
from tutela.ledger.tables import ledger_entries

_SOAK = os.environ.get("TUTELA_TEST_SOAK") == "1"
_WRITING = r"tutela/backup/(making|places)\.py|storage/durable\.py"
_PUTTING_BACK = r"tutela/backup/(restoring|loading)\.py|storage/(blobs/folder|migration)\.py"


def test_a_backup_killed_at_any_line_leaves_nothing_that_looks_finished_and_is_not(
    house: House, tmp_path: Path, clock
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()

    def back_up() -> None:
        house.reopen()
        house.back_up(folder)

    seen = 0
    for line in _lines(back_up, _WRITING):
        clock.turn(seconds=1)
        assert in_another_process(killed_at_line(line, back_up, _WRITING)) == "killed"
        for path in backups_in(folder)[seen:]:
            check_backup(path, house.vault.keyring, tell=lambda _: None)
            seen += 1
    clock.turn(seconds=1)
    house.back_up(folder)
    # What is there is whole, and nothing else is left.
    assert sorted(folder.iterdir()) == backups_in(folder)
    with house.database.reading() as connection:
        acts = connection.execute(select(ledger_entries.c.act)).scalars().all()
    assert acts.count(Act.BACKUP_MADE) >= seen + 1


def test_a_restore_killed_at_any_line_is_undone_or_whole(
    sqlite_house: House, empty_vault: Vault, tmp_path: Path
) -> None:
    sqlite_house.add_case(content_of(20, 2_500_000), "large.png")
    path = sqlite_house.back_up(tmp_path).path
    before = everything(sqlite_house.database)
    settings = sqlite_house.settings_of(empty_vault)

    def restore() -> None:
        empty_vault.database.engine.dispose(close=False)
        restore_backup(empty_vault, path, ACTOR)

    def restore_and_forget() -> None:
        # So that counting the lines leaves the house empty.
        restore()
        _empty(empty_vault)

    for line in _lines(restore_and_forget, _PUTTING_BACK):
        assert in_another_process(killed_at_line(line, restore, _PUTTING_BACK)) == "killed"
        with empty_vault.database.reading() as connection:
            is_empty = all_tables(connection) == []
        if not is_empty:
            _assert_same(everything(empty_vault.database), before)
            _empty(empty_vault)
    restored = restore_backup(empty_vault, path, ACTOR)
    _assert_same(everything(empty_vault.database), before)
    assert prove(empty_vault, settings, restored.contents, ACTOR).wrong == ()
    assert not list((settings.data / "vault" / "incoming").iterdir())


def _lines(work: Callable[[], None], files: str) -> Iterator[int]:
    """All lines that the work runs, or by default some, of which the last ones are always some."""
    total = int(in_another_process(killed_at_line(-1, work, files)))
    assert total > 50
    if _SOAK:
        yield from range(1, total + 1, max(1, total // 500))
        return
    yield from sorted(random.sample(range(1, total - 7), 3))
    yield from range(total - 6, total + 1, 3)


def _assert_same(found: dict[str, list[object]], before: dict[str, list[object]]) -> None:
    for name in before.keys() - {"ledger_entries", "ledger_head", "house_restorations"}:
        assert found[name] == before[name]
    assert len(found["house_restorations"]) == len(before["house_restorations"]) + 1
    assert len(found["ledger_entries"]) == len(before["ledger_entries"])


def _empty(vault: Vault) -> None:
    with vault.database.writing() as connection:
        there = MetaData()
        there.reflect(connection)
        there.drop_all(connection)
