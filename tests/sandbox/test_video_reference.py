"""The same fingerprint as by Meta's ``vpdq``, where it could be compiled: it has no wheels."""

from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.moving import clip, side_by_side
from tests.requirements import missing
from tests.sandbox.test_video import flashing, frames_of, look
from tutela.fingerprints.model import Pdq, VideoFrame, place_of_video

CLIPS = {
    "h264.mp4": lambda: clip(5, codec="libx264"),
    "ntsc.mkv": lambda: clip(5, codec="libx264", form="matroska", rate=Fraction(30000, 1001)),
    "slow.mp4": lambda: clip(6, rate=Fraction(1, 2)),
    "mpeg4.avi": lambda: clip(5, form="avi"),
    "vp9.webm": lambda: clip(
        3, form="webm", codec="libvpx-vp9", options={"deadline": "realtime", "cpu-used": "8"}
    ),
    "mpeg2.mpg": lambda: clip(4, form="mpeg", codec="mpeg2video", rate=25),
    "stream.ts": lambda: clip(4, form="mpegts", codec="libx264"),
    "flash.flv": lambda: clip(4, form="flv", codec="flv"),
    "wmv2.wmv": lambda: clip(4, form="asf", codec="wmv2"),
    "odd.mp4": lambda: clip(4, codec="libx264", size=(322, 242)),
    "turned.mp4": lambda: clip(4, codec="libx264", turned=90),
    # Copies, as they are told apart from the whole in ``test_video``.
    "again.mkv": lambda: clip(6, codec="libx264", form="matroska"),
    "coarser.mp4": lambda: clip(6, kbits=300),
    "larger.mp4": lambda: clip(6, size=(320, 240), rate=12),
    "cut.mp4": lambda: clip(2, skip=2),
    "boxed.mp4": lambda: clip(6, bars=20),
    # What is looked at besides is not in the fingerprint.
    "flash.mp4": lambda: flashing(9),
    "tracks.mp4": lambda: side_by_side(
        [clip(3, seed=seed, codec="libx264") for seed in (1, 2)], "mp4"
    ),
}


@pytest.mark.parametrize("name", CLIPS)
def test_every_hash_quality_and_instant_is_the_references_own(name: str, tmp_path: Path) -> None:
    if find_spec("vpdq") is None:
        missing("vpdq", "make test compiles it: apt-get install g++ pkg-config libavdevice-dev")
    import vpdq

    content = CLIPS[name]()
    path = tmp_path / name
    path.write_bytes(content)
    expected = [
        VideoFrame(Pdq(bytes.fromhex(each.hex), each.quality), each.timestamp)
        for each in vpdq.computeHash(path)
    ]
    parts, _ = look(content)
    stored = [part for part in parts if not part.is_turned and not place_of_video(part.place)]
    assert frames_of(stored) == expected
