"""An authority that cannot be reached, or lets nobody in: nothing is lost, one alert is raised."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from tests.cases.world import OPERATOR
from tests.evidence.sealing import AT_LENGTH
from tests.reporting.posting import Post, whole
from tests.reporting.world import NCMEC, World
from tutela.reporting.delivery.backlog import backlog
from tutela.reporting.delivery.going_live import resume
from tutela.reporting.delivery.resting import ALERT, DELIVER
from tutela.reporting.finding import find_report
from tutela.reporting.model import ChannelKind, Environment
from tutela.reporting.states import Move, State
from tutela.reporting.tables import delivery_attempts, reports
from tutela.storage.jobs.tables import jobs
from tutela.testing.authority.model import Call, Code, Fault, Spoiling
from tutela.testing.authority.serving import Authority

MANY = 10_000 if AT_LENGTH else 30
PER_MINUTE = 600 if AT_LENGTH else 10
DAYS = 7 if AT_LENGTH else 1


def next_due(world: World) -> datetime | None:
    with world.database.reading() as connection:
        due = select(jobs.c.due_at).where(jobs.c.kind == DELIVER).order_by(jobs.c.due_at)
        return connection.execute(due.limit(1)).scalar_one_or_none()


def alerts(world: World) -> int:
    with world.database.reading() as connection:
        asked = select(func.count()).where(jobs.c.kind == ALERT)
        return connection.execute(asked).scalar_one()


def live_through(post: Post, until: datetime) -> None:
    """Work whenever something is due, until a moment; and turn the clock from one to the next."""
    clock = post.world.clock
    while True:
        post.work()
        due = next_due(post.world)
        if due is None or due >= until:
            clock.now = max(clock.now, until) if due is not None else clock.now
            return
        clock.now = max(clock.now + timedelta(milliseconds=1), due)


def test_a_week_long_outage_loses_nothing_and_ends_within_the_throttle(
    world: World, authority: Authority, clock
) -> None:
    post = Post.between(world, authority, submits_per_minute=PER_MINUTE)
    del post.kinds[ALERT]
    began = clock.now
    authority.control.fail(Fault(spoiling=Spoiling.HANG_UP, times=None))
    expected = {}
    for number in range(MANY):
        files = [b"picture %d" % number] if number % 10 == 0 else []
        report = post.report(*files)
        with world.database.reading() as connection:
            expected[find_report(connection, report).case] = files
    live_through(post, began + timedelta(days=DAYS))
    with world.database.reading() as connection:
        waiting = backlog(connection, clock())
        tried = connection.execute(select(func.count(delivery_attempts.c.id))).scalar_one()
    assert waiting.queued == MANY
    assert waiting.oldest_seconds == timedelta(days=DAYS).total_seconds()
    assert not waiting.is_well
    assert "us-ncmec takes no reports" in waiting.words
    assert alerts(world) == 1
    # Not one a report: about a question an hour.
    asked = sum(authority.control.counts().calls.values())
    assert tried <= asked <= DAYS * 24 * 3
    authority.control.stop_failing()
    over = clock.now
    live_through(post, over + timedelta(days=1))
    assert whole(authority.control.reports(), expected) == []
    begun = sorted(each.opened_at for each in authority.control.reports())
    for later, earlier in zip(begun[PER_MINUTE:], begun, strict=False):
        assert later - earlier >= timedelta(minutes=1)
    # The last question before the end was asked an hour before at most.
    assert begun[-1] - over <= timedelta(hours=1) + 1.5 * timedelta(minutes=MANY / PER_MINUTE)
    with world.database.reading() as connection:
        assert backlog(connection, clock()).is_well
        states = connection.execute(select(reports.c.state).distinct()).scalars().all()
    assert states == [State.SENT]


def test_wrong_credentials_stop_the_channel_until_somebody_has_it_go_on(
    world: World, authority: Authority, clock
) -> None:
    wrong = Post.between(world, authority, password="another")
    for _ in range(3):
        wrong.report()
    kinds = {name: kind for name, kind in wrong.kinds.items() if name != ALERT}
    wrong = Post(world, authority, wrong.settings, kinds)
    live_through(wrong, clock.now + timedelta(days=3))
    calls = Counter(each.call for each in authority.control.calls())
    assert calls == {Call.STATUS: 1}
    assert alerts(world) == 1
    with world.database.reading() as connection:
        waiting = backlog(connection, clock())
    assert waiting.queued == 3
    assert "2000" in (waiting.channels[0].why or "")
    right = Post.between(world, authority)
    assert right.work() == 1  # The alert; nothing goes on by itself.
    with world.database.writing() as connection:
        resume(connection, ChannelKind.CYBERTIPLINE, NCMEC, OPERATOR, clock)
    right.work()
    with world.database.reading() as connection:
        assert backlog(connection, clock()).queued == 0
    assert Counter(each.call for each in authority.control.calls())[Call.FINISH] == 3


def test_one_report_that_never_gets_through_holds_up_no_other(
    world: World, authority: Authority, clock
) -> None:
    post = Post.between(world, authority)
    sick = post.report(b"a landscape")
    poison = Fault(call=Call.UPLOAD, spoiling=Spoiling.CODE, code=Code.UPLOAD_FAILED, times=None)
    authority.control.fail(poison)
    for _ in range(5):
        post.report()
    live_through(post, clock.now + timedelta(hours=6))
    with world.database.reading() as connection:
        assert backlog(connection, clock()).queued == 1
        assert find_report(connection, sick).state is State.QUEUED
    uploads = [each.at for each in authority.control.calls() if each.call is Call.UPLOAD]
    assert 8 <= len(uploads) <= 40
    assert uploads[-1] - uploads[-2] >= timedelta(minutes=20)
    authority.control.stop_failing()
    live_through(post, clock.now + timedelta(hours=2))
    with world.database.reading() as connection:
        assert find_report(connection, sick).state is State.SENT


@pytest.mark.parametrize("settled", [True, False])
def test_a_report_meant_for_another_environment_is_looked_at_again(
    world: World, authority: Authority, clock, settled: bool
) -> None:
    post = Post.between(world, authority)
    report = post.report()
    if not settled:
        authority.control.fail(Fault(call=Call.FINISH, spoiling=Spoiling.DROP, after_effect=True))
        post.work()
        clock.turn(minutes=1)
    test = Post.between(world, authority, environment="test", address=None)
    test.work()
    with world.database.reading() as connection:
        found = find_report(connection, report)
    assert found.environment is Environment.SANDBOX
    # Also one that may have got through there: nobody acts on what is only rehearsed.
    assert found.state is State.STOPPED
    if not settled:
        # Nor is it sent there again.
        world.move(report, Move.RETURN, Move.SIGN)
        post.queue(report)
        post.work()
        with world.database.reading() as connection:
            assert find_report(connection, report).state is State.SENT
        assert Counter(each.call for each in authority.control.calls())[Call.FINISH] == 1
