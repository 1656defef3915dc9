"""What a report said that was sent: a correction begins with it."""

import io
import zipfile

from tutela.errors import DamagedEvidenceError, NotFoundError
from tutela.reporting.cybertipline.reading import (
    InvalidDocumentError,
    MalformedDocumentError,
    read_report,
)
from tutela.reporting.cybertipline.sending import REPORT_DOCUMENT
from tutela.reporting.desk import Desk
from tutela.reporting.drafting import Draft, plain
from tutela.reporting.model import ChannelKind, Report

_LARGEST = 64 << 20


def sent_again(desk: Desk, earlier: Report, filled: Draft) -> Draft:
    """What a correction says at its beginning: what the earlier report said, and that it was sent.

    Where its receipt is destroyed, or it went another way than the CyberTipline's, it is what is
    known of the case now.

    Args:
        desk: The open house.
        earlier: The report that was sent.
        filled: What is known of the case now, with the number of the earlier report.

    Raises:
        DamagedEvidenceError, StorageError: The vault or the database fails.
    """
    document = _sent_document(desk, earlier)
    if document is None:
        return filled
    try:
        values = plain(read_report(document))
    except (MalformedDocumentError, InvalidDocumentError):
        return filled  # By an official schema that says it otherwise.
    prior = filled.values.get("person_or_user_reported", {}).get("prior_ct_reports", [])
    reported = values.get("person_or_user_reported", {})
    both = dict.fromkeys((*reported.get("prior_ct_reports", []), *prior))
    if both:
        values["person_or_user_reported"] = {**reported, "prior_ct_reports": list(both)}
    return Draft(values, filled.files)


def _sent_document(desk: Desk, earlier: Report) -> bytes | None:
    if earlier.receipt is None or earlier.channel is not ChannelKind.CYBERTIPLINE:
        return None
    try:
        content = b"".join(desk.vault.open(earlier.receipt))
    except NotFoundError:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            member = archive.getinfo(REPORT_DOCUMENT)
            return archive.read(member) if member.file_size <= _LARGEST else None
    except (zipfile.BadZipFile, KeyError):
        raise DamagedEvidenceError(f"the receipt of report {earlier.id} is no receipt") from None
