"""What becomes of decisions: one look, two looks, a dispute, and taking it back."""

from pathlib import Path

import pytest
from sqlalchemy import event, insert, select, update

from tests.cases.world import (
    ANNA,
    BEN,
    LEAD,
    OPERATOR,
    OTHER_LEAD,
    a_case,
    decided,
    employ,
    looked,
    matched,
    moves_of,
    person,
    reviewing,
    state_of,
    taken,
    with_evidence,
)
from tutela.accounts.calling import caller_of_key
from tutela.accounts.keys import add_key, check_key
from tutela.accounts.permissions import Role
from tutela.cases.closing import close, reopen
from tutela.cases.deciding import Decision, SecondLook, decide, needs_second_look, settle, undo
from tutela.cases.grounds import Basis, Ground, ground_of, possible_bases
from tutela.cases.labelling import label, unlabel
from tutela.cases.model import ItemKind
from tutela.cases.moving import HoldLostError, MoveNotAllowedError, take
from tutela.cases.noting import note
from tutela.cases.reading import read_case
from tutela.cases.states import State
from tutela.cases.tables import case_items
from tutela.errors import InvalidInputError, NotFoundError, NotPermittedError, OutOfTurnError
from tutela.fingerprints.model import Kind
from tutela.sandbox.model import Level, Shown
from tutela.storage.database import Database
from tutela.storage.jobs.tables import jobs
from tutela.storage.settings import SecondLookFor, Settings, load_settings

YES, NO, NOT_SURE = Decision


@pytest.fixture
def settings(data: Path) -> Settings:
    """On SQLite: ``test_deciding_at_random`` does the same on both."""
    return load_settings(data=data)


@pytest.fixture(autouse=True)
def _employed(database: Database, clock) -> None:
    employ(database, clock)


@pytest.fixture
def alone(settings):
    """Settings by which one look is enough."""
    return reviewing(settings)


@pytest.mark.parametrize(
    ("decision", "after"),
    [(YES, State.CONFIRMED), (NO, State.NOT_CONFIRMED), (NOT_SURE, State.DISPUTED)],
)
def test_a_decision_moves_the_case(database: Database, clock, alone, decision, after) -> None:
    case = a_case(database, clock)
    outcome = decided(database, clock, alone, case, ANNA, decision, reason="a landscape")
    assert outcome.state is state_of(database, case) is after
    with database.reading() as connection:
        (kept,) = read_case(connection, case, ANNA).decisions
    assert (kept.decision, kept.reason, kept.person) == (decision, "a landscape", 1)


def test_who_lost_the_case_decides_nothing(database: Database, clock, alone) -> None:
    case = a_case(database, clock)
    late = taken(database, clock, case, ANNA)
    clock.turn(minutes=16)
    taken(database, clock, case, BEN)
    with pytest.raises(HoldLostError), database.writing() as connection:
        decide(connection, case, YES, ANNA, clock, alone, hold=late.number, basis=Basis.READ)
    assert state_of(database, case) is State.IN_REVIEW


def test_seen_is_true_only_of_who_looked(database: Database, clock, alone) -> None:
    case = with_evidence(database, a_case(database, clock))
    looked(database, clock, case, BEN)
    looked(database, clock, case, ANNA, Level.VEIL)
    looked(database, clock, case, ANNA, Level.WHOLE, shown=None)
    with pytest.raises(InvalidInputError, match="you have not looked"):
        decided(database, clock, alone, case, ANNA, basis=Basis.SEEN)
    looked(database, clock, case, ANNA)
    assert decided(database, clock, alone, case, ANNA, basis=Basis.SEEN).state is State.CONFIRMED


@pytest.mark.parametrize("kind", [Kind.MD5, Kind.SHA1, Kind.SHA256])
def test_what_a_list_has_to_the_bit_needs_no_viewing(database, clock, alone, kind) -> None:
    case = with_evidence(database, a_case(database, clock))
    matched(database, clock, case, kind)
    assert decided(database, clock, alone, case, ANNA, basis=Basis.DIGEST).state is State.CONFIRMED


