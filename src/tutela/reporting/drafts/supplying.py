"""What a platform supplies of those whom a case concerns: asked for, kept sealed, and erased.

Taken only for a case that is confirmed, and only of whom the platform itself calls by the name that
the case has. Erased when the case is reported and some days have passed, and at the next night
where the case is confirmed no more. What was sent is in the report's receipt, under the evidence's
own clocks.
"""

from datetime import timedelta

from sqlalchemy import Connection, and_, delete, insert, or_, select

from tutela.accounts.model import Caller
from tutela.cases.joining import check_key
from tutela.cases.model import CaseId
from tutela.cases.moving import BY_ITSELF, lock_case
from tutela.cases.states import State
from tutela.cases.tables import case_items, cases, subjects
from tutela.errors import InvalidInputError, NotFoundError, OutOfTurnError
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.reporting.drafts.supplied import Supplied
from tutela.reporting.model import ReportId
from tutela.reporting.moving import change_state, enter_move
from tutela.reporting.states import MOVES, Move
from tutela.reporting.states import State as ReportState
from tutela.reporting.tables import report_files, reports, supplied_data
from tutela.storage.clock import Clock
from tutela.storage.database import Database, changed_rows, overwrite_erased
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import Job, Kind
from tutela.storage.kept_secrets import KeptSecrets
from tutela.storage.settings import Settings
from tutela.webhooks.model import Event, EventKind
from tutela.webhooks.sending import announce

CONFIRMED = frozenset({State.CONFIRMED, State.REPORTED, State.UNDER_APPEAL})
"""Where a case stands for which something may be supplied."""

DRAFT = "report.draft"
"""The job that begins the drafts of a confirmed case, to whoever has to be told of it."""

FORGET = "subject.forget"
"""The daily job that erases what was supplied, when its time is over."""

_AT_NIGHT = "35 4 * * *"
_NO_MORE = "the case is not confirmed any more, or is closed"


def supply(
    connection: Connection,
    secrets: KeptSecrets,
    subject: str,
    case: CaseId,
    supplied: Supplied,
    *,
    caller: Caller,
    clock: Clock,
) -> None:
    """Keep what a platform supplies for a case, in place of what it supplied before.

    ``beginning.refill`` brings the case's drafts up to date afterwards.

    Args:
        connection: A transaction that writes; this comes last in it.
        secrets: What seals it.
        subject: Whom the case is about, as the platform calls them.
        case: The case.
        supplied: What is supplied.
        caller: Who supplies it.
        clock: The time.

    Raises:
        NotFoundError: There is no such case, or it is not about this subject.
        OutOfTurnError: The case is not confirmed.
        InvalidInputError: It tells of an upload that the case does not have.
        StorageError: The sealing key cannot be made or used.
    """
    row = lock_case(connection, case)
    _check_subject(connection, row.subject_id, check_key(subject), case)
    if State(row.state) not in CONFIRMED:
        raise OutOfTurnError(
            "{case} is not confirmed: nothing is taken of anybody before people have "
            "decided; the event subject.wanted says when",
            case=case,
        )
    _check_uploads(connection, case, supplied)
    connection.execute(delete(supplied_data).where(supplied_data.c.case_id == case))
    content = supplied.model_dump_json(exclude_defaults=True, exclude_none=True).encode()
    connection.execute(
        insert(supplied_data).values(
            case_id=case,
            sealed=secrets.seal(content, _bound_to(case)),
            supplied_at=clock(),
            supplied_by=caller.actor.id,
        )
    )
    # Where those concerned are may mean that others have to be told as well.
    enqueue(connection, DRAFT, {"case": case}, clock)
    append(connection, caller.actor, Act.SUBJECT_SUPPLIED, clock, case=case)


def supplied_of(connection: Connection, secrets: KeptSecrets, case: CaseId) -> Supplied:
    """What a platform supplied for a case; empty if nothing, or if it is erased.

    Raises:
        StorageError: The sealing key is missing or another one, or what was sealed is altered.
    """
    sealed = connection.execute(
        select(supplied_data.c.sealed).where(supplied_data.c.case_id == case)
    ).scalar_one_or_none()
    if sealed is None:
        return Supplied()
    return Supplied.model_validate_json(secrets.open(sealed, _bound_to(case)))


def ask_for(connection: Connection, case: CaseId, caller: Caller, clock: Clock) -> None:
    """Ask the platform for what it knows of whom a case is about: the event ``subject.wanted``.

    Do it last in the transaction. It only says the case's number and what the platform itself calls
    account and uploads.

    Raises:
        NotFoundError: There is no such case, or nobody said whom it is about.
        OutOfTurnError: The case is not confirmed.
    """
    row = lock_case(connection, case)
    if State(row.state) not in CONFIRMED:
        raise OutOfTurnError(
            "{case} is not confirmed: nobody is asked for anything before that", case=case
        )
    if not want(connection, case, f"asked:{case}", clock):
        raise NotFoundError(f"nobody said whom {case} is about, so nobody can be asked")
    append(connection, caller.actor, Act.SUBJECT_WANTED, clock, case=case)


