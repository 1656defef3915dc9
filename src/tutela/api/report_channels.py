"""``/v1/reports/channels`` and ``/v1/reports/live``: the ways to authorities."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Security
from pydantic import BaseModel, ConfigDict, Field

from tutela.accounts.calling import caller_of_key
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted
from tutela.reporting.delivery.backlog import backlog
from tutela.reporting.delivery.going_live import NCMEC, PHRASE, go_live, resume
from tutela.reporting.model import ChannelKind

router = APIRouter(
    prefix="/v1/reports",
    tags=["reports"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.REPORTS_READ))]
Writer = Annotated[ApiKey, Security(Permitted(Permission.JOBS_WRITE))]
Approver = Annotated[ApiKey, Security(Permitted(Permission.REPORTS_APPROVE))]


class ChannelAnswer(BaseModel):
    """How a way to an authority is."""

    channel: ChannelKind
    authority: str = Field(examples=["us-ncmec"])
    failing_since: datetime | None = Field(description="Since when nothing gets through.")
    rest_until: datetime | None = Field(description="Until when nobody asks whether it does.")
    stopped_at: datetime | None = Field(
        description="Since when nothing is sent until its operator acts."
    )
    why: str | None = Field(description="What is the matter.")
    live_at: datetime | None = Field(
        description="When somebody said that reports are meant for the authority itself."
    )
    live_by: str | None = Field(examples=["person:3"])


class BacklogAnswer(BaseModel):
    """What waits to be sent, and how each way is that was ever used."""

    queued: int = Field(description="How many wait to be sent.")
    oldest_seconds: int = Field(description="How long the oldest of them has waited.")
    stopped: int = Field(description="How many need a person.")
    doubted: int = Field(description="How many may have been sent before a restore.")
    channels: list[ChannelAnswer]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SentResumption(_Sent):
    """Which way is to go on."""

    channel: ChannelKind = ChannelKind.CYBERTIPLINE
    authority: str = Field(NCMEC, min_length=1, max_length=60, examples=[NCMEC])


class SentLive(_Sent):
    """That reports are meant for the CyberTipline itself."""

    typed: str = Field(max_length=200, description=f'"{PHRASE}", and nothing else.')
    although_rehearsed: bool = Field(
        False, description="Whether somebody has seen to the cases that were only rehearsed."
    )


@router.get("/channels", summary="How each way to an authority is, and how much waits")
def list_channels(service: Here, _key: Reader) -> BacklogAnswer:
    """No case is in it."""
    with service.database.reading() as connection:
        found = backlog(connection, service.clock())
    return BacklogAnswer.model_validate(found.as_fields())


@router.post(
    "/channels/resume", summary="Have a way go on", responses=problems(HTTPStatus.NOT_FOUND)
)
def resume_channel(service: Here, key: Writer, sent: SentResumption) -> ChannelAnswer:
    """Such as after the user and the password were put right. All that waits is tried at once."""
    caller = caller_of_key(key)
    with service.database.writing() as connection:
        state = resume(connection, sent.channel, sent.authority, caller, service.clock)
    return ChannelAnswer.model_validate(state.as_fields())


@router.post("/live", summary="Confirm, once, that reports are real")
def confirm_live(service: Here, key: Approver, sent: SentLive) -> ChannelAnswer:
    """By a person's key. From then on reports go to the CyberTipline itself: police act on them."""
    with service.database.writing() as connection:
        state = go_live(
            connection,
            service.settings,
            NCMEC,
            caller_of_key(key),
            service.clock,
            typed=sent.typed,
            although_rehearsed=sent.although_rehearsed,
        )
    return ChannelAnswer.model_validate(state.as_fields())
