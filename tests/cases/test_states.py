"""The table of moves is whole and consistent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.cases.states import MOVES, Move, State, is_allowed


def test_every_move_leads_somewhere_and_every_state_but_the_first_is_reached() -> None:
    assert set(MOVES) == set(Move)
    assert all(after for ways in MOVES.values() for after in ways.values())
    reached = {after for ways in MOVES.values() for several in ways.values() for after in several}
    assert reached == set(State)


@pytest.mark.parametrize("state", State)
def test_no_state_is_a_dead_end(state: State) -> None:
    assert any(state in ways for ways in MOVES.values())


@pytest.mark.parametrize("state", State)
def test_every_state_has_words(state: State) -> None:
    assert state.words


@given(st.sampled_from(Move), st.sampled_from(State), st.sampled_from(State))
def test_what_the_table_has_not_is_not_allowed(move: Move, before: State, after: State) -> None:
    assert is_allowed(move, before, after) == (after in MOVES[move].get(before, ()))


def test_whatever_is_taken_is_given_back_to_where_it_was() -> None:
    for waiting, several in MOVES[Move.TAKE].items():
        (held,) = several
        assert MOVES[Move.GIVE_BACK][held] == {waiting}
