"""A case weighed against the directory: to whom it goes, who was told, and until when."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from tests.cases.world import OPERATOR
from tests.reporting.world import World
from tutela.cases.facts import Fact
from tutela.cases.model import CaseId, new_case_id
from tutela.cases.states import State as CaseState
from tutela.cases.tables import case_labels, cases, subjects
from tutela.errors import NotFoundError
from tutela.evidence.events import record_event
from tutela.evidence.retention import EventKind, LegalEvent
from tutela.evidence.subjects import Subject
from tutela.reporting.authorities.model import Incident
from tutela.reporting.authorities.told import Relation
from tutela.reporting.authorities.weighing import Weighed, weigh
from tutela.reporting.drafts.supplied import Supplied
from tutela.reporting.model import Environment
from tutela.reporting.moving import change_state, enter_move
from tutela.reporting.states import Move
from tutela.reporting.tables import reports, supplied_data


def settings_of(world: World, establishment="US"):
    reporting = world.settings.reporting.model_copy(update={"establishment": establishment})
    return world.settings.model_copy(update={"reporting": reporting})


def weighed(world: World, case: CaseId, **values) -> Weighed:
    with world.database.reading() as connection:
        return weigh(connection, settings_of(world), case, **values)


def send(world: World, case: CaseId, environment=Environment.LIVE, remote_id="4711"):
    report = world.draft(case)
    world.move(report, Move.SIGN, Move.QUEUE)
    with world.database.writing() as connection:
        change_state(connection, report, Move.SEND, OPERATOR, world.clock, remote_id=remote_id)
        connection.execute(
            update(reports).where(reports.c.id == report).values(environment=environment)
        )
        enter_move(connection, report, Move.SEND, OPERATOR, world.clock)
    return report


def decided(world: World, case: CaseId) -> None:
    with world.database.writing() as connection:
        connection.execute(update(cases).where(cases.c.id == case).values(decided_at=world.clock()))


def of_one_subject(world: World, *numbers: CaseId) -> None:
    with world.database.writing() as connection:
        subject = connection.execute(
            insert(subjects)
            .values(key="user-1", first_seen_at=world.clock())
            .returning(subjects.c.id)
        ).scalar_one()
        connection.execute(update(cases).where(cases.c.id.in_(numbers)).values(subject_id=subject))


def test_a_confirmed_case_has_a_clock_until_it_is_reported(world: World, clock) -> None:
    case = world.case(b"a landscape")
    decided(world, case)
    confirmed_at = clock()
    clock.turn(hours=1)
    (running,) = weighed(world, case).clocks
    assert running.due_at == confirmed_at + timedelta(hours=24)
    send(world, case)
    found = weighed(world, case)
    assert found.clocks == ()
    assert found.routes[0].words.endswith("us-ncmec has been told of this case")


def test_a_case_that_is_not_decided_has_no_clock(world: World) -> None:
    case = world.case(b"a landscape", state=CaseState.OPEN)
    found = weighed(world, case)
    assert found.clocks == ()
    assert found.routes[0].authority.id == "us-ncmec"


@pytest.mark.parametrize("environment", [Environment.SANDBOX, Environment.TEST])
def test_what_a_test_system_took_tells_nobody(world: World, environment) -> None:
    case = world.case(b"a landscape")
    decided(world, case)
    send(world, case, environment)
    found = weighed(world, case)
    assert len(found.clocks) == 1
    assert [each.is_told for each in found.told] == [False]


def test_who_was_told_of_the_same_content_and_of_the_same_subject(world: World, clock) -> None:
    case = world.case(b"a landscape", b"a lake")
    same_content = world.case(b"a landscape")
    same_subject = world.case(b"a tree")
    both = world.case(b"a lake")
    world.case(b"a hill")
    of_one_subject(world, case, same_subject, both)
    for number, each in enumerate((same_content, same_subject, both)):
        clock.turn(minutes=1)
        send(world, each, remote_id=str(number))
    told = weighed(world, case).told
    assert [(each.relation, each.case, each.authority, each.reference) for each in told] == [
        (Relation.CONTENT, both, "us-ncmec", "2"),
        (Relation.CONTENT, same_content, "us-ncmec", "0"),
        (Relation.SUBJECT, same_subject, "us-ncmec", "1"),
    ]
    assert all(each.is_told for each in told)


def test_a_report_that_is_being_written_is_told_as_such(world: World) -> None:
    case = world.case(b"a landscape")
    report = world.draft(case)
    (told,) = weighed(world, case).told
    assert (told.relation, told.report, told.is_told) == (Relation.CASE, report, False)
    world.move(report, Move.DISCARD, reason="no")
    assert weighed(world, case).told == ()


def test_a_report_that_was_recorded_by_hand_is_told(world: World) -> None:
    case = world.case(b"a landscape")
    with world.database.writing() as connection:
        record_event(
            connection,
            Subject(case),
            LegalEvent(EventKind.REPORT_FINISHED, world.clock(), "1234"),
            OPERATOR.actor,
            world.clock,
            reason="sent by hand",
        )
    (told,) = weighed(world, case).told
    assert (told.authority, told.report, told.reference, told.is_told) == (None, None, "1234", True)


def test_countries_and_incidents_can_be_said(world: World) -> None:
    case = world.case(b"a landscape")
    found = weighed(world, case, victim="DE", incidents=[Incident.DANGER])
    applying = [each.authority.id for each in found.routes if each.outcome == "applies"]
    assert applying == ["us-ncmec", "de-bka"]
    fields = found.as_fields(world.clock())
    assert fields["incidents"] == ["danger"]


def test_a_case_that_is_not_there_is_named(world: World) -> None:
    with pytest.raises(NotFoundError):
        weighed(world, new_case_id())


def test_what_a_case_is_about_follows_from_its_items_labels_and_facts(world: World) -> None:
    case = world.case(b"a landscape")
    assert weighed(world, case).circumstances.incidents == {Incident.MATERIAL}
    with world.database.writing() as connection:
        connection.execute(
            update(cases).where(cases.c.id == case).values(facts=str(Fact.IMMINENT_DANGER))
        )
        connection.execute(
            insert(case_labels).values(
                case_id=case,
                scheme="inhope",
                version="1",
                label="context-grooming",
                set_at=world.clock(),
                set_by="test",
            )
        )
    assert weighed(world, case).circumstances.incidents == {
        Incident.MATERIAL,
        Incident.DANGER,
        Incident.ENTICEMENT,
    }


def test_where_people_are_is_what_a_platform_supplied(world: World) -> None:
    case = world.case(b"a landscape")
    supplied = Supplied.model_validate(
        {
            "reported": {"estimated_location": {"country_code": "DE"}},
            "victims": [{"person": {"addresses": [{"country": "FR"}]}}],
        }
    )
    with world.database.writing() as connection:
        connection.execute(
            insert(supplied_data).values(
                case_id=case,
                sealed=world.secrets.seal(supplied.model_dump_json().encode(), f"supplied:{case}"),
                supplied_at=world.clock(),
                supplied_by="test",
            )
        )
    found = weighed(world, case).circumstances
    assert (found.subject, found.victim) == ("DE", "FR")
    assert weighed(world, case, victim="US").circumstances.victim == "US"
