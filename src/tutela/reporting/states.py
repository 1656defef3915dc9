"""Where a report can stand, and which moves there are. Pure, and the only such table.

``moving.move`` is the only place that changes a report's state.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where a report stands."""

    DRAFT = "draft"
    """It is being written."""
    SIGNED = "signed"
    """Somebody stands for it, word by word."""
    APPROVED = "approved"
    """A second person agrees that it is sent, where that is asked for."""
    QUEUED = "queued"
    """It is sent by the next worker, and tried again until the authority has it."""
    SENT = "sent"
    """The authority has it, and has given it a number."""
    STOPPED = "stopped"
    """The authority does not take it as it is: a person has to mend it."""
    DISCARDED = "discarded"
    """It is never sent."""

    @property
    def words(self) -> str:
        """The same as people say it."""
        return _WORDS[self]


_WORDS = {
    State.DRAFT: "a draft",
    State.SIGNED: "signed",
    State.APPROVED: "approved",
    State.QUEUED: "waiting to be sent",
    State.SENT: "sent",
    State.STOPPED: "stopped",
    State.DISCARDED: "discarded",
}


class Move(StrEnum):
    """Why a report's state changes. A word once used is never given another meaning."""

    SIGN = "sign"
    APPROVE = "approve"
    RETURN = "return"
    """Back to being written: whoever signed or agreed has to do so anew."""
    QUEUE = "queue"
    SEND = "send"
    STOP = "stop"
    DISCARD = "discard"


MOVES: Mapping[Move, Mapping[State, State]] = MappingProxyType(
    {
        Move.SIGN: {State.DRAFT: State.SIGNED},
        Move.APPROVE: {State.SIGNED: State.APPROVED},
        Move.RETURN: {
            State.SIGNED: State.DRAFT,
            State.APPROVED: State.DRAFT,
            State.STOPPED: State.DRAFT,
        },
        Move.QUEUE: {State.SIGNED: State.QUEUED, State.APPROVED: State.QUEUED},
        Move.SEND: {State.QUEUED: State.SENT},
        Move.STOP: {State.QUEUED: State.STOPPED},
        Move.DISCARD: {
            State.DRAFT: State.DISCARDED,
            State.SIGNED: State.DISCARDED,
            State.APPROVED: State.DISCARDED,
            State.STOPPED: State.DISCARDED,
        },
    }
)
"""For each move, from which states it leads where."""

ENDED = frozenset({State.SENT, State.DISCARDED})
"""Nothing is left to do, so nothing of what was written rests in the database any more."""


def after(move: Move, before: State) -> State | None:
    """Where a report stands after a move, or ``None`` if there is no such move from there."""
    return MOVES[move].get(before)
