"""The kinds of jobs of this room."""

from collections.abc import Iterator

from tutela.reporting.following.alerting import alerting
from tutela.reporting.following.forgetting import forgetting
from tutela.reporting.following.levels import counting_levels
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.model import Kind
from tutela.storage.settings import Settings


def kinds_of_following(settings: Settings, database: Database, clock: Clock) -> Iterator[Kind]:
    """Telling people of what authorities want, forgetting what they said, counting their waits."""
    yield alerting(settings, database)
    yield forgetting(database)
    yield counting_levels(settings, database, clock)