def want(connection: Connection, case: CaseId, cause: str, clock: Clock) -> bool:
    """Announce ``subject.wanted``, if the case is about somebody whom the platform named.

    Args:
        connection: The transaction of what it follows from.
        case: The case.
        cause: What it follows from, such as ``decision:17``.
        clock: The time.

    Returns:
        Whether it is about somebody.
    """
    subject = connection.execute(
        select(subjects.c.key)
        .join(cases, cases.c.subject_id == subjects.c.id)
        .where(cases.c.id == case)
    ).scalar_one_or_none()
    if subject is None:
        return False
    items = connection.execute(
        select(case_items.c.reference)
        .where(case_items.c.case_id == case, case_items.c.reference.is_not(None))
        .order_by(case_items.c.id)
    ).scalars()
    data = {"subject": subject, "items": list(dict.fromkeys(items))}
    announce(connection, Event(EventKind.SUBJECT_WANTED, case, data, cause), clock)
    return True


def forgetting(settings: Settings, database: Database, clock: Clock) -> Kind:
    """The kind of job that erases what was supplied, when its time is over."""

    def forget(_job: Job) -> None:
        with database.writing() as connection:
            erased = erase_supplied(connection, clock, days=settings.reporting.supplied_days)
        if erased:
            overwrite_erased(database, supplied_data)
        with database.writing() as connection:
            discarded = discard_unconfirmed(connection, clock)
        if discarded:
            overwrite_erased(database, reports)
            overwrite_erased(database, report_files)

    return Kind(FORGET, forget, schedule=_AT_NIGHT)


def erase_supplied(connection: Connection, clock: Clock, *, days: int) -> int:
    """Erase what was supplied for cases that are over, or reported so long ago; counts those."""
    before = clock() - timedelta(days=days)
    over = select(cases.c.id).where(cases.c.state.not_in(CONFIRMED))
    reported = select(cases.c.id).where(cases.c.state == State.REPORTED)
    lately = select(reports.c.case_id).where(reports.c.sent_at >= before)
    of_case = supplied_data.c.case_id
    old = and_(of_case.in_(reported), of_case.not_in(lately), supplied_data.c.supplied_at < before)
    erased = delete(supplied_data).where(or_(of_case.in_(over), old))
    return changed_rows(connection, erased)


def discard_unconfirmed(connection: Connection, clock: Clock) -> list[ReportId]:
    """Discard what was written of cases that are confirmed no more. Do it last in the transaction.

    What waits to be sent is not touched: its own job sees to that.
    """
    found = connection.execute(
        select(reports.c.id)
        .join(cases, cases.c.id == reports.c.case_id)
        .where(
            reports.c.state.in_(MOVES[Move.DISCARD]),
            or_(
                cases.c.state == State.NOT_CONFIRMED,
                # Nothing is left to do with it; what corrects a report that was sent is, and what
                # somebody stands for is nobody else's to drop.
                and_(
                    cases.c.state == State.CLOSED,
                    reports.c.corrects.is_(None),
                    reports.c.state == ReportState.DRAFT,
                ),
            ),
        )
        .order_by(reports.c.id)
    )
    gone = [ReportId(report) for report in found.scalars()]
    for report in gone:
        change_state(connection, report, Move.DISCARD, BY_ITSELF, clock, reason=_NO_MORE)
    for report in gone:
        enter_move(connection, report, Move.DISCARD, BY_ITSELF, clock, reason=_NO_MORE)
    return gone


def _check_subject(connection: Connection, number: int | None, subject: str, case: CaseId) -> None:
    key = None
    if number is not None:
        key = connection.execute(
            select(subjects.c.key).where(subjects.c.id == number)
        ).scalar_one_or_none()
    if key != subject:
        raise NotFoundError(f"{case} is not about this subject: look at the event's case and name")


def _check_uploads(connection: Connection, case: CaseId, supplied: Supplied) -> None:
    known = set(
        connection.execute(
            select(case_items.c.reference).where(case_items.c.case_id == case)
        ).scalars()
    )
    if any(each.reference not in known for each in supplied.uploads):
        raise InvalidInputError(
            "{case} does not have each of these uploads: only what the case is about is taken",
            case=case,
        )


def _bound_to(case: CaseId) -> str:
    return f"supplied:{case}"
