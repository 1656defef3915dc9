"""From a confirmed case to a receipt, and to a correction, at the sandbox authority."""

import pytest

from tests.cases.world import ANNA, OPERATOR
from tests.reporting.desks import confirmed, set_up, viewed
from tests.reporting.posting import Post, going_to
from tests.reporting.world import NCMEC, World
from tutela.cases.facts import Fact
from tutela.cases.grounds import Basis
from tutela.reporting.cybertipline.reading import read_file_details, read_report
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.beginning import begin_report, correct_report, refill_case
from tutela.reporting.drafts.supplied import Supplied
from tutela.reporting.drafts.supplying import supply
from tutela.reporting.drafts.writing import change_report
from tutela.reporting.finding import find_report
from tutela.reporting.jobs import kinds_of_reports
from tutela.reporting.model import Report, ReportId
from tutela.reporting.signing.automatic import kinds_of_drafts
from tutela.reporting.signing.queueing_signed import queueing
from tutela.reporting.signing.signing import sign_report
from tutela.reporting.states import State
from tutela.storage.jobs.model import kinds_by_name
from tutela.testing.authority.serving import Authority

SUPPLIED = Supplied.model_validate(
    {
        "reported": {
            "screen_name": "example-name",
            "person": {"emails": [{"address": "a@example.org", "verified": True}]},
            "ip_capture_events": [
                {"ip_address": "192.0.2.7", "event_name": "login", "possible_proxy": True}
            ],
        },
        "intended_recipients": [{"screen_name": "another-name"}],
        "victims": [{"person": {"age": 13}, "school_name": "a school"}],
        "internet_details": [{"chat_im_incident": {"chat_client": "Example Chat"}}],
    }
)


@pytest.fixture
def desk(world: World, authority: Authority) -> Desk:
    settings = going_to(set_up(world.settings), authority)
    return Desk(settings, world.database, world.vault, world.clock)


@pytest.fixture
def post(world: World, authority: Authority, desk: Desk) -> Post:
    """What does every job of reports that is due."""
    kinds = kinds_by_name(
        (
            *kinds_of_reports(desk.settings, desk.vault, desk.clock),
            queueing(desk),
            *kinds_of_drafts(desk),
        )
    )
    return Post(world, authority, desk.settings, kinds)


def found(world: World, report: ReportId) -> Report:
    with world.database.reading() as connection:
        return find_report(connection, report)


def test_a_case_with_files_and_words_arrives_as_it_was_signed(
    world: World, desk: Desk, post: Post
) -> None:
    case = confirmed(
        world, b"a landscape", words="words of the chat", facts=(Fact.IMMINENT_DANGER,)
    )
    viewed(world, case, ANNA)
    report = begin_report(desk, case, NCMEC, ANNA)
    with world.database.writing() as connection:
        supply(
            connection, desk.secrets, "user-1", case, SUPPLIED, caller=OPERATOR, clock=desk.clock
        )
    refill_case(desk, case, OPERATOR)
    sign_report(desk, report, ANNA)
    post.work()
    sent = found(world, report)
    (arrived,) = post.authority.control.reports()
    assert (sent.state, sent.remote_id) == (State.SENT, str(arrived.number))
    told = read_report(arrived.document.encode())
    assert told.incident_summary.escalate_to_high_priority == "A child may be in danger now."
    (place,) = told.internet_details
    assert place.chat_im_incident.content == "words of the chat"
    assert place.chat_im_incident.chat_client == "Example Chat"
    assert told.person_or_user_reported.ip_capture_events[0].possible_proxy is True
    assert told.victims[0].person.age == 13
    assert told.intended_recipients[0].screen_name == "another-name"
    (file,) = arrived.files
    said = read_file_details(file.details.encode())
    assert said.file_viewed_by_esp is True
    assert [each.hash_type for each in said.original_file_hashes] == ["MD5", "SHA256"]


def test_a_chat_alone_arrives_and_its_correction_names_it(
    world: World, desk: Desk, post: Post
) -> None:
    case = confirmed(world, words="words of the chat", facts=(Fact.SEXUAL_EXTORTION,))
    first = begin_report(desk, case, NCMEC, ANNA)
    change_report(desk, first, {"victims.0.person.age": 12}, ANNA)
    sign_report(desk, first, ANNA)
    post.work()
    number = int(found(world, first).remote_id or "")
    second = correct_report(desk, first, ANNA)
    change_report(desk, second, {"victims.0.person.age": 13}, ANNA)
    sign_report(desk, second, ANNA)
    post.work()
    assert found(world, second).state is State.SENT
    old, new = (
        read_report(each.document.encode())
        for each in sorted(post.authority.control.reports(), key=lambda each: each.number)
    )
    assert [each.victims[0].person.age for each in (old, new)] == [12, 13]
    assert new.person_or_user_reported.prior_ct_reports == (number,)
    assert new.incident_summary == old.incident_summary


def test_a_decision_by_digest_says_that_nobody_viewed_the_file(
    world: World, desk: Desk, post: Post
) -> None:
    case = confirmed(world, b"a landscape", basis=Basis.DIGEST)
    sign_report(desk, begin_report(desk, case, NCMEC, ANNA), ANNA)
    post.work()
    (arrived,) = post.authority.control.reports()
    (file,) = arrived.files
    assert read_file_details(file.details.encode()).file_viewed_by_esp is False
