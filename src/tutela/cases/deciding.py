"""Deciding on cases: the first look, the second one, what a lead settles, and taking it back.

The second person does not know what the first one decided. If they agree, that is the decision; if
they do not, or one of them is not sure, a lead settles it who was neither of the two. Which
decisions are looked at twice is drawn by lot, besides those for which the settings ask it.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from sqlalchemy import Connection, exists, insert, select, update

from tutela.accounts.model import Caller, PersonId
from tutela.accounts.people import all_people
from tutela.accounts.permissions import Permission
from tutela.cases.grounds import Basis, Ground, check_basis, ground_of, undoable_since
from tutela.cases.model import CaseId
from tutela.cases.moving import (
    BY_ITSELF,
    AlreadyHeldError,
    Hold,
    MoveNotAllowedError,
    change_state,
    check_final,
    check_hold,
    enter_move,
    hold_again,
    holder_of,
    last_decision,
    lock_case,
)
from tutela.cases.states import MOVES, Move, State
from tutela.cases.tables import case_decisions
from tutela.cases.taking_effect import effect_later
from tutela.errors import InvalidInputError, NotPermittedError, OutOfTurnError
from tutela.storage.clock import Clock
from tutela.storage.settings import Review, SecondLookFor, Settings

DecisionId = NewType("DecisionId", int)

LONGEST_REASON = 2000


class Decision(StrEnum):
    """What somebody decides."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    NOT_SURE = "not_sure"


class Stage(StrEnum):
    """In which capacity somebody decides."""

    FIRST = "first"
    SECOND = "second"
    SETTLED = "settled"
    APPEAL = "appeal"


