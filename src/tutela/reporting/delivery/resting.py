"""How a way to an authority is: well, left alone for a while, or stopped until somebody acts.

Waiting is the channel's, not the report's. While an authority does not answer, one report after
another asks whether it does, at intervals that double up to an hour; all others rest. When one gets
through, all are woken. So an outage of a week costs a question an hour, and nothing is dropped.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from tutela.reporting.model import ChannelKind
from tutela.reporting.tables import report_channels
from tutela.storage.clock import Clock
from tutela.storage.database import insert_or_ignore
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import Job
from tutela.storage.jobs.tending import have_next_begun, hurry

DELIVER = "report.deliver"
"""The job that sends one report."""

ALERT = "report.alert"
"""The job that tells people of a channel that does not work."""

_FIRST_WAIT = 5.0
_LONGEST_WAIT = 3600.0
# What an authority may ask for by itself.
_LONGEST_ASKED = 6 * 3600.0
_NO_REST_IS_LONGER = timedelta(seconds=_LONGEST_ASKED) + timedelta(hours=1)
_ALERT_AFTER = timedelta(minutes=15)
_LONG_REST = timedelta(hours=12)
_LONGEST_WHY = 300
# What is kept of a channel that nothing ails.
_WELL: dict[str, object] = {
    "failures": 0,
    "failing_since": None,
    "rest_until": None,
    "alerted_at": None,
    "line_at": None,
    "why": None,
}


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How a channel is.

    Attributes:
        channel: Which.
        authority: To whom it leads.
        failing_since: Since when nothing got through, if so.
        rest_until: Until when nobody asks whether it does.
        stopped_at: Since when nothing is sent until its operator acts.
        why: What is the matter, if it fails or is stopped.
        live_at: When somebody said that reports are meant for the authority itself.
        live_by: Who, as the ledger calls them.
    """

    channel: ChannelKind
    authority: str
    failing_since: datetime | None
    rest_until: datetime | None
    stopped_at: datetime | None
    why: str | None
    live_at: datetime | None
    live_by: str | None

    @property
    def words(self) -> str:
        """The same in a few words."""
        if self.stopped_at is not None:
            return f"stopped since {self.stopped_at:%Y-%m-%d %H:%M}: {self.why}"
        if self.failing_since is not None:
            return f"fails since {self.failing_since:%Y-%m-%d %H:%M}: {self.why}"
        return "well"

    def as_fields(self) -> dict[str, object]:
        """The channel by names, as programs are given it."""
        moments = {
            "failing_since": self.failing_since,
            "rest_until": self.rest_until,
            "stopped_at": self.stopped_at,
            "live_at": self.live_at,
        }
        return {
            "channel": self.channel,
            "authority": self.authority,
            **{name: at.isoformat() if at else None for name, at in moments.items()},
            "why": self.why,
            "live_by": self.live_by,
        }


def channel_state(connection: Connection, channel: ChannelKind, authority: str) -> ChannelState:
    """How a channel is. One that was never used is well."""
    row = connection.execute(
        select(report_channels).where(
            report_channels.c.channel == channel, report_channels.c.authority == authority
        )
    ).one_or_none()
    if row is None:
        return ChannelState(channel, authority, None, None, None, None, None, None)
    return _state(row)


def is_used(connection: Connection, channel: ChannelKind, authority: str) -> bool:
    """Whether anything is kept of a channel."""
    there = select(report_channels.c.channel).where(
        report_channels.c.channel == channel, report_channels.c.authority == authority
    )
    return connection.execute(there).first() is not None


def channel_states(connection: Connection) -> list[ChannelState]:
    """Every channel that was ever used."""
    rows = select(report_channels).order_by(report_channels.c.channel, report_channels.c.authority)
    return [_state(row) for row in connection.execute(rows)]


def lock_channel(connection: Connection, channel: ChannelKind, authority: str) -> Row[Any]:
    """A channel's row, made where there is none, which nobody else changes until the end."""
    wanted = (
        select(report_channels)
        .where(report_channels.c.channel == channel, report_channels.c.authority == authority)
        .with_for_update()
    )
    row = connection.execute(wanted).one_or_none()
    if row is None:
        connection.execute(
            insert_or_ignore(connection, report_channels).values(
                channel=channel, authority=authority, failures=0
            )
        )
        row = connection.execute(wanted).one()
    return row


def rest_of(state: ChannelState, now: datetime) -> tuple[datetime, str] | None:
    """Until when a report that comes now has to rest, and why; ``None`` if it may be sent."""
    if state.stopped_at is not None:
        return _woken_by(now), f"nothing is sent to {state.authority} until its operator acts"
    if state.rest_until is not None and is_ahead(state.rest_until, now):
        return _woken_by(now), f"{state.authority} does not answer: it waits with others"
    return None


