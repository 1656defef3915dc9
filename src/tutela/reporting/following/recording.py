"""Taking in what an authority says of a report: a person enters it, or the authority sends it.

What asks for keeping moves the clock of the evidence at once. What asks for destroying does so only
by a person: a stolen secret must not destroy anything. What is said of a rehearsal moves no clock,
and no mail tells of it: the authority itself knows nothing of it.
"""

from typing import Any

from sqlalchemy import Connection, Row, exists, func, select, update

from tutela.accounts.calling import need
from tutela.accounts.model import Caller
from tutela.accounts.permissions import Permission
from tutela.errors import (
    AlreadyExistsError,
    InvalidInputError,
    OutOfTurnError,
    TooManyWaitError,
)
from tutela.evidence.events import record_event
from tutela.evidence.retention import LegalEvent
from tutela.evidence.subjects import Subject
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.reporting.delivery.channel import Outcome
from tutela.reporting.finding import report_numbered
from tutela.reporting.following.alerting import ALERT
from tutela.reporting.following.finding import IS_OPEN
from tutela.reporting.following.model import (
    LONGEST_NAME,
    FeedbackId,
    FeedbackKind,
    Said,
    check_name,
    thing_of,
    written_period,
)
from tutela.reporting.following.tables import report_feedback
from tutela.reporting.model import Environment, ReportId
from tutela.reporting.moving import lock_report
from tutela.reporting.states import State
from tutela.reporting.tables import delivery_attempts, reports
from tutela.storage.clock import Clock
from tutela.storage.database import insert_or_ignore
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.kept_secrets import KeptSecrets

_REAL = reports.alias("real")

MOST_UNKNOWN = 100
"""How many messages of one authority may wait that belong to no report known here."""

# What a person enters they have read. What comes by itself nobody has.
_TASKS_BY_THEMSELVES = (
    FeedbackKind.MORE_WANTED,
    FeedbackKind.OTHER,
    FeedbackKind.DESTRUCTION_REQUESTED,
)


def enter_feedback(
    connection: Connection,
    secrets: KeptSecrets,
    report: ReportId,
    said: Said,
    caller: Caller,
    clock: Clock,
) -> FeedbackId:
    """Enter what an authority said of a report. Do it last in the transaction.

    Raises:
        NotFoundError: There is no such report.
        OutOfTurnError: It is not sent, so that nobody can have said anything of it.
        InvalidInputError: It does not say what its kind has to say.
        NotPermittedError: It moves the clock of the evidence, and the caller may not do that.
        AlreadyExistsError: The number is another report's.
        StorageError: The sealing key cannot be made or used.
    """
    said.check()
    if said.kind.event is not None:
        need(caller, Permission.EVIDENCE_KEEP)
    row = lock_report(connection, report)
    if row.state != State.SENT:
        raise OutOfTurnError(
            "report {report} is not sent: nobody can have answered to it", report=report
        )
    if _is_anothers(connection, row, said.number):
        raise AlreadyExistsError(
            "{number} is the number of another report to {authority}",
            number=said.number,
            authority=row.authority,
        )
    feedback = _keep(
        connection,
        secrets,
        row.authority,
        said,
        caller.actor,
        clock,
        report=report,
        named=row.remote_id or "",
        is_task=said.kind is FeedbackKind.MORE_WANTED,
        is_real=_is_real(row),
    )
    if feedback is None:
        raise AssertionError("what has no message id is never there already")
    _follow(connection, row, feedback, said, caller.actor, clock)
    _enter(connection, feedback, row, caller.actor, clock)
    return feedback


def receive_feedback(
    connection: Connection,
    secrets: KeptSecrets,
    authority: str,
    said: Said,
    clock: Clock,
    *,
    message: str,
    named: str,
) -> FeedbackId | None:
    """Take in what an authority itself sent. Do it last in the transaction.

    Whether a report of this number is known makes no difference to the sender: what belongs to
    none waits for a person, who says which is meant. Only so many such messages are kept, since
    somebody who has the authority's secret could fill the house with them.

    Args:
        connection: A transaction that writes.
        secrets: What seals its words.
        authority: Who sent it, as its signature says.
        said: What it says.
        clock: The time.
        message: What the sender calls the message: the same one is taken once.
        named: By which number it names the report.

    Returns:
        Its number, or ``None`` if it was taken before.

    Raises:
        InvalidInputError: It does not say what its kind has to say.
        TooManyWaitError: It belongs to no report, and so do ``MOST_UNKNOWN`` that wait already.
        StorageError: The sealing key cannot be made or used.
    """
    said.check()
    if not named.strip():
        raise InvalidInputError("name the report by its number")
    for name in (named, message):
        check_name(name)
    actor = Actor(authority, f"authority:{authority}", "program", "api")
    row = _meant(connection, authority, named)
    if row is None and not _was_taken(connection, authority, message):
        _refuse_too_many(connection, authority)
    clashes = row is not None and _is_anothers(connection, row, said.number)
    feedback = _keep(
        connection,
        secrets,
        authority,
        said,
        actor,
        clock,
        report=None if row is None else ReportId(row.id),
        named=named,
        message=message,
        is_task=row is None or clashes or said.kind in _TASKS_BY_THEMSELVES,
        is_real=row is None or _is_real(row),
    )
    if feedback is None:
        return None
    waits = clashes or said.kind is FeedbackKind.DESTRUCTION_REQUESTED
    if row is not None and not waits:
        _follow(connection, row, feedback, said, actor, clock)
    _enter(connection, feedback, row, actor, clock)
    return feedback


