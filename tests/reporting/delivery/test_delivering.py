"""A queued report reaches the authority once, whole, and all that follows from it is recorded."""

import io
import json
import threading
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests.evidence.sealing import opened
from tests.reporting.delivery.test_notebook import lease, notebook
from tests.reporting.posting import Post, content, mark_of, whole
from tests.reporting.world import NCMEC, World
from tutela.cases.moving import state_of
from tutela.cases.states import State as CaseState
from tutela.cases.tables import cases
from tutela.errors import NotFoundError
from tutela.evidence.events import events_about
from tutela.evidence.subjects import Subject
from tutela.reporting.content import content_of
from tutela.reporting.delivery.channel import Outcome
from tutela.reporting.delivery.notebook import attempts_of
from tutela.reporting.delivery.queueing import have_delivered
from tutela.reporting.delivery.receipts import receipt_of
from tutela.reporting.delivery.resting import DELIVER, channel_state
from tutela.reporting.finding import find_report
from tutela.reporting.model import ChannelKind, Environment, Report, ReportId
from tutela.reporting.states import State
from tutela.reporting.tables import delivery_attempts, delivery_documents
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.leasing import claim, release
from tutela.storage.jobs.model import Later
from tutela.storage.jobs.performing import perform
from tutela.storage.jobs.tables import jobs
from tutela.testing.authority.model import Call, Code, Fault, Spoiling
from tutela.testing.authority.model import State as There
from tutela.testing.authority.serving import Authority

FILES = (b"a landscape", b"shapes" * 50_000)


@pytest.fixture
def post(world: World, authority: Authority) -> Post:
    return Post.between(world, authority)


def found(world: World, report: ReportId) -> Report:
    with world.database.reading() as connection:
        return find_report(connection, report)


def outcomes(world: World, report: ReportId) -> list[Outcome | None]:
    with world.database.reading() as connection:
        return [each.outcome for each in attempts_of(connection, report)]


def test_a_report_arrives_with_its_files_and_everything_follows(world: World, post: Post) -> None:
    report = post.report(*FILES)
    case = found(world, report).case
    assert post.work() == 1
    (arrived,) = post.authority.control.reports()
    assert whole([arrived], {case: list(FILES)}) == []
    sent = found(world, report)
    assert (sent.state, sent.remote_id) == (State.SENT, str(arrived.number))
    with world.database.reading() as connection:
        # A sandbox is nobody: for the law the case is not reported, and no clock begins.
        assert state_of(connection, case) is CaseState.CONFIRMED
        assert events_about(connection, Subject(case)) == []
        receipt = receipt_of(connection, report)
        with pytest.raises(NotFoundError):
            content_of(connection, world.secrets, report)
        assert connection.execute(select(delivery_documents.c.name)).all() == []
        assert DELIVER not in connection.execute(select(jobs.c.kind)).scalars().all()
    assert {each.id for each in receipt.files.values()} == {each.id for each in arrived.files}
    assert world.acts(case)[-1] == "report.sent"


def test_the_receipt_holds_exactly_what_was_sent(world: World, post: Post) -> None:
    report = post.report(*FILES)
    post.work()
    (arrived,) = post.authority.control.reports()
    receipt = found(world, report).receipt
    assert receipt is not None
    with zipfile.ZipFile(io.BytesIO(opened(world.vault, receipt))) as archive:
        sent = {name: archive.read(name) for name in archive.namelist()}
    assert sent["report.xml"].decode() == arrived.document
    assert [sent[f"file-000{n}.xml"].decode() for n in (1, 2)] == [
        each.details for each in arrived.files
    ]
    index = json.loads(sent["receipt.json"])
    assert index["remote_id"] == str(arrived.number)
    assert [each["md5"] for each in index["files"]] == [each.md5 for each in arrived.files]
    assert [each["sha256"] for each in index["files"]] == [each.sha256 for each in arrived.files]
    assert not index["found_out"]


@pytest.mark.parametrize(
    "spoiling",
    [
        Fault(spoiling=Spoiling.HANG_UP),
        Fault(spoiling=Spoiling.DROP),
        Fault(spoiling=Spoiling.DROP, after_effect=True),
        Fault(spoiling=Spoiling.STATUS, status=503, after_effect=True),
        Fault(spoiling=Spoiling.TRUNCATED),
        Fault(spoiling=Spoiling.HALF_XML),
        Fault(spoiling=Spoiling.WRONG_XML),
        Fault(spoiling=Spoiling.DOCTYPE),
        Fault(spoiling=Spoiling.HUGE, megabytes=3),
        Fault(spoiling=Spoiling.OTHER_MD5),
        Fault(spoiling=Spoiling.REDIRECT, after_effect=True),
        Fault(spoiling=Spoiling.CODE, code=Code.UPDATE_FAILED),
        Fault(spoiling=Spoiling.CODE, code=Code.SERVER_ERROR, after_effect=True),
    ],
    ids=lambda fault: f"{fault.spoiling}{'-after' if fault.after_effect else ''}",
)
def test_whatever_goes_wrong_on_the_way_it_is_there_once(
    world: World, post: Post, clock, spoiling: Fault
) -> None:
    expected = {}
    for call in (Call.SUBMIT, Call.UPLOAD, Call.FILEINFO, Call.FINISH):
        report = post.report(*FILES)
        expected[found(world, report).case] = list(FILES)
        post.authority.control.fail(spoiling.model_copy(update={"call": call}))
        for _ in range(3):
            post.work()
            clock.turn(minutes=2)
        assert found(world, report).state is State.SENT
        assert Outcome.SENT in outcomes(world, report)
        assert None not in outcomes(world, report)
    assert whole(post.authority.control.reports(), expected) == []
    assert not any(each.call is Call.ELSEWHERE for each in post.authority.control.calls())


