"""Having a stream watched, and having that stopped."""

from sqlalchemy import Connection, func, insert, select, update

from tutela.cases.joining import check_key
from tutela.errors import InvalidInputError, OutOfTurnError
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.sandbox.model import Sampling
from tutela.storage.clock import Clock
from tutela.storage.kept_secrets import KeptSecrets
from tutela.storage.settings import Settings
from tutela.streams.ending import ended_values
from tutela.streams.listing import Stream, find_stream, thing_of
from tutela.streams.model import State, StreamId, source_of
from tutela.streams.opening import allowed_by
from tutela.streams.tables import streams

MOST = 1_000
"""So many streams at most are watched or wait to be."""


def begin_stream(
    connection: Connection,
    settings: Settings,
    actor: Actor,
    clock: Clock,
    *,
    source: str,
    subject: str | None = None,
    reference: str | None = None,
    sampling: Sampling = Sampling.SECONDS,
    every: float | None = None,
) -> Stream:
    """Have a stream watched, from the next second on, by whichever process has room.

    Args:
        connection: A transaction that writes.
        settings: The configuration.
        actor: Who wants it.
        clock: The time.
        source: Where it comes from.
        subject: Whom it is about, as the platform calls them.
        reference: What the platform calls it.
        sampling: Which frames are looked at.
        every: Of so many seconds at most one key frame is looked at, and one between key frames.

    Raises:
        InvalidInputError: It cannot come from there, or what is said of it cannot be used.
        OutOfTurnError: As many as can be are watched.
        StorageError: Its address cannot be sealed.
    """
    allowed = allowed_by(settings)
    if allowed.nothing:
        raise InvalidInputError(
            "no streams are watched here: name the hosts that they may come from in streams.sources"
        )
    found = source_of(source)
    if not allowed.has(found.host):
        raise InvalidInputError(
            "streams may not come from {host}: name it in streams.sources, or choose another "
            "source",
            host=found.host,
        )
    if not allowed.has_port(found.port):
        raise InvalidInputError(
            "streams may not come from port {port}: name it in streams.ports, or choose another "
            "source",
            port=found.port,
        )
    if sampling not in (Sampling.KEY_FRAMES, Sampling.SECONDS):
        raise InvalidInputError("of a stream, key_frames or seconds are looked at")
    there = select(func.count()).where(streams.c.ended_at.is_(None))
    if connection.execute(there).scalar_one() >= MOST:
        raise OutOfTurnError("{most:,} streams are watched already: stop one first", most=MOST)
    number = StreamId(
        connection.execute(
            insert(streams)
            .values(
                shown=found.shown[:300],
                subject=None if subject is None else check_key(subject),
                reference=None if reference is None else check_key(reference),
                sampling=sampling,
                every_seconds=every or settings.streams.every_seconds,
                state=State.STARTING,
                frames=0,
                dropped=0,
                skipped_seconds=0.0,
                matches=0,
                lag_seconds=0.0,
                every_frame=False,
                key_frames_seconds=0.0,
                begun_at=clock(),
                begun_by=actor.id,
                hold=0,
            )
            .returning(streams.c.id)
        ).scalar_one()
    )
    sealed = KeptSecrets(settings.keys_folder).seal(found.text.encode(), thing_of(number))
    connection.execute(update(streams).where(streams.c.id == number).values(source=sealed))
    append(connection, actor, Act.STREAM_BEGUN, clock, thing=thing_of(number))
    return find_stream(connection, number)


def stop_stream(
    connection: Connection, stream: StreamId, actor: Actor, clock: Clock, *, reason: str = ""
) -> Stream:
    """Have a stream watched no more. Whoever watches it sees that within a second or two.

    Raises:
        NotFoundError: There is none of this number.
        OutOfTurnError: It is over already.
    """
    case = connection.execute(
        select(streams.c.case_id).where(streams.c.id == stream).with_for_update()
    ).scalar_one_or_none()
    found = find_stream(connection, stream)
    if found.standing.state.is_over:
        raise OutOfTurnError("stream {number} is over already", number=stream)
    values = ended_values(State.STOPPED, None, clock(), has_case=case is not None)
    # Whoever watches it does not hold it any more.
    values |= {"hold": streams.c.hold + 1}
    connection.execute(update(streams).where(streams.c.id == stream).values(values))
    append(connection, actor, Act.STREAM_STOPPED, clock, thing=found.thing, reason=reason)
    return find_stream(connection, stream)
