"""Keeping guessers out: waits that grow, for each account and for each address.

Every try counts as failed before its password is looked at, so that many at once are no way round;
one that was right is taken back. What is counted lies in the database, for all server processes.
Whether a name is anybody's makes no difference, not even in the ledger's work, so that trying names
tells nobody who works here.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from tutela.accounts.model import PersonId
from tutela.accounts.people import Person
from tutela.accounts.tables import sign_in_failures
from tutela.errors import LockedOutError
from tutela.ledger.appending import append
from tutela.ledger.model import SYSTEM, Act, Actor
from tutela.storage.clock import Clock
from tutela.storage.database import insert_or_ignore

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
REMEMBERED = timedelta(hours=24)
"""After so long without a try, what was counted is forgotten."""

_FREE_OF_ACCOUNT = 5
# Whoever shares an address with many others is not to wait for their mistakes.
_FREE_OF_ADDRESS = 30


@dataclass(frozen=True, slots=True)
class Subject:
    """What failures are counted for: an account, a second step, or an address.

    Attributes:
        digest: Which one. Hashed, since what strangers type is not kept.
        free: How many failures cost no wait.
        is_persons: Whether it is one person's, whose success makes all failures good.
    """

    digest: bytes
    free: int
    is_persons: bool


def account_called(email: str) -> Subject:
    """The account of this address, whether there is one or not."""
    return _subject("account", email.strip().casefold(), _FREE_OF_ACCOUNT)


def second_step_of(person: PersonId) -> Subject:
    """Somebody's second step: a short code can be guessed."""
    return _subject("second step", str(person), _FREE_OF_ACCOUNT)


def address_of(address: str) -> Subject:
    """Where a try comes from. Of IPv6 the first half counts, since one household has the rest."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return _subject("address", address, _FREE_OF_ADDRESS, is_persons=False)
    if known.version == 6:
        address = str(ipaddress.ip_network((known, 64), strict=False).network_address)
    return _subject("address", address, _FREE_OF_ADDRESS, is_persons=False)


def begin_try(connection: Connection, subjects: Sequence[Subject], clock: Clock) -> datetime:
    """Count a try, before what was typed is looked at.

    Args:
        connection: A transaction of its own, which has to commit before the looking begins.
        subjects: The account and the address.
        clock: The time.

    Returns:
        When it began, for ``note_success``.

    Raises:
        LockedOutError: One of them has to wait.
    """
    now = clock()
    failures = _lock(connection, subjects, now)
    waits = [until - now for _, until, _ in failures.values() if until and until > now]
    if waits:
        raise LockedOutError(max(1, round(max(waits).total_seconds())))
    for subject in subjects:
        count = failures[subject][0] + 1
        connection.execute(
            update(sign_in_failures)
            .where(sign_in_failures.c.subject_sha256 == subject.digest)
            .values(failures=count, last_at=now, locked_until=_locked_until(subject, count, now))
        )
    return now


def note_failure(
    connection: Connection, subjects: Sequence[Subject], person: PersonId | None, clock: Clock
) -> None:
    """What was typed was wrong. If that locks something, the ledger says so.

    Args:
        connection: The transaction.
        subjects: As ``begin_try`` was given them.
        person: Whose account it is, or ``None`` if it is nobody's.
        clock: The time.
    """
    now = clock()
    for subject, (_, until, _) in _lock(connection, subjects, now).items():
        if until and until > now:
            whose = "nobody" if person is None else f"person:{person}"
            append(
                connection,
                SYSTEM,
                Act.PERSON_LOCKED_OUT,
                clock,
                thing=whose if subject.is_persons else "address",
            )


def note_success(
    connection: Connection,
    subjects: Sequence[Subject],
    clock: Clock,
    *,
    begun: datetime | None = None,
) -> None:
    """What was typed was right: the account starts anew, and the address has one failure less.

    An address that waits for what others got wrong there goes on waiting.

    Args:
        connection: The transaction.
        subjects: As ``begin_try`` was given them.
        clock: The time.
        begun: What ``begin_try`` gave: a wait that only this try brought about ends. ``None`` if
            that is not known any more.
    """
    now = clock()
    for subject, (count, until, last_at) in _lock(connection, subjects, now).items():
        left = 0 if subject.is_persons else max(0, count - 1)
        stays = left >= subject.free and last_at != begun
        connection.execute(
            update(sign_in_failures)
            .where(sign_in_failures.c.subject_sha256 == subject.digest)
            .values(failures=left, locked_until=until if stays else None)
        )


def forget_old_failures(connection: Connection, clock: Clock) -> None:
    """Remove what is a day old. What somebody is being counted by just now is left to the next."""
    old = (
        select(sign_in_failures.c.subject_sha256)
        .where(sign_in_failures.c.last_at <= clock() - REMEMBERED)
        .with_for_update(skip_locked=True)
    )
    for digest in connection.execute(old).scalars().all():
        connection.execute(
            delete(sign_in_failures).where(sign_in_failures.c.subject_sha256 == digest)
        )


def is_locked(connection: Connection, person: Person, clock: Clock) -> bool:
    """Whether somebody has to wait before they can sign in."""
    rows = select(sign_in_failures.c.locked_until).where(
        sign_in_failures.c.subject_sha256.in_([each.digest for each in _subjects_of(person)])
    )
    return any(until and until > clock() for until in connection.execute(rows).scalars())


def unlock(connection: Connection, person: Person, actor: Actor, clock: Clock) -> None:
    """Let somebody try again at once."""
    connection.execute(
        delete(sign_in_failures).where(
            sign_in_failures.c.subject_sha256.in_([each.digest for each in _subjects_of(person)])
        )
    )
    append(connection, actor, Act.PERSON_UNLOCKED, clock, thing=person.actor_id)


def _subjects_of(person: Person) -> tuple[Subject, ...]:
    step = second_step_of(person.id)
    return (step,) if person.email is None else (account_called(person.email), step)


def _lock(
    connection: Connection, subjects: Sequence[Subject], now: datetime
) -> dict[Subject, tuple[int, datetime | None, datetime]]:
    """Keep the subjects from others until the transaction ends: failures, wait, and last try."""
    ordered = sorted(subjects, key=lambda each: each.digest)
    for subject in ordered:
        connection.execute(
            insert_or_ignore(connection, sign_in_failures).values(
                subject_sha256=subject.digest, failures=0, last_at=now
            )
        )
    found = {}
    for subject in ordered:
        row = connection.execute(
            select(sign_in_failures)
            .where(sign_in_failures.c.subject_sha256 == subject.digest)
            .with_for_update()
        ).one()
        forgotten = row.last_at <= now - REMEMBERED
        failures, until = (0, None) if forgotten else (row.failures, row.locked_until)
        found[subject] = (failures, until, row.last_at)
    return found


def _locked_until(subject: Subject, failures: int, now: datetime) -> datetime | None:
    beyond = failures - subject.free
    if beyond < 0:
        return None
    return now + min(FIRST_WAIT * (1 << min(beyond, 10)), LONGEST_WAIT)


def _subject(kind: str, name: str, free: int, *, is_persons: bool = True) -> Subject:
    text = f"{kind}:{name}".encode("utf-8", "surrogatepass")
    return Subject(hashlib.sha256(text).digest(), free, is_persons)
