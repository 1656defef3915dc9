"""Before anything is sent: each file is in the vault, and is what the case's record says."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, select

from tutela.cases.tables import case_items
from tutela.errors import DamagedEvidenceError, NotFoundError
from tutela.evidence.vault import Vault
from tutela.reporting.delivery.channel import NeedsPersonError, SendingFile
from tutela.reporting.model import ReportFile


def files_by_record(
    connection: Connection, vault: Vault, files: Sequence[ReportFile]
) -> list[SendingFile]:
    """The files as the case's own record has them. Nothing of them is opened yet.

    Raises:
        NeedsPersonError: A file is not in the case any more, or the case does not say what it is.
    """
    rows = {
        row.id: row
        for row in connection.execute(
            select(case_items).where(case_items.c.id.in_([each.item for each in files]))
        )
    }
    found = []
    for file in files:
        row = rows.get(file.item)
        if row is None or row.evidence_id != file.evidence:
            raise NeedsPersonError(
                f"the evidence {file.evidence} is not what item {file.item} of the case has: leave "
                "it out, or choose it anew"
            )
        if row.size is None or row.md5 is None or row.sha256 is None:
            raise NeedsPersonError(
                f"the case does not say what item {file.item} is to the bit (its size, MD5 and "
                "SHA-256), so that nobody can see that it arrives: leave it out"
            )
        found.append(
            SendingFile(
                evidence=file.evidence,
                name=row.name,
                size=row.size,
                md5=row.md5,
                sha256=row.sha256,
                details=file.details,
                read=lambda item=file.evidence: vault.open(item),  # type: ignore[misc]
            )
        )
    return found


def check_files(files: Sequence[SendingFile]) -> None:
    """Read every file to its end, and see that it is the one that the case's record tells of.

    Raises:
        NeedsPersonError: One is missing, damaged, or another one.
        StorageError: The vault or the database fails.
    """
    for file in files:
        md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
        try:
            for piece in file.read():
                md5.update(piece)
                sha256.update(piece)
                size += len(piece)
        except NotFoundError:
            raise NeedsPersonError(
                f"the evidence {file.evidence} is not in the vault any more: leave it out"
            ) from None
        except DamagedEvidenceError:
            raise NeedsPersonError(
                f"the evidence {file.evidence} is damaged: restore it from a backup"
            ) from None
        if (size, md5.digest(), sha256.digest()) != (file.size, file.md5, file.sha256):
            raise NeedsPersonError(
                f"the evidence {file.evidence} is not the file that the case's record tells of: "
                "look at the case again"
            )
