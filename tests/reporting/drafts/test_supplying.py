"""What a platform supplies: asked for, only of confirmed cases, only what is known, and erased."""

from datetime import timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select, update

from tests.cases.world import OPERATOR, PROGRAM
from tests.reporting.desks import confirmed, desk_of
from tests.reporting.world import NCMEC, World
from tutela.cases.states import State
from tutela.cases.tables import cases
from tutela.errors import InvalidInputError, NotFoundError, OutOfTurnError
from tutela.ledger.tables import ledger_entries
from tutela.reporting.drafts.beginning import begin_report
from tutela.reporting.drafts.supplied import Supplied
from tutela.reporting.drafts.supplying import (
    DRAFT,
    ask_for,
    discard_unconfirmed,
    erase_supplied,
    supplied_of,
    supply,
)
from tutela.reporting.finding import find_report
from tutela.reporting.signing.signing import sign_report
from tutela.reporting.tables import reports, supplied_data
from tutela.storage.jobs.tables import jobs
from tutela.webhooks.endpoints import add_endpoint
from tutela.webhooks.model import EventKind
from tutela.webhooks.tables import webhook_events

WHAT = Supplied.model_validate(
    {
        "reported": {
            "screen_name": "a-name",
            "person": {"emails": [{"address": "a@example.org"}]},
            "ip_capture_events": [{"ip_address": "192.0.2.7", "event_name": "login"}],
            "account_permanently_disabled": {"disabled": True},
        },
        "uploads": [{"reference": "upload-1", "publicly_available": False}],
    }
)


def give(world: World, case, what=WHAT, subject="user-1") -> None:
    desk = desk_of(world)
    with world.database.writing() as connection:
        supply(connection, desk.secrets, subject, case, what, caller=PROGRAM, clock=world.clock)


def kept(world: World, case) -> Supplied:
    with world.database.reading() as connection:
        return supplied_of(connection, world.secrets, case)


def moved(world: World, case, state: State) -> None:
    with world.database.writing() as connection:
        connection.execute(update(cases).where(cases.c.id == case).values(state=state))


def test_what_is_supplied_is_kept_sealed_and_replaced(world: World) -> None:
    case = confirmed(world, b"a landscape")
    assert kept(world, case) == Supplied()
    give(world, case)
    assert kept(world, case) == WHAT
    with world.database.reading() as connection:
        sealed = connection.execute(select(supplied_data.c.sealed)).scalar_one()
        acts = connection.execute(
            select(ledger_entries.c.act).where(ledger_entries.c.case_id == case)
        ).scalars()
        assert "subject.supplied" in list(acts)
        job = connection.execute(select(jobs.c.payload).where(jobs.c.kind == DRAFT)).scalar_one()
    assert job == {"case": case}
    assert b"a-name" not in sealed
    give(world, case, Supplied())
    assert kept(world, case) == Supplied()


@pytest.mark.parametrize("state", [State.OPEN, State.IN_REVIEW, State.NOT_CONFIRMED, State.CLOSED])
def test_nothing_is_taken_of_anybody_before_people_have_decided(world: World, state) -> None:
    case = confirmed(world, b"a landscape")
    moved(world, case, state)
    with pytest.raises(OutOfTurnError, match="not confirmed"):
        give(world, case)
    assert kept(world, case) == Supplied()


def test_nothing_is_taken_of_others(world: World) -> None:
    case = confirmed(world, b"a landscape")
    with pytest.raises(NotFoundError, match="not about this subject"):
        give(world, case, subject="user-2")
    with pytest.raises(NotFoundError, match="not about this subject"):
        give(world, confirmed(world, b"a landscape", subject=None))
    other = Supplied.model_validate({"uploads": [{"reference": "of-somebody-else"}]})
    with pytest.raises(InvalidInputError, match="only what the case is about"):
        give(world, case, other)
    for unknown in ({"friends": []}, {"reported": {"religion": "a faith"}}):
        with pytest.raises(ValidationError):
            Supplied.model_validate(unknown)


def test_the_platform_is_asked_on_request_if_it_named_somebody(world: World, clock) -> None:
    case = confirmed(world, b"a landscape")
    with world.database.writing() as connection:
        add_endpoint(
            connection,
            world.settings,
            OPERATOR.actor,
            clock,
            name="the forum",
            url="https://forum.example/hook",
            events=[EventKind.SUBJECT_WANTED],
        )
    with world.database.writing() as connection:
        ask_for(connection, case, OPERATOR, clock)
    with world.database.reading() as connection:
        event = connection.execute(select(webhook_events)).one()
    assert (event.kind, event.case_id) == ("subject.wanted", case)
    assert event.data == {"subject": "user-1", "items": ["upload-1"]}
    nobody = confirmed(world, b"a landscape", subject=None)
    with world.database.writing() as connection, pytest.raises(NotFoundError, match="nobody said"):
        ask_for(connection, nobody, OPERATOR, clock)
    moved(world, case, State.NOT_CONFIRMED)
    with world.database.writing() as connection, pytest.raises(OutOfTurnError):
        ask_for(connection, case, OPERATOR, clock)


def test_it_is_erased_when_the_case_is_confirmed_no_more_or_was_reported_long_ago(
    world: World, clock
) -> None:
    over, reported, open_still = (confirmed(world, b"a landscape") for _ in range(3))
    for case in (over, reported, open_still):
        give(world, case)
    moved(world, over, State.NOT_CONFIRMED)
    moved(world, reported, State.REPORTED)

    def erase() -> int:
        with world.database.writing() as connection:
            return erase_supplied(connection, clock, days=30)

    assert erase() == 1
    clock.now += timedelta(days=31)
    assert erase() == 1
    with world.database.reading() as connection:
        left = connection.execute(select(func.max(supplied_data.c.case_id))).scalar_one()
    assert left == open_still


def test_what_was_written_of_a_case_that_is_confirmed_no_more_is_discarded(
    world: World, clock
) -> None:
    desk = desk_of(world)
    over, closed, still, waits = (confirmed(world, b"a landscape") for _ in range(4))
    drafts = [begin_report(desk, case, NCMEC, OPERATOR) for case in (over, closed, still, waits)]
    sign_report(desk, drafts[0], OPERATOR)
    sign_report(desk, drafts[3], OPERATOR)
    moved(world, over, State.NOT_CONFIRMED)
    for case in (closed, waits):
        moved(world, case, State.CLOSED)
    with world.database.writing() as connection:
        assert discard_unconfirmed(connection, clock) == drafts[:2]
    with world.database.writing() as connection:
        assert discard_unconfirmed(connection, clock) == []
    with world.database.reading() as connection:
        states = [find_report(connection, each).state for each in drafts]
        left = connection.execute(
            select(reports.c.id).where(reports.c.content.is_not(None))
        ).scalars()
        assert list(left) == drafts[2:]
    assert states == ["discarded", "discarded", "draft", "signed"]
    assert world.acts(over)[-1] == "report.discarded"