@pytest.mark.parametrize(("kind", "place"), [(Kind.PDQ, ""), (Kind.MD5, "photos/a.jpg")])
def test_what_is_only_like_something_on_a_list_or_holds_it_is_not_known_by_digest(
    database: Database, clock, alone, kind, place
) -> None:
    case = with_evidence(database, a_case(database, clock))
    matched(database, clock, case, kind, place)
    with database.reading() as connection:
        assert ground_of(connection, case) == {Ground.LISTED, Ground.SIGHT}
    with pytest.raises(InvalidInputError, match="a similar one is not the same"):
        decided(database, clock, alone, case, ANNA, basis=Basis.DIGEST)


def test_what_one_item_is_says_nothing_of_another_one(database: Database, clock, alone) -> None:
    case = with_evidence(database, a_case(database, clock, b"one"))
    decided(database, clock, alone, a_case(database, clock, b"one"), BEN)
    matched(database, clock, case)
    with database.writing() as connection:
        known = ground_of(connection, case)
        assert possible_bases(known, seen=False, read=False) == [Basis.DIGEST, Basis.ELSEWHERE]
        connection.execute(
            insert(case_items).values(
                case_id=case, name="", origin="scan", received_at=clock(), evidence_id="f" * 26
            )
        )
        more = ground_of(connection, case)
        assert possible_bases(more, seen=False, read=False) == []
        # Whoever decides against the list is looked at twice all the same.
        assert Ground.DIGEST in more


def test_what_can_be_looked_at_is_not_decided_by_reading(database: Database, clock, alone) -> None:
    case = with_evidence(database, a_case(database, clock))
    with pytest.raises(InvalidInputError, match="can be looked at"):
        decided(database, clock, alone, case, ANNA, basis=Basis.READ)


@pytest.mark.parametrize("kind", [ItemKind.TEXT, ItemKind.URL])
def test_read_is_true_only_of_whom_the_words_were_shown(
    database: Database, clock, alone, kind
) -> None:
    case = with_evidence(database, a_case(database, clock), kind)
    looked(database, clock, case, BEN, shown=Shown.TEXT)
    looked(database, clock, case, ANNA, shown=None)
    looked(database, clock, case, ANNA, shown=Shown.NOTHING)
    for caller in (ANNA, OPERATOR):
        with (
            pytest.raises(InvalidInputError, match="on the console's page"),
            database.writing() as connection,
        ):
            hold = take(connection, case, caller, clock, 15).number
            decide(connection, case, YES, caller, clock, alone, hold=hold, basis=Basis.READ)
    looked(database, clock, case, ANNA, shown=Shown.TEXT)
    assert decided(database, clock, alone, case, ANNA, basis=Basis.READ).state is State.CONFIRMED


@pytest.mark.parametrize("shown", [Shown.PICTURE, Shown.NOTHING])
def test_what_has_words_and_a_picture_is_not_decided_before_both_were_shown(
    database: Database, clock, alone, shown
) -> None:
    case = with_evidence(database, a_case(database, clock), ItemKind.TEXT)
    looked(database, clock, case, ANNA, shown=Shown.TEXT)
    with database.writing() as connection:
        picture = connection.execute(
            insert(case_items)
            .values(
                case_id=case,
                name="",
                origin="scan",
                kind=ItemKind.PICTURE,
                received_at=clock(),
                evidence_id="f" * 26,
            )
            .returning(case_items.c.id)
        ).scalar_one()
        assert read_case(connection, case, ANNA).bases == ()
    looked(database, clock, case, ANNA, Level.VEIL, item=picture)
    with database.reading() as connection:
        assert read_case(connection, case, ANNA).bases == ()
    looked(database, clock, case, ANNA, shown=shown, item=picture)
    with database.reading() as connection:
        both = (Basis.SEEN, Basis.READ) if shown is Shown.PICTURE else (Basis.READ,)
        assert read_case(connection, case, ANNA).bases == both


def test_what_cannot_be_shown_is_decided_by_who_tried(database: Database, clock, alone) -> None:
    case = with_evidence(database, a_case(database, clock))
    looked(database, clock, case, ANNA, shown=Shown.NOTHING)
    assert decided(database, clock, alone, case, ANNA, NO).state is State.NOT_CONFIRMED


