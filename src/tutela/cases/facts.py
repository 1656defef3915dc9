"""What is known of a case that makes it more urgent, or harder to look at. Pure, and one table.

A case is queued by the moment it was opened, put forward by its facts: so an urgent one comes soon,
and an old one comes at last, whatever else arrives.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from tutela.cases.model import Item, Match
from tutela.errors import InvalidInputError


class Fact(StrEnum):
    """What is known of a case. A word once used is never given another meaning."""

    IMMINENT_DANGER = "imminent_danger"
    """A child may be in danger at this moment."""
    LIVE_STREAM = "live_stream"
    """It is, or was, transmitted live."""
    CONTACT_OFFENCE = "contact_offence"
    """There are signs that somebody abuses a child they can reach."""
    SEXUAL_EXTORTION = "sexual_extortion"
    """Somebody is threatened with pictures of them."""
    ESCALATED = "escalated"
    """Whoever sent it asks for haste."""
    FIRST_SEEN = "first_seen"
    """No list has it: it may show a child whom nobody has found yet."""
    SIMILAR = "similar"
    """A list has something like it."""
    KNOWN = "known"
    """A list has the very same file."""
    CONFIRMED_BEFORE = "confirmed_before"
    """An earlier case of the same subject was confirmed."""
    STATUTORY_CLOCK = "statutory_clock"
    """The law, or the operator, says until when it has to be decided."""
    UNREADABLE = "unreadable"
    """No list has it, and it could not be looked at: the policy says that a person does."""

    @property
    def words(self) -> str:
        """The same as people say it."""
        return FACTS[self].words

    @property
    def is_derived(self) -> bool:
        """Whether Tutela finds it out by itself, so that nobody says it."""
        return self in _DERIVED


@dataclass(frozen=True, slots=True)
class Weight:
    """What a fact does to a case.

    Attributes:
        words: What it is called.
        forward: How far it puts the case forward; if it is negative, and nothing else is known, it
            puts the case back.
        severe: Whether it makes the case hard on whoever looks.
    """

    words: str
    forward: timedelta
    severe: bool = False


FACTS: Mapping[Fact, Weight] = MappingProxyType(
    {
        Fact.IMMINENT_DANGER: Weight("a child may be in danger now", timedelta(days=60), True),
        Fact.LIVE_STREAM: Weight("live stream", timedelta(days=30), True),
        Fact.CONTACT_OFFENCE: Weight("signs of a contact offence", timedelta(days=30), True),
        Fact.SEXUAL_EXTORTION: Weight("sexual extortion", timedelta(days=30)),
        Fact.ESCALATED: Weight("whoever sent it asks for haste", timedelta(days=14)),
        Fact.FIRST_SEEN: Weight("no list has it", timedelta(days=7), True),
        Fact.CONFIRMED_BEFORE: Weight(
            "an earlier case of the same subject was confirmed", timedelta(days=3)
        ),
        Fact.SIMILAR: Weight("a list has something like it", timedelta(days=1)),
        Fact.KNOWN: Weight("a list has the very same file", timedelta(0)),
        Fact.STATUTORY_CLOCK: Weight("it has to be decided in time", timedelta(days=7)),
        Fact.UNREADABLE: Weight("no program could look at it", timedelta(days=-7)),
    }
)
"""What each fact does to a case. The order is the one they are told in."""

_DERIVED = frozenset(
    {
        Fact.FIRST_SEEN,
        Fact.SIMILAR,
        Fact.KNOWN,
        Fact.CONFIRMED_BEFORE,
        Fact.STATUTORY_CLOCK,
        Fact.UNREADABLE,
    }
)
_HOW_WELL_KNOWN = frozenset({Fact.SIMILAR, Fact.KNOWN})


@dataclass(frozen=True, slots=True)
class Rank:
    """How a case is queued.

    Attributes:
        facts: What is known of it.
        rank_at: The moment that it is queued by.
        severe: Whether it is hard on whoever looks.
        due_at: When it has to be decided, if the law or the operator says so.
    """

    facts: frozenset[Fact]
    rank_at: datetime
    severe: bool
    due_at: datetime | None

    def as_values(self) -> dict[str, object]:
        """The same as columns of ``cases``."""
        return {
            "facts": facts_text(self.facts),
            "rank_at": self.rank_at,
            "severe": self.severe,
            "due_at": self.due_at,
        }


def rank(facts: Collection[Fact], opened_at: datetime, due_at: datetime | None = None) -> Rank:
    """How a case with these facts is queued.

    What is known to the bit is hard on nobody, since nobody has to look, unless something else of
    the case is.
    """
    known = frozenset(facts) - {Fact.STATUTORY_CLOCK}
    if due_at is not None:
        known |= {Fact.STATUTORY_CLOCK}
    forward = sum((forward_of(fact, known) for fact in known), timedelta(0))
    severe = any(FACTS[fact].severe for fact in known)
    return Rank(known, opened_at - forward, severe, due_at)


def forward_of(fact: Fact, known: Collection[Fact]) -> timedelta:
    """How far a fact puts a case forward of which all this is known.

    One that puts it back does so where nothing else is known: nothing comes later for what is known
    besides.
    """
    forward = FACTS[fact].forward
    return forward if len(known) == 1 else max(forward, timedelta(0))


def facts_told(facts: Iterable[str], *, details: bool) -> tuple[str, ...]:
    """The facts that somebody is told: how well a list knows a file is a detail of screening."""
    return tuple(fact for fact in facts if details or fact not in _HOW_WELL_KNOWN)


def facts_of_item(item: Item, matches: Collection[Match]) -> frozenset[Fact]:
    """What follows from what an item matched, and from whether it could be looked at."""
    if not matches and item.unreadable is not None:
        return frozenset({Fact.UNREADABLE})
    return facts_of_matches(matches)


def facts_of_matches(matches: Collection[Match]) -> frozenset[Fact]:
    """What follows from what an item matched."""
    if not matches:
        return frozenset({Fact.FIRST_SEEN})
    exact = any(match.is_the_very_file for match in matches)
    return frozenset({Fact.KNOWN if exact else Fact.SIMILAR})


def facts_text(facts: Iterable[Fact]) -> str:
    """Facts as they are kept: in the order of the table."""
    wanted = frozenset(facts)
    return " ".join(fact for fact in FACTS if fact in wanted)


def read_facts(text: str) -> frozenset[Fact]:
    """Facts as they were kept."""
    return frozenset(Fact(word) for word in text.split())


def said_facts(names: Iterable[str]) -> frozenset[Fact]:
    """Facts that somebody says.

    Raises:
        InvalidInputError: There is no such fact, or it is one that nobody says.
    """
    sayable = [fact for fact in Fact if not fact.is_derived]
    try:
        said = frozenset(Fact(name) for name in names)
    except ValueError as error:
        raise InvalidInputError(
            "{error}: known are {facts}", error=error, facts=", ".join(sayable)
        ) from None
    for fact in said:
        if fact.is_derived:
            raise InvalidInputError(
                '"{fact}" is found out by Tutela itself; what can be said is {facts}',
                fact=fact,
                facts=", ".join(sayable),
            )
    return said
