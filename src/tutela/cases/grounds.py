"""What a decision can rest on, and what there is in a case to rest it on.

"Seen" is never taken on trust: it is true only of who looked, by the record of viewings. Whether a
file was viewed before it was reported decides what the police may open without a warrant.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, and_, exists, or_, select

from tutela.accounts.model import Caller
from tutela.cases.model import CaseId, ItemKind
from tutela.cases.states import State
from tutela.cases.tables import case_decisions, case_items, case_matches, cases, viewings
from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Kind
from tutela.sandbox.model import Level, Shown
from tutela.storage.clock import Clock
from tutela.storage.settings import Review


class Basis(StrEnum):
    """What a decision rests on."""

    SEEN = "seen"
    """Whoever decides looked at it."""
    DIGEST = "digest"
    """A list has the very same file, to the bit, so nobody has to look."""
    ELSEWHERE = "elsewhere"
    """The same file was confirmed in another case, and that can no longer be undone."""
    READ = "read"
    """Whoever decides read its words and addresses, or there is nothing that could be looked at."""


class Ground(StrEnum):
    """What there is in a case to rest a decision on."""

    LISTED = "listed"
    """A list has it, or something like it."""
    DIGEST = "digest"
    """A list has the very same file of one of its items."""
    EVERY_DIGEST = "every-digest"
    """Lists have the very same file of each of its items."""
    ELSEWHERE = "elsewhere"
    """The same file as each of its items was confirmed in another case, and that is final."""
    WORDS = "words"
    """It has words or an address."""
    SIGHT = "sight"
    """Something was sealed that can be looked at."""


WORDS = (ItemKind.TEXT, ItemKind.URL)
DIGESTS = (case_items.c.md5, case_items.c.sha1, case_items.c.sha256)


def ground_of(
    connection: Connection,
    case: CaseId,
    undo_since: datetime | None = None,
    *,
    elsewhere: bool = True,
) -> frozenset[Ground]:
    """What there is in a case to rest a decision on.

    Args:
        connection: A transaction.
        case: The case.
        undo_since: What was decided on other cases since then can still be undone, so that nothing
            rests on it; ``None`` for all that was decided.
        elsewhere: Whether other cases are asked too, which takes longest: leave it away where
            nothing rests on them.
    """
    items = connection.execute(
        select(case_items.c.id, case_items.c.kind, case_items.c.evidence_id, *DIGESTS).where(
            case_items.c.case_id == case
        )
    ).all()
    matched: defaultdict[int, bool] = defaultdict(bool)
    for match in connection.execute(
        select(case_matches.c.item_id, is_the_very_file().label("exact"))
        .distinct()
        .where(case_matches.c.item_id.in_([item.id for item in items]))
    ):
        matched[match.item_id] |= bool(match.exact)
    found = {Ground.LISTED} if matched else set()
    exact = [item for item in items if matched.get(item.id)]
    if exact:
        found.add(Ground.DIGEST)
    # What one item is says nothing of another one that came later from the same sender.
    if exact and len(exact) == len(items):
        found.add(Ground.EVERY_DIGEST)
    if any(item.kind in WORDS for item in items):
        found.add(Ground.WORDS)
    if any(item.evidence_id for item in items if item.kind not in WORDS):
        found.add(Ground.SIGHT)
    if (
        elsewhere
        and items
        and all(_confirmed_elsewhere(connection, case, each, undo_since) for each in items)
    ):
        found.add(Ground.ELSEWHERE)
    return frozenset(found)


def bases_for(
    connection: Connection, case: CaseId, ground: Collection[Ground], caller: Caller
) -> list[Basis]:
    """What this caller's decision may rest on, the one that spares most first."""
    seen, read = has_seen(connection, case, caller), _has_read(connection, case, caller)
    return possible_bases(ground, seen=seen, read=read)


def possible_bases(ground: Collection[Ground], *, seen: bool, read: bool) -> list[Basis]:
    """What a decision may rest on, the one that spares most first. Pure.

    Args:
        ground: What there is in the case.
        seen: Whether whoever decides looked at something of it.
        read: Whether all that was sealed of it was shown to them, as far as it can be.
    """
    possible = {
        Basis.DIGEST: Ground.EVERY_DIGEST in ground,
        Basis.ELSEWHERE: Ground.ELSEWHERE in ground,
        Basis.SEEN: seen,
        Basis.READ: read and (Ground.WORDS in ground or not seen),
    }
    return [basis for basis in possible if possible[basis]]


def check_basis(
    connection: Connection, case: CaseId, basis: Basis, ground: Collection[Ground], caller: Caller
) -> None:
    """See that a decision can rest on this.

    Raises:
        InvalidInputError: It cannot.
    """
    if basis not in bases_for(connection, case, ground, caller):
        raise InvalidInputError(
            "the decision on {case} cannot rest on that: {why}", case=case, why=_WHY_NOT[basis]
        )


