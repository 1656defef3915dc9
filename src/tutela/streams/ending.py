"""What remains of a stream that is over: of one that matched nothing, counts, for a while."""

from datetime import datetime

from tutela.streams.model import State


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
