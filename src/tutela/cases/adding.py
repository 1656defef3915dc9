"""Adding items to cases, new or open, in one transaction with the evidence for them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from tutela.cases.facts import Fact, facts_of_item
from tutela.cases.joining import (
    lock_in_states,
    lock_subjects,
    open_case_of,
    was_confirmed_before,
)
from tutela.cases.model import CaseId, Item, Match, new_case_id
from tutela.cases.opening import (
    add_facts,
    add_item,
    case_of_request,
    enter_item,
    enter_opened,
    make_case,
    remove_empty,
)
from tutela.cases.states import State
from tutela.errors import OutOfTurnError
from tutela.evidence.model import Content, ItemId, Missed, Sealed, new_item_id
from tutela.evidence.vault import Vault
from tutela.ledger.appending import append
from tutela.ledger.model import SYSTEM, Act, Actor
from tutela.storage.clock import Clock

TAKES_ITEMS = (State.OPEN, State.IN_REVIEW, State.DISPUTED)
"""Where a case stands that a person may add items to: it is not decided, and in nobody's second
look, who would decide on more than the first one did."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A case that is to be opened, or an item that is to join one.

    Attributes:
        item: What was found.
        matches: Why.
        request: Names this very request, as in ``open_case``.
        content: The file's bytes, if it is there and not only its fingerprints.
        actor: Who sent it.
        subject: Whom it is about, as the platform calls them: if a case of theirs is open, the
            item joins that.
        into: The case that the item has to be added to, whatever its subject.
        joins: The case that an item without a subject joins if that is open and has room.
        beside: Does what else is to be done in the same transaction if the item is added, before
            anything is entered into the ledger. It is given the case.
        facts: What whoever sent it says of it.
        due_at: When it has to be decided, if the law or the operator says so.
        case: The number that the case will have, if it is a new one.
        evidence: The id that the evidence will have.
        is_source: Whether it only says where another item of the case was: that no list has it
            says nothing then.
    """

    item: Item
    matches: Sequence[Match]
    request: str | None = None
    content: Content | None = None
    actor: Actor = SYSTEM
    subject: str | None = None
    into: CaseId | None = None
    joins: CaseId | None = None
    beside: Callable[[Connection, CaseId], None] | None = None
    facts: frozenset[Fact] = frozenset()
    due_at: datetime | None = None
    case: CaseId = field(default_factory=new_case_id)
    evidence: ItemId = field(default_factory=new_item_id)
    is_source: bool = False

    @property
    def all_facts(self) -> frozenset[Fact]:
        """What is known of it."""
        if self.is_source:
            return self.facts
        return self.facts | facts_of_item(self.item, self.matches)


class KnownMeanwhileError(Exception):
    """Another one has opened a case for the same request."""


class HomeGoneError(Exception):
    """The case that an item was to join is being decided on by now, or another one is open."""


def add_all(
    vault: Vault,
    openings: Sequence[Opening],
    homes: Mapping[int, CaseId],
    taken: Mapping[int, Sealed | Missed],
    clock: Clock,
) -> dict[int, CaseId]:
    """Add the items at some places to their cases.

    Args:
        vault: Where the evidence is.
        openings: All that is to be added.
        homes: The case that each is to be in, by its place.
        taken: What was sealed for each, by its place.
        clock: The time.

    Returns:
        The case of each: another one than planned, where the request was known.

    Raises:
        StaleSealError: Some evidence has to be sealed once more.
        KnownMeanwhileError: A request has become known, for which something was sealed.
        HomeGoneError: A case cannot be joined any more.
        OutOfTurnError: A case that is named takes no more items.
    """
    if not homes:
        return {}
    cases: dict[int, CaseId] = {}
    with vault.database.writing() as connection:
        # Before the ledger is written to, for which everybody else waits from then on; and in one
        # order everywhere, so that no two of these wait for each other.
        vault.claim(connection, [each for each in taken.values() if isinstance(each, Sealed)])
        made = _prepare(connection, openings, homes, clock)
        added: dict[int, int] = {}
        for place in sorted(homes, key=lambda place: openings[place].request or ""):
            opening = openings[place]
            item = add_item(
                connection,
                homes[place],
                opening.item,
                opening.matches,
                clock,
                request=opening.request,
                evidence=opening.evidence if place in taken else None,
            )
            if item is not None:
                added[place], cases[place] = item, homes[place]
            elif place in taken:
                raise KnownMeanwhileError
            else:
                cases[place] = case_of_request(connection, opening.request)
        opened = made & set(cases.values())
        for case in made - opened:
            remove_empty(connection, case)
        changed = _note_facts(connection, openings, homes, made, added)
        for place in added:
            if (beside := openings[place].beside) is not None:
                beside(connection, cases[place])
        _enter(connection, openings, cases, added, opened, clock)
        for place in sorted(cases):
            evidence, actor = taken.get(place), openings[place].actor
            if isinstance(evidence, Sealed):
                vault.keep(connection, evidence, actor)
            elif evidence is not None:
                vault.keep_missed(connection, evidence, actor)
        for case in sorted(changed):
            append(connection, SYSTEM, Act.CASE_FACTS_CHANGED, clock, case=case)
    return cases


def _prepare(
    connection: Connection,
    openings: Sequence[Opening],
    homes: Mapping[int, CaseId],
    clock: Clock,
) -> set[CaseId]:
    """See that every case can be joined, and make those that are new."""
    keys = {each for place in homes if (each := openings[place].subject) is not None}
    subjects = lock_subjects(connection, keys, clock)
    new = {place: home for place, home in homes.items() if home == openings[place].case}
    made = set(new.values())
    named = {each for place in homes if (each := openings[place].into) is not None} - made
    if lock_in_states(connection, named, TAKES_ITEMS) != named:
        raise OutOfTurnError("the case takes no more items: it is decided, or in a second look")
    joined = set(homes.values()) - made - named
    if lock_in_states(connection, joined, (State.OPEN,)) != joined:
        raise HomeGoneError
    for place, home in new.items():
        opening = openings[place]
        subject = None if opening.subject is None else subjects[opening.subject]
        facts = set(opening.all_facts)
        if opening.subject is not None and subject is not None:
            if opening.into is None and open_case_of(connection, opening.subject) is not None:
                raise HomeGoneError
            if was_confirmed_before(connection, subject):
                facts.add(Fact.CONFIRMED_BEFORE)
        make_case(connection, home, facts, clock, subject=subject, due_at=opening.due_at)
    return made


def _note_facts(
    connection: Connection,
    openings: Sequence[Opening],
    homes: Mapping[int, CaseId],
    made: set[CaseId],
    added: Mapping[int, int],
) -> set[CaseId]:
    """Note what follows from the new items; gives the old cases of which more is known now."""
    changed = set()
    for place in added:
        opening = openings[place]
        if add_facts(connection, homes[place], opening.all_facts) and homes[place] not in made:
            changed.add(homes[place])
    return changed


def _enter(
    connection: Connection,
    openings: Sequence[Opening],
    cases: Mapping[int, CaseId],
    added: Mapping[int, int],
    opened: set[CaseId],
    clock: Clock,
) -> None:
    """Say in the ledger what was opened, and what was added."""
    told: set[CaseId] = set()
    for place in sorted(added):
        actor, case = openings[place].actor, cases[place]
        if case in opened and case not in told:
            enter_opened(connection, case, openings[place].matches, actor, clock)
            told.add(case)
        else:
            enter_item(connection, case, added[place], actor, clock)