def has_seen(connection: Connection, case: CaseId, caller: Caller) -> bool:
    """Whether a person looked at something of this case: more was shown to them than a veil.

    To have read its words is not enough where there is something else to look at.
    """
    if caller.person is None:
        return False
    more_than_words = exists().where(
        case_items.c.case_id == case,
        case_items.c.evidence_id.is_not(None),
        case_items.c.kind.not_in(WORDS),
    )
    looked = exists().where(
        viewings.c.case_id == case,
        viewings.c.person == caller.person,
        viewings.c.level != Level.VEIL,
        viewings.c.shown != Shown.NOTHING,
        or_(viewings.c.shown != Shown.TEXT, ~more_than_words),
    )
    return bool(connection.execute(select(looked)).scalar_one())


def _has_read(connection: Connection, case: CaseId, caller: Caller) -> bool:
    """Whether a person was shown the words of each item that has some, and everything else.

    Of what cannot be shown at all, it is enough that they tried to see it.
    """
    shown = exists().where(
        viewings.c.item_id == case_items.c.id,
        viewings.c.person == caller.person,
        viewings.c.level != Level.VEIL,
        viewings.c.shown.is_not(None),
        or_(viewings.c.shown == Shown.TEXT, case_items.c.kind.not_in(WORDS)),
    )
    left = select(case_items.c.id).where(
        case_items.c.case_id == case, case_items.c.evidence_id.is_not(None), ~shown
    )
    return connection.execute(left.limit(1)).scalar_one_or_none() is None


def is_the_very_file() -> ColumnElement[bool]:
    """That a match says of its item that a list has it to the bit, and not only something in it."""
    return and_(
        case_matches.c.kind.in_([kind for kind in Kind if kind.is_digest]),
        case_matches.c.place == "",
    )


def matched_entries(
    connection: Connection, case: CaseId, *, the_very_files: bool = False
) -> list[int]:
    """The numbers of the entries that a case's items matched.

    Args:
        connection: A transaction.
        case: The case.
        the_very_files: Only those that are of the very same file as an item.
    """
    found = (
        select(case_matches.c.entry_id)
        .distinct()
        .join_from(case_items, case_matches)
        .where(case_items.c.case_id == case)
    )
    if the_very_files:
        found = found.where(is_the_very_file())
    return list(connection.execute(found).scalars())


def same_file(items: Sequence[Row[*tuple[Any, ...]]]) -> ColumnElement[bool]:
    """That an item is the very same file as one of these, of which the digests are given.

    Where both have a SHA-256, that alone decides: others can be forged.
    """
    sha256 = case_items.c.sha256
    alike: list[ColumnElement[bool]] = [sha256.in_({item.sha256 for item in items} - {None})]
    for column in (case_items.c.sha1, case_items.c.md5):
        known = {getattr(item, column.name) for item in items} - {None}
        weak = {getattr(item, column.name) for item in items if item.sha256 is None} - {None}
        alike.append(and_(column.in_(known), sha256.is_(None)))
        if weak:
            alike.append(column.in_(weak))
    return or_(*alike)


def is_confirmed() -> ColumnElement[bool]:
    """That a case is confirmed, whatever has been done about it since."""
    settled = (State.CONFIRMED, State.REPORTED, State.CLOSED)
    # As an expression, so that no index of states is taken for a way in: most cases are settled,
    # and whoever asks has a few of them in view already.
    return and_(
        cases.c.state.concat("").in_(settled), _last(case_decisions.c.decision) == "confirmed"
    )


def undoable_since(clock: Clock, review: Review) -> datetime:
    """Since when what was decided can still be undone."""
    return clock() - timedelta(seconds=review.undo_seconds)


def is_final(undo_since: datetime) -> ColumnElement[bool]:
    """That the decision on a case was taken before the time in which one can still be undone."""
    return _last(case_decisions.c.decided_at) <= undo_since


def _last(column: ColumnElement[Any]) -> ScalarSelect[Any]:
    """What a column has of the last decision on a case."""
    return (
        select(column)
        .where(case_decisions.c.case_id == cases.c.id, case_decisions.c.undone_at.is_(None))
        .order_by(case_decisions.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def _confirmed_elsewhere(
    connection: Connection,
    case: CaseId,
    item: Row[*tuple[Any, ...]],
    undo_since: datetime | None,
) -> bool:
    # Asked of one item after the other: each is found by an index, and the first one that nobody
    # confirmed elsewhere ends it. One question about all of them reads through the table.
    same = (
        select(case_items.c.id)
        .join(cases, cases.c.id == case_items.c.case_id)
        .where(same_file([item]), case_items.c.case_id != case, is_confirmed())
    )
    if undo_since is not None:
        same = same.where(is_final(undo_since))
    return connection.execute(same.limit(1)).scalar_one_or_none() is not None


_WHY_NOT = {
    Basis.SEEN: "you have not looked at anything of it, or at a veil alone",
    Basis.DIGEST: "no list has the very same file of each item; a similar one is not the same",
    Basis.ELSEWHERE: "the same file as each item is confirmed in no other case",
    Basis.READ: "on the console's page of the case, read the words of each text and address, and "
    "look at whatever else can be looked at; words are shown nowhere else",
}
