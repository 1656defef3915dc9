"""Posting one message: once, within its time, without following where an answer points to."""

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
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

_KEPT_BYTES = 200
_HEADERS = {
    "content-type": "application/json",
    "user-agent": f"tutela/{tutela.__version__}",
    "accept-encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it.

    Attributes:
        milliseconds: How long it took.
        status: The HTTP status, if there was an answer.
        failure: Why the receiver has not taken the message, or ``None`` if it has.
        beginning: The first bytes of the answer.
    """

    milliseconds: int
    status: int | None
    failure: str | None
    beginning: bytes = b""


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    private: Sequence[Network],
    seconds: float,
    keeping_answer: bool = False,
) -> Answer:
    """Send a message to a webhook.

    Args:
        url: Where to.
        body: What.
        headers: Of Standard Webhooks.
        private: The networks of one's own that webhooks may go to.
        seconds: The time that everything together may take, from connecting to the answer.
        keeping_answer: Whether the first bytes of the answer are wanted.
    """
    begin = time.monotonic()
    try:
        destination = find_destination(url, private)
    except UnknownNameError as error:
        return Answer(_since(begin), None, error.message)
    except RefusedAddressError as error:
        return Answer(_since(begin), None, error.message[:_KEPT_BYTES])
    try:
        status, beginning = asyncio.run(_post(destination, body, headers, seconds, keeping_answer))
    except (TimeoutError, httpx.TimeoutException):
        return Answer(_since(begin), None, f"no answer within {seconds:g} seconds")
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
        return Answer(_since(begin), None, _words_for(error))
    return Answer(_since(begin), status, _verdict(status), beginning)


async def _post(
    destination: Destination,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float,
    keeping_answer: bool,
) -> tuple[int, bytes]:
    url = destination.url
    *others, last = [_request(url, each, body, headers, seconds) for each in destination.addresses]
    # No limit on one step alone keeps a receiver that sends a byte now and then from holding on.
    async with asyncio.timeout(seconds):
        async with httpx.AsyncHTTPTransport(
            verify=_trust() if url.scheme == "https" else False, trust_env=False
        ) as transport:
            for request in others:
                with suppress(httpx.ConnectError):
                    return await _answer(transport, request, keeping_answer)
            return await _answer(transport, last, keeping_answer)


def _request(
    url: httpx.URL, address: Address, body: bytes, headers: Mapping[str, str], seconds: float
) -> httpx.Request:
    return httpx.Request(
        "POST",
        # The address that was checked, so that the name is not looked up a second time.
        url.copy_with(host=str(address), port=port_of(url)),
        content=body,
        headers={**_HEADERS, **headers, "host": url.netloc.decode("ascii")},
        # By its name the receiver is known: the certificate has to bear it.
        extensions={"sni_hostname": url.raw_host.decode("ascii"), "timeout": _each(seconds)},
    )


async def _answer(
    transport: httpx.AsyncHTTPTransport, request: httpx.Request, keeping_answer: bool
) -> tuple[int, bytes]:
    response = await transport.handle_async_request(request)
    try:
        return response.status_code, await _beginning(response) if keeping_answer else b""
    finally:
        await response.aclose()


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


async def _beginning(response: httpx.Response) -> bytes:
    beginning = b""
    async for piece in response.aiter_raw():
        beginning += piece[:_KEPT_BYTES]
        if len(beginning) >= _KEPT_BYTES:
            break
    return beginning[:_KEPT_BYTES]


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
