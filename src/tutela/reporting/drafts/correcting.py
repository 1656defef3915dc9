"""What a report said that was sent: a correction begins with it."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tutela.errors import DamagedEvidenceError, NotFoundError
from tutela.reporting.cybertipline.model import FileDescription
from tutela.reporting.cybertipline.reading import (
    InvalidDocumentError,
    MalformedDocumentError,
    read_file_details,
    read_report,
)
from tutela.reporting.cybertipline.sending import REPORT_DOCUMENT
from tutela.reporting.delivery.receipts import INDEX
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.drafting import BY_RECORD, Draft, DraftFile, plain
from tutela.reporting.model import ChannelKind, Report
from tutela.reporting.packages.contents import DOCUMENT as LETTER_DOCUMENT
from tutela.reporting.packages.document import Document

_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Said:
    """What a report said.

    Attributes:
        values: JSON of the content model's ``Report``.
        files: JSON of what it said of each file, by the file's evidence.
    """

    values: dict[str, Any]
    files: Mapping[str, Mapping[str, Any]]


def sent_again(desk: Desk, earlier: Report, filled: Draft) -> Draft:
    """What a correction says at its beginning: what the earlier report said, and that it was sent.

    What a person wrote then stays, of the files as well. Files that came since are there as they
    fill themselves, and whether one was viewed is what the record says now. Where the receipt is
    destroyed, all of it is what is known of the case now.

    Args:
        desk: The open house.
        earlier: The report that was sent.
        filled: What is known of the case now, with the number of the earlier report.

    Raises:
        DamagedEvidenceError, StorageError: The vault or the database fails.
    """
    said = _said(desk, earlier)
    if said is None:
        return filled
    values = said.values
    prior = filled.values.get("person_or_user_reported", {}).get("prior_ct_reports", [])
    reported = values.get("person_or_user_reported", {})
    both = dict.fromkeys((*reported.get("prior_ct_reports", []), *prior))
    if both:
        values["person_or_user_reported"] = {**reported, "prior_ct_reports": list(both)}
    return Draft(values, tuple(_again(each, said.files) for each in filled.files))


def _again(file: DraftFile, said: Mapping[str, Mapping[str, Any]]) -> DraftFile:
    if file.evidence not in said:
        return file
    by_record = {name: file.values.get(name) for name in BY_RECORD}
    return DraftFile(file.item, file.evidence, {**said[file.evidence], **by_record})


def _said(desk: Desk, earlier: Report) -> Said | None:
    if earlier.receipt is None:
        return None
    try:
        content = b"".join(desk.vault.open(earlier.receipt))
    except NotFoundError:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if earlier.channel is ChannelKind.CYBERTIPLINE:
                return _by_documents(archive)
            return _by_letter(archive)
    except (zipfile.BadZipFile, KeyError):
        raise DamagedEvidenceError(f"the receipt of report {earlier.id} is no receipt") from None
    except (MalformedDocumentError, InvalidDocumentError, ValidationError):
        return None  # By another edition of what a report may say.


def _by_documents(archive: zipfile.ZipFile) -> Said:
    """By the XML that the CyberTipline was sent."""
    values = plain(read_report(_member(archive, REPORT_DOCUMENT)))
    index = json.loads(_member(archive, INDEX)) if INDEX in archive.namelist() else {}
    evidence = {each["remote_id"]: each["evidence"] for each in index.get("files", ())}
    files = {}
    for name in archive.namelist():
        if not name.startswith("file-"):
            continue
        details = read_file_details(_member(archive, name))
        if details.file_id in evidence:
            fields = {each: getattr(details, each) for each in FileDescription.model_fields}
            files[evidence[details.file_id]] = plain(FileDescription(**fields))
    return Said(values, files)


def _by_letter(archive: zipfile.ZipFile) -> Said:
    """By the JSON that was in the package, or in the message."""
    document = Document.model_validate_json(_member(archive, LETTER_DOCUMENT))
    files = {each.evidence: plain(each.details) for each in document.files}
    return Said(plain(document.report), files)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _LARGEST:
        raise KeyError(name)
    return archive.read(name)
