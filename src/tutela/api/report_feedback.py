"""``/v1/feedback``: what authorities say of reports. They do so at ``/v1/reports/feedback``."""

from datetime import date, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Security
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tutela.accounts.calling import caller_of_key
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted, Service
from tutela.errors import InvalidInputError, TooLargeError
from tutela.evidence.retention import Period
from tutela.reporting.following.finding import find_all_feedback, find_feedback, read_words
from tutela.reporting.following.model import (
    LONGEST_NAME,
    LONGEST_WORDS,
    FeedbackId,
    FeedbackKind,
    Said,
)
from tutela.reporting.following.recording import enter_feedback, receive_feedback
from tutela.reporting.following.settling import (
    attach_feedback,
    follow_feedback,
    settle_feedback,
)
from tutela.reporting.following.signatures import sender_of
from tutela.reporting.model import ReportId
from tutela.storage.kept_secrets import KeptSecrets

router = APIRouter(
    prefix="/v1",
    tags=["reports"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.REPORTS_READ))]
Writer = Annotated[ApiKey, Security(Permitted(Permission.FEEDBACK_WRITE))]

_GREATEST = 2**63 - 1
# Each character of the words may be written as six bytes, and the rest is small.
_LARGEST = 6 * LONGEST_WORDS + (16 << 10)
Number = Annotated[int, Path(ge=1, le=_GREATEST, description="Its number.", examples=[7])]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SentFeedback(_Sent):
    """What an authority says of a report."""

    kind: FeedbackKind = Field(
        description="`number` says or changes the report's number there; `more-wanted` asks for "
        "more; `preservation-letter` and `destruction-requested` are of the evidence."
    )
    at: datetime | None = Field(None, description="When it said so; now, if left out.")
    reference: str = Field(
        "", max_length=LONGEST_NAME, description="What the authority calls this message."
    )
    number: str = Field(
        "", max_length=LONGEST_NAME, description="Of `number`: the report's number there."
    )
    until: date | None = Field(None, description="Of a preservation letter: its last day.")
    period: str = Field(
        "",
        max_length=20,
        description="Of a preservation letter: for how long from its date, such as `90d` or `1y`.",
    )
    words: str = Field(
        "",
        max_length=LONGEST_WORDS,
        description="In its own words. They are kept sealed, and go with the case's evidence.",
    )

    def said(self, now: datetime) -> Said:
        """The same as the house understands it.

        Raises:
            InvalidInputError: The time has no zone, or the period is none.
        """
        if self.at is not None and self.at.tzinfo is None:
            raise InvalidInputError("at: say the time with its zone, such as 2026-01-15T12:00:00Z")
        return Said(
            kind=self.kind,
            at=self.at or now,
            reference=self.reference.strip(),
            number=self.number.strip(),
            until=self.until,
            period=Period.read(self.period) if self.period else None,
            words=self.words,
        )


class _MessageData(SentFeedback):
    report: str = Field(min_length=1, max_length=LONGEST_NAME)


class _Message(BaseModel):
    # What a later edition of the standard may add beside these is passed over.
    type: str = Field(pattern="^report\\.feedback$")
    timestamp: datetime | None = None
    data: _MessageData


class Done(_Sent):
    """What was done, or why."""

    reason: str = Field(
        min_length=1, max_length=1000, description="In your own words. The ledger keeps it."
    )


class Meant(_Sent):
    """Which report is meant."""

    report: int = Field(ge=1, le=_GREATEST, examples=[5])


class FeedbackAnswer(BaseModel):
    """What an authority said once, without its words."""

    id: int = Field(examples=[7])
    authority: str = Field(examples=["us-ncmec"])
    report: int | None = Field(description="`null` while nobody knows which report is meant.")
    case: str | None
    named: str = Field(description="By which number the authority named the report.")
    kind: FeedbackKind
    at: datetime
    reference: str
    number: str
    until: date | None
    period: str | None
    has_words: bool = Field(description="Whether its words are kept.")
    received_at: datetime
    received_by: str = Field(examples=["person:3"])
    open: bool = Field(description="Whether it waits for a person.")
    settled_at: datetime | None
    settled_by: str | None


class FeedbackWithWords(FeedbackAnswer):
    """The same with its words."""

    words: str


class FeedbacksAnswer(BaseModel):
    """What was said, the newest first."""

    feedback: list[FeedbackAnswer]
    next: int | None = Field(None, description="Ask with `before` for the next page.")


class TakenAnswer(BaseModel):
    """That a message was taken. It says the same of each."""

    taken: bool = True