def test_a_finish_whose_answer_was_lost_is_found_out_and_not_done_again(
    world: World, post: Post, clock
) -> None:
    report = post.report(*FILES)
    lost = Fault(call=Call.FINISH, spoiling=Spoiling.DROP, after_effect=True)
    post.authority.control.fail(lost)
    post.work()
    assert found(world, report).state is State.QUEUED
    clock.turn(minutes=1)
    post.work()
    sent = found(world, report)
    assert (sent.state, outcomes(world, report)) == (State.SENT, [Outcome.SENT])
    calls = [each.call for each in post.authority.control.calls()]
    assert calls.count(Call.SUBMIT) == calls.count(Call.FINISH) == calls.count(Call.RETRACT) == 1
    assert sent.receipt is not None
    with zipfile.ZipFile(io.BytesIO(opened(world.vault, sent.receipt))) as archive:
        index = json.loads(archive.read("receipt.json"))
    assert index["found_out"]
    assert len(index["files"]) == 2


@pytest.mark.parametrize("call", [Call.SUBMIT, Call.UPLOAD, Call.FILEINFO, Call.FINISH])
def test_what_a_person_has_to_mend_is_stopped_and_certainly_not_there(
    world: World, post: Post, clock, call: Call
) -> None:
    report = post.report(*FILES)
    refused = Fault(call=call, spoiling=Spoiling.CODE, code=Code.NOT_VALID)
    post.authority.control.fail(refused)
    post.work()
    stopped = found(world, report)
    assert stopped.state is State.STOPPED
    assert f"answered {call} with 4100" in (stopped.trouble or "")
    clock.turn(days=1)
    assert post.work() == 1, "people are told of it, and nothing is sent"
    assert {each.state for each in post.authority.control.reports()} <= {There.RETRACTED}
    with world.database.reading() as connection:
        assert state_of(connection, stopped.case) is CaseState.CONFIRMED
        assert content_of(connection, world.secrets, report) == content(stopped.case)


def test_an_open_report_that_expired_is_begun_anew(world: World, post: Post, clock) -> None:
    report = post.report(*FILES)
    post.authority.control.fail(Fault(call=Call.UPLOAD, spoiling=Spoiling.HANG_UP))
    post.work()
    clock.turn(hours=25)
    post.work()
    assert found(world, report).state is State.SENT
    assert [each.state for each in post.authority.control.reports()] == [
        There.EXPIRED,
        There.FINISHED,
    ]
    assert outcomes(world, report) == [Outcome.ABANDONED, Outcome.SENT]


def test_a_report_that_is_not_queued_any_more_is_not_sent(world: World, post: Post) -> None:
    report = post.report(*FILES)
    post.work()
    with world.database.writing() as connection:
        have_delivered(connection, report, world.clock)
        have_delivered(connection, ReportId(77), world.clock)
    assert post.work() == 2
    assert len(post.authority.control.reports()) == 1


def test_of_many_each_is_there_once(world: World, post: Post) -> None:
    expected = {}
    for number in range(12):
        file = b"picture %d" % number
        expected[found(world, post.report(file)).case] = [file]
    post.work()
    assert whole(post.authority.control.reports(), dict(expected)) == []
    assert {mark_of(each) for each in post.authority.control.reports()} == set(expected)


def test_the_throttle_is_kept_over_time(world: World, authority: Authority, clock) -> None:
    post = Post.between(world, authority, submits_per_minute=3)
    for _ in range(10):
        post.report()
    begun = []
    for _ in range(5 * 60):
        post.work()
        begun = [each.opened_at for each in authority.control.reports()]
        if len(begun) == 10:
            break
        clock.turn(seconds=1)
    assert len(begun) == 10
    for later, earlier in zip(begun[3:], begun, strict=False):
        assert later - earlier >= timedelta(minutes=1)


