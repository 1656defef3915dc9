"""An entry in doubt is withdrawn or kept by a person, and is never shown."""

import pytest
from sqlalchemy import select

from tests.actors import actor_called
from tests.hashlists.filling import add, md5, new_list
from tutela.errors import InvalidInputError, NotFoundError
from tutela.hashlists.flagging import (
    FlagId,
    FlagOutcome,
    enter_flags,
    flag_entries,
    open_flags,
    settle_flag,
)
from tutela.hashlists.lists import list_summary, remove_list
from tutela.hashlists.tables import entries
from tutela.ledger.tables import ledger_entries

ACTOR = actor_called("test")


@pytest.fixture
def known(database, clock):
    made = new_list(database, clock, "partner")
    add(database, made, clock, md5(1), md5(2))
    return made


def flagged(database, clock, case: str = "7K3M-9QPD-2X4H") -> list[FlagId]:
    with database.writing() as connection:
        which = connection.execute(select(entries.c.id)).scalars().all()
        flags = flag_entries(connection, which, case, ACTOR, clock)
        enter_flags(connection, flags, case, ACTOR, clock)
    return flags


def settle(database, clock, flag, outcome, reason="a garden") -> None:
    with database.writing() as connection:
        settle_flag(connection, flag, outcome, ACTOR, clock, reason=reason)


def test_an_entry_is_in_doubt_once_until_it_is_settled(database, clock, known) -> None:
    first, second = flagged(database, clock)
    assert flagged(database, clock) == []
    settle(database, clock, first, FlagOutcome.KEPT)
    with database.reading() as connection:
        (left,) = open_flags(connection)
        assert (left.id, left.list_name, left.case) == (second, "partner", "7K3M-9QPD-2X4H")
        assert list_summary(connection, known).withdrawn == 0
    assert len(flagged(database, clock)) == 1


def test_a_withdrawn_one_matches_no_more(database, clock, known) -> None:
    first, _ = flagged(database, clock)
    settle(database, clock, first, FlagOutcome.WITHDRAWN)
    with database.reading() as connection:
        assert list_summary(connection, known).withdrawn == 1
        acts = connection.execute(
            select(ledger_entries.c.act, ledger_entries.c.thing)
            .order_by(ledger_entries.c.number.desc())
            .limit(2)
        )
        assert [tuple(row) for row in acts] == [
            ("list.entry-flag-settled", f"flag:{first}"),
            ("list.entries-withdrawn", f"list:{known.id}"),
        ]


def test_it_is_never_shown(database, clock, known) -> None:
    flagged(database, clock)
    with database.reading() as connection:
        shown = str([each.as_fields() for each in open_flags(connection)])
    assert md5(1).text not in shown
    assert md5(2).text not in shown


def test_one_of_a_list_that_is_gone_can_be_settled(database, clock, known) -> None:
    first, _ = flagged(database, clock)
    with database.writing() as connection:
        remove_list(connection, "partner", "no longer", ACTOR, clock)
    settle(database, clock, first, FlagOutcome.WITHDRAWN)


def test_it_is_settled_once_and_with_a_reason(database, clock, known) -> None:
    first, _ = flagged(database, clock)
    with pytest.raises(InvalidInputError, match="reason"):
        settle(database, clock, first, FlagOutcome.KEPT, " ")
    settle(database, clock, first, FlagOutcome.KEPT)
    with pytest.raises(InvalidInputError, match="before"):
        settle(database, clock, first, FlagOutcome.WITHDRAWN)
    with pytest.raises(NotFoundError):
        settle(database, clock, FlagId(999), FlagOutcome.KEPT)
