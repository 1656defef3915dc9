"""Sessions: who is signed in, since when, and how lately they showed that it is them.

A token is 256 random bits and lies in a cookie; here only its SHA-256 is kept. It is replaced each
time that the session may do more than before, so that whoever planted or saw the old one has
nothing. A session ends by itself: after a while of silence, and after a working day in any case.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from sqlalchemy import Connection, RowMapping, and_, delete, insert, or_, select, update

from tutela.accounts.model import PersonId
from tutela.accounts.people import Person, person_of
from tutela.accounts.tables import people, sessions
from tutela.errors import NotFoundError
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock
from tutela.storage.database import changed_rows
from tutela.storage.settings import Settings

SessionId = NewType("SessionId", int)

WAITING = timedelta(minutes=15)
"""So long somebody has for the second step, or to set one up."""

_SEEN_EVERY = timedelta(minutes=1)


class Awaits(StrEnum):
    """What is still due before somebody counts as signed in."""

    SECOND_STEP = "second-step"
    SET_UP = "set-up"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in, or about to be.

    Attributes:
        id: The session's number, by which it is listed and ended.
        person: Who, as they are now: their roles count from one request to the next.
        began_at: When they signed in.
        seen_at: When they last asked for something, to a minute.
        proved_at: When they last showed that it is them, or ``None``.
        awaits: What is still due, or ``None`` for somebody who is signed in.
        device: By what they know it again, such as "Firefox on Linux".
    """

    id: SessionId
    person: Person
    began_at: datetime
    seen_at: datetime
    proved_at: datetime | None
    awaits: Awaits | None
    device: str

    def is_proved(self, settings: Settings, clock: Clock) -> bool:
        """Whether they showed lately enough that it is them, for what asks for that."""
        lasts = timedelta(minutes=settings.console.proof_minutes)
        return self.proved_at is not None and clock() < self.proved_at + lasts

    def is_stale(self, clock: Clock) -> bool:
        """Whether it is time for ``mark_seen``."""
        return clock() >= self.seen_at + _SEEN_EVERY


def begin_session(
    connection: Connection,
    person: Person,
    clock: Clock,
    *,
    proved: bool,
    awaits: Awaits | None = None,
    device: str = "",
) -> str:
    """Let somebody in, or as far as the second step.

    Args:
        connection: The transaction.
        person: Who.
        clock: The time.
        proved: Whether they have just shown that it is them.
        awaits: What is still due.
        device: By what they will know the session again.

    Returns:
        The token for the cookie. It cannot be had again.
    """
    now = clock()
    token = _new_token()
    number = connection.execute(
        insert(sessions)
        .values(
            token_sha256=_digest(token),
            person=person.id,
            began_at=now,
            seen_at=now,
            proved_at=now if proved else None,
            awaits=awaits,
            device=device[:100],
        )
        .returning(sessions.c.id)
    ).scalar_one()
    if awaits is None:
        _append(connection, person, number, Act.PERSON_SIGNED_IN, clock)
    return token


def complete_session(connection: Connection, session: Session, clock: Clock) -> str:
    """What was due is done: they are signed in.

    Whoever else knows the password and was to set a second step up, must take it from now on.

    Returns:
        The new token. The old one no longer works.
    """
    token = _renew(connection, session, {"awaits": None, "proved_at": clock()}, clock)
    connection.execute(
        delete(sessions).where(
            sessions.c.person == session.person.id, sessions.c.awaits == Awaits.SET_UP
        )
    )
    _append(connection, session.person, session.id, Act.PERSON_SIGNED_IN, clock)
    return token


def mark_proved(connection: Connection, session: Session, clock: Clock) -> str:
    """They have shown once more that it is them.

    Returns:
        The new token. The old one no longer works.
    """
    token = _renew(connection, session, {"proved_at": clock()}, clock)
    _append(connection, session.person, session.id, Act.PERSON_PROVED, clock)
    return token


def mark_seen(connection: Connection, session: Session, clock: Clock) -> None:
    """They are still there: the silence begins anew. Call it where ``Session.is_stale`` says so."""
    connection.execute(update(sessions).where(sessions.c.id == session.id).values(seen_at=clock()))


