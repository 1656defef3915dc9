"""Recovery codes."""

import pytest

from tests.accounts.people import someone
from tests.conftest import TurnedClock
from tutela.accounts.recovery import (
    COUNT,
    forget_recovery_codes,
    make_recovery_codes,
    recovery_codes_left,
    use_recovery_code,
)
from tutela.errors import NotProvedError
from tutela.storage.database import Database


@pytest.fixture
def database(shared_database: Database) -> Database:
    return shared_database


def test_ten_codes_each_work_once(database: Database, clock: TurnedClock) -> None:
    person = someone(database, clock).id
    with database.writing() as connection:
        codes = make_recovery_codes(connection, person, clock)
        assert len(set(codes)) == COUNT == recovery_codes_left(connection, person)
        for left, code in enumerate(reversed(codes)):
            assert use_recovery_code(connection, person, codes[left], clock) == COUNT - left - 1
            with pytest.raises(NotProvedError):
                use_recovery_code(connection, person, codes[left], clock)
            assert code in codes


def test_a_code_may_be_typed_as_people_type(database: Database, clock: TurnedClock) -> None:
    person = someone(database, clock).id
    with database.writing() as connection:
        codes = make_recovery_codes(connection, person, clock)
        use_recovery_code(connection, person, f"  {codes[0].upper().replace('-', ' ')} ", clock)
        use_recovery_code(connection, person, codes[1].replace("-", ""), clock)


def test_new_codes_end_the_old_ones(database: Database, clock: TurnedClock) -> None:
    person = someone(database, clock).id
    with database.writing() as connection:
        old = make_recovery_codes(connection, person, clock)
        make_recovery_codes(connection, person, clock)
        with pytest.raises(NotProvedError):
            use_recovery_code(connection, person, old[0], clock)
        assert recovery_codes_left(connection, person) == COUNT


def test_a_code_is_no_one_elses(database: Database, clock: TurnedClock) -> None:
    ada, ben = someone(database, clock).id, someone(database, clock).id
    with database.writing() as connection:
        codes = make_recovery_codes(connection, ada, clock)
        with pytest.raises(NotProvedError):
            use_recovery_code(connection, ben, codes[0], clock)
        assert forget_recovery_codes(connection, ada)
        assert not forget_recovery_codes(connection, ada)


def test_the_codes_are_not_in_the_database(database: Database, clock: TurnedClock) -> None:
    person = someone(database, clock).id
    with database.writing() as connection:
        code = make_recovery_codes(connection, person, clock)[0]
        rows = connection.exec_driver_sql("SELECT * FROM recovery_codes").all()
    letters = code.replace("-", "")
    assert all(letters not in str(row) and letters.encode() not in bytes(row[2]) for row in rows)
