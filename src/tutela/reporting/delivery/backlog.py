"""What waits: how many reports, since when, and what of them needs a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from tutela.reporting.delivery.doubting import count_doubted
from tutela.reporting.delivery.resting import ChannelState, channel_states
from tutela.reporting.states import State
from tutela.reporting.tables import reports

_LONG = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Backlog:
    """The reports that are not sent, although they are meant to be.

    Attributes:
        at: When it was looked at.
        queued: How many wait to be sent.
        oldest_seconds: How long the oldest of them has waited; 0 if there is none.
        stopped: How many need a person.
        doubted: How many may have been sent before the house was restored from a backup.
        channels: How each channel is that was ever used.
    """

    at: datetime
    queued: int
    oldest_seconds: float
    stopped: int
    doubted: int
    channels: tuple[ChannelState, ...]

    @property
    def troubled(self) -> tuple[ChannelState, ...]:
        """The channels by which nothing gets through."""
        return tuple(
            each for each in self.channels if each.failing_since or each.stopped_at is not None
        )

    @property
    def is_well(self) -> bool:
        """Whether nobody has to do anything, or wonder."""
        waits_long = self.oldest_seconds > _LONG.total_seconds()
        needs_person = self.stopped or self.doubted
        return not needs_person and not waits_long and not self.troubled

    @property
    def words(self) -> str:
        """The same in a few words."""
        said = f"{self.queued:,} reports wait to be sent"
        if self.queued:
            said += f", the oldest for {_long(self.oldest_seconds)}"
        if self.stopped:
            said += f"; {self.stopped:,} are stopped and need a person"
        if self.doubted:
            said += (
                f"; {self.doubted:,} may have been sent before the house was restored: see "
                '"tutela report doubts"'
            )
        for each in self.troubled:
            what = "is stopped" if each.stopped_at else "takes no reports"
            said += f"; {each.authority} {what}"
        return said

    def as_fields(self) -> dict[str, object]:
        """What waits by names, as programs are given it."""
        return {
            "queued": self.queued,
            "oldest_seconds": round(self.oldest_seconds),
            "stopped": self.stopped,
            "doubted": self.doubted,
            "channels": [each.as_fields() for each in self.channels],
        }


def backlog(
    connection: Connection, now: datetime, counts: Mapping[State, int] | None = None
) -> Backlog:
    """What waits now.

    Args:
        connection: A transaction.
        now: The time.
        counts: How many stand where, if somebody has asked that already.
    """
    if counts is None:
        counts = _counted(connection)
    oldest = connection.execute(
        select(func.min(reports.c.queued_at)).where(reports.c.state == State.QUEUED)
    ).scalar_one_or_none()
    return Backlog(
        at=now,
        queued=counts.get(State.QUEUED, 0),
        oldest_seconds=max((now - oldest).total_seconds(), 0.0) if oldest else 0.0,
        stopped=counts.get(State.STOPPED, 0),
        doubted=count_doubted(connection),
        channels=tuple(channel_states(connection)),
    )


def _counted(connection: Connection) -> Mapping[State, int]:
    # To the last one: what waits is watched, and what is sent is not looked at.
    rows = connection.execute(
        select(reports.c.state, func.count())
        .where(reports.c.state.in_((State.QUEUED, State.STOPPED)))
        .group_by(reports.c.state)
    )
    return {State(state): count for state, count in rows}


def _long(seconds: float) -> str:
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {name}"
    return f"{int(seconds)} seconds"
