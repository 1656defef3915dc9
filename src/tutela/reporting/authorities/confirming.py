"""Standing for a row of the directory, and ceasing to."""

from collections.abc import Collection

from sqlalchemy import Connection, select, update

from tutela.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
)
from tutela.evidence.subjects import check_reason
from tutela.ledger.appending import append
from tutela.ledger.model import OPERATOR, Act, Actor
from tutela.reporting.authorities.model import Authority, Channel, Duty, Row, Standing
from tutela.reporting.authorities.standing import directory_now
from tutela.reporting.authorities.tables import confirmed_rows, house_rows
from tutela.reporting.model import ChannelKind
from tutela.storage.clock import Clock
from tutela.storage.database import changed_rows, insert_or_ignore
from tutela.storage.settings import Settings

_MOST = 1000
_SEND_EVIDENCE = frozenset({ChannelKind.SEALED_MAIL, ChannelKind.WEBHOOK})


def confirm(
    connection: Connection,
    settings: Settings,
    row: str,
    actor: Actor,
    clock: Clock,
    *,
    source: str,
    own: Collection[str] = (),
) -> Authority | Channel | Duty:
    """Stand for a row as it reads now. When its terms change, it has to be confirmed again.

    Args:
        connection: A transaction that writes. Do it last in it.
        settings: The configuration.
        row: The row's id.
        actor: Who stands for it.
        clock: The time.
        source: What they rely on.
        own: All that the ledger calls them, if they are a person: also by keys of theirs.

    Raises:
        AlreadyExistsError: It is verified or confirmed already.
        InvalidInputError: No source is given.
        NotFoundError: There is no such row.
        NotPermittedError: They set it themselves, and evidence is sent by it; or are no person.
    """
    source = checked_source(source)
    found = directory_now(connection, settings).row(row)
    if needs_another(found, actor):
        _refuse_alone(connection, found, own)
    if found.standing is Standing.VERIFIED:
        raise AlreadyExistsError("{row} is verified: it needs nobody's confirmation", row=row)
    if not keep_confirmation(connection, found, source, actor, clock):
        raise AlreadyExistsError("{row} is confirmed already, as it reads now", row=row)
    append(connection, actor, Act.AUTHORITY_CONFIRMED, clock, thing=thing_of(found), reason=source)
    return directory_now(connection, settings).row(row)


def needs_another(row: Row, actor: Actor) -> bool:
    """Whether another person than whoever set it has to stand for a row: evidence is sent by it.

    The machine's operator could read the evidence anyway.
    """
    sends = isinstance(row, Channel) and row.kind in _SEND_EVIDENCE
    return sends and actor.role != OPERATOR


def withdraw(
    connection: Connection,
    settings: Settings,
    row: str,
    actor: Actor,
    clock: Clock,
    *,
    reason: str,
) -> Authority | Channel | Duty:
    """No longer stand for a row: nothing goes by it from now on.

    Raises:
        InvalidInputError: No reason is given.
        NotFoundError: There is no such row, or nobody has confirmed it.
    """
    reason = check_reason(reason)
    found = directory_now(connection, settings).row(row)
    taken_back = (
        update(confirmed_rows)
        .where(
            confirmed_rows.c.row_id == found.id,
            confirmed_rows.c.digest == found.digest,
            confirmed_rows.c.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=clock(), withdrawn_by=actor.id)
    )
    if changed_rows(connection, taken_back) == 0:
        raise NotFoundError(
            f"nobody has confirmed {row}, so there is nothing to withdraw; what a file says is "
            "changed in a file of your own: see docs/authorities.md"
        )
    append(connection, actor, Act.AUTHORITY_WITHDRAWN, clock, thing=thing_of(found), reason=reason)
    return directory_now(connection, settings).row(row)


def keep_confirmation(
    connection: Connection, row: Row, source: str, actor: Actor, clock: Clock
) -> bool:
    """Remember that somebody stands for a row; gives ``False`` if somebody does already."""
    kept = insert_or_ignore(connection, confirmed_rows).values(
        row_id=row.id,
        digest=row.digest,
        source=source,
        confirmed_at=clock(),
        confirmed_by=actor.id,
    )
    return connection.execute(kept.returning(confirmed_rows.c.id)).first() is not None


def checked_source(source: str) -> str:
    """A source as it is kept.

    Raises:
        InvalidInputError: It is blank or too long.
    """
    source = source.strip()
    if not 0 < len(source) <= _MOST or "\0" in source:
        raise InvalidInputError(
            "say on what source, in 1 to 1000 characters: what you read, and where"
        )
    return source


def _refuse_alone(connection: Connection, row: Row, own: Collection[str]) -> None:
    writer = connection.execute(
        select(house_rows.c.written_by).where(house_rows.c.id == row.id)
    ).scalar_one_or_none()
    if not own:
        raise NotPermittedError("only people stand for it: use a key that belongs to a person")
    if writer in own:
        raise NotPermittedError(
            "you set {row} yourself, and evidence is sent by it: another person has to confirm it",
            row=row.id,
        )


def thing_of(row: Row) -> str:
    """What the ledger calls a row as it reads."""
    return f"row:{row.id}:{row.digest}"
