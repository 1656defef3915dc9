"""A cell hears when no more of a video is wanted, and of which one."""

import json
import socket
from tempfile import TemporaryFile

from tests.moving import clip
from tutela.fingerprints.model import Part, Picture, PictureState, Unreadable
from tutela.sandbox.enough import Enough
from tutela.sandbox.formats import HEAD_BYTES, VideoFormat, recognise_visible
from tutela.sandbox.model import Limits
from tutela.sandbox.pool import CellPool
from tutela.sandbox.video import look_at_video


def test_what_is_said_late_is_not_of_the_next_video() -> None:
    house, cell = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with house, cell, TemporaryFile() as file:
        file.write(clip(6))
        file.seek(0)
        video_format = recognise_visible(file.read(HEAD_BYTES))
        assert isinstance(video_format, VideoFormat)
        enough = Enough(cell)
        # The third frame of the video before this one.
        enough.told = 3
        house.send(json.dumps({"enough": 3}).encode())
        found: list[Part | Picture] = []
        for each in look_at_video(file, video_format, Limits(), enough):
            found.append(each)
            enough.told += 1
            if len(found) == 4:
                house.send(json.dumps({"enough": 5}).encode())
    *frames, last, picture = found
    assert [each.place for each in frames if isinstance(each, Part)] == [
        f"00:00:0{second}" for second in range(4)
    ]
    assert last == Part("from 00:00:04 on", unreadable=Unreadable.CUT_SHORT)
    assert isinstance(picture, Picture)
    assert picture.state is PictureState.NONE


def test_a_cell_that_hears_it_too_late_goes_on_with_the_next_file() -> None:
    with CellPool(1) as cells, TemporaryFile() as file:
        file.write(clip(2))
        file.flush()
        found = [cells.fingerprint(file, has_enough=lambda *_: True) for _ in range(5)]
        assert len(cells.process_ids) == 1
    assert {each.digests for each in found} == {found[0].digests}
    assert all(each.parts[0].pdq is not None for each in found)
