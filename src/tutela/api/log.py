"""What the service writes to its log: one JSON object a line, on standard error.

Only the fields named here are ever written. What a caller sent, a file's name, a hash or an address
cannot reach the log by accident: an unknown field is dropped.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

_ALLOWED = frozenset(
    {
        "check",
        "detail",
        "dropped",
        "error",
        "event",
        "frames",
        "level",
        "method",
        "reason",
        "route",
        "seconds",
        "skipped",
        "status",
        "stream",
        "timestamp",
        "where",
    }
)


def _only_allowed(
    _logger: object, _method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {name: value for name, value in fields.items() if name in _ALLOWED}


log: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
    structlog.PrintLogger(sys.__stderr__),
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _only_allowed,
        structlog.processors.JSONRenderer(),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
)
"""The service's log."""


def log_unforeseen(error: BaseException, route: str) -> None:
    """Write down that something went wrong that nobody foresaw, and where in the code.

    An error's own words may quote what a caller sent, so they are left out.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-8:])
    log.error("unforeseen", error=type(error).__name__, route=route, where=where)


def silence_error_texts() -> None:
    """Keep the server from writing the words of errors that ``log_unforeseen`` has logged."""
    logging.getLogger("uvicorn.error").addFilter(
        lambda record: "Exception in ASGI application" not in str(record.msg)
    )
    # It quotes what it could not parse.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
