"""Words of a case that are shown in another place than on its page: as what a report says.

They weigh on whoever reads them all the same, so they count as looked at: in part, since a report
may have shortened or changed them.
"""

from datetime import timedelta

from sqlalchemy import Connection, exists, insert, select

from tutela.accounts.model import Caller
from tutela.cases.model import CaseId, ItemKind
from tutela.cases.tables import case_items, viewings
from tutela.cases.viewing import Why, enter_viewed
from tutela.cases.viewings import viewing_of
from tutela.sandbox.model import Level, Shown
from tutela.storage.clock import Clock

_ONE_READING = timedelta(minutes=15)


def count_words(connection: Connection, case: CaseId, caller: Caller, clock: Clock) -> None:
    """Write down that a person is about to be shown the words of a case. Do it last.

    What they were shown within the last minutes is one reading: a page is opened again and again
    while somebody writes.
    """
    if caller.person is None:
        return
    now = clock()
    lately = exists().where(
        viewings.c.item_id == case_items.c.id,
        viewings.c.person == caller.person,
        viewings.c.level != Level.VEIL,
        viewings.c.shown.is_not(None),
        viewings.c.began_at > now - _ONE_READING,
    )
    words = connection.execute(
        select(case_items.c.id, case_items.c.evidence_id)
        .where(
            case_items.c.case_id == case,
            case_items.c.kind == ItemKind.TEXT,
            case_items.c.evidence_id.is_not(None),
            ~lately,
        )
        .order_by(case_items.c.id)
    ).all()
    shown = [
        connection.execute(
            insert(viewings)
            .values(
                case_id=case,
                item_id=each.id,
                evidence_id=each.evidence_id,
                person=caller.person,
                level=Level.PART,
                colour=False,
                reason=Why.DESCRIBE,
                began_at=now,
                shown=Shown.TEXT,
                heard_at=now,
                # How long it is in sight there, no page says.
                seconds=0.0,
            )
            .returning(*viewings.c)
        ).one()
        for each in words
    ]
    for row in shown:
        enter_viewed(connection, viewing_of(row), caller, clock)
