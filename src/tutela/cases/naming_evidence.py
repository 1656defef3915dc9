"""How people name evidence: by its own id, or by a case for all that it has."""

from sqlalchemy import Connection

from tutela.cases.model import read_case_id
from tutela.errors import InvalidInputError
from tutela.evidence.model import ItemId, read_item_id
from tutela.evidence.subjects import Subject, items_of, subject_case, subject_item

_ITEM_LENGTH = 26


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
            '"{name}" is neither a case number, such as 7K3M-9QPD-2X4H, nor the id of a '
            'piece of evidence: see "tutela evidence ls"',
            name=name,
        ) from None
    return subject_case(connection, case)


def find_items(connection: Connection, name: str) -> list[ItemId]:
    """The evidence that a person means, each piece that is still there.

    Raises:
        InvalidInputError, NotFoundError: As ``find_subject``.
    """
    return items_of(connection, find_subject(connection, name))
