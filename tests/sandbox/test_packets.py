"""What a cell writes, the house reads."""

import json

import pytest

from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import Part, Pdq, Picture, PictureState, Unreadable
from tutela.sandbox.model import PACKET_BYTES
from tutela.sandbox.packets import read_digests, read_found, write_digests, write_found

PDQ = Pdq(bytes(range(32)), 77)
OWN = digests_of(b"words")


@pytest.mark.parametrize(
    "found",
    [
        Part("frame 2", pdq=PDQ),
        Part("photos/a.jpg", OWN, PDQ),
        Part("page 3", unreadable=Unreadable.BOMB),
        Part("", pdq=PDQ),
        Picture(PictureState.NONE),
        Picture(PictureState.DECODED, PDQ),
        Picture(PictureState.DECODED, PDQ, dihedrals=(PDQ,) * 8),
        Picture(PictureState.UNREADABLE, None, "too slow", unreadable=Unreadable.TOO_SLOW),
        Picture(PictureState.UNREADABLE, PDQ, "damaged", unreadable=Unreadable.DAMAGED),
    ],
)
def test_what_was_found_arrives(found: Part | Picture) -> None:
    assert read_found(json.loads(write_found(found))) == found


def test_no_place_steers_a_terminal_or_a_database() -> None:
    told = read_found(json.loads(write_found(Part("a/caf\udce9\x1b[2J\x00.txt"))))
    assert told == Part("a/caf\ufffd\ufffd[2J\ufffd.txt")


def test_the_digests_arrive_with_the_format() -> None:
    for names in (("JPEG", None), (None, "ZIP"), (None, None)):
        assert read_digests(json.loads(write_digests(OWN, *names))) == (OWN, *names)


def test_no_other_word_comes_through_as_a_format() -> None:
    for packet in (write_digests(OWN, "somebody's name", None), write_digests(OWN, None, "x")):
        with pytest.raises(ValueError, match="no such format"):
            read_digests(json.loads(packet))
    failed = Part("a.jpg", unreadable=Unreadable.DAMAGED, decoder="somebody's name")
    with pytest.raises(ValueError, match="no such format"):
        read_found(json.loads(write_found(failed)))


def test_a_place_that_is_far_too_long_is_cut_in_the_middle() -> None:
    long = Part("a" + "\N{GRINNING FACE}" * 10_000 + "z", OWN, PDQ, Unreadable.DAMAGED)
    packet = write_found(long)
    assert len(packet) <= PACKET_BYTES
    arrived = read_found(json.loads(packet))
    assert isinstance(arrived, Part)
    assert arrived.place.startswith("a\N{GRINNING FACE}")
    assert arrived.place.endswith("\N{GRINNING FACE}z")
    assert len(arrived.place) == 1000


@pytest.mark.parametrize(
    "packet",
    [
        {},
        {"part": {}},
        {"part": []},
        {"part": {"place": "a", "pdq": ["no", 1]}},
        {"part": {"place": "a", "unreadable": "bored"}},
        {"part": {"place": 1}},
        {"part": {"place": "a", "pdq": ["00", 1]}},
        {"part": {"place": "a", "pdq": ["00" * 32, 101]}},
        {"part": {"place": "a", "pdq": ["00" * 32, True]}},
        {"part": {"place": "a", "pdq": ["00" * 32, 1.5]}},
        {"part": {"place": "a", "digests": {"size": -1, "md5": "", "sha1": "", "sha256": ""}}},
        {"state": "none", "reason": ["no"] * 2 + [1], "unreadable": None, "hashes": []},
        {"state": "fine", "reason": None, "unreadable": None, "hashes": []},
    ],
)
def test_what_makes_no_sense_is_an_error(packet: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        read_found(packet)


def test_a_text_from_a_file_steers_no_terminal_and_no_database() -> None:
    packet = {"part": {"place": "a\x1b[2J\x00b.jpg"}}
    assert read_found(packet) == Part("a\ufffd[2J\ufffdb.jpg")
