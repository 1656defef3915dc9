"""What a browser has begun and still has to end: a passkey's challenge, a way to another house.

Each is kept here and not in the browser, is bound to the browser that began it, ends within minutes
and can be ended once.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, delete, insert

from tutela.accounts.model import PersonId
from tutela.accounts.tables import sign_in_ceremonies
from tutela.errors import NotProvedError
from tutela.storage.clock import Clock

LASTS = timedelta(minutes=10)


class Ceremony(StrEnum):
    """What was begun."""

    NEW_PASSKEY = "new-passkey"
    PASSKEY = "passkey"
    SINGLE_SIGN_ON = "single-sign-on"


@dataclass(frozen=True, slots=True)
class Begun:
    """What was remembered of it.

    Attributes:
        person: Who began it, if that was known.
        challenge: Random bytes that the answer has to be about.
        words: Whatever else is needed at the end.
        at: When it was begun.
    """

    person: PersonId | None
    challenge: bytes
    words: Mapping[str, str]
    at: datetime


def begin_ceremony(
    connection: Connection,
    ceremony: Ceremony,
    clock: Clock,
    *,
    browser: str,
    person: PersonId | None = None,
    words: Mapping[str, str] | None = None,
) -> bytes:
    """Remember what a browser begins. One that it began before and did not end is forgotten.

    Args:
        connection: A transaction.
        ceremony: What is begun.
        clock: The time.
        browser: A secret that only this browser has: its cookie.
        person: Who begins it, if that is known.
        words: What is needed at the end.

    Returns:
        The challenge, 32 random bytes.
    """
    connection.execute(
        delete(sign_in_ceremonies).where(sign_in_ceremonies.c.begun_at < clock() - LASTS)
    )
    _forget(connection, ceremony, browser)
    challenge = secrets.token_bytes(32)
    connection.execute(
        insert(sign_in_ceremonies).values(
            browser_sha256=_digest(browser),
            ceremony=str(ceremony),
            person=person,
            challenge=challenge,
            words=dict(words or {}),
            begun_at=clock(),
        )
    )
    return challenge


def end_ceremony(
    connection: Connection, ceremony: Ceremony, clock: Clock, *, browser: str
) -> Begun:
    """Take up again what a browser began. It cannot be taken up twice.

    Raises:
        NotProvedError: This browser began nothing of the kind, or too long ago.
    """
    row = connection.execute(
        delete(sign_in_ceremonies)
        .where(
            sign_in_ceremonies.c.browser_sha256 == _digest(browser),
            sign_in_ceremonies.c.ceremony == str(ceremony),
        )
        .returning(
            sign_in_ceremonies.c.person,
            sign_in_ceremonies.c.challenge,
            sign_in_ceremonies.c.words,
            sign_in_ceremonies.c.begun_at,
        )
    ).one_or_none()
    if row is None or row.begun_at < clock() - LASTS:
        raise NotProvedError("this took too long, or was ended already: begin again")
    person = None if row.person is None else PersonId(row.person)
    return Begun(person, row.challenge, row.words, row.begun_at)


def _forget(connection: Connection, ceremony: Ceremony, browser: str) -> None:
    connection.execute(
        delete(sign_in_ceremonies).where(
            sign_in_ceremonies.c.browser_sha256 == _digest(browser),
            sign_in_ceremonies.c.ceremony == str(ceremony),
        )
    )


def _digest(browser: str) -> bytes:
    return hashlib.sha256(browser.encode()).digest()
