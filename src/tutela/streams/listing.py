"""The streams that are watched, were, or wait to be: how each stands."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from tutela.errors import NotFoundError
from tutela.hashlists.lists import live_lists
from tutela.sandbox.model import Sampling
from tutela.screening.policy import rules_for
from tutela.storage.settings import OnMatch, Policy
from tutela.streams.model import Standing, State, StreamId
from tutela.streams.tables import stream_matches, streams


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream, as people and programs see it. Its source is not here.

    Attributes:
        id: Its number.
        shown: Its source without what may let somebody in; ``None`` once it is over without a
            match.
        subject: Whom it is about, as the platform calls them; likewise.
        reference: What the platform calls it; likewise.
        sampling: Which frames are looked at.
        every: How many seconds of it at least are between two that are.
        standing: How it stands.
        case: The case that its frames are in, if any matched.
        begun_at: When it was asked for.
        begun_by: Who did, as the ledger calls them.
        ended_at: When it was over, if it is.
        is_held: Whether a process is at it.
    """

    id: StreamId
    shown: str | None
    subject: str | None
    reference: str | None
    sampling: Sampling
    every: float
    standing: Standing
    case: str | None
    begun_at: datetime
    begun_by: str
    ended_at: datetime | None
    is_held: bool

    @property
    def thing(self) -> str:
        """What the ledger calls it."""
        return thing_of(self.id)

    def as_fields(self) -> dict[str, object]:
        """The stream as the faces show it."""
        now = self.standing
        return {
            "id": self.id,
            "source": self.shown,
            "subject": self.subject,
            "reference": self.reference,
            "sampling": self.sampling,
            "every_seconds": self.every,
            "state": now.state,
            "reason": now.reason,
            "frames": now.frames,
            "dropped": now.dropped,
            "skipped_seconds": round(now.skipped, 3),
            "matches": now.matches,
            "lag_seconds": round(now.lag, 3),
            "every_frame": now.every_frame,
            "key_frames_seconds": round(now.by_key_frames, 3),
            "case": self.case,
            "begun_at": self.begun_at.isoformat(),
            "begun_by": self.begun_by,
            "seen_at": now.seen_at.isoformat() if now.seen_at else None,
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
        }


def thing_of(stream: StreamId) -> str:
    """What the ledger calls a stream."""
    return f"stream:{stream}"


def all_streams(
    connection: Connection,
    *,
    state: State | None = None,
    before: StreamId | None = None,
    limit: int = 100,
) -> list[Stream]:
    """Streams, the newest first.

    Args:
        connection: A transaction.
        state: Only those that stand so.
        before: Only those with a smaller number: how the next page is asked for.
        limit: How many at most.
    """
    wanted = select(streams).order_by(streams.c.id.desc()).limit(limit)
    if state is not None:
        wanted = wanted.where(streams.c.state == state)
    if before is not None:
        wanted = wanted.where(streams.c.id < before)
    return [_stream(row) for row in connection.execute(wanted).mappings()]


def find_stream(connection: Connection, stream: StreamId) -> Stream:
    """One stream.

    Raises:
        NotFoundError: There is none of this number, or it was over so long ago that it was
            forgotten.
    """
    row = connection.execute(select(streams).where(streams.c.id == stream)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("there is no stream {number}", number=stream)
    return _stream(row)


def without_passed(connection: Connection, found: Sequence[Stream], policy: Policy) -> list[Stream]:
    """Streams, as whoever may not see lists is told of them.

    One that matches only lists which let files pass is for them as if it had matched nothing.
    """
    numbers = [each.id for each in found if each.case is not None]
    pairs = connection.execute(
        select(stream_matches.c.stream_id, stream_matches.c.list_id)
        .where(stream_matches.c.stream_id.in_(numbers))
        .distinct()
    ).all()
    blocking = {
        number
        for number, each in live_lists(connection).items()
        if rules_for(policy, each.name).on_match is OnMatch.BLOCK
    }
    told = {stream for stream, hash_list in pairs if hash_list in blocking}
    return [
        each if each.case is None or each.id in told else _as_without_match(each) for each in found
    ]


def _as_without_match(stream: Stream) -> Stream:
    as_none = replace(stream, case=None, standing=replace(stream.standing, matches=0))
    if stream.standing.state.is_over:
        return replace(as_none, shown=None, subject=None, reference=None)
    return as_none


@dataclass(frozen=True, slots=True)
class Tally:
    """Streams that stand alike, together.

    Attributes:
        state: How they stand.
        streams: How many they are.
        frames: How many of their frames were looked at.
        dropped: How many were not, for want of time.
        skipped: How many seconds were left out besides.
        lag: How late the latest of them is seen, in seconds.
        by_key_frames: Of how many seconds only key frames were looked at, as in ``Standing``.
    """

    state: State
    streams: int
    frames: int
    dropped: int
    skipped: float
    lag: float
    by_key_frames: float


def tallies(connection: Connection) -> Sequence[Tally]:
    """The streams that are not over, by how they stand."""
    rows = connection.execute(
        select(
            streams.c.state,
            func.count(),
            func.sum(streams.c.frames),
            func.sum(streams.c.dropped),
            func.sum(streams.c.skipped_seconds),
            func.max(streams.c.lag_seconds),
            func.sum(streams.c.key_frames_seconds),
        )
        .where(streams.c.ended_at.is_(None))
        .group_by(streams.c.state)
    )
    return [Tally(State(row[0]), row[1], int(row[2]), int(row[3]), *row[4:]) for row in rows]


def standing_of(row: RowMapping | Any) -> Standing:
    """How a stream stands, from its row."""
    return Standing(
        State(row["state"]),
        row["reason"],
        row["frames"],
        row["dropped"],
        row["skipped_seconds"],
        row["matches"],
        row["lag_seconds"],
        row["every_frame"],
        row["seen_at"],
        row["key_frames_seconds"],
    )


def _stream(row: RowMapping) -> Stream:
    return Stream(
        StreamId(row["id"]),
        row["shown"],
        row["subject"],
        row["reference"],
        Sampling(row["sampling"]),
        row["every_seconds"],
        standing_of(row),
        row["case_id"],
        row["begun_at"],
        row["begun_by"],
        row["ended_at"],
        is_held=row["holder"] is not None,
    )
