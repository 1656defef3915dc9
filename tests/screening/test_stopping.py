"""The rest of a video is left out only when it can change nothing."""

import random
from collections.abc import Iterator, Sequence
from tempfile import TemporaryFile

import pytest

from tests.hashlists.filling import add, new_list
from tests.moving import long_clip
from tests.screening.test_videos import frames, parts, put, put_picture
from tutela.cases.reading import find_case
from tutela.fingerprints.model import (
    Digests,
    Fingerprint,
    FingerprintSet,
    Kind,
    Part,
    Unreadable,
    VideoFrame,
)
from tutela.hashlists.model import HashList
from tutela.screening.fingerprinting import known_of
from tutela.screening.model import Known, Screened, Verdict
from tutela.screening.opening import ScreeningRoom, open_screening
from tutela.screening.screening import Submission
from tutela.screening.stopping import Stopping
from tutela.storage.database import Database
from tutela.storage.settings import ListPolicy, OnMatch

DIGESTS = Digests(3, b"\1" * 16, b"\2" * 20, b"\3" * 32)
KNOWN = frames(1, 2, 3, 4, 5)


@pytest.fixture
def room(settings, database: Database, clock) -> Iterator[ScreeningRoom]:
    lenient = settings.policy.model_copy(
        update={"lists": {"lenient": ListPolicy(on_match=OnMatch.PASS)}}
    )
    settings = settings.model_copy(update={"policy": lenient})
    with open_screening(settings, database, clock) as room:
        yield room


@pytest.fixture
def known(database: Database, clock) -> HashList:
    return new_list(database, clock)


def stopped_after(room: ScreeningRoom, found: Sequence[Part], most: int = 0) -> int | None:
    """After how many parts no more was wanted; ``None`` if everything was."""
    room.screener.refresh()
    room.screener.video_frames_if_matched = most
    stopping = Stopping(room.screener)
    for count in range(1, len(found) + 1):
        if found[count - 1].seconds is not None and stopping(DIGESTS, found[:count]):
            return count
    return None


def screen(room: ScreeningRoom, *found: Part) -> Screened:
    known = Known(FingerprintSet.of(DIGESTS), parts=found, is_video=True)
    return room.screener.screen(Submission(known, "a.mp4", "scan"))


def test_what_a_list_has_to_the_bit_or_as_a_picture_decides(room, database, clock, known) -> None:
    video = parts(frames(50, 51, 1, 52, 53))
    assert stopped_after(room, video) is None
    put_picture(database, known, clock, KNOWN[0].pdq)
    assert stopped_after(room, video) == 3
    assert stopped_after(room, parts(frames(50, 51, 52, 53))) is None
    add(database, known, clock, Fingerprint(Kind.MD5, DIGESTS.md5))
    assert stopped_after(room, video) == 1


def test_so_many_frames_are_looked_at_in_any_case_of_each_video(
    room, database, clock, known
) -> None:
    put_picture(database, known, clock, KNOWN[0].pdq)
    video = parts(frames(1, *range(50, 60)))
    assert stopped_after(room, video, 4) == 4
    assert stopped_after(room, video, 12) is None
    late = parts(frames(*range(50, 60), 1, *range(60, 90)))
    assert stopped_after(room, late, 4) == 11
    # Turned ones are no more frames; another video begins anew.
    turned = parts(frames(*[90] * len(video)), turned=True)
    both = [each for pair in zip(video, turned, strict=True) for each in pair]
    assert stopped_after(room, both, 4) == 7
    second = [*video[:3], Part("b.mp4", digests=DIGESTS), *parts(frames(*range(50, 60)), "b.mp4")]
    assert stopped_after(room, second, 4) == 8


def test_the_listed_videos_share_decides_and_the_files_own_never_does(
    room, database, clock, known
) -> None:
    put(database, known, clock, KNOWN)
    # Four fifths of it are in this one from here on.
    assert stopped_after(room, parts(frames(50, 1, 2, 3, 4, 51, 52))) == 5
    # All that was seen of this one is in that one, which the next frames may change.
    assert stopped_after(room, parts(frames(1, 2, 3))) is None


def test_a_list_that_lets_files_pass_decides_nothing(room, database, clock, known) -> None:
    lenient = new_list(database, clock, "lenient")
    put_picture(database, lenient, clock, KNOWN[0].pdq)
    put(database, lenient, clock, KNOWN)
    assert stopped_after(room, parts(KNOWN)) is None
    put_picture(database, known, clock, KNOWN[2].pdq)
    assert stopped_after(room, parts(KNOWN)) == 3


def test_no_verdict_is_another_one_for_what_was_left_out(room, database, clock, known) -> None:
    lenient = new_list(database, clock, "lenient")
    chance = random.Random(7)

    def any_video(most: int) -> list[VideoFrame]:
        return frames(*(chance.randrange(1, 12) for _ in range(chance.randrange(1, most))))

    for hash_list in (known, lenient):
        put(database, hash_list, clock, *(any_video(9) for _ in range(3)))
    put_picture(database, known, clock, frames(11)[0].pdq)
    stopped = 0
    for _ in range(40):
        video = parts(any_video(25))
        count = stopped_after(room, video, chance.choice((0, 3, 8)))
        whole = screen(room, *video)
        if count is not None:
            stopped += 1
            assert screen(room, *video[:count]).verdict is whole.verdict is Verdict.MATCH
    assert stopped > 5


def test_a_cell_leaves_the_rest_out_and_case_and_verdict_say_from_when_on(
    room, database, clock, known
) -> None:
    room.screener.video_frames_if_matched = 3
    room.screener.refresh()
    with TemporaryFile() as file:
        file.write(long_clip(700))
        file.flush()
        clear = known_of(room.cells, file.fileno(), ".mp4", room.screener)
        assert (len(clear.parts), clear.failures) == (700, ())
        assert clear.parts[40].pdq is not None
        put_picture(database, known, clock, clear.parts[40].pdq)
        room.screener.refresh()
        short = known_of(room.cells, file.fileno(), ".mp4", room.screener)
        assert known_of(room.cells, file.fileno(), ".mp4").parts == clear.parts
    *seen, last = short.parts
    assert 3 <= len(seen) < 690
    assert tuple(seen) == clear.parts[: len(seen)]
    assert short.fingerprints == clear.fingerprints
    minutes, seconds = divmod(len(seen), 60)
    place = f"from 00:{minutes:02}:{seconds:02} on"
    assert (last.place, last.unreadable) == (place, Unreadable.CUT_SHORT)
    outcome = room.screener.screen(Submission(short, "a.mp4", "scan"))
    assert (outcome.verdict, outcome.cut_short) == (Verdict.MATCH, place)
    with database.reading() as connection:
        (item,) = find_case(connection, outcome.case).items
    assert (item.item.unreadable, item.item.unreadable_at) == (Unreadable.CUT_SHORT, place)
    # Were the entry withdrawn by now, nobody would know of the rest.
    rest = Known(short.fingerprints, short.parts[-1:], short.failures)
    outcome = room.screener.screen(Submission(rest, "a.mp4", "scan"))
    assert (outcome.verdict, outcome.cut_short) == (Verdict.UNREADABLE, place)
