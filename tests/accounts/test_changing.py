"""Roles are changed, accounts closed; two agree on the weighty ones; one administrator stays."""

import threading

import pytest
from sqlalchemy import select

from tests.actors import actor_called
from tutela.accounts.agreeing import Agreement, find_agreement, open_agreements, refuse
from tutela.accounts.calling import caller_of_key, caller_of_person
from tutela.accounts.changing import (
    agree,
    change_roles,
    close_account,
    invite_person,
    let_start_anew,
)
from tutela.accounts.invitations import Invited, accept
from tutela.accounts.keys import add_key, check_key
from tutela.accounts.model import Caller
from tutela.accounts.people import add_person, all_people, find_person
from tutela.accounts.permissions import Permission, Role
from tutela.accounts.sessions import begin_session, find_session
from tutela.accounts.tables import agreements
from tutela.errors import (
    InvalidInputError,
    NotAgreedError,
    NotFoundError,
    NotPermittedError,
    NotSignedInError,
)
from tutela.ledger.tables import ledger_entries
from tutela.storage.clock import Clock

OPERATOR = Caller(actor_called("cli:test"), frozenset(Permission))


def add(connection, clock: Clock, name: str, *roles: Role):
    email = f"{name}@house.example"
    return add_person(connection, name, email, roles, actor=OPERATOR.actor, clock=clock)


def as_now(connection, person) -> Caller:
    return caller_of_person(find_person(connection, person.id), "console")


@pytest.fixture
def two(database, clock):
    with database.writing() as connection:
        return [add(connection, clock, each, Role.ADMINISTRATOR) for each in ("ada", "bea")]


@pytest.fixture
def rosa(database, clock):
    with database.writing() as connection:
        return add(connection, clock, "rosa", Role.REVIEWER)


def test_new_roles_count_at_once_and_sign_the_person_out(
    database, clock, settings, two, rosa
) -> None:
    with database.writing() as connection:
        token = begin_session(connection, rosa, clock, proved=True)
        ada = as_now(connection, two[0])
        change_roles(connection, rosa.id, [Role.LEAD], caller=ada, clock=clock)
        assert find_person(connection, rosa.id).roles == {Role.LEAD}
        assert find_session(connection, token, settings, clock) is None


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.CUSTODIAN])
def test_a_weighty_role_needs_another_administrator(database, clock, two, rosa, role) -> None:
    with database.writing() as connection:
        ada, bea = (as_now(connection, each) for each in two)
        asked = change_roles(
            connection, rosa.id, [Role.REVIEWER, role], caller=ada, clock=clock, reason="she leads"
        )
        assert asked
        assert find_person(connection, rosa.id).roles == {Role.REVIEWER}
        assert open_agreements(connection, clock) == [asked]
        with pytest.raises(NotPermittedError, match="another person"):
            agree(connection, asked.id, caller=ada, clock=clock)
        with pytest.raises(NotPermittedError, match="as themselves"):
            agree(connection, asked.id, caller=OPERATOR, clock=clock)
        assert agree(connection, asked.id, caller=bea, clock=clock) is None
        assert find_person(connection, rosa.id).roles == {Role.REVIEWER, role}
        assert open_agreements(connection, clock) == []
        with pytest.raises(NotAgreedError, match="agreed already"):
            agree(connection, asked.id, caller=bea, clock=clock)


def test_an_administrator_takes_no_further_role_alone(database, clock, two) -> None:
    with database.writing() as connection:
        ada, bea = (as_now(connection, each) for each in two)
        wanted = [Role.ADMINISTRATOR, Role.REVIEWER]
        key = add_key(
            connection, "hers", [Permission.PEOPLE_WRITE], ada.actor, clock, owner=two[0].id
        )
        for caller in (ada, caller_of_key(check_key(connection, key))):
            asked = change_roles(connection, two[0].id, wanted, caller=caller, clock=clock)
            assert asked
            assert find_person(connection, two[0].id).roles == {Role.ADMINISTRATOR}
        with pytest.raises(NotPermittedError, match="another person"):
            agree(connection, asked.id, caller=ada, clock=clock)
        agree(connection, asked.id, caller=bea, clock=clock)
        assert find_person(connection, two[0].id).roles == set(wanted)
        # To give one up, or to give it to somebody else, needs nobody.
        wanted = [Role.ADMINISTRATOR]
        assert not change_roles(connection, two[0].id, wanted, caller=ada, clock=clock)
        wanted = [Role.ADMINISTRATOR, Role.LEAD]
        assert not change_roles(connection, two[1].id, wanted, caller=ada, clock=clock)


