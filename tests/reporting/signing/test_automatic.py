"""By default nothing goes without a person; where the settings say so, only what they name does."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from tests.cases.world import ANNA, OPERATOR, matched
from tests.reporting.desks import confirmed, desk_of
from tests.reporting.world import NCMEC, World
from tutela.cases.deciding import undo
from tutela.cases.facts import Fact, facts_text
from tutela.cases.grounds import Basis
from tutela.cases.model import CaseId
from tutela.cases.states import State as CaseState
from tutela.cases.tables import case_decisions, case_items, case_matches, cases
from tutela.cases.taking_effect import TAKE_EFFECT, effect_later, taking_effect
from tutela.errors import SettingsError
from tutela.fingerprints.model import Kind
from tutela.hashlists.tables import hash_lists
from tutela.reporting.drafts.beginning import begin_report
from tutela.reporting.drafts.supplying import DRAFT
from tutela.reporting.drafts.writing import change_report
from tutela.reporting.finding import find_report, find_reports
from tutela.reporting.signing import automatic
from tutela.reporting.signing.automatic import (
    SIGN,
    chosen_incidents,
    confirm_listed,
    kinds_of_drafts,
    sign_itself,
)
from tutela.reporting.states import State
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.performing import perform
from tutela.storage.jobs.tables import jobs
from tutela.storage.settings import Approval, Automatic


def listed(world: World, **values: Any) -> tuple[CaseId, str]:
    """An open case with a file that a list has to the bit; and the list's name."""
    case = world.case(b"a landscape", state=CaseState.OPEN)
    name = matched(world.database, world.clock, case, values.pop("kind", Kind.SHA256)).list_name
    with world.database.writing() as connection:
        known = {"facts": facts_text((Fact.KNOWN,))} | values
        connection.execute(update(cases).where(cases.c.id == case).values(known))
    return case, name


def naming(world: World, *lists: str, incidents: tuple[str, ...] = ("csam",), **reporting: Any):
    chosen = Automatic(incidents=incidents, lists=lists)
    return desk_of(world, automatic=chosen, **reporting)


def case_state(world: World, case: CaseId) -> str:
    with world.database.reading() as connection:
        return connection.execute(select(cases.c.state).where(cases.c.id == case)).scalar_one()


def run(desk, kind: str) -> int:
    """Do the jobs of a kind that are due; counts them."""
    done = 0
    kinds = {each.name: each for each in kinds_of_drafts(desk)}
    kinds[TAKE_EFFECT] = taking_effect(desk.database, desk.clock, then=(automatic.confirmed,))
    failures: list[Exception] = []
    for job in claim(desk.database, {kind: kinds[kind]}, desk.clock, most=9, worker="a test"):
        perform(
            desk.database, job, kinds[kind], desk.clock, lambda _, error: failures.append(error)
        )
        assert failures == []
        done += 1
    return done


def test_by_default_nothing_is_confirmed_or_signed_by_itself(world: World) -> None:
    case, _ = listed(world)
    desk = desk_of(world)
    assert chosen_incidents(desk.settings.reporting.automatic) == frozenset()
    for kind in kinds_of_drafts(desk):
        if kind.name == automatic.CONFIRM:
            kind.run(None)
    assert case_state(world, case) == CaseState.OPEN
    report = begin_report(desk, confirmed(world, b"a", basis=Basis.DIGEST), NCMEC, OPERATOR)
    assert sign_itself(desk, report) is False


def test_without_a_list_nothing_is_chosen_and_an_unknown_kind_is_refused() -> None:
    assert chosen_incidents(Automatic(incidents=("csam",))) == frozenset()
    with pytest.raises(SettingsError, match="known are csam"):
        chosen_incidents(Automatic(incidents=("anything",), lists=("a",)))


def test_what_a_named_list_has_to_the_bit_goes_all_the_way_without_a_person(
    world: World, clock
) -> None:
    case, name = listed(world)
    desk = naming(world, name)
    assert confirm_listed(desk) == [case]
    assert confirm_listed(desk) == []
    with world.database.reading() as connection:
        decided = connection.execute(select(case_decisions)).one()
    assert (decided.decided_by, decided.basis, decided.person) == ("tutela", "digest", None)
    assert run(desk, TAKE_EFFECT) == 0
    clock.turn(seconds=61)
    assert run(desk, TAKE_EFFECT) == 1
    assert run(desk, DRAFT) == 1
    assert run(desk, SIGN) == 0
    clock.turn(minutes=31)
    assert run(desk, SIGN) == 1
    with world.database.reading() as connection:
        (report,) = find_reports(connection, case=case)
    assert (report.state, report.made_by, report.signed_by) == (State.SIGNED, "tutela", "tutela")


def test_the_operator_may_take_it_back_while_nobody_is_told(world: World) -> None:
    case, name = listed(world)
    desk = naming(world, name)
    confirm_listed(desk)
    with world.database.writing() as connection:
        undo(connection, case, OPERATOR, world.clock, desk.settings)
    assert case_state(world, case) == CaseState.OPEN


