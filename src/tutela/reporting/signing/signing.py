"""Signing a report, agreeing to it, having it sent, returning and discarding it.

A person signs for every word, or the machine's operator does. Where the settings ask for it, a
second one agrees. Then a job gives it to the workers as soon as nobody can take the decision on the
case back any more. ``automatic.py`` says when none of these people is needed.
"""

from collections.abc import Callable
from datetime import timedelta
from math import ceil

from sqlalchemy import Connection

from tutela.accounts.keys import ids_of
from tutela.accounts.model import Caller
from tutela.cases.model import CaseId
from tutela.cases.moving import holder_of
from tutela.cases.viewings import was_viewed
from tutela.errors import OutOfTurnError
from tutela.reporting.delivery.queueing import environment_of, queue
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.as_read import refuse_unread
from tutela.reporting.drafts.drafting import Draft, DraftFile
from tutela.reporting.drafts.earlier import check_earlier
from tutela.reporting.drafts.filling import keep_draft
from tutela.reporting.drafts.preparing import refuse_problems
from tutela.reporting.drafts.reading import draft_of, problems_of
from tutela.reporting.grounds import check_reportable
from tutela.reporting.model import ChannelKind, ReportId
from tutela.reporting.moving import move
from tutela.reporting.signing.queueing_signed import final_at, locked, needs_approval, queue_later
from tutela.reporting.states import Move, State


def sign_report(desk: Desk, report: ReportId, caller: Caller, *, seal: str | None = None) -> State:
    """Stand for a draft, word by word. It goes by itself from here, where nobody else has to agree.

    Whether each file was viewed is taken from the record once more.

    Args:
        desk: The open house.
        report: The draft.
        caller: Who stands for it.
        seal: Of the wording that they read (``as_read.seal_of``), if they give it.

    Raises:
        NotFoundError: There is no such report.
        ReportMoveError: It is no draft.
        OutOfTurnError: The case is not confirmed any more, or it says something else by now.
        InvalidInputError: It cannot be sent as it stands; the message says why.
        NotPermittedError: The caller is a program.
        StorageError: The database or the sealing key fails.
    """
    holder_of(caller)
    return sign_as(desk, report, caller, seal=seal)


def sign_as(
    desk: Desk,
    report: ReportId,
    caller: Caller,
    *,
    seal: str | None = None,
    check: Callable[[Connection, CaseId], None] | None = None,
) -> State:
    """The same for whoever may stand for it without being a person: ``automatic.py`` says when.

    Args:
        desk: The open house.
        report: The draft.
        caller: Who stands for it.
        seal: Of the wording that they read.
        check: Sees, behind the lock, that they may of this case.

    Raises:
        InvalidInputError: It cannot be sent as it stands; and all that ``sign_report`` and
            ``check`` raise.
    """
    with desk.database.writing() as connection:
        row, case = locked(connection, report)
        check_reportable(connection, case, anew=row.corrects is None)
        if check is not None:
            check(connection, case)
        environment = environment_of(desk.settings, ChannelKind(row.channel))
        if State(row.state) is State.DRAFT:
            draft = draft_of(connection, desk.secrets, report)
            refuse_unread(draft, seal, report)
            by_record = as_viewed(connection, draft)
            if by_record != draft:
                keep_draft(connection, desk.secrets, report, by_record)
            refuse_problems(report, problems_of(desk, ChannelKind(row.channel), by_record))
            check_earlier(connection, row, by_record.values, environment)
            if not needs_approval(connection, case, desk.settings):
                queue_later(connection, case, report, desk.settings, desk.clock)
        return move(connection, report, Move.SIGN, caller, desk.clock, environment=environment)


