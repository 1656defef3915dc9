"""After a restore nothing is sent twice, and nothing goes silently on."""

from datetime import timedelta

import pytest

from tests.cases.world import OPERATOR
from tests.reporting.posting import Post
from tests.reporting.world import World
from tutela.errors import AlreadyExistsError, InvalidInputError, OutOfTurnError
from tutela.ledger.reading import newest_entries
from tutela.reporting.delivery.backlog import backlog
from tutela.reporting.delivery.doubting import doubt_unsent, doubted, say_sent, say_unsent
from tutela.reporting.delivery.notebook import add_attempt
from tutela.reporting.delivery.queueing import have_delivered
from tutela.reporting.delivery.receipts import receipt_of
from tutela.reporting.finding import find_report
from tutela.reporting.model import Environment, Report, ReportId
from tutela.reporting.states import Move, State
from tutela.testing.authority.model import State as There
from tutela.testing.authority.serving import Authority

WHY = "not among what they have"


@pytest.fixture
def post(world: World, authority: Authority) -> Post:
    return Post.between(world, authority)


def restored(world: World, ago: timedelta = timedelta()) -> int:
    with world.database.writing() as connection:
        return doubt_unsent(connection, world.clock() - ago)


def found(world: World, report: ReportId) -> Report:
    with world.database.reading() as connection:
        return find_report(connection, report)


def was_sent(post: Post, report: ReportId, number: str) -> None:
    with post.world.database.writing() as connection:
        say_sent(connection, post.settings, report, number, OPERATOR, post.world.clock)


def was_not_sent(world: World, report: ReportId, reason: str = WHY) -> None:
    with world.database.writing() as connection:
        say_unsent(connection, report, OPERATOR, world.clock, reason=reason)


def finished(post: Post) -> list[int]:
    return [
        each.number for each in post.authority.control.reports() if each.state is There.FINISHED
    ]


def test_what_a_backup_has_queued_waits_for_a_word_and_then_goes_once(
    world: World, post: Post
) -> None:
    report = post.report(b"a landscape")
    assert restored(world) == 1
    post.work()
    assert (finished(post), found(world, report).state) == ([], State.QUEUED)
    with world.database.reading() as connection:
        assert [each.id for each in doubted(connection)] == [report]
        waits = backlog(connection, world.clock())
    assert (waits.doubted, waits.is_well) == (1, False)
    assert "before the house was restored" in waits.words
    with pytest.raises(InvalidInputError, match="how you know"):
        was_not_sent(world, report, " ")
    was_not_sent(world, report)
    post.work()
    assert len(finished(post)) == 1
    assert found(world, report).state is State.SENT
    with pytest.raises(OutOfTurnError, match="not in doubt"):
        was_not_sent(world, report)


def test_what_was_sent_since_is_recorded_by_its_number_and_not_sent_again(
    world: World, post: Post
) -> None:
    """The authority has it; the house was put back to when it was only queued."""
    post.report(b"a landscape")
    post.work()
    (number,) = finished(post)
    with world.database.writing() as connection:
        # What a restore leaves of it: nothing but that it is queued.
        for table in ("reports", "delivery_attempts"):
            connection.exec_driver_sql(f"UPDATE {table} SET remote_id = NULL")
    report = post.report(b"a lake")
    restored(world)
    for wrong in ("", "a-word"):
        with pytest.raises(InvalidInputError):
            was_sent(post, report, wrong)
    # A number that the authority does not know changes nothing.
    was_sent(post, report, "999")
    post.work()
    assert (finished(post), found(world, report).state) == ([number], State.QUEUED)
    was_sent(post, report, str(number))
    post.work()
    sent = found(world, report)
    assert (finished(post), sent.state, sent.remote_id) == ([number], State.SENT, str(number))
    assert sent.doubted_since is None
    with world.database.reading() as connection:
        assert receipt_of(connection, report).remote_id == str(number)
        acts = [each.act for each in newest_entries(connection, 50, sent.case)]
    assert acts.count("report.said-sent") == 2
    other = post.report(b"a hill")
    restored(world)
    with pytest.raises(AlreadyExistsError, match=f"report {report}"):
        was_sent(post, other, str(number))
    # Nor by the number of one that is on its way: both would be taken for the same one.
    going = post.report(b"a forest")
    with world.database.writing() as connection:
        add_attempt(connection, going, Environment.SANDBOX, world.clock(), remote_id="77")
    with pytest.raises(AlreadyExistsError, match=f"report {going}"):
        was_sent(post, other, "77")


def test_what_the_backup_knows_of_is_settled_by_itself(world: World, post: Post) -> None:
    """The attempt was about to be finished when the backup was made, and was finished after it."""
    report = post.report(b"a landscape")
    post.work()
    (number,) = finished(post)
    with world.database.writing() as connection:
        for words in (
            "UPDATE reports SET state = 'queued', sent_at = NULL, remote_id = NULL",
            "UPDATE delivery_attempts SET step = 'finishing', outcome = NULL, ended_at = NULL",
        ):
            connection.exec_driver_sql(words)
        have_delivered(connection, report, world.clock)
    restored(world)
    post.work()
    assert (finished(post), found(world, report).state) == ([number], State.SENT)


def test_a_report_begun_later_of_a_case_that_the_backup_knows_is_in_doubt(
    world: World, clock
) -> None:
    old = world.case(b"a landscape")
    clock.turn(minutes=1)
    restored(world)
    clock.turn(minutes=1)
    new = world.case(b"a lake")
    of_old, of_new = world.draft(old), world.draft(new)
    assert found(world, of_old).doubted_since is not None
    assert found(world, of_new).doubted_since is None
    world.move(of_old, Move.DISCARD, reason="told by telephone")
    assert found(world, of_old).doubted_since is None
