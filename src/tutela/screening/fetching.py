"""Fetching what is at an address: public, within its limits, and of no use to whoever asks for it.

Whoever may have addresses fetched could otherwise have the house knock at doors that only it can
reach. So a name is looked up once, every address behind it has to be a public one, and it is that
address which is connected to, for each redirect anew. Nothing is sent but the address itself: no
cookie, no referrer, no word of who asks. What comes is counted while it comes and never unpacked
here; it goes to a cell as it is.

No address is written down anywhere, and no error repeats one.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import TracebackType
from typing import Self

import httpx

import tutela
from tutela.fingerprints.urls import PORTS, NoAddressError, Url
from tutela.storage.settings import Links
from tutela.webhooks.addresses import (
    Address,
    UnknownNameError,
    is_in,
    is_public,
    look_name_up,
)
from tutela.webhooks.posting import trusted_here

_USER_AGENT = f"tutela/{tutela.__version__} (child protection; screens what it is asked to)"
_HEADERS = {
    "accept": "*/*",
    # Asked for, and not relied on: what comes packed all the same is unpacked in a cell, or not.
    "accept-encoding": "identity",
    "connection": "close",
}
_LOOKED_UP = 4
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What calls itself a picture and is none is unreadable. A drawing in SVG is text here.
_PICTURE = ".jpg"
_OPENED_IN_CELLS = frozenset({"gzip", "x-gzip"})


class FetchError(Exception):
    """It could not be fetched, so nobody knows what is there: no byte of it was looked at.

    Attributes:
        reason: Why, in words for people, without the address.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = f"it cannot be fetched: {reason}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What is at an address.

    Attributes:
        content: Its bytes, as they came.
        suffix: What the name of such a file ends in, as the server says: see ``known_of``.
    """

    content: bytes
    suffix: str


Resolve = Callable[[str, int], Sequence[Address]]


class Fetcher:
    """Fetches under the house's settings. Used on one event loop at a time.

    Args:
        links: The settings.
        resolve: Looks a name up, as ``look_name_up`` does.
        trust: What servers are known by over https; by default, what this machine trusts.
    """

    def __init__(
        self,
        links: Links,
        resolve: Resolve = look_name_up,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._links = links
        self._resolve = resolve
        self._trust = trust
        # Of their own, so that names which nobody answers for keep no other work waiting. More than
        # are fetched at once, since looking such a name up goes on for longer than anybody waits.
        self._threads = ThreadPoolExecutor(_LOOKED_UP * links.at_once, "names")

    def close(self) -> None:
        """Take no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def ask(self, url: Url, hold: Callable[[int], None]) -> Fetched | Url:
        """What is at an address, or the other one that it points to.

        Args:
            url: The address.
            hold: Is told of every byte that is kept; what it raises is raised.

        Raises:
            FetchError: It cannot be fetched.
        """
        port = self._checked_port(url)
        proxy = self._links.proxy
        hosts = [] if proxy else await self._addresses(url, port)
        try:
            async with httpx.AsyncHTTPTransport(
                verify=(self._trust or trusted_here()) if url.scheme == "https" else False,
                trust_env=False,
                proxy=httpx.Proxy(proxy.get_secret_value()) if proxy else None,
            ) as transport:
                # The names are looked up by the proxy, which is where they are checked then.
                *others, last = [*map(str, hosts)] or [url.host.strip("[]")]
                for host in others:
                    with suppress(httpx.ConnectError):
                        return await self._answer(transport, url, host, port, hold)
                return await self._answer(transport, url, last, port, hold)
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            raise FetchError(_words_for(error)) from None

    def _checked_port(self, url: Url) -> int:
        if url.scheme not in PORTS:
            raise FetchError("only http and https are fetched")
        if url.has_user:
            raise FetchError("it has a user or a password")
        port = PORTS[url.scheme] if url.port is None else url.port
        if port not in self._links.ports:
            raise FetchError("its port is none that is asked at")
        literal = url.address
        if literal is not None and not self._may_go_to(literal):
            raise _nowhere()
        return port

    async def _addresses(self, url: Url, port: int) -> Sequence[Address]:
        literal = url.address
        if literal is not None:
            return [literal]
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, self._resolve, url.host, port)
        except UnknownNameError:
            raise _nowhere() from None
        # One that is not public is reason enough: the others would be asked for it next time.
        if not found or not all(map(self._may_go_to, found)):
            raise _nowhere()
        return found

    def _may_go_to(self, address: Address) -> bool:
        links = self._links
        return not is_in(address, links.refused_networks) and (
            is_public(address) or is_in(address, links.private_networks)
        )

    async def _answer(
        self,
        transport: httpx.AsyncHTTPTransport,
        url: Url,
        host: str,
        port: int,
        hold: Callable[[int], None],
    ) -> Fetched | Url:
        seconds = float(self._links.seconds)
        request = httpx.Request(
            "GET",
            httpx.URL(
                scheme=url.scheme,
                host=host,
                port=port,
                raw_path=url.target.encode("ascii"),
            ),
            headers={
                **_HEADERS,
                "user-agent": self._links.user_agent or _USER_AGENT,
                "host": url.authority,
            },
            extensions={
                # By its name the server is known: the certificate has to bear it.
                "sni_hostname": url.host.strip("[]"),
                "timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds),
            },
        )
        response = await transport.handle_async_request(request)
        try:
            return await self._read(response, url, hold)
        finally:
            await response.aclose()

    async def _read(
        self, response: httpx.Response, url: Url, hold: Callable[[int], None]
    ) -> Fetched | Url:
        status, location = response.status_code, response.headers.get("location")
        if status in _REDIRECTS and location is not None:
            try:
                return url.joined(location)
            except NoAddressError:
                raise FetchError("it points to no address") from None
        if status != 200:
            raise FetchError(f"the server answered {status}")
        packed = response.headers.get("content-encoding", "identity").strip().lower()
        if packed not in ("identity", "", *_OPENED_IN_CELLS):
            raise FetchError("it comes packed although it should not")
        limit = self._links.max_mib << 20
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            raise _too_large(self._links.max_mib)
        content = bytearray()
        async for piece in response.aiter_raw():
            if len(content) + len(piece) > limit:
                raise _too_large(self._links.max_mib)
            hold(len(piece))
            content += piece
        # A picture that is packed is none by its own bytes, only by what is in them.
        suffix = "" if packed in _OPENED_IN_CELLS else _suffix(response, url)
        return Fetched(bytes(content), suffix)


