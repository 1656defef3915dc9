"""Whether a request comes from our own pages, and whether an address is one of ours.

A browser sends our cookie along with whatever another site makes it send here, unless the cookie
forbids it (``SameSite=Strict``). This is the second lock on the same door.
"""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from tutela.console.house import Here
from tutela.errors import NotPermittedError
from tutela.storage.settings import Settings

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def check_origin(request: Request, settings: Settings) -> None:
    """Refuse what would change something and does not come from our own pages.

    Raises:
        NotPermittedError: Another site made the browser send it, or no browser sent it.
    """
    if request.method in _SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    # Every browser of today says it by itself, and no page can make it lie.
    if site is not None and site == "same-origin":
        return
    origin = request.headers.get("origin")
    if site is None and origin is not None and origin == own_origin(request, settings):
        return
    raise NotPermittedError(
        "this was not sent from one of Tutela's own pages, so nothing was done: "
        "open the page here and try again"
    )


async def _from_own_pages(request: Request, house: Here) -> None:
    check_origin(request, house.settings)


FromOwnPages = Annotated[None, Depends(_from_own_pages)]
"""A route's parameter, for a route without a visitor that changes something."""


def own_origin(request: Request, settings: Settings) -> str:
    """Where the house is, as browsers see it: ``https://tutela.example``."""
    address = urlsplit(settings.console.address or str(request.base_url))
    return f"{address.scheme}://{address.netloc}"


def own_path(text: str | None, otherwise: str = "/") -> str:
    """An address to lead on to, if it is a path of this server and nothing else.

    Args:
        text: Whatever a request says.
        otherwise: Where to lead if it is none.
    """
    if text is None or not text.startswith("/") or len(text) > 2000:
        return otherwise
    # Browsers take a backslash for a slash, and two slashes for another server. They pass over
    # control characters.
    if text.startswith(("//", "/\\")) or "\\" in text or not text.isprintable():
        return otherwise
    return text