def test_what_is_confirmed_elsewhere_needs_no_viewing_until_that_is_undone(
    database: Database, clock, alone
) -> None:
    first = a_case(database, clock, b"the same")
    again = with_evidence(database, a_case(database, clock, b"the same"))
    with pytest.raises(InvalidInputError, match="no other case"):
        decided(database, clock, alone, again, BEN, basis=Basis.ELSEWHERE)
    decided(database, clock, alone, first, ANNA)
    with database.writing() as connection:
        undo(connection, first, ANNA, clock, alone)
    with pytest.raises(InvalidInputError, match="no other case"):
        decided(database, clock, alone, again, BEN, basis=Basis.ELSEWHERE)
    decided(database, clock, alone, first, ANNA)
    # Nothing rests on what can still be undone.
    with pytest.raises(InvalidInputError, match="no other case"):
        decided(database, clock, alone, again, BEN, basis=Basis.ELSEWHERE)
    clock.turn(seconds=alone.review.undo_seconds)
    outcome = decided(database, clock, alone, again, BEN, basis=Basis.ELSEWHERE)
    assert outcome.state is State.CONFIRMED


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        ({"sha256": b"1"}, {"sha256": b"1"}, True),
        ({"sha256": b"1", "md5": b"m"}, {"sha256": b"2", "md5": b"m"}, False),
        ({"md5": b"m"}, {"sha256": b"2", "md5": b"m"}, True),
        ({"sha256": b"1", "sha1": b"s"}, {"sha1": b"s"}, True),
        ({"sha1": b"s"}, {"sha1": b"t"}, False),
        ({}, {}, False),
    ],
)
def test_the_same_file_is_known_by_its_strongest_digest(
    database: Database, clock, alone, mine, theirs, same
) -> None:
    here, there = a_case(database, clock), a_case(database, clock)
    none: dict[str, bytes | None] = dict.fromkeys(("md5", "sha1", "sha256"))
    with database.writing() as connection:
        for case, digests in ((here, mine), (there, theirs)):
            known = none | digests
            connection.execute(update(case_items).where(case_items.c.case_id == case).values(known))
    decided(database, clock, alone, there, ANNA)
    with database.reading() as connection:
        assert (Ground.ELSEWHERE in ground_of(connection, here)) is same


def test_a_case_of_many_items_is_asked_about_at_once(database: Database, clock) -> None:
    one, many = a_case(database, clock, b"one"), a_case(database, clock, b"many")
    with database.writing() as connection:
        for number in range(30):
            values = {"case_id": many, "name": "", "origin": "scan", "received_at": clock()}
            connection.execute(insert(case_items).values(**values, sha256=bytes([number] * 32)))

    def questions(case: str) -> int:
        asked: list[str] = []
        with database.reading() as connection:
            event.listen(connection, "before_cursor_execute", lambda *words: asked.append(words[2]))
            ground_of(connection, case)
        return len(asked)

    assert questions(many) == questions(one)


def test_of_those_drawn_by_lot_a_second_person_decides_without_knowing(
    database: Database, clock, settings
) -> None:
    always = reviewing(settings, second_look_percent=100)
    case = a_case(database, clock)
    outcome = decided(database, clock, always, case, ANNA, reason="plain")
    assert (outcome.state, outcome.second_look) == (State.SECOND_LOOK, SecondLook.SAMPLE)
    with pytest.raises(OutOfTurnError, match="another person takes the second look"):
        taken(database, clock, case, ANNA)
    with database.reading() as connection:
        for other in (BEN, LEAD, OPERATOR):
            seen = read_case(connection, case, other)
            assert seen.blind
            assert seen.decisions == ()
        assert len(read_case(connection, case, ANNA).decisions) == 1
    assert decided(database, clock, always, case, BEN).state is State.CONFIRMED
    with database.reading() as connection:
        assert len(read_case(connection, case, BEN).decisions) == 2
    assert moves_of(database, case) == [
        "take person:1",
        "send-on person:1",
        "take person:2",
        "confirm person:2",
    ]


