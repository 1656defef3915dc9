"""Whether somebody works here cannot be told from the work that a wrong password costs."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from tests.accounts.people import someone
from tutela.accounts.passwords import hash_password, set_password
from tutela.accounts.signing_in import sign_in_by_password
from tutela.errors import LockedOutError, NotProvedError


@contextmanager
def watched(database) -> Iterator[list[str]]:
    """The statements that are executed meanwhile."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_a_wrong_password_asks_the_same_of_the_database_for_somebody_and_nobody(
    database, clock, settings
) -> None:
    ada = someone(database, clock, email="ada@house.example")
    with database.writing() as connection:
        set_password(connection, ada, hash_password("lamp river cotton seven"), clock)
    # As many as it takes to lock the account, and one more.
    for number in range(6):
        told = []
        for email in ("ada@house.example", "eve@house.example"):
            with (
                watched(database) as seen,
                pytest.raises((NotProvedError, LockedOutError)) as refused,
            ):
                sign_in_by_password(
                    database,
                    email,
                    "wrong password",
                    address=f"192.0.2.{number}",
                    device="",
                    settings=settings,
                    clock=clock,
                )
            told.append((sorted(seen), str(refused.value)))
        assert told[0] == told[1]