def is_ahead(rest_until: datetime, now: datetime) -> bool:
    """Whether a rest is not over. One longer than any can be was begun by a clock that was wrong.

    Args:
        rest_until: Until when it is to last.
        now: The time.
    """
    return now < rest_until <= now + _NO_REST_IS_LONGER


def note_failed(
    connection: Connection,
    channel: ChannelKind,
    authority: str,
    why: str,
    clock: Clock,
    *,
    job: Job,
    asked_seconds: float | None = None,
) -> datetime:
    """Note that a report did not get through, and have another one ask next.

    It may be the report's fault, so it is never the same one alone that asks.

    Args:
        connection: A transaction that writes.
        channel: By which way.
        authority: To whom.
        why: What is the matter, for people: no personal data.
        clock: The time.
        job: The report's job.
        asked_seconds: How long the authority asks to be left alone.

    Returns:
        The moment from which on somebody may ask.
    """
    row, now = lock_channel(connection, channel, authority), clock()
    rest_until: datetime | None = row.rest_until
    values: dict[str, object] = {
        "failing_since": row.failing_since or now,
        "why": why[:_LONGEST_WHY],
    }
    if rest_until is None or not is_ahead(rest_until, now):
        # Another one that failed meanwhile has said so already.
        wait = max(_wait_after(row.failures + 1), min(asked_seconds or 0, _LONGEST_ASKED))
        rest_until = now + timedelta(seconds=wait)
        values |= {"failures": row.failures + 1, "rest_until": rest_until}
    if row.alerted_at is None and now - (row.failing_since or now) >= _ALERT_AFTER:
        values["alerted_at"] = now
        _alert(connection, channel, authority, clock)
    _change(connection, channel, authority, **values)
    have_next_begun(connection, job, rest_until)
    return rest_until


def note_through(
    connection: Connection, channel: ChannelKind, authority: str, clock: Clock
) -> None:
    """Note that something got through. If nothing had before, all that rests is woken."""
    state = channel_state(connection, channel, authority)
    if state.failing_since is None and state.rest_until is None:
        return
    lock_channel(connection, channel, authority)
    _change(connection, channel, authority, **_WELL)
    hurry(connection, DELIVER, clock)


def stop_channel(
    connection: Connection, channel: ChannelKind, authority: str, why: str, clock: Clock
) -> None:
    """Send nothing any more until the operator acts, and tell people once."""
    row, now = lock_channel(connection, channel, authority), clock()
    if row.stopped_at is not None:
        return
    _change(connection, channel, authority, stopped_at=now, why=why[:_LONGEST_WHY], alerted_at=now)
    _alert(connection, channel, authority, clock)


def resume_channel(
    connection: Connection, channel: ChannelKind, authority: str, clock: Clock
) -> bool:
    """Try again, such as after credentials were put right; gives whether it was stopped."""
    row = lock_channel(connection, channel, authority)
    _change(connection, channel, authority, stopped_at=None, **_WELL)
    hurry(connection, DELIVER, clock)
    return row.stopped_at is not None


def go_live(
    connection: Connection, channel: ChannelKind, authority: str, by: str, clock: Clock
) -> None:
    """Keep that somebody said that reports are meant for the authority itself."""
    lock_channel(connection, channel, authority)
    _change(connection, channel, authority, live_at=clock(), live_by=by)


def own_wait(attempts: int, since: datetime | None, now: datetime) -> timedelta:
    """How long a report waits for itself, however well others get through.

    Args:
        attempts: How often it was begun to be sent.
        since: When that was last so; what it is since then waits for doubles the time as well.
        now: The time.
    """
    waited = (now - since).total_seconds() if since else 0.0
    return timedelta(seconds=max(_wait_after(attempts), min(waited, _LONGEST_WAIT)))


def _woken_by(now: datetime) -> datetime:
    # Spread over half a day: should nobody wake them, somebody asks before long.
    return now + _LONG_REST * (1 + random.random())  # noqa: S311 - it only spreads them


def _wait_after(failures: int) -> float:
    most: float = min(_FIRST_WAIT * 2.0 ** min(max(failures, 1) - 1, 64), _LONGEST_WAIT)
    return most / 2 + most / 2 * random.random()  # noqa: S311 - it only spreads the attempts


def _alert(connection: Connection, channel: ChannelKind, authority: str, clock: Clock) -> None:
    enqueue(connection, ALERT, {"channel": channel, "authority": authority}, clock)


def _change(connection: Connection, channel: ChannelKind, authority: str, **values: object) -> None:
    connection.execute(
        update(report_channels)
        .where(report_channels.c.channel == channel, report_channels.c.authority == authority)
        .values(values)
    )


def _state(row: Row[Any]) -> ChannelState:
    return ChannelState(
        channel=ChannelKind(row.channel),
        authority=row.authority,
        failing_since=row.failing_since,
        rest_until=row.rest_until,
        stopped_at=row.stopped_at,
        why=row.why,
        live_at=row.live_at,
        live_by=row.live_by,
    )