def test_by_whatever_key_the_first_one_wrote_the_second_one_reads_nothing_of_it(
    database: Database, clock, settings
) -> None:
    case = a_case(database, clock)
    with database.writing() as connection:
        key = add_key(
            connection,
            "hers",
            sorted(ANNA.permissions),
            ANNA.actor,
            clock,
            owner=ANNA.person,
        )
        by_key = caller_of_key(check_key(connection, key))
    for author in (ANNA, by_key, BEN):
        with database.writing() as connection:
            note(connection, case, f"by {author.actor.id}", author, clock)
    with database.writing() as connection:
        hers = label(connection, case, "industry", "B2", by_key, clock, settings=settings)
    decided(database, clock, reviewing(settings), case, ANNA, ask_second=True)
    with database.reading() as connection:
        seen = read_case(connection, case, BEN)
        assert [each.words for each in seen.notes] == ["by person:2"]
        assert seen.labels == ()
        for herself in (ANNA, by_key):
            assert len(read_case(connection, case, herself).notes) == 3
    # Nor does he learn of it by labelling the same, or take away what he does not see.
    with database.writing() as connection:
        assert label(connection, case, "industry", "B2", BEN, clock, settings=settings) != hers
    with pytest.raises(NotFoundError), database.writing() as connection:
        unlabel(connection, case, hers, BEN, clock)


@pytest.mark.parametrize("second", [NO, NOT_SURE])
def test_what_two_do_not_agree_on_a_third_settles(database, clock, alone, second) -> None:
    case = a_case(database, clock)
    asked = decided(database, clock, alone, case, ANNA, ask_second=True)
    assert asked.second_look is SecondLook.ASKED
    both = person(2, Role.LEAD)
    assert decided(database, clock, alone, case, both, second).state is State.DISPUTED
    clock.turn(minutes=1)
    for caller, error, words in (
        (ANNA, NotPermittedError, "cases:lead"),
        (both, OutOfTurnError, "one of those who decided"),
    ):
        with pytest.raises(error, match=words), database.writing() as connection:
            settled(connection, case, caller, clock, alone)
    with database.writing() as connection:
        assert settled(connection, case, LEAD, clock, alone).state is State.CONFIRMED


def settled(connection, case, caller, clock, settings, decision=YES, reason="a landscape"):
    return settle(
        connection, case, decision, caller, clock, settings, basis=Basis.READ, reason=reason
    )


def test_who_settles_says_why_and_is_sure(database: Database, clock, alone) -> None:
    case = a_case(database, clock)
    decided(database, clock, alone, case, ANNA, NOT_SURE)
    for decision, reason in ((YES, " "), (NOT_SURE, "hm")):
        with pytest.raises(InvalidInputError), database.writing() as connection:
            settled(connection, case, LEAD, clock, alone, decision, reason)


def test_what_a_lead_looks_at_no_other_settles(database: Database, clock, alone) -> None:
    case = a_case(database, clock)
    decided(database, clock, alone, case, ANNA, NOT_SURE)
    clock.turn(minutes=1)
    taken(database, clock, case, LEAD)
    with pytest.raises(OutOfTurnError, match="person 3"), database.writing() as connection:
        settled(connection, case, OTHER_LEAD, clock, alone)
    with database.writing() as connection:
        assert settled(connection, case, LEAD, clock, alone)


@pytest.mark.parametrize(
    ("decision", "ground", "asked"),
    [
        (NO, {Ground.DIGEST, Ground.LISTED}, {"not_confirmed_digest", "not_confirmed"}),
        (NO, {Ground.LISTED}, {"not_confirmed"}),
        (YES, {Ground.LISTED}, {"confirmed"}),
        (YES, set(), {"confirmed", "confirmed_unlisted"}),
        (NOT_SURE, set(), set()),
    ],
)
def test_the_settings_say_what_is_looked_at_twice(decision, ground, asked) -> None:
    for policy in SecondLookFor:
        assert needs_second_look(decision, ground, [policy]) == (policy in asked)


def test_a_decision_against_a_list_that_has_the_very_file_is_looked_at_twice(
    database: Database, clock, settings
) -> None:
    by_default = reviewing(settings, second_look_for=settings.review.second_look_for)
    case = a_case(database, clock)
    matched(database, clock, case)
    assert decided(database, clock, by_default, case, ANNA, NO).second_look is SecondLook.POLICY


def test_a_decision_is_undone_as_if_it_had_not_been(database: Database, clock, alone) -> None:
    case = a_case(database, clock)
    decided(database, clock, alone, case, ANNA)
    clock.turn(seconds=59)
    with database.writing() as connection:
        hold = undo(connection, case, ANNA, clock, alone)
    assert hold
    assert state_of(database, case) is State.IN_REVIEW
    with database.writing() as connection:
        again = decide(connection, case, NO, ANNA, clock, alone, hold=hold.number, basis=Basis.READ)
    assert again.state is State.NOT_CONFIRMED
    with database.reading() as connection:
        kept = read_case(connection, case, BEN).decisions
    assert [bool(each.undone_at) for each in kept] == [True, False]


