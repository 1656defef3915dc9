"""Telling the platform what became of a case: its uploads, and the account that they came from.

Nothing is said of what the case is about: only what the platform itself called its uploads and its
account, and the case's number.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from sqlalchemy import ColumnElement, Connection, or_, select

from tutela.cases.grounds import is_confirmed
from tutela.cases.model import CaseId
from tutela.cases.states import State
from tutela.cases.tables import case_items, cases, subjects
from tutela.storage.clock import Clock
from tutela.storage.jobs.model import JSON
from tutela.webhooks.model import Event, EventKind
from tutela.webhooks.sending import announce

_ITEMS_A_MESSAGE = 100


def announce_confirmed(connection: Connection, case: CaseId, cause: str, clock: Clock) -> None:
    """Have the platform keep a case's uploads blocked, and look at the account.

    Args:
        connection: The transaction in which that takes effect.
        case: The case.
        cause: What it follows from, such as ``decision:17``.
        clock: The time.
    """
    tell = partial(_tell, connection, case, cause, clock)
    subject = _subject_of(connection, case)
    _tell_of_items(tell, EventKind.ITEM_BLOCKED, list(_references(connection, case)), subject)
    if subject is not None:
        tell(EventKind.ACCOUNT_FLAGGED, {"subject": subject})


def announce_not_confirmed(connection: Connection, case: CaseId, cause: str, clock: Clock) -> None:
    """Have the platform let a case's uploads free, but for those of another confirmed case.

    An account is cleared if none of its cases is confirmed any more.

    Args:
        connection: The transaction in which that takes effect.
        case: The case.
        cause: What it follows from.
        clock: The time.
    """
    tell = partial(_tell, connection, case, cause, clock)
    subject = _subject_of(connection, case)
    confirmed = _references_confirmed_elsewhere(connection, case)
    items = [each for each in _references(connection, case) if each not in confirmed]
    _tell_of_items(tell, EventKind.ITEM_LIFTED, items, subject)
    if subject is not None and not _has_confirmed_case(connection, case):
        tell(EventKind.ACCOUNT_CLEARED, {"subject": subject})


def announce_appeal(
    connection: Connection, case: CaseId, outcome: str, cause: str, clock: Clock
) -> None:
    """Have the platform tell whoever appealed what came of it."""
    subject = _subject_of(connection, case)
    data: Mapping[str, JSON] = {"outcome": outcome, **_named(subject)}
    _tell(connection, case, cause, clock, EventKind.APPEAL_DECIDED, data)


def _tell_of_items(
    tell: Callable[[EventKind, Mapping[str, JSON]], None],
    kind: EventKind,
    items: Sequence[str],
    subject: str | None,
) -> None:
    # Once even without items: that the case is decided is told all the same.
    for begin in range(0, max(len(items), 1), _ITEMS_A_MESSAGE):
        tell(kind, {"items": items[begin : begin + _ITEMS_A_MESSAGE], **_named(subject)})


def _tell(
    connection: Connection,
    case: CaseId,
    cause: str,
    clock: Clock,
    kind: EventKind,
    data: Mapping[str, JSON],
) -> None:
    announce(connection, Event(kind, case, data, cause), clock)


def _named(subject: str | None) -> Mapping[str, JSON]:
    return {} if subject is None else {"subject": subject}


def _subject_of(connection: Connection, case: CaseId) -> str | None:
    return connection.execute(
        select(subjects.c.key)
        .join(cases, cases.c.subject_id == subjects.c.id)
        .where(cases.c.id == case)
    ).scalar_one_or_none()


def _references(connection: Connection, case: CaseId) -> Iterator[str]:
    """What the platform called the case's uploads, each once, in their order."""
    rows = connection.execute(
        select(case_items.c.reference)
        .where(case_items.c.case_id == case, case_items.c.reference.is_not(None))
        .order_by(case_items.c.id)
    )
    yield from dict.fromkeys(rows.scalars())


def _stays_confirmed() -> ColumnElement[bool]:
    return or_(is_confirmed(), cases.c.state == State.UNDER_APPEAL)


def _references_confirmed_elsewhere(connection: Connection, case: CaseId) -> set[str]:
    ours = select(case_items.c.reference).where(
        case_items.c.case_id == case, case_items.c.reference.is_not(None)
    )
    return set(
        connection.execute(
            select(case_items.c.reference)
            .distinct()
            .join(cases, cases.c.id == case_items.c.case_id)
            .where(
                case_items.c.reference.in_(ours), case_items.c.case_id != case, _stays_confirmed()
            )
        ).scalars()
    )


def _has_confirmed_case(connection: Connection, case: CaseId) -> bool:
    """Whether another case of the same account is confirmed."""
    subject = connection.execute(select(cases.c.subject_id).where(cases.c.id == case)).scalar_one()
    confirmed = select(cases.c.id).where(
        cases.c.subject_id == subject, cases.c.id != case, _stays_confirmed()
    )
    return connection.execute(confirmed.limit(1)).scalar_one_or_none() is not None
