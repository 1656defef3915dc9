"""Passkeys, and the ceremonies in which they are set up and asked for."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.accounts.authenticator import Authenticator
from tests.accounts.people import someone
from tests.conftest import TurnedClock
from tutela.accounts.ceremonies import Begun, Ceremony, begin_ceremony, end_ceremony
from tutela.accounts.model import PersonId
from tutela.accounts.passkeys import (
    HouseAddress,
    add_passkey,
    ask_for_passkey,
    begin_passkey,
    check_passkey,
    forget_passkey,
    passkeys_of,
)
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError, NotProvedError
from tutela.storage.database import Database

HOUSE = HouseAddress("https://tutela.example")
BROWSER = "a browser's cookie"


@pytest.fixture
def database(shared_database: Database) -> Database:
    return shared_database


class Door:
    """The house's side, in the transactions in which the pages do it."""

    def __init__(self, database: Database, clock: TurnedClock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, person: PersonId) -> str:
        with self._database.writing() as connection:
            return begin_passkey(
                connection, person, "ada@example.org", HOUSE, self._clock, browser=BROWSER
            )

    def add(self, answer: dict[str, Any], name: str = "phone", browser: str = BROWSER) -> None:
        begun = self.end(Ceremony.NEW_PASSKEY, browser)
        with self._database.writing() as connection:
            add_passkey(connection, begun, answer, HOUSE, self._clock, name=name)

    def ask(self, person: PersonId | None = None) -> str:
        with self._database.writing() as connection:
            return ask_for_passkey(connection, HOUSE, self._clock, browser=BROWSER, person=person)

    def check(self, answer: dict[str, Any], browser: str = BROWSER) -> PersonId:
        begun = self.end(Ceremony.PASSKEY, browser)
        with self._database.writing() as connection:
            return check_passkey(connection, begun, answer, HOUSE, self._clock)

    def end(self, ceremony: Ceremony, browser: str) -> Begun:
        with self._database.writing() as connection:
            return end_ceremony(connection, ceremony, self._clock, browser=browser)


@pytest.fixture
def door(database: Database, clock: TurnedClock) -> Door:
    return Door(database, clock)


@pytest.fixture
def ada(database: Database, clock: TurnedClock) -> PersonId:
    return someone(database, clock).id


@pytest.fixture
def ben(database: Database, clock: TurnedClock) -> PersonId:
    return someone(database, clock).id


@pytest.fixture
def phone(door: Door, ada: PersonId) -> Authenticator:
    device = Authenticator(HOUSE.origin)
    door.add(device.create(door.begin(ada)))
    return device


def test_a_passkey_says_whose_it_is(door: Door, phone: Authenticator, ada: PersonId) -> None:
    assert door.check(phone.get(door.ask())) == ada
    assert door.check(phone.get(door.ask(ada))) == ada


def test_an_answer_counts_once(door: Door, phone: Authenticator) -> None:
    answer = phone.get(door.ask())
    door.check(answer)
    with pytest.raises(NotProvedError, match="begin again"):
        door.check(answer)
    door.ask()
    with pytest.raises(NotProvedError):
        door.check(answer)


def test_a_failed_answer_uses_the_challenge_up(door: Door, phone: Authenticator) -> None:
    good = phone.get(door.ask())
    forged = {**good, "response": {**good["response"], "signature": "AAAA"}}
    with pytest.raises(NotProvedError):
        door.check(forged)
    with pytest.raises(NotProvedError, match="begin again"):
        door.check(good)


def test_it_is_no_one_elses_second_step(door: Door, phone: Authenticator, ben: PersonId) -> None:
    with pytest.raises(NotProvedError):
        door.check(phone.get(door.ask(ben)))


def test_it_is_no_other_browsers(door: Door, phone: Authenticator) -> None:
    answer = phone.get(door.ask())
    with pytest.raises(NotProvedError, match="begin again"):
        door.check(answer, browser="a thief's")


def test_it_takes_minutes_and_not_hours(
    door: Door, phone: Authenticator, clock: TurnedClock
) -> None:
    answer = phone.get(door.ask())
    clock.turn(minutes=11)
    with pytest.raises(NotProvedError, match="too long"):
        door.check(answer)


def test_a_forged_page_gets_nothing(door: Door, phone: Authenticator) -> None:
    phone.origin = "https://tutela.example.evil.example"
    with pytest.raises(NotProvedError):
        door.check(phone.get(door.ask()))


