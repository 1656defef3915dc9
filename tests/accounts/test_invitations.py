"""A link lets in once whom it was meant for, in the roles that were said, and not for long."""

import threading

import pytest
from sqlalchemy import update

from tests.actors import actor_called
from tutela.accounts.invitations import (
    accept,
    find_invitation,
    invite,
    invite_anew,
    invite_first,
    open_invitations,
    withdraw_invitation,
)
from tutela.accounts.passwords import kept_password, set_password
from tutela.accounts.people import add_person, find_person, lock_people
from tutela.accounts.permissions import Role
from tutela.accounts.sessions import begin_session, find_session
from tutela.accounts.tables import people
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from tutela.ledger.appending import append
from tutela.ledger.model import Act

ACTOR = actor_called("cli:test")


def make(connection, clock, *roles: Role):
    return invite(
        connection, "Rosa", "Rosa@house.example", roles or [Role.LEAD], actor=ACTOR, clock=clock
    )


def test_an_invitation_is_used_once(database, clock) -> None:
    with database.writing() as connection:
        invited = make(connection, clock, Role.REVIEWER, Role.INTAKE)
    assert invited.path == f"/welcome/{invited.token}"
    with database.writing() as connection:
        assert find_invitation(connection, invited.token, clock) == invited.invitation
        rosa = accept(connection, invited.token, clock, name="Rosa O.", email="else@where.example")
        assert (rosa.name, rosa.email) == ("Rosa O.", "rosa@house.example")
        assert rosa.roles == {Role.REVIEWER, Role.INTAKE}
        with pytest.raises(NotFoundError, match="ask for a new one"):
            accept(connection, invited.token, clock)


def test_an_invitation_expires(database, clock) -> None:
    with database.writing() as connection:
        invited = make(connection, clock)
        assert open_invitations(connection, clock) == [invited.invitation]
        clock.turn(days=7)
        assert open_invitations(connection, clock) == []
        with pytest.raises(NotFoundError):
            accept(connection, invited.token, clock)


def test_an_invitation_is_withdrawn(database, clock) -> None:
    with database.writing() as connection:
        invited = make(connection, clock)
        withdraw_invitation(connection, invited.invitation.id, ACTOR, clock)
        with pytest.raises(NotFoundError):
            find_invitation(connection, invited.token, clock)
        with pytest.raises(NotFoundError):
            withdraw_invitation(connection, invited.invitation.id, ACTOR, clock)


@pytest.mark.parametrize("token", ["", "guess", "\udcff", "x" * 100_000])
def test_a_guess_is_no_invitation(database, clock, token: str) -> None:
    with database.writing() as connection:
        make(connection, clock)
        with pytest.raises(NotFoundError):
            find_invitation(connection, token, clock)


def test_who_works_here_is_not_invited_and_nobody_without_a_role(database, clock) -> None:
    with database.writing() as connection:
        with pytest.raises(InvalidInputError, match="at least one role"):
            invite(connection, "Rosa", "rosa@house.example", [], actor=ACTOR, clock=clock)
        add_person(connection, "Rosa", "rosa@house.example", [], actor=ACTOR, clock=clock)
        with pytest.raises(AlreadyExistsError):
            make(connection, clock)


def test_the_first_administrator_chooses_name_and_address_and_is_the_only_first(
    database, clock
) -> None:
    with database.writing() as connection:
        lost = invite_first(connection, clock)
        first = invite_first(connection, clock)
        assert lost
        assert first
        with pytest.raises(NotFoundError):
            find_invitation(connection, lost.token, clock)
    with (
        pytest.raises(InvalidInputError, match="no mail address"),
        database.writing() as connection,
    ):
        accept(connection, first.token, clock, name="Ada")
    with database.writing() as connection:
        ada = accept(connection, first.token, clock, name="Ada", email="ada@house.example")
        assert ada.roles == {Role.ADMINISTRATOR}
        assert invite_first(connection, clock) is None


def test_a_first_link_is_void_once_somebody_else_is_here(database, clock) -> None:
    with database.writing() as connection:
        first = invite_first(connection, clock)
        add_person(connection, "Ada", "ada@house.example", [], actor=ACTOR, clock=clock)
        with pytest.raises(NotFoundError):
            accept(connection, first.token, clock, name="Eve", email="eve@house.example")


def test_the_first_link_works_for_a_day(database, clock) -> None:
    with database.writing() as connection:
        first = invite_first(connection, clock)
        clock.turn(hours=24)
        with pytest.raises(NotFoundError):
            find_invitation(connection, first.token, clock)


def test_starting_anew_takes_the_old_ways_in_away_when_the_link_is_used(
    database, clock, settings
) -> None:
    with database.writing() as connection:
        rosa = add_person(
            connection, "Rosa", "rosa@house.example", [Role.LEAD], actor=ACTOR, clock=clock
        )
        set_password(connection, rosa, "kept", clock)
        token = begin_session(connection, rosa, clock, proved=True)
        lost = invite_anew(connection, rosa, actor=ACTOR, clock=clock)
        invited = invite_anew(connection, rosa, actor=ACTOR, clock=clock)
        assert kept_password(connection, rosa.id) == "kept"
        with pytest.raises(NotFoundError):
            accept(connection, lost.token, clock)
        assert accept(connection, invited.token, clock) == rosa == find_person(connection, rosa.id)
        assert kept_password(connection, rosa.id) is None
        assert find_session(connection, token, settings, clock) is None


def test_starting_anew_while_others_change_the_account_waits_and_never_in_a_circle(
    database, clock
) -> None:
    with database.writing() as connection:
        rosa = add_person(
            connection, "Rosa", "rosa@house.example", [Role.LEAD], actor=ACTOR, clock=clock
        )
        invited = invite_anew(connection, rosa, actor=ACTOR, clock=clock)
    done: list[str] = []

    def start() -> None:
        with database.writing() as connection:
            person = accept(connection, invited.token, clock)
            begin_session(connection, person, clock, proved=True)
        done.append(person.email)

    starting = threading.Thread(target=start)
    with database.writing() as connection:
        lock_people(connection)
        # As when an account is closed: whatever refers to the person waits for this.
        connection.execute(update(people).where(people.c.id == rosa.id).values(email="r@h.example"))
        starting.start()
        starting.join(0.5)
        append(connection, ACTOR, Act.PERSON_CHANGED, clock, thing=rosa.actor_id)
    starting.join(30)
    assert done == ["r@h.example"]
