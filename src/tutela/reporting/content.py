"""What is written in a report: sealed while it rests in the database, and erased at its end."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, update

from tutela.errors import NotFoundError
from tutela.evidence.model import ItemId
from tutela.reporting.model import CaseItemNumber, ReportFile, ReportId, thing_of
from tutela.reporting.tables import delivery_attempts, delivery_documents, report_files, reports
from tutela.storage.kept_secrets import KeptSecrets


def keep_content(
    connection: Connection, secrets: KeptSecrets, report: ReportId, content: bytes
) -> None:
    """Write what a report says, in place of what it said before.

    Args:
        connection: A transaction that writes.
        secrets: What seals it.
        report: The report.
        content: JSON of the content model's ``Report``.

    Raises:
        StorageError: The sealing key cannot be made or used.
    """
    sealed = secrets.seal(content, thing_of(report))
    connection.execute(update(reports).where(reports.c.id == report).values(content=sealed))


def keep_files(
    connection: Connection, secrets: KeptSecrets, report: ReportId, files: Sequence[ReportFile]
) -> None:
    """Write which files go with a report, in place of those before, in this order.

    Raises:
        StorageError: The sealing key cannot be made or used.
    """
    connection.execute(delete(report_files).where(report_files.c.report_id == report))
    for position, file in enumerate(files):
        connection.execute(
            insert(report_files).values(
                report_id=report,
                position=position,
                item_id=file.item,
                evidence_id=file.evidence,
                details=secrets.seal(file.details, _file_of(report, position)),
            )
        )


def content_of(connection: Connection, secrets: KeptSecrets, report: ReportId) -> bytes:
    """What a report says: JSON of the content model's ``Report``.

    Raises:
        NotFoundError: There is no such report, or it is erased: the report is sent or discarded.
        StorageError: The sealing key is missing or another one, or what was sealed is altered.
    """
    sealed = connection.execute(
        select(reports.c.content).where(reports.c.id == report)
    ).scalar_one_or_none()
    if sealed is None:
        raise NotFoundError(
            f"nothing of what report {report} says is in the database: what was sent is kept as "
            'evidence, see "tutela evidence ls"'
        )
    return secrets.open(sealed, thing_of(report))


def files_of(connection: Connection, secrets: KeptSecrets, report: ReportId) -> list[ReportFile]:
    """The files that go with a report, in their order. What is said of them may be erased already.

    Raises:
        StorageError: As for ``content_of``.
    """
    rows = connection.execute(
        select(report_files)
        .where(report_files.c.report_id == report)
        .order_by(report_files.c.position)
    )
    return [
        ReportFile(
            CaseItemNumber(row.item_id),
            ItemId(row.evidence_id),
            b""
            if row.details is None
            else secrets.open(row.details, _file_of(report, row.position)),
        )
        for row in rows
    ]


def erase(connection: Connection, report: ReportId) -> None:
    """Erase what a report says, and what its attempts sent.

    Which files it had, and what the authority called them, stays. To take the erased bytes out of
    the database's files, ``storage.database.overwrite_erased`` has to follow.
    """
    connection.execute(
        update(reports).where(reports.c.id == report).values(content=None, filled=None)
    )
    connection.execute(
        update(report_files).where(report_files.c.report_id == report).values(details=None)
    )
    attempts = select(delivery_attempts.c.id).where(delivery_attempts.c.report_id == report)
    connection.execute(
        delete(delivery_documents).where(delivery_documents.c.attempt_id.in_(attempts))
    )


def _file_of(report: ReportId, position: int) -> str:
    return f"{thing_of(report)}:file:{position}"
