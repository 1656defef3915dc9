"""What follows from a decision outside, once it can no longer be undone."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from tutela.cases.announcing import announce_confirmed, announce_not_confirmed
from tutela.cases.counting import Counted, count, technology_behind
from tutela.cases.grounds import matched_entries
from tutela.cases.model import CaseId
from tutela.cases.moving import last_decision, lock_case
from tutela.cases.states import State
from tutela.cases.tables import cases
from tutela.hashlists.flagging import FlagId, enter_flags, flag_entries
from tutela.ledger.model import SYSTEM
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.finishing import finish
from tutela.storage.jobs.model import Job, Kind

_UNDECIDED = frozenset(
    {State.OPEN, State.IN_REVIEW, State.SECOND_LOOK, State.IN_SECOND_LOOK, State.DISPUTED}
)

TAKE_EFFECT = "case.take-effect"
"""The job that tells the outside of a decision."""


def effect_later(
    connection: Connection, case: CaseId, decision: int, at: datetime, clock: Clock
) -> None:
    """Have a decision take effect when it can no longer be undone."""
    enqueue(connection, TAKE_EFFECT, {"case": case, "decision": decision}, clock, at=at)


Confirmed = Callable[[Connection, CaseId, str, Clock], None]
"""What else a confirmed case leads to: is given the case, and what it follows from."""


def taking_effect(database: Database, clock: Clock, *, then: Sequence[Confirmed] = ()) -> Kind:
    """The kind of job that has decisions take effect.

    Args:
        database: The database.
        clock: The time.
        then: What a confirmed case leads to in rooms that this one does not know, in the same
            transaction. It writes nothing into the ledger.
    """

    def take_effect(job: Job) -> None:
        case = CaseId(str(job.payload["case"]))
        number = int(str(job.payload["decision"]))
        with database.writing() as connection:
            decided = _standing(connection, case, number)
            flags: list[FlagId] = []
            if decided is not None:
                flags = _tell(connection, case, decided, clock)
                if decided.decision == "confirmed":
                    for each in then:
                        each(connection, case, f"decision:{decided.id}", clock)
            finish(connection, job, clock)
            enter_flags(connection, flags, case, SYSTEM, clock)
            if decided is not None:
                _count(connection, case, decided)

    return Kind(TAKE_EFFECT, take_effect, at_once=4, attempts=None)


def _standing(connection: Connection, case: CaseId, decision: int) -> Row[Any] | None:
    """A decision, unless it was taken back or the case has been decided or opened anew since."""
    row = lock_case(connection, case)
    last = last_decision(connection, case)
    if last is None or last.id != decision or State(row.state) in _UNDECIDED:
        return None
    return last


def _tell(connection: Connection, case: CaseId, decided: Row[Any], clock: Clock) -> list[FlagId]:
    cause = f"decision:{decided.id}"
    if decided.decision == "confirmed":
        announce_confirmed(connection, case, cause, clock)
        return []
    # A picture that is only similar says nothing about the entry; the very same file does.
    entries = matched_entries(connection, case, the_very_files=True)
    flags = flag_entries(connection, entries, case, SYSTEM, clock)
    announce_not_confirmed(connection, case, cause, clock)
    return flags


def _count(connection: Connection, case: CaseId, decided: Row[Any]) -> None:
    opened = connection.execute(select(cases.c.opened_at).where(cases.c.id == case)).scalar_one()
    what = Counted(decided.decision)
    at = decided.decided_at
    technology = technology_behind(connection, case)
    count(connection, what, technology, at.date(), waited=at - opened)
