"""The nouns: what happened, who is told, and how the telling went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from tutela.storage.jobs.model import JSON

EndpointId = NewType("EndpointId", int)
EventNumber = NewType("EventNumber", int)
DeliveryId = NewType("DeliveryId", int)


class EventKind(StrEnum):
    """What may have happened. A word once used is never given another meaning."""

    ITEM_BLOCKED = "item.blocked"
    ITEM_LIFTED = "item.lifted"
    ACCOUNT_FLAGGED = "account.flagged"
    ACCOUNT_CLEARED = "account.cleared"
    APPEAL_DECIDED = "appeal.decided"
    SUBJECT_WANTED = "subject.wanted"
    STREAM_MATCHED = "stream.matched"
    TEST = "webhook.test"

    @property
    def meaning(self) -> str:
        """What it says, in a few words."""
        return _MEANINGS[self]


_MEANINGS = {
    EventKind.ITEM_BLOCKED: "a case was confirmed: keep its uploads blocked",
    EventKind.ITEM_LIFTED: "a case was not confirmed: let its uploads free",
    EventKind.ACCOUNT_FLAGGED: "a confirmed case belongs to this account",
    EventKind.ACCOUNT_CLEARED: "no confirmed case belongs to this account any more",
    EventKind.APPEAL_DECIDED: "an appeal was granted or upheld",
    EventKind.SUBJECT_WANTED: "a confirmed case is to be reported: supply what you know of it",
    EventKind.STREAM_MATCHED: "a live stream shows what a list knows: look at it now",
    EventKind.TEST: "somebody tries the webhook out; nothing has happened",
}

CHOOSABLE: Sequence[EventKind] = tuple(kind for kind in EventKind if kind is not EventKind.TEST)
"""What a webhook may be told of."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened.

    Attributes:
        kind: What.
        case: The case that it is about, if it is about one.
        data: What else the receiver is told: only what the platform itself sent, and words of
            ours. Never an entry of a list, a hash, or anything of a picture.
        cause: What it follows from, such as ``decision:17``.
    """

    kind: EventKind
    case: str | None
    data: Mapping[str, JSON]
    cause: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events are sent. Its secrets are not here.

    Attributes:
        id: Its number.
        name: What people call it.
        url: Where it is.
        events: What it is told of.
        is_on: Whether it is told of anything.
        created_at: When it was made.
        failing_since: Since when it has not answered well, or ``None`` if it does.
        rest_until: Until when it is left alone because of that.
        alerted_at: When people were told that something is given up, since it last answered well.
        old_secret_until: Until when the secret before the present one signs as well.
    """

    id: EndpointId
    name: str
    url: str
    events: frozenset[EventKind]
    is_on: bool
    created_at: datetime
    failing_since: datetime | None
    rest_until: datetime | None
    alerted_at: datetime | None
    old_secret_until: datetime | None

    @property
    def thing(self) -> str:
        """What the ledger calls it."""
        return f"webhook:{self.id}"

    def as_fields(self) -> dict[str, object]:
        """The webhook as the faces show it."""
        return {
            "id": self.id,
            "name": self.name,
            "url": self.url,
            "events": sorted(self.events),
            "on": self.is_on,
            "created_at": self.created_at.isoformat(),
            "failing_since": _text(self.failing_since),
            "next_attempt_at": _text(self.rest_until) if self.failing_since else None,
            "old_secret_until": _text(self.old_secret_until),
        }


class DeliveryState(StrEnum):
    """How the telling of one event to one endpoint stands."""

    WAITING = "waiting"
    """It is sent when its time comes, or tried again."""
    DELIVERED = "delivered"
    """The receiver took it."""
    FAILED = "failed"
    """It was given up: a person can have it sent again."""
    WITHDRAWN = "withdrawn"
    """Its webhook was removed before it was sent."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that it was sent.

    Attributes:
        at: When.
        milliseconds: How long the receiver took.
        status: The HTTP status of its answer, if it answered.
        failure: Why that does not count, or ``None`` if it does.
        answer: The first bytes of what it answered to a test. Of other answers nothing is kept:
            they might hold somebody's data.
    """

    at: datetime
    milliseconds: int
    status: int | None
    failure: str | None
    answer: str | None = None

    def as_fields(self) -> dict[str, object]:
        """The attempt as the faces show it."""
        return {
            "at": self.at.isoformat(),
            "milliseconds": self.milliseconds,
            "status": self.status,
            "failure": self.failure,
            "answer": self.answer,
        }


@dataclass(frozen=True, slots=True)
class Delivery:
    """The telling of one event to one endpoint.

    Attributes:
        id: Its number.
        endpoint: Who is told.
        message: The ``webhook-id`` that each attempt bears.
        kind: What is told.
        case: The case that it is about, if any.
        state: How it stands.
        happened_at: When what it tells of happened.
        due_at: When it is, or was, sent for the first time.
        ended_at: When it was delivered or given up.
        attempts: The times that it was sent, the newest first.
    """

    id: DeliveryId
    endpoint: EndpointId
    message: str
    kind: EventKind
    case: str | None
    state: DeliveryState
    happened_at: datetime
    due_at: datetime
    ended_at: datetime | None
    attempts: tuple[Attempt, ...] = ()

    def as_fields(self) -> dict[str, object]:
        """The delivery as the faces show it."""
        return {
            "id": self.id,
            "webhook": self.endpoint,
            "webhook_id": self.message,
            "event": self.kind,
            "case": self.case,
            "state": self.state,
            "happened_at": self.happened_at.isoformat(),
            "due_at": self.due_at.isoformat(),
            "ended_at": _text(self.ended_at),
            "attempts": [attempt.as_fields() for attempt in self.attempts],
        }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
