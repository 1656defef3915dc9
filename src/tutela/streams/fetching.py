"""Fetching over HTTP, by connections that may lead to allowed hosts alone."""

import http.client
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

import tutela
from tutela.streams.allowing import Calls
from tutela.streams.model import PORTS, RefusedSourceError, SourceError, StoppedError

_MOST_REDIRECTS = 5
_PIECE_BYTES = 1 << 16
# What comes in chunks is read chunk by chunk. None that anybody means is as small: a packet of
# MPEG-TS has 188 bytes.
_TINY_BYTES = 64
_REDIRECTS = (301, 302, 303, 307, 308)
_KEPT_CONNECTIONS = 4
_HEADERS = {
    "User-Agent": f"tutela/{tutela.__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose body is still to be read.

    Attributes:
        url: Where it came from in the end.
        size: How long its body is, if it says so.
        body: The body, piece by piece; to be read to its end, or not at all.
    """

    url: str
    size: int | None
    body: Iterator[bytes]


class Fetcher:
    """Fetches for one stream, over few connections that are kept.

    Args:
        calls: How it connects.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._kept: dict[tuple[str, str, int], _Connection] = {}

    def open(self, url: str, span: tuple[int, int] | None = None) -> Answer:
        """Ask for something.

        Args:
            url: Where it is.
            span: The first of its bytes that is wanted, and how many are.

        Raises:
            RefusedSourceError: It is, or leads, where streams may not come from.
            SourceError: There is none.
            StoppedError: Nobody wants it any more.
        """
        for _ in range(_MOST_REDIRECTS):
            parts = _parts(url)
            connection, response = self._ask(parts, span)
            where = response.headers.get("Location")
            if response.status in _REDIRECTS and where:
                connection.close()
                url = urljoin(url, where)
                continue
            if response.status not in (200, 206):
                connection.close()
                raise SourceError(f"its server answers with status {response.status}")
            return Answer(url, response.length, self._body(connection, response, span))
        raise SourceError("its server redirects again and again")

    def read(
        self, url: str, most: int, seconds: float, span: tuple[int, int] | None = None
    ) -> tuple[str, bytes]:
        """Fetch something whole.

        Args:
            url: Where it is.
            most: How many bytes at most.
            seconds: How long it may take.
            span: As for ``open``.

        Returns:
            Where it came from in the end, and its bytes.

        Raises:
            SourceError: It is longer, or takes longer; otherwise as ``open``.
        """
        answer = self.open(url, span)
        return answer.url, whole(answer, most, seconds)

    def close(self) -> None:
        """Let go of all connections."""
        for connection in self._kept.values():
            connection.close()
        self._kept.clear()

    def _ask(
        self, parts: SplitResult, span: tuple[int, int] | None
    ) -> tuple["_Connection", http.client.HTTPResponse]:
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        key = (parts.scheme, host, port)
        wanted = {} if span is None else {"Range": f"bytes={span[0]}-{span[0] + span[1] - 1}"}
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        while True:
            kept = self._kept.pop(key, None)
            connection = kept or _Connection(
                self._calls, host, port, encrypted=parts.scheme == "https"
            )
            try:
                connection.request("GET", path, headers={**_HEADERS, **wanted})
                return connection, connection.getresponse()
            except (SourceError, StoppedError):
                connection.close()
                raise
            except (OSError, http.client.HTTPException, ValueError):
                connection.close()
                if self._calls.is_cut:
                    raise StoppedError from None
                if kept is None:
                    raise SourceError("its server gives no proper answer") from None
                # A connection that was kept may have been ended meanwhile: once more, by a new one.

    def _body(
        self,
        connection: "_Connection",
        response: http.client.HTTPResponse,
        span: tuple[int, int] | None,
    ) -> Iterator[bytes]:
        left = span[1] if span is not None else None
        # Where it sends all of it, whatever was asked for.
        before = span[0] if span is not None and response.status == 200 else 0
        try:
            while piece := response.read1(_PIECE_BYTES):
                if self._calls.is_cut:
                    # A connection that ends with its answer is not among those that are cut.
                    raise StoppedError
                if before >= len(piece):
                    before -= len(piece)
                    continue
                piece, before = piece[before:], 0
                if left is not None:
                    piece = piece[:left]
                    left -= len(piece)
                yield piece
                if left == 0:
                    break
                if len(piece) < _TINY_BYTES:
                    self._calls.gather(len(piece))
            if response.length and left != 0:
                raise SourceError("what its server sends ends early")
        except (OSError, http.client.HTTPException, ValueError):
            connection.close()
            if self._calls.is_cut:
                raise StoppedError from None
            raise SourceError("the connection broke") from None
        except BaseException:
            connection.close()
            raise
        if response.isclosed() and not response.will_close and len(self._kept) < _KEPT_CONNECTIONS:
            self._kept[connection.key] = connection
        else:
            connection.close()


def whole(answer: Answer, most: int, seconds: float) -> bytes:
    """The body of an answer.

    Raises:
        SourceError: It is longer, or takes longer.
    """
    deadline = time.monotonic() + seconds
    body = bytearray()
    for piece in answer.body:
        body += piece
        if len(body) > most:
            raise SourceError("something of it is longer than it can be")
        if time.monotonic() > deadline:
            raise SourceError("its server is too slow")
    return bytes(body)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - it raises if it is none
    except ValueError:
        raise RefusedSourceError("it leads to what is no address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RefusedSourceError(
            f'it leads to "{parts.scheme[:20]}:", where streams may not come from'
        )
    if not url.isprintable() or not url.isascii() or " " in url:
        raise RefusedSourceError("it leads to what is no address")
    return parts


class _Connection(http.client.HTTPConnection):
    """A connection to an address that was checked."""

    def __init__(self, calls: Calls, host: str, port: int, *, encrypted: bool) -> None:
        super().__init__(host, port)
        self.key = ("https" if encrypted else "http", host, port)
        self._calls = calls
        self._encrypted = encrypted
        # Then the header names the host as its address has it.
        self.default_port = PORTS[self.key[0]]

    def connect(self) -> None:
        """Connect."""
        self.sock = self._calls.connect(self.host, self.port, encrypted=self._encrypted)

    def close(self) -> None:
        """Close it."""
        sock = self.sock
        super().close()
        if sock is not None:
            self._calls.drop(sock)
