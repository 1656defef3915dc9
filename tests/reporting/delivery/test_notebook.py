"""What an attempt notes lasts, opens again, and can be written by nobody but the job's worker."""

import hashlib
from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.reporting.world import NCMEC, World
from tutela.errors import LeaseLostError
from tutela.evidence.model import ItemId
from tutela.reporting.delivery.channel import Outcome, RemoteFile, Step
from tutela.reporting.delivery.notebook import AttemptNotebook, attempts_of, documents_of
from tutela.reporting.delivery.queueing import have_delivered
from tutela.reporting.delivery.resting import DELIVER
from tutela.reporting.model import ChannelKind, Environment, ReportId
from tutela.reporting.tables import delivery_attempts, delivery_documents
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.model import Job, Kind

KINDS = {DELIVER: Kind(DELIVER, lambda _: None)}


def lease(world: World, report: ReportId) -> Job:
    with world.database.writing() as connection:
        have_delivered(connection, report, world.clock)
    (job,) = claim(world.database, KINDS, world.clock, most=1, worker="test:1")
    return job


def notebook(world: World, report: ReportId, job: Job) -> AttemptNotebook:
    return AttemptNotebook(
        world.database,
        world.secrets,
        job,
        report,
        ChannelKind.CYBERTIPLINE,
        authority=NCMEC,
        environment=Environment.SANDBOX,
        submits_per_minute=10,
        clock=world.clock,
    )


def test_each_note_lasts(world: World) -> None:
    case = world.case(b"a landscape")
    report = world.draft(case)
    notes = notebook(world, report, lease(world, report))
    (file,) = [each.evidence for each in world.files(case)]
    remote = RemoteFile("b0754af766b426f2928a02c651ed4b99", hashlib.md5(b"a landscape").digest())
    attempt = notes.begin({"report.xml": b"<report/>"})
    assert (attempt.number, attempt.step, attempt.remote_id) == (1, Step.BEGUN, None)
    attempt = notes.opened(attempt, "4711")
    attempt = notes.uploaded(attempt, file, remote, {"file-0001.xml": b"<fileDetails/>"})
    attempt = notes.finishing(attempt)
    with world.database.reading() as connection:
        assert attempts_of(connection, report) == [attempt]
        assert documents_of(connection, world.secrets, attempt.id) == {
            "report.xml": b"<report/>",
            "file-0001.xml": b"<fileDetails/>",
        }
        sealed = connection.execute(select(delivery_documents.c.sealed)).scalars().all()
        digest = connection.execute(select(delivery_attempts.c.document_sha256)).scalar_one()
    assert not any(b"<report/>" in each for each in sealed)
    assert digest == hashlib.sha256(b"<report/>").digest()
    assert (attempt.step, attempt.remote_id, attempt.files) == (
        Step.FINISHING,
        "4711",
        {file: remote},
    )
    attempt = notes.abandoned(attempt)
    assert attempt.outcome is Outcome.ABANDONED
    assert notes.begin({}).number == 2


def test_a_worker_that_lost_its_job_can_note_nothing(world: World, clock) -> None:
    report = world.draft(world.case(b"a landscape"))
    late = notebook(world, report, lease(world, report))
    attempt = late.opened(late.begin({}), "1")
    clock.turn(minutes=5)
    # Taken back, and then taken by another worker.
    claim(world.database, KINDS, clock, most=1, worker="test:2")
    clock.turn(minutes=5)
    (job,) = claim(world.database, KINDS, clock, most=1, worker="test:2")
    notes: list[Callable[[], object]] = [
        lambda: late.begin({}),
        lambda: late.opened(attempt, "2"),
        lambda: late.uploaded(attempt, ItemId("a" * 26), RemoteFile("1", b""), {"a": b"b"}),
        lambda: late.finishing(attempt),
        lambda: late.finished(attempt),
        lambda: late.abandoned(attempt),
    ]
    for note in notes:
        with pytest.raises(LeaseLostError):
            note()
    with world.database.reading() as connection:
        assert attempts_of(connection, report) == [attempt]
        assert documents_of(connection, world.secrets, attempt.id) == {}
    assert notebook(world, report, job).abandoned(attempt).outcome is Outcome.ABANDONED
