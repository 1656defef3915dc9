"""Four eyes: what one person asks for, another one has to agree to before it is done.

A request is one person's; another one, who has the same permission, agrees to it or refuses it.
It lapses after a week, and is void once the asker may not do such things any more.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType

from sqlalchemy import Connection, RowMapping, insert, select, update

from tutela.accounts.model import Caller, PersonId
from tutela.accounts.people import find_person
from tutela.accounts.permissions import Permission
from tutela.accounts.tables import agreements
from tutela.errors import InvalidInputError, NotAgreedError, NotFoundError, NotPermittedError
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.storage.clock import Clock
from tutela.storage.database import changed_rows

AgreementId = NewType("AgreementId", int)

VALIDITY = timedelta(days=7)


class Matter(StrEnum):
    """What two people have to want."""

    ROLES = "roles"
    """Somebody is made an administrator or a custodian, or an administrator takes any role more."""
    INVITATION = "invitation"
    """Somebody is invited to be one."""
    START_ANEW = "start-anew"
    """One who is one sets up anew how they sign in."""

    @property
    def permission(self) -> Permission:
        """What both need."""
        return Permission.PEOPLE_WRITE


@dataclass(frozen=True, slots=True)
class Agreement:
    """What somebody asked for, and what became of it.

    Attributes:
        id: Its number.
        matter: What kind of thing it is.
        person: About whom, if they are here already.
        details: What exactly is to be done; empty once it is decided on.
        reason: Why, in the asker's words.
        asked_at: When.
        asked_by: By whom.
        decided_at: When another one decided, or ``None``.
        decided_by: Who.
        outcome: ``agreed``, ``refused`` or ``None``.
    """

    id: AgreementId
    matter: Matter
    person: PersonId | None
    details: Mapping[str, Any]
    reason: str
    asked_at: datetime
    asked_by: PersonId
    decided_at: datetime | None
    decided_by: PersonId | None
    outcome: str | None

    @property
    def thing(self) -> str:
        """What the ledger calls it."""
        return f"agreement:{self.id}"

    @property
    def lapses_at(self) -> datetime:
        """Until when another one may agree."""
        return self.asked_at + VALIDITY


def ask(
    connection: Connection,
    matter: Matter,
    details: Mapping[str, Any],
    *,
    person: PersonId | None,
    reason: str,
    caller: Caller,
    clock: Clock,
) -> Agreement:
    """Ask for something, in the caller's transaction.

    Raises:
        InvalidInputError: The reason is too long.
        NotPermittedError: The caller is no person.
    """
    reason = " ".join(reason.split()).replace("\0", "")
    if len(reason) > 1000:
        raise InvalidInputError("a reason may have 1,000 letters at most")
    number = connection.execute(
        insert(agreements)
        .values(
            matter=matter,
            person=person,
            details=json.dumps(details),
            reason=reason,
            asked_at=clock(),
            asked_by=_person(caller),
        )
        .returning(agreements.c.id)
    ).scalar_one()
    asked = find_agreement(connection, number)
    append(connection, caller.actor, Act.AGREEMENT_ASKED, clock, thing=asked.thing, reason=reason)
    return asked


def give(connection: Connection, number: int, caller: Caller, clock: Clock) -> Agreement:
    """Agree to what another person asked for.

    Whoever calls it does what was agreed to, and then ``note_given``, in the same transaction.

    Returns:
        What is to be done, with its details.

    Raises:
        NotAgreedError: It was decided on, has lapsed, or its asker may not do it any more.
        NotFoundError: There is no such request.
        NotPermittedError: The caller asked for it, is no person, or lacks the permission.
    """
    asked = find_agreement(connection, number)
    if _person(caller) == asked.asked_by:
        raise NotPermittedError("you asked for this yourself: another person has to agree to it")
    _require_open(asked)
    if clock() >= asked.lapses_at:
        raise NotAgreedError(
            "request {number} has lapsed ({days} days): it has to be asked for again",
            number=number,
            days=VALIDITY.days,
        )
    if asked.matter.permission not in find_person(connection, asked.asked_by).permissions:
        raise NotAgreedError(
            "request {number} is void, since person:{asked_by} may not do this any more",
            number=number,
            asked_by=asked.asked_by,
        )
    _decide(connection, asked, "agreed", caller, clock)
    return asked


def note_given(connection: Connection, given: Agreement, caller: Caller, clock: Clock) -> None:
    """Say in the ledger that somebody agreed: the second half of ``give``, when all is done."""
    append(connection, caller.actor, Act.AGREEMENT_GIVEN, clock, thing=given.thing)


def refuse(
    connection: Connection, number: int, reason: str, caller: Caller, clock: Clock
) -> Agreement:
    """Refuse what was asked for; the asker may do so too.

    Raises:
        NotAgreedError: It was decided on already.
        NotFoundError: There is no such request.
        NotPermittedError: The caller is no person, or lacks the permission.
    """
    asked = find_agreement(connection, number)
    _person(caller)
    _require_open(asked)
    _decide(connection, asked, "refused", caller, clock)
    append(connection, caller.actor, Act.AGREEMENT_REFUSED, clock, thing=asked.thing, reason=reason)
    return find_agreement(connection, number)


def find_agreement(connection: Connection, number: int) -> Agreement:
    """One request.

    Raises:
        NotFoundError: There is none of this number.
    """
    row = (
        connection.execute(select(agreements).where(agreements.c.id == number))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFoundError(f"there is no request {number} that needs agreement")
    return _agreement(row)


def open_agreements(connection: Connection, clock: Clock) -> list[Agreement]:
    """What still needs a second person, the oldest first."""
    rows = connection.execute(
        select(agreements)
        .where(agreements.c.decided_at.is_(None), agreements.c.asked_at > clock() - VALIDITY)
        .order_by(agreements.c.asked_at)
    ).mappings()
    return [_agreement(row) for row in rows]


def _decide(
    connection: Connection, asked: Agreement, outcome: str, caller: Caller, clock: Clock
) -> None:
    changed = changed_rows(
        connection,
        update(agreements)
        .where(agreements.c.id == asked.id, agreements.c.decided_at.is_(None))
        # What was to be done may hold a name and an address, which are of no use any more.
        .values(decided_at=clock(), decided_by=caller.person, outcome=outcome, details="{}"),
    )
    if not changed:
        # Somebody was quicker.
        _require_open(find_agreement(connection, asked.id))


def _require_open(agreement: Agreement) -> None:
    if agreement.decided_at is not None:
        raise NotAgreedError(
            "request {id} was {outcome} already, by person:{decided_by}",
            id=agreement.id,
            outcome=agreement.outcome,
            decided_by=agreement.decided_by,
        )


def _person(caller: Caller) -> PersonId:
    if caller.person is None:
        raise NotPermittedError(
            "this needs two people, so each of them has to act as themselves: sign in, or use an "
            "API key that belongs to you"
        )
    return caller.person


def _agreement(row: RowMapping) -> Agreement:
    return Agreement(
        id=AgreementId(row["id"]),
        matter=Matter(row["matter"]),
        person=PersonId(row["person"]) if row["person"] is not None else None,
        details=json.loads(row["details"]),
        reason=row["reason"],
        asked_at=row["asked_at"],
        asked_by=PersonId(row["asked_by"]),
        decided_at=row["decided_at"],
        decided_by=PersonId(row["decided_by"]) if row["decided_by"] is not None else None,
        outcome=row["outcome"],
    )
