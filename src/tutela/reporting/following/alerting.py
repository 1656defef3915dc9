"""Saying by mail that an authority wants something, without a word of what."""

from tutela.reporting.following.finding import find_feedback
from tutela.reporting.following.model import FeedbackId
from tutela.storage.database import Database
from tutela.storage.jobs.model import Job, Kind
from tutela.storage.mailing import send_words
from tutela.storage.settings import Settings

ALERT = "report.feedback-alert"
"""The job that does so, if somebody wants the mail."""


def alerting(settings: Settings, database: Database) -> Kind:
    """The kind of job that does so."""

    def alert(job: Job) -> None:
        recipient = settings.reporting.alert_to
        if recipient is None:
            return  # The page of the case has it, and the list of what waits.
        with database.reading() as connection:
            found = find_feedback(connection, FeedbackId(int(str(job.payload["feedback"]))))
        if not found.is_open:
            return
        of = "a report that nobody here knows by its number"
        if found.report is not None:
            of = f"report {found.report} of case {found.case}"
        send_words(
            settings.mail,
            recipient,
            f"Tutela: {found.authority} waits for an answer",
            f"Of {of}, {found.authority} {found.kind.words}. What it says is not in this mail.\n\n"
            f'See it with "tutela report feedback show {found.id}", do what it asks for, and '
            f'say so with "tutela report feedback settle {found.id}".\n\n'
            "You get no further mail of it.\n",
        )

    return Kind(ALERT, alert, attempts=20)
