"""Saying once that an authority does not answer, or does not let the house in."""

from email.message import EmailMessage

from tutela.reporting.backlog import backlog
from tutela.reporting.model import ChannelKind
from tutela.reporting.resting import ALERT, channel_state
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.model import Job, Kind
from tutela.storage.mailing import send_mail
from tutela.storage.settings import Settings


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
        message = EmailMessage()
        message["To"] = recipient
        if state.stopped_at is not None:
            message["Subject"] = f"Tutela: reports to {authority} are stopped"
            told = (
                f"Nothing is sent to {authority} since {state.stopped_at:%Y-%m-%d %H:%M} (UTC): "
                f'{state.why}.\n\nPut it right, and then run "tutela report resume".\n\n'
            )
        else:
            message["Subject"] = f"Tutela: {authority} does not answer"
            told = (
                f"No report has reached {authority} since {state.failing_since:%Y-%m-%d %H:%M} "
                f"(UTC): {state.why}. They are tried again by themselves until they do, at most an "
                "hour apart; none is lost.\n\n"
            )
        message.set_content(
            f"{told}{waiting.words}.\n\n"
            "You get no further mail of this until it has gone well again.\n"
        )
        send_mail(settings.mail, message)

    return Kind(ALERT, alert, attempts=20)
