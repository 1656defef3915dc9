"""What is known of a case says when it comes, and whether it is hard to look at."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.cases.facts import (
    FACTS,
    Fact,
    facts_of_matches,
    facts_text,
    rank,
    read_facts,
    said_facts,
)
from tutela.cases.model import Match
from tutela.cases.waiting import why
from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Kind

NOW = datetime(2026, 1, 15, tzinfo=UTC)
SOME = st.frozensets(st.sampled_from(Fact))


@pytest.mark.parametrize(
    ("facts", "days", "severe"),
    [
        (set(), 0, False),
        ({Fact.KNOWN}, 0, False),
        ({Fact.SIMILAR}, 1, False),
        ({Fact.FIRST_SEEN}, 7, True),
        ({Fact.LIVE_STREAM}, 30, True),
        ({Fact.CONTACT_OFFENCE, Fact.FIRST_SEEN}, 37, True),
        ({Fact.IMMINENT_DANGER}, 60, True),
        ({Fact.ESCALATED, Fact.KNOWN}, 14, False),
        ({Fact.CONFIRMED_BEFORE}, 3, False),
    ],
)
def test_the_table_says_when_a_case_comes(facts, days, severe) -> None:
    found = rank(facts, NOW)
    assert (NOW - found.rank_at, found.severe) == (timedelta(days=days), severe)


def test_what_has_to_be_decided_in_time_comes_before_what_has_not() -> None:
    due = rank({Fact.KNOWN}, NOW, NOW + timedelta(days=1))
    assert Fact.STATUTORY_CLOCK in due.facts
    assert due.rank_at < rank({Fact.KNOWN}, NOW).rank_at


@given(SOME, SOME)
def test_whatever_else_is_known_never_puts_a_case_back(some, more) -> None:
    # Of each case something is known; what alone could not be looked at can wait.
    known = some or {Fact.KNOWN}
    assert rank(known | more, NOW).rank_at <= rank(known, NOW).rank_at
    assert rank(some | more, NOW).severe >= rank(some, NOW).severe


@given(SOME)
def test_facts_are_kept_as_they_are(some) -> None:
    assert read_facts(facts_text(some)) == some
    assert len(facts_text(Fact)) <= 500


def test_every_fact_has_its_row_and_every_reason_its_words() -> None:
    assert set(FACTS) == set(Fact)
    for fact in set(Fact) - {Fact.STATUTORY_CLOCK}:
        reasons = why([fact], NOW, None, NOW + timedelta(days=3))
        assert reasons[0].words.startswith(fact.words)
        assert reasons[-1].words == "it has waited for 3 days"


def test_what_no_program_could_look_at_can_wait_unless_something_else_is_known() -> None:
    alone, known = rank({Fact.UNREADABLE}, NOW), rank({Fact.KNOWN}, NOW)
    assert alone.rank_at == NOW + timedelta(days=7)
    assert rank({Fact.UNREADABLE, Fact.KNOWN}, NOW).rank_at == known.rank_at
    told = [why([*facts], NOW, None, NOW)[-2].words for facts in
            ([Fact.UNREADABLE], [Fact.KNOWN, Fact.UNREADABLE])]  # fmt: skip
    assert told == [
        "no program could look at it: put back by 7 days",
        "no program could look at it",
    ]


def test_a_limit_is_told_first() -> None:
    for after, words in ((1, "it has to be decided by"), (-1, "it had to be decided by")):
        due = NOW + timedelta(hours=after)
        assert why(["statutory_clock", "known"], NOW, due, NOW)[0].words.startswith(words)


@pytest.mark.parametrize(
    ("kinds", "fact"),
    [
        ([], Fact.FIRST_SEEN),
        ([Kind.PDQ], Fact.SIMILAR),
        ([Kind.PDQ, Kind.MD5], Fact.KNOWN),
        ([Kind.SHA256], Fact.KNOWN),
    ],
)
def test_what_matched_is_a_fact(kinds, fact) -> None:
    assert facts_of_matches([Match(1, "partner", 1, kind, 0) for kind in kinds]) == {fact}


def test_what_holds_something_known_is_not_known_itself() -> None:
    assert facts_of_matches([Match(1, "partner", 1, Kind.MD5, 0, "a.jpg")]) == {Fact.SIMILAR}


@pytest.mark.parametrize("name", ["known", "first_seen", "unheard_of"])
def test_nobody_says_what_tutela_finds_out_or_does_not_know(name) -> None:
    with pytest.raises(InvalidInputError, match="imminent_danger"):
        said_facts([name])
