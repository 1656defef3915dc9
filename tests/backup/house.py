"""A house with something of everything in it, and what a thief would look for."""

import base64
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from tests.actors import actor_called
from tests.hashlists.filling import add, md5, new_list, withdraw
from tutela.accounts.keys import add_key
from tutela.accounts.passwords import set_password
from tutela.accounts.people import add_person
from tutela.accounts.permissions import Permission, Role
from tutela.backup.making import Made, make_backup
from tutela.cases.adding import Opening
from tutela.cases.model import CaseId, Item, Match
from tutela.cases.sealing import open_cases
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.model import ItemId
from tutela.evidence.vault import Vault
from tutela.fingerprints.model import FingerprintSet, Kind
from tutela.hashlists.model import HashList
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.schema import metadata
from tutela.storage.settings import Settings

ACTOR = actor_called("cli:tester")
ENTRIES = 40


@dataclass
class House:
    """An open house with a list of ``ENTRIES`` hashes, a few cases with evidence, and a key."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    known: HashList

    def add_case(self, content: bytes, name: str) -> tuple[CaseId, ItemId]:
        """A case with its evidence."""
        opening = Opening(
            Item(name, "screen", FingerprintSet(size=len(content), sha256=_sha256(content))),
            [Match(self.known.id, self.known.name, 1, Kind.MD5, 0)],
            content=lambda: [content],
        )
        (case,) = open_cases(self.vault, [opening], self.clock)
        return case, opening.evidence

    def back_up(self, target: Path, **options) -> Made:
        return make_backup(self.vault, self.settings, target, ACTOR, **options)

    def settings_of(self, other: Vault) -> Settings:
        """The settings of another house with these keys."""
        return self.settings.model_copy(
            update={
                "data": self.settings.data.with_name("restored"),
                "secrets": self.settings.keys_folder,
            }
        )

    def reopen(self) -> None:
        """Let go of the connections of the process that this one was forked from."""
        self.database.engine.dispose(close=False)

    def close(self) -> None:
        self.database.close()


def open_house(settings: Settings, clock: Clock) -> House:
    """A house without anything in it but the list that its cases need."""
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    vault = Vault.over(settings, database, clock)
    prepare_keys(vault.keyring, database, tell=lambda _: None)
    known = new_list(database, clock, "known-list-of-ours")
    add(database, known, clock, *map(md5, range(1, ENTRIES + 1)))
    return House(settings, clock, database, vault, known)


def filled_house(settings: Settings, clock: Clock) -> House:
    """A house with something in every table that a restore could get wrong."""
    house = open_house(settings, clock)
    withdraw(house.database, house.known, clock, md5(7))
    with house.database.writing() as connection:
        add_key(connection, "the forum's key", [Permission.SCREEN], ACTOR, clock)
        rosa = add_person(
            connection, "Rosa", "rosa@house.example", [Role.CUSTODIAN], actor=ACTOR, clock=clock
        )
        set_password(connection, rosa, "a hash of a password", clock)
        scopes = [Permission.EVIDENCE_DISCLOSE]
        add_key(connection, "Rosa's own key", scopes, ACTOR, clock, owner=rosa.id)
    for number in range(3):
        house.add_case(content_of(number), f"Name of a file {number} äöü.png")
    return house


def content_of(number: int, size: int = 5_000) -> bytes:
    """Some bytes that stand for a picture."""
    return random.Random(number).randbytes(size)


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, as Python's values."""
    with database.reading() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=_in_order)
            for table in metadata.sorted_tables
        }


def _in_order(row: tuple[object, ...]) -> list[str]:
    # Databases sort texts each in their own way.
    return [f"{each:020d}" if isinstance(each, int) else repr(each) for each in row]


def secrets_of(house: House) -> Iterator[tuple[str, bytes]]:
    """What a thief would look for, in every form in which it might be written."""
    for number in range(1, ENTRIES + 1):
        yield from _written(f"entry {number}", md5(number).value)
    for number in range(3):
        content = content_of(number)
        yield from _written(f"media {number}", content[1000:1048])
        yield from _written(f"hash of media {number}", _sha256(content))
        yield from _written(f"name {number}", f"Name of a file {number} äöü.png".encode())
    for name in (
        "known-list-of-ours",
        "the forum's key",
        "a mistake",
        "cli:tester",
        "list.created",
    ):
        yield from _written(name, name.encode())
    for name, rows in everything(house.database).items():
        for row in rows:
            for value in row:
                if isinstance(value, bytes) and len(value) >= 8:
                    yield from _written(f"bytes in {name}", value[:48])
                elif isinstance(value, str) and len(value) >= 8:
                    yield from _written(f"text in {name}", value.encode())


def _written(what: str, value: bytes) -> Iterator[tuple[str, bytes]]:
    yield what, value
    yield f"{what} in hexadecimal", value.hex().encode()
    yield f"{what} in hexadecimal", value.hex().upper().encode()
    for shift in range(3):
        # Base 64 looks different by where in a longer text it begins; its edges are left out.
        encoded = base64.b64encode(b"\0" * shift + value)[4:].rstrip(b"=")[:-1]
        if len(encoded) >= 8:
            yield f"{what} in base 64", encoded
            yield f"{what} in base 64", encoded.translate(bytes.maketrans(b"+/", b"-_"))


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
