"""What people show to prove who they are, as it comes from a form."""

import json
from collections.abc import Callable
from typing import Any

from fastapi import Request
from sqlalchemy import Connection

from tutela.accounts.ceremonies import Begun, Ceremony, end_ceremony
from tutela.accounts.codes import check_code
from tutela.accounts.passkeys import check_passkey
from tutela.accounts.passwords import is_right, kept_password
from tutela.accounts.people import Person, find_person
from tutela.accounts.recovery import use_recovery_code
from tutela.accounts.sign_in_key import SignInKey
from tutela.console.doorstep import address_of_house, browser_of
from tutela.console.house import House
from tutela.errors import NotProvedError
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor

Check = Callable[[Connection], Person]
"""Says who it is, in the transaction that lets them in; or raises ``NotProvedError``."""


def by_passkey(request: Request, house: House, answer: str, person: Person | None = None) -> Check:
    """A passkey's answer. What it answers to is used up at once, whatever comes of it.

    Args:
        request: What the answer came with.
        house: The house.
        answer: What the browser said, as JSON.
        person: Who it has to be; without it the passkey says who.
    """
    return answered(request, house, end(request, house, Ceremony.PASSKEY), answer, person)


def answered(
    request: Request, house: House, begun: Begun, answer: str, person: Person | None = None
) -> Check:
    """A passkey's answer to what was taken up again already.

    Args:
        request: What the answer came with.
        house: The house.
        begun: What it answers to.
        answer: What the browser said, as JSON.
        person: Who it has to be; without it the passkey says who.
    """

    def check(connection: Connection) -> Person:
        found = check_passkey(
            connection, begun, spoken, address_of_house(request, house), house.clock
        )
        if person is not None and found != person.id:
            raise NotProvedError("this passkey is another person's")
        whose = find_person(connection, found)
        if whose.closed_at is not None:
            raise NotProvedError("this account is closed")
        return whose

    spoken = read_answer(answer)
    return check


def by_code(house: House, person: Person, code: str) -> Check:
    """A code of a person's authenticator app."""

    def check(connection: Connection) -> Person:
        check_code(connection, person.id, code, SignInKey.of(house.settings), house.clock)
        return person

    return check


def by_recovery_code(house: House, person: Person, code: str) -> Check:
    """A recovery code, which is used up. The ledger says so."""

    def check(connection: Connection) -> Person:
        left = use_recovery_code(connection, person.id, code, house.clock)
        append(
            connection,
            Actor(person.name, person.actor_id, "person", "console"),
            Act.SIGN_IN_CHANGED,
            house.clock,
            thing=person.actor_id,
            reason=f"a recovery code was used, {left} are left",
        )
        return person

    return check


def by_password(house: House, person: Person, password: str) -> Check:
    """The password once more. It is looked at here already, since that takes a while."""
    with house.database.reading() as connection:
        kept = kept_password(connection, person.id)
    right = is_right(password, kept)

    def check(_connection: Connection) -> Person:
        if not right:
            raise NotProvedError("this is not your password")
        return person

    return check


def end(request: Request, house: House, ceremony: Ceremony) -> Begun:
    """Take up again what this browser began, in a transaction of its own: it is used up.

    Raises:
        NotProvedError: It began nothing of the kind, or too long ago.
    """
    with house.database.writing() as connection:
        return end_ceremony(connection, ceremony, house.clock, browser=browser_of(request, house))


def read_answer(answer: str) -> dict[str, Any]:
    """What a browser says for a passkey.

    Raises:
        NotProvedError: It is nothing that a browser says.
    """
    try:
        spoken = json.loads(answer)
    except (ValueError, RecursionError):
        spoken = None
    if not isinstance(spoken, dict):
        raise NotProvedError("this is no answer of a passkey")
    return spoken
