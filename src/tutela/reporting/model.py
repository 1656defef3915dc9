"""The nouns: a report, and the files that go with it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from tutela.cases.model import CaseId
from tutela.evidence.model import ItemId
from tutela.reporting.states import State

ReportId = NewType("ReportId", int)

CaseItemNumber = NewType("CaseItemNumber", int)
"""A row of ``case_items``."""


class ChannelKind(StrEnum):
    """By which way an authority is told. A word once used is never given another meaning."""

    CYBERTIPLINE = "cybertipline"
    """NCMEC's reporting API."""
    SEALED_MAIL = "sealed-mail"
    """A mail with an encrypted package."""
    WEBHOOK = "webhook"
    """A signed message with an encrypted package."""
    FORM = "form"
    """By hand, on the authority's own pages: Tutela sends nothing by it."""

    @property
    def sends(self) -> bool:
        """Whether reports go by it, or a person goes."""
        return self is not ChannelKind.FORM


class Environment(StrEnum):
    """How real a report is."""

    SANDBOX = "sandbox"
    """It goes to a server that only plays the authority, such as ``tutela sandbox-authority``."""
    TEST = "test"
    """It goes to the authority's own test system, where nobody acts on it."""
    LIVE = "live"
    """It goes to the authority."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report, without what is written in it.

    Attributes:
        id: Its number.
        case: The case that it is of.
        authority: The authority's id in the directory, such as ``us-ncmec``.
        channel: By which way it goes there.
        environment: How real it is; known from when it is signed.
        state: Where it stands.
        corrects: The earlier report that it corrects or adds to.
        made_at: When it was begun.
        made_by: By whom, as the ledger calls them.
        signed_at: When somebody last signed it.
        signed_by: Who.
        approved_at: When somebody agreed that it is sent.
        approved_by: Who.
        queued_at: When it was given to the workers.
        sent_at: When the authority had it.
        remote_id: The number that the authority gave it.
        receipt: The piece of evidence that holds exactly what was sent, and what was answered.
        trouble: Why it was stopped, in words for people.
        doubted_since: Since when it may have been sent without being known here, after the house
            was restored from a backup of that moment.
    """

    id: ReportId
    case: CaseId
    authority: str
    channel: ChannelKind
    environment: Environment | None
    state: State
    corrects: ReportId | None
    made_at: datetime
    made_by: str
    signed_at: datetime | None
    signed_by: str | None
    approved_at: datetime | None
    approved_by: str | None
    queued_at: datetime | None
    sent_at: datetime | None
    remote_id: str | None
    receipt: ItemId | None
    trouble: str | None
    doubted_since: datetime | None

    @property
    def is_told(self) -> bool:
        """Whether the authority itself has it: what a rehearsal came to, nobody acts on."""
        return self.state is State.SENT and self.environment is Environment.LIVE

    @property
    def is_rehearsal(self) -> bool:
        """Whether it went to a sandbox or a test system."""
        return self.state is State.SENT and not self.is_told

    @property
    def thing(self) -> str:
        """What the ledger calls it."""
        return thing_of(self.id)

    def as_fields(self) -> dict[str, object]:
        """The report by names, as programs are given it."""
        return {
            "id": self.id,
            "case": self.case,
            "authority": self.authority,
            "channel": self.channel,
            "environment": self.environment,
            "state": self.state,
            "corrects": self.corrects,
            "made_at": self.made_at.isoformat(),
            "made_by": self.made_by,
            "signed_at": _text(self.signed_at),
            "signed_by": self.signed_by,
            "approved_at": _text(self.approved_at),
            "approved_by": self.approved_by,
            "queued_at": _text(self.queued_at),
            "sent_at": _text(self.sent_at),
            "remote_id": self.remote_id,
            "receipt": self.receipt,
            "trouble": self.trouble,
            "doubted_since": _text(self.doubted_since),
        }


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file that goes with a report.

    Attributes:
        item: The item of the case.
        evidence: Its bytes in the vault.
        details: What is said of it, as JSON of the content model's ``FileDetails``.
    """

    item: CaseItemNumber
    evidence: ItemId
    details: bytes


def thing_of(report: ReportId) -> str:
    """What the ledger calls a report."""
    return f"report:{report}"


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
