"""Receiving a stream: its bytes from wherever it comes, one run after the other."""

import os
import socket

from tutela.streams import srt
from tutela.streams.allowing import Calls
from tutela.streams.fetching import Fetcher, whole
from tutela.streams.hls import follow_playlist
from tutela.streams.model import Sink, Source, SourceError, StoppedError
from tutela.streams.playlists import MOST_PLAYLIST_BYTES, is_playlist
from tutela.streams.rtmp import play

_PIECE_BYTES = 1 << 16
_PLAYLIST_SECONDS = 20.0
_HEAD_BYTES = 16


def receive(source: Source, calls: Calls, sink: Sink) -> None:
    """Receive a stream to its end.

    Args:
        source: Where it comes from.
        calls: How it connects.
        sink: Where its bytes go.

    Raises:
        RefusedSourceError: It leads to where streams may not come from.
        SourceError: It cannot be received, or has broken off.
        StoppedError: Nobody wants it any more.
    """
    match source.scheme:
        case "file":
            _read_file(source, sink)
        case "tcp":
            _read_socket(source, calls, sink)
        case "srt":
            _read_srt(source, calls, sink)
        case "rtmp" | "rtmps":
            play(source, calls, sink)
        case _:
            _read_web(source, calls, sink)


def _read_file(source: Source, sink: Sink) -> None:
    try:
        # Without O_NONBLOCK, a named pipe would wait for somebody to write into it.
        descriptor = os.open(source.text, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        os.lseek(descriptor, 0, os.SEEK_CUR)
    except OSError as error:
        raise SourceError(f"the file cannot be read: {error.strerror}") from None
    sink.begin_file(descriptor)


def _read_socket(source: Source, calls: Calls, sink: Sink) -> None:
    line = calls.connect(source.host, source.port, encrypted=False)
    try:
        sink.begin(is_live=True)
        _read_line(line, calls, sink)
    finally:
        calls.drop(line)


def _read_srt(source: Source, calls: Calls, sink: Sink) -> None:
    with srt.connection(source, calls) as (line, first):
        sink.begin(is_live=True)
        sink.write(first)
        _read_line(line, calls, sink)


def _read_line(line: socket.socket, calls: Calls, sink: Sink) -> None:
    """Hand over what comes by a connection, to its end."""
    try:
        while piece := line.recv(_PIECE_BYTES):
            sink.write(piece)
            calls.gather(len(piece))
    except TimeoutError:
        raise SourceError("it sends nothing any more") from None
    except OSError:
        pass
    if calls.is_cut:
        raise StoppedError
    raise SourceError("the connection was ended")


def _read_web(source: Source, calls: Calls, sink: Sink) -> None:
    fetcher = Fetcher(calls)
    try:
        answer = fetcher.open(source.text)
        head = b""
        while len(head) < _HEAD_BYTES and (piece := next(answer.body, b"")):
            head += piece
        if is_playlist(head):
            rest = whole(answer, MOST_PLAYLIST_BYTES, _PLAYLIST_SECONDS)
            follow_playlist(answer.url, head + rest, calls, fetcher, sink)
            return
        is_live = answer.size is None
        sink.begin(is_live=is_live)
        sink.write(head)
        for piece in answer.body:
            sink.write(piece)
        if is_live:
            raise SourceError("the connection was ended")
    finally:
        fetcher.close()
