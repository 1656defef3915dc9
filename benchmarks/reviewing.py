"""A hundred people at work: each takes a case, reads it, decides and goes on, all at once.

They ask as browsers do, over a connection each, which stays open. Everybody is one task of one
thread, so that the client takes little of the cores that it shares with the service.
"""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

_HOLD = re.compile(r'name="hold" value="(\d+)"')
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_LOCATION = re.compile(rb"location: (\S+)", re.IGNORECASE)
_PATIENCE_SECONDS = 60


@dataclass(slots=True)
class Diary:
    """How long each kind of request took, in seconds, from when it is to be kept.

    Attributes:
        since: The moment from which it is.
        times: By the kind's name.
        odd: What was answered otherwise than hoped: by kind and status.
    """

    since: float
    times: dict[str, list[float]] = field(default_factory=dict)
    odd: dict[tuple[str, int], int] = field(default_factory=dict)

    @property
    def all(self) -> Sequence[float]:
        """All of them."""
        return [each for taken in self.times.values() for each in taken]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    location: str
    body: str


class Browser:
    """One person's browser, as far as it matters here.

    Args:
        port: Where the service listens, on this machine.
        token: The session's, or an empty text.
        diary: Where times are written down.
    """

    def __init__(self, port: int, token: str, diary: Diary) -> None:
        self._port = port
        self._token = token
        self._diary = diary
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, kind: str, path: str, form: Mapping[str, str] | None = None) -> Answer:
        """Ask for a page, or send a form."""
        body = b"" if form is None else urlencode(form).encode()
        method = "GET" if form is None else "POST"
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            f"Origin: http://127.0.0.1:{self._port}",
            "Accept: text/html",
            f"Cookie: tutela={self._token}",
            f"Content-Length: {len(body)}",
            "Content-Type: application/x-www-form-urlencoded",
        ]
        sent = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        begin = time.perf_counter()
        try:
            answer = await asyncio.wait_for(self._exchange(sent), _PATIENCE_SECONDS)
        except (asyncio.IncompleteReadError, ConnectionError):
            # The service hangs up on who is silent for long; a browser then asks anew.
            self.close()
            answer = await asyncio.wait_for(self._exchange(sent), _PATIENCE_SECONDS)
        now = time.perf_counter()
        if now >= self._diary.since:
            self._diary.times.setdefault(kind, []).append(now - begin)
            if answer.status not in (200, 303):
                key = kind, answer.status
                self._diary.odd[key] = self._diary.odd.get(key, 0) + 1
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, sent: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(sent)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length else b""
        location = _LOCATION.search(head)
        if b"connection: close" in head.lower():
            self.close()
        return Answer(
            int(head[9:12]), location[1].decode() if location else "", body.decode("utf-8")
        )


async def review(browser: Browser, lot: random.Random, think: tuple[float, float]) -> None:
    """One case: taken, read, decided on; then the queue again."""
    await asyncio.sleep(lot.uniform(*think))
    taken = await browser.ask("next", "/queue/next", {})
    if not taken.location.startswith("/cases/"):
        return
    page = await browser.ask("case", taken.location)
    await asyncio.sleep(lot.uniform(*think))
    hold = _HOLD.search(page.body)
    if hold is None:
        return
    await browser.ask(
        "decide",
        f"{taken.location}/decide",
        {"decision": "confirmed", "basis": "digest", "hold": hold[1]},
    )
    await browser.ask("queue", "/queue")


async def visit(browser: Browser, lot: random.Random, think: tuple[float, float]) -> None:
    """As many requests as ``review`` makes, in the same times, for a page that does nothing."""
    for pause in (True, False, True, False):
        if pause:
            await asyncio.sleep(lot.uniform(*think))
        await browser.ask("bare", "/")


def work(
    port: int,
    tokens: Sequence[str],
    act: Callable[[Browser, random.Random, tuple[float, float]], Awaitable[None]],
    *,
    think: tuple[float, float],
    warm: float,
    seconds: float,
) -> Diary:
    """Have everybody work at once.

    Args:
        port: Where the service listens, on this machine.
        tokens: A session's token for each person.
        act: What each does, again and again.
        think: For how long each looks at a page: between so many seconds and so many.
        warm: Seconds at the beginning that do not count.
        seconds: How long it goes on after that.
    """
    return asyncio.run(_work(port, tokens, act, think, warm, seconds))


async def _work(
    port: int,
    tokens: Sequence[str],
    act: Callable[[Browser, random.Random, tuple[float, float]], Awaitable[None]],
    think: tuple[float, float],
    warm: float,
    seconds: float,
) -> Diary:
    begin = time.perf_counter()
    diary = Diary(begin + warm)

    async def one(number: int, token: str) -> None:
        lot = random.Random(number)
        browser = Browser(port, token, diary)
        # Not all in the same moment, as nobody does.
        await asyncio.sleep(lot.uniform(0, think[1]))
        while time.perf_counter() < begin + warm + seconds:
            await act(browser, lot, think)
        browser.close()

    await asyncio.gather(*(one(number, token) for number, token in enumerate(tokens)))
    return diary
