"""The kinds of jobs of this room."""

from collections.abc import Iterator

from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.model import Kind
from tutela.storage.settings import Settings
from tutela.webhooks.alerting import alerting
from tutela.webhooks.delivering import delivering
from tutela.webhooks.tidying import tidying


def kinds_of_webhooks(settings: Settings, database: Database, clock: Clock) -> Iterator[Kind]:
    """Telling receivers, telling people of receivers that do not answer, and tidying up."""
    yield delivering(settings, database, clock)
    yield alerting(settings, database)
    yield tidying(settings, database, clock)
