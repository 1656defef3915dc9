"""Lists of cases: those of one state as they are queued, all others with the newest first."""

from sqlalchemy import Connection, select, tuple_

from tutela.accounts.model import PersonId
from tutela.cases.queue import Place, Queued, queued, waiting
from tutela.cases.states import State
from tutela.cases.tables import cases, subjects


def listed(
    connection: Connection,
    *,
    state: State | None = None,
    subject: str | None = None,
    assigned_to: PersonId | None = None,
    held_by: PersonId | None = None,
    limit: int = 50,
    after: Place | None = None,
    ranked: bool = True,
    severe: bool | None = None,
) -> list[Queued]:
    """A page of the cases that fit: in the order of the queue if only their state is asked for.

    Args:
        connection: Where to read.
        state: Where they stand.
        subject: Whom they are about, as the platform calls them.
        assigned_to: Whose they are.
        held_by: Who holds them.
        limit: How many at most.
        after: The end of the page before, as ``end_of`` gives it.
        ranked: Whether those of one state are in the order of the queue.
        severe: Only those that are hard on whoever looks, or only those that are not.
    """
    others = (subject, assigned_to, held_by)
    if ranked and state is not None and others == (None, None, None):
        return waiting(connection, state=state, limit=limit, after=after, severe=severe)
    page = select(cases)
    if state is not None:
        page = page.where(cases.c.state == state)
    if subject is not None:
        subject = subject.strip()
        if not subject.isprintable():
            return []  # None is called so, and not every database can be asked for it.
        of_subject = select(subjects.c.id).where(subjects.c.key == subject).scalar_subquery()
        page = page.where(cases.c.subject_id == of_subject)
    if severe is not None:
        page = page.where(cases.c.severe.is_(severe))
    if assigned_to is not None:
        page = page.where(cases.c.assigned_to == assigned_to)
    if held_by is not None:
        page = page.where(cases.c.held_by == held_by)
    if after is not None:
        place = tuple_(cases.c.opened_at, cases.c.id)
        page = page.where(place < tuple_(after.rank_at, after.case))
    page = page.order_by(cases.c.opened_at.desc(), cases.c.id.desc()).limit(limit)
    return list(queued(connection, page))


def end_of(page: list[Queued], *, by_rank: bool) -> Place | None:
    """Where a page ends, or ``None`` if it is empty."""
    if not page:
        return None
    last = page[-1]
    return Place(last.rank_at if by_rank else last.opened_at, last.case)
