"""Labels, notes, assignment, closing, facts, and bulk decisions."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.cases.world import (
    ANNA,
    BEN,
    LEAD,
    PROGRAM,
    a_case,
    decided,
    employ,
    moves_of,
    reviewing,
    state_of,
    taken,
)
from tutela.accounts.model import PersonId
from tutela.cases.alike import alike, confirm_alike
from tutela.cases.assigning import assign
from tutela.cases.closing import close, reopen
from tutela.cases.deciding import Decision, undo
from tutela.cases.facts import Fact
from tutela.cases.labelling import label, unlabel
from tutela.cases.marking import mark
from tutela.cases.moving import MoveNotAllowedError
from tutela.cases.noting import note
from tutela.cases.reading import read_case
from tutela.cases.schemes import all_schemes
from tutela.cases.states import State
from tutela.errors import InvalidInputError, NotFoundError, NotPermittedError, SettingsError
from tutela.ledger.tables import ledger_reasons
from tutela.storage.database import Database
from tutela.storage.settings import SecondLookFor, Settings, load_settings

_, NO, _ = Decision


@pytest.fixture
def settings(data: Path) -> Settings:
    """On SQLite; what depends on the database is tested over HTTP and at random on both."""
    return reviewing(load_settings(data=data))


@pytest.fixture
def case(database: Database, clock):
    employ(database, clock)
    return a_case(database, clock)


def labels(database: Database, case) -> list[tuple[str, str]]:
    with database.reading() as connection:
        return [(each.scheme, each.label) for each in read_case(connection, case, PROGRAM).labels]


def put(database, case, clock, settings, scheme: str, code: str, item: int | None = None) -> int:
    with database.writing() as connection:
        return label(connection, case, scheme, code, ANNA, clock, settings=settings, item=item)


def test_of_a_scheme_with_one_label_the_last_one_counts(database, clock, settings, case) -> None:
    first = put(database, case, clock, settings, "industry", "A1")
    assert put(database, case, clock, settings, "industry", "A1") == first
    put(database, case, clock, settings, "industry", "B2")
    put(database, case, clock, settings, "inhope", "material-image")
    put(database, case, clock, settings, "inhope", "context-commercial")
    assert labels(database, case) == [
        ("industry", "B2"),
        ("inhope", "material-image"),
        ("inhope", "context-commercial"),
    ]


def test_a_label_is_taken_away_once(database: Database, clock, settings, case) -> None:
    number = put(database, case, clock, settings, "industry", "A1")
    with database.writing() as connection:
        unlabel(connection, case, number, BEN, clock)
    assert labels(database, case) == []
    with pytest.raises(NotFoundError, match="no label"), database.writing() as connection:
        unlabel(connection, case, number, BEN, clock)


@pytest.mark.parametrize(
    ("scheme", "code", "item"),
    [("industry", "C1", None), ("unheard-of", "A1", None), ("industry", "A1", 99)],
)
def test_what_is_not_there_is_no_label(database, clock, settings, case, scheme, code, item) -> None:
    with pytest.raises(NotFoundError):
        put(database, case, clock, settings, scheme, code, item)


def test_an_operator_adds_schemes_and_replaces_ours(settings: Settings, tmp_path: Path) -> None:
    ours = '[[labels]]\ncode = "a"\nwords = "what it says"\n'
    (tmp_path / "own.toml").write_text('title = "Own"\nversion = "1"\n' + ours)
    (tmp_path / "industry.toml").write_text(
        'title = "Industry"\nversion = "2"\nsource = "a page"\nchecked_on = "2026-01-15"\n' + ours
    )
    schemes = {each.id: each for each in all_schemes(_with(settings, tmp_path))}
    assert sorted(schemes) == ["industry", "inhope", "interpol-baseline", "own"]
    assert (schemes["industry"].version, schemes["industry"].verified) == ("2", True)
    assert not schemes["own"].verified


@pytest.mark.parametrize(
    "text",
    [
        "title",
        'title = "T"\nversion = "1"',
        'title = "T"\nversion = "1"\nlabels = []',
        'title = "T"\nversion = "1"\n[[labels]]\ncode = "a"',
        'title = "T"\nversion = "1"\n[[labels]]\ncode = "a"\nwords = "w"\nunheard = "of"',
    ],
)
def test_a_scheme_that_cannot_be_read_is_said(settings, tmp_path: Path, text: str) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"own\.toml"):
        all_schemes(_with(settings, tmp_path))


def _with(settings: Settings, folder: Path) -> Settings:
    review = settings.review.model_copy(update={"label_schemes": folder})
    return settings.model_copy(update={"review": review})


def test_a_note_is_kept_and_no_words_are_none(database: Database, clock, case) -> None:
    with database.writing() as connection:
        note(connection, case, "  a landscape\0 ", ANNA, clock)
    with database.reading() as connection:
        (kept,) = read_case(connection, case, BEN).notes
    assert (kept.words, kept.written_by) == ("a landscape", "person:1")
    with pytest.raises(InvalidInputError), database.writing() as connection:
        note(connection, case, " ", ANNA, clock)


def test_before_a_second_look_what_the_first_one_wrote_is_hidden(
    database: Database, clock, settings, case
) -> None:
    with database.writing() as connection:
        note(connection, case, "it is plain to me", ANNA, clock)
    with database.writing() as connection:
        note(connection, case, "from the platform", LEAD, clock)
    put(database, case, clock, settings, "industry", "A1")
    decided(database, clock, settings, case, ANNA, ask_second=True)
    with database.reading() as connection:
        seen = read_case(connection, case, BEN)
        assert [each.words for each in seen.notes] == ["from the platform"]
        assert seen.labels == ()
        assert len(read_case(connection, case, ANNA).notes) == 2


def test_only_those_who_decide_are_assigned(database: Database, clock, case) -> None:
    with database.writing() as connection:
        assign(connection, case, PersonId(2), LEAD, clock, reason="speaks the language")
    with database.reading() as connection:
        assert read_case(connection, case, ANNA).assigned_to == 2
    with pytest.raises(NotFoundError), database.writing() as connection:
        assign(connection, case, PersonId(99), LEAD, clock)
    with database.writing() as connection:
        assign(connection, case, None, LEAD, clock)
    assert taken(database, clock, case, ANNA)


def test_closing_and_reopening_say_why(database: Database, clock, settings, case) -> None:
    with pytest.raises(MoveNotAllowedError), database.writing() as connection:
        close(connection, case, LEAD, clock, reason="done")
    decided(database, clock, settings, case, ANNA)
    with pytest.raises(InvalidInputError, match="say why"), database.writing() as connection:
        close(connection, case, LEAD, clock, reason=" ")
    with database.writing() as connection:
        close(connection, case, LEAD, clock, reason="done")
    with database.writing() as connection:
        reopen(connection, case, LEAD, clock, reason="more came")
    assert state_of(database, case) is State.OPEN
    with database.reading() as connection:
        words = connection.execute(select(ledger_reasons.c.words)).scalars().all()
    assert {"done", "more came"} <= set(words)


def test_a_case_that_is_decided_anew_may_have_another_end(database, clock, settings, case) -> None:
    decided(database, clock, settings, case, ANNA)
    with database.writing() as connection:
        reopen(connection, case, LEAD, clock, reason="a mistake")
    assert decided(database, clock, settings, case, ANNA, NO).state is State.NOT_CONFIRMED


def test_what_people_say_is_replaced_and_what_tutela_knows_stays(database, clock, case) -> None:
    with database.writing() as connection:
        mark(connection, case, {Fact.LIVE_STREAM}, None, ANNA, clock)
    with database.writing() as connection:
        mark(connection, case, {Fact.ESCALATED}, clock() + timedelta(days=1), ANNA, clock)
    with database.reading() as connection:
        found = read_case(connection, case, ANNA)
    assert found.facts == ("escalated", "statutory_clock")
    assert found.due_at == clock() + timedelta(days=1)


def test_the_same_files_are_confirmed_together_and_nothing_else(database, clock, settings) -> None:
    employ(database, clock)
    first, *same = (a_case(database, clock, b"the same") for _ in range(4))
    other = a_case(database, clock, b"another")
    with database.reading() as connection:
        assert alike(connection, first, clock, settings) == []
    decided(database, clock, settings, first, ANNA)
    clock.turn(seconds=59)
    with database.reading() as connection:
        # It may still be undone, and then there would be nothing that these rest on.
        assert alike(connection, first, clock, settings) == []
    clock.turn(seconds=1)
    taken(database, clock, same[0], BEN)
    with database.reading() as connection:
        assert sorted(alike(connection, first, clock, settings)) == sorted(same[1:])
    with database.writing() as connection:
        done = confirm_alike(connection, first, [*same, other], ANNA, clock, settings)
    assert sorted(done.decided) == sorted(same[1:])
    assert sorted(done.left) == sorted([same[0], other])
    assert [state_of(database, each) for each in same] == [
        State.IN_REVIEW,
        State.CONFIRMED,
        State.CONFIRMED,
    ]
    assert moves_of(database, same[1]) == ["confirm person:1"]
    with database.writing() as connection:
        assert undo(connection, same[1], ANNA, clock, settings) is None
    assert state_of(database, same[1]) is State.OPEN


@pytest.mark.parametrize("policy", [SecondLookFor.CONFIRMED, SecondLookFor.CONFIRMED_UNLISTED])
def test_what_a_second_person_always_looks_at_is_not_confirmed_together(
    database: Database, clock, settings, policy
) -> None:
    employ(database, clock)
    first, second = a_case(database, clock, b"the same"), a_case(database, clock, b"the same")
    decided(database, clock, settings, first, ANNA)
    clock.turn(minutes=2)
    strict = reviewing(settings, second_look_for=(policy,))
    with database.writing() as connection:
        done = confirm_alike(connection, first, [second], ANNA, clock, strict)
    assert (done.decided, done.left) == ((), (second,))


def test_no_program_confirms_in_bulk(database: Database, clock, settings) -> None:
    employ(database, clock)
    first, second = a_case(database, clock, b"the same"), a_case(database, clock, b"the same")
    decided(database, clock, settings, first, ANNA)
    clock.turn(minutes=2)
    with pytest.raises(NotPermittedError), database.writing() as connection:
        confirm_alike(connection, first, [second], PROGRAM, clock, settings)
