"""Letting out what a viewing is of: opened from the vault, made fit to be looked at, and once only.

What is opened lies in memory alone. It is decoded in a process of its own, never in the service's.
"""

import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from tutela.accounts.model import Caller
from tutela.cases.comfort import comfort_of
from tutela.cases.model import ItemKind
from tutela.cases.tables import case_items
from tutela.cases.viewing import check_holder, mark_shown
from tutela.cases.viewings import Viewing, find_viewing
from tutela.errors import InvalidInputError, NotFoundError
from tutela.evidence.model import ItemId
from tutela.evidence.vault import Vault
from tutela.fingerprints.urls import broken_apart
from tutela.sandbox.model import Level, Look, Rendering, Shown
from tutela.sandbox.rendering_pool import RenderingPool

MOST_LETTERS = 50_000
"""Of a text no more is shown at once."""

WORDS = frozenset({ItemKind.TEXT, ItemKind.URL})
"""The kinds of items that are read."""

_NOT_SEEN = frozenset({"Cc", "Co", "Cs"})
# They turn the order of letters round, so that words seem to say something else.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_KEPT = frozenset("\n\t")


def show(
    vault: Vault,
    cells: RenderingPool,
    viewing: int,
    caller: Caller,
    *,
    session: int,
    most_bytes: int,
) -> Rendering:
    """What a person may see of a picture or video, if they asked for it in this session just now.

    Args:
        vault: Where it lies.
        cells: Where it is decoded.
        viewing: The viewing, which was committed already.
        caller: The person.
        session: Their session.
        most_bytes: No larger file is opened.

    Raises:
        NotFoundError: It is not this person's and session's, or was shown already, or the evidence
            is gone.
        NotPermittedError: The person does not hold the case any more.
        DamagedEvidenceError: It is not as it was sealed.
        StorageError: The vault or the database fails.
    """
    with vault.database.reading() as connection:
        found = _waiting(find_viewing(connection, viewing, caller.person, session))
        check_holder(connection, found.case, caller.person, vault.clock)
        size = comfort_of(connection, found.person).size
    look = Look(found.level, found.colour, found.mark, size.side, found.place)
    try:
        with _opened(vault, found.evidence, most_bytes) as descriptor:
            rendering = cells.render(descriptor, look)
    except InvalidInputError as error:
        rendering = Rendering(Shown.NOTHING, reason=error.message)
    with vault.database.writing() as connection:
        mark_shown(connection, found, rendering, vault.clock)
    return rendering


def read_words(vault: Vault, viewing: int, caller: Caller, *, session: int) -> tuple[str, bool]:
    """The words of an item that is a text or an address, as ``show``.

    Returns:
        The words, without letters that are not seen, and an address broken apart; and whether
        there are more of them.
    """
    with vault.database.reading() as connection:
        found = _waiting(find_viewing(connection, viewing, caller.person, session))
        check_holder(connection, found.case, caller.person, vault.clock)
        kind = connection.execute(
            select(case_items.c.kind).where(case_items.c.id == found.item)
        ).scalar_one()
    if kind not in WORDS or found.level is not Level.WHOLE:
        raise NotFoundError("this is not a text: go back to the case")
    content = bytearray()
    more = False
    # To its end, since only then it is known to be what was sealed.
    for chunk in vault.open(found.evidence):
        content += chunk[: max(0, 4 * MOST_LETTERS - len(content))]
        more = more or len(content) >= 4 * MOST_LETTERS
    words = readable(content.decode("utf-8", "replace"))
    if kind == ItemKind.URL:
        words = broken_apart(words)
    with vault.database.writing() as connection:
        mark_shown(connection, found, Rendering(Shown.TEXT), vault.clock)
    return words[:MOST_LETTERS], more or len(words) > MOST_LETTERS


def readable(words: str) -> str:
    """Words without the letters that are not seen, but change how others are shown."""
    return "".join(
        letter
        for letter in words.replace("\r\n", "\n")
        if letter in _KEPT
        or (unicodedata.category(letter) not in _NOT_SEEN and letter not in _TURNING)
    )


def _waiting(viewing: Viewing) -> Viewing:
    if viewing.shown is not None:
        raise NotFoundError("there is nothing to see here: go back to the case and ask again")
    return viewing


@contextmanager
def _opened(vault: Vault, evidence: ItemId, most_bytes: int) -> Iterator[int]:
    """A piece of evidence as a file that lies in memory alone."""
    descriptor = os.memfd_create("evidence", os.MFD_CLOEXEC)
    try:
        size = 0
        for chunk in vault.open(evidence):
            size += len(chunk)
            if size > most_bytes:
                raise InvalidInputError(
                    "it is larger than {mebibytes:,} MiB, which is the most that is shown",
                    mebibytes=most_bytes >> 20,
                )
            view = memoryview(chunk)
            while view:
                view = view[os.write(descriptor, view) :]
        yield descriptor
    finally:
        os.close(descriptor)