def test_the_only_administrator_may_take_further_roles_and_the_ledger_shows_it(
    database, clock
) -> None:
    with database.writing() as connection:
        ada = add(connection, clock, "ada", Role.ADMINISTRATOR)
        wanted = [Role.ADMINISTRATOR, Role.REVIEWER]
        caller = as_now(connection, ada)
        assert not change_roles(connection, ada.id, wanted, caller=caller, clock=clock)
        entry = connection.execute(
            select(ledger_entries).order_by(ledger_entries.c.number.desc()).limit(1)
        ).one()
        assert (entry.act, entry.actor) == ("person.changed", ada.actor_id)


def test_a_lone_administrator_and_the_operator_need_nobody(database, clock, rosa) -> None:
    with database.writing() as connection:
        ada = add(connection, clock, "ada", Role.ADMINISTRATOR)
        caller = as_now(connection, ada)
        roles = [Role.CUSTODIAN, Role.REVIEWER]
        assert change_roles(connection, rosa.id, roles, caller=caller, clock=clock) is None
        assert find_person(connection, rosa.id).roles == set(roles)
        add(connection, clock, "bea", Role.ADMINISTRATOR)
        roles = [Role.ADMINISTRATOR]
        assert change_roles(connection, rosa.id, roles, caller=OPERATOR, clock=clock) is None


def test_a_request_lapses_is_refused_or_void(database, clock, two, rosa) -> None:
    with database.writing() as connection:
        ada, bea = (as_now(connection, each) for each in two)

        def asked() -> Agreement:
            made = change_roles(connection, rosa.id, [Role.ADMINISTRATOR], caller=ada, clock=clock)
            assert made
            return made

        refused = asked()
        refuse(connection, refused.id, "not now", bea, clock)
        assert find_agreement(connection, refused.id).outcome == "refused"
        with pytest.raises(NotAgreedError, match="refused already"):
            agree(connection, refused.id, caller=bea, clock=clock)
        late = asked()
        clock.turn(days=7)
        assert open_agreements(connection, clock) == []
        with pytest.raises(NotAgreedError, match="lapsed"):
            agree(connection, late.id, caller=bea, clock=clock)
        void = asked()
        add(connection, clock, "cleo", Role.ADMINISTRATOR)
        close_account(connection, two[0].id, caller=OPERATOR, clock=clock)
        with pytest.raises(NotAgreedError, match="void"):
            agree(connection, void.id, caller=bea, clock=clock)
        with pytest.raises(NotFoundError):
            agree(connection, 99, caller=bea, clock=clock)


def test_inviting_an_administrator_needs_two_and_leaves_no_address_behind(
    database, clock, two
) -> None:
    with database.writing() as connection:
        ada, bea = (as_now(connection, each) for each in two)
        options = {"caller": ada, "clock": clock}
        plain = invite_person(connection, "Rosa", "r@house.example", [Role.LEAD], **options)
        assert isinstance(plain, Invited)
        asked = invite_person(connection, "Cleo", "c@house.example", [Role.CUSTODIAN], **options)
        assert isinstance(asked, Agreement)
        invited = agree(connection, asked.id, caller=bea, clock=clock)
        assert invited
        assert accept(connection, invited.token, clock).roles == {Role.CUSTODIAN}
        kept = connection.execute(select(agreements)).all()
        assert "c@house.example" not in repr(kept)


