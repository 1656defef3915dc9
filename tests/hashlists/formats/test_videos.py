"""Lists of videos are read in every form that Meta's programs write, and in our own."""

import csv
import gzip
import io
import json
from pathlib import Path

import pytest

from tutela.fingerprints.model import Kind, Pdq, VideoFrame
from tutela.fingerprints.vpdq import to_text, unpack
from tutela.hashlists.formats.hashes import of_frames
from tutela.hashlists.model import ListRow, RejectedRow
from tutela.hashlists.reading import ListFile

Video = tuple[VideoFrame, ...]


def video(seed: int, count: int = 3) -> Video:
    return tuple(
        VideoFrame(Pdq(bytes([seed, place % 256] * 16), 90), float(place)) for place in range(count)
    )


ONE, TWO = video(1), video(2)
# Longer than what a format is told by.
LONG = video(3, 2000)


def lines_of(frames: Video) -> str:
    return "".join(
        f"{number},{each.pdq.quality},{each.pdq.text},{each.seconds:.3f}\n"
        for number, each in enumerate(frames)
    )


def csv_of(*videos: Video) -> str:
    file = io.StringIO()
    csv.writer(file).writerows([("kind", "hash"), *(("vpdq", to_text(each)) for each in videos)])
    return file.getvalue()


def older(frames: Video) -> str:
    return json.dumps(
        {
            str(place): {
                "quality": each.pdq.quality,
                "hash": each.pdq.text,
                "timestamp": each.seconds,
            }
            for place, each in enumerate(frames)
        },
        indent=1,
    )


def read(tmp_path: Path, content: str, kind: Kind | None = None) -> list[ListRow | RejectedRow]:
    path = tmp_path / "list"
    path.write_bytes(gzip.compress(content.encode()))
    return list(ListFile(path, kind).rows())


@pytest.mark.parametrize(
    ("content", "videos"),
    [
        (to_text(ONE), [ONE]),
        (json.dumps(json.loads(to_text(ONE)), indent=2), [ONE]),
        (to_text(LONG), [LONG]),
        (f"{to_text(ONE)}\n{to_text(TWO)}\n", [ONE, TWO]),
        (f"{to_text(LONG)}\n{to_text(TWO)}\n", [LONG, TWO]),
        (older(ONE), [ONE]),
        (lines_of(LONG), [LONG]),
        (csv_of(ONE, LONG, TWO), [ONE, LONG, TWO]),
        (json.dumps([json.loads(to_text(each)) for each in (ONE, TWO)]), [ONE, TWO]),
        (json.dumps({"kind": "vpdq", "hash": to_text(LONG)}), [LONG]),
        (json.dumps({"vpdq": json.loads(to_text(ONE))}), [ONE]),
        (json.dumps({"signal_type": "vpdq", "signal": to_text(ONE)}), [ONE]),
        (f"vpdq {to_text(ONE)}\nHASH_VIDEO_VPDQ {to_text(TWO)}\n", [ONE, TWO]),
    ],
)
def test_videos_are_read_in_every_form(tmp_path: Path, content: str, videos: list[Video]) -> None:
    rows = read(tmp_path, content)
    assert [unpack(row.frames) for row in rows if isinstance(row, ListRow)] == videos
    assert [row.fingerprint for row in rows if isinstance(row, ListRow)] == [
        of_frames(each)[0] for each in videos
    ]
    assert len(rows) == len(videos)


def test_a_video_that_is_none_costs_its_own_row_only(tmp_path: Path) -> None:
    bad = to_text(TWO).replace(",90,", ",900,")
    first, rejected, last = read(tmp_path, f"{to_text(ONE)}\n{bad}\n{to_text(TWO)}\n")
    assert isinstance(first, ListRow)
    assert isinstance(last, ListRow)
    assert isinstance(rejected, RejectedRow)
    assert (rejected.number, len(rejected.text) < 300) == (2, True)
    assert "frame 1 of a vpdq hash" in rejected.reason


def test_what_names_a_video_does_not_put_it_on_a_list(tmp_path: Path) -> None:
    (row,) = read(tmp_path, f"kind,hash\nvpdq,{'0' * 64}\n")
    assert isinstance(row, RejectedRow)
