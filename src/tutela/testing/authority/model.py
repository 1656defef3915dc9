"""The nouns: what the authority keeps of reports, files and calls, and how it may fail."""

from datetime import datetime
from enum import IntEnum, StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Code(IntEnum):
    """The response codes of the real interface."""

    SUCCESS = 0
    SERVER_ERROR = 1000
    SAVE_FAILED = 1100
    UPLOAD_FAILED = 1110
    FILE_UPLOAD_FAILED = 1111
    NOT_FOUND = 1210
    UPDATE_FAILED = 1300
    NOT_AUTHENTICATED = 2000
    NOT_AUTHORISED = 3000
    MAY_NOT_SUBMIT = 3100
    MAY_NOT_UPDATE = 3300
    INVALID_REQUEST = 4000
    NOT_VALID = 4100
    MALFORMED_XML = 4110
    MALFORMED_FILE = 4200
    NO_SUCH_REPORT = 5001
    NO_SUCH_FILE = 5002
    ALREADY_RETRACTED = 5101
    ALREADY_FINISHED = 5102


class State(StrEnum):
    """Where a report stands: only ``finish`` makes an open one exist."""

    OPEN = "open"
    FINISHED = "finished"
    RETRACTED = "retracted"
    EXPIRED = "expired"


class Call(StrEnum):
    """What can be asked of the real interface; and ``elsewhere``, to which a fault may redirect."""

    STATUS = "status"
    XSD = "xsd"
    SUBMIT = "submit"
    UPLOAD = "upload"
    FILEINFO = "fileinfo"
    FINISH = "finish"
    RETRACT = "retract"
    ELSEWHERE = "elsewhere"


class Spoiling(StrEnum):
    """In which way a call goes wrong."""

    HANG_UP = "hang-up"
    """The connection is reset while the request comes in: nothing takes effect."""
    DROP = "drop"
    """The connection is reset in place of an answer."""
    SLOW = "slow"
    """The answer comes after ``seconds``."""
    TRICKLE = "trickle"
    """The right answer byte by byte, for ``seconds`` in all."""
    STATUS = "status"
    """An answer with another HTTP status, such as 500, 503 or 429, and no XML."""
    CODE = "code"
    """The answer has this response code, whatever was asked."""
    REDIRECT = "redirect"
    """The answer leads to another address."""
    WRONG_XML = "wrong-xml"
    """XML that is well-formed and says nothing."""
    HALF_XML = "half-xml"
    """The first half of the answer, as if it were whole."""
    TRUNCATED = "truncated"
    """The first half of the answer, and then the connection ends."""
    HUGE = "huge"
    """The right answer with so many ``megabytes`` in its description."""
    DOCTYPE = "doctype"
    """The right answer with a document type that defines entities without end."""
    NESTED = "nested"
    """The right answer with a hundred thousand elements one inside the other."""
    OTHER_MD5 = "other-md5"
    """The right answer with another MD5 than that of the file."""
    CONTENT_TYPE = "content-type"
    """The right answer, said to be HTML."""


CHOOSES_EFFECT = frozenset(
    {Spoiling.DROP, Spoiling.SLOW, Spoiling.STATUS, Spoiling.CODE, Spoiling.REDIRECT}
)
"""What may happen before or after the call takes effect. An answer is spoilt only after it."""


class Fault(BaseModel):
    """An order to fail.

    Attributes:
        call: At which kind of call; at any if ``None``.
        spoiling: How.
        after_effect: Whether the call takes effect first, where that can be chosen.
        nth: At which such call from now on it begins; 1 is the next.
        times: For how many of them; ``None`` for all.
        chance: From 0 to 1: of those, how many, at random.
        seed: Of the random choice, which is the same for the same calls.
        seconds: How long it is slow, or trickles.
        status: The HTTP status.
        retry_after: What a ``Retry-After`` header says with it, in seconds.
        code: The response code.
        megabytes: How much is sent.
        location: Where it leads; to ``/elsewhere`` on this server if ``None``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spoiling: Spoiling
    call: Call | None = None
    after_effect: bool = False
    nth: int = Field(default=1, ge=1)
    times: int | None = Field(default=1, ge=1)
    chance: float = Field(default=1, ge=0, le=1)
    seed: int = 0
    seconds: float = Field(default=0, ge=0)
    status: int = Field(default=500, ge=200, le=599)
    retry_after: int | None = Field(default=None, ge=0)
    code: Code = Code.SERVER_ERROR
    megabytes: int = Field(default=64, ge=1, le=4096)
    location: str | None = None

    @property
    def takes_effect(self) -> bool:
        """Whether the call does what was asked, before it goes wrong."""
        if self.spoiling is Spoiling.SLOW:
            return True
        if self.spoiling in CHOOSES_EFFECT:
            return self.after_effect
        return self.spoiling is not Spoiling.HANG_UP


class File(BaseModel):
    """A file that arrived. Its bytes are not kept.

    Attributes:
        id: Its number with the authority.
        name: As its sender called it.
        size: In bytes.
        md5: In hex, of what arrived.
        sha256: The same.
        uploaded_at: When.
        details: The ``<fileDetails>`` that were sent for it last, as they were.
        times_detailed: How often that was done.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    size: int
    md5: str
    sha256: str
    uploaded_at: datetime
    details: str | None
    times_detailed: int


class Report(BaseModel):
    """A report that was opened.

    Attributes:
        number: The report id.
        state: Where it stands.
        user: By whose credentials.
        document: The ``<report>``, as it was sent.
        opened_at: When.
        changed_at: When anything was last added to it.
        ended_at: When it was finished or retracted, or expired.
        files: What was uploaded for it, in that order.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    state: State
    user: str
    document: str
    opened_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    files: tuple[File, ...]


class Made(BaseModel):
    """A call that was made.

    Attributes:
        at: When.
        call: Which.
        user: The name in its credentials, right or wrong; ``None`` if there were none.
        report: About which report; ``None`` if none was named.
        code: What was to be answered; ``None`` if it did not get that far.
        spoiling: How it was made to fail; ``None`` if it was not.
        took_effect: Whether it did what was asked.
    """

    model_config = ConfigDict(frozen=True)

    at: datetime
    call: Call
    user: str | None
    report: int | None
    code: int | None
    spoiling: Spoiling | None
    took_effect: bool


class Refused(Exception):  # noqa: N818 - it is an answer, and no error of ours
    """What was asked is not done.

    Attributes:
        code: The response code that says why.
        report: Which report it was about, where that is known.
    """

    def __init__(self, code: Code, description: str, report: int | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.report = report
