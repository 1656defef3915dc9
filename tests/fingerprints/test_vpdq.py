"""A vPDQ fingerprint is read, written and compared as Meta publishes it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Pdq, VideoFrame
from tutela.fingerprints.vpdq import (
    NOTHING_ALIKE,
    Span,
    clock_words,
    identity,
    likeness,
    pack,
    read_lines,
    read_text,
    to_text,
    unpack,
)

values = st.binary(min_size=32, max_size=32)
instants = st.integers(0, 2**32 - 1).map(lambda milliseconds: milliseconds / 1000)
frames = st.builds(VideoFrame, st.builds(Pdq, values, st.integers(0, 100)), instants)
videos = st.lists(frames, min_size=1, max_size=12).map(tuple)


def frame(bits: int, seconds: float = 0.0, quality: int = 100) -> VideoFrame:
    """A frame whose hash has so many bits set."""
    return VideoFrame(Pdq(((1 << bits) - 1).to_bytes(32, "big"), quality), seconds)


def near(count: int) -> list[VideoFrame]:
    """Frames that are 40 bits from each other, one a second."""
    return [frame(40 * number, float(number)) for number in range(count)]


@given(videos)
def test_every_form_says_the_same(video) -> None:
    assert read_text(to_text(video)) == video
    assert unpack(pack(video)) == video
    lines = [
        f"{number},{each.pdq.quality},{each.pdq.text},{each.seconds:.3f}\n"
        for number, each in enumerate(video)
    ]
    assert read_lines(lines) == video
    older = {
        str(number): {
            "quality": each.pdq.quality,
            "hash": each.pdq.text,
            "timestamp": each.seconds,
        }
        for number, each in enumerate(video)
    }
    assert read_text(json.dumps(older)) == video


def test_the_text_form_is_the_published_one() -> None:
    video = (frame(4, 0.0, 97), frame(8, 1.001))
    assert to_text(video) == (f'["{"0" * 63}f,97,0.000", "{"0" * 62}ff,100,1.001"]')
    assert identity(pack(video)) != identity(pack(video[:1]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "[1]",
        '"a"',
        "[" * 10_000,
        f'["{"0" * 64},101,0.0"]',
        f'["{"0" * 63},100,0.0"]',
        f'["{"0" * 64},100,-1"]',
        f'["{"0" * 64},100,nan"]',
        f'["{"0" * 64},100,99999999"]',
        f'["{"0" * 64},100"]',
        '{"0": {"quality": 100, "hash": "0", "timestamp": 0}}',
        '{"0": 1}',
    ],
)
def test_what_is_no_fingerprint_is_refused(text) -> None:
    with pytest.raises(InvalidInputError, match="vpdq hash"):
        read_text(text)


def test_a_line_that_is_no_frame_is_refused() -> None:
    for lines in (["0,100,00,0.0"], ["words"], []):
        with pytest.raises(InvalidInputError, match="vpdq hash"):
            read_lines(lines)


def brute(query, compared, distance: int, quality: int) -> tuple[float, float]:
    """The published pseudocode, word for word, over sets of hashes."""
    ours = {each.pdq.value for each in query if each.pdq.quality >= quality}
    theirs = {each.pdq.value for each in compared if each.pdq.quality >= quality}

    def is_in(one, others) -> bool:
        number = int.from_bytes(one, "big")
        return any(
            (number ^ int.from_bytes(other, "big")).bit_count() <= distance for other in others
        )

    if not ours or not theirs:
        return 0.0, 0.0
    return (
        sum(is_in(one, theirs) for one in ours) * 100 / len(ours),
        sum(is_in(one, ours) for one in theirs) * 100 / len(theirs),
    )


few_bits = st.builds(frame, st.integers(0, 256), instants, st.integers(40, 60))
alike = st.lists(few_bits, min_size=1, max_size=10)


@given(alike, alike, st.integers(0, 64))
def test_likeness_is_the_published_one(query, compared, distance) -> None:
    found = likeness(query, compared, distance, 50)
    assert (found.query_percent, found.compared_percent) == brute(query, compared, distance, 50)
    assert bool(found.spans) == (found.query_percent > 0)
    assert found.distance <= distance


@given(alike)
def test_a_video_is_wholly_like_itself(video) -> None:
    found = likeness(video, video, min_quality=0)
    assert (found.query_percent, found.compared_percent, found.distance) == (100, 100, 0)


def test_a_clip_and_a_longer_video_are_told_apart_by_the_two_shares() -> None:
    whole, clip = near(6), near(6)[2:4]
    found = likeness(clip, whole)
    assert (found.query_percent, round(found.compared_percent)) == (100, 33)
    found = likeness(whole, clip)
    assert (round(found.query_percent), found.compared_percent) == (33, 100)
    assert found.spans == (Span(2.0, 3.0),)


def test_flat_frames_and_repeated_ones_do_not_count() -> None:
    flat = [frame(200, 9.0, quality=49)] * 5
    still = [frame(0, 0.1), frame(0, 0.2)]
    found = likeness([*near(2), *flat, *still], [*near(2), *flat])
    assert (found.query_percent, found.compared_percent) == (100, 100)
    assert likeness(flat, flat) == NOTHING_ALIKE


def test_one_bit_too_many_is_another_frame() -> None:
    assert likeness([frame(0)], [frame(31)]).query_percent == 100
    assert likeness([frame(0)], [frame(32)]).query_percent == 0


def test_where_is_told_to_people_in_words() -> None:
    assert Span(72.2, 90.9).words == "00:01:12 to 00:01:31"
    assert Span(3600.0, 3600.2).words == "01:00:00"
    assert clock_words(100 * 3600.0) == "100:00:00"
