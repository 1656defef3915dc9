"""The cookies that the pages set: the session, how the pages look, and what was just done.

None can be read by a script, and none is sent along when another site leads here to do something.
"""

from urllib.parse import quote, unquote

from fastapi import Request
from starlette.responses import Response

from tutela.storage.settings import Settings

THEMES = ("light", "dark")

_SAID = "said"
_HOUR = 60 * 60
_YEAR = 365 * 24 * 60 * 60


def session_token(request: Request, settings: Settings) -> str | None:
    """What a browser shows to be taken for somebody, if anything."""
    return request.cookies.get(_session_name(settings)) or None


def give_session(response: Response, token: str, settings: Settings) -> None:
    """Let a browser keep a session's token until it is closed, at the longest."""
    _set(response, _session_name(settings), token, settings)


def take_session(response: Response, settings: Settings) -> None:
    """Have a browser forget its session."""
    response.delete_cookie(
        _session_name(settings), secure=_is_secure(settings), httponly=True, samesite="strict"
    )


def browser_secret(request: Request, settings: Settings) -> str | None:
    """By what a browser shows that it is the one that began something, if it did lately."""
    return request.cookies.get(_browser_name(settings)) or None


def give_browser_secret(response: Response, secret: str, settings: Settings) -> None:
    """Let a browser show later that it is the one that began something.

    Another house sends people back here, so this cookie comes along when one is led here from
    elsewhere. It lets nobody in.
    """
    response.set_cookie(
        _browser_name(settings),
        secret,
        max_age=_HOUR,
        secure=_is_secure(settings),
        httponly=True,
        samesite="lax",
    )


def theme_of(request: Request) -> str:
    """The colours that a browser was asked to have here: nothing if its own preference counts."""
    theme = request.cookies.get("theme", "")
    return theme if theme in THEMES else ""


def language_of(request: Request) -> str | None:
    """The language that was chosen in this browser, if one was."""
    return request.cookies.get("language")


def remember_look(response: Response, name: str, value: str, settings: Settings) -> None:
    """Have a browser remember how the pages are to look: its ``theme`` or its ``language``."""
    _set(response, name, value, settings, max_age=_YEAR)


def say_next(response: Response, key: str, about: str, settings: Settings) -> None:
    """Have the next page say what was done.

    Args:
        response: What leads to the next page.
        key: The key of the text, which begins with ``said_``.
        about: What the text's ``{about}`` stands for.
        settings: The configuration.
    """
    _set(response, _SAID, quote(f"{key}|{about}"), settings, max_age=60)


def take_said(request: Request) -> tuple[str, str] | None:
    """What the page is to say of what was just done: the key of a text, and what it is about."""
    key, _, about = unquote(request.cookies.get(_SAID, "")).partition("|")
    return (key, about) if key.startswith("said_") else None


def forget_said(response: Response) -> None:
    """Say it once."""
    response.delete_cookie(_SAID)


def _set(
    response: Response, name: str, value: str, settings: Settings, *, max_age: int | None = None
) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        secure=_is_secure(settings),
        httponly=True,
        samesite="strict",
    )


def _session_name(settings: Settings) -> str:
    # Behind TLS the prefix keeps other servers of the same domain from planting one.
    return "__Host-tutela" if _is_secure(settings) else "tutela"


def _browser_name(settings: Settings) -> str:
    return "__Host-tutela-browser" if _is_secure(settings) else "tutela-browser"


def _is_secure(settings: Settings) -> bool:
    return (settings.console.address or "").startswith("https:")
