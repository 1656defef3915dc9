"""Whoever leaves leaves no case behind that nobody can take."""

import pytest
from sqlalchemy import insert, select

from tests.actors import actor_called
from tutela.accounts.model import Caller
from tutela.accounts.people import add_person
from tutela.accounts.permissions import Permission, Role
from tutela.cases.leaving import close_account
from tutela.cases.states import State
from tutela.cases.tables import cases
from tutela.ledger.tables import ledger_entries

OPERATOR = Caller(actor_called("cli:test"), frozenset(Permission))


@pytest.fixture
def rosa(database, clock):
    with database.writing() as connection:
        return add_person(
            connection, "Rosa", "r@house.example", [Role.LEAD], actor=OPERATOR.actor, clock=clock
        )


def test_held_and_assigned_cases_are_everybodys_again(database, clock, rosa) -> None:
    now = clock()
    common = {"opened_at": now, "rank_at": now}
    mine = {"held_by": rosa.id, "held_until": now}
    with database.writing() as connection:
        for row in (
            {"id": "A", "state": State.IN_REVIEW, **mine},
            {"id": "B", "state": State.DISPUTED, **mine},
            {"id": "C", "state": State.OPEN, "assigned_to": rosa.id},
            {"id": "D", "state": State.IN_REVIEW, "held_by": rosa.id + 1, "held_until": now},
        ):
            connection.execute(insert(cases).values(**common, **row))
    with database.writing() as connection:
        close_account(connection, rosa.id, caller=OPERATOR, clock=clock)
        rows = connection.execute(
            select(cases.c.id, cases.c.state, cases.c.held_by, cases.c.assigned_to).order_by(
                cases.c.id
            )
        )
        assert [tuple(row) for row in rows] == [
            ("A", State.OPEN, None, None),
            ("B", State.DISPUTED, None, None),
            ("C", State.OPEN, None, None),
            ("D", State.IN_REVIEW, rosa.id + 1, None),
        ]
        told = connection.execute(
            select(ledger_entries.c.case_id, ledger_entries.c.act, ledger_entries.c.thing)
            .where(ledger_entries.c.case_id.is_not(None))
            .order_by(ledger_entries.c.case_id)
        )
        assert [tuple(each) for each in told] == [
            ("A", "case.moved", "move:give-back"),
            ("B", "case.given-back", None),
        ]
