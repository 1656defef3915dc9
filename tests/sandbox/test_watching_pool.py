"""Streams are looked at frame by frame in sealed processes, which drop frames and no stream."""

import io
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from tests.moving import clip, side_by_side, video_of
from tests.streams.serving import KEYS, cut_at_key_frames, moving, segments
from tutela.fingerprints.pdq import pdq_of
from tutela.sandbox.model import MOST_WAITING, Ended, Limits, Sampled
from tutela.sandbox.watching import Watch, _Pace
from tutela.sandbox.watching_pool import Watcher, WatcherLostError, WatchingPool


@pytest.fixture(scope="module")
def pool() -> Iterator[WatchingPool]:
    with WatchingPool(Limits(pixels=1_000_000)) as pool:
        yield pool


@pytest.fixture
def watcher(pool: WatchingPool) -> Iterator[Watcher]:
    watcher = pool.watcher()
    yield watcher
    watcher.close()


def begin(
    watcher: Watcher,
    content: bytes,
    *,
    run: int = 1,
    is_live: bool = False,
    whole: bool = False,
    burst: float = 0.0,
) -> None:
    """Send a run, as whoever receives it does."""
    ours, theirs = socket.socketpair()
    watcher.look_whole(whole)
    with theirs:
        watcher.begin(run, theirs.fileno(), every=1.0, is_live=is_live, burst=burst)

    def pour() -> None:
        # It may have heard enough.
        with ours, suppress(OSError):
            ours.sendall(content)

    threading.Thread(target=pour, daemon=True).start()


def hear(watcher: Watcher) -> Sampled | Ended:
    told = watcher.hear(30)
    assert told is not None
    return told


def frames(watcher: Watcher) -> tuple[list[Sampled], Ended]:
    """All frames of a run, each judged at once, and how it ended."""
    found = []
    while isinstance(told := hear(watcher), Sampled):
        found.append(told)
        watcher.seen(told)
    return found, told


@pytest.mark.parametrize("form", ["mpegts", "flv", "matroska"])
def test_a_frame_of_each_second_is_told_of_at_its_instant(watcher: Watcher, form: str) -> None:
    begin(watcher, moving(4, form=form))
    found, ended = frames(watcher)
    assert [round(each.seconds) for each in found] == [0, 1, 2, 3]
    assert ended == Ended(1)
    assert {(each.width, each.height) for each in found} == {(320, 240)}


def test_the_picture_of_a_frame_is_to_the_bit_what_was_hashed_and_is_gone_once_it_is_judged(
    watcher: Watcher,
) -> None:
    begin(watcher, moving(2))
    frame = hear(watcher)
    assert isinstance(frame, Sampled)
    picture = watcher.picture(frame)
    assert pdq_of(np.asarray(Image.open(io.BytesIO(picture)))) == frame.pdq
    watcher.seen(frame)
    assert watcher.picture(frame) == b""


def test_what_waits_for_its_judge_is_kept_and_of_a_live_stream_only_the_newest_follows(
    watcher: Watcher,
) -> None:
    cut = list(segments(12))
    ours, theirs = socket.socketpair()
    with theirs:
        watcher.begin(1, theirs.fileno(), every=0.9, is_live=True)
    first = None
    with ours:
        while first is None:
            ours.sendall(cut.pop(0))
            first = watcher.hear(0.5)
        assert isinstance(first, Sampled)
        # Nobody judges them: meanwhile the stream goes on to its end.
        for each in cut:
            ours.sendall(each)
            assert watcher.hear(0.1) is None
    watcher.seen(first)
    rest, ended = frames(watcher)
    assert ended == Ended(1)
    assert 1 + len(rest) + rest[-1].dropped == 12
    assert len(rest) == 1
    assert round(rest[-1].seconds) == 11


def test_a_file_waits_and_nothing_of_it_is_dropped(watcher: Watcher) -> None:
    begin(watcher, moving(30))
    first = hear(watcher)
    assert watcher.hear(0.2) is not None
    assert isinstance(first, Sampled)
    for number in range(1, MOST_WAITING + 1):
        watcher.seen(Sampled(number, first.pdq, 0, 0, 0, 1, 1))
    found, _ = frames(watcher)
    assert (found[-1].number, found[-1].dropped) == (30, 0)


def test_a_stream_without_key_frames_is_said_to_have_none_and_can_be_decoded_whole(
    watcher: Watcher,
) -> None:
    begin(watcher, moving(18, group=1000))
    found, ended = frames(watcher)
    assert (len(found), ended.blind) == (1, True)
    begin(watcher, moving(18, group=1000), run=2, whole=True)
    found, ended = frames(watcher)
    assert found[0].seconds == 0.0
    assert len(seconds_between(found)) >= 6
    assert ended == Ended(2)


