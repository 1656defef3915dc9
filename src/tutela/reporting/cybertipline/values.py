"""The plain values of a report: text, moments, addresses, with their limits.

Each limit is that of ``schema.xsd``, which says where it comes from; tests hold both against each
other.
"""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StrictBool,
    StringConstraints,
    WithJsonSchema,
)

from tutela.reporting.countries import COUNTRIES

# What XML 1.0 can hold (section 2.2, production Char); nothing else can be written, even escaped.
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WIDEST_OFFSET = timedelta(hours=14)


def _can_be_written(text: str) -> str:
    found = _NOT_IN_XML.search(text)
    if found:
        raise ValueError(
            f"holds a character that XML cannot hold (U+{ord(found.group()):04X}, as the "
            f"{found.start() + 1}. character): take it out"
        )
    return text


def _is_a_moment(value: Any) -> Any:
    # Pydantic would take a plain number for seconds since 1970.
    if isinstance(value, datetime) or (isinstance(value, str) and _MOMENT.fullmatch(value)):
        return value
    raise ValueError("should be a date and a time with a zone, such as 2026-01-15T12:00:00Z")


def _has_a_plain_offset(value: datetime) -> datetime:
    offset = value.utcoffset() or timedelta()
    if offset % timedelta(minutes=1) or abs(offset) > _WIDEST_OFFSET:
        raise ValueError("has a zone that XML cannot write: whole minutes, at most 14 hours")
    return value


def _is_a_day(value: Any) -> Any:
    if isinstance(value, datetime) or not (
        isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value))
    ):
        raise ValueError("should be a date, such as 2010-01-31")
    return value


def _is_an_ip_address(value: Any) -> Any:
    if isinstance(value, IPv4Address | IPv6Address):
        found = value
    else:
        try:
            found = ip_address(value if isinstance(value, str) else "")
        except ValueError:
            raise ValueError("should be an IP address, such as 192.0.2.1 or 2001:db8::1") from None
    if isinstance(found, IPv6Address) and found.scope_id:
        raise ValueError("should be an IP address without the zone after its %")
    return found


def _is_a_country(text: str) -> str:
    if text not in COUNTRIES:
        raise ValueError("should be a country's two capital letters (ISO 3166-1), such as US")
    return text


def _is_a_whole_number(value: Any) -> Any:
    if isinstance(value, bool | float):
        raise ValueError("should be a whole number")
    return value


_Written = AfterValidator(_can_be_written)

Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100_000), _Written
]
"""Many words, such as those of a chat."""
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=3_000), _Written
]
Address = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_083), _Written
]
"""Where something is on the net, or in a service. Any text: it is told as it was found."""
Text300 = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), _Written
]
ShortText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), _Written
]
Text100 = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), _Written
]
EmailText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"),
    _Written,
]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), AfterValidator(_is_a_country)]
"""ISO 3166-1 alpha-2."""
State = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
CallingCode = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{0,3}$")]
IpAddress = Annotated[
    IPv4Address | IPv6Address,
    BeforeValidator(_is_an_ip_address),
    WithJsonSchema({"type": "string", "format": "ip", "examples": ["192.0.2.1", "2001:db8::1"]}),
]
Moment = Annotated[
    AwareDatetime, BeforeValidator(_is_a_moment), AfterValidator(_has_a_plain_offset)
]
"""A moment with its zone."""
Day = Annotated[date, BeforeValidator(_is_a_day)]
Flag = StrictBool
"""Said or unsaid, never guessed from another value."""
Age = Annotated[int, BeforeValidator(_is_a_whole_number), Field(ge=0, le=150)]
"""In years."""
Port = Annotated[int, BeforeValidator(_is_a_whole_number), Field(ge=0, le=65_535)]
ReportNumber = Annotated[
    int, BeforeValidator(_is_a_whole_number), Field(ge=1, le=9_223_372_036_854_775_807)
]
"""The authority's number of a report."""
FileNumber = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{1,100}$")]
"""The authority's name for an uploaded file."""
Latitude = Annotated[Decimal, Field(ge=-90, le=90, max_digits=12, decimal_places=9)]
"""In degrees, north is positive."""
Longitude = Annotated[Decimal, Field(ge=-180, le=180, max_digits=12, decimal_places=9)]
"""In degrees, east is positive."""
