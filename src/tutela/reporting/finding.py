"""Finding reports: one, those of a case, or all that stand somewhere."""

from typing import Any

from sqlalchemy import Connection, Row, select

from tutela.cases.model import CaseId
from tutela.evidence.model import ItemId
from tutela.reporting.model import ChannelKind, Environment, Report, ReportId
from tutela.reporting.moving import absent
from tutela.reporting.states import State
from tutela.reporting.tables import reports

SHOWN = [column for column in reports.c if column.name not in ("content", "filled")]


def find_report(connection: Connection, report: ReportId) -> Report:
    """One report.

    Raises:
        NotFoundError: There is none of this number.
    """
    row = connection.execute(select(*SHOWN).where(reports.c.id == report)).one_or_none()
    if row is None:
        raise absent(report)
    return report_of(row)


def report_numbered(
    connection: Connection, authority: str, environment: str, number: str
) -> ReportId | None:
    """The report that an authority calls by this number there, if one is known."""
    named = select(reports.c.id).where(
        reports.c.authority == authority,
        reports.c.remote_id == number,
        reports.c.environment == environment,
    )
    found = connection.execute(named.limit(1)).scalar_one_or_none()
    return None if found is None else ReportId(found)


def find_reports(
    connection: Connection,
    *,
    case: CaseId | None = None,
    authority: str | None = None,
    state: State | None = None,
    before: ReportId | None = None,
    limit: int = 50,
) -> list[Report]:
    """Reports, the newest first.

    Args:
        connection: A transaction.
        case: Only those of this case.
        authority: Only those to this authority.
        state: Only those that stand here.
        before: Only those with a smaller number: how the next page is asked for.
        limit: How many at most.
    """
    wanted = select(*SHOWN).order_by(reports.c.id.desc()).limit(limit)
    if case is not None:
        wanted = wanted.where(reports.c.case_id == case)
    if authority is not None:
        wanted = wanted.where(reports.c.authority == authority)
    if state is not None:
        wanted = wanted.where(reports.c.state == state)
    if before is not None:
        wanted = wanted.where(reports.c.id < before)
    return [report_of(row) for row in connection.execute(wanted)]


def report_of(row: Row[Any]) -> Report:
    """A report from all columns but what it says."""
    return Report(
        id=ReportId(row.id),
        case=CaseId(row.case_id),
        authority=row.authority,
        channel=ChannelKind(row.channel),
        environment=None if row.environment is None else Environment(row.environment),
        state=State(row.state),
        corrects=None if row.corrects is None else ReportId(row.corrects),
        made_at=row.made_at,
        made_by=row.made_by,
        signed_at=row.signed_at,
        signed_by=row.signed_by,
        approved_at=row.approved_at,
        approved_by=row.approved_by,
        queued_at=row.queued_at,
        sent_at=row.sent_at,
        remote_id=row.remote_id,
        receipt=None if row.receipt_item is None else ItemId(row.receipt_item),
        trouble=row.trouble,
        doubted_since=row.doubted_since,
    )
