"""Finding cases by one line of text: a number, a sender, an upload's name, or a fingerprint.

Only cases are searched, never a list. Whether a fingerprint is in a case is told to those alone who
may see what matched; for everybody else it is not even looked up, so that no answer, and no time
that an answer takes, tells anything.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, select

from tutela.accounts.model import Caller
from tutela.accounts.permissions import Permission
from tutela.cases.model import CaseId, read_case_id
from tutela.cases.states import State
from tutela.cases.tables import case_items, cases, subjects
from tutela.errors import InvalidInputError
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.storage.clock import Clock

MOST_FOUND = 50
WORDS = "words"
"""What a search is called that found nothing by number, subject or reference."""
LONGEST_TEXT = 200


class By(StrEnum):
    """What a case is found by."""

    NUMBER = "number"
    SUBJECT = "subject"
    REFERENCE = "reference"
    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    PDQ = "pdq"


_BY_DIGITS = {32: (By.MD5,), 40: (By.SHA1,), 64: (By.SHA256, By.PDQ)}
_OF_ITEMS = {
    By.REFERENCE: case_items.c.reference,
    By.MD5: case_items.c.md5,
    By.SHA1: case_items.c.sha1,
    By.SHA256: case_items.c.sha256,
    By.PDQ: case_items.c.pdq,
}


@dataclass(frozen=True, slots=True)
class Found:
    """A case that was found.

    Attributes:
        case: Its number.
        state: Where it stands.
        opened_at: When it was opened.
        by: What it was found by.
    """

    case: CaseId
    state: State
    opened_at: datetime
    by: By


def fingerprints_in(text: str) -> tuple[By, ...]:
    """The kinds of fingerprint that a text can be. Pure."""
    return _BY_DIGITS.get(len(text), ()) if re.fullmatch("[0-9a-fA-F]+", text) else ()


def search(connection: Connection, text: str, caller: Caller, clock: Clock) -> list[Found]:
    """The cases that a text leads to, the newest first.

    Args:
        connection: A transaction that writes: whoever searches is in the ledger, without what
            they searched for. Do it last in the transaction.
        text: What somebody looks for.
        caller: Who looks.
        clock: The time.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_TEXT or not text.isprintable():
        return []
    found = [
        *_by_number(connection, text),
        *_by_subject(connection, text),
        *_by_item(connection, By.REFERENCE, text),
    ]
    kinds = fingerprints_in(text) if Permission.SCREEN_DETAILS in caller.permissions else ()
    for kind in kinds:
        found += _by_item(connection, kind, bytes.fromhex(text))
    by = kinds[0] if kinds else found[0].by if found else WORDS
    enter_search(connection, by, bool(found), caller, clock)
    return found


def enter_search(
    connection: Connection, by: str, found: bool, caller: Caller, clock: Clock
) -> None:
    """Say in the ledger that somebody searched, by what, and whether anything was there.

    Args:
        connection: A transaction that writes.
        by: The kind of search, never what was searched for.
        found: Whether there was anything.
        caller: Who searched.
        clock: The time.
    """
    thing = f"by:{by}:{'found' if found else 'nothing'}"
    append(connection, caller.actor, Act.CASE_SEARCHED, clock, thing=thing)


def _by_number(connection: Connection, text: str) -> list[Found]:
    try:
        number = read_case_id(text)
    except InvalidInputError:
        return []
    return _cases(connection, cases.c.id == number, By.NUMBER)


def _by_subject(connection: Connection, text: str) -> list[Found]:
    subject = select(subjects.c.id).where(subjects.c.key == text).scalar_subquery()
    return _cases(connection, cases.c.subject_id == subject, By.SUBJECT)


def _by_item(connection: Connection, by: By, value: str | bytes) -> list[Found]:
    items = select(case_items.c.case_id).where(_OF_ITEMS[by] == value)
    return _cases(connection, cases.c.id.in_(items), by)


def _cases(connection: Connection, which: ColumnElement[bool], by: By) -> list[Found]:
    newest = (
        select(cases.c.id, cases.c.state, cases.c.opened_at)
        .where(which)
        .order_by(cases.c.opened_at.desc())
        .limit(MOST_FOUND)
    )
    return [
        Found(CaseId(row.id), State(row.state), row.opened_at, by)
        for row in connection.execute(newest)
    ]
