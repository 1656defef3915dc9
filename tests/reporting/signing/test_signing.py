"""Who signs stands for it; a second one agrees where asked; it goes when nothing can be undone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, update

from tests.cases.world import ANNA, BEN, LEAD, OPERATOR, OTHER_LEAD, PROGRAM
from tests.reporting.desks import confirmed, desk_of, live_desk_of, viewed
from tests.reporting.world import NCMEC, World
from tutela.cases.states import State as CaseState
from tutela.cases.tables import case_matches, cases
from tutela.errors import InvalidInputError, NotPermittedError, OutOfTurnError
from tutela.reporting.delivery.queueing import OtherEnvironmentError
from tutela.reporting.delivery.resting import DELIVER
from tutela.reporting.drafts.as_read import ChangedMeanwhileError, seal_of
from tutela.reporting.drafts.beginning import begin_report, correct_report, refill_report
from tutela.reporting.drafts.reading import draft_of
from tutela.reporting.drafts.writing import change_report
from tutela.reporting.finding import find_report
from tutela.reporting.model import Environment, ReportId
from tutela.reporting.moving import ReportMoveError
from tutela.reporting.signing.queueing_signed import QUEUE, queue_forgotten, queueing
from tutela.reporting.signing.signing import (
    approve_report,
    discard_report,
    return_report,
    send_report,
    sign_report,
)
from tutela.reporting.states import Move, State
from tutela.reporting.tables import reports
from tutela.storage.jobs.model import Job, Later
from tutela.storage.jobs.tables import jobs
from tutela.storage.settings import Approval, Company


def jobs_called(world: World, kind: str) -> list:
    with world.database.reading() as connection:
        return connection.execute(
            select(jobs.c.payload, jobs.c.due_at).where(jobs.c.kind == kind)
        ).all()


def do(desk, report: ReportId) -> None:
    """What the job does that has a signed report sent."""
    job = Job.__new__(Job)
    object.__setattr__(job, "payload", {"report": report})
    queueing(desk).run(job)


def state_of(world: World, report: ReportId) -> State:
    with world.database.reading() as connection:
        return find_report(connection, report).state


def test_a_signed_report_goes_by_itself_once_nothing_can_be_undone(world: World, clock) -> None:
    desk = desk_of(world)
    case = confirmed(world, b"a landscape", ago=timedelta(seconds=20))
    report = begin_report(desk, case, NCMEC, ANNA)
    assert sign_report(desk, report, ANNA) is State.SIGNED
    (job,) = jobs_called(world, QUEUE)
    assert (job.payload, job.due_at) == ({"report": report}, clock() + timedelta(seconds=40))
    with pytest.raises(OutOfTurnError, match="40 seconds"):
        send_report(desk, report, ANNA)
    with pytest.raises(Later):
        do(desk, report)
    clock.turn(seconds=41)
    do(desk, report)
    assert state_of(world, report) is State.QUEUED
    with world.database.reading() as connection:
        assert find_report(connection, report).environment is Environment.SANDBOX
    assert [each.payload for each in jobs_called(world, DELIVER)] == [{"report": report}]
    do(desk, report)
    assert world.acts(case) == ["report.drafted", "report.signed", "report.queued"]


def test_a_report_of_a_decision_that_was_taken_back_is_signed_anew(world: World, clock) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape")
    report = begin_report(desk, case, NCMEC, ANNA)
    sign_report(desk, report, ANNA)
    with world.database.writing() as connection:
        connection.execute(update(cases).where(cases.c.id == case).values(state=CaseState.OPEN))
    with pytest.raises(OutOfTurnError, match="only what is confirmed"):
        send_report(desk, report, ANNA)
    do(desk, report)
    # It does not lie there signed for good, with nobody to send it, once the case is confirmed.
    assert state_of(world, report) is State.DRAFT
    with world.database.writing() as connection:
        connection.execute(
            update(cases).where(cases.c.id == case).values(state=CaseState.CONFIRMED)
        )
    sign_report(desk, report, ANNA)
    do(desk, report)
    assert state_of(world, report) is State.QUEUED


def test_one_rule_says_what_goes_of_a_closed_case(world: World) -> None:
    """What was signed before goes, and what corrects a report; a first one is not begun."""
    desk = desk_of(world, approval=Approval.ALWAYS)
    case, bare = confirmed(world, b"a landscape"), confirmed(world, b"a lake")
    report, draft = (begin_report(desk, each, NCMEC, ANNA) for each in (case, bare))
    sign_report(desk, report, ANNA)
    with world.database.writing() as connection:
        closed = update(cases).where(cases.c.id.in_((case, bare)))
        connection.execute(closed.values(state=CaseState.CLOSED))
    with pytest.raises(OutOfTurnError, match="only what is confirmed"):
        sign_report(desk, draft, ANNA)
    discard_report(desk, draft, ANNA, reason="closed")
    with pytest.raises(OutOfTurnError, match="only what is confirmed"):
        begin_report(desk, bare, NCMEC, ANNA)
    assert approve_report(desk, report, OTHER_LEAD) is State.APPROVED
    assert send_report(desk, report, ANNA) is State.QUEUED
    world.move(report, Move.SEND)
    with world.database.writing() as connection:
        connection.execute(update(reports).values(remote_id="1000001"))
    correction = correct_report(desk, report, ANNA)
    assert sign_report(desk, correction, ANNA) is State.SIGNED


def test_what_lacks_something_cannot_be_signed_and_says_what(world: World) -> None:
    desk, case = desk_of(world, company=Company()), confirmed(world, words="an excerpt")
    report = begin_report(desk, case, NCMEC, ANNA)
    with pytest.raises(InvalidInputError, match="incidentType"):
        sign_report(desk, report, ANNA)
    change_report(
        desk,
        report,
        {
            "incident_summary.incident_type": "enticement",
            "reporter.reporting_person.emails": [{"address": "a@example.org"}],
        },
        ANNA,
    )
    assert sign_report(desk, report, ANNA) is State.SIGNED
    with pytest.raises(OutOfTurnError, match="return it before"):
        change_report(desk, report, {"additional_info": "more"}, ANNA)


def test_whether_a_file_was_viewed_is_looked_up_again_at_the_signature(world: World) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape")
    report = begin_report(desk, case, NCMEC, ANNA)
    viewed(world, case, BEN)
    sign_report(desk, report, ANNA)
    with world.database.reading() as connection:
        (file,) = draft_of(connection, desk.secrets, report).files
    assert file.values["file_viewed_by_esp"] is True


def test_a_program_signs_and_agrees_to_nothing(world: World) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape")
    report = begin_report(desk, case, NCMEC, PROGRAM)
    for act in (sign_report, approve_report, send_report):
        with pytest.raises(NotPermittedError):
            act(desk, report, PROGRAM)


@pytest.mark.parametrize("signer", [LEAD, OPERATOR])
def test_where_it_is_asked_for_another_person_agrees(world: World, signer) -> None:
    desk = desk_of(world, approval=Approval.ALWAYS)
    case = confirmed(world, b"a landscape")
    report = begin_report(desk, case, NCMEC, signer)
    sign_report(desk, report, signer)
    assert jobs_called(world, QUEUE) == []
    with pytest.raises(OutOfTurnError, match="second person"):
        send_report(desk, report, signer)
    with pytest.raises(OutOfTurnError, match="signed report"):
        approve_report(desk, report, signer)
    assert approve_report(desk, report, OTHER_LEAD) is State.APPROVED
    do(desk, report)
    assert state_of(world, report) is State.QUEUED


def test_only_what_no_list_has_may_need_a_second_person(world: World) -> None:
    desk = desk_of(world, approval=Approval.UNLISTED)
    unlisted = begin_report(desk, confirmed(world, b"a landscape"), NCMEC, ANNA)
    sign_report(desk, unlisted, ANNA)
    assert jobs_called(world, QUEUE) == []
    with world.database.reading() as connection:
        assert connection.execute(select(case_matches.c.id)).all() == []


def test_a_report_is_returned_written_on_and_signed_anew(world: World) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape")
    report = begin_report(desk, case, NCMEC, ANNA)
    sign_report(desk, report, ANNA)
    assert return_report(desk, report, BEN, reason="a name is missing") is State.DRAFT
    do(desk, report)  # The job of the first signature finds nothing to do.
    assert state_of(world, report) is State.DRAFT
    change_report(desk, report, {"additional_info": "more"}, BEN)
    assert sign_report(desk, report, BEN) is State.SIGNED
    with pytest.raises(InvalidInputError, match="say why"):
        discard_report(desk, report, BEN, reason=" ")
    assert discard_report(desk, report, BEN, reason="of the wrong case") is State.DISCARDED
    with pytest.raises(ReportMoveError):
        sign_report(desk, report, BEN)


def sent(world: World, report: ReportId, number: str) -> None:
    world.move(report, Move.QUEUE, Move.SEND)
    with world.database.writing() as connection:
        connection.execute(
            update(reports)
            .where(reports.c.id == report)
            .values(remote_id=number, environment=Environment.SANDBOX)
        )


def test_no_number_of_a_rehearsal_is_told_to_the_authority_itself(world: World) -> None:
    desk = desk_of(world)
    rehearsed = begin_report(desk, confirmed(world, b"a landscape"), NCMEC, ANNA)
    sign_report(desk, rehearsed, ANNA)
    sent(world, rehearsed, "1000001")
    report = begin_report(desk, confirmed(world, b"a lake"), NCMEC, ANNA)
    with pytest.raises(InvalidInputError, match="1000001, which is none of the authority"):
        sign_report(live_desk_of(world), report, ANNA)
    refill_report(live_desk_of(world), report, ANNA)
    assert sign_report(live_desk_of(world), report, ANNA) is State.SIGNED


def test_what_was_signed_for_one_environment_is_not_sent_to_another(world: World, clock) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape")
    report = begin_report(desk, case, NCMEC, ANNA)
    sign_report(desk, report, ANNA)
    with pytest.raises(OtherEnvironmentError, match="sign it for this one"):
        send_report(live_desk_of(world), report, ANNA)
    do(live_desk_of(world), report)
    assert state_of(world, report) is State.DRAFT
    assert world.acts(case)[-1] == "report.returned"


def test_a_correction_names_what_it_corrects(world: World) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape")
    first = begin_report(desk, case, NCMEC, ANNA)
    sign_report(desk, first, ANNA)
    sent(world, first, "1000001")
    second = correct_report(desk, first, ANNA)
    change_report(desk, second, {"person_or_user_reported.prior_ct_reports": []}, ANNA)
    with pytest.raises(InvalidInputError, match="name its number there, 1000001"):
        sign_report(desk, second, ANNA)
    refilled = {"person_or_user_reported.prior_ct_reports": [1000001]}
    change_report(desk, second, refilled, ANNA)
    with world.database.writing() as connection:
        went = update(reports).where(reports.c.id == first)
        connection.execute(went.values(environment=Environment.TEST))
    with pytest.raises(OutOfTurnError, match="went to the test environment"):
        sign_report(desk, second, ANNA)
    with world.database.writing() as connection:
        connection.execute(went.values(environment=Environment.SANDBOX))
    assert sign_report(desk, second, ANNA) is State.SIGNED


def test_what_is_signed_and_has_no_job_is_found_once_nobody_has_to_agree(world: World) -> None:
    asking = desk_of(world, approval=Approval.ALWAYS)
    report = begin_report(asking, confirmed(world, b"a landscape"), NCMEC, ANNA)
    sign_report(asking, report, ANNA)
    assert (queue_forgotten(asking), jobs_called(world, QUEUE)) == (0, [])
    # The settings ask for nobody any more.
    assert (queue_forgotten(desk_of(world)), queue_forgotten(desk_of(world))) == (1, 0)
    assert [each.payload for each in jobs_called(world, QUEUE)] == [{"report": report}]
    do(desk_of(world), report)
    assert state_of(world, report) is State.QUEUED
    assert queue_forgotten(desk_of(world)) == 0


def test_what_is_signed_waits_for_an_appeal(world: World) -> None:
    desk, case = desk_of(world), confirmed(world, b"a landscape")
    report = begin_report(desk, case, NCMEC, ANNA)
    sign_report(desk, report, ANNA)
    mine = update(cases).where(cases.c.id == case)
    with world.database.writing() as connection:
        connection.execute(mine.values(state=CaseState.UNDER_APPEAL))
    with pytest.raises(Later, match="under appeal"):
        do(desk, report)
    with world.database.writing() as connection:
        connection.execute(mine.values(state=CaseState.CONFIRMED))
    do(desk, report)
    assert state_of(world, report) is State.QUEUED


def test_who_signs_and_who_writes_at_once_never_get_a_signature_under_other_words(
    world: World,
) -> None:
    desk = desk_of(world)
    for number in range(4):
        case = confirmed(world, f"landscape {number}".encode(), subject=f"user-{number}")
        report = begin_report(desk, case, NCMEC, ANNA)
        with world.database.reading() as connection:
            seal = seal_of(draft_of(connection, desk.secrets, report))
        together = Barrier(2)

        def sign(report=report, seal=seal, together=together) -> bool:
            together.wait()
            return did(lambda: sign_report(desk, report, ANNA, seal=seal))

        def write(report=report, together=together) -> bool:
            together.wait()
            words = {"additional_info": "other words"}
            return did(lambda: change_report(desk, report, words, BEN))

        with ThreadPoolExecutor(2) as pool:
            signing, writing = pool.submit(sign), pool.submit(write)
            signed, wrote = signing.result(), writing.result()
        assert signed is not wrote
        with world.database.reading() as connection:
            now = seal_of(draft_of(connection, desk.secrets, report))
        assert (state_of(world, report) is State.SIGNED, now == seal) == (signed, signed)


def test_nobody_agrees_to_or_writes_over_words_that_they_never_read(world: World) -> None:
    desk = desk_of(world, approval=Approval.ALWAYS)
    report = begin_report(desk, confirmed(world, b"a landscape"), NCMEC, ANNA)
    with pytest.raises(ChangedMeanwhileError):
        change_report(desk, report, {"additional_info": "mine"}, BEN, seal="0" * 64)
    sign_report(desk, report, ANNA)
    with pytest.raises(OutOfTurnError, match="was changed after"):
        approve_report(desk, report, LEAD, seal="0" * 64)
    with world.database.reading() as connection:
        seal = seal_of(draft_of(connection, desk.secrets, report))
    assert approve_report(desk, report, LEAD, seal=seal) is State.APPROVED


def did(act: Callable[[], object]) -> bool:
    """Whether it was done, or refused because another one was quicker."""
    try:
        act()
    except OutOfTurnError:
        return False
    return True