def test_what_is_only_similar_or_on_another_list_waits_for_a_person(world: World) -> None:
    similar, its_list = listed(world, kind=Kind.PDQ)
    other, _ = listed(world)
    assert confirm_listed(naming(world, its_list, "no such list")) == []
    assert {case_state(world, each) for each in (similar, other)} == {CaseState.OPEN}


def test_a_case_with_anything_else_in_it_waits_for_a_person(world: World) -> None:
    case = world.case(b"a landscape", b"another one", state=CaseState.OPEN)
    with world.database.writing() as connection:
        connection.execute(
            update(cases).where(cases.c.id == case).values(facts=facts_text((Fact.KNOWN,)))
        )
    single, name = listed(world)
    with world.database.writing() as connection:
        one = connection.execute(
            select(case_matches).where(case_matches.c.list_id == _list(connection, name))
        ).one()
        item = connection.execute(
            select(case_items.c.id).where(case_items.c.case_id == case).limit(1)
        ).scalar_one()
        connection.execute(
            insert(case_matches).values(
                item_id=item, list_id=one.list_id, entry_id=one.entry_id, kind="sha256", distance=0
            )
        )
    with world.database.writing() as connection:
        connection.execute(update(case_matches).values(place="photos/a.jpg"))
    assert confirm_listed(naming(world, name)) == []
    with world.database.writing() as connection:
        connection.execute(update(case_matches).values(place=""))
    assert confirm_listed(naming(world, name)) == [single]


@pytest.mark.parametrize(
    "values",
    [
        {"facts": facts_text((Fact.KNOWN, Fact.IMMINENT_DANGER))},
        {"facts": facts_text((Fact.KNOWN, Fact.SIMILAR))},
        {"assigned_to": 7},
        {"state": CaseState.IN_REVIEW},
    ],
)
def test_what_people_have_or_said_something_of_is_theirs(world: World, values) -> None:
    _, name = listed(world, **values)
    assert confirm_listed(naming(world, name)) == []


def test_a_draft_that_a_person_wrote_in_or_that_lacks_something_is_theirs(world: World) -> None:
    case, name = listed(world)
    desk = naming(world, name)
    confirm_listed(desk)
    report = begin_report(desk, case, NCMEC, OPERATOR)
    change_report(desk, report, {"additional_info": "wait"}, ANNA)
    assert sign_itself(desk, report) is False
    change_report(desk, report, {"additional_info": None}, ANNA)
    assert sign_itself(naming(world, name, incidents=("enticement",)), report) is False
    assert sign_itself(desk, report) is True
    assert sign_itself(desk, report) is False


def test_a_second_person_agrees_all_the_same_where_that_is_asked_for(world: World) -> None:
    case, name = listed(world)
    desk = naming(world, name, approval=Approval.ALWAYS)
    confirm_listed(desk)
    report = begin_report(desk, case, NCMEC, OPERATOR)
    assert sign_itself(desk, report) is True
    with world.database.reading() as connection:
        assert find_report(connection, report).state is State.SIGNED
        waiting = connection.execute(select(jobs.c.id).where(jobs.c.kind == "report.queue")).all()
    assert waiting == []


def test_a_decision_that_rests_on_looking_is_signed_by_people(world: World) -> None:
    case, name = listed(world)
    desk = naming(world, name)
    confirm_listed(desk)
    with world.database.writing() as connection:
        connection.execute(update(case_decisions).values(basis=Basis.SEEN))
    report = begin_report(desk, case, NCMEC, OPERATOR)
    assert sign_itself(desk, report) is False


@pytest.mark.parametrize("meanwhile", ["decided", "added"])
def test_who_decides_anew_or_adds_to_the_case_while_it_is_signed_has_it_back(
    world: World, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    case, name = listed(world)
    desk = naming(world, name)
    confirm_listed(desk)
    report = begin_report(desk, case, NCMEC, OPERATOR)
    signed = automatic.sign_as

    def late(*args: Any, **values: Any) -> object:
        # After all was looked at, and before anything is signed.
        with world.database.writing() as connection:
            if meanwhile == "decided":
                connection.execute(update(case_decisions).values(basis=Basis.SEEN))
            else:
                item = dict(connection.execute(select(case_items)).mappings().one())
                connection.execute(insert(case_items).values(item | {"id": item["id"] + 1}))
        return signed(*args, **values)

    monkeypatch.setattr(automatic, "sign_as", late)
    assert sign_itself(desk, report) is False
    with world.database.reading() as connection:
        assert find_report(connection, report).state is State.DRAFT


def test_a_confirmed_case_is_drafted_and_the_platform_asked_when_it_takes_effect(
    world: World, clock
) -> None:
    desk = desk_of(world)
    case = confirmed(world, b"a landscape", ago=timedelta(0))
    with world.database.writing() as connection:
        number = connection.execute(select(case_decisions.c.id)).scalar_one()
        effect_later(connection, case, number, clock(), clock)
    assert run(desk, TAKE_EFFECT) == 1
    assert run(desk, DRAFT) == 1
    with world.database.reading() as connection:
        assert [each.state for each in find_reports(connection, case=case)] == [State.DRAFT]


def _list(connection, name: str) -> int:
    return connection.execute(select(hash_lists.c.id).where(hash_lists.c.name == name)).scalar_one()
