"""Following the playlist of a stream by HTTP Live Streaming.

A stream that is live is begun at its newest segment. Whoever gets so far behind that segments are
gone, or would have to hurry after them, goes on at the newest one: what is left out is counted.
"""

import time
from collections.abc import Iterable, Sequence
from urllib.parse import urljoin

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tutela.streams.allowing import Calls
from tutela.streams.fetching import Fetcher
from tutela.streams.model import Sink, SourceError, StoppedError
from tutela.streams.playlists import (
    MOST_PLAYLIST_BYTES,
    Key,
    Playlist,
    Segment,
    Span,
    read_playlist,
)

_PLAYLIST_SECONDS = 10.0
_MOST_HEAD_BYTES = 4 << 20
_MOST_SEGMENT_BYTES = 256 << 20
_MOST_ENCRYPTED_BYTES = 64 << 20
_KEY_BYTES = 16
# A segment that is asked for late is asked for whole; so many may wait to be.
_MOST_BEHIND = 3
# Numbers that leap further say nothing of how much was left out.
_MOST_GONE = 10_000
# A stream that goes on gives out a new segment in less than so many times the longest.
_SILENT_TARGETS = 5.0
_LEAST_SILENT_SECONDS = 15.0
_SOONEST, _LATEST = 0.2, 1.0
_UNTIL_NEXT = 0.8
# Segments are a few seconds long; what is said to be longer is not believed.
_LONGEST_BURST = 30.0


def follow_playlist(url: str, content: bytes, calls: Calls, fetcher: Fetcher, sink: Sink) -> None:
    """Receive the segments of a playlist as they come, to its end.

    Args:
        url: Where the playlist is.
        content: What it says.
        calls: How long anybody wants more.
        fetcher: How segments are fetched.
        sink: Where their bytes go.

    Raises:
        RefusedSourceError: Something of it leads to where streams may not come from.
        SourceError: It cannot be received, or nothing more comes.
        StoppedError: Nobody wants it any more.
    """
    playlist = read_playlist(content)
    if playlist.variants:
        url = urljoin(url, playlist.best().uri)
        url, content = fetcher.read(url, MOST_PLAYLIST_BYTES, _PLAYLIST_SECONDS)
        playlist = read_playlist(content)
        if playlist.variants:
            raise SourceError("its playlists lead to playlists of playlists")
    following = _Following(calls, fetcher, sink, is_live=not playlist.is_ended)
    newest_at = time.monotonic()
    while True:
        begun = time.monotonic()
        last = playlist.segments[-1].seconds if playlist.segments else playlist.target_seconds
        if following.take(url, playlist):
            newest_at = time.monotonic()
            # Until about then there is no next one.
            wait = max(_SOONEST, _UNTIL_NEXT * min(last, playlist.target_seconds))
        else:
            wait = min(max(playlist.target_seconds / 8, _SOONEST), _LATEST)
        if playlist.is_ended:
            return
        silent = max(_SILENT_TARGETS * playlist.target_seconds, _LEAST_SILENT_SECONDS)
        if time.monotonic() - newest_at > silent:
            raise SourceError("no new segment of it comes")
        calls.rest(wait - (time.monotonic() - begun))
        url, content = fetcher.read(url, MOST_PLAYLIST_BYTES, _PLAYLIST_SECONDS)
        playlist = read_playlist(content)


class _Following:
    """What was taken of a stream so far."""

    def __init__(self, calls: Calls, fetcher: Fetcher, sink: Sink, *, is_live: bool) -> None:
        self._calls = calls
        self._fetcher = fetcher
        self._sink = sink
        self._is_live = is_live
        self._newest: int | None = None
        self._head: tuple[str, Span | None] | None = None
        self._has_begun = False
        self._burst = 0.0
        self._keys: dict[str, bytes] = {}

    def take(self, url: str, playlist: Playlist) -> bool:
        """Take the segments that are new; says whether there are any."""
        new = self._new(playlist.segments)
        self._burst = min(playlist.target_seconds, _LONGEST_BURST)
        for segment in new:
            if self._calls.is_cut:
                raise StoppedError
            self._take(url, segment)
            self._newest = segment.number
        return bool(new)

    def _new(self, segments: Sequence[Segment]) -> Sequence[Segment]:
        if not segments:
            return ()
        newest = self._newest
        if newest is None:
            return segments[-1:] if self._is_live else segments
        if segments[-1].number < newest - len(segments):
            # Its numbers begin anew: so does the stream.
            self._has_begun = False
            return segments[-1:]
        new = [each for each in segments if each.number > newest]
        if not self._is_live or not new:
            return new
        gone = new[0].number - newest - 1
        if gone > 0:
            self._sink.skipped(min(gone, _MOST_GONE) * new[0].seconds)
        if len(new) > _MOST_BEHIND:
            self._sink.skipped(_length(new[:-1]))
            new = new[-1:]
        return new

    def _take(self, url: str, segment: Segment) -> None:
        if not self._has_begun or segment.begins_anew or segment.head != self._head:
            self._sink.begin(is_live=self._is_live, burst=self._burst)
            self._has_begun, self._head = True, segment.head
            if segment.head is not None:
                where, span = segment.head
                _, head = self._fetcher.read(
                    urljoin(url, where), _MOST_HEAD_BYTES, _PLAYLIST_SECONDS, span
                )
                self._sink.write(head)
        where = urljoin(url, segment.uri)
        seconds = max(_PLAYLIST_SECONDS, 3 * segment.seconds)
        if segment.key is not None:
            _, sealed = self._fetcher.read(where, _MOST_ENCRYPTED_BYTES, seconds, segment.span)
            self._sink.write(self._opened(url, sealed, segment, segment.key))
            return
        deadline, size = time.monotonic() + seconds, 0
        for piece in self._fetcher.open(where, segment.span).body:
            begun = time.monotonic()
            self._sink.write(piece)
            # The time for which nobody was ready for it is not its server's.
            deadline += time.monotonic() - begun
            size += len(piece)
            if size > _MOST_SEGMENT_BYTES:
                raise SourceError("a segment of it is longer than it can be")
            if time.monotonic() > deadline:
                raise SourceError("its server is too slow")

    def _opened(self, url: str, sealed: bytes, segment: Segment, key: Key) -> bytes:
        if key.method != "AES-128":
            raise SourceError("it is encrypted in a way that is not known here")
        where = urljoin(url, key.uri)
        if where not in self._keys:
            _, secret = self._fetcher.read(where, _KEY_BYTES, _PLAYLIST_SECONDS)
            # Of one stream there are few, one after the other.
            self._keys = {where: secret}
        try:
            vector = key.vector or segment.number.to_bytes(16)
            cipher = Cipher(algorithms.AES128(self._keys[where]), modes.CBC(vector)).decryptor()
            opened = cipher.update(sealed) + cipher.finalize()
        except ValueError:
            raise SourceError("it is encrypted, and its key does not fit") from None
        return opened[: -opened[-1]] if opened and opened[-1] <= _KEY_BYTES else opened


def _length(segments: Iterable[Segment]) -> float:
    return sum(each.seconds for each in segments)
