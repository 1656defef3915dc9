"""Saying once that a receiver is not told any more, until it answers again."""

from sqlalchemy import select

from tutela.storage.database import Database
from tutela.storage.jobs.model import Job, Kind
from tutela.storage.mailing import send_words
from tutela.storage.settings import Settings
from tutela.webhooks.tables import webhook_endpoints

ALERT = "webhook.alert"
"""The job that tells people of it by mail, if they want that."""


def alerting(settings: Settings, database: Database) -> Kind:
    """The kind of job that does so."""

    def alert(job: Job) -> None:
        recipient = settings.webhooks.alert_to
        if recipient is None:
            return  # The log has it, the jobs have it, and the page of the webhooks has it.
        with database.reading() as connection:
            row = connection.execute(
                select(webhook_endpoints).where(webhook_endpoints.c.id == job.payload["webhook"])
            ).one()
        since = f"{row.failing_since:%Y-%m-%d %H:%M}" if row.failing_since else "for days"
        send_words(
            settings.mail,
            recipient,
            f"Tutela: webhook {row.id} does not answer",
            f'The receiver of the webhook "{row.name}" has not answered well since {since} (UTC). '
            "What people decided did not reach it, and is given up one by one as it gets old.\n\n"
            'See /webhooks or "tutela webhook log", mend the receiver, and have what failed sent '
            'again: "tutela webhook retry".\n\n'
            "You get no further mail of this webhook until it has answered well again.\n",
        )

    return Kind(ALERT, alert, attempts=20)
