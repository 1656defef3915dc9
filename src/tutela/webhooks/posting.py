"""Posting one message: once, within its time, without following where an answer points to."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

import httpx

import tutela
from tutela.webhooks.addresses import (
    Address,
    Destination,
    Network,
    RefusedAddressError,
    UnknownNameError,
    find_destination,
    port_of,
)

_KEPT_LETTERS = 200
# The words of an answer are waited for no longer than this, and so much less than its whole time.
_ANSWER_SECONDS = 5.0
_SPARE_SECONDS = 0.05
_HEADERS = {
    "content-type": "application/json",
    "user-agent": f"tutela/{tutela.__version__}",
    "accept-encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class LargeBody:
    """A body that is not in memory.

    Attributes:
        size: In bytes.
        pieces: Gives it from the first byte on, as often as it is called.
    """

    size: int
    pieces: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it.

    Attributes:
        milliseconds: How long it took.
        status: The HTTP status, if there was an answer.
        failure: Why the receiver has not taken the message, or ``None`` if it has.
        beginning: The first bytes of the answer.
        retry_after: What the receiver says of when to try again, as it says it.
    """

    milliseconds: int
    status: int | None
    failure: str | None
    beginning: bytes = b""
    retry_after: str | None = None


def post(
    url: str,
    body: bytes | LargeBody,
    headers: Mapping[str, str],
    *,
    private: Sequence[Network],
    seconds: float,
    keeping: int = 0,
) -> Answer:
    """Send a message to a webhook.

    Args:
        url: Where to.
        body: What.
        headers: Of Standard Webhooks.
        private: The networks of one's own that webhooks may go to.
        seconds: The time that everything together may take, from connecting to the answer.
        keeping: How many of the first bytes of the answer are wanted, at most. What comes of
            them within the time is given: that the message was taken is said before them.
    """
    begin = time.monotonic()
    try:
        destination = find_destination(url, private)
    except UnknownNameError as error:
        return Answer(_since(begin), None, error.message)
    except RefusedAddressError as error:
        return Answer(_since(begin), None, error.message[:_KEPT_LETTERS])
    try:
        heard = asyncio.run(_post(destination, body, headers, seconds, keeping))
    except (TimeoutError, httpx.TimeoutException):
        return Answer(_since(begin), None, f"no answer within {seconds:g} seconds")
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
        return Answer(_since(begin), None, _words_for(error))
    return Answer(
        _since(begin), heard.status, _verdict(heard.status), heard.beginning, heard.retry_after
    )


@dataclass(slots=True)
class _Heard:
    status: int
    retry_after: str | None
    beginning: bytes = b""


async def _post(
    destination: Destination,
    body: bytes | LargeBody,
    headers: Mapping[str, str],
    seconds: float,
    keeping: int,
) -> _Heard:
    url = destination.url
    *others, last = [_request(url, each, body, headers, seconds) for each in destination.addresses]
    # No limit on one step alone keeps a receiver that sends a byte now and then from holding on.
    async with asyncio.timeout(seconds) as limit:
        async with httpx.AsyncHTTPTransport(
            verify=trusted_here() if url.scheme == "https" else False, trust_env=False
        ) as transport:
            for request in others:
                with suppress(httpx.ConnectError):
                    return await _answer(transport, request, keeping, limit)
            return await _answer(transport, last, keeping, limit)


def _request(
    url: httpx.URL,
    address: Address,
    body: bytes | LargeBody,
    headers: Mapping[str, str],
    seconds: float,
) -> httpx.Request:
    size = {"content-length": str(body.size)} if isinstance(body, LargeBody) else {}
    return httpx.Request(
        "POST",
        # The address that was checked, so that the name is not looked up a second time.
        url.copy_with(host=str(address), port=port_of(url)),
        content=_pieces(body) if isinstance(body, LargeBody) else body,
        headers={**_HEADERS, **headers, **size, "host": url.netloc.decode("ascii")},
        # By its name the receiver is known: the certificate has to bear it.
        extensions={"sni_hostname": url.raw_host.decode("ascii"), "timeout": _each(seconds)},
    )


async def _pieces(body: LargeBody) -> AsyncIterator[bytes]:
    for piece in body.pieces():
        yield piece


async def _answer(
    transport: httpx.AsyncHTTPTransport,
    request: httpx.Request,
    keeping: int,
    limit: asyncio.Timeout,
) -> _Heard:
    response = await transport.handle_async_request(request)
    try:
        heard = _Heard(response.status_code, response.headers.get("retry-after"))
        if keeping:
            soon = asyncio.get_running_loop().time() + _ANSWER_SECONDS
            ends = min(soon, (limit.when() or soon) - _SPARE_SECONDS)
            # Its status says whether it was taken, whatever becomes of the words behind it.
            with suppress(TimeoutError, httpx.HTTPError):
                async with asyncio.timeout_at(ends):
                    await _read_beginning(response, keeping, heard)
        return heard
    finally:
        await response.aclose()


async def _read_beginning(response: httpx.Response, keeping: int, heard: _Heard) -> None:
    async for piece in response.aiter_raw():
        heard.beginning = (heard.beginning + piece[:keeping])[:keeping]
        if len(heard.beginning) >= keeping:
            break


@cache
def trusted_here() -> ssl.SSLContext:
    """What servers are known by over https: what this machine trusts, read once."""
    return ssl.create_default_context()


def _each(seconds: float) -> dict[str, float]:
    return dict.fromkeys(("connect", "read", "write", "pool"), seconds)


def _verdict(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"answered {status}: where an answer points to is not followed"
    return f"answered {status}"


def _words_for(error: Exception) -> str:
    # The words of a library may quote what was sent; its kinds of errors say enough.
    if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in str(error):
        return "its certificate is not trusted"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.HTTPError):
        return f"no proper answer ({type(error).__name__})"
    return f"no connection ({type(error).__name__})"


def _since(begin: float) -> int:
    return int((time.monotonic() - begin) * 1000)
