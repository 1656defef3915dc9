"""People who look, and cases with something to look at."""

import hashlib
import io
from datetime import timedelta

from PIL import Image
from sqlalchemy import select, update

from tests.drawing import landscape
from tutela.accounts.model import Caller, PersonId
from tutela.accounts.permissions import Role, permissions_of
from tutela.cases.model import CaseId, Item, ItemKind
from tutela.cases.sealing import Opening, open_cases
from tutela.cases.tables import case_items, cases
from tutela.cases.viewing import Why, Wish, begin
from tutela.cases.viewings import Viewing
from tutela.evidence.vault import Vault
from tutela.fingerprints.model import FingerprintSet
from tutela.ledger.model import Actor
from tutela.ledger.tables import ledger_entries
from tutela.sandbox.model import Level
from tutela.storage.database import Database
from tutela.storage.settings import Settings

SESSION = 7


def somebody(number: int, *roles: Role) -> Caller:
    """A person with these roles; a reviewer without any."""
    actor = Actor(f"Person {number}", f"person:{number}", "person", "console")
    return Caller(actor, permissions_of(roles or (Role.REVIEWER,)), PersonId(number))


ANNA, BEN = somebody(1), somebody(2)


def picture(seed: int = 1) -> bytes:
    """A landscape as a file."""
    file = io.BytesIO()
    landscape(seed=seed).save(file, "PNG")
    return file.getvalue()


def sealed_case(
    vault: Vault, content: bytes, kind: ItemKind = ItemKind.PICTURE, **values: object
) -> tuple[CaseId, int]:
    """A case with a sealed item: its number, and the item's."""
    known = FingerprintSet(size=len(content), sha256=hashlib.sha256(content).digest())
    opening = Opening(Item("p", "scan", known), (), content=lambda: [content])
    [case] = open_cases(vault, [opening], vault.clock)
    with vault.database.writing() as connection:
        item = connection.execute(
            update(case_items)
            .where(case_items.c.case_id == case)
            .values(kind=kind, evidence_id=opening.evidence)
            .returning(case_items.c.id)
        ).scalar_one()
        if values:
            connection.execute(update(cases).where(cases.c.id == case).values(values))
    return case, item


def held(vault: Vault, case: CaseId, caller: Caller, minutes: int = 15) -> None:
    """Have somebody hold a case."""
    with vault.database.writing() as connection:
        connection.execute(
            update(cases)
            .where(cases.c.id == case)
            .values(
                state="in_review",
                held_by=caller.person,
                held_until=vault.clock() + timedelta(minutes=minutes),
            )
        )


def begun(
    vault: Vault,
    settings: Settings,
    place: tuple[CaseId, int],
    level: Level = Level.WHOLE,
    *,
    caller: Caller = ANNA,
    why: Why | None = None,
    session: int = SESSION,
    proved: bool = True,
    colour: bool = False,
) -> Viewing:
    """Have somebody ask to be shown an item."""
    reason = why or (Why.OPENED if level is Level.VEIL else Why.DECIDE)
    with vault.database.writing() as connection:
        return begin(
            connection,
            Wish(*place, level, reason, colour),
            caller,
            vault.clock,
            settings,
            session=session,
            proved=proved,
        )


def entered(database: Database, act: str) -> list[tuple[str, str | None, str | None, str | None]]:
    """What the ledger says of an act: who, of which case and item, and of what else."""
    with database.reading() as connection:
        rows = connection.execute(
            select(
                ledger_entries.c.actor,
                ledger_entries.c.case_id,
                ledger_entries.c.item,
                ledger_entries.c.thing,
            )
            .where(ledger_entries.c.act == act)
            .order_by(ledger_entries.c.number)
        ).all()
    return [tuple(row) for row in rows]


def as_image(jpeg: bytes) -> Image.Image:
    """What somebody is shown."""
    return Image.open(io.BytesIO(jpeg))
