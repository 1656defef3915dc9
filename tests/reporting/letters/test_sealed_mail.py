"""A report by mail arrives sealed; if nobody can know whether it did, the next copy says so."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.world import OPERATOR
from tests.evidence.disclosure.authority import Authority
from tests.mail_office import MailOffice, running_mail_office
from tests.reporting.letter_world import AUTHORITY, LetterWorld, addressee
from tests.reporting.packages.letters import KEY, REPORT
from tests.reporting.world import World
from tests.waiting import comes_true
from tutela.cases.appealing import AppealOutcome, decide_appeal, receive_appeal
from tutela.cases.moving import state_of
from tutela.cases.states import State as CaseState
from tutela.evidence.events import events_about
from tutela.evidence.retention import EventKind
from tutela.evidence.subjects import Subject
from tutela.reporting.authorities.changing import add_authority, set_channel
from tutela.reporting.authorities.model import AuthorityKind
from tutela.reporting.authorities.told import who_was_told
from tutela.reporting.content import keep_content
from tutela.reporting.delivery.channel import Attempt, Channel, Receipt, Sending
from tutela.reporting.delivery.resting import resume_channel
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.beginning import correct_report
from tutela.reporting.drafts.drafting import plain
from tutela.reporting.drafts.reading import draft_of
from tutela.reporting.letters.sealed_mail import SealedMail
from tutela.reporting.model import ChannelKind, ReportId
from tutela.reporting.states import Move, State
from tutela.storage.settings import Mail, MailSecurity, Reporting, Settings

ADDRESS = "reports@authority.example"


@pytest.fixture
def office() -> Iterator[MailOffice]:
    with running_mail_office() as running:
        yield running


@pytest.fixture
def settings(settings: Settings, office: MailOffice) -> Settings:
    return settings.model_copy(
        update={
            "organisation": "Example Förum",
            "mail": Mail(
                server="127.0.0.1",
                port=office.port,
                security=MailSecurity.NONE,
                sender="tutela@forum.example",
            ),
            "reporting": Reporting(mail_mebibytes=12),
        }
    )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def house(world: World, authority: Authority) -> LetterWorld:
    channel = SealedMail(world.settings, addressee([authority]), ADDRESS, world.clock)
    return LetterWorld(world, authority, ChannelKind.SEALED_MAIL, channel)


def ids(office: MailOffice) -> list[str]:
    return [str(each.message["Message-ID"]) for each in office.received]


def test_a_report_arrives_sealed_and_is_sent(house, office, tmp_path) -> None:
    content = os.urandom(300_000)
    report = house.queued(content, b"another landscape")
    house.work()
    (mail,) = office.received
    assert mail.recipient == ADDRESS
    assert mail.message["Subject"] == f"Report {report} from Example Förum"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    for hidden in ("words of the chat", "user <b>17", "192.0.2.1", "ada@forum", "landscape"):
        assert hidden not in mail.text
        assert hidden.encode() not in mail.content
    document = house.document(mail.attached, tmp_path / "x")
    assert document["report"] == REPORT.model_dump(mode="json", exclude_defaults=True)
    folder = tmp_path / "x" / "opened" / f"tutela-report-{report}"
    media = [folder / each["file"] for each in document["files"]]
    assert [each.read_bytes() for each in media] == [content, b"another landscape"]
    sent = house.report(report)
    assert (sent.state, f"<{sent.remote_id}>") == (State.SENT, ids(office)[0])
    assert document["sending"]["identifier"] == sent.remote_id
    assert sent.remote_id in mail.text
    assert house.outcomes(report) == ["sent"]
    assert house.failures == []
    with house.world.database.reading() as connection:
        assert state_of(connection, sent.case) is CaseState.REPORTED
        (event,) = events_about(connection, Subject(sent.case))
        (told,) = who_was_told(connection, sent.case)
    assert event.event.kind is EventKind.REPORT_FINISHED
    assert sent.remote_id in event.event.reference
    # What Tutela recorded by itself is not told once more as recorded by hand.
    assert (told.report, told.is_told) == (report, True)


class AppealedMeanwhile:
    """A way by which a report arrives, and an appeal comes in before that is noted."""

    def __init__(self, house: LetterWorld, by: Channel) -> None:
        self.house, self.by, self.appeal = house, by, None

    def counts(self, attempt: Attempt) -> bool | None:
        return self.by.counts(attempt)

    def deliver(self, sending: Sending) -> Receipt:
        receipt = self.by.deliver(sending)
        with self.house.world.database.writing() as connection:
            self.appeal = receive_appeal(
                connection, sending.case, "it is a mistake", OPERATOR, self.house.world.clock
            )
        return receipt


def test_a_case_under_appeal_meanwhile_is_reported_once_the_appeal_is_settled(house) -> None:
    house.channel = AppealedMeanwhile(house, house.channel)
    report = house.queued()
    house.work()
    sent = house.report(report)
    with house.world.database.reading() as connection:
        assert (sent.is_told, state_of(connection, sent.case)) == (True, CaseState.UNDER_APPEAL)
    with house.world.database.writing() as connection:
        upheld, appeal = AppealOutcome.UPHELD, house.channel.appeal.id
        decide_appeal(connection, appeal, upheld, OPERATOR, house.world.clock, reason="it is none")
        assert state_of(connection, sent.case) is CaseState.REPORTED


def test_the_receipt_has_what_was_sent(house, office) -> None:
    import io
    import json
    import zipfile

    report = house.queued()
    house.work()
    receipt = house.report(report).receipt
    kept = zipfile.ZipFile(io.BytesIO(b"".join(house.world.vault.open(receipt))))
    assert json.loads(kept.read("report.json"))["sending"]["report"] == report
    sealed = json.loads(kept.read("package.json"))
    assert sealed["size"] == len(office.received[0].attached)
    assert ids(office)[0].encode() in kept.read("mail.eml")
    assert kept.read("answer.txt") == b"2.0.0 kept as 1\nNotices of its delivery: asked for\n"


def test_a_correction_of_a_letter_says_what_a_person_wrote_in_it(house) -> None:
    world = house.world
    report = house.queued(b"a landscape", b"a lake")
    house.work()
    desk = Desk(world.settings, world.database, world.vault, world.clock)
    who = (world.settings, OPERATOR.actor, world.clock)
    with world.database.writing() as connection:
        add_authority(
            connection,
            *who,
            authority=AUTHORITY,
            name="Police",
            country="CH",
            kind=AuthorityKind.POLICE,
            duty=None,
            source="their letter",
        )
        set_channel(
            connection,
            *who,
            authority=AUTHORITY,
            kind=house.kind,
            source="their letter",
            address=ADDRESS,
            recipients=KEY,
        )
    second = correct_report(desk, report, OPERATOR)
    with world.database.reading() as connection:
        again = draft_of(connection, world.secrets, second)
    assert again.values == plain(REPORT)
    assert len(again.files) == 2


@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "RCPT", "DATA", "middle"])
def test_what_breaks_before_the_end_is_sent_again_as_if_it_had_never_been(
    house, office, tmp_path, step: str
) -> None:
    office.drops.append(step)
    # More than the machine keeps on the way, so that the break is noticed before the end.
    report = house.queued(os.urandom(8_000_000 if step == "middle" else 1000))
    house.work()
    assert office.received == []
    assert house.report(report).state is State.QUEUED
    house.later()
    (mail,) = office.received
    assert "copy" not in mail.text
    sending = house.document(mail.attached, tmp_path / "x")["sending"]
    assert (sending["copy_number"], sending["repeats"]) == (1, False)
    assert house.outcomes(report) == ["abandoned", "sent"]


@pytest.mark.parametrize("loses_it", [True, False])
def test_what_breaks_after_the_end_is_repeated_and_says_so(
    house, office, tmp_path, loses_it: bool
) -> None:
    office.drops.append("end")
    office.loses_it = loses_it
    report = house.queued()
    house.work()
    assert "may have been taken" in house.why_it_waits()
    house.later(minutes=5)
    assert len(office.received) == (0 if loses_it else 1)
    house.later()
    *earlier, mail = office.received
    assert {each.message["Message-ID"] for each in earlier} <= {mail.message["Message-ID"]}
    assert mail.message["Subject"].endswith("(copy 2)")
    words = " ".join(mail.text.split())
    assert f"This repeats report {report}: it is copy 2." in words
    sending = house.document(mail.attached, tmp_path / "x")["sending"]
    assert (sending["copy_number"], sending["repeats"]) == (2, True)
    assert sending["identifier"] == house.report(report).remote_id
    assert house.outcomes(report) == ["unknown", "sent"]


def test_a_server_that_puts_off_is_asked_again(house, office) -> None:
    office.answers["RCPT"] = ["451 4.7.1 greylisted, come again"]
    report = house.queued()
    house.work()
    assert "greylisted" in house.why_it_waits()
    house.later(minutes=1)
    assert office.received == []
    house.later(minutes=10)
    assert house.report(report).state is State.SENT
    assert house.outcomes(report) == ["abandoned", "sent"]


@pytest.mark.parametrize("step", ["DATA", "end"])
def test_what_is_refused_for_good_needs_a_person(house, office, step: str) -> None:
    office.answers[step] = ["554 5.7.1 not like this"]
    report = house.queued()
    house.work()
    stopped = house.report(report)
    assert stopped.state is State.STOPPED
    assert "554 5.7.1 not like this" in stopped.trouble
    assert house.outcomes(report) == ["abandoned"]
    house.later()
    assert office.received == []


@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
def test_a_wrong_address_stops_the_way_and_no_report(house, office, step: str) -> None:
    office.answers[step] = ["550 5.1.1 nobody of that name"]
    reports = [house.queued(), house.queued()]
    house.work()
    house.later()
    assert [house.report(each).state for each in reports] == [State.QUEUED] * 2
    assert "nobody of that name" in house.state().why
    assert len(office.lines_of(step)) == 1
    with house.world.database.writing() as connection:
        resume_channel(connection, house.kind, "xx-police", house.world.clock)
    house.later()
    assert [house.report(each).state for each in reports] == [State.SENT] * 2


def test_a_report_that_is_too_large_is_refused_before_it_is_sent(house, office) -> None:
    report = house.queued(bytes(10 << 20))
    house.work()
    trouble = house.report(report).trouble
    assert "is too large (the settings allow 12 MiB)" in trouble
    for remedy in ("leave out files", "reporting.mail_mebibytes", "webhook", "disclose"):
        assert remedy in trouble
    assert office.said == []
    office.extensions = ["SIZE 100000"]
    smaller = house.queued(os.urandom(200_000))
    house.work()
    assert "takes messages of at most 100,000 bytes" in house.report(smaller).trouble
    assert office.lines_of("MAIL") == []


def test_what_is_refused_after_a_doubt_says_to_ask_the_authority(house, office) -> None:
    office.drops.append("end")
    report = house.queued()
    house.work()
    office.answers["end"] = ["554 5.7.1 no more of these"]
    house.later()
    trouble = house.report(report).trouble
    assert "It is not known whether an earlier copy arrived: ask the authority" in trouble
    assert ids(office)[0].strip("<>") in trouble


def test_a_report_that_was_mended_after_a_doubt_takes_the_others_place(
    house, office, tmp_path
) -> None:
    office.drops.append("end")
    report = house.queued()
    house.work()
    office.answers["DATA"] = ["554 5.7.1 no"]
    house.later()
    house.world.move(report, Move.RETURN)
    other = REPORT.model_copy(update={"additional_info": "said better"})
    with house.world.database.writing() as connection:
        keep_content(connection, house.world.secrets, report, other.model_dump_json().encode())
    house.world.move(report, Move.SIGN)
    house.queue(report)
    house.later()
    first, second = office.received
    assert first.message["Message-ID"] != second.message["Message-ID"]
    assert "This one takes its place." in " ".join(second.text.split())
    sending = house.document(second.attached, tmp_path / "x")["sending"]
    assert sending["replaces"] == [str(first.message["Message-ID"]).strip("<>")]
    assert not sending["repeats"]


def test_a_correction_names_what_it_corrects(house, office, tmp_path) -> None:
    first = house.queued()
    house.work()
    world, case = house.world, house.report(first).case
    second = world.draft(
        case,
        REPORT.model_dump_json().encode(),
        [],
        authority="xx-police",
        channel=house.kind,
        corrects=first,
    )
    world.move(second, Move.SIGN)
    house.queue(second)
    house.later()
    sending = house.document(office.received[1].attached, tmp_path / "x")["sending"]
    assert sending["corrects"] == house.report(first).remote_id
    assert len(set(ids(office))) == 2


def test_words_that_cannot_be_read_need_a_person_and_are_not_repeated(house, office) -> None:
    report = house.queued(content=b'{"additional_info": "words of the chat"}')
    house.work()
    stopped = house.report(report)
    assert stopped.state is State.STOPPED
    assert "words of the chat" not in stopped.trouble
    assert house.failures == []


def test_an_address_that_mail_cannot_carry_stops_the_way(house, office) -> None:
    house.channel = SealedMail(
        house.world.settings, addressee([house.authority]), "büro@police.example", house.world.clock
    )
    report = house.queued()
    house.work()
    assert house.report(report).state is State.QUEUED
    assert "write it in ASCII" in house.state().why


def test_the_more_copies_may_have_arrived_the_longer_the_next_one_waits(house, office) -> None:
    report = house.queued()
    for minutes in (16, 61, 361, 361):
        office.drops.append("end")
        house.work()
        copies = len(office.received)
        house.later(minutes=minutes - 2)
        house.later(seconds=1)
        assert len(office.received) == copies
        house.world.clock.turn(minutes=3)
    house.later()
    assert house.report(report).state is State.SENT
    assert len(set(ids(office))) == 1


def test_a_damaged_file_is_never_sent(house, office) -> None:
    report = house.queued(b"a landscape")
    for blob in (house.world.settings.data / "vault").rglob("*"):
        if blob.is_file():
            content = bytearray(blob.read_bytes())
            content[-1] ^= 1
            blob.chmod(0o600)
            blob.write_bytes(content)
    house.work()
    assert office.received == []
    assert house.report(report).state in (State.QUEUED, State.STOPPED)


_WORKER = """
import sys
from pathlib import Path
from tutela.evidence.disclosure.recipients import read_recipients
from tutela.evidence.vault import Vault
from tutela.reporting.delivery.channels import Channels
from tutela.reporting.delivery.delivering import delivering
from tutela.reporting.letters.letters import Addressee
from tutela.reporting.model import ChannelKind
from tutela.reporting.letters.sealed_mail import SealedMail
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.jobs.leasing import claim
from tutela.storage.settings import Mail, load_settings
data, url, port, key = sys.argv[1:]
mail = Mail(server="127.0.0.1", port=int(port), security="none", sender="tutela@forum.example")
settings = load_settings(data=Path(data), database_url=url or None, mail=mail)
database = Database.open(settings)
vault = Vault.over(settings, database, system_clock)
addressee = Addressee("State Police of Example", read_recipients(key, "f"))
channel = SealedMail(settings, addressee, "reports@authority.example", system_clock)
channels = Channels(settings, {ChannelKind.SEALED_MAIL: lambda _: channel})
kind = delivering(settings, vault, channels, system_clock)
(job,) = claim(database, {kind.name: kind}, system_clock, most=1, worker="test:2")
kind.run(job)
"""


@pytest.mark.parametrize("step", ["MAIL", "middle", "end"])
def test_a_worker_that_is_killed_anywhere_loses_no_report(
    house, office, tmp_path, step: str
) -> None:
    settings = house.world.settings
    # More than the machine keeps on the way, so that the worker cannot be done with it.
    report = house.queued(os.urandom(8_000_000))
    office.stalls.add(step)
    worker = subprocess.Popen(
        [
            *(sys.executable, "-c", _WORKER, settings.data, settings.database_url or ""),
            *(str(office.port), house.authority.key),
        ]
    )
    assert comes_true(office.reached[step].is_set)
    worker.kill()
    worker.wait()
    office.stalls.clear()
    office.going_on.set()
    # Long after the lease of whoever was killed.
    house.world.clock.now = house.world.clock.now.replace(year=2100)
    house.work()
    house.later()
    assert house.failures == []
    assert house.report(report).state is State.SENT
    mail = office.received[-1]
    came = step == "end"
    assert house.outcomes(report)[0] == ("unknown" if came else "abandoned")
    sending = house.document(mail.attached, tmp_path / "x")["sending"]
    assert (sending["copy_number"], sending["repeats"]) == ((2, True) if came else (1, False))
    assert len(set(ids(office))) == 1
    assert list((settings.data / "outgoing").iterdir()) == []


def test_who_lost_the_lease_before_the_end_sends_nothing(house, office) -> None:
    from sqlalchemy import update

    from tutela.storage.jobs.tables import jobs

    report: ReportId = house.queued(os.urandom(1_000_000))

    class Thief(SealedMail):
        def _hand_over(self, sending, letter, package):  # type: ignore[no-untyped-def]
            begun = super()._hand_over
            with house.world.database.writing() as connection:
                connection.execute(update(jobs).values(token=jobs.c.token + 1))
            return begun(sending, letter, package)

    thief = Thief(house.world.settings, addressee([house.authority]), ADDRESS, house.world.clock)
    house.channel = thief
    house.work()
    assert office.received == []
    assert house.report(report).state is State.QUEUED
