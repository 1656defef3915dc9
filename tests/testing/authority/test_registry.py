"""A report's life: what ends it by itself, and what outlives the server."""

import sqlite3
import time
from pathlib import Path

import pytest

from tests.conftest import TurnedClock
from tests.testing.authority.caller import Caller
from tutela.testing.authority.model import Code, Fault, Refused, Spoiling, State
from tutela.testing.authority.registry import Registry
from tutela.testing.authority.serving import Authority, running_authority


@pytest.fixture
def registry(tmp_path: Path, clock: TurnedClock):
    with Registry(tmp_path, clock) as opened:
        yield opened


def is_there(registry: Registry, report: int) -> bool:
    try:
        registry.describe_file(report, "unknown", "")
    except Refused as refused:
        return refused.code is Code.NO_SUCH_FILE
    raise AssertionError


def test_an_unfinished_report_is_deleted_a_day_after_it_was_opened(registry, clock) -> None:
    report = registry.open_report("sandbox", "<report/>")
    clock.turn(hours=23, minutes=59, seconds=59)
    assert is_there(registry, report)
    clock.turn(seconds=1)
    assert not is_there(registry, report)
    [kept] = registry.reports()
    assert kept.state is State.EXPIRED
    assert kept.ended_at == clock.now


def test_each_change_gives_it_an_hour_beyond_its_day(registry, clock, arrived) -> None:
    report = registry.open_report("sandbox", "<report/>")
    clock.turn(hours=23, minutes=30)
    file = registry.add_file(report, arrived)
    clock.turn(minutes=59)
    registry.describe_file(report, file, "<fileDetails/>")
    clock.turn(minutes=59)
    assert is_there(registry, report)
    clock.turn(minutes=1)
    assert not is_there(registry, report)


def test_a_change_within_its_day_does_not_shorten_it(registry, clock, arrived) -> None:
    report = registry.open_report("sandbox", "<report/>")
    registry.add_file(report, arrived)
    clock.turn(hours=2)
    assert is_there(registry, report)


@pytest.mark.parametrize("act", ["finish", "retract"])
def test_what_was_finished_or_retracted_does_not_expire(registry, clock, act: str) -> None:
    report = registry.open_report("sandbox", "<report/>")
    getattr(registry, act)(report)
    before = registry.report(report)
    clock.turn(days=400)
    assert registry.report(report) == before


def test_an_expired_report_is_as_if_it_never_was(registry, clock, arrived) -> None:
    report = registry.open_report("sandbox", "<report/>")
    clock.turn(days=2)
    for act in (
        registry.finish,
        registry.retract,
        lambda number: registry.add_file(number, arrived),
    ):
        with pytest.raises(Refused) as refused:
            act(report)
        assert refused.value.code is Code.NO_SUCH_REPORT
    assert registry.counts() == {"open": 0, "finished": 0, "retracted": 0, "expired": 1}


def test_its_own_clock_can_be_turned_over_http(authority: Authority, caller: Caller) -> None:
    report = caller.opened()
    before = authority.control.now()
    after = authority.control.turn_clock(hours=24)
    assert 86_400 <= (after - before).total_seconds() < 86_500
    assert caller.finish(report).code == Code.NO_SUCH_REPORT
    assert authority.control.reports(State.EXPIRED)[0].number == report


def test_everything_is_there_after_a_restart(tmp_path: Path, clock, arrived) -> None:
    with Registry(tmp_path, clock) as registry:
        report = registry.open_report("sandbox", "<report/>")
        file = registry.add_file(report, arrived)
        registry.turn_clock(60)
        registry.order_fault(Fault(spoiling=Spoiling.DROP, nth=3))
        before = (registry.reports(), registry.faults(), registry.now())
    with Registry(tmp_path, clock) as registry:
        assert (registry.reports(), registry.faults(), registry.now()) == before
        assert registry.finish(report) == [file]


def test_no_number_is_given_out_twice(tmp_path: Path, clock) -> None:
    with Registry(tmp_path, clock) as registry:
        first = registry.open_report("sandbox", "<report/>")
        registry.forget_all()
        assert registry.reports() == []
    with Registry(tmp_path, clock) as registry:
        assert registry.open_report("sandbox", "<report/>") == first + 1


def test_one_that_is_begun_anew_begins_where_time_stands_and_not_at_one(
    tmp_path: Path, clock
) -> None:
    before = int(time.time())
    for folder in ("one", "other"):
        with Registry(tmp_path / folder, clock) as registry:
            number = registry.open_report("sandbox", "<report/>")
            # Ten a second: a folder that was removed a second ago gave out none of these.
            assert (before - 1_700_000_000) * 10 < number
            assert number <= (int(time.time()) - 1_700_000_000) * 10 + 1


def test_two_servers_do_not_share_a_folder(tmp_path: Path, clock) -> None:
    with Registry(tmp_path, clock), pytest.raises(sqlite3.OperationalError):
        Registry(tmp_path, clock)


def test_no_byte_of_a_file_is_kept(tmp_path: Path) -> None:
    content = b"an excerpt that stands nowhere else " * 10_000
    with running_authority(tmp_path) as running:
        with Caller(running.base, running.user, running.password) as caller:
            caller.upload(caller.opened(), content)
        for file in tmp_path.rglob("*"):
            assert content[:36] not in file.read_bytes()
