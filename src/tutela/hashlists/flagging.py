"""Entries in doubt: a case that they opened turned out to be nothing.

A flag changes nothing by itself, since it may have been the match that was wrong and not the entry.
A person withdraws the entry or keeps it, and sees of it which list it is on, never its value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from sqlalchemy import Connection, select, update

from tutela.errors import InvalidInputError, NotFoundError
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.hashlists.entries import KINDS, withdraw_entry
from tutela.hashlists.lists import find_list
from tutela.hashlists.tables import entries, entry_flags, hash_lists
from tutela.hashlists.wording import checked_text
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock
from tutela.storage.database import insert_or_ignore

FlagId = NewType("FlagId", int)


class FlagOutcome(StrEnum):
    """What a person says of an entry in doubt."""

    WITHDRAWN = "withdrawn"
    """It does not belong on the list: it matches no more."""
    KEPT = "kept"
    """It belongs there: the match was wrong, or the case is another matter."""


@dataclass(frozen=True, slots=True)
class Flag:
    """An entry in doubt.

    Attributes:
        id: The flag's number.
        list_name: The list that the entry is on.
        kind: What kind of fingerprint it is.
        label: What the list says that it is; may be empty.
        case: The case that put it in doubt.
        raised_at: When.
    """

    id: FlagId
    list_name: str
    kind: Kind
    label: str
    case: str
    raised_at: datetime

    def as_fields(self) -> dict[str, object]:
        """The flag as the faces show it: never the entry itself."""
        return {
            "flag": self.id,
            "list": self.list_name,
            "kind": self.kind,
            "label": self.label,
            "case": self.case,
            "raised_at": self.raised_at.isoformat(),
        }


def flag_entries(
    connection: Connection, which: Iterable[int], case: str, actor: Actor, clock: Clock
) -> list[FlagId]:
    """Put entries in doubt; ``enter_flags`` has to follow in the same transaction.

    Those that are in doubt already, or match no more, are passed over.

    Args:
        connection: The transaction.
        which: The entries' numbers.
        case: The case that puts them in doubt.
        actor: Who says so.
        clock: The time.
    """
    live = connection.execute(
        select(entries.c.id)
        .where(entries.c.id.in_(sorted(set(which))), entries.c.live)
        .order_by(entries.c.id)
    ).scalars()
    flagged = []
    for entry in live.all():
        made = connection.execute(
            insert_or_ignore(connection, entry_flags)
            .values(entry_id=entry, case_id=case, raised_at=clock(), raised_by=actor.id)
            .returning(entry_flags.c.id)
        ).scalar_one_or_none()
        if made is not None:
            flagged.append(FlagId(made))
    return flagged


def enter_flags(
    connection: Connection, flags: Sequence[FlagId], case: str, actor: Actor, clock: Clock
) -> None:
    """Say in the ledger which entries are in doubt."""
    for flag in flags:
        append(connection, actor, Act.ENTRY_FLAGGED, clock, case=case, thing=f"flag:{flag}")


def open_flags(
    connection: Connection, *, after: FlagId | None = None, limit: int = 50
) -> list[Flag]:
    """The entries in doubt that nobody has settled, the oldest first.

    Args:
        connection: A transaction.
        after: Only those behind this one: how the next page is asked for.
        limit: How many at most.
    """
    wanted = _SELECT.order_by(entry_flags.c.id).limit(limit)
    if after is not None:
        wanted = wanted.where(entry_flags.c.id > after)
    return [
        Flag(
            id=FlagId(row.id),
            list_name=row.name,
            kind=KINDS[row.kind],
            label=row.label or "",
            case=row.case_id,
            raised_at=row.raised_at,
        )
        for row in connection.execute(wanted)
    ]


def settle_flag(
    connection: Connection,
    flag: FlagId,
    outcome: FlagOutcome,
    actor: Actor,
    clock: Clock,
    *,
    reason: str,
) -> None:
    """Withdraw an entry in doubt, or keep it.

    Raises:
        NotFoundError: There is no such flag.
        InvalidInputError: No reason is given, or it is settled already.
    """
    reason = checked_text("reason", reason, required=True)
    row = connection.execute(
        select(
            entry_flags.c.settled_at,
            entry_flags.c.case_id,
            entries.c.kind,
            entries.c.value,
            entries.c.live,
            hash_lists.c.name,
            hash_lists.c.removed_at,
        )
        .join_from(entry_flags, entries)
        .join(hash_lists, hash_lists.c.id == entries.c.list_id)
        .where(entry_flags.c.id == flag)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no flag {flag}: see which entries are in doubt")
    if row.settled_at is not None:
        raise InvalidInputError("flag {flag} was settled before", flag=flag)
    connection.execute(
        update(entry_flags)
        .where(entry_flags.c.id == flag)
        .values(settled_at=clock(), settled_by=actor.id, outcome=outcome, reason=reason)
    )
    if outcome is FlagOutcome.WITHDRAWN and row.live and row.removed_at is None:
        withdraw_entry(
            connection,
            find_list(connection, row.name),
            Fingerprint(KINDS[row.kind], row.value),
            reason=reason,
            actor=actor,
            clock=clock,
        )
    append(
        connection,
        actor,
        Act.ENTRY_FLAG_SETTLED,
        clock,
        case=row.case_id,
        thing=f"flag:{flag}",
        reason=f"{outcome}: {reason}",
    )


_SELECT = (
    select(
        entry_flags.c.id,
        entry_flags.c.case_id,
        entry_flags.c.raised_at,
        entries.c.kind,
        entries.c.label,
        hash_lists.c.name,
    )
    .join_from(entry_flags, entries)
    .join(hash_lists, hash_lists.c.id == entries.c.list_id)
    .where(entry_flags.c.settled_at.is_(None))
)
