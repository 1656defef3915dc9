"""Which earlier reports a report names: those that the authority really has, by its own numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from tutela.errors import InvalidInputError
from tutela.reporting.corrected import check_corrected
from tutela.reporting.finding import find_report
from tutela.reporting.model import ChannelKind, Environment, ReportId
from tutela.reporting.tables import reports

_LISTS = ("person_or_user_reported", "intended_recipients", "victims")
_FIELD = "prior_ct_reports"


def check_earlier(
    connection: Connection, row: Row[Any], values: Mapping[str, Any], environment: Environment
) -> None:
    """See that a report names the one that it corrects, and none that only a rehearsal has.

    A draft may be older than the settings. A number that a sandbox gave is somebody else's report
    at the authority itself.

    Args:
        connection: A transaction.
        row: The report's row.
        values: What it says, as JSON of the content model.
        environment: How real it will be.

    Raises:
        InvalidInputError: It names a report of another environment, or lacks the corrected one.
        OutOfTurnError: The one that it corrects went to another environment.
    """
    if row.channel != ChannelKind.CYBERTIPLINE:
        return
    named = frozenset(_named(values))
    corrected = None if row.corrects is None else find_report(connection, ReportId(row.corrects))
    if corrected is not None:
        check_corrected(corrected.id, corrected.environment, environment)
    for number in sorted(_of_others(connection, row.authority, environment, named)):
        raise InvalidInputError(
            "report {report} names the earlier report {number}, which is none of the authority "
            "in the {environment} environment: bring the draft up to date, or take it out",
            report=row.id,
            number=number,
            environment=environment,
        )
    if corrected is not None and corrected.remote_id not in named:
        raise InvalidInputError(
            "report {report} corrects report {corrected}: name its number there, {number}, "
            "among {field}",
            report=row.id,
            corrected=corrected.id,
            number=corrected.remote_id,
            field=f"{_LISTS[0]}.{_FIELD}",
        )


def _named(values: Mapping[str, Any]) -> Iterator[str]:
    for name in _LISTS:
        part = values.get(name) or ()
        for each in part if isinstance(part, list | tuple) else (part,):
            yield from map(str, each.get(_FIELD) or ())


def _of_others(
    connection: Connection, authority: str, environment: Environment, numbers: frozenset[str]
) -> frozenset[str]:
    """Those numbers that reports to this authority have in other environments alone."""
    known = select(reports.c.remote_id, reports.c.environment).where(
        reports.c.remote_id.in_(sorted(numbers)),
        reports.c.authority == authority,
        reports.c.channel == ChannelKind.CYBERTIPLINE,
    )
    found = connection.execute(known).all() if numbers else []
    here = {each.remote_id for each in found if each.environment == environment}
    return frozenset(each.remote_id for each in found) - here
