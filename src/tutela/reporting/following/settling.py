"""Doing what waits for a person: saying which report is meant, following a wish, or being done."""

from sqlalchemy import Connection, select, update

from tutela.accounts.model import Caller
from tutela.errors import InvalidInputError, OutOfTurnError
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.reporting.following.finding import find_feedback
from tutela.reporting.following.model import Feedback, FeedbackId, FeedbackKind, Said
from tutela.reporting.following.recording import follow
from tutela.reporting.following.tables import report_feedback
from tutela.reporting.model import ReportId
from tutela.reporting.moving import lock_report
from tutela.reporting.states import State
from tutela.storage.clock import Clock

_ASKS_STILL = (FeedbackKind.MORE_WANTED, FeedbackKind.OTHER)


def settle_feedback(
    connection: Connection, feedback: FeedbackId, caller: Caller, clock: Clock, *, reason: str
) -> None:
    """Say that what waited is done, or not to be done. Do it last in the transaction.

    The words of what belongs to no report are erased by it.

    Raises:
        NotFoundError: Nothing of this number is there.
        OutOfTurnError: It does not wait for anybody any more.
        InvalidInputError: No reason is given.
    """
    if not reason.strip():
        raise InvalidInputError("say what was done: the ledger keeps it")
    found = _lock_open(connection, feedback)
    _settle(connection, found, caller, clock)
    if found.report is None:
        mine = update(report_feedback).where(report_feedback.c.id == feedback)
        connection.execute(mine.values(words=None))
    _enter(connection, found, Act.REPORT_FEEDBACK_SETTLED, caller, clock, reason=reason)


def follow_feedback(
    connection: Connection, feedback: FeedbackId, caller: Caller, clock: Clock, *, reason: str
) -> None:
    """Follow a wish that came by itself: the clock of the evidence moves, or the number changes.

    Do it last in the transaction.

    Raises:
        NotFoundError: Nothing of this number is there.
        OutOfTurnError: It does not wait for anybody any more, or no report is known for it.
        InvalidInputError: No reason is given, or there is nothing in it to follow.
        NotPermittedError: It moves the clock of the evidence, and the caller may not do that.
        AlreadyExistsError: The number is another report's.
    """
    if not reason.strip():
        raise InvalidInputError("say why it is followed: the ledger keeps it")
    found = _lock_open(connection, feedback)
    if found.report is None:
        raise OutOfTurnError(
            "say first which report is meant by feedback {feedback}", feedback=feedback
        )
    if found.kind.event is None and found.kind is not FeedbackKind.NUMBER:
        raise InvalidInputError(
            "feedback {feedback} is no wish that the house can follow by itself: do what "
            "it asks for, and settle it",
            feedback=feedback,
        )
    _settle(connection, found, caller, clock)
    follow(connection, feedback, _said(found), caller, clock)
    _enter(connection, found, Act.REPORT_FEEDBACK_SETTLED, caller, clock, reason=reason)


def attach_feedback(
    connection: Connection, feedback: FeedbackId, report: ReportId, caller: Caller, clock: Clock
) -> None:
    """Say which report is meant. What asks for keeping moves the clock by it, as at its arrival.

    Do it last in the transaction.

    Raises:
        NotFoundError: Nothing of this number is there, or no such report to this authority.
        OutOfTurnError: Its report is known already, or that report is not sent.
        NotPermittedError: It moves the clock of the evidence, and the caller may not do that.
    """
    found = _lock_open(connection, feedback)
    if found.report is not None:
        raise OutOfTurnError(
            "feedback {feedback} belongs to report {report} already",
            feedback=feedback,
            report=found.report,
        )
    row = lock_report(connection, report)
    if row.authority != found.authority or row.state != State.SENT:
        raise OutOfTurnError(
            "report {report} is none that {authority} has: look at it again",
            report=report,
            authority=found.authority,
        )
    mine = update(report_feedback).where(report_feedback.c.id == feedback)
    connection.execute(mine.values(report_id=report))
    if found.kind is FeedbackKind.PRESERVATION_LETTER:
        follow(connection, feedback, _said(found), caller, clock)
    if found.kind not in (*_ASKS_STILL, FeedbackKind.DESTRUCTION_REQUESTED, FeedbackKind.NUMBER):
        _settle(connection, found, caller, clock)
    append(
        connection,
        caller.actor,
        Act.REPORT_FEEDBACK_ATTACHED,
        clock,
        case=row.case_id,
        thing=found.thing,
    )


def _lock_open(connection: Connection, feedback: FeedbackId) -> Feedback:
    connection.execute(
        select(report_feedback.c.id).where(report_feedback.c.id == feedback).with_for_update()
    )
    found = find_feedback(connection, feedback)
    if not found.is_open:
        raise OutOfTurnError(
            "feedback {feedback} does not wait for anybody: look at it again", feedback=feedback
        )
    return found


def _settle(connection: Connection, found: Feedback, caller: Caller, clock: Clock) -> None:
    connection.execute(
        update(report_feedback)
        .where(report_feedback.c.id == found.id)
        .values(settled_at=clock(), settled_by=caller.actor.id)
    )


def _said(found: Feedback) -> Said:
    return Said(found.kind, found.at, found.reference, found.number, found.until, found.period)


def _enter(
    connection: Connection, found: Feedback, act: Act, caller: Caller, clock: Clock, *, reason: str
) -> None:
    append(connection, caller.actor, act, clock, case=found.case, thing=found.thing, reason=reason)