def follow(
    connection: Connection, feedback: FeedbackId, said: Said, caller: Caller, clock: Clock
) -> None:
    """Do what something that was kept asks for: a number, or the clock of the evidence.

    Raises:
        NotPermittedError: It moves the clock of the evidence, and the caller may not do that.
        AlreadyExistsError: The number is another report's.
    """
    if said.kind.event is not None:
        need(caller, Permission.EVIDENCE_KEEP)
    kept = connection.execute(
        select(
            report_feedback.c.report_id,
            report_feedback.c.authority,
            report_feedback.c.named,
            report_feedback.c.message,
        ).where(report_feedback.c.id == feedback)
    ).one()
    row = lock_report(connection, ReportId(kept.report_id))
    if _is_anothers(connection, row, said.number):
        raise AlreadyExistsError(
            "{number} is the number of another report to {authority}",
            number=said.number,
            authority=row.authority,
        )
    # Which report is meant may have been said by the very person who follows it.
    meant = _meant(connection, kept.authority, kept.named)
    signed = kept.message is not None and meant is not None and meant.id == row.id
    _follow(connection, row, feedback, said, caller.actor, clock, signed=signed)


def _keep(
    connection: Connection,
    secrets: KeptSecrets,
    authority: str,
    said: Said,
    actor: Actor,
    clock: Clock,
    *,
    report: ReportId | None,
    named: str,
    is_task: bool,
    is_real: bool,
    message: str | None = None,
) -> FeedbackId | None:
    kept = connection.execute(
        insert_or_ignore(connection, report_feedback)
        .values(
            authority=authority,
            message=message,
            report_id=report,
            named=named,
            kind=said.kind,
            at=said.at,
            reference=said.reference,
            number=said.number,
            until=said.until,
            period="" if said.period is None else written_period(said.period),
            received_at=clock(),
            received_by=actor.id,
            is_task=is_task,
        )
        .returning(report_feedback.c.id)
    ).scalar_one_or_none()
    if kept is None:
        return None
    feedback = FeedbackId(kept)
    if said.words.strip():
        sealed = secrets.seal(said.words.encode(), thing_of(feedback))
        mine = update(report_feedback).where(report_feedback.c.id == feedback)
        connection.execute(mine.values(words=sealed))
    if is_task and is_real:
        enqueue(connection, ALERT, {"feedback": feedback}, clock)
    return feedback


def _follow(
    connection: Connection,
    row: Row[Any],
    feedback: FeedbackId,
    said: Said,
    actor: Actor,
    clock: Clock,
    *,
    signed: bool = False,
) -> None:
    if said.number and said.number != row.remote_id:
        connection.execute(
            update(reports).where(reports.c.id == row.id).values(remote_id=said.number)
        )
    if said.kind.event is None or not _is_real(row):
        return
    name = f"{row.authority} {said.reference or row.remote_id}"[:LONGEST_NAME]
    event = record_event(
        connection,
        Subject(row.case_id),
        LegalEvent(said.kind.event, said.at, name, said.until, said.period),
        actor,
        clock,
        reason=f"the authority said so of report {row.id}",
        heard_from_them=signed,
    )
    mine = update(report_feedback).where(report_feedback.c.id == feedback)
    connection.execute(mine.values(event_id=event))


def _enter(
    connection: Connection, feedback: FeedbackId, row: Row[Any] | None, actor: Actor, clock: Clock
) -> None:
    append(
        connection,
        actor,
        Act.REPORT_FEEDBACK_RECEIVED,
        clock,
        case=None if row is None else row.case_id,
        thing=thing_of(feedback),
    )


def _meant(connection: Connection, authority: str, named: str) -> Row[Any] | None:
    """The report that an authority calls so, now or when it was sent.

    Whoever has real reports of this house says nothing of its rehearsals, whose numbers may be
    those of reports of others there.
    """
    has_real = exists().where(
        _REAL.c.authority == authority,
        _REAL.c.environment == Environment.LIVE,
        _REAL.c.state == State.SENT,
    )
    called = select(delivery_attempts.c.report_id).where(
        delivery_attempts.c.remote_id == named, delivery_attempts.c.outcome == Outcome.SENT
    )
    found = connection.execute(
        select(reports.c.id)
        .where(
            reports.c.authority == authority,
            reports.c.state == State.SENT,
            (reports.c.remote_id == named) | reports.c.id.in_(called),
            (reports.c.environment == Environment.LIVE) | ~has_real,
        )
        .order_by(
            (reports.c.remote_id == named).desc(),
            reports.c.id.desc(),
        )
        .limit(1)
    ).scalar_one_or_none()
    return None if found is None else lock_report(connection, ReportId(found))


def _was_taken(connection: Connection, authority: str, message: str) -> bool:
    same = select(report_feedback.c.id).where(
        report_feedback.c.authority == authority, report_feedback.c.message == message
    )
    return connection.execute(same).first() is not None


def _refuse_too_many(connection: Connection, authority: str) -> None:
    waiting = (
        select(report_feedback.c.id)
        .where(
            IS_OPEN, report_feedback.c.report_id.is_(None), report_feedback.c.authority == authority
        )
        .limit(MOST_UNKNOWN)
        .subquery()
    )
    if connection.execute(select(func.count()).select_from(waiting)).scalar_one() >= MOST_UNKNOWN:
        raise TooManyWaitError(
            f"{MOST_UNKNOWN} messages of {authority} wait for a person that belong to no report "
            "known here: no further such one is taken before some are settled"
        )


def _is_real(row: Row[Any]) -> bool:
    """Whether the authority itself has a report."""
    return bool(row.environment == Environment.LIVE)


def _is_anothers(connection: Connection, row: Row[Any], number: str) -> bool:
    if number in ("", row.remote_id):
        return False
    return report_numbered(connection, row.authority, row.environment, number) is not None
