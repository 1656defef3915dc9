"""So many reports a minute and no more, over all processes of all machines.

What has begun in the last minute is counted in the attempts themselves. Whoever finds the minute
full goes to the end of a line, which moves a little faster than the reports do, so that there is
always somebody whose turn it is.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from tutela.reporting.delivery.resting import lock_channel
from tutela.reporting.model import ChannelKind
from tutela.reporting.tables import delivery_attempts, report_channels, reports
from tutela.storage.jobs.model import Later

_MINUTE = timedelta(minutes=1)
_FASTER = 0.9
# 10,000 reports at one a minute. One that is longer was begun by a clock that was ahead.
_NO_LINE_IS_LONGER = timedelta(days=8)


def take_turn(
    connection: Connection, channel: ChannelKind, authority: str, per_minute: int, now: datetime
) -> None:
    """See that one more report may begin to be sent. The attempt's row has to follow.

    Nobody else can take a turn until the caller's transaction ends.

    Raises:
        Later: The minute is full; it says when to ask again.
    """
    lock_channel(connection, channel, authority)
    free_at = _free_at(connection, channel, authority, per_minute, now)
    if free_at > now:
        raise Later(free_at, "another one took its turn")


def minute_is_full(
    connection: Connection, channel: ChannelKind, authority: str, per_minute: int, now: datetime
) -> bool:
    """Whether as many have begun as may. Locks nothing, so another one may still be quicker."""
    return _free_at(connection, channel, authority, per_minute, now) > now


def stand_in_line(
    connection: Connection, channel: ChannelKind, authority: str, per_minute: int, now: datetime
) -> datetime:
    """Go to the end of the line; gives the moment at which one's turn comes."""
    row = lock_channel(connection, channel, authority)
    end: datetime | None = row.line_at
    if end is None or end > now + _NO_LINE_IS_LONGER:
        end = now
    place = max(_free_at(connection, channel, authority, per_minute, now), end)
    connection.execute(
        update(report_channels)
        .where(report_channels.c.channel == channel, report_channels.c.authority == authority)
        .values(line_at=place + _MINUTE / per_minute * _FASTER)
    )
    return place


def _free_at(
    connection: Connection, channel: ChannelKind, authority: str, per_minute: int, now: datetime
) -> datetime:
    """From when on one more may begin; a moment that has passed if one may now."""
    # The one before whose minute is over there is no room for another.
    oldest = connection.execute(
        select(delivery_attempts.c.begun_at)
        .join_from(delivery_attempts, reports)
        .where(
            delivery_attempts.c.begun_at > now - _MINUTE,
            # What begins later than now was begun by a clock that was ahead.
            delivery_attempts.c.begun_at <= now + _MINUTE,
            reports.c.channel == channel,
            reports.c.authority == authority,
        )
        .order_by(delivery_attempts.c.begun_at.desc())
        .offset(per_minute - 1)
        .limit(1)
    ).scalar_one_or_none()
    return now if oldest is None else oldest + _MINUTE
