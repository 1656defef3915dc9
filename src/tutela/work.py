"""The work of the house: every kind of job there is, and the worker that does them.

Each room says what its own kinds do; here they are gathered, in one place for the service and for
``tutela job work``.
"""

import time

from tutela.cases.overdue import releasing
from tutela.cases.taking_effect import taking_effect
from tutela.evidence.daily import kinds_of_evidence
from tutela.evidence.sweeping import sweeping
from tutela.evidence.vault import Vault
from tutela.ledger.timestamping import timestamping
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.agreed_time import agreed_clock
from tutela.storage.jobs.model import Job, Kind, Kinds, Never, kinds_by_name
from tutela.storage.jobs.performing import Tell
from tutela.storage.jobs.worker import Worker
from tutela.storage.settings import Settings
from tutela.webhooks.jobs import kinds_of_webhooks

REHEARSAL = "job.rehearse"
LONGEST_REHEARSAL_SECONDS = 3600


def all_kinds(settings: Settings, database: Database, clock: Clock) -> Kinds:
    """Every kind of job, over an open house.

    Raises:
        SettingsError: What a room's jobs need is set wrongly.
    """
    vault = Vault.over(settings, database, clock)
    return kinds_by_name(
        (
            Kind(REHEARSAL, _rehearse, at_once=4, attempts=3),
            sweeping(vault),
            timestamping(settings),
            releasing(database, clock),
            taking_effect(database),
            *kinds_of_evidence(vault, settings.max_clock_gap_days),
            *kinds_of_webhooks(settings, database, clock),
        )
    )


def make_worker(
    settings: Settings,
    database: Database,
    clock: Clock,
    tell: Tell,
) -> Worker:
    """A worker for every kind of job, to be entered.

    Args:
        settings: The configuration.
        database: The open database.
        clock: The time.
        tell: Is told of each failure: what failed, and how.
    """
    return Worker(
        database,
        all_kinds(settings, database, clock),
        agreed_clock(database, clock),
        threads=settings.job_threads,
        drain_seconds=settings.drain_seconds,
        tell=tell,
    )


def _rehearse(job: Job) -> None:
    seconds = job.payload.get("seconds", 0)
    if not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_REHEARSAL_SECONDS:
        raise Never(f"a rehearsal takes 0 to {LONGEST_REHEARSAL_SECONDS} seconds")
    time.sleep(seconds)
