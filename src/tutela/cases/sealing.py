"""Opening cases together with the evidence for them: first it is sealed, then it is told of."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import select

from tutela.cases.model import CaseId, Item, Match, new_case_id
from tutela.cases.opening import enter_opened, open_case
from tutela.cases.tables import case_items
from tutela.errors import StorageError
from tutela.evidence.model import (
    Content,
    ContentChangedError,
    ItemId,
    Missed,
    Sealed,
    new_item_id,
)
from tutela.evidence.vault import StaleSealError, Vault
from tutela.ledger.model import SYSTEM, Actor
from tutela.storage.blobs.model import BlobId
from tutela.storage.clock import Clock
from tutela.storage.database import Database

_SEALED_AT_ONCE = 8
# Each time another one was quicker with the same content, key or request, so it has succeeded.
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Opening:
    """A case that is to be opened.

    Attributes:
        item: What was found.
        matches: Why.
        request: Names this very request, as in ``open_case``.
        content: The file's bytes, if it is there and not only its fingerprints.
        actor: Who sent it.
        case: The number that the case will have.
        evidence: The id that the evidence will have.
    """

    item: Item
    matches: Sequence[Match]
    request: str | None = None
    content: Content | None = None
    actor: Actor = SYSTEM
    case: CaseId = field(default_factory=new_case_id)
    evidence: ItemId = field(default_factory=new_item_id)


def open_cases(vault: Vault, openings: Sequence[Opening], clock: Clock) -> list[CaseId]:
    """Seal what was found, and open all cases in one transaction.

    Once this returns, every case and its evidence are kept. If it raises, no case was opened. What
    changed or went before it could be sealed has a case nevertheless, which says so.

    Returns:
        The number of each case: of the first one, for a request that was known already.

    Raises:
        StorageError: The vault or the database fails.
    """
    taken: dict[int, Sealed | Missed] = {}
    for _ in range(_TRIES):
        cases = _known_cases(vault.database, openings)
        new = [
            place
            for place in range(len(openings))
            if place not in cases and _first_alike(openings, place) == place
        ]
        _drop(vault, taken, [taken[place] for place in taken if place in cases])
        try:
            _take_in(vault, openings, [place for place in new if place not in taken], taken)
        except BaseException:
            # Nothing names these blobs, and nothing ever will.
            _drop(vault, taken, list(taken.values()))
            raise
        try:
            cases |= _open(vault, openings, new, taken, clock)
        except StaleSealError as stale:
            _drop(vault, taken, [each for each in taken.values() if _blob(each) in stale.blobs])
        except _KnownMeanwhileError:
            continue
        else:
            return [cases[_first_alike(openings, place)] for place in range(len(openings))]
    _drop(vault, taken, list(taken.values()))
    raise StorageError(
        "the evidence could not be sealed because others seal or destroy the same content all "
        "the time, or because keys change: try again in a moment"
    )


class _KnownMeanwhileError(Exception):
    """Another one has opened a case for the same request."""


def _known_cases(database: Database, openings: Sequence[Opening]) -> dict[int, CaseId]:
    """The cases of requests that are known already, so that nothing is sealed for them again."""
    asked = {each.request for each in openings if each.request and each.content}
    known: dict[str | None, CaseId] = {}
    if asked:
        with database.reading() as connection:
            rows = connection.execute(
                select(case_items.c.request, case_items.c.case_id).where(
                    case_items.c.request.in_(asked)
                )
            )
            known = {row.request: CaseId(row.case_id) for row in rows}
    return {
        place: known[each.request] for place, each in enumerate(openings) if each.request in known
    }


def _take_in(
    vault: Vault,
    openings: Sequence[Opening],
    places: Sequence[int],
    taken: dict[int, Sealed | Missed],
) -> None:
    """Seal the contents at these places; each content once."""
    alike: dict[object, list[int]] = {}
    for place in places:
        if openings[place].content:
            alike.setdefault(openings[place].item.fingerprints.sha256 or place, []).append(place)
    if len(alike) <= 1:
        for group in alike.values():
            _seal_alike(vault, openings, group, taken)
        return
    with ThreadPoolExecutor(min(_SEALED_AT_ONCE, len(alike)), "seal") as threads:
        sealing = [
            threads.submit(_seal_alike, vault, openings, group, taken) for group in alike.values()
        ]
        try:
            for each in sealing:
                each.result()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def _seal_alike(
    vault: Vault,
    openings: Sequence[Opening],
    places: Iterable[int],
    taken: dict[int, Sealed | Missed],
) -> None:
    first: Sealed | None = None
    for place in places:
        opening = openings[place]
        if first is not None:
            taken[place] = vault.seal_again(first, opening.case, opening.evidence)
        elif opening.content:
            sha256 = opening.item.fingerprints.sha256
            try:
                first = vault.seal(opening.content, opening.case, opening.evidence, sha256)
                taken[place] = first
            except ContentChangedError as error:
                taken[place] = Missed(opening.case, opening.evidence, str(error))


def _open(
    vault: Vault,
    openings: Sequence[Opening],
    places: Sequence[int],
    taken: Mapping[int, Sealed | Missed],
    clock: Clock,
) -> dict[int, CaseId]:
    if not places:
        return {}
    cases: dict[int, CaseId] = {}
    with vault.database.writing() as connection:
        # Before the ledger is written to, for which everybody else waits from then on; and in one
        # order everywhere, so that no two of these wait for each other.
        vault.claim(connection, [each for each in taken.values() if isinstance(each, Sealed)])
        for place in sorted(places, key=lambda place: openings[place].request or ""):
            opening = openings[place]
            cases[place] = open_case(
                connection,
                opening.case,
                opening.item,
                opening.matches,
                clock,
                request=opening.request,
                evidence=opening.evidence if place in taken else None,
            )
            if cases[place] != opening.case and place in taken:
                raise _KnownMeanwhileError
        for place in places:
            opening, evidence = openings[place], taken.get(place)
            if cases[place] == opening.case:
                enter_opened(connection, opening.case, opening.actor, clock)
            if isinstance(evidence, Sealed):
                vault.keep(connection, evidence, opening.actor)
            elif evidence is not None:
                vault.keep_missed(connection, evidence, opening.actor)
    return cases


def _drop(
    vault: Vault, taken: dict[int, Sealed | Missed], unwanted: Sequence[Sealed | Missed]
) -> None:
    """Forget what was sealed in vain, and what shares its blob."""
    blobs = {_blob(each) for each in unwanted} - {None}
    for place in [place for place, each in taken.items() if _blob(each) in blobs]:
        sealed = taken.pop(place)
        if isinstance(sealed, Sealed):
            vault.discard(sealed)


def _first_alike(openings: Sequence[Opening], place: int) -> int:
    """The first place that has the same request: a file may be named twice in one scan."""
    request = openings[place].request
    if request is None:
        return place
    return next(first for first, each in enumerate(openings) if each.request == request)


def _blob(taken: Sealed | Missed) -> BlobId | None:
    return taken.blob if isinstance(taken, Sealed) else None
