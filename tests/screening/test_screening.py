"""Files are judged by the lists as they were last taken up, whole."""

from collections.abc import Iterator

import pytest

from tests.hashlists.filling import ACTOR, add, md5, new_list, withdraw
from tutela.cases.reading import find_case
from tutela.fingerprints.model import (
    Digests,
    Fingerprint,
    FingerprintSet,
    Kind,
    Part,
    Pdq,
    Unreadable,
)
from tutela.hashlists.lists import remove_list
from tutela.screening.model import Failure, Known, Verdict
from tutela.screening.opening import ScreeningRoom, open_screening
from tutela.screening.screening import Submission
from tutela.storage.database import Database
from tutela.storage.settings import OnUnreadable


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
    other, file = Known(FingerprintSet(md5=md5(2).value)), Known(FILE)
    assert room.screener.look_up([other, other]).nothing
    findings = room.screener.look_up([other, file])
    assert not findings.nothing
    outcomes = room.screener.judge(
        [Submission(each, "", "scan") for each in (other, file)], findings
    )
    assert [outcome.verdict for outcome in outcomes] == [Verdict.CLEAR, Verdict.MATCH]


def test_a_look_up_of_more_files_than_any_index_is_quick_at_is_not_called_quick(
    room, database, clock
) -> None:
    add(database, new_list(database, clock), clock, md5(1))
    room.screener.refresh()
    assert room.screener.is_quick([])
    part = Part("frame 2", pdq=Pdq(bytes(32), 100))
    assert not room.screener.is_quick([Known(FILE, parts=(part,) * 10**6)] * 1000)


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
    lost = Known(FingerprintSet(md5=md5(2).value))
    with open_screening(settings, database, clock, whole=False) as room:
        room.screener.begin()
        assert verdict(room) is Verdict.MATCH
        assert room.screener.look_up([lost]).nothing
        room.screener.refresh()
        assert verdict(room) is Verdict.MATCH
        assert not room.screener.look_up([lost]).nothing


def test_a_file_is_judged_by_the_best_of_all_its_parts(room, database, clock) -> None:
    add(database, new_list(database, clock), clock, md5(1), Fingerprint(Kind.PDQ, b"\x0f" * 32))
    room.screener.refresh()
    far, near = (Pdq(bytes([first]) + b"\x0f" * 31, 100) for first in (0xF0, 0x0E))
    flat = Pdq(b"\x0f" * 32, 49)
    same = Digests(1, md5(1).value, bytes(20), bytes(32))
    file = Known(
        FingerprintSet(md5=md5(2).value, pdq=bytes(32), pdq_quality=100),
        parts=(
            Part("frame 2", pdq=flat),
            Part("frame 3", pdq=far),
            Part("frame 4", pdq=near),
            Part("a.zip", digests=same),
        ),
    )
    clear = Known(FingerprintSet(md5=md5(3).value), parts=file.parts[:1])
    outcomes = room.screener.screen_many(
        [Submission(each, "a.gif", "scan") for each in (clear, file, clear, Known(FILE))]
    )
    assert [
        [(match.kind, match.distance, match.place) for match in outcome.matches]
        for outcome in outcomes
    ] == [
        [],
        [(Kind.MD5, 0, "a.zip"), (Kind.PDQ, 1, "frame 4")],
        [],
        [(Kind.MD5, 0, "")],
    ]
    with database.reading() as connection:
        assert outcomes[1].case is not None
        (item,) = find_case(connection, outcomes[1].case).items
    assert item.matches == outcomes[1].matches


def test_a_part_that_nobody_could_look_at_makes_the_file_unreadable(room) -> None:
    failure = Failure(Unreadable.ENDS_EARLY, "frame 2: its data ends early", "frame 2")
    known = Known(FILE, failures=(failure,))
    screened = room.screener.screen(Submission(known, "a.gif", "scan"))
    assert screened.verdict is Verdict.UNREADABLE
    assert (screened.failure, screened.answer) == (failure, OnUnreadable.REFUSE)
