"""Erasing what people wrote in appeals, when its time is over."""

from datetime import timedelta

from sqlalchemy import Connection, update

from tutela.cases.tables import appeals
from tutela.storage.clock import Clock
from tutela.storage.database import Database, changed_rows, overwrite_erased
from tutela.storage.jobs.model import Job, Kind
from tutela.storage.settings import Settings

FORGET = "appeal.forget"
"""The daily job that does so."""

_AT_NIGHT = "25 4 * * *"


def forgetting(settings: Settings, database: Database, clock: Clock) -> Kind:
    """The kind of job that does so."""

    def forget(_job: Job) -> None:
        with database.writing() as connection:
            erased = erase_words(connection, clock, days=settings.review.appeal_words_days)
        if erased:
            overwrite_erased(database, appeals)

    return Kind(FORGET, forget, schedule=_AT_NIGHT)


def erase_words(connection: Connection, clock: Clock, *, days: int) -> int:
    """Erase what people said in appeals that were decided so long ago; counts those."""
    before = clock() - timedelta(days=days)
    erased = update(appeals).where(appeals.c.decided_at < before, appeals.c.words != "")
    return changed_rows(connection, erased.values(words=""))
