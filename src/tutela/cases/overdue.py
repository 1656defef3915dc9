"""Putting back what is held too long, every minute."""

from tutela.cases.moving import release_overdue
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.model import Job, Kind

RELEASE = "case.release-overdue"
_AT_ONCE = 100


def releasing(database: Database, clock: Clock) -> Kind:
    """The kind of job that puts back what people have left lying."""

    def release(_job: Job) -> None:
        while True:
            with database.writing() as connection:
                if len(release_overdue(connection, clock, _AT_ONCE)) < _AT_ONCE:
                    return

    return Kind(RELEASE, release, schedule="* * * * *")
