"""Codes of an authenticator app."""

from collections.abc import Callable
from pathlib import Path

import pyotp
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.accounts.people import someone
from tests.conftest import TurnedClock
from tutela.accounts.codes import (
    begin_app,
    begun_app,
    check_code,
    confirm_app,
    forget_app,
    has_app,
    step_of,
)
from tutela.accounts.model import PersonId
from tutela.accounts.sign_in_key import SignInKey
from tutela.errors import NotFoundError, NotProvedError, StorageError
from tutela.storage.database import Database
from tutela.storage.settings import Settings


@pytest.fixture
def database(shared_database: Database) -> Database:
    return shared_database


@pytest.fixture
def settings(shared_settings: Settings) -> Settings:
    return shared_settings


SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class Phone:
    """A person's phone: it has the secret, and shows codes."""

    def __init__(self, secret: str, clock: TurnedClock) -> None:
        self._codes = pyotp.TOTP(secret.replace(" ", ""))
        self._clock = clock

    def code(self, **later: float) -> str:
        clock = TurnedClock()
        clock.now = self._clock.now
        clock.turn(**later)
        return self._codes.at(clock.now)


@pytest.fixture
def key(settings: Settings) -> SignInKey:
    return SignInKey.of(settings)


@pytest.fixture
def person(database: Database, clock: TurnedClock) -> PersonId:
    return someone(database, clock).id


@pytest.fixture
def phone(database: Database, clock: TurnedClock, key: SignInKey, person: PersonId) -> Phone:
    with database.writing() as connection:
        begun = begin_app(connection, person, key, clock, name="ada@example.org", house="Tutela")
        phone = Phone(begun.secret, clock)
        confirm_app(connection, person, phone.code(), key, clock)
    clock.turn(minutes=5)
    return phone


@pytest.fixture
def check(
    database: Database, clock: TurnedClock, key: SignInKey, person: PersonId
) -> Callable[[str], None]:
    def checking(code: str) -> None:
        with database.writing() as connection:
            check_code(connection, person, code, key, clock)

    return checking


def test_a_code_is_good_once(phone: Phone, check: Callable[[str], None]) -> None:
    code = phone.code()
    check(code)
    with pytest.raises(NotProvedError, match="used already"):
        check(code)


def test_a_clock_may_differ_by_half_a_minute_and_no_more(
    phone: Phone, check: Callable[[str], None]
) -> None:
    for far in (-60, 60):
        with pytest.raises(NotProvedError):
            check(phone.code(seconds=far))
    check(phone.code(seconds=-30))
    check(phone.code(seconds=30))


def test_an_older_code_is_worth_nothing_after_a_newer_one(
    phone: Phone, check: Callable[[str], None]
) -> None:
    check(phone.code(seconds=30))
    for code in (phone.code(), phone.code(seconds=-30)):
        with pytest.raises(NotProvedError, match="used already"):
            check(code)


def test_the_code_that_confirmed_the_app_does_not_sign_in_as_well(
    database: Database, clock: TurnedClock, key: SignInKey, person: PersonId
) -> None:
    with database.writing() as connection:
        begun = begin_app(connection, person, key, clock, name="ada", house="Tutela")
        code = Phone(begun.secret, clock).code()
        confirm_app(connection, person, code, key, clock)
        with pytest.raises(NotProvedError, match="used already"):
            check_code(connection, person, code, key, clock)


def test_a_new_secret_counts_only_when_a_code_of_it_was_shown(
    database: Database,
    clock: TurnedClock,
    key: SignInKey,
    person: PersonId,
    phone: Phone,
    check: Callable[[str], None],
) -> None:
    with database.writing() as connection:
        begun = begin_app(connection, person, key, clock, name="ada", house="Tutela")
        again = begun_app(connection, person, key, name="ada", house="Tutela")
        assert again is not None
        assert again.secret == begun.secret
        with pytest.raises(NotProvedError):
            confirm_app(connection, person, phone.code(), key, clock)
    check(phone.code())
    clock.turn(minutes=1)
    with database.writing() as connection:
        confirm_app(connection, person, Phone(begun.secret, clock).code(), key, clock)
    clock.turn(minutes=1)
    with pytest.raises(NotProvedError):
        check(phone.code())
    check(Phone(begun.secret, clock).code())


def test_without_an_app_no_code_is_right(
    database: Database, clock: TurnedClock, key: SignInKey, person: PersonId
) -> None:
    with database.writing() as connection:
        assert not has_app(connection, person)
        with pytest.raises(NotProvedError):
            check_code(connection, person, "000000", key, clock)
        with pytest.raises(NotFoundError):
            confirm_app(connection, person, "000000", key, clock)
        begin_app(connection, person, key, clock, name="ada", house="Tutela")
        assert not has_app(connection, person)
        assert forget_app(connection, person)
        assert not forget_app(connection, person)


def test_the_secret_is_not_in_the_database_and_opens_for_nobody_else(
    database: Database, clock: TurnedClock, key: SignInKey, settings: Settings
) -> None:
    ada, ben = someone(database, clock), someone(database, clock)
    with database.writing() as connection:
        begun = begin_app(connection, ada.id, key, clock, name="ada", house="Tutela")
        sealed = connection.exec_driver_sql(
            f"SELECT secret_sealed FROM authenticator_apps WHERE person = {ada.id}"
        ).scalar_one()
        assert begun.secret.replace(" ", "").encode() not in bytes(sealed)
        connection.exec_driver_sql(
            f"UPDATE authenticator_apps SET person = {ben.id} WHERE person = {ada.id}"
        )
        with pytest.raises(StorageError, match="does not open"):
            begun_app(connection, ben.id, key, name="ben", house="Tutela")
    assert (settings.keys_folder / "sign-in.key").stat().st_mode & 0o777 == 0o600


def test_without_its_key_the_house_says_what_to_do(tmp_path: Path) -> None:
    key = SignInKey(tmp_path / "keys" / "sign-in.key")
    sealed = key.seal(b"secret", "ada")
    assert key.open(sealed, "ada") == b"secret"
    key.path.unlink()
    with pytest.raises(StorageError, match="put back the copy"):
        key.open(sealed, "ada")


def test_the_picture_is_an_svg_that_a_strict_page_shows(
    database: Database, clock: TurnedClock, key: SignInKey, person: PersonId
) -> None:
    with database.writing() as connection:
        begun = begin_app(connection, person, key, clock, name="ada@x.example", house="Haus & Co")
    assert begun.picture.startswith("<svg")
    assert "style" not in begun.picture
    assert "issuer=Haus%20%26%20Co" in begun.address
    assert begun.address.startswith("otpauth://totp/")


@given(st.text(max_size=12))
def test_no_text_is_taken_for_a_code_by_chance(text: str) -> None:
    clock = TurnedClock()
    codes = pyotp.TOTP(SECRET)
    assume(
        "".join(text.split())
        not in {codes.at(clock.now, counter_offset=step) for step in (-1, 0, 1)}
    )
    with pytest.raises(NotProvedError):
        step_of(SECRET, text, clock)
