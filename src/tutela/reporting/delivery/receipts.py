"""Receipts: what was sent, byte for byte, what the authority answered, and when.

A receipt is a ZIP archive, sealed in the vault as a piece of evidence of the case: the documents
exactly as they were sent, and ``receipt.json``, which names files, numbers, hashes and times.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

import tutela
from tutela.errors import NotFoundError
from tutela.evidence.model import ItemId
from tutela.evidence.tables import blobs, evidence_items
from tutela.reporting.delivery.channel import Outcome, Receipt, RemoteFile
from tutela.reporting.delivery.notebook import attempts_of
from tutela.reporting.finding import find_report
from tutela.reporting.model import Environment, Report, ReportId
from tutela.reporting.tables import delivery_attempts

INDEX = "receipt.json"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """What the database itself knows of a receipt.

    Attributes:
        report: The report.
        remote_id: What the authority calls it.
        sent_at: When it was found to have it.
        environment: Where it was sent.
        attempts: How often somebody began to send it.
        document_sha256: The SHA-256 of the report itself as it was sent, byte for byte.
        files: What the authority answered of each file.
        evidence: The piece of evidence that holds everything.
    """

    report: ReportId
    remote_id: str
    sent_at: datetime
    environment: Environment
    attempts: int
    document_sha256: bytes
    files: Mapping[ItemId, RemoteFile]
    evidence: ItemId | None

    def as_fields(self) -> dict[str, object]:
        """The receipt by names, as programs are given it."""
        return {
            "report": self.report,
            "remote_id": self.remote_id,
            "sent_at": self.sent_at.isoformat(),
            "environment": self.environment,
            "attempts": self.attempts,
            "document_sha256": self.document_sha256.hex(),
            "files": [
                {"evidence": item, "remote_id": remote.id, "md5": remote.md5.hex()}
                for item, remote in self.files.items()
            ],
            "evidence": self.evidence,
        }


def receipt_of(connection: Connection, report: ReportId) -> KeptReceipt:
    """The receipt of a report that is sent.

    Raises:
        NotFoundError: There is no such report, or it is not sent.
    """
    found = find_report(connection, report)
    attempts = attempts_of(connection, report)
    counting = [each for each in attempts if each.outcome is Outcome.SENT]
    if found.sent_at is None or found.remote_id is None or not counting:
        raise NotFoundError(f"report {report} has no receipt: it is {found.state.words}")
    digest = connection.execute(
        select(delivery_attempts.c.document_sha256).where(delivery_attempts.c.id == counting[0].id)
    ).scalar_one()
    return KeptReceipt(
        report=report,
        remote_id=found.remote_id,
        sent_at=found.sent_at,
        environment=counting[0].environment,
        attempts=len(attempts),
        document_sha256=digest or b"",
        files=counting[0].files,
        evidence=found.receipt,
    )


def written_receipt(
    connection: Connection, report: Report, receipt: Receipt, documents: Mapping[str, bytes]
) -> bytes:
    """A receipt as it is sealed. The same facts always give the same bytes.

    Args:
        connection: Where to read what the files are.
        report: The report.
        receipt: What its channel says.
        documents: Exactly what was sent, by name.
    """
    index = {
        "format": 1,
        "tutela": tutela.__version__,
        "report": report.id,
        "case": report.case,
        "authority": report.authority,
        "channel": report.channel,
        "environment": receipt.attempt.environment,
        "remote_id": receipt.remote_id,
        "begun_at": receipt.attempt.begun_at.isoformat(),
        "finished_at": receipt.finished_at.isoformat(),
        # The answer itself was lost; the authority said afterwards that it had taken the report.
        "found_out": receipt.found_out,
        "documents": [
            {
                "name": name,
                "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            for name, content in documents.items()
        ],
        "files": _files(connection, receipt.attempt.files),
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in documents.items():
            _add(archive, name, content)
        told = json.dumps(index, ensure_ascii=False, indent=1).encode() + b"\n"
        _add(archive, INDEX, told)
    return written.getvalue()


def _files(connection: Connection, files: Mapping[ItemId, RemoteFile]) -> list[dict[str, object]]:
    rows = connection.execute(
        select(evidence_items.c.id, blobs.c.size, blobs.c.sha256)
        .join_from(evidence_items, blobs)
        .where(evidence_items.c.id.in_(list(files)))
    )
    known = {row.id: row for row in rows}
    return [
        {
            "evidence": item,
            "remote_id": remote.id,
            "md5": remote.md5.hex(),
            "sha256": known[item].sha256.hex() if item in known else None,
            "size": known[item].size if item in known else None,
        }
        for item, remote in files.items()
    ]


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, _LONG_AGO)
    member.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(member, content)
