"""A vault under the rule of the United States, and what tests ask of its database."""

import hashlib
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from tests.actors import actor_called
from tutela.evidence.events import report_finished
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.model import ItemId, new_item_id
from tutela.evidence.standing import Standing, standings_of
from tutela.evidence.tables import blobs, evidence_items
from tutela.evidence.vault import Vault
from tutela.ledger.tables import ledger_entries
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings

ANA = actor_called("ana")


def american_vault(settings: Settings, database: Database, clock: Clock) -> Vault:
    """A vault whose evidence is kept for a year after its report."""
    return ready_vault(settings.model_copy(update={"jurisdiction": "US"}), database, clock)


def ready_vault(settings: Settings, database: Database, clock: Clock) -> Vault:
    """A vault that has its key."""
    vault = Vault.over(settings, database, clock)
    prepare_keys(vault.keyring, database, tell=lambda _: None)
    return vault


def sealed_item(vault: Vault, case: str, content: bytes) -> ItemId:
    """Evidence that shares the blob of the same content, as the screening has it."""
    item = new_item_id()
    sealed = vault.seal(lambda: [content], case, item, hashlib.sha256(content).digest())
    with vault.database.writing() as connection:
        vault.claim(connection, [sealed])
        vault.keep(connection, sealed)
    return item


def reported_item(vault: Vault, case: str, content: bytes) -> ItemId:
    """Evidence of which a report is finished right now: it is due in a year."""
    item = sealed_item(vault, case, content)
    report(vault, case, vault.clock())
    return item


def report(vault: Vault, case: str, at: datetime, reference: str = "CT-1") -> None:
    """Say that a report of a case is finished."""
    with vault.database.writing() as connection:
        report_finished(connection, case, ANA, vault.clock, reference=reference, at=at)


def standing(vault: Vault, item: ItemId) -> Standing:
    """How a piece of evidence stands now."""
    with vault.database.reading() as connection:
        (found,) = standings_of(connection, vault.rules, [item], vault.clock())
    return found


def state_of(vault: Vault, item: ItemId) -> str:
    """What there is of a piece of evidence."""
    with vault.database.reading() as connection:
        row = select(evidence_items.c.state).where(evidence_items.c.id == item)
        return str(connection.execute(row).scalar_one())


def blob_of(vault: Vault, item: ItemId) -> tuple[str, str]:
    """Its blob and the blob's state."""
    with vault.database.reading() as connection:
        row = select(blobs.c.id, blobs.c.state).join_from(evidence_items, blobs)
        found = connection.execute(row.where(evidence_items.c.id == item)).one()
    return found.id, found.state


def wrapped_key_of(vault: Vault, item: ItemId) -> bytes | None:
    """The bytes that are erased when it is destroyed."""
    with vault.database.reading() as connection:
        row = select(evidence_items.c.wrapped_key).where(evidence_items.c.id == item)
        return connection.execute(row).scalar_one()


def acts(vault: Vault, item: ItemId | None = None) -> list[str]:
    """What the ledger says was done, in order."""
    rows = select(ledger_entries.c.act).order_by(ledger_entries.c.number)
    if item is not None:
        rows = rows.where(ledger_entries.c.item == item)
    with vault.database.reading() as connection:
        return list(connection.execute(rows).scalars())


def stored_blobs(vault: Vault) -> set[str]:
    """What the blob store has."""
    return {str(each.id) for each in vault.store.list()}


def database_files(settings: Settings) -> dict[str, bytes]:
    """Every file of the data folder that belongs to SQLite."""
    return {path.name: path.read_bytes() for path in Path(settings.data).glob("tutela.db*")}
