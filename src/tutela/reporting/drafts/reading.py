"""Reading a report with all that it says, what it lacks and what is wrong with it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from tutela.accounts.model import Caller
from tutela.errors import NotFoundError
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.reporting.content import content_of, files_of
from tutela.reporting.cybertipline.choosing import schema_of
from tutela.reporting.cybertipline.problems import Problem
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.as_read import seal_of
from tutela.reporting.drafts.drafting import Draft, DraftFile
from tutela.reporting.drafts.missing import Missing, missing
from tutela.reporting.drafts.preparing import prepare
from tutela.reporting.drafts.words import enter_words, shown_to
from tutela.reporting.finding import find_report
from tutela.reporting.model import ChannelKind, Report, ReportId
from tutela.reporting.states import ENDED
from tutela.storage.clock import Clock
from tutela.storage.kept_secrets import KeptSecrets


@dataclass(frozen=True, slots=True)
class Written:
    """A report with all that it says.

    Attributes:
        report: Where it stands.
        draft: What it says; ``None`` once it is sent or discarded: then its receipt has it.
        missing: What it does not say, and would be better if it did.
        problems: Why it cannot be sent as it stands.
        seal: Of what it says (``as_read.py``), for whoever is shown all of it.
    """

    report: Report
    draft: Draft | None
    missing: tuple[Missing, ...]
    problems: tuple[Problem, ...]
    seal: str | None

    def as_fields(self) -> dict[str, object]:
        """The report by names, as programs are given it."""
        draft = self.draft
        return {
            **self.report.as_fields(),
            "content": None if draft is None else dict(draft.values),
            "files": []
            if draft is None
            else [
                {"item": each.item, "evidence": each.evidence, "details": dict(each.values)}
                for each in draft.files
            ],
            "missing": [each.as_fields() for each in self.missing],
            "problems": [
                {"field": each.field, "path": each.path, "words": each.words}
                for each in self.problems
            ],
            "seal": self.seal,
        }


def read_report(connection: Connection, desk: Desk, report: ReportId) -> Written:
    """A report with all that it says. ``enter_read`` has to follow for whoever is shown it.

    Raises:
        NotFoundError: There is no such report.
        StorageError: The sealing key is missing or another one, or what was sealed is altered.
    """
    found = find_report(connection, report)
    if found.state in ENDED:
        return Written(found, None, (), (), None)
    draft = draft_of(connection, desk.secrets, report)
    files = [each.values for each in draft.files]
    problems = problems_of(desk, found.channel, draft)
    return Written(found, draft, missing(draft.values, files), problems, seal_of(draft))


def read_as(desk: Desk, report: ReportId, caller: Caller) -> Written:
    """A report with all that a caller may read of it. The ledger says that they read it.

    Raises:
        NotFoundError: There is no such report.
        StorageError: The sealing key is missing or another one, or what was sealed is altered.
    """
    with desk.database.reading() as connection:
        written = read_report(connection, desk, report)
    with desk.database.writing() as connection:
        enter_read(connection, written.report, written.draft, caller, desk.clock)
    if written.draft is None:
        return written
    shown = shown_to(written.draft, caller)
    return replace(written, draft=shown, seal=written.seal if shown == written.draft else None)


def enter_read(
    connection: Connection, report: Report, draft: Draft | None, caller: Caller, clock: Clock
) -> None:
    """Say in the ledger that somebody reads what a report says. Do it last in the transaction.

    Words of the case that they are shown count as looked at.

    Args:
        connection: A transaction that writes.
        report: The report.
        draft: What it says.
        caller: Who reads it.
        clock: The time.
    """
    enter_words(connection, report, draft, caller, clock)
    append(connection, caller.actor, Act.REPORT_READ, clock, case=report.case, thing=report.thing)


def draft_of(connection: Connection, secrets: KeptSecrets, report: ReportId) -> Draft:
    """What a report says that is not sent yet.

    Raises:
        NotFoundError: There is no such report, or it is sent or discarded.
        StorageError: The sealing key is missing or another one, or what was sealed is altered.
    """
    values: Mapping[str, Any] = json.loads(content_of(connection, secrets, report))
    files = tuple(
        DraftFile(each.item, each.evidence, json.loads(each.details))
        for each in files_of(connection, secrets, report)
    )
    if any(not each.values for each in files):
        raise NotFoundError(f"what is said of the files of report {report} is erased")
    return Draft(values, files)


def problems_of(desk: Desk, channel: ChannelKind, draft: Draft) -> tuple[Problem, ...]:
    """Why a report cannot be sent as it stands.

    Raises:
        SettingsError: The operator's copy of the schema cannot be used.
    """
    schema = schema_of(desk.settings) if channel is ChannelKind.CYBERTIPLINE else None
    return prepare(draft.values, [each.values for each in draft.files], schema).problems
