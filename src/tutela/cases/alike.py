"""Deciding on many cases at once whose files were confirmed elsewhere already.

Nobody has to look at the same file twice. Each case is decided on by itself, with an entry of its
own in the ledger; one that another person holds, that has anything else in it, or that the settings
have a second person look at, is left alone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from tutela.accounts.model import Caller
from tutela.cases.deciding import Decision, Stage, asks_second_look, record_decision
from tutela.cases.grounds import DIGESTS, Basis, is_confirmed, is_final, same_file, undoable_since
from tutela.cases.model import CaseId
from tutela.cases.moving import change_state, enter_move, holder_of
from tutela.cases.states import Move, State
from tutela.cases.tables import case_items, cases
from tutela.cases.taking_effect import effect_later
from tutela.errors import InvalidInputError
from tutela.storage.clock import Clock
from tutela.storage.settings import Settings

MOST_AT_ONCE = 200

# Of a file that is found again and again, no more than so many are looked through.
_MOST_SAME = 2_000
_CASES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a bulk decision.

    Attributes:
        decided: The cases that were decided on.
        left: Those that were not: another one has them, they are not alike any more, or a second
            person has to look.
    """

    decided: tuple[CaseId, ...]
    left: tuple[CaseId, ...]


def alike(
    connection: Connection,
    case: CaseId,
    clock: Clock,
    settings: Settings,
    limit: int = MOST_AT_ONCE,
) -> list[CaseId]:
    """The open cases of which every item is the very same file as one of a confirmed case.

    There are none before the decision on that one is final: nothing is to rest on what can still
    be undone.

    Args:
        connection: Where to read.
        case: The confirmed case.
        clock: The time.
        settings: The configuration.
        limit: How many at most, the oldest first.
    """
    undo_since = undoable_since(clock, settings.review)
    mine = connection.execute(
        select(*DIGESTS)
        .join(cases, cases.c.id == case_items.c.case_id)
        .where(case_items.c.case_id == case, is_confirmed(), is_final(undo_since))
    ).all()
    if not mine:
        return []
    # First the items, by an index of their digests, and only then the states of their cases: asked
    # for both at once, a database may read through all open cases instead.
    same = Counter(
        connection.execute(
            select(case_items.c.case_id)
            .where(same_file(mine), case_items.c.case_id != case)
            .limit(_MOST_SAME)
        ).scalars()
    )
    found: list[tuple[datetime, str]] = []
    numbers = sorted(same)
    every = select(func.count()).where(case_items.c.case_id == cases.c.id).scalar_subquery()
    for start in range(0, len(numbers), _CASES_AT_ONCE):
        rows = connection.execute(
            select(cases.c.id, cases.c.state, cases.c.opened_at, every.label("items")).where(
                cases.c.id.in_(numbers[start : start + _CASES_AT_ONCE])
            )
        )
        # Whatever has anything else in it is looked at by itself.
        found += [
            (row.opened_at, row.id)
            for row in rows
            if row.state == State.OPEN and row.items == same[row.id]
        ]
    return [CaseId(number) for _, number in sorted(found)[:limit]]


def confirm_alike(
    connection: Connection,
    case: CaseId,
    others: Sequence[CaseId],
    caller: Caller,
    clock: Clock,
    settings: Settings,
    *,
    reason: str = "",
) -> Decided:
    """Confirm open cases because the same files are confirmed in another one. Do it last.

    Args:
        connection: A transaction that writes.
        case: The confirmed case.
        others: The cases to confirm, of those that ``alike`` tells of.
        caller: Who decides.
        clock: The time.
        settings: The configuration.
        reason: Why, in the caller's own words.

    Raises:
        InvalidInputError: There are none, or too many.
        NotPermittedError: The caller is a program.
    """
    if not 0 < len(others) <= MOST_AT_ONCE:
        raise InvalidInputError("choose 1 to {most} cases", most=MOST_AT_ONCE)
    holder = holder_of(caller)
    still_alike = set(alike(connection, case, clock, settings, 10 * MOST_AT_ONCE)) & set(others)
    free = (
        select(cases.c.id)
        .where(cases.c.id.in_(still_alike), cases.c.state == State.OPEN)
        .where(cases.c.assigned_to.is_(None) | (cases.c.assigned_to == holder))
        .order_by(cases.c.id)
        .with_for_update(skip_locked=True)
    )
    decided = [
        number
        for number in map(CaseId, connection.execute(free).scalars())
        if not asks_second_look(connection, number, Decision.CONFIRMED, caller, settings.review)
    ]
    reason = reason.strip().replace("\0", "")
    final = clock() + timedelta(seconds=settings.review.undo_seconds)
    for each in decided:
        number = record_decision(
            connection,
            each,
            stage=Stage.FIRST,
            decision=Decision.CONFIRMED,
            basis=Basis.ELSEWHERE,
            state_before=State.OPEN,
            reason=reason,
            caller=caller,
            clock=clock,
        )
        change_state(connection, each, Move.CONFIRM, State.CONFIRMED, clock)
        effect_later(connection, each, number, final, clock)
    for each in decided:
        enter_move(connection, each, Move.CONFIRM, caller, clock, reason=reason)
    return Decided(tuple(decided), tuple(each for each in others if each not in decided))
