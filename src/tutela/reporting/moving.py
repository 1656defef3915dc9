"""Beginning reports and moving them: the only place that writes where a report stands."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select, update

from tutela.accounts.model import Caller
from tutela.cases.model import CaseId
from tutela.cases.moving import lock_case
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError, OutOfTurnError
from tutela.evidence.model import ItemId
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.reporting.content import erase
from tutela.reporting.corrected import check_corrected
from tutela.reporting.model import ChannelKind, Environment, ReportId, thing_of
from tutela.reporting.states import ENDED, Move, State, after
from tutela.reporting.tables import IS_REHEARSAL, house_restorations, reports
from tutela.storage.clock import Clock

_ACTS = {
    Move.SIGN: Act.REPORT_SIGNED,
    Move.APPROVE: Act.REPORT_APPROVED,
    Move.RETURN: Act.REPORT_RETURNED,
    Move.QUEUE: Act.REPORT_QUEUED,
    Move.SEND: Act.REPORT_SENT,
    Move.STOP: Act.REPORT_STOPPED,
    Move.DISCARD: Act.REPORT_DISCARDED,
}
_LONGEST_TROUBLE = 1000


class ReportMoveError(OutOfTurnError):
    """The report cannot go from where it stands to there."""


def begin(
    connection: Connection,
    case: CaseId,
    authority: str,
    channel: ChannelKind,
    caller: Caller,
    clock: Clock,
    *,
    corrects: ReportId | None = None,
    environment: Environment | None = None,
) -> ReportId:
    """Begin an empty draft. ``content.keep_content``, ``keep_files`` and ``enter_begin`` follow.

    Args:
        connection: A transaction that writes.
        case: The case that is reported.
        authority: To whom: the id in the directory.
        channel: By which way.
        caller: Who does so.
        clock: The time.
        corrects: The earlier report of the case to the same authority that this one corrects.
        environment: How real it would be, as the settings have it: where it is live, what was only
            rehearsed stands in nobody's way.

    Raises:
        NotFoundError: There is no such case, or no such earlier report of it to this authority.
        AlreadyExistsError: There is a report of this case to this authority already, or one that is
            not sent yet and corrects the same one.
        OutOfTurnError: The earlier report is not sent, so that it can still be changed itself; or
            it was only rehearsed, so that the authority does not know it.
    """
    opened_at = lock_case(connection, case).opened_at
    if corrects is None:
        _refuse_second(connection, case, authority, environment)
    else:
        _check_corrected(connection, corrects, case, authority, environment)
    number = connection.execute(
        insert(reports)
        .values(
            case_id=case,
            authority=authority,
            channel=channel,
            state=State.DRAFT,
            corrects=corrects,
            # A backup knows the cases that were opened before it, and not what became of them.
            doubted_since=_restored_to(connection, opened_at),
            made_at=clock(),
            made_by=caller.actor.id,
        )
        .returning(reports.c.id)
    ).scalar_one()
    return ReportId(number)


def enter_begin(connection: Connection, report: ReportId, caller: Caller, clock: Clock) -> None:
    """Say in the ledger that a draft was begun. Do it last in the transaction."""
    enter(connection, report, _row(connection, report).case_id, Act.REPORT_DRAFTED, caller, clock)


def enter_change(connection: Connection, report: ReportId, caller: Caller, clock: Clock) -> None:
    """Say in the ledger that somebody changed what a draft says. Do it last in the transaction."""
    enter(connection, report, _row(connection, report).case_id, Act.REPORT_CHANGED, caller, clock)


def move(
    connection: Connection,
    report: ReportId,
    by: Move,
    caller: Caller,
    clock: Clock,
    *,
    reason: str = "",
    environment: Environment | None = None,
) -> State:
    """Move a report, and say so in the ledger. Do it last in the transaction.

    Queueing and sending need more than that: ``queueing.queue`` is how others queue.

    Args:
        connection: A transaction that writes.
        report: The report.
        by: The move.
        caller: Who moves it.
        clock: The time.
        reason: Why, in words for people. To discard it needs one.
        environment: For ``Move.SIGN``: how real what is signed will be.

    Returns:
        Where it stands now.

    Raises:
        NotFoundError: There is no such report.
        ReportMoveError: There is no such move from where it stands.
        InvalidInputError: It is discarded without a reason.
    """
    state = change_state(
        connection, report, by, caller, clock, reason=reason, environment=environment
    )
    enter_move(connection, report, by, caller, clock, reason=reason)
    return state


def change_state(
    connection: Connection,
    report: ReportId,
    by: Move,
    caller: Caller,
    clock: Clock,
    *,
    reason: str = "",
    environment: Environment | None = None,
    remote_id: str | None = None,
    receipt: ItemId | None = None,
) -> State:
    """The first half of ``move``; ``enter_move`` has to follow in the same transaction.

    They are apart for whoever writes other rows as well: all rows come before the first entry of
    the ledger, for which everybody waits.

    Args:
        connection: A transaction that writes.
        report: The report.
        by: The move.
        caller: Who moves it.
        clock: The time.
        reason: Why; for ``Move.STOP`` what a person has to mend.
        environment: For ``Move.SIGN`` and ``Move.QUEUE``: how real it is.
        remote_id: For ``Move.SEND``: what the authority calls it.
        receipt: For ``Move.SEND``: the piece of evidence that holds what was sent.

    Raises:
        NotFoundError, ReportMoveError, InvalidInputError: As ``move``.
    """
    row = lock_report(connection, report)
    state = after(by, State(row.state))
    if state is None:
        raise ReportMoveError(
            "report {report} is {state}, so this cannot be done: look at it again",
            report=report,
            state=State(row.state),
        )
    if by is Move.DISCARD and not reason.strip():
        raise InvalidInputError("say why it is never to be sent: the ledger keeps the reason")
    values: dict[str, object] = {"state": state}
    now, who = clock(), caller.actor.id
    match by:
        case Move.SIGN:
            values |= {"signed_at": now, "signed_by": who, "environment": environment}
        case Move.APPROVE:
            values |= {"approved_at": now, "approved_by": who}
        case Move.RETURN:
            values |= dict.fromkeys(
                ("signed_at", "signed_by", "approved_at", "approved_by", "queued_at", "environment")
            )
        case Move.QUEUE:
            values |= {"queued_at": now, "environment": environment}
            values |= dict.fromkeys(("trouble", "rest_until"))
        case Move.SEND:
            values |= {"sent_at": now, "remote_id": remote_id, "receipt_item": receipt}
        case Move.STOP:
            values |= {"trouble": reason[:_LONGEST_TROUBLE]}
    if state in ENDED:
        values["doubted_since"] = None
    connection.execute(update(reports).where(reports.c.id == report).values(values))
    if state in ENDED:
        erase(connection, report)
    return state


def enter_move(
    connection: Connection,
    report: ReportId,
    by: Move,
    caller: Caller,
    clock: Clock,
    *,
    reason: str = "",
) -> None:
    """Say in the ledger that somebody moved a report."""
    case = _row(connection, report).case_id
    enter(connection, report, case, _ACTS[by], caller, clock, reason=reason)


def lock_report(connection: Connection, report: ReportId) -> Row[Any]:
    """A report's row, which nobody else changes until the end of the transaction.

    Raises:
        NotFoundError: There is no such report.
    """
    return _row(connection, report, locked=True)


def absent(report: ReportId) -> NotFoundError:
    """What whoever names a report that is not there is told."""
    return NotFoundError(f'there is no report {report}: see "tutela report ls"')


def _row(connection: Connection, report: ReportId, *, locked: bool = False) -> Row[Any]:
    wanted = select(reports).where(reports.c.id == report)
    row = connection.execute(wanted.with_for_update() if locked else wanted).one_or_none()
    if row is None:
        raise absent(report)
    return row


def enter(
    connection: Connection,
    report: ReportId,
    case: str,
    act: Act,
    caller: Caller,
    clock: Clock,
    *,
    reason: str = "",
) -> None:
    """Say in the ledger that somebody did something to a report. Do it last in the transaction."""
    append(connection, caller.actor, act, clock, case=case, thing=thing_of(report), reason=reason)


def _restored_to(connection: Connection, opened_at: datetime) -> datetime | None:
    """The moment of the last backup that knows a case and from which the house was restored."""
    moment: datetime | None = connection.execute(
        select(func.max(house_restorations.c.backup_at)).where(
            house_restorations.c.backup_at >= opened_at
        )
    ).scalar_one_or_none()
    return moment


def is_there(environment: Environment | None) -> ColumnElement[bool]:
    """That a report is there, and none need be begun instead of it.

    Once reports are real, one that was only rehearsed is none: nobody has been told of its case.

    Args:
        environment: How real reports are, as the settings have it.
    """
    there = reports.c.state != State.DISCARDED
    return there & ~IS_REHEARSAL if environment is Environment.LIVE else there


def _refuse_second(
    connection: Connection, case: CaseId, authority: str, environment: Environment | None
) -> None:
    wanted = select(reports.c.id).where(
        reports.c.case_id == case,
        reports.c.authority == authority,
        reports.c.corrects.is_(None),
        is_there(environment),
    )
    _refuse_any(connection, wanted, case, authority)


def _refuse_any(
    connection: Connection, wanted: Select[tuple[int]], case: CaseId, authority: str
) -> None:
    there = connection.execute(wanted.order_by(reports.c.id).limit(1)).scalar_one_or_none()
    if there is not None:
        raise AlreadyExistsError(
            "report {there} of {case} to {authority} is there already: go on with that "
            "one, or, if it is sent, correct it by a new one that names it",
            there=there,
            case=case,
            authority=authority,
        )


def _check_corrected(
    connection: Connection,
    corrects: ReportId,
    case: CaseId,
    authority: str,
    environment: Environment | None,
) -> None:
    row = _row(connection, corrects)
    if (row.case_id, row.authority) != (case, authority):
        raise NotFoundError(f"report {corrects} is no report of {case} to {authority}")
    if row.state != State.SENT:
        raise OutOfTurnError(
            "report {corrects} is not sent yet: change that one instead", corrects=corrects
        )
    # Two of them, begun by two people or by two clicks, would both be sent.
    waiting = select(reports.c.id).where(
        reports.c.corrects == corrects, reports.c.state.not_in(ENDED)
    )
    _refuse_any(connection, waiting, case, authority)
    if environment is not None:
        check_corrected(corrects, row.environment, environment)