@router.get("/feedback", summary="What authorities say of reports")
def list_feedback(
    service: Here,
    _key: Reader,
    open: Annotated[bool, Query(description="Only what waits for a person.")] = False,  # noqa: A002
    report: Annotated[
        int | None, Query(ge=1, le=_GREATEST, description="Only of this report.")
    ] = None,
    before: Annotated[
        int | None, Query(ge=1, le=_GREATEST, description="From the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
) -> FeedbacksAnswer:
    """The newest first, without its words."""
    with service.database.reading() as connection:
        found = find_all_feedback(
            connection,
            report=None if report is None else ReportId(report),
            only_open=open,
            before=None if before is None else FeedbackId(before),
            limit=limit + 1,
        )
    shown = found[:limit]
    return FeedbacksAnswer.model_validate(
        {
            "feedback": [each.as_fields() for each in shown],
            "next": shown[-1].id if len(found) > limit else None,
        }
    )


@router.post(
    "/reports/feedback",
    summary="Authorities say something of a report",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.TOO_MANY_REQUESTS),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "example": {
                        "type": "report.feedback",
                        "data": {
                            "report": "4564654",
                            "kind": "more-wanted",
                            "words": "Which time zone are the times in?",
                        },
                    }
                }
            },
        }
    },
)
async def receive(service: Here, request: Request) -> TakenAnswer:
    """No key is needed: the authority signs, as Standard Webhooks has it, with its own secret.

    A message is taken once by its `webhook-id`. Whether the report is known makes no difference
    to the answer, unless a hundred messages wait already that belong to none: then one more such
    is refused with 429 until people have looked at some.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST:
            raise TooLargeError(f"a message has {_LARGEST} bytes at most")
    content = bytes(body)
    now = service.clock()
    authority = sender_of(service.settings, request.headers, content, now)
    message = _read(content)
    said = message.data.said(message.timestamp or now)
    name = request.headers["webhook-id"]
    await service.work(partial(_take, service, authority, name, message.data.report, said))
    return TakenAnswer()


@router.get("/feedback/{feedback}", summary="What an authority said, with its words")
def show_feedback(service: Here, key: Reader, feedback: Number) -> FeedbackWithWords:
    """The ledger says who reads the words."""
    number = FeedbackId(feedback)
    with service.database.writing() as connection:
        found = find_feedback(connection, number)
        words = read_words(connection, _secrets(service), number, caller_of_key(key), service.clock)
    return FeedbackWithWords.model_validate({**found.as_fields(), "words": words})


@router.post("/feedback/{feedback}/settle", summary="Say that it is done")
def settle(service: Here, key: Writer, feedback: Number, done: Done) -> FeedbackAnswer:
    """What waited for a person is done, or is not to be done."""
    number = FeedbackId(feedback)
    with service.database.writing() as connection:
        settle_feedback(connection, number, caller_of_key(key), service.clock, reason=done.reason)
    return _answer(service, number)


@router.post("/feedback/{feedback}/follow", summary="Follow what it asks for")
def follow(service: Here, key: Writer, feedback: Number, why: Done) -> FeedbackAnswer:
    """A request for destruction moves the clock of the evidence; a number takes the other's place.

    The first also needs `evidence:keep`.
    """
    number = FeedbackId(feedback)
    with service.database.writing() as connection:
        follow_feedback(connection, number, caller_of_key(key), service.clock, reason=why.reason)
    return _answer(service, number)


@router.post("/feedback/{feedback}/attach", summary="Say which report is meant")
def attach(service: Here, key: Writer, feedback: Number, meant: Meant) -> FeedbackAnswer:
    """Of a message by whose number no report was known."""
    number = FeedbackId(feedback)
    with service.database.writing() as connection:
        attach_feedback(
            connection, number, ReportId(meant.report), caller_of_key(key), service.clock
        )
    return _answer(service, number)


@router.post(
    "/reports/{report}/feedback",
    summary="Enter what an authority says of a report",
    status_code=HTTPStatus.CREATED,
)
def enter(service: Here, key: Writer, report: Number, sent: SentFeedback) -> FeedbackAnswer:
    """What is of the evidence moves its clock, and also needs `evidence:keep`."""
    said = sent.said(service.clock())
    with service.database.writing() as connection:
        number = enter_feedback(
            connection,
            _secrets(service),
            ReportId(report),
            said,
            caller_of_key(key),
            service.clock,
        )
    return _answer(service, number)


def _read(content: bytes) -> _Message:
    try:
        return _Message.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInputError(f"{where or 'the message'}: {first['msg']}") from None


def _take(service: Service, authority: str, message: str, report: str, said: Said) -> None:
    with service.database.writing() as connection:
        receive_feedback(
            connection,
            _secrets(service),
            authority,
            said,
            service.clock,
            message=message,
            named=report.strip(),
        )


def _answer(service: Service, feedback: FeedbackId) -> FeedbackAnswer:
    with service.database.reading() as connection:
        return FeedbackAnswer.model_validate(find_feedback(connection, feedback).as_fields())


def _secrets(service: Service) -> KeptSecrets:
    return KeptSecrets(service.settings.keys_folder)
