"""Opening a case by hand: from words, an address or files that somebody was told of.

All of it is sealed as evidence, an excerpt of a conversation and an address too: so it is kept,
disclosed and destroyed by the same rules as a picture, and the database has no plain copy.
"""

import hashlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tutela.accounts.model import Caller
from tutela.cases.adding import Opening
from tutela.cases.facts import Fact
from tutela.cases.joining import check_key
from tutela.cases.model import CaseId, Item, ItemKind, Match, kind_of
from tutela.cases.sealing import open_cases
from tutela.errors import InvalidInputError
from tutela.evidence.model import Content
from tutela.evidence.vault import Vault
from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import FingerprintSet
from tutela.storage.clock import Clock

LONGEST_WORDS = 100_000
MOST_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Given:
    """Something that a case is to be about.

    Attributes:
        kind: What it is.
        content: Its bytes: a file's, or words as UTF-8.
        fingerprints: What is known of the bytes.
        name: The file's name; may be empty.
        matches: Which entries it matched.
    """

    kind: ItemKind
    content: Content
    fingerprints: FingerprintSet
    name: str = ""
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class SentForm:
    """What somebody filled in and sent, with the files that they chose.

    Attributes:
        fields: The words in its fields, in their order, by the field's name.
        files: The files.
        judge: Opens a case by what was sent, in its turn among all that are opened.
        recognise: Sees which entries of lists words and addresses match.
    """

    fields: Mapping[str, Sequence[str]]
    files: Sequence[Given]
    judge: Callable[[Callable[[], CaseId]], Awaitable[CaseId]]
    recognise: Callable[[Sequence[Given]], list[Given]]

    def word(self, name: str) -> str:
        """What is in a field; nothing if it is not there."""
        return next(iter(self.fields.get(name, ())), "")


def given_words(kind: ItemKind, words: str) -> Given:
    """An excerpt of a conversation, or an address.

    Raises:
        InvalidInputError: There are none, or too many.
    """
    words = words.strip()
    if not words or len(words) > LONGEST_WORDS:
        raise InvalidInputError(
            "an excerpt or an address has 1 to {longest} characters", longest=LONGEST_WORDS
        )
    if kind is ItemKind.URL and (any(each.isspace() for each in words) or "://" not in words):
        raise InvalidInputError("write the whole address, such as https://host.example/path")
    content = words.encode("utf-8", "replace")
    return Given(kind, lambda: [content], FingerprintSet.of(digests_of(content)))


def given_file(
    name: str, content: Content, fingerprints: FingerprintSet, matches: Sequence[Match] = ()
) -> Given:
    """A file, of which the fingerprints are known."""
    return Given(kind_of(fingerprints), content, fingerprints, name, tuple(matches))


def open_by_hand(
    vault: Vault,
    items: Sequence[Given],
    caller: Caller,
    clock: Clock,
    *,
    subject: str | None = None,
    reference: str | None = None,
    facts: Collection[Fact] = (),
    due_at: datetime | None = None,
    due_hours: int | None = None,
    request: str | None = None,
) -> CaseId:
    """Open a case about what somebody was told of, or add it to the one open for its subject.

    Args:
        vault: Where it is sealed.
        items: What it is about; text alone is enough.
        caller: Who opens it.
        clock: The time.
        subject: Whom it is about, as the platform calls them.
        reference: What the platform calls the upload, or the sender the report.
        facts: What whoever opens it knows of it.
        due_at: When it has to be decided.
        due_hours: Within how many hours, if no moment is given.
        request: Names this very request, so that sending it again opens no second case.

    Raises:
        InvalidInputError: There is nothing, or too much; a key cannot be one.
        StorageError: It cannot be sealed.
    """
    _check_number(items)
    if due_at is None and due_hours is not None:
        due_at = clock() + timedelta(hours=due_hours)
    openings = _openings(items, caller, subject, reference, facts=facts, request=request)
    if subject is None:
        # Those of one subject are together anyway.
        case = openings[0].case
        openings = [openings[0], *(replace(each, into=case) for each in openings[1:])]
    openings = [replace(each, due_at=due_at) for each in openings]
    return open_cases(vault, openings, clock)[0]


def add_by_hand(
    vault: Vault,
    case: CaseId,
    items: Sequence[Given],
    caller: Caller,
    clock: Clock,
    *,
    reference: str | None = None,
    facts: Collection[Fact] = (),
) -> None:
    """Add items to a case that is not decided yet.

    Raises:
        InvalidInputError: There is nothing, or too much.
        OutOfTurnError: The case takes no more items, or is not there.
        StorageError: They cannot be sealed.
    """
    _check_number(items)
    openings = _openings(items, caller, None, reference, facts=facts, into=case)
    open_cases(vault, openings, clock)


def _openings(
    items: Sequence[Given],
    caller: Caller,
    subject: str | None,
    reference: str | None,
    *,
    facts: Collection[Fact],
    request: str | None = None,
    into: CaseId | None = None,
) -> list[Opening]:
    return [
        Opening(
            item=Item(
                each.name,
                caller.actor.name if caller.person is None else caller.actor.id,
                each.fingerprints,
                each.kind,
                None if reference is None else check_key(reference),
            ),
            matches=each.matches,
            request=request and _of_item(request, number),
            content=each.content,
            actor=caller.actor,
            subject=None if subject is None else check_key(subject),
            into=into,
            facts=frozenset(facts),
        )
        for number, each in enumerate(items)
    ]


def _of_item(request: str, number: int) -> str:
    return hashlib.sha256(f"by hand\0{request}\0{number}".encode()).hexdigest()


def _check_number(items: Sequence[Given]) -> None:
    if not 0 < len(items) <= MOST_AT_ONCE:
        raise InvalidInputError(
            "a case needs something to decide on: words, an address or a file, up to "
            "{most} at once",
            most=MOST_AT_ONCE,
        )
