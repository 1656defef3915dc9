"""Appeals: the person concerned says that it is a mistake, and somebody else decides again.

An appeal changes nothing about evidence: what the law or a person holds stays held. Its words are a
person's own, so they are shown to leads alone, and are erased when their time is over.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from sqlalchemy import Connection, Row, insert, select, update

from tutela.accounts.calling import need
from tutela.accounts.model import Caller
from tutela.accounts.permissions import Permission
from tutela.cases.announcing import announce_appeal, announce_not_confirmed
from tutela.cases.counting import Counted, count, technology_behind
from tutela.cases.deciding import Decision, Stage, record_decision
from tutela.cases.grounds import Basis, has_seen, matched_entries
from tutela.cases.model import CaseId
from tutela.cases.moving import (
    AlreadyHeldError,
    MoveNotAllowedError,
    change_state,
    check_final,
    enter_move,
    has_decided,
    holder_of,
    last_decision,
    lock_case,
)
from tutela.cases.states import MOVES, Move, State
from tutela.cases.tables import appeals
from tutela.errors import InvalidInputError, NotFoundError, OutOfTurnError
from tutela.hashlists.flagging import enter_flags, flag_entries
from tutela.storage.clock import Clock

AppealId = NewType("AppealId", int)

LONGEST_WORDS = 10_000
LONGEST_REASON = 2_000


class AppealOutcome(StrEnum):
    """What a lead decides."""

    GRANTED = "granted"
    """It was a mistake: the case is not confirmed."""
    UPHELD = "upheld"
    """It was none: the case is as it was."""


@dataclass(frozen=True, slots=True)
class Appeal:
    """That somebody says that it is a mistake.

    Attributes:
        id: Its number.
        case: The case.
        received_at: When it came in.
        received_by: Who took it in, by the actor's id in the ledger.
        words: What the person concerned says, or ``None`` if the caller may not read it.
        decided_at: When it was decided, if it was.
        decided_by: Who decided it, by the actor's id in the ledger.
        outcome: What was decided.
        reason: Why, in the lead's words; ``None`` as for the words.
    """

    id: AppealId
    case: CaseId
    received_at: datetime
    received_by: str
    words: str | None
    decided_at: datetime | None
    decided_by: str | None
    outcome: AppealOutcome | None
    reason: str | None

    def as_fields(self) -> dict[str, object]:
        """The appeal as the faces show it."""
        return {
            "appeal": self.id,
            "case": self.case,
            "received_at": self.received_at.isoformat(),
            "received_by": self.received_by,
            "words": self.words,
            "decided_at": self.decided_at.isoformat() if self.decided_at else None,
            "decided_by": self.decided_by,
            "outcome": self.outcome,
            "reason": self.reason,
        }


def receive_appeal(
    connection: Connection,
    case: CaseId,
    words: str,
    caller: Caller,
    clock: Clock,
    *,
    undo_seconds: int = 0,
) -> Appeal:
    """Take an appeal in.

    Args:
        connection: A transaction that writes; this comes last in it.
        case: The case.
        words: What the person concerned says; may be empty.
        caller: Who takes it in: the platform's key, or a person.
        clock: The time.
        undo_seconds: So long it waits for another person who may still take the decision back.

    Raises:
        NotFoundError: There is no such case.
        OutOfTurnError: Nobody has decided yet, it is not confirmed, or under appeal already; or
            whoever decided may still take that back.
        InvalidInputError: The words are too long.
    """
    words = _checked("what the person concerned says", words, LONGEST_WORDS)
    row = lock_case(connection, case)
    state = State(row.state)
    if state is State.UNDER_APPEAL:
        raise OutOfTurnError("{case} is under appeal already: one is decided at a time", case=case)
    last = last_decision(connection, case)
    cleared = last is not None and last.decision == Decision.NOT_CONFIRMED
    if state not in MOVES[Move.APPEAL] or cleared:
        raise OutOfTurnError(
            "{case} is {state}: there can be an appeal once it is confirmed", case=case, state=state
        )
    check_final(connection, case, caller, clock, undo_seconds)
    number = connection.execute(
        insert(appeals)
        .values(case_id=case, received_at=clock(), received_by=caller.actor.id, words=words)
        .returning(appeals.c.id)
    ).scalar_one()
    technology = technology_behind(connection, case)
    change_state(connection, case, Move.APPEAL, State.UNDER_APPEAL, clock)
    found = find_appeal(connection, AppealId(number), caller)
    enter_move(connection, case, Move.APPEAL, caller, clock)
    count(connection, Counted.APPEALED, technology, clock().date())
    return found


def decide_appeal(
    connection: Connection,
    appeal: AppealId,
    outcome: AppealOutcome,
    caller: Caller,
    clock: Clock,
    *,
    reason: str,
) -> Appeal:
    """Decide an appeal. It takes effect at once.

    Granted, the case is not confirmed, the platform is told to let its uploads free, and the
    entries that matched are put in doubt for a person to look at.

    Args:
        connection: A transaction that writes; this comes last in it.
        appeal: The appeal.
        outcome: What is decided.
        caller: A lead who has not decided on this case before.
        clock: The time.
        reason: Why, in the caller's own words.

    Raises:
        NotFoundError: There is no such appeal.
        NotPermittedError: The caller is no lead, or a program.
        OutOfTurnError: It is decided, the caller has decided on the case before, or another one
            holds it.
        InvalidInputError: There is no reason, or it is too long.
    """
    need(caller, Permission.CASES_LEAD)
    holder = holder_of(caller)
    reason = _checked("the reason", reason, LONGEST_REASON)
    if not reason:
        raise InvalidInputError("say why: whoever looks at this later will want to know")
    case = find_appeal(connection, appeal, caller).case
    row = lock_case(connection, case)
    # Read again behind the lock: another lead may have been quicker.
    if find_appeal(connection, appeal, caller).outcome is not None:
        raise OutOfTurnError("appeal {appeal} is decided already", appeal=appeal)
    if row.held_until is not None and row.held_until > clock() and row.held_by != holder:
        raise AlreadyHeldError(case, row.held_by, row.held_until)
    if has_decided(connection, case, caller):
        raise OutOfTurnError(
            "you have decided on {case} before: another lead decides the appeal", case=case
        )
    if State(row.state) is not State.UNDER_APPEAL:
        raise MoveNotAllowedError(
            "{case} is {state}, and not under appeal", case=case, state=State(row.state)
        )
    connection.execute(
        update(appeals)
        .where(appeals.c.id == appeal)
        .values(decided_at=clock(), decided_by=caller.actor.id, outcome=outcome, reason=reason)
    )
    _conclude(connection, appeal, outcome, row, caller, clock, reason=reason)
    return find_appeal(connection, appeal, caller)


def waiting_appeals(
    connection: Connection, caller: Caller, *, after: AppealId | None = None, limit: int = 50
) -> list[Appeal]:
    """The appeals that nobody has decided, the oldest first."""
    wanted = select(appeals).where(appeals.c.decided_at.is_(None)).order_by(appeals.c.id)
    if after is not None:
        wanted = wanted.where(appeals.c.id > after)
    return [_appeal(row, caller) for row in connection.execute(wanted.limit(limit))]


def appeals_of(connection: Connection, case: CaseId, caller: Caller) -> list[Appeal]:
    """Every appeal of a case, the oldest first."""
    rows = connection.execute(
        select(appeals).where(appeals.c.case_id == case).order_by(appeals.c.id)
    )
    return [_appeal(row, caller) for row in rows]


def find_appeal(connection: Connection, appeal: AppealId, caller: Caller) -> Appeal:
    """One appeal.

    Raises:
        NotFoundError: There is none of this number.
    """
    row = connection.execute(select(appeals).where(appeals.c.id == appeal)).one_or_none()
    if row is None:
        raise NotFoundError(f'there is no appeal {appeal}: see "tutela case appeal ls"')
    return _appeal(row, caller)


def _conclude(
    connection: Connection,
    appeal: AppealId,
    outcome: AppealOutcome,
    row: Row[Any],
    caller: Caller,
    clock: Clock,
    *,
    reason: str,
) -> None:
    case, granted = CaseId(str(row.id)), outcome is AppealOutcome.GRANTED
    cause = f"appeal:{appeal}"
    record_decision(
        connection,
        case,
        stage=Stage.APPEAL,
        decision=Decision.NOT_CONFIRMED if granted else Decision.CONFIRMED,
        basis=Basis.SEEN if has_seen(connection, case, caller) else Basis.READ,
        state_before=State.UNDER_APPEAL,
        reason=reason,
        caller=caller,
        clock=clock,
    )
    move = Move.GRANT if granted else Move.UPHOLD
    after = State.NOT_CONFIRMED if granted else State(row.state_before)
    change_state(connection, case, move, after, clock)
    flags = []
    if granted:
        flags = flag_entries(
            connection, matched_entries(connection, case), case, caller.actor, clock
        )
        announce_not_confirmed(connection, case, cause, clock)
    announce_appeal(connection, case, outcome, cause, clock)
    technology = technology_behind(connection, case)
    enter_move(connection, case, move, caller, clock, reason=reason)
    enter_flags(connection, flags, case, caller.actor, clock)
    received = connection.execute(
        select(appeals.c.received_at).where(appeals.c.id == appeal)
    ).scalar_one()
    counted = Counted.GRANTED if granted else Counted.UPHELD
    count(connection, counted, technology, clock().date(), waited=clock() - received)


def _checked(what: str, text: str, longest: int) -> str:
    text = text.strip().replace("\0", "")
    if len(text) > longest:
        raise InvalidInputError(
            "{what} is too long: at most {longest:,} characters", what=what, longest=longest
        )
    return text


def _appeal(row: Row[Any], caller: Caller) -> Appeal:
    may_read = Permission.CASES_LEAD in caller.permissions
    return Appeal(
        id=AppealId(row.id),
        case=CaseId(row.case_id),
        received_at=row.received_at,
        received_by=row.received_by,
        words=row.words if may_read else None,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        outcome=AppealOutcome(row.outcome) if row.outcome else None,
        reason=row.reason if may_read else None,
    )