def seconds_between(found: list[Sampled]) -> set[int]:
    """Of which seconds a frame was looked at that is no key frame of a clip with one a second."""
    return {int(each.seconds) for each in found if each.seconds % 1}


def test_what_is_decoded_whole_is_looked_at_between_its_key_frames_too_and_at_all_of_these(
    watcher: Watcher,
) -> None:
    begin(watcher, moving(20), whole=True)
    found, ended = frames(watcher)
    assert ended == Ended(1)
    assert [each.seconds for each in found if not each.seconds % 1] == list(range(20))
    # Which one of a second is left to chance, and sometimes that is the first one of the next.
    assert len(seconds_between(found)) >= 6
    assert len({each.seconds % 1 for each in found}) > 2
    assert all(each.whole for each in found)


def test_of_each_second_chance_chooses_a_frame_and_each_key_frame_is_looked_at() -> None:
    pace = _Pace(1.0)
    seen = [each / 100 for each in range(10_000) if pace.wants(each / 100, is_key=False)]
    # In the last second it may come after the last frame.
    assert 99 <= len(seen) <= 100
    assert all(0 < later - before < 2.1 for before, later in pairwise(seen))
    assert len({round(each % 1, 1) for each in seen}) > 5
    assert [each for each in range(9) if pace.wants(each / 2, is_key=True)] == [0, 2, 4, 6, 8]
    # A time that goes back is looked at as well.
    assert pace.wants(3.0, is_key=False)


def test_a_live_stream_that_comes_a_segment_at_a_time_is_decoded_whole_without_dropping(
    watcher: Watcher,
) -> None:
    begin(watcher, moving(12), whole=True, is_live=True, burst=12.0)
    found, _ = frames(watcher)
    assert found[-1].dropped == 0
    assert len(seconds_between(found)) >= 3


