"""Each move that there is, and no other one."""

import pytest

from tutela.reporting.states import ENDED, MOVES, Move, State, after


@pytest.mark.parametrize("state", State)
def test_only_what_the_table_names_leads_anywhere(state: State) -> None:
    found = {move: after(move, state) for move in Move if after(move, state)}
    assert found == {
        State.DRAFT: {Move.SIGN: State.SIGNED, Move.DISCARD: State.DISCARDED},
        State.SIGNED: {
            Move.APPROVE: State.APPROVED,
            Move.RETURN: State.DRAFT,
            Move.QUEUE: State.QUEUED,
            Move.DISCARD: State.DISCARDED,
        },
        State.APPROVED: {
            Move.RETURN: State.DRAFT,
            Move.QUEUE: State.QUEUED,
            Move.DISCARD: State.DISCARDED,
        },
        State.QUEUED: {Move.SEND: State.SENT, Move.STOP: State.STOPPED},
        State.STOPPED: {Move.RETURN: State.DRAFT, Move.DISCARD: State.DISCARDED},
    }.get(state, {})


def test_nothing_unsigned_is_queued_and_nothing_leaves_an_end() -> None:
    assert State.DRAFT not in MOVES[Move.QUEUE]
    assert not any(after(move, state) for move in Move for state in ENDED)
