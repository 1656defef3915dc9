"""Saying once that an authority takes no reports, and that reports are stopped."""

from datetime import timedelta

from sqlalchemy import Connection

from tutela.reporting.delivery.backlog import backlog
from tutela.reporting.delivery.resting import ALERT, channel_state
from tutela.reporting.model import ChannelKind
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import Job, Kind
from tutela.storage.mailing import send_words
from tutela.storage.settings import Settings

STOPPED = "report.stopped-alert"
"""The job that tells people of reports that need a person before they can go."""

# What is wrong with one is often wrong with all: one mail is enough for an hour.
_GATHERED = timedelta(minutes=5)


def tell_of_stop(connection: Connection, clock: Clock) -> None:
    """Have people told that a report is stopped, together with others of the same hour."""
    now = clock()
    key = f"{STOPPED}:{now:%Y-%m-%dT%H}"
    enqueue(connection, STOPPED, {}, clock, dedupe=key, at=now + _GATHERED)


def alerting_of_stops(settings: Settings, database: Database, clock: Clock) -> Kind:
    """The kind of job that does so."""

    def alert(_job: Job) -> None:
        recipient = settings.reporting.alert_to
        with database.reading() as connection:
            waiting = backlog(connection, clock())
        if recipient is None or not waiting.stopped:
            return  # The page of the reports has them; or a person has seen to them already.
        send_words(
            settings.mail,
            recipient,
            "Tutela: reports need a person",
            "Reports are stopped: as they are, they do not reach their authority, and certainly "
            'have not. See which and why with "tutela report ls --state stopped", or on the page '
            f"of the reports.\n\n{waiting.words}.\n\n"
            "You get no more than one such mail an hour.\n",
        )

    return Kind(STOPPED, alert, attempts=20)


def alerting(settings: Settings, database: Database, clock: Clock) -> Kind:
    """The kind of job that does so."""

    def alert(job: Job) -> None:
        recipient = settings.reporting.alert_to
        channel, authority = ChannelKind(str(job.payload["channel"])), str(job.payload["authority"])
        with database.reading() as connection:
            state = channel_state(connection, channel, authority)
            waiting = backlog(connection, clock())
        if recipient is None or (state.failing_since is None and state.stopped_at is None):
            return  # The page about the house's health has it; or it is well again.
        if state.stopped_at is not None:
            subject = f"Tutela: reports to {authority} are stopped"
            told = (
                f"Nothing is sent to {authority} since {state.stopped_at:%Y-%m-%d %H:%M} (UTC): "
                f'{state.why}.\n\nPut it right, and then run "tutela report resume".\n\n'
            )
        else:
            subject = f"Tutela: {authority} does not answer"
            told = (
                f"No report has reached {authority} since {state.failing_since:%Y-%m-%d %H:%M} "
                f"(UTC): {state.why}. They are tried again by themselves until they do, at most an "
                "hour apart; none is lost.\n\n"
            )
        send_words(
            settings.mail,
            recipient,
            subject,
            f"{told}{waiting.words}.\n\n"
            "You get no further mail of this until it has gone well again.\n",
        )

    return Kind(ALERT, alert, attempts=20)