def approve_report(
    desk: Desk, report: ReportId, caller: Caller, *, seal: str | None = None
) -> State:
    """Agree that a signed report is sent. It goes by itself from here.

    Args:
        desk: The open house.
        report: The signed report.
        caller: Who agrees.
        seal: Of the wording that they read (``as_read.seal_of``), if they give it.

    Raises:
        NotFoundError: There is no such report.
        ReportMoveError: It is not signed.
        OutOfTurnError: The caller signed it, the case is not confirmed any more, or it says
            something else by now.
        NotPermittedError: The caller is a program.
    """
    holder_of(caller)
    with desk.database.writing() as connection:
        row, case = locked(connection, report)
        check_reportable(connection, case, anew=False)
        if row.signed_by in _ids(connection, caller):
            raise OutOfTurnError(
                "you signed report {report} yourself: another person has to agree to it",
                report=report,
            )
        if State(row.state) is State.SIGNED:
            refuse_unread(draft_of(connection, desk.secrets, report), seal, report)
            queue_later(connection, case, report, desk.settings, desk.clock)
        return move(connection, report, Move.APPROVE, caller, desk.clock)


def send_report(desk: Desk, report: ReportId, caller: Caller) -> State:
    """Have a report sent now that is signed, and agreed to where that is asked for.

    It is only needed where that could not be done by itself, such as before the way to the
    authority was set up.

    Raises:
        NotFoundError: There is no such report.
        ReportMoveError: It is not signed, or is queued or sent already.
        OutOfTurnError: Somebody has to agree first, whoever decided may still take that back, or
            the case is not confirmed any more.
        OtherEnvironmentError: It was signed for another environment than the settings have now.
        NotLiveError: It would go to the authority itself, which nobody has confirmed yet.
        NotPermittedError: The caller is a program.
    """
    holder_of(caller)
    with desk.database.writing() as connection:
        row, case = locked(connection, report)
        check_reportable(connection, case, anew=False)
        if State(row.state) is State.SIGNED and needs_approval(connection, case, desk.settings):
            raise OutOfTurnError(
                "a second person has to agree to report {report} first", report=report
            )
        left = final_at(connection, case, desk.settings) - desk.clock()
        if left > timedelta(0):
            raise OutOfTurnError(
                "whoever decided on {case} may still take it back: try again in {seconds} seconds",
                case=case,
                seconds=ceil(left.total_seconds()),
            )
        queue(connection, desk.settings, report, caller, desk.clock)
    return State.QUEUED


def return_report(desk: Desk, report: ReportId, caller: Caller, *, reason: str = "") -> State:
    """Have a report written on: whoever signed it or agreed to it has to do so anew.

    Raises:
        NotFoundError: There is no such report.
        ReportMoveError: It is neither signed nor agreed to nor stopped.
        NotPermittedError: The caller is a program: people stand for it.
    """
    holder_of(caller)
    with desk.database.writing() as connection:
        return move(connection, report, Move.RETURN, caller, desk.clock, reason=reason)


def discard_report(desk: Desk, report: ReportId, caller: Caller, *, reason: str) -> State:
    """Say that a report is never to be sent. What it says is erased.

    Raises:
        NotFoundError: There is no such report.
        ReportMoveError: It waits to be sent, or is sent.
        InvalidInputError: There is no reason.
        NotPermittedError: The caller is a program: nobody else than people gives a report up.
    """
    holder_of(caller)
    with desk.database.writing() as connection:
        return move(connection, report, Move.DISCARD, caller, desk.clock, reason=reason)


def as_viewed(connection: Connection, draft: Draft) -> Draft:
    """A draft of which each file says whether it was viewed as the record has it now."""
    files = tuple(
        DraftFile(
            each.item,
            each.evidence,
            {**each.values, "file_viewed_by_esp": was_viewed(connection, each.evidence)},
        )
        for each in draft.files
    )
    return Draft(draft.values, files)


def _ids(connection: Connection, caller: Caller) -> frozenset[str]:
    """By which ids the caller may have signed: also by keys of theirs, and on the pages."""
    return ids_of(connection, caller.person) | {caller.actor.id}
