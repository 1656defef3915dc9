"""Opening cases together with the evidence for them: first it is sealed, then it is told of."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sqlalchemy import select

from tutela.cases.adding import HomeGoneError, KnownMeanwhileError, Opening, add_all
from tutela.cases.joining import can_be_joined, open_case_of
from tutela.cases.model import CaseId
from tutela.cases.tables import case_items
from tutela.errors import OutOfTurnError, StorageError
from tutela.evidence.model import ContentChangedError, Missed, Sealed
from tutela.evidence.vault import StaleSealError, Vault
from tutela.storage.blobs.model import BlobId
from tutela.storage.clock import Clock
from tutela.storage.database import Database

_SEALED_AT_ONCE = 8
# Each time another one was quicker with the same content, key or request, so it has succeeded.
_TRIES = 20


def open_cases(vault: Vault, openings: Sequence[Opening], clock: Clock) -> list[CaseId]:
    """Seal what was found, and open all cases, or add to those there are, in one transaction.

    Once this returns, every case and its evidence are kept. If it raises, no case was opened. What
    changed or went before it could be sealed has a case nevertheless, which says so.

    Returns:
        The number of each case: of the first one, for a request that was known already.

    Raises:
        StorageError: The vault or the database fails.
        OutOfTurnError: A case that is named takes no more items.
    """
    taken: dict[int, Sealed | Missed] = {}
    for _ in range(_TRIES):
        cases = _known_cases(vault.database, openings)
        new = [
            place
            for place in range(len(openings))
            if place not in cases and _first_alike(openings, place) == place
        ]
        homes = _homes(vault.database, openings, new)
        _drop(vault, taken, [taken[place] for place in taken if place in cases])
        try:
            _rehouse(vault, taken, homes)
            _take_in(vault, openings, [place for place in new if place not in taken], taken, homes)
        except BaseException:
            # Nothing names these blobs, and nothing ever will.
            _drop(vault, taken, list(taken.values()))
            raise
        try:
            cases |= add_all(vault, openings, homes, taken, clock)
        except StaleSealError as stale:
            _drop(vault, taken, [each for each in taken.values() if _blob(each) in stale.blobs])
        except (KnownMeanwhileError, HomeGoneError):
            continue
        except OutOfTurnError:
            _drop(vault, taken, list(taken.values()))
            raise
        else:
            return [cases[_first_alike(openings, place)] for place in range(len(openings))]
    _drop(vault, taken, list(taken.values()))
    raise StorageError(
        "the evidence could not be sealed because others seal or destroy the same content all "
        "the time, or because keys change: try again in a moment"
    )


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


def _homes(
    database: Database, openings: Sequence[Opening], places: Sequence[int]
) -> dict[int, CaseId]:
    """The case that each item at these places is to be in."""
    subjects = {openings[place].subject for place in places} - {None}
    open_now: dict[str, CaseId] = {}
    if subjects:
        with database.reading() as connection:
            for subject in subjects:
                found = open_case_of(connection, subject) if subject else None
                if subject and found:
                    open_now[subject] = found
    homes: dict[int, CaseId] = {}
    for place in places:
        opening = openings[place]
        if opening.into is not None:
            homes[place] = opening.into
        elif opening.subject is not None:
            # Those of one subject that come together are together.
            homes[place] = open_now.setdefault(opening.subject, opening.case)
        elif opening.joins is not None and _can_be_joined(database, opening.joins):
            homes[place] = opening.joins
        else:
            homes[place] = opening.case
    return homes


def _can_be_joined(database: Database, case: CaseId) -> bool:
    with database.reading() as connection:
        return can_be_joined(connection, case)


def _rehouse(vault: Vault, taken: dict[int, Sealed | Missed], homes: Mapping[int, CaseId]) -> None:
    """Seal anew for the case it is to be in what was sealed for another, which is closed by now."""
    for place, each in list(taken.items()):
        if place not in homes or each.case == homes[place]:
            continue
        if isinstance(each, Sealed):
            again = vault.seal_again(each, homes[place], each.item)
            taken[place] = replace(again, fresh=each.fresh)
        else:
            taken[place] = replace(each, case=homes[place])


def _take_in(
    vault: Vault,
    openings: Sequence[Opening],
    places: Sequence[int],
    taken: dict[int, Sealed | Missed],
    homes: Mapping[int, CaseId],
) -> None:
    """Seal the contents at these places; each content once."""
    alike: dict[object, list[int]] = {}
    for place in places:
        if openings[place].content:
            alike.setdefault(openings[place].item.fingerprints.sha256 or place, []).append(place)
    if len(alike) <= 1:
        for group in alike.values():
            _seal_alike(vault, openings, group, taken, homes)
        return
    with ThreadPoolExecutor(min(_SEALED_AT_ONCE, len(alike)), "seal") as threads:
        sealing = [
            threads.submit(_seal_alike, vault, openings, group, taken, homes)
            for group in alike.values()
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
    homes: Mapping[int, CaseId],
) -> None:
    first: Sealed | None = None
    for place in places:
        opening, case = openings[place], homes[place]
        if first is not None:
            taken[place] = vault.seal_again(first, case, opening.evidence)
        elif opening.content:
            sha256 = opening.item.fingerprints.sha256
            try:
                first = vault.seal(opening.content, case, opening.evidence, sha256)
                taken[place] = first
            except ContentChangedError as error:
                taken[place] = Missed(case, opening.evidence, str(error))


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
