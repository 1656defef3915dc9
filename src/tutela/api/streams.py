"""``/v1/streams``: the live streams that are watched."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Security
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted, Service, actor_of
from tutela.cases.joining import LONGEST_KEY
from tutela.sandbox.model import Sampling
from tutela.streams.beginning import begin_stream, stop_stream
from tutela.streams.listing import Stream, all_streams, find_stream, without_passed
from tutela.streams.model import LONGEST_SOURCE, State, StreamId

router = APIRouter(
    prefix="/v1/streams",
    tags=["streams"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.STREAMS_READ))]
Writer = Annotated[ApiKey, Security(Permitted(Permission.STREAMS_WRITE))]

_GREATEST = 2**63 - 1
Number = Annotated[int, Path(ge=1, le=_GREATEST, description="Its number.", examples=[1])]
_ABSENT = problems(HTTPStatus.NOT_FOUND)
_OVER = problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


class NewStream(BaseModel):
    """A stream to be watched."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(
        min_length=1,
        max_length=LONGEST_SOURCE,
        description="Where it comes from: a host that `streams.sources` names.",
        examples=["rtmp://media.example.org/live/7"],
    )
    subject: str | None = Field(
        None,
        max_length=LONGEST_KEY,
        description="Whom it is about, as you call them.",
        examples=["account-4711"],
    )
    reference: str | None = Field(
        None, max_length=LONGEST_KEY, description="What you call it.", examples=["stream-7"]
    )
    sampling: Literal["key_frames", "seconds"] = Field(
        "seconds",
        description="`seconds` decodes every frame where the machine has room for that, in turns "
        "with the other streams where it has not. `key_frames` decodes key frames alone, and "
        "whoever encodes the stream chooses those.",
    )
    every_seconds: float | None = Field(
        None,
        gt=0,
        le=3600,
        description="Of so many seconds one key frame is looked at, and one frame between key "
        "frames. Default: `streams.every_seconds`.",
    )


class StreamAnswer(BaseModel):
    """A stream, and how it stands. Its address is never in an answer, since it may let one in."""

    id: int = Field(examples=[1])
    source: str | None = Field(
        description="Its host; `null` once it is over and matched nothing, as the next two.",
        examples=["rtmp://media.example.org:1935/…"],
    )
    subject: str | None
    reference: str | None
    sampling: Sampling
    every_seconds: float
    state: State
    reason: str | None = Field(description="Why it is lost, lags or has ended.")
    frames: int = Field(description="How many of its frames were looked at.")
    dropped: int = Field(description="How many were dropped, since there was no time for them.")
    skipped_seconds: float = Field(description="How much of it was left out besides.")
    matches: int = Field(
        description="How many frames matched something new, without those that only lists match "
        "which let files pass. Of a stream with no others, `case` and what is kept for it are told "
        "to keys with `screen:details` alone."
    )
    lag_seconds: float = Field(description="How late it was seen last.")
    every_frame: bool = Field(description="Whether it has no key frames, so that all are decoded.")
    key_frames_seconds: float = Field(
        description="Of how much of it only key frames were looked at although `sampling` is "
        "`seconds`: it was the turn of other streams."
    )
    case: str | None = Field(description="The case that its frames are in, if any matched.")
    begun_at: datetime
    begun_by: str
    seen_at: datetime | None = Field(description="When a frame of it was seen last.")
    ended_at: datetime | None


class StreamsAnswer(BaseModel):
    """Streams, the newest first."""

    streams: list[StreamAnswer]
    before: int | None = Field(description="Ask with this for the next page; `null` at the end.")


@router.post(
    "",
    summary="Watch a stream",
    status_code=HTTPStatus.CREATED,
    responses=problems(HTTPStatus.CONFLICT),
)
def begin(service: Here, key: Writer, new: NewStream) -> StreamAnswer:
    """It is taken up within a second or two, and again whenever the service starts.

    What matches opens a case, and is told by the webhook `stream.matched`.
    """
    with service.database.writing() as connection:
        begun = begin_stream(
            connection,
            service.settings,
            actor_of(key),
            service.clock,
            source=new.source,
            subject=new.subject,
            reference=new.reference,
            sampling=Sampling(new.sampling),
            every=new.every_seconds,
        )
    return StreamAnswer.model_validate(begun.as_fields())


@router.get("", summary="The streams")
def list_streams(
    service: Here,
    key: Reader,
    state: Annotated[State | None, Query(description="Only those that stand so.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100,
    before: Annotated[
        int | None, Query(ge=1, le=_GREATEST, description="From the page before.")
    ] = None,
) -> StreamsAnswer:
    """Those that are watched, wait to be, or were over within a month; the newest first."""
    with service.database.reading() as connection:
        found = all_streams(
            connection,
            state=state,
            before=StreamId(before) if before else None,
            limit=limit + 1,
        )
        shown = _told(connection, service, key, found[:limit])
    return StreamsAnswer.model_validate(
        {
            "streams": [each.as_fields() for each in shown],
            "before": shown[-1].id if len(found) > limit else None,
        }
    )


@router.get("/{stream}", summary="One stream", responses=_ABSENT)
def show_stream(service: Here, key: Reader, stream: Number) -> StreamAnswer:
    """How it stands, as of a few seconds ago."""
    with service.database.reading() as connection:
        found = find_stream(connection, StreamId(stream))
        (told,) = _told(connection, service, key, [found])
    return StreamAnswer.model_validate(told.as_fields())


@router.delete("/{stream}", summary="Stop watching a stream", responses=_OVER)
def stop(
    service: Here,
    key: Writer,
    stream: Number,
    reason: Annotated[str, Query(max_length=1000, description="Why, for the ledger.")] = "",
) -> StreamAnswer:
    """It is let go within a second or two. Of one that matched nothing, counts remain."""
    with service.database.writing() as connection:
        stopped = stop_stream(
            connection, StreamId(stream), actor_of(key), service.clock, reason=reason
        )
        (told,) = _told(connection, service, key, [stopped])
    return StreamAnswer.model_validate(told.as_fields())


def _told(
    connection: Connection, service: Service, key: ApiKey, found: list[Stream]
) -> list[Stream]:
    if Permission.SCREEN_DETAILS in key.permissions:
        return found
    return without_passed(connection, found, service.settings.policy)
