"""Exactly what would be sent, before it is: to be read beside the fields.

Only what the authority itself gives while a report is sent is not there yet: its number, and its
names for the files. Where they will be, ``TO_COME`` stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tutela.accounts.model import Caller
from tutela.errors import OutOfTurnError
from tutela.evidence.disclosure.recipients import Recipients
from tutela.reporting.cybertipline.building import build_file_details, build_report
from tutela.reporting.cybertipline.choosing import schema_of
from tutela.reporting.cybertipline.model import FileDescription
from tutela.reporting.cybertipline.problems import Problem
from tutela.reporting.delivery.checking_files import files_by_record
from tutela.reporting.delivery.queueing import environment_of
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.as_read import seal_of
from tutela.reporting.drafts.drafting import Draft
from tutela.reporting.drafts.filling import to_json
from tutela.reporting.drafts.preparing import GIVEN_LATER, Prepared, prepare
from tutela.reporting.drafts.reading import draft_of
from tutela.reporting.drafts.words import shown_to
from tutela.reporting.finding import find_report
from tutela.reporting.model import ChannelKind, Report, ReportFile, ReportId
from tutela.reporting.packages.document import as_json
from tutela.reporting.packages.model import Enclosure, Letter
from tutela.reporting.packages.shown import shown
from tutela.reporting.states import ENDED

TO_COME = "(given by the authority)"

_GIVEN = ("reportId", "fileId")


@dataclass(frozen=True, slots=True)
class Document:
    """Something that would be sent.

    Attributes:
        name: What it is called, such as ``report.xml``.
        media_type: What it is, such as ``application/xml``.
        text: What it says.
    """

    name: str
    media_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be sent of a report.

    Attributes:
        report: Where it stands.
        documents: What it says, in the order in which it is sent. What cannot be written as it
            stands is left out.
        files: The evidence whose bytes go with it.
        problems: Why it cannot be sent as it stands.
        draft: What it says.
        seal: Of what it says (``as_read.py``), for whoever is shown all of it.
    """

    report: Report
    documents: tuple[Document, ...]
    files: tuple[str, ...]
    problems: tuple[Problem, ...]
    draft: Draft
    seal: str | None

    def as_fields(self) -> dict[str, object]:
        """The preview by names, as programs are given it."""
        return {
            "report": self.report.id,
            "channel": self.report.channel,
            "documents": [
                {"name": each.name, "media_type": each.media_type, "text": each.text}
                for each in self.documents
            ],
            "files": list(self.files),
            "problems": [
                {"field": each.field, "path": each.path, "words": each.words}
                for each in self.problems
            ],
            "seal": self.seal,
        }


def preview_report(desk: Desk, report: ReportId, caller: Caller) -> Preview:
    """What would be sent of a report. ``reading.enter_read`` has to follow for whoever sees it.

    Words of the case are in it only for whoever may read them (``words.py``).

    Raises:
        NotFoundError: There is no such report.
        OutOfTurnError: It is sent or discarded.
        NeedsPersonError: A file is not in the case any more.
        SettingsError: The operator's copy of the schema cannot be used.
        StorageError: The sealing key is missing or another one, or what was sealed is altered.
    """
    with desk.database.reading() as connection:
        found = find_report(connection, report)
        if found.state in ENDED:
            raise OutOfTurnError(
                "report {report} is {state}: what was sent is kept as evidence, as its receipt "
                "({receipt})",
                report=report,
                state=found.state,
                receipt=found.receipt or "-",
            )
        whole = draft_of(connection, desk.secrets, report)
    draft = shown_to(whole, caller)
    schema = schema_of(desk.settings) if found.channel is ChannelKind.CYBERTIPLINE else None
    prepared = prepare(draft.values, [each.values for each in draft.files], schema)
    if found.channel is ChannelKind.CYBERTIPLINE:
        documents = tuple(_as_xml(desk, prepared))
    else:
        documents = tuple(_as_letter(desk, found, draft, prepared))
    return Preview(
        found,
        documents,
        tuple(each.evidence for each in draft.files),
        prepared.problems,
        draft,
        seal_of(whole) if draft == whole else None,
    )


def _as_xml(desk: Desk, prepared: Prepared) -> Iterator[Document]:
    schema = schema_of(desk.settings)
    if prepared.report is not None:
        text = build_report(prepared.report, schema).decode()
        yield Document("report.xml", "application/xml", text)
    for number, each in enumerate(prepared.files, 1):
        text = build_file_details(each, schema).decode()
        for element, stand_in in zip(_GIVEN, GIVEN_LATER, strict=True):
            given = f"<{element}>{stand_in}</{element}>"
            text = text.replace(given, f"<{element}>{TO_COME}</{element}>", 1)
        yield Document(f"file-{number}.xml", "application/xml", text)


def _as_letter(desk: Desk, report: Report, draft: Draft, prepared: Prepared) -> Iterator[Document]:
    """What a package holds, besides the files: for programs, and for people.

    Only what each copy bears is not there yet.
    """
    if prepared.report is None or len(prepared.files) < len(draft.files):
        return
    with desk.database.reading() as connection:
        files = [ReportFile(each.item, each.evidence, to_json(each.values)) for each in draft.files]
        known = files_by_record(connection, desk.vault, files)
    letter = Letter(
        report=report.id,
        message=TO_COME,
        earlier=(),
        authority=report.authority,
        organisation=desk.settings.organisation,
        environment=environment_of(desk.settings, report.channel),
        made_at=desk.clock(),
        content=prepared.report,
        enclosures=tuple(
            Enclosure(
                evidence=each.evidence,
                name=each.name,
                size=each.size,
                md5=each.md5.hex(),
                sha256=each.sha256.hex(),
                details=FileDescription.model_validate_json(each.details),
                content=each.read,
            )
            for each in known
        ),
        recipients=Recipients("", ()),
    )
    yield Document("report.json", "application/json", as_json(letter).decode())
    yield Document("report.html", "text/html", shown(letter).decode())
