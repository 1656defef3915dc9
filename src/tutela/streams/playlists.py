"""Reading playlists of HTTP Live Streaming (RFC 8216). Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tutela.streams.model import SourceError

MOST_PLAYLIST_BYTES = 1 << 20
_MOST_SEGMENTS = 20_000
_LONGEST_TARGET = 60.0
_LONGEST_SEGMENT = 3600.0
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)')
# Of several, the best one that is no larger: PDQ sees no more of a larger one.
_WANTED_PIXELS = 1280 * 720

Span = tuple[int, int]
"""The first byte of a piece of a file, and how many there are."""


@dataclass(frozen=True, slots=True)
class Key:
    """How segments are encrypted.

    Attributes:
        method: ``AES-128`` is known here.
        uri: Where the key is.
        vector: The initial vector, if it is not the segment's number.
    """

    method: str
    uri: str
    vector: bytes | None


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a stream.

    Attributes:
        number: Its number in the stream.
        uri: Where it is, seen from its playlist.
        seconds: How long it lasts.
        span: Which part of that, if not all of it.
        begins_anew: Whether what is before it does not go on in it.
        head: Where what it begins with is, if not in itself, and which part of that.
        key: How it is encrypted, if so.
    """

    number: int
    uri: str
    seconds: float
    span: Span | None = None
    begins_anew: bool = False
    head: tuple[str, Span | None] | None = None
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One way in which a stream is given out.

    Attributes:
        uri: Where its playlist is.
        bandwidth: Bits a second.
        pixels: Width times height, if it says so.
    """

    uri: str
    bandwidth: int
    pixels: int | None


@dataclass(frozen=True, slots=True)
class Playlist:
    """What a playlist says: variants, or segments.

    Attributes:
        variants: If it is one of playlists.
        segments: If it is one of segments.
        target_seconds: No segment is longer.
        is_ended: Whether no more segments come.
    """

    variants: tuple[Variant, ...] = ()
    segments: tuple[Segment, ...] = ()
    target_seconds: float = 6.0
    is_ended: bool = False

    def best(self) -> Variant:
        """The variant to watch: the best of those of 720p and below, or else the smallest."""
        known = [each for each in self.variants if each.pixels is not None]
        fitting = [each for each in known if (each.pixels or 0) <= _WANTED_PIXELS]
        if fitting:
            return max(fitting, key=lambda each: (each.pixels or 0, each.bandwidth))
        return min(known or self.variants, key=lambda each: (each.pixels or 0, each.bandwidth))


def is_playlist(head: bytes) -> bool:
    """Whether something begins as a playlist does."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(b"#EXTM3U")


def read_playlist(content: bytes) -> Playlist:
    """Understand a playlist.

    Raises:
        SourceError: It is none, or has what is not known here.
    """
    if not is_playlist(content):
        raise SourceError("its playlist is none")
    reading = _Reading()
    try:
        for line in map(str.strip, content.decode("utf-8-sig").splitlines()):
            if line.startswith("#"):
                reading.heed(*line.partition(":")[::2])
            elif line:
                reading.take(line)
            if len(reading.segments) + len(reading.variants) > _MOST_SEGMENTS:
                raise SourceError("its playlist is longer than it can be")
    except (ValueError, KeyError, OverflowError):
        raise SourceError("its playlist makes no sense") from None
    return Playlist(tuple(reading.variants), tuple(reading.segments), reading.target, reading.ended)


class _Reading:
    """What has been read of a playlist, and what was said of what comes next."""

    def __init__(self) -> None:
        self.variants: list[Variant] = []
        self.segments: list[Segment] = []
        self.target = 6.0
        self.ended = False
        self._number = 0
        self._seconds: float | None = None
        self._span: Span | None = None
        self._begins_anew = self._is_gap = False
        self._head: tuple[str, Span | None] | None = None
        self._key: Key | None = None
        self._variant: dict[str, str] | None = None
        # Where the last piece of each file ended.
        self._ends: dict[str, int] = {}

    def heed(self, tag: str, value: str) -> None:
        """Heed a tag; those that are not known say nothing that is needed."""
        known: dict[str, Callable[[str], None]] = {
            "#EXT-X-TARGETDURATION": self._heed_target,
            "#EXT-X-MEDIA-SEQUENCE": self._heed_number,
            "#EXT-X-ENDLIST": self._heed_end,
            "#EXT-X-DISCONTINUITY": self._heed_break,
            "#EXT-X-GAP": self._heed_gap,
            "#EXTINF": self._heed_length,
            "#EXT-X-BYTERANGE": self._heed_span,
            "#EXT-X-MAP": self._heed_head,
            "#EXT-X-KEY": self._heed_key,
            "#EXT-X-STREAM-INF": self._heed_variant,
        }
        if tag in known:
            known[tag](value)

    def take(self, uri: str) -> None:
        """Take a line that says where something is."""
        if self._variant is not None:
            self.variants.append(_variant(uri, self._variant))
            self._variant = None
            return
        span = self._span
        if span is not None:
            begin = self._ends.get(uri, 0) if span[0] < 0 else span[0]
            span = (begin, span[1])
            self._ends[uri] = begin + span[1]
        if not self._is_gap:
            seconds = self.target if self._seconds is None else self._seconds
            self.segments.append(
                Segment(self._number, uri, seconds, span, self._begins_anew, self._head, self._key)
            )
        self._number += 1
        self._seconds = self._span = None
        self._begins_anew = self._is_gap = False

    def _heed_target(self, value: str) -> None:
        self.target = min(max(float(value), 0.5), _LONGEST_TARGET)

    def _heed_number(self, value: str) -> None:
        self._number = int(value)

    def _heed_end(self, _: str) -> None:
        self.ended = True

    def _heed_break(self, _: str) -> None:
        self._begins_anew = True

    def _heed_gap(self, _: str) -> None:
        self._is_gap = True

    def _heed_length(self, value: str) -> None:
        self._seconds = min(max(float(value.partition(",")[0]), 0.0), _LONGEST_SEGMENT)

    def _heed_span(self, value: str) -> None:
        self._span = _span(value, None)

    def _heed_head(self, value: str) -> None:
        told = _attributes(value)
        span = _span(told["BYTERANGE"], 0) if "BYTERANGE" in told else None
        self._head = (told["URI"], span)

    def _heed_key(self, value: str) -> None:
        self._key = _key(_attributes(value))

    def _heed_variant(self, value: str) -> None:
        self._variant = _attributes(value)


def _variant(uri: str, told: dict[str, str]) -> Variant:
    width, _, height = told.get("RESOLUTION", "").partition("x")
    pixels = int(width) * int(height) if width and height else None
    return Variant(uri, int(told.get("BANDWIDTH", "0")), pixels)


def _key(told: dict[str, str]) -> Key | None:
    if told["METHOD"] == "NONE":
        return None
    vector = told.get("IV")
    parsed = None if vector is None else int(vector, 16).to_bytes(16)
    return Key(told["METHOD"], told.get("URI", ""), parsed)


def _span(text: str, default: int | None) -> Span:
    """``length@offset``; without an offset it goes on where the one before ended, said by -1."""
    size, at, offset = text.strip().partition("@")
    begin = int(offset) if at else (-1 if default is None else default)
    if int(size) <= 0:
        raise ValueError
    return begin, int(size)


def _attributes(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(text)}
