"""What is sent to ``/v1/reports`` and ``/v1/subjects``, and answered."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tutela.api.case_documents import CaseNumber
from tutela.cases.deciding import LONGEST_REASON
from tutela.reporting.authorities.routing import Outcome
from tutela.reporting.drafts.supplied import Supplied
from tutela.reporting.model import ChannelKind, Environment
from tutela.reporting.states import State

_Reason = Annotated[
    str,
    Field(max_length=LONGEST_REASON, description="Why, in your own words. The ledger keeps it."),
]


_SEAL = (
    "The seal of this wording, for whoever signs or agrees to it: what is signed is what was read. "
    "`null` where there is nothing to sign, and for whoever is not shown the words of the case."
)


class ReportAnswer(BaseModel):
    """A report, without what it says."""

    id: int = Field(examples=[5])
    case: CaseNumber
    authority: str = Field(description="To whom it goes.", examples=["us-ncmec"])
    channel: ChannelKind
    environment: Environment | None = Field(
        description="How real it is; known from when it is queued."
    )
    state: State
    corrects: int | None = Field(description="The earlier report that it corrects or adds to.")
    made_at: datetime
    made_by: str = Field(examples=["person:3"])
    signed_at: datetime | None
    signed_by: str | None
    approved_at: datetime | None
    approved_by: str | None
    queued_at: datetime | None
    sent_at: datetime | None
    remote_id: str | None = Field(description="The number that the authority gave it.")
    receipt: str | None = Field(description="The evidence that holds exactly what was sent.")
    trouble: str | None = Field(description="Why it was stopped.")
    doubted_since: datetime | None = Field(
        None,
        description="The moment of the backup from which the house was restored: since then it may "
        "have been sent, and it is not sent before somebody has said whether it was.",
    )


class ReportsAnswer(BaseModel):
    """Reports, the newest first."""

    reports: list[ReportAnswer]
    next: int | None = Field(None, description="Ask with `before` for the next page.")


class MissingAnswer(BaseModel):
    """Something that a draft does not say, and would be better if it did."""

    field: str = Field(examples=["person_or_user_reported.ip_capture_events"])
    words: str = Field(description="What it would add.")
    required: bool = Field(description="Whether nobody can sign without it.")


class ProblemAnswer(BaseModel):
    """Why a report cannot be sent as it stands. What stands in it is not repeated."""

    field: str = Field(examples=["victims.1.person.age"])
    path: str = Field(examples=["/report/victim[2]/victimPerson/age"])
    words: str


class ReportFileAnswer(BaseModel):
    """A file that goes with a report."""

    item: int = Field(description="The item of the case.")
    evidence: str = Field(description="Its bytes in the vault.")
    details: dict[str, Any] = Field(description="What is said of it, as the schema has it.")


class WrittenAnswer(ReportAnswer):
    """A report with all that it says."""

    content: dict[str, Any] | None = Field(
        description="What it says, as the content model has it; `null` once it is sent or "
        "discarded: then its receipt has it."
    )
    files: list[ReportFileAnswer]
    missing: list[MissingAnswer]
    problems: list[ProblemAnswer]
    seal: str | None = Field(description=_SEAL)


class DocumentAnswer(BaseModel):
    """Something that would be sent."""

    name: str = Field(examples=["report.xml"])
    media_type: str = Field(examples=["application/xml"])
    text: str


class PreviewAnswer(BaseModel):
    """Exactly what would be sent. Only what the authority itself gives is not there yet."""

    report: int
    channel: ChannelKind
    documents: list[DocumentAnswer]
    files: list[str] = Field(description="The evidence whose bytes go with it.")
    problems: list[ProblemAnswer]
    seal: str | None = Field(description=_SEAL)


class LeftOutAnswer(BaseModel):
    """Somebody of whom the directory knows, to whom no report was begun."""

    authority: str | None = Field(
        description="Who; `null` if the directory lacks them.", examples=["us-ncmec"]
    )
    duty: str = Field(description="By which duty of the directory they might be told.")
    outcome: Outcome
    words: str = Field(
        description="Why none was begun.",
        examples=["report 5 is there already, and is waiting to be sent"],
    )


class BegunAnswer(BaseModel):
    """Drafts that were begun, and why there are no others."""

    reports: list[int]
    left_out: list[LeftOutAnswer] = Field(
        [], description="Where everybody was meant: to whom none was begun, and why."
    )


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SentBeginning(_Sent):
    """To whom a case is to be reported."""

    authority: str | None = Field(
        None,
        max_length=60,
        description="The authority's id; without it, whoever has to be told and can be.",
        examples=["us-ncmec"],
    )


class SentChanges(_Sent):
    """What to write in a draft."""

    changes: dict[Annotated[str, Field(min_length=1, max_length=300)], Any] = Field(
        min_length=1,
        max_length=1000,
        description="Values by where they stand, `null` to take one out; places in lists by "
        "number, and files by their item.",
        examples=[{"incident_summary.incident_type": "enticement", "victims.0.person.age": 13}],
    )


class SentSeal(_Sent):
    """That somebody stands for what they read."""

    seal: str = Field(
        pattern="^[0-9a-f]{64}$",
        description="The seal of the wording that you read, as `GET /v1/reports/{report}` and its "
        "preview give it. If it says something else by now, the answer is 409.",
    )


class SentReturn(_Sent):
    """Why a report is to be written on."""

    reason: _Reason = ""


class SentDiscarding(_Sent):
    """Why a report is never to be sent."""

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)] = Field(
        description="Why. The ledger keeps it."
    )


class SentSubject(Supplied):
    """What you know of those whom one of your confirmed cases concerns."""

    case: CaseNumber

    def supplied(self) -> Supplied:
        """The same without the case."""
        return Supplied(**{name: getattr(self, name) for name in Supplied.model_fields})


class SuppliedAnswer(BaseModel):
    """That it was taken."""

    case: CaseNumber
    drafts: list[int] = Field(description="The drafts that were brought up to date by it.")
