"""Adding and withdrawing entries, and the revision that tells the index of it."""


from sqlalchemy import Connection, select, update

from tutela.fingerprints.model import Kind
from tutela.hashlists.tables import list_revision

KINDS: tuple[Kind, ...] = (Kind.MD5, Kind.SHA1, Kind.SHA256, Kind.PDQ)
"""A kind's position here is its number in the database. Only ever add at the end."""


def next_revision(connection: Connection) -> int:
    """Count the list revision up; other writers wait until this transaction ends."""
    statement = (
        update(list_revision)
        .values(value=list_revision.c.value + 1)
        .returning(list_revision.c.value)
    )
    return int(connection.execute(statement).scalar_one())


def current_revision(connection: Connection) -> int:
    """The number of the last change of any list."""
    return int(connection.execute(select(list_revision.c.value)).scalar_one())
