"""The daily look at what is due, and the other work that evidence needs in the background."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from tutela.errors import NotPermittedError
from tutela.evidence.destruction import RESUME, begun_destructions, destroy, finish
from tutela.evidence.guarding import GUARD, guard_blob
from tutela.evidence.model import ItemId, State
from tutela.evidence.standing import all_standings, standings_of
from tutela.evidence.subjects import Subject, check_reason, items_of
from tutela.evidence.tables import destruction_watch
from tutela.evidence.vault import Vault
from tutela.ledger.appending import append
from tutela.ledger.model import SYSTEM, Act, Actor
from tutela.storage.blobs.model import BlobId
from tutela.storage.jobs.model import Job, Kind, Never

DESTROY = "evidence.destroy"
"""The daily job that destroys what is due."""

_AT_NIGHT = "40 3 * * *"
# Clocks are set right by a little all the time.
_BACKWARDS = timedelta(hours=1)


class DoubtfulClockError(NotPermittedError):
    """The machine's clock has jumped, as far as can be told: a person has to say if it is right."""


def kinds_of_evidence(vault: Vault, max_gap_days: int) -> Iterator[Kind]:
    """The kinds of jobs of this room."""

    def destroy_daily(_job: Job) -> None:
        try:
            finish(vault, begun_destructions(vault))
        finally:
            # What cannot be finished is no reason to keep what is due.
            try:
                destroy_due(vault, SYSTEM, max_gap_days=max_gap_days)
            except DoubtfulClockError as error:
                # Trying again does not help: it waits among the dead jobs until somebody looks.
                raise Never(error.message) from None

    def resume(_job: Job) -> None:
        finish(vault, begun_destructions(vault))

    def guard(job: Job) -> None:
        blob = BlobId(str(job.payload["blob"]))
        guard_blob(vault.database, vault.store, vault.rules, blob, vault.clock)

    yield Kind(DESTROY, destroy_daily, schedule=_AT_NIGHT)
    yield Kind(RESUME, resume, attempts=None)
    yield Kind(GUARD, guard, attempts=None)


def destroy_due(
    vault: Vault,
    actor: Actor,
    *,
    max_gap_days: int,
    affirmed: str | None = None,
) -> list[ItemId]:
    """Destroy all that is due.

    A clock that jumped ahead would make everything due at once. So whoever looks notes the moment,
    and nothing is destroyed by a look that comes too long after the last one, or by the first one
    ever, unless a person affirms that the clock is right.

    Args:
        vault: Where the evidence is.
        actor: Who does it.
        max_gap_days: How many days may lie between two looks.
        affirmed: Why the clock is right and this is to be done, if a person says so.

    Returns:
        What is destroyed.

    Raises:
        DoubtfulClockError: The last look is too long ago, or in the future. Nothing is destroyed.
        StorageError: The database or the store fails. What has begun is finished later.
    """
    if affirmed is not None:
        affirm_clock(vault, actor, reason=affirmed)
    elif not _note_look(vault, max_gap_days):
        return []
    reason = affirmed or "it is due"
    return destroy(vault, due_evidence(vault), actor, reason=reason, passing_over=True)


def destroy_due_of(
    vault: Vault, subject: Subject, actor: Actor, *, reason: str, max_gap_days: int
) -> list[ItemId]:
    """Destroy what is due of one case or of one item, and leave everything else.

    Returns:
        What is destroyed; nothing if nothing is due.

    Raises:
        DoubtfulClockError: The clock may have jumped. Nothing is destroyed.
        InvalidInputError: No reason is given.
        StorageError: The database or the store fails. What has begun is finished later.
    """
    reason = check_reason(reason)
    check_clock(vault, max_gap_days)
    now = vault.clock()
    with vault.database.reading() as connection:
        items = items_of(connection, subject)
        due = [
            each.item
            for each in standings_of(connection, vault.rules, items, now)
            if each.state is State.SEALED and each.due.is_due(now)
        ]
    return destroy(vault, due, actor, reason=reason, passing_over=True)


def due_evidence(vault: Vault) -> list[ItemId]:
    """What is due and not being destroyed yet."""
    now = vault.clock()
    with vault.database.reading() as connection:
        return [
            each.item
            for each in all_standings(connection, vault.rules, now)
            if each.state is State.SEALED and each.due.is_due(now)
        ]


def check_clock(vault: Vault, max_gap_days: int) -> None:
    """See that the clock has not jumped since the last look.

    Raises:
        DoubtfulClockError: It has, as far as can be told.
    """
    with vault.database.reading() as connection:
        _refuse_jump(_looked_at(connection), vault.clock(), max_gap_days)


def affirm_clock(vault: Vault, actor: Actor, *, reason: str) -> None:
    """Say that the machine's clock is right, which sets aside what the last look noted.

    Raises:
        InvalidInputError: No reason is given.
    """
    reason = check_reason(reason)
    with vault.database.writing() as connection:
        _note(connection, _looked_at(connection), vault.clock())
        append(connection, actor, Act.CLOCK_AFFIRMED, vault.clock, reason=reason)


def _note_look(vault: Vault, max_gap_days: int) -> bool:
    """Note that somebody looks; gives whether there was a look before."""
    with vault.database.writing() as connection:
        before, now = _looked_at(connection), vault.clock()
        _refuse_jump(before, now, max_gap_days)
        _note(connection, before, now if before is None else max(before, now))
        return before is not None


def _refuse_jump(before: datetime | None, now: datetime, max_gap_days: int) -> None:
    if before is None:
        return
    if now > before + timedelta(days=max_gap_days):
        told = "more days have passed since then than max_clock_gap_days allows"
    elif now < before - _BACKWARDS:
        told = "that is in the future"
    else:
        return
    raise DoubtfulClockError(
        "what is due was last looked for at {before:%Y-%m-%d %H:%M} by this machine's "
        "clock, and now it says {now:%Y-%m-%d %H:%M}: {told}. Nothing is destroyed. If "
        'the clock is right, run "tutela evidence destroy --due --yes --reason TEXT"',
        before=before,
        now=now,
        told=told,
    )


def _looked_at(connection: Connection) -> datetime | None:
    row = select(destruction_watch.c.looked_at).with_for_update()
    return connection.execute(row).scalar_one_or_none()


def _note(connection: Connection, before: datetime | None, now: datetime) -> None:
    if before is None:
        connection.execute(insert(destruction_watch).values(id=1, looked_at=now))
    else:
        connection.execute(update(destruction_watch).values(looked_at=now))
