"""Removing what nobody can use any more: sessions and invitations that ended, old failed tries."""

from tutela.accounts.invitations import forget_expired
from tutela.accounts.locking import forget_old_failures
from tutela.accounts.sessions import forget_ended
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.model import Kind
from tutela.storage.settings import Settings

FORGET = "account.forget"
"""The hourly job that does so."""

_EACH_HOUR = "40 * * * *"


def forgetting(settings: Settings, database: Database, clock: Clock) -> Kind:
    """The kind of job that does so."""
    return Kind(FORGET, lambda _job: forget(settings, database, clock), schedule=_EACH_HOUR)


def forget(settings: Settings, database: Database, clock: Clock) -> None:
    """Remove what has ended."""
    with database.writing() as connection:
        forget_ended(connection, settings, clock)
    with database.writing() as connection:
        forget_old_failures(connection, clock)
    with database.writing() as connection:
        forget_expired(connection, clock)
