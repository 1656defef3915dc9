"""Whether a report still has its ground: whatever became of its case since it was signed.

People sign at leisure and an authority may be down for a week. Meanwhile a case may be taken back,
reopened or appealed against, and nobody is to be reported whom this house has cleared.
"""

from enum import Enum

from sqlalchemy import Connection

from tutela.cases.deciding import Decision
from tutela.cases.model import CaseId
from tutela.cases.moving import last_decision, state_of
from tutela.cases.states import State


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
    if state is State.CLOSED:
        last = last_decision(connection, case)
        if last is not None and last.decision == Decision.CONFIRMED:
            return StillStands.YES
    return StillStands.NO
