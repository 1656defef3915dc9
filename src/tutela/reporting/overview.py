"""What waits: how many reports stand where, and which confirmed cases have none yet."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, func, select

from tutela.cases.model import CaseId
from tutela.cases.states import State as CaseState
from tutela.cases.tables import cases
from tutela.reporting.finding import SHOWN, report_of
from tutela.reporting.model import Report, ReportId
from tutela.reporting.states import State
from tutela.reporting.tables import reports


@dataclass(frozen=True, slots=True)
class Unbegun:
    """A confirmed case of which no report is begun.

    Attributes:
        case: The case.
        decided_at: When it was confirmed.
    """

    case: CaseId
    decided_at: datetime


def counted(connection: Connection) -> Mapping[State, int]:
    """How many reports stand where."""
    rows = connection.execute(select(reports.c.state, func.count()).group_by(reports.c.state))
    return {State(state): count for state, count in rows}


def standing(
    connection: Connection,
    states: Collection[State],
    *,
    after: ReportId | None = None,
    limit: int = 50,
    newest: bool = False,
) -> list[Report]:
    """Reports that stand somewhere, what was begun first at the beginning.

    Args:
        connection: A transaction.
        states: Where they stand.
        after: Only those that come after this one: how the next page is asked for.
        limit: How many at most.
        newest: Whether what was begun last comes first.
    """
    wanted = select(*SHOWN).where(reports.c.state.in_(list(states))).limit(limit)
    wanted = wanted.order_by(reports.c.id.desc() if newest else reports.c.id)
    if after is not None:
        wanted = wanted.where(reports.c.id < after if newest else reports.c.id > after)
    return [report_of(row) for row in connection.execute(wanted)]


def unbegun(connection: Connection, limit: int = 20) -> list[Unbegun]:
    """Confirmed cases of which no report is begun, the one that waits longest first."""
    begun = exists().where(reports.c.case_id == cases.c.id, reports.c.state != State.DISCARDED)
    rows = connection.execute(
        select(cases.c.id, cases.c.decided_at)
        .where(cases.c.state == CaseState.CONFIRMED, cases.c.decided_at.is_not(None), ~begun)
        .order_by(cases.c.decided_at, cases.c.id)
        .limit(limit)
    )
    return [Unbegun(CaseId(row.id), row.decided_at) for row in rows]
