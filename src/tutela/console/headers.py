"""What a browser may do with our pages: as little as they need."""

from collections.abc import Mapping

_NOTHING_ELSE = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
_NOTHING = f"{_NOTHING_ELSE}; form-action 'none'"

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}

PAGE: Mapping[str, str] = _ALWAYS | {
    "Content-Security-Policy": f"{_NOTHING}; style-src 'self'; img-src 'self'",
    "Cache-Control": "no-store",
}
"""For a page that runs no script."""

CONSOLE: Mapping[str, str] = _ALWAYS | {
    "Content-Security-Policy": (
        f"{_NOTHING_ELSE}; form-action 'self'; script-src 'self'; style-src 'self'; "
        "img-src 'self'; media-src 'self'; connect-src 'self'"
    ),
    "Cache-Control": "no-store",
    # Without it, a browser that does not speak of sites would not say either where a form is from.
    "Referrer-Policy": "same-origin",
}
"""For the pages of the console: their own scripts, and forms to themselves."""

MEDIA: Mapping[str, str] = _ALWAYS | {
    "Content-Security-Policy": f"{_NOTHING}; sandbox",
    "Cache-Control": "no-store",
    "Content-Disposition": "inline",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""For what a case is about: for the page that fetched it, and nothing else."""

DOCUMENTATION: Mapping[str, str] = _ALWAYS | {
    # Swagger UI keeps its icons in its style sheet (data:), and fetches the description and what
    # is tried out.
    "Content-Security-Policy": (
        f"{_NOTHING}; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
    ),
    "Cache-Control": "no-store",
}
"""For the API documentation."""

FILE: Mapping[str, str] = _ALWAYS | {
    "Content-Security-Policy": _NOTHING,
    # Asked for again each time, answered with "not modified": never a stale style after an update.
    "Cache-Control": "no-cache",
}
"""For style sheets, scripts and pictures."""
