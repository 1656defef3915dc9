"""Making lists and putting hashes on them, for tests."""

from collections.abc import Iterable
from pathlib import Path

from tests.actors import actor_called
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.hashlists.adding import add_with_provenance
from tutela.hashlists.entries import withdraw_entry
from tutela.hashlists.importing import import_file
from tutela.hashlists.lists import create_list, list_summary
from tutela.hashlists.model import Added, HashList, ImportResult, ListRow, ListSummary, Provenance
from tutela.storage.clock import Clock
from tutela.storage.database import Database

ACTOR = actor_called("cli:tester")


def md5(number: int) -> Fingerprint:
    """A hash that stands for a number."""
    return Fingerprint(Kind.MD5, number.to_bytes(16, "big"))


def new_list(database: Database, clock: Clock, name: str = "known") -> HashList:
    """An empty list."""
    with database.writing() as connection:
        return create_list(connection, name, "", ACTOR, clock)


def add(database: Database, hash_list: HashList, clock: Clock, *found: Fingerprint) -> Added:
    """Put hashes on a list."""
    rows = [ListRow(number, each) for number, each in enumerate(found, 1)]
    with database.writing() as connection:
        return add_with_provenance(
            connection, hash_list, Provenance("tests"), rows, actor=ACTOR, clock=clock
        )


def withdraw(database: Database, hash_list: HashList, clock: Clock, found: Fingerprint) -> None:
    """Withdraw an entry."""
    with database.writing() as connection:
        withdraw_entry(connection, hash_list, found, reason="a mistake", actor=ACTOR, clock=clock)


def summary_of(database: Database, hash_list: HashList) -> ListSummary:
    """What a list holds now."""
    with database.reading() as connection:
        return list_summary(connection, hash_list)


def write_list(path: Path, numbers: Iterable[int]) -> Path:
    """A file of hashes that stand for numbers."""
    path.write_text("".join(f"{md5(number).text}\n" for number in numbers))
    return path


def import_list(
    database: Database, hash_list: HashList, clock: Clock, path: Path, **options: object
) -> ImportResult:
    """Import a file, its rejects beside it."""
    return import_file(
        database,
        hash_list,
        path,
        Provenance("tests"),
        actor=ACTOR,
        clock=clock,
        rejects_path=path.with_name(path.name + ".rejects.csv"),
        **options,  # type: ignore[arg-type]
    )
