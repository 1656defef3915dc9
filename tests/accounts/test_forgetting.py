"""What nobody can use any more is removed every hour, and nothing else."""

from sqlalchemy import func, select

from tests.accounts.people import someone
from tests.actors import actor_called
from tutela.accounts.forgetting import forget
from tutela.accounts.invitations import invite
from tutela.accounts.locking import account_called, begin_try
from tutela.accounts.permissions import Role
from tutela.accounts.sessions import Awaits, begin_session
from tutela.accounts.tables import invitations, sessions, sign_in_failures


def test_only_what_has_ended_is_forgotten(database, clock, settings) -> None:
    ada = someone(database, clock)
    actor = actor_called("test")

    def begin(number: int) -> None:
        with database.writing() as connection:
            begin_session(connection, ada, clock, proved=True)
            begin_session(connection, ada, clock, proved=False, awaits=Awaits.SECOND_STEP)
            invite(connection, "Eve", f"e{number}@x.example", [Role.LEAD], actor=actor, clock=clock)
            begin_try(connection, [account_called(str(number))], clock)

    def left() -> list[int]:
        forget(settings, database, clock)
        with database.reading() as connection:
            return [
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (sessions, invitations, sign_in_failures)
            ]

    begin(1)
    assert left() == [2, 1, 1]
    clock.turn(minutes=15)
    assert left() == [1, 1, 1]
    clock.turn(minutes=15)
    assert left() == [0, 1, 1]
    clock.turn(hours=24)
    begin(2)
    assert left() == [2, 2, 1]
    clock.turn(days=7)
    assert left() == [0, 0, 0]
