"""What remains of a stream that is over: of one that matched nothing, counts, for a while."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from tutela.streams.model import State
from tutela.streams.tables import stream_matches, streams

_KEPT = timedelta(days=30)
_AT_ONCE = 500


def ended_values(
    state: State, reason: str | None, now: datetime, *, has_case: bool
) -> dict[str, object]:
    """What a stream's row holds once it is over.

    Args:
        state: How it ended.
        reason: Why, if not because it was over.
        now: The time.
        has_case: Whether a frame of it matched.
    """
    values: dict[str, object] = {
        "state": state,
        "reason": reason,
        "ended_at": now,
        "lag_seconds": 0.0,
        "source": None,
        "holder": None,
        "held_until": None,
    }
    if not has_case:
        values |= {"shown": None, "subject": None, "reference": None}
    return values


def forget_old(connection: Connection, now: datetime) -> int:
    """Remove streams that were over a month ago. Their cases stay.

    Returns:
        How many there were.
    """
    old = list(
        connection.execute(
            select(streams.c.id).where(streams.c.ended_at < now - _KEPT).limit(_AT_ONCE)
        ).scalars()
    )
    if old:
        connection.execute(delete(stream_matches).where(stream_matches.c.stream_id.in_(old)))
        connection.execute(delete(streams).where(streams.c.id.in_(old)))
    return len(old)
