"""The nouns: a letter, which is a report on its way to one authority, and what is enclosed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from tutela.evidence.disclosure.recipients import Recipients
from tutela.reporting.cybertipline.model import FileDescription, Report
from tutela.reporting.model import Environment


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that goes with a report.

    Attributes:
        evidence: The vault's id of it.
        name: The file's name as its sender gave it; may be empty.
        size: In bytes.
        md5: Of the whole file, in hex.
        sha256: The same.
        details: What the report says of it.
        content: Gives the content, in pieces.
    """

    evidence: str
    name: str
    size: int
    md5: str
    sha256: str
    details: FileDescription
    content: Callable[[], Iterable[bytes]]

    @property
    def file(self) -> str:
        """Its file in the package. The name tells nothing of the content."""
        return f"media/{self.evidence}.bin"


@dataclass(frozen=True, slots=True)
class Letter:
    """A report as one authority is sent it.

    Attributes:
        report: Our number of it.
        message: What every copy of this report bears, and no other report's: a ``Message-ID`` or
            a ``webhook-id``.
        earlier: What the earlier copies bear of which nobody knows whether they arrived, the
            oldest first. One that bears something else said something else.
        authority: Whom it is for.
        organisation: Whom it is from; may be empty.
        environment: How real it is.
        made_at: When this copy was made.
        content: What is reported.
        enclosures: The files.
        recipients: Who can open it.
        corrects: The message of the earlier report that this one corrects, if it does.
    """

    report: int
    message: str
    earlier: tuple[str, ...]
    authority: str
    organisation: str
    environment: Environment
    made_at: datetime
    content: Report
    enclosures: tuple[Enclosure, ...]
    recipients: Recipients
    corrects: str | None = None

    @property
    def copy(self) -> int:
        """Which copy this is: 1, or more if an earlier one may have arrived."""
        return len(self.earlier) + 1

    @property
    def repeats(self) -> bool:
        """Whether an earlier copy of just this may have arrived."""
        return self.message in self.earlier

    @property
    def replaces(self) -> tuple[str, ...]:
        """What earlier versions bear that may have arrived, each once."""
        return tuple(dict.fromkeys(each for each in self.earlier if each != self.message))

    @property
    def is_live(self) -> bool:
        """Whether it is about something that happened."""
        return self.environment is Environment.LIVE

    @property
    def title(self) -> str:
        """What it is called."""
        return f"Report {self.report}" if self.is_live else f"TEST: report {self.report}"

    @property
    def folder(self) -> str:
        """The one folder that the package unpacks to."""
        return f"tutela-report-{self.report}"

    @property
    def file(self) -> str:
        """The package's name."""
        return f"{self.folder}.tar.age"

    def with_doubt(self, words: str) -> str:
        """Words about why it is not sent, and that an earlier copy may have been, if so."""
        if not self.earlier:
            return words
        return (
            f"{words}. It is not known whether an earlier copy arrived: ask the authority about "
            f"{self.message} before you send it again"
        )

    @property
    def repetition(self) -> str:
        """What is said of earlier copies: words for people, empty if there are none."""
        words = []
        if self.repeats:
            words.append(
                f"This repeats report {self.report}: it is copy {self.copy}. It is not known "
                "whether an earlier copy reached you. If one did, this is the same report: it "
                "bears the same identifier, and nothing new has happened."
            )
        if self.replaces:
            words.append(
                f"An earlier version of report {self.report} may have reached you, with the "
                f"identifier {' or '.join(self.replaces)}. This one takes its place."
            )
        return " ".join(words)
