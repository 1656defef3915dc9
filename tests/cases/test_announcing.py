"""The platform is told of decisions that stand, and of nothing else."""

from pathlib import Path

import pytest
from sqlalchemy import insert, select

from tests.cases.telling import effects, listening, told, uploaded
from tests.cases.world import A_WHILE, ANNA, BEN, a_case, decided, matched, reviewing
from tutela.cases.deciding import Decision, undo
from tutela.cases.tables import case_items
from tutela.fingerprints.model import Kind
from tutela.hashlists.flagging import open_flags
from tutela.ledger.tables import ledger_entries
from tutela.storage.jobs.tending import kept_jobs
from tutela.storage.settings import Settings, load_settings

NO = Decision.NOT_CONFIRMED


@pytest.fixture
def settings(data: Path) -> Settings:
    return load_settings(data=data)


@pytest.fixture
def house(settings, database, clock):
    """Settings by which one look is enough, with somebody who listens."""
    return reviewing(listening(settings, database, clock))


def test_a_confirmed_case_is_told_of_when_it_can_no_longer_be_undone(
    database, clock, house
) -> None:
    case = a_case(database, clock)
    uploaded(database, clock, case, "upload-1", "user-1")
    decided(database, clock, house, case, ANNA)
    effects(database, clock)
    assert told(database) == []
    clock.now += A_WHILE
    effects(database, clock)
    assert told(database) == [
        ("item.blocked", {"items": ["upload-1"], "subject": "user-1"}),
        ("account.flagged", {"subject": "user-1"}),
    ]
    with database.reading() as connection:
        assert {job.kind for job in kept_jobs(connection)} == {"webhook.deliver"}


def test_what_is_undone_is_told_to_nobody(database, clock, house) -> None:
    case = a_case(database, clock)
    decided(database, clock, house, case, ANNA)
    with database.writing() as connection:
        undo(connection, case, ANNA, clock, house)
    clock.now += A_WHILE
    effects(database, clock)
    assert told(database) == []


def test_only_the_decision_that_stands_is_told(database, clock, house) -> None:
    case = a_case(database, clock)
    decided(database, clock, house, case, ANNA)
    with database.writing() as connection:
        undo(connection, case, ANNA, clock, house)
    decided(database, clock, house, case, ANNA, NO)
    clock.now += A_WHILE
    effects(database, clock)
    assert told(database) == [("item.lifted", {"items": []})]


def test_an_upload_of_another_confirmed_case_stays_blocked(database, clock, house) -> None:
    first, second = a_case(database, clock, b"1"), a_case(database, clock, b"2")
    for case in (first, second):
        uploaded(database, clock, case, "upload-1", "user-1")
    decided(database, clock, house, first, ANNA)
    clock.now += A_WHILE
    effects(database, clock)
    decided(database, clock, house, second, BEN, NO)
    clock.now += A_WHILE
    effects(database, clock)
    # Nor is the account cleared, whose other case is confirmed.
    assert told(database)[2:] == [("item.lifted", {"items": [], "subject": "user-1"})]


def test_an_account_without_a_confirmed_case_is_cleared(database, clock, house) -> None:
    case = a_case(database, clock)
    uploaded(database, clock, case, "upload-1", "user-1")
    decided(database, clock, house, case, ANNA, NO)
    clock.now += A_WHILE
    effects(database, clock)
    assert told(database) == [
        ("item.lifted", {"items": ["upload-1"], "subject": "user-1"}),
        ("account.cleared", {"subject": "user-1"}),
    ]


def test_many_uploads_are_told_in_portions(database, clock, house) -> None:
    case = a_case(database, clock)
    with database.writing() as connection:
        row = connection.execute(select(case_items)).mappings().one()
        common = {name: row[name] for name in ("case_id", "name", "origin", "received_at")}
        connection.execute(
            insert(case_items), [{**common, "reference": f"u{number}"} for number in range(250)]
        )
    decided(database, clock, house, case, ANNA, NO)
    clock.now += A_WHILE
    effects(database, clock)
    portions = [data["items"] for _, data in told(database)]
    assert [len(portion) for portion in portions] == [100, 100, 50]
    assert [each for portion in portions for each in portion] == [
        f"u{number}" for number in range(250)
    ]


@pytest.mark.parametrize(("kind", "flags"), [(Kind.MD5, 1), (Kind.PDQ, 0)])
def test_the_entry_of_a_file_that_is_nothing_is_put_in_doubt(
    database, clock, house, kind, flags
) -> None:
    case = a_case(database, clock)
    matched(database, clock, case, kind)
    decided(database, clock, house, case, ANNA, NO)
    clock.now += A_WHILE
    effects(database, clock)
    with database.reading() as connection:
        found = open_flags(connection)
        entered = connection.execute(
            select(ledger_entries.c.actor).where(ledger_entries.c.act == "list.entry-flagged")
        ).scalars()
        assert [each.case for each in found] == [case] * flags
        assert entered.all() == ["tutela"] * flags
