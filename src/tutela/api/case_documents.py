"""What is sent to ``/v1/cases`` and answered."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tutela.cases.by_hand import LONGEST_WORDS, MOST_AT_ONCE
from tutela.cases.deciding import LONGEST_REASON, Decision, SecondLook, Stage
from tutela.cases.facts import Fact
from tutela.cases.grounds import Basis
from tutela.cases.joining import LONGEST_KEY
from tutela.cases.model import CaseId, ItemKind
from tutela.cases.noting import LONGEST_NOTE
from tutela.cases.states import State
from tutela.evidence.model import ItemId
from tutela.evidence.model import State as EvidenceState
from tutela.fingerprints.model import Kind, Unreadable

GREATEST = 2**63 - 1
CaseNumber = Annotated[CaseId, Field(description="The case's number.", examples=["7K3M-9QPD-2X4H"])]
_Key = Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)]
_Number = Annotated[int, Field(ge=1, le=GREATEST)]
_Reason = Annotated[
    str,
    Field(max_length=LONGEST_REASON, description="Why, in your own words. The ledger keeps it."),
]


class QueuedAnswer(BaseModel):
    """A case, as a list has it."""

    case: CaseNumber
    state: State = Field(description="Where it stands.")
    opened_at: datetime
    kind: str = Field(description="What its first item is.", examples=["picture"])
    items: int = Field(description="How many items it has.")
    facts: list[Fact] = Field(
        description="What is known of it; `known` and `similar` only for keys that also have the "
        "scope `screen:details`."
    )
    why: list[str] = Field(
        description="Why it stands where it does in the queue.",
        examples=[["no list has it: put forward by 7 days", "it came today"]],
    )
    severe: bool = Field(description="Whether it is hard on whoever looks.")
    due_at: datetime | None = Field(None, description="When it has to be decided, if it has to.")
    assigned_to: int | None = Field(None, description="The person whose it is.")
    held_by: int | None = Field(None, description="The person who works on it.")
    held_until: datetime | None = Field(None, description="Until when somebody works on it.")


class CasesAnswer(BaseModel):
    """A page of cases."""

    cases: list[QueuedAnswer]
    next: str | None = Field(
        None, description="Ask with `after` for the next page; absent at the end."
    )


class CaseMatchAnswer(BaseModel):
    """A list that had the item, or something in it."""

    list: str
    kind: Kind
    distance: int
    place: str | None = Field(
        None,
        description="Where in the item, for people, if it is not the item itself that matched.",
        examples=["frame 12"],
    )
    query_percent: int | None = Field(
        None, description="Of a video by vPDQ: how much of it is in the listed one."
    )
    compared_percent: int | None = Field(
        None, description="Of a video by vPDQ: how much of the listed one is in it."
    )


class EvidenceAnswer(BaseModel):
    """What was sealed of an item."""

    item: ItemId = Field(description="The id of this piece of evidence.")
    state: EvidenceState = Field(
        description="`sealed`: it is in the vault. `missed`: the file changed or went before it "
        "could be sealed. `destroyed`: nobody can open it any more."
    )
    reason: str | None = Field(None, description="Why it was missed.")


class ElsewhereAnswer(BaseModel):
    """Another case."""

    case: CaseNumber
    state: State
    opened_at: datetime


class ItemAnswer(BaseModel):
    """Something that a case is about."""

    item: int = Field(description="The item's number.")
    kind: ItemKind
    name: str = Field(description="The file's name, as it was sent.")
    origin: str = Field(description="`scan`, `key:` and the API key's name, or a person.")
    reference: str | None = Field(description="What the platform calls the upload.")
    received_at: datetime
    unreadable: Unreadable | None = Field(
        None, description="Why it, or something in it, could not be looked at."
    )
    unreadable_at: str | None = Field(
        None, description="Where in the file that is; `null` for the file itself."
    )
    size: int | None = Field(None, description="Bytes.")
    md5: str | None = Field(
        None,
        description="This and the other fingerprints only for keys that also have the scope "
        "`screen:details`.",
    )
    sha1: str | None = None
    sha256: str | None = None
    pdq: str | None = None
    pdq_quality: int | None = None
    evidence: EvidenceAnswer | None = Field(
        description="What was sealed of it; `null` if only fingerprints were sent."
    )
    matches: list[CaseMatchAnswer] | None = Field(
        description="What matched. Only for keys that also have the scope `screen:details`."
    )
    elsewhere: list[ElsewhereAnswer] = Field(description="Other cases with the very same file.")


class LabelAnswer(BaseModel):
    """What somebody says that a case, or one of its items, is."""

    id: int
    item: int | None = Field(description="The item; `null` for the case as a whole.")
    scheme: str = Field(examples=["industry"])
    version: str
    label: str = Field(examples=["A1"])
    set_at: datetime
    set_by: str = Field(examples=["person:3"])


class NoteAnswer(BaseModel):
    """What somebody wrote about a case."""

    id: int
    written_at: datetime
    written_by: str = Field(examples=["person:3"])
    words: str


class DecisionAnswer(BaseModel):
    """What somebody decided."""

    id: int
    stage: Stage
    decision: Decision
    basis: Basis | None = Field(
        description="What it rests on. Only for keys that also have the scope `screen:details`."
    )
    decided_at: datetime
    decided_by: str = Field(examples=["person:3"])
    person: int | None
    reason: str
    second_look: SecondLook | None = Field(description="Why a second person looks, if one does.")
    undone_at: datetime | None


class CaseAnswer(BaseModel):
    """One case."""

    case: CaseNumber
    state: State = Field(description="Where it stands.")
    opened_at: datetime
    subject: str | None = Field(description="Whom it is about, as the platform calls them.")
    facts: list[Fact] = Field(
        description="What is known of it; `known` and `similar` only with `screen:details`."
    )
    why: list[str] = Field(description="Why it stands where it does in the queue.")
    severe: bool
    due_at: datetime | None
    assigned_to: int | None
    held_by: int | None
    held_until: datetime | None
    decided_at: datetime | None
    items: list[ItemAnswer]
    labels: list[LabelAnswer]
    notes: list[NoteAnswer]
    decisions: list[DecisionAnswer]
    blind: bool = Field(
        description="Whether a first decision is kept back until a second person has decided."
    )
    bases: list[Basis] = Field(
        description="What your decision could rest on; empty without the scope `screen:details`."
    )
    earlier: list[ElsewhereAnswer] = Field(description="Other cases of the same subject.")


class HoldAnswer(BaseModel):
    """That you have a case to yourself."""

    case: CaseNumber
    hold: int = Field(description="Name it with whatever you do with the case.")
    until: datetime = Field(description="Then others may have it, unless you keep it.")
    state: State


class OutcomeAnswer(BaseModel):
    """What became of a decision."""

    case: CaseNumber
    decision: int = Field(description="The decision's number.")
    state: State = Field(description="Where the case stands now.")
    second_look: SecondLook | None
    undo_until: datetime


class StateAnswer(BaseModel):
    """Where a case stands now."""

    case: CaseNumber
    state: State


class MadeAnswer(BaseModel):
    """The number of what was made."""

    id: int


class AlikeAnswer(BaseModel):
    """Open cases that have nothing in them but files that are confirmed here."""

    cases: list[CaseNumber]


class BulkAnswer(BaseModel):
    """What became of a bulk decision."""

    decided: list[CaseNumber]
    left: list[CaseNumber] = Field(description="Another one has them, or they are not alike.")


class SchemeLabelAnswer(BaseModel):
    """A label of a scheme."""

    code: str
    words: str
    group: str
    meaning: str


class SchemeAnswer(BaseModel):
    """A scheme that labels are taken from."""

    id: str
    version: str
    title: str
    one_only: bool = Field(description="Whether an item has at most one label of it.")
    origin: str
    verified: bool = Field(description="Whether somebody compared it with the original.")
    labels: list[SchemeLabelAnswer]


class SchemesAnswer(BaseModel):
    """Every scheme."""

    schemes: list[SchemeAnswer]


_Due = Annotated[
    AwareDatetime | None, Field(description="When it has to be decided, if it has to.")
]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SentWords(_Sent):
    """An excerpt of a conversation, or an address."""

    kind: Literal["text", "url"]
    words: str = Field(min_length=1, max_length=LONGEST_WORDS)


class SentItems(_Sent):
    """What is to be added to a case."""

    items: list[SentWords] = Field(min_length=1, max_length=MOST_AT_ONCE)
    reference: _Key | None = Field(None, description="What the platform calls the upload.")
    facts: list[Fact] = Field([], max_length=20, description="What you know of it.")


class SentCase(SentItems):
    """A case that is to be opened."""

    subject: _Key | None = Field(None, description="Whom it is about, as the platform calls them.")
    due_at: _Due = None


class SentHold(_Sent):
    """Your hold."""

    hold: _Number = Field(description="Its number, as `take` and `next` gave it.")
    reason: _Reason = ""


class SentNext(_Sent):
    """How the next case is chosen."""

    calm: bool = Field(True, description="Whether a severe case is followed by one that is not.")


class SentDecision(_Sent):
    """A decision on a case that you hold."""

    hold: _Number = Field(description="Your hold's number.")
    decision: Decision
    basis: Basis = Field(description="What it rests on.")
    reason: _Reason = ""
    ask_second: bool = Field(False, description="Whether a second person is to look.")


class SentSettlement(_Sent):
    """What a lead decides where two did not agree."""

    decision: Literal[Decision.CONFIRMED, Decision.NOT_CONFIRMED]
    basis: Basis
    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]


class SentReason(_Sent):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]


class SentAssignment(_Sent):
    """Whose a case is to be."""

    person: _Number | None = Field(description="The person's number; `null` for everybody's.")
    reason: _Reason = ""


class SentLabel(_Sent):
    """A label."""

    scheme: str = Field(min_length=1, max_length=60, examples=["industry"])
    label: str = Field(min_length=1, max_length=60, examples=["A1"])
    item: _Number | None = Field(None, description="The item; `null` for the case as a whole.")


class SentNote(_Sent):
    """A note."""

    words: str = Field(min_length=1, max_length=LONGEST_NOTE)


class SentFacts(_Sent):
    """All that people say of a case: what is left out is no longer said."""

    facts: list[Fact] = Field(max_length=20)
    due_at: _Due = None


class SentBulk(_Sent):
    """The cases to confirm together."""

    cases: list[Annotated[str, Field(max_length=20)]] = Field(min_length=1, max_length=200)
    reason: _Reason = ""
