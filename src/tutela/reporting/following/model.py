"""The nouns: what an authority says of a report, and a message of it as it is kept."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from tutela.cases.model import CaseId
from tutela.errors import InvalidInputError
from tutela.evidence.retention import EventKind, Period
from tutela.reporting.model import ReportId

FeedbackId = NewType("FeedbackId", int)

LONGEST_WORDS = 20_000
"""How many characters an authority's words may have."""
LONGEST_NAME = 200
"""How many characters a number, or a reference, may have."""


class FeedbackKind(StrEnum):
    """What an authority says of a report. A word once used is never given another meaning."""

    NUMBER = "number"
    """Which number the report has there: it confirms the one that is known, or takes its place."""
    MORE_WANTED = "more-wanted"
    """It asks for more: a person has to answer."""
    PRESERVATION_LETTER = "preservation-letter"
    """It asks that the evidence be kept, until a day or for a period."""
    DESTRUCTION_REQUESTED = "destruction-requested"
    """It asks that the evidence be destroyed."""
    CLOSED = "closed"
    """It is closed there, and nothing follows from it."""
    OTHER = "other"
    """Anything else, in words."""

    @property
    def words(self) -> str:
        """The same as people say it."""
        return _WORDS[self]

    @property
    def event(self) -> EventKind | None:
        """What happens by it to the evidence in law, if anything does."""
        return _EVENTS.get(self)


_WORDS = {
    FeedbackKind.NUMBER: "says the report's number",
    FeedbackKind.MORE_WANTED: "asks for more",
    FeedbackKind.PRESERVATION_LETTER: "asks that the evidence be kept",
    FeedbackKind.DESTRUCTION_REQUESTED: "asks that the evidence be destroyed",
    FeedbackKind.CLOSED: "closed it without action",
    FeedbackKind.OTHER: "says something else",
}
_EVENTS = {
    FeedbackKind.PRESERVATION_LETTER: EventKind.PRESERVATION_LETTER,
    FeedbackKind.DESTRUCTION_REQUESTED: EventKind.DESTRUCTION_REQUESTED,
}


# Further away no moment can be counted in each zone, and none is meant.
_FIRST_YEAR, _LAST_YEAR = 1990, 2999


def check_name(name: str) -> None:
    """See that a number or reference can be shown, kept and told to others.

    Raises:
        InvalidInputError: It cannot.
    """
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInputError(
            "a number or reference has {longest} characters at most, all on one line",
            longest=LONGEST_NAME,
        )


@dataclass(frozen=True, slots=True)
class Said:
    """What an authority says of a report.

    Attributes:
        kind: What it is about.
        at: When it said so: of a letter, its date.
        reference: What it calls this message, or empty.
        number: Of ``FeedbackKind.NUMBER``: the report's number there; else empty.
        until: Of a preservation letter: its last day.
        period: Of a preservation letter: how long from its date.
        words: In its own words, which may be personal data.
    """

    kind: FeedbackKind
    at: datetime
    reference: str = ""
    number: str = ""
    until: date | None = None
    period: Period | None = None
    words: str = ""

    def check(self) -> None:
        """See that it says what its kind has to say, and nothing that it cannot.

        Raises:
            InvalidInputError: It does not.
        """
        is_letter = self.kind is FeedbackKind.PRESERVATION_LETTER
        limited = self.until is not None or self.period is not None
        if is_letter and not limited:
            raise InvalidInputError("a preservation letter says its last day, or for how long")
        if limited and not is_letter:
            raise InvalidInputError("only a preservation letter has a last day or a period")
        if (self.kind is FeedbackKind.NUMBER) != bool(self.number.strip()):
            raise InvalidInputError('a number is said by the kind "number", and by that one only')
        if self.kind in (FeedbackKind.MORE_WANTED, FeedbackKind.OTHER) and not self.words.strip():
            raise InvalidInputError("say in the authority's words what it wants, or says")
        for name in (self.reference, self.number):
            check_name(name)
        if self.at.tzinfo is None or not _FIRST_YEAR <= self.at.year <= _LAST_YEAR:
            raise InvalidInputError(
                "say when with its zone, such as 2026-01-15T12:00:00Z, and a year that can be meant"
            )
        if len(self.words) > LONGEST_WORDS:
            raise InvalidInputError(
                "the words have {longest} characters at most", longest=LONGEST_WORDS
            )


@dataclass(frozen=True, slots=True)
class Feedback:
    """What an authority said, without its words.

    Attributes:
        id: Its number.
        authority: Who said it: the authority's id in the directory.
        report: Of which report; ``None`` while nobody knows.
        case: The case of that report.
        named: By which number the authority named the report, where it named one.
        kind: What it is about.
        at: When it was said.
        reference: What the authority calls it.
        number: The report's number, where it says one.
        until: Of a preservation letter: its last day.
        period: Of a preservation letter: how long from its date.
        has_words: Whether its words are kept.
        received_at: When it came in.
        received_by: Who entered it, as the ledger calls them; the authority itself if it sent it.
        is_task: Whether a person has, or had, to do something.
        settled_at: When that was done.
        settled_by: By whom.
    """

    id: FeedbackId
    authority: str
    report: ReportId | None
    case: CaseId | None
    named: str
    kind: FeedbackKind
    at: datetime
    reference: str
    number: str
    until: date | None
    period: Period | None
    has_words: bool
    received_at: datetime
    received_by: str
    is_task: bool
    settled_at: datetime | None
    settled_by: str | None

    @property
    def is_open(self) -> bool:
        """Whether a person still has to do something."""
        return self.is_task and self.settled_at is None

    @property
    def thing(self) -> str:
        """What the ledger calls it."""
        return thing_of(self.id)

    def as_fields(self) -> dict[str, object]:
        """The same by names, as programs are given it."""
        return {
            "id": self.id,
            "authority": self.authority,
            "report": self.report,
            "case": self.case,
            "named": self.named,
            "kind": self.kind,
            "at": self.at.isoformat(),
            "reference": self.reference,
            "number": self.number,
            "until": self.until.isoformat() if self.until else None,
            "period": None if self.period is None else written_period(self.period),
            "has_words": self.has_words,
            "received_at": self.received_at.isoformat(),
            "received_by": self.received_by,
            "open": self.is_open,
            "settled_at": self.settled_at.isoformat() if self.settled_at else None,
            "settled_by": self.settled_by,
        }


def thing_of(feedback: FeedbackId) -> str:
    """What the ledger calls what an authority said."""
    return f"feedback:{feedback}"


def written_period(period: Period) -> str:
    """A period as people write it: ``1y6m``."""
    parts = ((period.years, "y"), (period.months, "m"), (period.days, "d"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)