def too_slow(seconds: float) -> FetchError:
    """It did not come in time."""
    return FetchError(f"it did not come whole within {seconds:g} seconds")


def too_often() -> FetchError:
    """It points to another address, and so on."""
    return FetchError("it points from one address to the next too often")


def _nowhere() -> FetchError:
    # In the same words, whether there is no such name or one that only the house's own network
    # knows: nobody finds out by this which of the two it is.
    return FetchError("its host has no public address")


def _too_large(mebibytes: int) -> FetchError:
    return FetchError(f"it is larger than {mebibytes} MiB")


def _suffix(response: httpx.Response, url: Url) -> str:
    said = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said:
        # The server's word counts for more than what the address looks like: many answer with a
        # page where a picture was.
        return suffix_of(said)
    return PurePosixPath(url.path).suffix


def suffix_of(media_type: str) -> str:
    """What the name of a file of a media type ends in, in so far as ``known_of`` heeds it."""
    return _PICTURE if media_type.startswith("image/") and media_type != "image/svg+xml" else ""


def _words_for(error: Exception) -> str:
    # The words of a library may quote what was sent; its kinds of errors say enough.
    if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in str(error):
        return "the server's certificate is not trusted"
    if isinstance(error, httpx.TimeoutException):
        return "the server did not answer in time"
    if isinstance(error, httpx.ConnectError | httpx.ProxyError) or not isinstance(
        error, httpx.HTTPError
    ):
        return "there is no connection to its server"
    return "the server gave no proper answer"
