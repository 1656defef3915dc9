"""Where a case can stand, and which moves there are. Pure, and the only such table.

``moving.move`` is the only place that changes a case's state. The diagram in ``docs/cases.md`` is
drawn from this table.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    """It waits in the queue."""
    IN_REVIEW = "in_review"
    """A person holds it and decides on it."""
    SECOND_LOOK = "second_look"
    """It was decided on, and waits for a second person who does not know how."""
    IN_SECOND_LOOK = "in_second_look"
    """A second person holds it."""
    DISPUTED = "disputed"
    """Two people disagree, or one of them is not sure: a lead settles it."""
    CONFIRMED = "confirmed"
    """It is what it was taken for, and has to be reported."""
    NOT_CONFIRMED = "not_confirmed"
    """It is not: whatever was blocked because of it is let free."""
    REPORTED = "reported"
    """The authority has it."""
    UNDER_APPEAL = "under_appeal"
    """The person concerned says that it is a mistake."""
    CLOSED = "closed"
    """Nothing is left to do."""

    @property
    def words(self) -> str:
        """The same as people say it."""
        return _WORDS[self]


_WORDS = {
    State.OPEN: "open",
    State.IN_REVIEW: "in review",
    State.SECOND_LOOK: "waiting for a second look",
    State.IN_SECOND_LOOK: "in a second look",
    State.DISPUTED: "disputed",
    State.CONFIRMED: "confirmed",
    State.NOT_CONFIRMED: "not confirmed",
    State.REPORTED: "reported",
    State.UNDER_APPEAL: "under appeal",
    State.CLOSED: "closed",
}


class Move(StrEnum):
    """Why a case's state changes. A word once used is never given another meaning."""

    TAKE = "take"
    GIVE_BACK = "give-back"
    CONFIRM = "confirm"
    NOT_CONFIRM = "not-confirm"
    SEND_ON = "send-on"
    DISPUTE = "dispute"
    UNDO = "undo"
    REPORT = "report"
    CLOSE = "close"
    APPEAL = "appeal"
    UPHOLD = "uphold"
    GRANT = "grant"
    REOPEN = "reopen"


MOVES: Mapping[Move, Mapping[State, frozenset[State]]] = MappingProxyType(
    {
        Move.TAKE: {
            State.OPEN: frozenset({State.IN_REVIEW}),
            State.SECOND_LOOK: frozenset({State.IN_SECOND_LOOK}),
        },
        Move.GIVE_BACK: {
            State.IN_REVIEW: frozenset({State.OPEN}),
            State.IN_SECOND_LOOK: frozenset({State.SECOND_LOOK}),
        },
        Move.CONFIRM: {
            State.OPEN: frozenset({State.CONFIRMED}),
            State.IN_REVIEW: frozenset({State.CONFIRMED}),
            State.IN_SECOND_LOOK: frozenset({State.CONFIRMED}),
            State.DISPUTED: frozenset({State.CONFIRMED}),
        },
        Move.NOT_CONFIRM: {
            State.IN_REVIEW: frozenset({State.NOT_CONFIRMED}),
            State.IN_SECOND_LOOK: frozenset({State.NOT_CONFIRMED}),
            State.DISPUTED: frozenset({State.NOT_CONFIRMED}),
        },
        Move.SEND_ON: {State.IN_REVIEW: frozenset({State.SECOND_LOOK})},
        Move.DISPUTE: {
            State.IN_REVIEW: frozenset({State.DISPUTED}),
            State.IN_SECOND_LOOK: frozenset({State.DISPUTED}),
        },
        Move.UNDO: {
            State.CONFIRMED: frozenset(
                {State.OPEN, State.IN_REVIEW, State.IN_SECOND_LOOK, State.DISPUTED}
            ),
            State.NOT_CONFIRMED: frozenset({State.IN_REVIEW, State.IN_SECOND_LOOK, State.DISPUTED}),
            State.SECOND_LOOK: frozenset({State.IN_REVIEW}),
            State.DISPUTED: frozenset({State.IN_REVIEW, State.IN_SECOND_LOOK}),
        },
        Move.REPORT: {State.CONFIRMED: frozenset({State.REPORTED})},
        Move.CLOSE: {
            State.CONFIRMED: frozenset({State.CLOSED}),
            State.NOT_CONFIRMED: frozenset({State.CLOSED}),
            State.REPORTED: frozenset({State.CLOSED}),
        },
        Move.APPEAL: {
            State.CONFIRMED: frozenset({State.UNDER_APPEAL}),
            State.REPORTED: frozenset({State.UNDER_APPEAL}),
            State.CLOSED: frozenset({State.UNDER_APPEAL}),
        },
        Move.UPHOLD: {
            State.UNDER_APPEAL: frozenset({State.CONFIRMED, State.REPORTED, State.CLOSED})
        },
        Move.GRANT: {State.UNDER_APPEAL: frozenset({State.NOT_CONFIRMED})},
        Move.REOPEN: {
            State.CONFIRMED: frozenset({State.OPEN}),
            State.NOT_CONFIRMED: frozenset({State.OPEN}),
            State.CLOSED: frozenset({State.OPEN}),
        },
    }
)
"""For each move, from which states it leads to which."""


def is_allowed(move: Move, before: State, after: State) -> bool:
    """Whether a case may go from one state to another by this move."""
    return after in MOVES[move].get(before, frozenset())
