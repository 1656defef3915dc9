"""Recovery codes: ten codes on paper, for the day when the phone is gone. Each works once.

A code has 80 random bits, which nobody guesses, so its plain SHA-256 is kept, as with API keys
(``docs/decisions/0009``).
"""

import hashlib
import secrets

from sqlalchemy import Connection, delete, func, insert, select, update

from tutela.accounts.model import PersonId
from tutela.accounts.tables import recovery_codes
from tutela.errors import NotProvedError
from tutela.storage.clock import Clock
from tutela.storage.database import changed_rows

COUNT = 10
_GROUPS, _GROUP = 4, 4
# Without letters and digits that look alike on paper.
_LETTERS = "abcdefghjkmnpqrstuvwxyz023456789"


def make_recovery_codes(connection: Connection, person: PersonId, clock: Clock) -> tuple[str, ...]:
    """Give a person ten new codes; older ones stop working.

    Returns:
        The codes. They are shown once and cannot be had again.
    """
    connection.execute(delete(recovery_codes).where(recovery_codes.c.person == person))
    codes = tuple(_new_code() for _ in range(COUNT))
    connection.execute(
        insert(recovery_codes),
        [{"person": person, "code_sha256": _digest(code), "made_at": clock()} for code in codes],
    )
    return codes


def use_recovery_code(connection: Connection, person: PersonId, code: str, clock: Clock) -> int:
    """Take a code, which then is used up.

    Returns:
        How many are left.

    Raises:
        NotProvedError: It is none of this person's, or was used.
    """
    used = connection.execute(
        update(recovery_codes)
        .where(
            recovery_codes.c.person == person,
            recovery_codes.c.code_sha256 == _digest(code),
            recovery_codes.c.used_at.is_(None),
        )
        .values(used_at=clock())
        .returning(recovery_codes.c.id)
    ).scalar_one_or_none()
    if used is None:
        raise NotProvedError("this recovery code is wrong or was used already: try another one")
    return recovery_codes_left(connection, person)


def recovery_codes_left(connection: Connection, person: PersonId) -> int:
    """How many codes a person still has."""
    return connection.execute(
        select(func.count())
        .select_from(recovery_codes)
        .where(recovery_codes.c.person == person, recovery_codes.c.used_at.is_(None))
    ).scalar_one()


def forget_recovery_codes(connection: Connection, person: PersonId) -> bool:
    """Remove a person's codes; gives whether there were any."""
    return (
        changed_rows(connection, delete(recovery_codes).where(recovery_codes.c.person == person))
        > 0
    )


def _new_code() -> str:
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _digest(code: str) -> bytes:
    letters = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(letters.encode()).digest()
