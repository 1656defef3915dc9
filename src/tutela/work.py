"""The work of the house: every kind of job there is, and the worker that does them.

Each room says what its own kinds do; here they are gathered, in one place for the service and for
``tutela job work``.
"""

import time
from collections.abc import Mapping

from sqlalchemy import Connection

from tutela.accounts import forgetting as forgetting_accounts
from tutela.cases.counting_days import counting_days
from tutela.cases.forgetting import forgetting
from tutela.cases.lost import ending_lost
from tutela.cases.overdue import releasing
from tutela.cases.taking_effect import taking_effect
from tutela.errors import InvalidInputError
from tutela.evidence.daily import kinds_of_evidence
from tutela.evidence.sweeping import sweeping
from tutela.evidence.vault import Vault
from tutela.hashlists.uploads import importing
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.ledger.timestamping import timestamping
from tutela.ledger.verifications import verifying
from tutela.reporting.authorities.alerting import kinds_of_clocks
from tutela.reporting.desk import Desk
from tutela.reporting.drafts import supplying
from tutela.reporting.following.jobs import kinds_of_following
from tutela.reporting.jobs import kinds_of_reports
from tutela.reporting.signing.automatic import confirmed, kinds_of_drafts
from tutela.reporting.signing.queueing_signed import finding_forgotten, queueing
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs import tending
from tutela.storage.jobs.agreed_time import agreed_clock
from tutela.storage.jobs.model import JSON, Job, JobId, Kind, Kinds, Never, kinds_by_name
from tutela.storage.jobs.performing import Tell
from tutela.storage.jobs.worker import Worker
from tutela.storage.settings import Settings
from tutela.streams import forgetting as forgetting_streams
from tutela.webhooks.jobs import kinds_of_webhooks

REHEARSAL = "job.rehearse"
LONGEST_REHEARSAL_SECONDS = 3600


def all_kinds(settings: Settings, database: Database, clock: Clock) -> Kinds:
    """Every kind of job, over an open house.

    Raises:
        SettingsError: What a room's jobs need is set wrongly.
    """
    vault = Vault.over(settings, database, clock)
    desk = Desk(settings, database, vault, clock)
    return kinds_by_name(
        (
            Kind(REHEARSAL, _rehearse, at_once=4, attempts=3),
            sweeping(vault),
            timestamping(settings),
            releasing(database, clock),
            counting_days(database, clock),
            importing(database, settings.data, clock),
            taking_effect(database, clock, then=(confirmed,)),
            forgetting(settings, database, clock),
            forgetting_accounts.forgetting(settings, database, clock),
            forgetting_streams.forgetting(database, clock),
            verifying(settings, database, clock),
            ending_lost(database, clock),
            supplying.forgetting(settings, database, clock),
            queueing(desk),
            finding_forgotten(desk),
            *kinds_of_drafts(desk),
            *kinds_of_evidence(vault, settings.max_clock_gap_days),
            *kinds_of_webhooks(settings, database, clock),
            *kinds_of_reports(settings, vault, clock),
            *kinds_of_clocks(settings, database, clock),
            *kinds_of_following(settings, database, clock),
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


def retry_job(
    connection: Connection, job: JobId, actor: Actor, clock: Clock, *, reason: str = ""
) -> None:
    """Have a job that is dead or waits tried at once, with all its attempts anew.

    Raises:
        InvalidInputError: A worker is at the job.
        NotFoundError: There is none of this number, or it is done.
    """
    tending.retry(connection, job, clock)
    append(connection, actor, Act.JOB_RETRIED, clock, thing=f"job:{job}", reason=reason)


def mend_job(
    connection: Connection,
    job: JobId,
    payload: Mapping[str, JSON],
    actor: Actor,
    clock: Clock,
    *,
    reason: str = "",
) -> None:
    """Give a job that is dead or waits another payload. It is tried again by ``retry_job``.

    Raises:
        InvalidInputError: The payload is no JSON object, or a worker is at the job.
        NotFoundError: There is none of this number, or it is done.
    """
    tending.mend(connection, job, payload)
    append(connection, actor, Act.JOB_MENDED, clock, thing=f"job:{job}", reason=reason)


def drop_job(
    connection: Connection, job: JobId, actor: Actor, clock: Clock, *, reason: str
) -> None:
    """Remove a job that is dead or waits: what it was to do is never done.

    Raises:
        InvalidInputError: No reason is given, or a worker is at the job.
        NotFoundError: There is none of this number, or it is done.
    """
    if not reason.strip():
        raise InvalidInputError("say why it is never to be done: the ledger keeps the reason")
    tending.drop(connection, job)
    append(connection, actor, Act.JOB_DROPPED, clock, thing=f"job:{job}", reason=reason)


def _rehearse(job: Job) -> None:
    seconds = job.payload.get("seconds", 0)
    if not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_REHEARSAL_SECONDS:
        raise Never(f"a rehearsal takes 0 to {LONGEST_REHEARSAL_SECONDS} seconds")
    time.sleep(seconds)
