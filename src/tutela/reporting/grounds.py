"""Whether a report has its ground: its case is confirmed, whatever became of it meanwhile.

The one rule for beginning, signing, agreeing, queueing and sending. People sign at leisure and an
authority may be down for a week. Meanwhile a case may be taken back, reopened or appealed against,
and nobody is to be reported whom this house has cleared.
"""

from enum import Enum

from sqlalchemy import Connection

from tutela.cases.deciding import Decision
from tutela.cases.model import CaseId
from tutela.cases.moving import last_decision, state_of
from tutela.cases.states import State
from tutela.errors import OutOfTurnError


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


def is_reportable(connection: Connection, case: CaseId, *, anew: bool) -> bool:
    """Whether something may be done now by which a report of a case goes.

    Args:
        connection: A transaction.
        case: The case.
        anew: Whether a first report is begun or signed. Whoever closes a case says that there is to
            be none; what was signed before, and what corrects an earlier one, goes nevertheless.

    Raises:
        NotFoundError: There is no such case.
    """
    stands = ground_of_report(connection, case) is StillStands.YES
    return stands and not (anew and state_of(connection, case) is State.CLOSED)


def check_reportable(connection: Connection, case: CaseId, *, anew: bool) -> None:
    """See that something may be done now by which a report of a case goes.

    Args:
        connection: A transaction.
        case: The case.
        anew: As for ``is_reportable``.

    Raises:
        NotFoundError: There is no such case.
        OutOfTurnError: It may not.
    """
    if not is_reportable(connection, case, anew=anew):
        raise OutOfTurnError(
            "{case} is {state}: only what is confirmed is reported; decide on it first",
            case=case,
            state=state_of(connection, case),
        )
