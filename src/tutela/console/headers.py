"""What a browser may do with our pages: as little as they need."""

from collections.abc import Mapping

_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

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