def test_a_device_that_asks_for_no_finger_is_refused(
    door: Door, phone: Authenticator, ada: PersonId
) -> None:
    phone.verifies = False
    with pytest.raises(NotProvedError):
        door.check(phone.get(door.ask()))
    with pytest.raises(NotProvedError):
        door.add(Authenticator(HOUSE.origin, verifies=False).create(door.begin(ada)))


def test_a_count_that_goes_back_tells_of_a_copy(door: Door, phone: Authenticator) -> None:
    door.check(phone.get(door.ask()))
    phone.count -= 1
    with pytest.raises(NotProvedError):
        door.check(phone.get(door.ask()))


def test_a_synced_passkey_that_does_not_count_is_taken(door: Door, ada: PersonId) -> None:
    device = Authenticator(HOUSE.origin, counts=False)
    door.add(device.create(door.begin(ada)))
    for _ in range(2):
        assert door.check(device.get(door.ask())) == ada


def test_it_must_say_its_own_person(door: Door, phone: Authenticator, ada: PersonId) -> None:
    phone.handle = b"another person's"
    for person in (None, ada):
        with pytest.raises(NotProvedError):
            door.check(phone.get(door.ask(person)))
    phone.handle = b""
    with pytest.raises(NotProvedError):
        door.check(phone.get(door.ask()))
    assert door.check(phone.get(door.ask(ada))) == ada


def test_an_unknown_passkey_is_refused(door: Door) -> None:
    with pytest.raises(NotProvedError):
        door.check(Authenticator(HOUSE.origin).get(door.ask()))


@pytest.mark.parametrize("answer", [{}, {"id": 1}, {"id": "AA", "rawId": "AA", "response": []}])
def test_nonsense_is_refused(
    door: Door, ada: PersonId, phone: Authenticator, answer: dict[str, Any]
) -> None:
    door.ask()
    with pytest.raises(NotProvedError):
        door.check(answer)
    door.begin(ada)
    with pytest.raises(NotProvedError):
        door.add(answer)


def test_several_devices_of_one_person(
    door: Door, phone: Authenticator, ada: PersonId, database: Database
) -> None:
    stick = Authenticator(HOUSE.origin)
    door.add(stick.create(door.begin(ada)), name="stick")
    assert stick.handle == phone.handle
    assert door.check(stick.get(door.ask())) == ada
    with database.writing() as connection:
        known = passkeys_of(connection, ada)
        assert [passkey.name for passkey in known] == ["phone", "stick"]
        assert known[0].used_at is None
        assert known[1].used_at is not None
        forget_passkey(connection, ada, known[0].id)
        with pytest.raises(NotFoundError):
            forget_passkey(connection, ada, known[0].id)
    with pytest.raises(NotProvedError):
        door.check(phone.get(door.ask()))


def test_a_passkey_of_another_cannot_be_taken_away(
    door: Door, phone: Authenticator, ada: PersonId, ben: PersonId, database: Database
) -> None:
    with database.writing() as connection:
        passkey = passkeys_of(connection, ada)[0]
        with pytest.raises(NotFoundError):
            forget_passkey(connection, ben, passkey.id)


def test_one_device_is_set_up_once_and_has_a_name(
    door: Door, phone: Authenticator, ada: PersonId
) -> None:
    with pytest.raises(AlreadyExistsError):
        door.add(phone.create(door.begin(ada)))
    with pytest.raises(InvalidInputError):
        door.add(Authenticator(HOUSE.origin).create(door.begin(ada)), name=" ")


def test_what_nobody_ended_is_forgotten(
    database: Database, clock: TurnedClock, count: Callable[[], int]
) -> None:
    with database.writing() as connection:
        for number in range(5):
            begin_ceremony(connection, Ceremony.PASSKEY, clock, browser=f"{number}")
    assert count() >= 5
    clock.turn(minutes=11)
    with database.writing() as connection:
        begin_ceremony(connection, Ceremony.PASSKEY, clock, browser="another")
        begin_ceremony(connection, Ceremony.PASSKEY, clock, browser="another")
    assert count() == 1


@pytest.fixture
def count(database: Database) -> Callable[[], int]:
    def counting() -> int:
        with database.reading() as connection:
            return int(
                connection.exec_driver_sql("SELECT count(*) FROM sign_in_ceremonies").scalar_one()
            )

    return counting
