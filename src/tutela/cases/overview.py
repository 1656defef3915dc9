"""How things stand: what somebody holds, what was decided lately, and what can be undone."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, tuple_

from tutela.accounts.model import PersonId
from tutela.cases.deciding import Decision
from tutela.cases.model import CaseId
from tutela.cases.queue import Queued, queued
from tutela.cases.tables import case_decisions, cases
from tutela.storage.clock import Clock
from tutela.storage.settings import Settings


@dataclass(frozen=True, slots=True)
class Undoable:
    """A decision that can still be taken back by whoever took it.

    Attributes:
        case: The case.
        decision: What was decided.
        until: Until when.
    """

    case: CaseId
    decision: Decision
    until: datetime


def held(
    connection: Connection, *, limit: int = 50, after: tuple[datetime, CaseId] | None = None
) -> list[Queued]:
    """A page of the cases that somebody holds, the one whose hold runs out first at the top.

    Args:
        connection: Where to read.
        limit: How many at most.
        after: When the last hold of the page before runs out, and its case.
    """
    page = select(cases).where(cases.c.held_until.is_not(None))
    if after is not None:
        page = page.where(tuple_(cases.c.held_until, cases.c.id) > tuple_(*after))
    return list(queued(connection, page.order_by(cases.c.held_until, cases.c.id).limit(limit)))


def decided(
    connection: Connection, *, limit: int = 50, after: tuple[datetime, CaseId] | None = None
) -> list[Queued]:
    """A page of the cases that were decided, the last one at the top.

    Args:
        connection: Where to read.
        limit: How many at most.
        after: When the last case of the page before was decided, and its number.
    """
    page = select(cases).where(cases.c.decided_at.is_not(None))
    if after is not None:
        page = page.where(tuple_(cases.c.decided_at, cases.c.id) < tuple_(*after))
    newest_first = page.order_by(cases.c.decided_at.desc(), cases.c.id.desc())
    return list(queued(connection, newest_first.limit(limit)))


def undoable(
    connection: Connection, person: PersonId, clock: Clock, settings: Settings
) -> list[Undoable]:
    """What a person decided within the time for undoing, the last one first."""
    time_for_it = timedelta(seconds=settings.review.undo_seconds)
    rows = connection.execute(
        select(case_decisions)
        .where(
            case_decisions.c.person == person,
            case_decisions.c.decided_at > clock() - time_for_it,
            case_decisions.c.undone_at.is_(None),
        )
        .order_by(case_decisions.c.decided_at.desc())
        .limit(5)
    )
    return [
        Undoable(CaseId(row.case_id), Decision(row.decision), row.decided_at + time_for_it)
        for row in rows
    ]
