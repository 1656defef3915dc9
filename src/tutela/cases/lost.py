"""The job that ends viewings of which no page speaks any more."""

from functools import partial

from tutela.cases.viewing import end_lost
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.model import Job, Kind

END_LOST = "viewings.end-lost"


def ending_lost(database: Database, clock: Clock) -> Kind:
    """The kind of job that does so every few minutes."""
    return Kind(END_LOST, partial(_end_lost, database, clock), schedule="*/5 * * * *")


def _end_lost(database: Database, clock: Clock, _job: Job) -> None:
    ended = 100
    while ended == 100:
        with database.writing() as connection:
            ended = end_lost(connection, clock, most=100)
