"""A case with sealed items, and two people who hand it over."""

import os
from pathlib import Path

from sqlalchemy import Connection

from tests.actors import custodians_key
from tests.conftest import TurnedClock
from tests.evidence.disclosure.authority import Authority
from tests.evidence.disclosure.parcels import item
from tests.evidence.sealing import sealed_item
from tutela.accounts.keys import check_key
from tutela.evidence.disclosure.exhibits import exhibits_of
from tutela.evidence.disclosure.model import Disclosure, Dossier, DossierItem
from tutela.evidence.disclosure.packaging import Office, make_package, present
from tutela.evidence.disclosure.recipients import read_recipients_file
from tutela.evidence.disclosure.requesting import agree, ask
from tutela.evidence.vault import Vault
from tutela.ledger.reading import newest_entries
from tutela.storage.settings import Settings

CONTENTS = (b"\x89PNG\r\n\x1a\n" + os.urandom(40), os.urandom(2_500_000), b"")


class World:
    """A case with sealed items, an authority, and two people with keys."""

    def __init__(self, settings: Settings, vault: Vault, clock: TurnedClock, case: str) -> None:
        self.vault, self.database, self.clock, self.case = vault, vault.database, clock, case
        self.items = [sealed_item(vault, case, content) for content in CONTENTS]
        self.known: list[DossierItem] = [
            item(self.items[0], "first.png"),
            item(self.items[1], "Фото 北京.bin"),
            item(self.items[2]),
            item(None, "never-sent.png"),
        ]
        self.office = Office(
            settings.model_copy(update={"organisation": "Example Forum"}),
            vault,
            self._dossier_of,
            lambda head: "image/png" if head.startswith(b"\x89PNG") else None,
        )
        self.ada, self.ben = self.person("ada"), self.person("ben")

    def _dossier_of(self, _connection: Connection, case: str) -> Dossier:
        return Dossier(case, "open", self.clock(), tuple(self.known))

    def person(self, name: str) -> str:
        with self.database.writing() as connection:
            return custodians_key(connection, name, self.clock)

    def ask(self, authority: Authority, without: set[str] | None = None) -> Disclosure:
        with self.database.writing() as connection:
            dossier = self._dossier_of(connection, self.case)
            return ask(
                connection,
                check_key(connection, self.ada),
                self.case,
                exhibits_of(connection, dossier, without or ()),
                read_recipients_file(authority.public),
                authority="State Police of Example",
                legal_basis="Order of the court",
                reference="12 Js 345/26",
                clock=self.clock,
            )

    def agree(self, number: int) -> Disclosure:
        with self.database.writing() as connection:
            _, _, exhibits = present(connection, self.office, number)
            return agree(connection, check_key(connection, self.ben), number, exhibits, self.clock)

    def agreed(self, authority: Authority, without: set[str] | None = None) -> int:
        return self.agree(self.ask(authority, without).id).id

    def make(self, number: int, path: Path, secret: str | None = None) -> None:
        make_package(self.office, secret or self.ada, number, path)

    def acts(self) -> list[str]:
        with self.database.reading() as connection:
            return [entry.act for entry in newest_entries(connection, 100, case=self.case)][::-1]