def sent_segment_by_segment(
    watcher: Watcher, cut: Sequence[bytes], seconds: int, is_whole: Callable[[int], bool]
) -> list[Sampled]:
    """Send a live stream whose segments have so many seconds; gives the frames up to the last one's
    key frame.

    Whether all frames are decoded is said of each segment, and heard before its key frame.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        watcher.begin(1, theirs.fileno(), every=1.0, is_live=True, burst=9.0)
    found: list[Sampled] = []
    with ours:
        for number, segment in enumerate(cut):
            watcher.look_whole(is_whole(number))
            ours.sendall(segment)
            while not found or found[-1].seconds < seconds * number:
                told = hear(watcher)
                assert isinstance(told, Sampled)
                found.append(told)
                watcher.seen(told)
    return found


def test_a_stream_goes_from_key_frames_to_all_and_back_where_it_has_a_key_frame(
    watcher: Watcher,
) -> None:
    found = sent_segment_by_segment(watcher, segments(12), 1, lambda second: 4 <= second < 8)
    between = seconds_between(found)
    assert between
    assert between <= set(range(4, 10))


def test_no_key_frame_is_lost_where_a_stream_goes_back_to_key_frames(watcher: Watcher) -> None:
    cut = cut_at_key_frames(moving(20, group=16))
    # Of every second one the last frames wait in the decoder as the next one begins.
    found = sent_segment_by_segment(watcher, cut, 2, lambda number: number % 2 == 0)
    rest, _ = frames(watcher)
    seen = [each.seconds for each in found + rest if not each.seconds % 2]
    assert seen == list(range(0, 20, 2))


@pytest.mark.parametrize("form", ["mpegts", "matroska"])
def test_what_is_heard_beside_what_is_seen_is_passed_over(watcher: Watcher, form: str) -> None:
    shown = [Image.new("RGB", (64, 64), (8 * grey,) * 3) for grey in range(30)]
    begin(watcher, video_of(shown, sound=True, form=form), whole=True)
    found, ended = frames(watcher)
    assert ended == Ended(1)
    assert {int(each.seconds) for each in found} == {0, 1, 2}


@pytest.mark.parametrize("form", ["mpegts", "matroska"])
def test_each_of_the_videos_side_by_side_is_looked_at(watcher: Watcher, form: str) -> None:
    seeds = (1, 2, 3)
    alone = []
    for run, seed in enumerate(seeds):
        begin(watcher, moving(4, seed), run=run)
        alone.append([(each.seconds, each.pdq) for each in frames(watcher)[0]])
    begin(watcher, side_by_side([moving(4, seed) for seed in seeds], form), run=3)
    found, ended = frames(watcher)
    assert ended == Ended(3)
    for track, expected in enumerate(alone):
        assert [(each.seconds, each.pdq) for each in found if each.track == track] == expected


def test_between_the_key_frames_of_each_of_them_too(watcher: Watcher) -> None:
    begin(watcher, side_by_side([moving(9, seed) for seed in (1, 2)], "mpegts"), whole=True)
    found, _ = frames(watcher)
    for track in (0, 1):
        own = [each for each in found if each.track == track]
        assert [each.seconds for each in own if not each.seconds % 1] == list(range(9))
        assert len(seconds_between(own)) >= 3


def test_the_newest_of_each_of_them_waits_for_the_decoder(watcher: Watcher) -> None:
    both = side_by_side([moving(12, seed) for seed in (1, 2)], "mpegts")
    begin(watcher, both, is_live=True)
    first = hear(watcher)
    assert isinstance(first, Sampled)
    # Nobody judges it: meanwhile the stream goes on to its end.
    assert watcher.hear(0.5) is None
    watcher.seen(first)
    rest, ended = frames(watcher)
    assert ended == Ended(1)
    assert sorted(each.track for each in rest) == [0, 1]
    assert [each.seconds for each in rest] == [11, 11]
    assert 1 + len(rest) + rest[-1].dropped == 24


def test_what_cannot_be_decoded_beside_what_can_does_not_hide_it(watcher: Watcher) -> None:
    large = clip(4, seed=2, codec="libx264", form="mpegts", size=(1280, 960), options=KEYS)
    begin(watcher, side_by_side([large, moving(4)], "mpegts"))
    found, ended = frames(watcher)
    assert ended == Ended(1)
    assert [each.seconds for each in found] == [0, 1, 2, 3]


def test_a_stream_may_change_its_size_but_not_beyond_the_limit(watcher: Watcher) -> None:
    def of(width: int, height: int) -> bytes:
        return clip(
            2, codec="libx264", form="mpegts", size=(width, height), options={**KEYS, "g": "2"}
        )

    begin(watcher, of(160, 120) + of(320, 240) + of(1280, 960))
    found, ended = frames(watcher)
    assert {(each.width, each.height) for each in found} == {(160, 120), (320, 240)}
    assert ended.reason is not None
    assert "1,280 x 960" in ended.reason


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "there was nothing in it"),
        (b"words that are no video " * 100, "it is no video"),
        (b"\x47" + os.urandom(187), "it is no video"),
        ((b"\x47" + bytes(187)) * 500, "it cannot be decoded"),
        (b"FLV\x01\x01\x00\x00\x00\x09" + bytes(5000), "it cannot be decoded"),
    ],
)
def test_what_is_no_stream_ends_with_the_reason_and_the_next_run_is_read(
    watcher: Watcher, content: bytes, said: str
) -> None:
    begin(watcher, content)
    assert frames(watcher) == ([], Ended(1, said))
    begin(watcher, moving(1), run=2)
    found, ended = frames(watcher)
    assert (len(found), ended) == (1, Ended(2))


def test_a_stream_that_is_damaged_on_its_way_goes_on_with_the_next_key_frame(
    watcher: Watcher,
) -> None:
    content = bytearray(moving(8))
    for start in range(len(content) // 4, len(content) // 2, 3000):
        content[start : start + 200] = os.urandom(200)
    begin(watcher, bytes(content))
    found, ended = frames(watcher)
    assert ended.reason is None
    assert round(found[-1].seconds) == 7


def test_each_stream_has_a_process_of_its_own_that_ends_with_its_line(pool: WatchingPool) -> None:
    one, other = pool.watcher(), pool.watcher()
    one.close()
    begin(other, moving(1))
    assert len(frames(other)[0]) == 1
    other.end()
    with pytest.raises(WatcherLostError):
        other.hear(5)
    other.close()


def test_a_frame_that_is_too_large_to_be_handed_over_is_made_smaller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grain = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    monkeypatch.setattr("tutela.sandbox.watching.MOST_STILL_BYTES", 6_000)
    monkeypatch.setattr("tutela.sandbox.watching.footage.pixels_of", lambda frame: frame)
    watch = Watch(Limits(), lambda _: None)
    watch._kept[1] = grain
    with Image.open(io.BytesIO(watch.picture(1))) as made:
        assert made.size == (48, 32)
        assert np.array_equal(np.asarray(made), grain[::2, ::2])
    assert watch.picture(2) == b""
