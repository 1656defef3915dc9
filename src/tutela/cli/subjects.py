"""How commands name what they are about: a piece of evidence, or a case for all that it has."""

from datetime import UTC, date, datetime, time
from typing import Annotated

import typer
from sqlalchemy import Connection

from tutela.cases.model import read_case_id
from tutela.errors import InvalidInputError
from tutela.evidence.model import ItemId, read_item_id
from tutela.evidence.subjects import Subject, items_of, subject_case, subject_item

_ITEM_LENGTH = 26

SubjectName = Annotated[
    str,
    typer.Argument(
        metavar="ITEM|CASE", help="The evidence's id, or a case's number for all its evidence."
    ),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why. The ledger keeps it.")]


def find_subject(connection: Connection, name: str) -> Subject:
    """Understand what a person means.

    Raises:
        InvalidInputError: It is neither an id of evidence nor a case's number.
        NotFoundError: There is no such evidence any more.
    """
    if len(name.strip()) == _ITEM_LENGTH:
        return subject_item(connection, read_item_id(name))
    try:
        case = read_case_id(name)
    except InvalidInputError:
        raise InvalidInputError(
            f'"{name}" is neither a case number, such as 7K3M-9QPD-2X4H, nor the id of a piece of '
            'evidence: see "tutela evidence ls"'
        ) from None
    return subject_case(connection, case)


def find_items(connection: Connection, name: str) -> list[ItemId]:
    """The evidence that a person means, each piece that is still there.

    Raises:
        InvalidInputError, NotFoundError: As ``find_subject``.
    """
    return items_of(connection, find_subject(connection, name))


def read_moment(text: str | None, now: datetime) -> datetime:
    """A day, or a moment, as people write it; in UTC unless it says otherwise.

    Raises:
        InvalidInputError: It is neither.
    """
    if text is None:
        return now
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInputError(
            f'"{text}" is not a date: write 2026-11-25, or 2026-11-25T14:30+01:00'
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_day(text: str | None) -> date | None:
    """A day as people write it.

    Raises:
        InvalidInputError: It is none.
    """
    if text is None:
        return None
    moment = read_moment(text, datetime.now(UTC))
    if moment.timetz() != time(tzinfo=UTC):
        raise InvalidInputError(f'"{text}" is not a day: write it as 2026-11-25')
    return moment.date()