def test_what_was_finished_is_recorded_however_long_the_house_was_down(
    world: World, post: Post, clock
) -> None:
    report = post.report()
    job = lease(world, report)
    notes = notebook(world, report, job)
    attempt = notes.finishing(notes.opened(notes.begin({"report.xml": b"<report/>"}), "4711"))
    finished_at = clock()
    notes.finished(attempt)
    with world.database.writing() as connection:
        # As if it had been the authority itself: what is rehearsed begins no clock.
        connection.execute(update(delivery_attempts).values(environment=Environment.LIVE))
    for _ in range(3):
        clock.turn(days=9)
        claim(world.database, post.kinds, clock, most=1, worker="another one that dies")
    clock.turn(days=9)
    post.work()
    clock.turn(days=9)
    post.work()
    sent = found(world, report)
    assert (sent.state, sent.remote_id) == (State.SENT, "4711")
    with world.database.reading() as connection:
        (event,) = events_about(connection, Subject(sent.case))
    assert event.event.at == finished_at
    assert post.authority.control.calls() == []


def stand(world: World, report: ReportId, state: CaseState) -> None:
    with world.database.writing() as connection:
        mine = cases.c.id == find_report(connection, report).case
        connection.execute(update(cases).where(mine).values(state=state))


@pytest.mark.parametrize("state", [CaseState.OPEN, CaseState.NOT_CONFIRMED])
def test_nothing_is_sent_of_a_case_that_is_confirmed_no_more(
    world: World, post: Post, state: CaseState
) -> None:
    report = post.report(*FILES)
    stand(world, report, state)
    post.work()
    stopped = found(world, report)
    assert stopped.state is State.STOPPED
    assert "not confirmed any more" in (stopped.trouble or "")
    assert post.authority.control.reports() == []


def test_what_is_under_appeal_waits_and_goes_once_that_is_decided(
    world: World, post: Post, clock
) -> None:
    report = post.report(*FILES)
    stand(world, report, CaseState.UNDER_APPEAL)
    post.work()
    assert found(world, report).state is State.QUEUED
    assert post.authority.control.reports() == []
    stand(world, report, CaseState.CONFIRMED)
    clock.turn(minutes=10)
    post.work()
    assert found(world, report).state is State.SENT


def test_a_case_that_is_taken_back_while_it_is_sent_is_not_finished(
    world: World, post: Post
) -> None:
    report = post.report(*FILES)
    job = lease(world, report)
    notes = notebook(world, report, job)
    attempt = notes.opened(notes.begin({"report.xml": b"<report/>"}), "4711")
    stand(world, report, CaseState.NOT_CONFIRMED)
    with pytest.raises(Later, match="has changed"):
        notes.finishing(attempt)
    with world.database.writing() as connection:
        release(connection, job, world.clock)
    post.work()
    assert found(world, report).state is State.STOPPED
    assert outcomes(world, report) == [Outcome.ABANDONED]
    assert [each.call for each in post.authority.control.calls()] == [Call.RETRACT]


def test_two_jobs_of_one_report_do_not_send_it_twice(world: World, post: Post) -> None:
    first, second = post.report(*FILES), post.report(*FILES)
    with world.database.writing() as connection:
        enqueue(connection, DELIVER, {"report": first}, world.clock)
        # As a person may mend a job: the second one's would name the first report now.
        key = jobs.c.dedupe == f"report:{second}"
        connection.execute(update(jobs).where(key).values(payload={"report": first}))
    both = claim(world.database, post.kinds, world.clock, most=9, worker="test:1")
    assert len(both) == 3
    at_once = [
        threading.Thread(
            target=perform,
            args=(world.database, job, post.kinds[DELIVER], world.clock, lambda *_: None),
        )
        for job in both
    ]
    for each in at_once:
        each.start()
    for each in at_once:
        each.join()
    expected = {found(world, each).case: list(FILES) for each in (first, second)}
    assert whole(post.authority.control.reports(), expected) == []


@pytest.mark.parametrize("environment", list(Environment))
def test_what_may_have_got_through_elsewhere_is_told_of_and_not_passed_over(
    world: World, post: Post, environment: Environment
) -> None:
    report = post.report()
    job = lease(world, report)
    notes = notebook(world, report, job)
    notes.finishing(notes.opened(notes.begin({"report.xml": b"<report/>"}), "4711"))
    with world.database.writing() as connection:
        connection.execute(update(delivery_attempts).values(environment=environment))
        connection.execute(update(jobs).values(state="ready", due_at=world.clock()))
    post.work()
    with world.database.reading() as connection:
        way = channel_state(connection, ChannelKind.CYBERTIPLINE, NCMEC)
    if environment is Environment.LIVE:
        assert found(world, report).state is State.QUEUED
        assert "to live again" in (way.why or "")
        assert way.stopped_at is not None
        assert outcomes(world, report) == [None]
    else:
        assert way.stopped_at is None
        is_asked = environment is Environment.SANDBOX
        before = Outcome.ABANDONED if is_asked else None
        assert outcomes(world, report) == [before, Outcome.SENT]
        assert found(world, report).state is State.SENT
