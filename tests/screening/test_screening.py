"""Files are judged by the lists as they were last taken up, whole."""

from collections.abc import Iterator

import pytest

from tests.hashlists.filling import ACTOR, add, md5, new_list, withdraw
from tutela.fingerprints.model import FingerprintSet
from tutela.hashlists.lists import remove_list
from tutela.screening.model import Known, Verdict
from tutela.screening.opening import ScreeningRoom, open_screening
from tutela.screening.screening import Submission
from tutela.storage.database import Database


@pytest.fixture
def room(settings, database: Database, clock) -> Iterator[ScreeningRoom]:
    with open_screening(settings, database, clock) as room:
        yield room


FILE = FingerprintSet(md5=md5(1).value)


def verdict(room: ScreeningRoom) -> Verdict:
    return room.screener.screen(Submission(Known(FILE), "a.png", "scan")).verdict


def test_a_change_counts_from_the_next_refreshing_on(room, database, clock) -> None:
    known = new_list(database, clock)
    add(database, known, clock, md5(1))
    assert verdict(room) is Verdict.CLEAR
    room.screener.refresh()
    assert verdict(room) is Verdict.MATCH
    assert room.screener.live_lists == 1


def test_a_withdrawn_entry_is_no_match_even_before(room, database, clock) -> None:
    known = new_list(database, clock)
    add(database, known, clock, md5(1))
    room.screener.refresh()
    withdraw(database, known, clock, md5(1))
    assert verdict(room) is Verdict.CLEAR


def test_a_removed_list_is_gone_after_the_next_refreshing(room, database, clock) -> None:
    known = new_list(database, clock)
    add(database, known, clock, md5(1))
    room.screener.refresh()
    with database.writing() as connection:
        remove_list(connection, known.name, "a mistake", ACTOR, clock)
    room.screener.refresh()
    assert verdict(room) is Verdict.CLEAR
    assert room.screener.live_lists == 0


def test_looking_up_tells_of_nothing_or_of_hits_to_be_judged(room, database, clock) -> None:
    known = new_list(database, clock)
    add(database, known, clock, md5(1))
    room.screener.refresh()
    other = FingerprintSet(md5=md5(2).value)
    assert room.screener.look_up([other, other]).nothing
    findings = room.screener.look_up([other, FILE])
    assert not findings.nothing
    outcomes = room.screener.judge(
        [Submission(Known(each), "", "scan") for each in (other, FILE)], findings
    )
    assert [outcome.verdict for outcome in outcomes] == [Verdict.CLEAR, Verdict.MATCH]


def test_a_look_up_of_more_files_than_any_index_is_quick_at_is_not_called_quick(
    room, database, clock
) -> None:
    add(database, new_list(database, clock), clock, md5(1))
    room.screener.refresh()
    assert room.screener.is_quick(0)
    assert not room.screener.is_quick(10**9)


def test_what_is_sound_of_a_damaged_index_answers_until_the_next_refreshing(
    settings, database, clock
) -> None:
    known = new_list(database, clock)
    # More of them, so that the entry that comes after them gets a segment of its own.
    add(database, known, clock, md5(1), *map(md5, range(100, 110)))
    for added in (None, md5(2)):
        if added is not None:
            add(database, known, clock, added)
        with open_screening(settings, database, clock):
            pass
    newer = max((settings.data / "index").glob("*.segment"))
    content = bytearray(newer.read_bytes())
    content[0] ^= 1
    newer.write_bytes(content)
    lost = FingerprintSet(md5=md5(2).value)
    with open_screening(settings, database, clock, whole=False) as room:
        room.screener.begin()
        assert verdict(room) is Verdict.MATCH
        assert room.screener.look_up([lost]).nothing
        room.screener.refresh()
        assert verdict(room) is Verdict.MATCH
        assert not room.screener.look_up([lost]).nothing
