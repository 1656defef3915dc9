"""What waits: how many reports stand where, and which confirmed cases have none yet."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, ScalarSelect, exists, func, select

from tutela.cases.model import CaseId
from tutela.cases.states import State as CaseState
from tutela.cases.tables import cases
from tutela.reporting.finding import SHOWN, report_of
from tutela.reporting.model import Environment, Report, ReportId
from tutela.reporting.moving import is_there
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


MOST_COUNTED = 1_000
"""More reports than these are not counted for people."""


def counted(connection: Connection) -> Mapping[State, int]:
    """How many reports stand where; what is more than ``MOST_COUNTED`` is that and one."""
    # All at once, and none further than a page shows: they are sent ones, soon by the million.
    counts = connection.execute(select(*(_capped(state) for state in State))).one()
    return dict(zip(State, counts, strict=True))


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


def unbegun(connection: Connection, environment: Environment, limit: int = 20) -> list[Unbegun]:
    """Confirmed cases of which no report is begun, the one that waits longest first.

    Args:
        connection: A transaction.
        environment: How real reports are, as the settings have it.
        limit: How many at most.
    """
    begun = is_begun(environment)
    rows = connection.execute(
        select(cases.c.id, cases.c.decided_at)
        .where(cases.c.state == CaseState.CONFIRMED, cases.c.decided_at.is_not(None), ~begun)
        .order_by(cases.c.decided_at, cases.c.id)
        .limit(limit)
    )
    return [Unbegun(CaseId(row.id), row.decided_at) for row in rows]


def is_begun(environment: Environment) -> ColumnElement[bool]:
    """That a report of the case of a row of ``cases`` is begun, and there still.

    Args:
        environment: How real reports are, as the settings have it.
    """
    return exists().where(reports.c.case_id == cases.c.id, is_there(environment))


def _capped(state: State) -> ScalarSelect[int]:
    some = select(reports.c.id).where(reports.c.state == state).limit(MOST_COUNTED + 1).subquery()
    return select(func.count()).select_from(some).scalar_subquery()
