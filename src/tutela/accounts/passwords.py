"""Passwords: which are good enough, and what is kept of them.

Hashing takes a tenth of a second and 64 MiB, by design: do it outside of transactions, and off the
event loop. ``hash_password`` and ``is_right`` touch no database; few are under way at once.
"""

import re
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, insert, select, update

from tutela.accounts.model import PersonId
from tutela.accounts.people import Person
from tutela.accounts.tables import passwords
from tutela.errors import InvalidInputError
from tutela.storage.clock import Clock
from tutela.storage.database import changed_rows

SHORTEST = 12
LONGEST = 1000

# RFC 9106's second recommended option, for where memory is shared with much else.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4, type=Type.ID)
# So many are hashed at once in one process, so that a flood of them does not take its memory.
_AT_ONCE = threading.BoundedSemaphore(4)
# What is left of a password without its owner's own words has to have so many letters.
_LEAST_OF_ITS_OWN = 8
_LEAST_DIFFERENT = 5
_WORD = re.compile(r"\w{3,}")


def refuse_weak(password: str, *own: str | None) -> None:
    """See that a new password can be taken.

    Args:
        password: What somebody wants to sign in by.
        own: Their name and address, which others know too.

    Raises:
        InvalidInputError: It is too short, too long, too uniform, or little more than their name.
    """
    plain = _plain(password)
    if len(plain) < SHORTEST:
        raise InvalidInputError(
            "a password needs {shortest} letters or more: four words that do not belong "
            "together make a good one",
            shortest=SHORTEST,
        )
    if len(plain) > LONGEST:
        raise InvalidInputError("a password may have {longest:,} letters at most", longest=LONGEST)
    folded = plain.casefold()
    if len(set(folded)) < _LEAST_DIFFERENT:
        raise InvalidInputError("this password repeats itself: choose one with different letters")
    rest = folded
    for words in own:
        for word in sorted(_WORD.findall((words or "").casefold()), key=len, reverse=True):
            rest = rest.replace(word, "")
    if rest != folded and len(rest) < _LEAST_OF_ITS_OWN:
        raise InvalidInputError(
            "this password is little more than your own name or address: choose another"
        )


def hash_password(password: str) -> str:
    """What is kept of a password. Takes a tenth of a second."""
    with _AT_ONCE:
        return _HASHER.hash(_plain(password))


def is_right(password: str, kept: str | None) -> bool:
    """Whether this is the password of which ``kept`` was kept. Takes a tenth of a second.

    Without one, as for somebody who does not exist, it takes as long, and it is not.
    """
    if len(password) > LONGEST:
        return False
    with _AT_ONCE:
        # Made at the first use, whoever that is for.
        nobodys = _nobodys()
        try:
            return _HASHER.verify(kept or nobodys, _plain(password)) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(kept: str) -> bool:
    """Whether it was hashed by weaker parameters than today's, and should be anew."""
    return _HASHER.check_needs_rehash(kept)


def kept_password(connection: Connection, person: PersonId) -> str | None:
    """What is kept of somebody's password, if they have one."""
    found: str | None = connection.execute(
        select(passwords.c.hash).where(passwords.c.person == person)
    ).scalar_one_or_none()
    return found


def set_password(connection: Connection, person: Person, hashed: str, clock: Clock) -> None:
    """Keep a new password. Whoever calls it ends the person's other sessions, and says so."""
    values = {"hash": hashed, "set_at": clock()}
    if not changed_rows(
        connection, update(passwords).where(passwords.c.person == person.id).values(values)
    ):
        connection.execute(insert(passwords).values(person=person.id, **values))


def forget_password(connection: Connection, person: PersonId) -> None:
    """Keep nothing of somebody's password any more."""
    connection.execute(delete(passwords).where(passwords.c.person == person))


def _plain(password: str) -> str:
    # The same letters may be typed as different code points on different keyboards.
    return unicodedata.normalize("NFKC", password)


@cache
def _nobodys() -> str:
    return _HASHER.hash("a password that nobody has")