class SecondLook(StrEnum):
    """Why a second person looks."""

    SAMPLE = "sample"
    ASKED = "asked"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a decision.

    Attributes:
        decision: The decision's number.
        state: Where the case stands now.
        second_look: Why a second person looks, if one does.
        undo_until: Until when it can be undone by whoever took it.
    """

    decision: DecisionId
    state: State
    second_look: SecondLook | None
    undo_until: datetime


def decide(
    connection: Connection,
    case: CaseId,
    decision: Decision,
    caller: Caller,
    clock: Clock,
    settings: Settings,
    *,
    hold: int,
    basis: Basis,
    reason: str = "",
    ask_second: bool = False,
) -> Outcome:
    """Decide on a case that one holds. Nobody outside hears of it while it can be undone.

    Args:
        connection: A transaction that writes; this comes last in it.
        case: The case.
        decision: What it is.
        caller: Who decides.
        clock: The time.
        settings: The configuration.
        hold: The number of the caller's hold.
        basis: What the decision rests on.
        reason: Why, in the caller's own words.
        ask_second: Whether the caller wants a second person to look.

    Raises:
        NotFoundError: There is no such case.
        HoldLostError: The caller does not have it any more.
        InvalidInputError: The decision cannot rest on that, or the reason is too long.
        MoveNotAllowedError: It is a lead's to settle.
    """
    reason = _checked(reason)
    state = check_hold(connection, case, caller, hold)
    ground = _ground_for(connection, case, basis, clock, settings)
    if state is State.IN_REVIEW:
        check_basis(connection, case, basis, ground, caller)
        look = _second_look(
            connection,
            case,
            decision,
            ground,
            caller,
            review=settings.review,
            asked=ask_second,
        )
        move, after = _first_move(decision, look)
        taken = _Taken(Stage.FIRST, decision, basis, state, reason, look)
        return _conclude(connection, case, taken, (move, after), caller, clock, settings=settings)
    if state is State.IN_SECOND_LOOK:
        check_basis(connection, case, basis, ground, caller)
        first = decisions_of_now(connection, case)[0]
        agreed = decision is Decision(first.decision)
        move, after = _FINAL[decision] if agreed else (Move.DISPUTE, State.DISPUTED)
        taken = _Taken(Stage.SECOND, decision, basis, state, reason)
        return _conclude(connection, case, taken, (move, after), caller, clock, settings=settings)
    raise MoveNotAllowedError("{case} is {state}: a lead settles it", case=case, state=state)


def settle(
    connection: Connection,
    case: CaseId,
    decision: Decision,
    caller: Caller,
    clock: Clock,
    settings: Settings,
    *,
    basis: Basis,
    reason: str,
) -> Outcome:
    """Decide what two people did not agree on, or one of them was not sure of.

    Args:
        connection: A transaction that writes; this comes last in it.
        case: The case.
        decision: What it is: one has to be sure now.
        caller: A lead, and neither of the two.
        clock: The time.
        settings: The configuration.
        basis: What the decision rests on.
        reason: Why, in the caller's own words.

    Raises:
        NotFoundError: There is no such case.
        NotPermittedError: The caller is no lead.
        OutOfTurnError: The case is not disputed, the caller is one of the two, another one holds
            it, or the last of the two may still take their decision back.
        InvalidInputError: The decision cannot rest on that, or there is no reason.
    """
    reason = _checked(reason)
    if not reason:
        raise InvalidInputError("say why: both people who decided before you will read it")
    if decision is Decision.NOT_SURE:
        raise InvalidInputError("whoever settles a case decides: confirmed or not confirmed")
    if Permission.CASES_LEAD not in caller.permissions:
        raise NotPermittedError(
            "to settle {case} you need the permission {permission}",
            case=case,
            permission=Permission.CASES_LEAD,
        )
    row = lock_case(connection, case)
    holder = holder_of(caller)
    if row.state != State.DISPUTED:
        raise MoveNotAllowedError(
            "{case} is {state}, so nothing is disputed", case=case, state=State(row.state)
        )
    if row.held_until is not None and row.held_until > clock() and row.held_by != holder:
        raise AlreadyHeldError(case, row.held_by, row.held_until)
    if any(each.person == holder for each in decisions_of_now(connection, case)):
        raise OutOfTurnError(
            "you are one of those who decided on {case}: another lead settles it", case=case
        )
    check_final(connection, case, caller, clock, settings.review.undo_seconds)
    ground = _ground_for(connection, case, basis, clock, settings)
    check_basis(connection, case, basis, ground, caller)
    move, after = _FINAL[decision]
    taken = _Taken(Stage.SETTLED, decision, basis, State.DISPUTED, reason)
    return _conclude(connection, case, taken, (move, after), caller, clock, settings=settings)


def _ground_for(
    connection: Connection, case: CaseId, basis: Basis, clock: Clock, settings: Settings
) -> frozenset[Ground]:
    """What there is to rest such a decision on. Everybody waits meanwhile, so no more is asked."""
    undo_since = undoable_since(clock, settings.review)
    return ground_of(connection, case, undo_since, elsewhere=basis is Basis.ELSEWHERE)


def undo(
    connection: Connection, case: CaseId, caller: Caller, clock: Clock, settings: Settings
) -> Hold | None:
    """Take one's own last decision back, as if it had not been.

    Args:
        connection: A transaction that writes; this comes last in it.
        case: The case.
        caller: Whoever took the decision.
        clock: The time.
        settings: The configuration.

    Returns:
        The hold that the caller has again, if the decision was taken with one.

    Raises:
        NotFoundError: There is no such case.
        OutOfTurnError: There is nothing to undo, it is another one's decision, the time for it is
            over, or somebody works with it already.
    """
    row = lock_case(connection, case)
    last = last_decision(connection, case)
    state = State(row.state)
    if last is None or last.person != holder_of(caller):
        raise OutOfTurnError("there is no decision of yours on {case} to undo", case=case)
    if clock() >= last.decided_at + timedelta(seconds=settings.review.undo_seconds):
        raise OutOfTurnError(
            "the decision on {case} is final: it could be undone for {seconds} seconds; a "
            "lead can reopen the case",
            case=case,
            seconds=settings.review.undo_seconds,
        )
    before = State(last.state_before)
    if before not in MOVES[Move.UNDO].get(state, frozenset()):
        raise MoveNotAllowedError(
            "{case} is {state} by now: it is too late to undo this", case=case, state=state
        )
    connection.execute(
        update(case_decisions).where(case_decisions.c.id == last.id).values(undone_at=clock())
    )
    change_state(connection, case, Move.UNDO, before, clock)
    hold = None
    if before in (State.IN_REVIEW, State.IN_SECOND_LOOK):
        hold = hold_again(connection, case, caller, clock, settings.review.hold_minutes)
    enter_move(connection, case, Move.UNDO, caller, clock)
    return hold


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """A decision as it is kept.

    Attributes:
        id: Its number.
        stage: In which capacity it was taken.
        decision: What was decided.
        basis: What it rests on; ``None`` if that is kept from whoever reads it.
        decided_at: When.
        decided_by: The actor's id in the ledger.
        person: The person; ``None`` for the machine's operator.
        reason: Why, in their words.
        second_look: Why a second person looks, if one does.
        undone_at: When it was taken back, if it was.
    """

    id: DecisionId
    stage: Stage
    decision: Decision
    basis: Basis | None
    decided_at: datetime
    decided_by: str
    person: PersonId | None
    reason: str
    second_look: SecondLook | None
    undone_at: datetime | None


def decisions_of(connection: Connection, case: CaseId) -> list[KeptDecision]:
    """Every decision on a case, in their order, also those that were undone."""
    rows = connection.execute(
        select(case_decisions).where(case_decisions.c.case_id == case).order_by(case_decisions.c.id)
    )
    return [
        KeptDecision(
            id=DecisionId(row.id),
            stage=Stage(row.stage),
            decision=Decision(row.decision),
            basis=Basis(row.basis),
            decided_at=row.decided_at,
            decided_by=row.decided_by,
            person=row.person,
            reason=row.reason,
            second_look=SecondLook(row.second_look) if row.second_look else None,
            undone_at=row.undone_at,
        )
        for row in rows
    ]


def decisions_of_now(connection: Connection, case: CaseId) -> list[KeptDecision]:
    """The decisions that count since the last first look: not those before a reopening."""
    counting = [each for each in decisions_of(connection, case) if each.undone_at is None]
    firsts = [place for place, each in enumerate(counting) if each.stage is Stage.FIRST]
    return counting[firsts[-1] :] if firsts else []


@dataclass(frozen=True, slots=True)
class _Taken:
    stage: Stage
    decision: Decision
    basis: Basis
    state_before: State
    reason: str
    second_look: SecondLook | None = None


_FINAL = {
    Decision.CONFIRMED: (Move.CONFIRM, State.CONFIRMED),
    Decision.NOT_CONFIRMED: (Move.NOT_CONFIRM, State.NOT_CONFIRMED),
    Decision.NOT_SURE: (Move.DISPUTE, State.DISPUTED),
}


def _first_move(decision: Decision, look: SecondLook | None) -> tuple[Move, State]:
    if look is not None:
        return Move.SEND_ON, State.SECOND_LOOK
    return _FINAL[decision]


def _conclude(
    connection: Connection,
    case: CaseId,
    taken: _Taken,
    leads_to: tuple[Move, State],
    caller: Caller,
    clock: Clock,
    *,
    settings: Settings,
) -> Outcome:
    now, (move, after) = clock(), leads_to
    number = record_decision(
        connection,
        case,
        stage=taken.stage,
        decision=taken.decision,
        basis=taken.basis,
        state_before=taken.state_before,
        reason=taken.reason,
        second_look=taken.second_look,
        caller=caller,
        clock=clock,
    )
    change_state(connection, case, move, after, clock)
    undo_until = now + timedelta(seconds=settings.review.undo_seconds)
    if after in (State.CONFIRMED, State.NOT_CONFIRMED):
        effect_later(connection, case, number, undo_until, clock)
    enter_move(connection, case, move, caller, clock, reason=taken.reason)
    return Outcome(number, after, taken.second_look, undo_until)


def record_decision(
    connection: Connection,
    case: CaseId,
    *,
    stage: Stage,
    decision: Decision,
    basis: Basis,
    state_before: State,
    reason: str,
    caller: Caller,
    clock: Clock,
    second_look: SecondLook | None = None,
) -> DecisionId:
    """Keep a decision. The move that comes of it, and its entry in the ledger, have to follow."""
    number = connection.execute(
        insert(case_decisions)
        .values(
            case_id=case,
            stage=stage,
            decision=decision,
            basis=basis,
            decided_at=clock(),
            decided_by=caller.actor.id,
            # What Tutela decides by itself is nobody's; the operator may take it back.
            person=None if caller is BY_ITSELF else holder_of(caller),
            state_before=state_before,
            reason=reason,
            second_look=second_look,
        )
        .returning(case_decisions.c.id)
    ).scalar_one()
    return DecisionId(number)


def _second_look(
    connection: Connection,
    case: CaseId,
    decision: Decision,
    ground: Collection[Ground],
    caller: Caller,
    *,
    review: Review,
    asked: bool,
) -> SecondLook | None:
    if decision is Decision.NOT_SURE:
        return None  # A lead looks at once.
    if not _another_could(connection, caller):
        if asked:
            raise InvalidInputError("nobody else here decides cases, so nobody can look again")
        return None
    if asked:
        return SecondLook.ASKED
    if needs_second_look(decision, ground, review.second_look_for):
        return SecondLook.POLICY
    # Whoever undoes a decision that was drawn, and takes it again, does not draw again.
    drawn_before = select(
        exists().where(
            case_decisions.c.case_id == case, case_decisions.c.second_look == SecondLook.SAMPLE
        )
    )
    drawn = secrets.randbelow(100) < review.second_look_percent
    if drawn or connection.execute(drawn_before).scalar_one():
        return SecondLook.SAMPLE
    return None


def _another_could(connection: Connection, caller: Caller) -> bool:
    """Whether anybody else decides cases here, so that a second look comes at all."""
    return any(
        Permission.CASES_REVIEW in each.permissions and each.id != caller.person
        for each in all_people(connection)
    )


def asks_second_look(
    connection: Connection, case: CaseId, decision: Decision, caller: Caller, review: Review
) -> bool:
    """Whether the settings have a second person look at such a decision on this case."""
    if not review.second_look_for or not _another_could(connection, caller):
        return False
    return needs_second_look(
        decision, ground_of(connection, case, elsewhere=False), review.second_look_for
    )


def needs_second_look(
    decision: Decision, ground: Collection[Ground], policy: Collection[SecondLookFor]
) -> bool:
    """Whether the settings ask a second person to look at such a decision. Pure."""
    confirmed = decision is Decision.CONFIRMED
    asked = {
        SecondLookFor.CONFIRMED: confirmed,
        SecondLookFor.CONFIRMED_UNLISTED: confirmed and Ground.LISTED not in ground,
        SecondLookFor.NOT_CONFIRMED: decision is Decision.NOT_CONFIRMED,
        SecondLookFor.NOT_CONFIRMED_DIGEST: decision is Decision.NOT_CONFIRMED
        and Ground.DIGEST in ground,
    }
    return any(asked[each] for each in policy)


def _checked(reason: str) -> str:
    if len(reason) > LONGEST_REASON:
        raise InvalidInputError("a reason has at most {longest} characters", longest=LONGEST_REASON)
    return reason.strip().replace("\0", "")
