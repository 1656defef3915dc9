"""Videos are judged by all their frames, and what matched is told with where it is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from tests.hashlists.filling import ACTOR, new_list, withdraw
from tutela.cases.model import ItemKind
from tutela.cases.reading import find_case
from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import Fingerprint, FingerprintSet, Kind, Part, Pdq, VideoFrame
from tutela.fingerprints.vpdq import clock_words
from tutela.hashlists.adding import add_with_provenance
from tutela.hashlists.formats.hashes import of_frames
from tutela.hashlists.lists import remove_list
from tutela.hashlists.model import HashList, ListRow, Provenance
from tutela.screening.model import Known, Screened, Verdict
from tutela.screening.opening import ScreeningRoom, open_screening
from tutela.screening.screening import Submission
from tutela.screening.videos import videos_among
from tutela.storage.database import Database


@pytest.fixture
def room(settings, database: Database, clock) -> Iterator[ScreeningRoom]:
    with open_screening(settings, database, clock) as room:
        yield room


def frames(*shades: int, quality: int = 100) -> list[VideoFrame]:
    """One frame a second; those of different shades are far from each other."""
    return [
        VideoFrame(
            Pdq(bytes((shade * 37 + place * shade) % 256 for place in range(32)), quality),
            float(second),
        )
        for second, shade in enumerate(shades)
    ]


def parts(video: Sequence[VideoFrame], within: str = "", *, turned: bool = False) -> list[Part]:
    place = f"{within} " if within else ""
    return [
        Part(f"{place}{clock_words(each.seconds)}", None, each.pdq, None, each.seconds, turned)
        for each in video
    ]


def put(
    database: Database, hash_list: HashList, clock, *videos: Sequence[VideoFrame]
) -> list[ListRow]:
    found = [of_frames(each) for each in videos]
    rows = [
        ListRow(place, fingerprint, frames=packed)
        for place, (fingerprint, packed) in enumerate(found, 1)
    ]
    with database.writing() as connection:
        added = add_with_provenance(
            connection, hash_list, Provenance("tests"), rows, actor=ACTOR, clock=clock
        )
    assert added.added + added.already + added.withdrawn == len(rows)
    return rows


def put_picture(database: Database, hash_list: HashList, clock, pdq: Pdq) -> None:
    row = ListRow(1, Fingerprint(Kind.PDQ, pdq.value), 100)
    with database.writing() as connection:
        add_with_provenance(
            connection, hash_list, Provenance("tests"), [row], actor=ACTOR, clock=clock
        )


def screen(room: ScreeningRoom, *found: Part) -> Screened:
    room.screener.refresh()
    known = Known(FingerprintSet(), parts=found, is_video=found[0].digests is None)
    return room.screener.screen(Submission(known, "a.mp4", "scan"))


KNOWN = frames(1, 2, 3, 4, 5)


def test_a_clip_of_a_known_video_and_a_longer_one_are_matches_that_say_where(
    room, database, clock
) -> None:
    put(database, new_list(database, clock), clock, KNOWN, frames(90, 91, 92))
    clip = screen(room, *parts(frames(2, 3)))
    (match,) = clip.matches
    assert (match.kind, match.distance, match.place) == (Kind.VPDQ, 0, "00:00:00 to 00:00:01")
    assert (match.query_percent, match.compared_percent) == (100, 40)
    longer = screen(room, *parts(frames(50, 51, 1, 2, 3, 4, 5, 52)))
    (match,) = longer.matches
    assert match.place == "00:00:02 to 00:00:06"
    assert (match.query_percent, match.compared_percent) == (62, 100)
    assert longer.case is not None
    with database.reading() as connection:
        (item,) = find_case(connection, longer.case).items
    assert item.item.kind is ItemKind.VIDEO
    assert list(item.matches) == [match]
    assert not match.is_the_very_file


def test_the_tracks_of_a_file_are_videos_by_themselves(room, database, clock) -> None:
    put(database, new_list(database, clock), clock, KNOWN)
    beside = frames(*range(50, 75))
    second = [replace(each, place=f"track 2 {each.place}") for each in parts(KNOWN)]
    (match,) = screen(room, *parts(beside), *second).matches
    assert match.place == "track 2 00:00:00 to 00:00:04"
    # In one, they would be a fifth of it.
    assert (match.query_percent, match.compared_percent) == (100, 100)


def test_too_little_in_common_or_too_flat_is_no_match(room, database, clock) -> None:
    put(database, new_list(database, clock), clock, KNOWN)
    for other in (frames(1, 2, 50, 51, 52), frames(60, 61), frames(1, 2, 3, 4, 5, quality=49)):
        assert screen(room, *parts(other)).verdict is Verdict.CLEAR


def test_a_still_that_is_like_a_frame_of_a_known_video_is_no_match(room, database, clock) -> None:
    put(database, new_list(database, clock), clock, KNOWN)
    room.screener.refresh()
    still = FingerprintSet(pdq=KNOWN[0].pdq.value, pdq_quality=100)
    outcome = room.screener.screen(Submission(Known(still), "a.png", "scan"))
    assert (outcome.verdict, outcome.matches) == (Verdict.CLEAR, ())


def test_a_frame_that_a_list_of_pictures_has_is_a_match_at_its_instant(
    room, database, clock
) -> None:
    put_picture(database, new_list(database, clock), clock, KNOWN[3].pdq)
    (match,) = screen(room, *parts(KNOWN)).matches
    assert (match.kind, match.place, match.query_percent) == (Kind.PDQ, "00:00:03", None)


def test_of_each_list_the_video_with_most_in_common_is_told(room, database, clock) -> None:
    one, other = new_list(database, clock), new_list(database, clock, "other")
    put(database, one, clock, frames(1, 2, 3, 4, 50), KNOWN, frames(1, 2, 3, 4, 5, 6))
    put(database, other, clock, KNOWN[:4])
    matches = screen(room, *parts(KNOWN)).matches
    assert {match.list_name: match.compared_percent for match in matches} == {
        "known": 100,
        "other": 100,
    }


def test_a_withdrawn_video_and_one_of_a_removed_list_match_no_more(room, database, clock) -> None:
    one, other = new_list(database, clock), new_list(database, clock, "other")
    (row,) = put(database, one, clock, KNOWN)
    put(database, other, clock, KNOWN)
    assert len(screen(room, *parts(KNOWN)).matches) == 2
    withdraw(database, one, clock, row.fingerprint)
    (match,) = screen(room, *parts(KNOWN)).matches
    assert match.list_name == "other"
    # Put there again it stays withdrawn.
    put(database, one, clock, KNOWN)
    with database.writing() as connection:
        remove_list(connection, "other", "a mistake", ACTOR, clock)
    assert screen(room, *parts(KNOWN)).verdict is Verdict.CLEAR
    assert len(room.index) == 0


def test_a_video_within_a_file_and_one_that_is_turned_are_judged_by_themselves(
    room, database, clock
) -> None:
    put(database, new_list(database, clock), clock, KNOWN)
    digests = digests_of(b"one")
    found = [
        Part("a.mp4", digests_of(b"two")),
        *parts(frames(70, 71), "a.mp4"),
        Part("clips/b.mp4", digests),
        *(
            each
            for pair in zip(
                parts(frames(80, 81, 82, 83, 84), "clips/b.mp4"),
                parts(KNOWN, "clips/b.mp4", turned=True),
                strict=True,
            )
            for each in pair
        ),
    ]
    assert [(each.within, len(each.frames)) for each in videos_among(found)] == [
        ("a.mp4", 2),
        ("clips/b.mp4", 5),
        ("clips/b.mp4", 5),
    ]
    (match,) = screen(room, *found).matches
    assert match.place == "clips/b.mp4 00:00:00 to 00:00:04"
