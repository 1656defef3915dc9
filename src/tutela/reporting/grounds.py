"""Whether a report still has its ground: whatever became of its case since it was signed.

People sign at leisure and an authority may be down for a week. Meanwhile a case may be taken back,
reopened or appealed against, and nobody is to be reported whom this house has cleared.
"""

from enum import Enum

from sqlalchemy import Connection, select

from tutela.cases.deciding import Decision
from tutela.cases.model import CaseId
from tutela.cases.moving import state_of
from tutela.cases.states import State
from tutela.cases.tables import case_decisions


class StillStands(Enum):
    """Whether what was signed may go."""

    YES = "yes"
    NOT_NOW = "not now"
    """An appeal is being decided: it may after that."""
    NO = "no"
    """The case is confirmed no more."""


def ground_of_report(connection: Connection, case: CaseId) -> StillStands:
    """Whether a report of a case that was signed may go now.

    Closing a confirmed case says that nothing is left to do for people here, and takes nothing back
    of what somebody stands for.

    Raises:
        NotFoundError: There is no such case.
    """
    state = state_of(connection, case)
    if state in (State.CONFIRMED, State.REPORTED):
        return StillStands.YES
    if state is State.UNDER_APPEAL:
        return StillStands.NOT_NOW
    if state is State.CLOSED and _was_confirmed(connection, case):
        return StillStands.YES
    return StillStands.NO


def _was_confirmed(connection: Connection, case: CaseId) -> bool:
    last = connection.execute(
        select(case_decisions.c.decision)
        .where(case_decisions.c.case_id == case, case_decisions.c.undone_at.is_(None))
        .order_by(case_decisions.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return last == Decision.CONFIRMED