def test_who_is_an_administrator_starts_anew_only_with_two(database, clock, two, rosa) -> None:
    with database.writing() as connection:
        ada, bea = (as_now(connection, each) for each in two)
        assert isinstance(let_start_anew(connection, rosa.id, caller=ada, clock=clock), Invited)
        asked = let_start_anew(connection, two[1].id, caller=ada, clock=clock)
        assert isinstance(asked, Agreement)
        assert agree(connection, asked.id, caller=bea, clock=clock)


def test_a_program_makes_no_administrator(database, clock, rosa) -> None:
    with database.writing() as connection:
        key = add_key(connection, "robot", [Permission.PEOPLE_WRITE], OPERATOR.actor, clock)
        robot = caller_of_key(check_key(connection, key))
        with pytest.raises(NotPermittedError, match="only a person"):
            change_roles(connection, rosa.id, [Role.ADMINISTRATOR], caller=robot, clock=clock)
        change_roles(connection, rosa.id, [Role.LEAD], caller=robot, clock=clock)


def test_the_last_administrator_stays(database, clock, two) -> None:
    with database.writing() as connection:
        ada = as_now(connection, two[0])
        change_roles(connection, two[1].id, [Role.LEAD], caller=ada, clock=clock)
        for caller in (ada, OPERATOR):
            with pytest.raises(InvalidInputError, match="last administrator"):
                change_roles(connection, two[0].id, [Role.LEAD], caller=caller, clock=clock)
            with pytest.raises(InvalidInputError, match="last administrator"):
                close_account(connection, two[0].id, caller=caller, clock=clock)


def test_of_two_who_remove_each_other_at_once_one_stays(database, clock, two) -> None:
    refusals: list[Exception] = []

    def close(number: int) -> None:
        try:
            with database.writing() as connection:
                close_account(connection, number, caller=OPERATOR, clock=clock)
        except InvalidInputError as error:
            refusals.append(error)

    threads = [threading.Thread(target=close, args=(each.id,)) for each in two]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refusals) == 1
    with database.reading() as connection:
        assert sum(each.closed_at is None for each in all_people(connection)) == 1


def test_a_closed_account_opens_nothing_and_its_address_is_free(
    database, clock, settings, rosa
) -> None:
    with database.writing() as connection:
        token = begin_session(connection, rosa, clock, proved=True)
        key = add_key(
            connection, "rosas", [Permission.CASES_READ], OPERATOR.actor, clock, owner=rosa.id
        )
        closed = close_account(connection, rosa.id, caller=OPERATOR, clock=clock, reason="left")
        assert (closed.name, closed.email) == ("rosa", None)
        assert closed.permissions == frozenset()
        assert find_session(connection, token, settings, clock) is None
        with pytest.raises(NotSignedInError):
            check_key(connection, key)
        with pytest.raises(InvalidInputError, match="closed on"):
            close_account(connection, rosa.id, caller=OPERATOR, clock=clock)
        with pytest.raises(InvalidInputError, match="closed on"):
            change_roles(connection, rosa.id, [Role.LEAD], caller=OPERATOR, clock=clock)
        with pytest.raises(InvalidInputError, match="closed on"):
            let_start_anew(connection, rosa.id, caller=OPERATOR, clock=clock)
        assert add(connection, clock, "rosa", Role.REVIEWER).id != rosa.id


def test_somebody_has_a_role_always(database, clock, rosa) -> None:
    with database.writing() as connection, pytest.raises(InvalidInputError, match="at least one"):
        change_roles(connection, rosa.id, [], caller=OPERATOR, clock=clock)


def test_a_reason_is_not_endless(database, clock, two) -> None:
    with database.writing() as connection, pytest.raises(InvalidInputError, match="1,000"):
        change_roles(
            connection,
            two[1].id,
            [Role.ADMINISTRATOR, Role.CUSTODIAN],
            caller=as_now(connection, two[0]),
            clock=clock,
            reason="x" * 1001,
        )
