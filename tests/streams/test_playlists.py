"""Playlists are read as RFC 8216 has them."""

import pytest

from tutela.streams.model import SourceError
from tutela.streams.playlists import Key, Segment, read_playlist


def test_segments_have_numbers_spans_heads_keys_and_breaks() -> None:
    playlist = read_playlist(
        b"\xef\xbb\xbf#EXTM3U\r\n#EXT-X-TARGETDURATION:4\r\n#EXT-X-MEDIA-SEQUENCE:7\r\n"
        b'#EXT-X-MAP:URI="head.mp4",BYTERANGE="100@5"\r\n'
        b"#EXTINF:4.0,a title\r\n#EXT-X-BYTERANGE:10@100\r\nall.mp4\r\n"
        b"#EXTINF:3.5,\r\n#EXT-X-BYTERANGE:20\r\nall.mp4\r\n"
        b"#EXT-X-GAP\r\n#EXTINF:4,\r\ngone.mp4\r\n"
        b'#EXT-X-DISCONTINUITY\r\n#EXT-X-KEY:METHOD=AES-128,URI="key?a=1,2",IV=0x10\r\n'
        b"#EXTINF:4,\r\nlast.mp4\r\n#EXT-X-UNKNOWN\r\n"
    )
    head = ("head.mp4", (5, 100))
    assert playlist.segments == (
        Segment(7, "all.mp4", 4.0, (100, 10), head=head),
        Segment(8, "all.mp4", 3.5, (110, 20), head=head),
        Segment(
            10,
            "last.mp4",
            4.0,
            begins_anew=True,
            head=head,
            key=Key("AES-128", "key?a=1,2", bytes(15) + b"\x10"),
        ),
    )
    assert (playlist.target_seconds, playlist.is_ended) == (4.0, False)


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [
        (["1920x1080", "1280x720", "640x360"], "1280x720"),
        (["3840x2160", "1920x1080"], "1920x1080"),
        ([None, "640x360"], "640x360"),
        ([None], None),
    ],
)
def test_the_best_variant_that_is_no_larger_than_720p_is_watched(sizes, wanted) -> None:
    lines = [
        f"#EXT-X-STREAM-INF:BANDWIDTH=1{f',RESOLUTION={size}' if size else ''}\n{size}.m3u8"
        for size in sizes
    ]
    playlist = read_playlist(("#EXTM3U\n" + "\n".join(lines)).encode())
    assert playlist.best().uri == f"{wanted}.m3u8"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"words",
        b"#EXTM3U\n#EXTINF:x,\na.ts",
        b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:\na.ts",
        b"#EXTM3U\n#EXT-X-BYTERANGE:-5@1\na.ts",
        b"#EXTM3U\n#EXT-X-MAP:X=1\na.ts",
        b'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="a",IV=0x' + b"f" * 40 + b"\na.ts",
        b"#EXTM3U\n\xff\xfe",
        b"#EXTM3U\n" + b"a.ts\n" * 20_001,
    ],
)
def test_what_makes_no_sense_is_refused(content: bytes) -> None:
    with pytest.raises(SourceError):
        read_playlist(content)
