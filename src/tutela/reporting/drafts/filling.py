"""What a draft was filled in with by itself: kept sealed beside it, and erased with it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, update

from tutela.reporting.content import keep_content, keep_files
from tutela.reporting.drafts.drafting import Draft, DraftFile
from tutela.reporting.drafts.merging import merge
from tutela.reporting.model import CaseItemNumber, ReportFile, ReportId, thing_of
from tutela.reporting.tables import reports
from tutela.storage.kept_secrets import KeptSecrets


@dataclass(frozen=True, slots=True)
class Filled:
    """What a draft was filled in with.

    Attributes:
        values: JSON of the content model's ``Report``.
        files: The same of ``FileDescription``, by the item.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[CaseItemNumber, Mapping[str, Any]] = field(default_factory=dict)

    def has_all_of(self, written: Draft) -> bool:
        """Whether a draft says just that, so that nobody has written in it."""
        files = {each.item: each.values for each in written.files}
        return self.values == written.values and self.files == files


def keep_draft(
    connection: Connection, secrets: KeptSecrets, report: ReportId, draft: Draft
) -> None:
    """Write what a draft says, and which files go with it.

    Raises:
        StorageError: The sealing key cannot be made or used.
    """
    keep_content(connection, secrets, report, to_json(draft.values))
    files = [ReportFile(each.item, each.evidence, to_json(each.values)) for each in draft.files]
    keep_files(connection, secrets, report, files)


def keep_filled(
    connection: Connection, secrets: KeptSecrets, report: ReportId, draft: Draft
) -> None:
    """Write what a draft was filled in with.

    Raises:
        StorageError: The sealing key cannot be made or used.
    """
    files = {str(each.item): dict(each.values) for each in draft.files}
    content = to_json({"values": dict(draft.values), "files": files})
    sealed = secrets.seal(content, _bound_to(report))
    connection.execute(update(reports).where(reports.c.id == report).values(filled=sealed))


def filled_of(connection: Connection, secrets: KeptSecrets, report: ReportId) -> Filled:
    """What a draft was filled in with; nothing, where it never was or it is erased.

    Raises:
        StorageError: The sealing key is missing or another one, or what was sealed is altered.
    """
    sealed = connection.execute(
        select(reports.c.filled).where(reports.c.id == report)
    ).scalar_one_or_none()
    if sealed is None:
        return Filled()
    found = json.loads(secrets.open(sealed, _bound_to(report)))
    files = {CaseItemNumber(int(item)): values for item, values in found["files"].items()}
    return Filled(found["values"], files)


def merged(written: Draft, filled: Filled, now: Draft) -> Draft:
    """A draft brought up to date, with whatever a person wrote in it. Pure.

    A file that a person took out of it stays out.
    """
    there = {each.item: each for each in written.files}
    files = []
    for each in now.files:
        before = there.get(each.item)
        if before is not None:
            values = merge(before.values, filled.files.get(each.item), each.values)
            files.append(DraftFile(each.item, each.evidence, values))
        elif each.item not in filled.files:
            files.append(each)
    return Draft(merge(written.values, filled.values, now.values), tuple(files))


def to_json(values: Mapping[str, Any]) -> bytes:
    """Values as they are kept."""
    return json.dumps(values, ensure_ascii=False, sort_keys=True).encode()


def _bound_to(report: ReportId) -> str:
    return f"{thing_of(report)}:filled"
