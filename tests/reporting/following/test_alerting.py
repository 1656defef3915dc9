"""People are told by mail that an authority waits, once, and not a word of what it said."""

from tests.ledger.mail_server import running_mail_server
from tests.reporting.following.answered import REVIEWER, WORDS, came, case_of, sent
from tests.reporting.world import World
from tutela.reporting.following.jobs import kinds_of_following
from tutela.reporting.following.model import FeedbackId, FeedbackKind
from tutela.reporting.following.settling import settle_feedback
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.model import kinds_by_name
from tutela.storage.jobs.performing import perform
from tutela.storage.settings import Mail, MailSecurity


def test_a_mail_names_the_report_and_not_what_was_said(world: World) -> None:
    report = sent(world)
    with running_mail_server() as mail:
        settings = world.settings.model_copy(
            update={
                "reporting": world.settings.reporting.model_copy(
                    update={"alert_to": "a@b.example"}
                ),
                "mail": Mail(server="127.0.0.1", port=mail.port, security=MailSecurity.NONE),
            }
        )
        kinds = kinds_by_name(kinds_of_following(settings, world.database, world.clock))

        def work() -> None:
            while jobs := claim(world.database, kinds, world.clock, most=100, worker="test:1"):
                for job in jobs:
                    perform(world.database, job, kinds[job.kind], world.clock, lambda *_: None)

        came(world, FeedbackKind.MORE_WANTED)
        came(world, FeedbackKind.CLOSED, "msg_2")
        done = came(world, FeedbackKind.OTHER, "msg_3")
        with world.database.writing() as connection:
            settle_feedback(connection, FeedbackId(done or 0), REVIEWER, world.clock, reason="read")
        work()
        work()
        (told,) = mail.received
        text = told.replace(b"=\n", b"").decode()
        assert f"report {report} of case {case_of(world, report)}" in " ".join(text.split())
        assert "asks for more" in " ".join(text.split())
        assert WORDS not in text