def find_session(
    connection: Connection, token: str, settings: Settings, clock: Clock
) -> Session | None:
    """Whose token this is, if it still counts."""
    row = (
        connection.execute(_OF_OPEN_ACCOUNTS.where(sessions.c.token_sha256 == _digest(token)))
        .mappings()
        .one_or_none()
    )
    session = _session(row) if row else None
    return session if session and clock() < _ends_at(session, settings) else None


def sessions_of(
    connection: Connection, person: PersonId, settings: Settings, clock: Clock
) -> list[Session]:
    """Where somebody is signed in, the latest first."""
    rows = connection.execute(
        _OF_OPEN_ACCOUNTS.where(sessions.c.person == person).order_by(sessions.c.id.desc())
    ).mappings()
    found = map(_session, rows)
    return [each for each in found if clock() < _ends_at(each, settings)]


def end_session(
    connection: Connection, person: PersonId, session: SessionId, actor: Actor, clock: Clock
) -> None:
    """Sign somebody out of one of their sessions.

    Raises:
        NotFoundError: They have no such session.
    """
    ended = changed_rows(
        connection,
        delete(sessions).where(sessions.c.id == session, sessions.c.person == person),
    )
    if not ended:
        raise NotFoundError(f"there is no session {session}: it may have ended already")
    append(
        connection,
        actor,
        Act.PERSON_SIGNED_OUT,
        clock,
        thing=f"person:{person}",
        reason=f"session {session}",
    )


def end_sessions_of(
    connection: Connection,
    person: PersonId,
    actor: Actor,
    clock: Clock,
    *,
    but: SessionId | None = None,
) -> int:
    """Sign somebody out everywhere.

    Args:
        connection: The transaction.
        person: Who.
        actor: Who wants it.
        clock: The time.
        but: The session that goes on.

    Returns:
        How many sessions ended.
    """
    theirs = delete(sessions).where(sessions.c.person == person)
    ended = changed_rows(connection, theirs if but is None else theirs.where(sessions.c.id != but))
    if ended:
        append(connection, actor, Act.PERSON_SIGNED_OUT, clock, thing=f"person:{person}")
    return ended


def forget_ended(connection: Connection, settings: Settings, clock: Clock) -> None:
    """Remove what nobody can use any more."""
    now = clock()
    idle = now - timedelta(minutes=settings.console.session_idle_minutes)
    old = now - timedelta(hours=settings.console.session_hours)
    waited = and_(sessions.c.awaits.is_not(None), sessions.c.began_at <= now - WAITING)
    connection.execute(
        delete(sessions).where(or_(sessions.c.seen_at <= idle, sessions.c.began_at <= old, waited))
    )


_OF_OPEN_ACCOUNTS = (
    select(
        people,
        sessions.c.id.label("session"),
        sessions.c.began_at,
        sessions.c.seen_at,
        sessions.c.proved_at,
        sessions.c.awaits,
        sessions.c.device,
    )
    .join_from(sessions, people, sessions.c.person == people.c.id)
    .where(people.c.closed_at.is_(None))
)


def _ends_at(session: Session, settings: Settings) -> datetime:
    if session.awaits:
        return session.began_at + WAITING
    idle = timedelta(minutes=settings.console.session_idle_minutes)
    whole = timedelta(hours=settings.console.session_hours)
    return min(session.seen_at + idle, session.began_at + whole)


def _renew(
    connection: Connection, session: Session, values: dict[str, object], clock: Clock
) -> str:
    token = _new_token()
    changed = changed_rows(
        connection,
        update(sessions)
        .where(sessions.c.id == session.id)
        .values(token_sha256=_digest(token), seen_at=clock(), **values),
    )
    if not changed:
        raise NotFoundError("this session has ended: sign in again")
    return token


def _append(connection: Connection, person: Person, session: int, act: Act, clock: Clock) -> None:
    actor = Actor(person.name, person.actor_id, "person", "console")
    append(connection, actor, act, clock, thing=person.actor_id, reason=f"session {session}")


def _session(row: RowMapping) -> Session:
    return Session(
        id=SessionId(row["session"]),
        person=person_of(row),
        began_at=row["began_at"],
        seen_at=row["seen_at"],
        proved_at=row["proved_at"],
        awaits=Awaits(row["awaits"]) if row["awaits"] else None,
        device=row["device"],
    )


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
