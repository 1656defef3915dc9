"""The port of the channels: what each is given to send, what it gives back, and how it fails.

A channel notes what it does in the attempt's notebook before and after each step, so that whoever
comes after a crash knows how far it came. What it may have sent without knowing, it finds out
first, before it sends anything again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol

from tutela.cases.model import CaseId
from tutela.errors import OutsideError
from tutela.evidence.model import ItemId
from tutela.reporting.model import Environment, ReportId

AttemptId = NewType("AttemptId", int)


class Step(StrEnum):
    """How far an attempt came for certain. A word once used is never given another meaning."""

    BEGUN = "begun"
    """It may have been opened at the authority, but nobody knows the number there."""
    OPENED = "opened"
    """The authority has given it a number. Nothing counts yet."""
    FINISHING = "finishing"
    """The call was about to be made after which it counts: it may have been."""
    FINISHED = "finished"
    """The authority has said that it counts."""


class Outcome(StrEnum):
    """What became of an attempt."""

    SENT = "sent"
    """It is the one that counts."""
    ABANDONED = "abandoned"
    """It certainly does not count, and never will."""
    UNKNOWN = "unknown"
    """It may count, and there is nobody who could say: another copy may be sent."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """What the authority answered of a file.

    Attributes:
        id: What it calls the file.
        md5: The MD5 of what it received.
    """

    id: str
    md5: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that somebody began to send a report.

    Attributes:
        id: Its number.
        number: The how many'th of its report it is, from 1.
        begun_at: When.
        environment: Where it was sent.
        step: How far it came for certain.
        remote_id: What the authority calls it.
        files: What the authority answered of each file.
        heard_at: When it last answered.
        outcome: What became of it; ``None`` while nobody knows.
    """

    id: AttemptId
    number: int
    begun_at: datetime
    environment: Environment
    step: Step
    remote_id: str | None
    files: Mapping[ItemId, RemoteFile]
    heard_at: datetime | None
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class SendingFile:
    """A file that has to arrive.

    Attributes:
        evidence: What the vault calls it.
        name: The name that it had.
        size: Its length in bytes, by the case's record.
        md5: Its MD5, by the case's record.
        sha256: Its SHA-256, by the case's record.
        details: What is said of it, as JSON of the content model's ``FileDetails``.
        read: Gives its bytes from the beginning, each time it is called. It raises
            ``DamagedEvidenceError`` at the end if they are not what was sealed.
    """

    evidence: ItemId
    name: str
    size: int
    md5: bytes
    sha256: bytes
    details: bytes
    read: Callable[[], Iterator[bytes]]


class Notebook(Protocol):
    """The lasting notes of an attempt. Each is committed before the call returns.

    A worker whose job is not its own any more cannot note anything: every call raises
    ``LeaseLostError`` then, which is to be let through.
    """

    def begin(self, documents: Mapping[str, bytes]) -> Attempt:
        """Note that a new attempt begins, before anything leaves the house.

        Args:
            documents: Exactly what is about to be sent, by name, for the receipt. The first one is
                the report itself.

        Raises:
            Later: It is not this report's turn, since others are sent; to be let through.
        """

    def opened(self, attempt: Attempt, remote_id: str) -> Attempt:
        """Note what the authority calls it, before anything else is sent."""

    def uploaded(
        self, attempt: Attempt, file: ItemId, remote: RemoteFile, documents: Mapping[str, bytes]
    ) -> Attempt:
        """Note what the authority answered of a file, and what is about to be said of it."""

    def finishing(self, attempt: Attempt) -> Attempt:
        """Note that the next call is the one after which it counts."""

    def finished(
        self,
        attempt: Attempt,
        remote_id: str | None = None,
        documents: Mapping[str, bytes] | None = None,
    ) -> Attempt:
        """Note that the authority says it counts: nothing is sent again.

        Args:
            attempt: The attempt.
            remote_id: What the authority calls it, where it says so only now.
            documents: What it answered, by name, for the receipt.
        """

    def abandoned(self, attempt: Attempt) -> Attempt:
        """Note that an attempt certainly does not count, and never will."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What a channel is given to send.

    Attributes:
        report: The report.
        case: Its case.
        authority: To whom: the id in the directory.
        environment: How real it is.
        content: What it says, as JSON of the content model's ``Report``.
        files: The files that go with it.
        prior: What the authority calls the report that this one corrects, if it does.
        notebook: What is noted of it.
        unknown: Earlier attempts that may have arrived, where nobody could say.
    """

    report: ReportId
    case: CaseId
    authority: str
    environment: Environment
    content: bytes
    files: Sequence[SendingFile]
    prior: str | None
    notebook: Notebook
    unknown: Sequence[Attempt] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """That the authority has a report.

    Attributes:
        attempt: The attempt that counts. Its documents are what was sent.
        remote_id: What the authority calls the report.
        finished_at: When it said so, or when it was found out that it had.
        found_out: Whether the answer itself was lost, and it was found out afterwards.
    """

    attempt: Attempt
    remote_id: str
    finished_at: datetime
    found_out: bool = False


class Channel(Protocol):
    """A way to an authority. Safe to share between threads."""

    def counts(self, attempt: Attempt) -> bool | None:
        """Find out whether an earlier attempt counts, and if not, see to it that it never will.

        It is only asked of attempts that have a number at the authority, and before anything is
        sent again. ``None`` says that nobody can know, by mail for one: another copy is then sent,
        which says of itself that it may be one.

        Raises:
            TryLaterError: It cannot be found out now. Nothing is sent until it is.
            WrongCredentialsError: The authority does not let this house in.
        """

    def deliver(self, sending: Sending) -> Receipt:
        """Send a report. No earlier attempt of it counts, or ever will, but for the unknown ones.

        Raises:
            TryLaterError: It does not work now. Trying again is safe.
            NeedsPersonError: The report, as it is, never gets through.
            WrongCredentialsError: The authority does not let this house in.
            LeaseLostError: Another worker has the report.
            StorageError: The vault or the database fails.
        """


class TryLaterError(OutsideError):
    """The authority does not answer, or not as it should. Nothing is wrong with the report.

    Args:
        words: What is the matter, for people: no personal data.
        seconds: How long it asks to be left alone.
    """

    def __init__(self, words: str, seconds: float | None = None) -> None:
        super().__init__(words)
        self.seconds = seconds


class NeedsPersonError(OutsideError):
    """The authority will never take this report as it is. It certainly has not taken it.

    Its message says what is to be mended, and holds no personal data.
    """


class WrongCredentialsError(OutsideError):
    """The authority does not let this house in: the whole channel rests until its operator acts."""
