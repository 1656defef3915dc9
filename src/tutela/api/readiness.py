"""Whether everything that a request needs is there."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from tutela.api.log import log
from tutela.api.service import Service
from tutela.errors import StorageError, TutelaError
from tutela.hashlists.entries import current_revision
from tutela.storage.repeating import Repeating

# With less, a match may soon find no room for its case.
_LEAST_FREE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Readiness:
    """One thing that must work.

    Attributes:
        name: What it is.
        ok: Whether it works.
        detail: A few words for people: how it is, or what is wrong and what to do.
        needed: Whether requests cannot be served without it.
    """

    name: str
    ok: bool
    detail: str
    needed: bool = True


def check_readiness(service: Service) -> tuple[Readiness, ...]:
    """Ask the database, the index, the cells, the vault and the ledger, one after the other.

    Anyone may read the answers, so what went wrong in detail goes to the log.
    """
    return tuple(
        _check(name, check, service)
        for name, check in (
            ("database", _database),
            ("index", _index),
            ("cells", _cells),
            ("vault", _vault),
            ("ledger", _ledger),
        )
    )


def _check(name: str, check: Callable[[Service], str], service: Service) -> Readiness:
    try:
        return Readiness(name, ok=True, detail=check(service))
    except _NotLookedYetError:
        return Readiness(name, ok=False, detail="not looked yet", needed=False)
    except TutelaError as error:
        log.error("not ready", check=name, reason=error.message)
        return Readiness(
            name,
            ok=False,
            detail="does not work; the service's log says why",
            needed=check is not _ledger,
        )


class _NotLookedYetError(Exception):
    """Nothing is known to be amiss, nor to be well."""


def _database(service: Service) -> str:
    _raise_failure(service.following_keys)
    with service.database.reading() as connection:
        current_revision(connection)
    free = shutil.disk_usage(service.settings.data).free
    if free < _LEAST_FREE_BYTES:
        raise StorageError(f"the data folder has only {free >> 20} MiB of free space left")
    return "SQLite" if service.database.is_sqlite else "PostgreSQL"


def _index(service: Service) -> str:
    if not service.screening.index.is_whole:
        raise StorageError("parts of the index are damaged; it is being built anew")
    _raise_failure(service.following_lists)
    return "follows the lists"


def _cells(service: Service) -> str:
    if service.capacity.in_use:
        # Waiting for a free cell would make a busy house look like a dead one.
        return f"cells: {service.settings.cells}, not asked while there is work"
    nothing = os.memfd_create("nothing")
    try:
        service.screening.cells.fingerprint(nothing)
    finally:
        os.close(nothing)
    return f"cells: {service.settings.cells}"


def _vault(service: Service) -> str:
    return service.vault_check.ask()


def _ledger(service: Service) -> str:
    # Files are screened all the same: a ledger that was changed is no reason to let matches pass.
    _raise_failure(service.checkpointing)
    if not service.checkpoints.has_looked:
        raise _NotLookedYetError
    return "checkpoints are signed and written"


def _raise_failure(following: Repeating) -> None:
    failure = following.failure
    if failure is not None:
        raise StorageError(
            failure.message if isinstance(failure, TutelaError) else type(failure).__name__
        )
