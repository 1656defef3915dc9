"""Which case an item belongs to: items of one subject join the case of theirs that is still open.

A case that somebody looks at already is left as it is, so that nobody decides on what they have not
been shown.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, func, select

from tutela.cases.grounds import is_confirmed
from tutela.cases.model import CaseId
from tutela.cases.states import State
from tutela.cases.tables import case_items, cases, subjects
from tutela.errors import InvalidInputError
from tutela.storage.clock import Clock
from tutela.storage.database import insert_or_ignore

MOST_ITEMS = 100
"""A case that has so many items takes no more: the next one opens another case."""

LONGEST_KEY = 200


def check_key(key: str) -> str:
    """What a platform calls a subject or an upload, as it is kept: without blanks around it.

    Raises:
        InvalidInputError: It is empty, too long, or has characters that cannot be seen.
    """
    key = key.strip()
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise InvalidInputError(
            "a subject and a reference have 1 to {longest_key} characters that can be seen",
            longest_key=LONGEST_KEY,
        )
    return key


def open_case_of(connection: Connection, subject: str) -> CaseId | None:
    """The case of a subject that more items can join, if there is one."""
    found = connection.execute(
        select(cases.c.id)
        .join(subjects, subjects.c.id == cases.c.subject_id)
        .where(subjects.c.key == subject, cases.c.state == State.OPEN)
        .order_by(cases.c.opened_at.desc(), cases.c.id)
        .limit(1)
    ).scalar_one_or_none()
    return CaseId(found) if found is not None and _has_room(connection, found) else None


def can_be_joined(connection: Connection, case: CaseId) -> bool:
    """Whether a case is one that more items can join."""
    state = connection.execute(select(cases.c.state).where(cases.c.id == case)).scalar_one_or_none()
    return state == State.OPEN and _has_room(connection, case)


def _has_room(connection: Connection, case: str) -> bool:
    has = select(func.count()).where(case_items.c.case_id == case)
    return connection.execute(has).scalar_one() < MOST_ITEMS


def lock_subjects(connection: Connection, keys: Collection[str], clock: Clock) -> dict[str, int]:
    """The numbers of subjects, made where they are new; nobody else opens cases for them now."""
    # In one order everywhere, so that no two transactions wait for each other.
    for key in sorted(keys):
        connection.execute(
            insert_or_ignore(connection, subjects).values(key=key, first_seen_at=clock())
        )
    if not keys:
        return {}
    locked = select(subjects.c.key, subjects.c.id).where(subjects.c.key.in_(keys))
    rows = connection.execute(locked.order_by(subjects.c.key).with_for_update())
    return {row.key: row.id for row in rows}


def lock_in_states(
    connection: Connection, numbers: Iterable[CaseId], states: Collection[State]
) -> set[CaseId]:
    """Those of some cases that are in one of these states, locked so that they stay in it."""
    locked = select(cases.c.id).where(cases.c.id.in_(set(numbers)), cases.c.state.in_(states))
    rows = connection.execute(locked.order_by(cases.c.id).with_for_update())
    return {CaseId(number) for number in rows.scalars()}


def was_confirmed_before(connection: Connection, subject: int) -> bool:
    """Whether an earlier case of a subject was confirmed."""
    earlier = select(cases.c.id).where(cases.c.subject_id == subject, is_confirmed())
    return connection.execute(earlier.limit(1)).scalar_one_or_none() is not None