def test_after_a_minute_nothing_is_undone(database: Database, clock, alone) -> None:
    case = a_case(database, clock)
    decided(database, clock, alone, case, ANNA)
    clock.turn(seconds=60)
    with pytest.raises(OutOfTurnError, match="final"), database.writing() as connection:
        undo(connection, case, ANNA, clock, alone)


def test_nobody_undoes_anothers_decision(database: Database, clock, alone) -> None:
    case = a_case(database, clock)
    decided(database, clock, alone, case, ANNA)
    for other in (BEN, LEAD, OPERATOR):
        with (
            pytest.raises(OutOfTurnError, match="no decision of yours"),
            database.writing() as connection,
        ):
            undo(connection, case, other, clock, alone)


def test_what_a_second_person_has_begun_with_is_not_undone(database, clock, alone) -> None:
    case = a_case(database, clock)
    decided(database, clock, alone, case, ANNA, ask_second=True)
    taken(database, clock, case, BEN)
    with pytest.raises(MoveNotAllowedError, match="too late"), database.writing() as connection:
        undo(connection, case, ANNA, clock, alone)


def test_who_was_drawn_and_undoes_is_drawn_again(
    database: Database, clock, settings, alone
) -> None:
    always = reviewing(settings, second_look_percent=100)
    case = a_case(database, clock)
    decided(database, clock, always, case, ANNA)
    with database.writing() as connection:
        undo(connection, case, ANNA, clock, alone)
    assert decided(database, clock, alone, case, ANNA).second_look is SecondLook.SAMPLE


def test_each_stage_can_be_undone(database: Database, clock, alone) -> None:
    case = a_case(database, clock)
    decided(database, clock, alone, case, ANNA, ask_second=True)
    decided(database, clock, alone, case, BEN, NO)
    with database.writing() as connection:
        undo(connection, case, BEN, clock, alone)
    assert state_of(database, case) is State.IN_SECOND_LOOK
    decided(database, clock, alone, case, BEN, NO)
    clock.turn(minutes=1)
    with database.writing() as connection:
        settled(connection, case, LEAD, clock, alone)
        undo(connection, case, LEAD, clock, alone)
    assert state_of(database, case) is State.DISPUTED


def test_nothing_takes_effect_while_it_can_be_undone(database: Database, clock, alone) -> None:
    case = a_case(database, clock)
    outcome = decided(database, clock, alone, case, ANNA)
    with database.reading() as connection:
        (job,) = connection.execute(
            select(jobs.c.due_at, jobs.c.payload).where(jobs.c.kind == "case.take-effect")
        ).all()
    assert job.due_at == outcome.undo_until
    assert job.payload == {"case": case, "decision": outcome.decision}


def test_nobody_cuts_short_the_time_in_which_another_one_may_undo(
    database: Database, clock, alone
) -> None:
    looked_at_twice, settled_at_once = a_case(database, clock), a_case(database, clock)
    decided(database, clock, alone, looked_at_twice, ANNA, ask_second=True)
    decided(database, clock, alone, settled_at_once, ANNA)
    reopened, disputed = a_case(database, clock), a_case(database, clock)
    decided(database, clock, alone, reopened, ANNA)
    decided(database, clock, alone, disputed, ANNA, NOT_SURE)
    clock.turn(seconds=18)

    def take_it() -> None:
        with database.writing() as connection:
            take(connection, looked_at_twice, BEN, clock, 15, undo_seconds=60)

    def close_it() -> None:
        with database.writing() as connection:
            close(connection, settled_at_once, LEAD, clock, reason="done", undo_seconds=60)

    def reopen_it() -> None:
        with database.writing() as connection:
            reopen(connection, reopened, LEAD, clock, reason="a mistake", undo_seconds=60)

    def settle_it() -> None:
        with database.writing() as connection:
            settled(connection, disputed, LEAD, clock, alone)

    acts = (take_it, close_it, reopen_it, settle_it)
    for act in acts:
        with pytest.raises(OutOfTurnError, match="try again in 42 seconds"):
            act()
    clock.turn(seconds=42)
    for act in acts:
        act()
    assert state_of(database, looked_at_twice) is State.IN_SECOND_LOOK
    assert state_of(database, settled_at_once) is State.CLOSED
