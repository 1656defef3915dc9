"""What a report says, in lines for people: every field that is filled, in the model's own order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from pydantic import BaseModel

from tutela.reporting.packages.model import Enclosure, Letter

Fields = Mapping[str, Any]

_UNDER = " / "
_SPELT = {
    **{word: word.upper() for word in ("ip", "url", "esp", "ct", "exif", "md5", "xml", "zip")},
    "le": "law enforcement",
    "im": "instant messaging",
    "urls": "URLs",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is said.

    Attributes:
        label: What it is, and what it belongs to.
        value: What it says.
    """

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Section:
    """What belongs together, under a heading."""

    title: str
    lines: tuple[Line, ...]


def sections(report: BaseModel) -> Iterator[Section]:
    """What is reported, a section for each of its parts. What says nothing is left out."""
    content = report.model_dump()
    loose = {name: value for name, value in content.items() if not _has_parts(value)}
    if any(_is_said(value) for value in loose.values()):
        yield Section("Report", tuple(_fields(loose)))
    for name, value in content.items():
        if _has_parts(value):
            parts = value if isinstance(value, Sequence) else [value]
            for number, part in enumerate(parts, start=1):
                title = label_of(name) + (f" {number}" if len(parts) > 1 else "")
                found = tuple(_fields(part))
                if found:
                    yield Section(title, found)


def label_of(name: str) -> str:
    """A field's name in words."""
    words = " ".join(_SPELT.get(word, word) for word in name.split("_") if word)
    return words[:1].upper() + words[1:]


def facts(letter: Letter) -> list[Line]:
    """What is said of the letter itself."""
    said = [
        ("To", letter.authority),
        ("From", letter.organisation or "the operator of this Tutela"),
        ("Report", str(letter.report)),
        ("Identifier", letter.message),
        ("Copy", str(letter.copy)),
        ("Made", f"{letter.made_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("Corrects", letter.corrects or ""),
    ]
    return [Line(name, value) for name, value in said if value]


def facts_of_file(enclosure: Enclosure) -> list[Line]:
    """What is said of a file, and what the report says of it."""
    return [
        Line("File in the package", enclosure.file),
        Line("Size", f"{enclosure.size:,} bytes"),
        Line("MD5", enclosure.md5),
        Line("SHA-256", enclosure.sha256),
        *_fields(enclosure.details.model_dump()),
    ]


def not_real(letter: Letter) -> str:
    """What is said of a letter that tests the way, or nothing."""
    if letter.is_live:
        return ""
    return "This is a test of the way that reports take. It is about nothing that has happened."


def _fields(fields: Fields) -> Iterator[Line]:
    for name, value in fields.items():
        yield from _lines(label_of(name), value)


def _lines(label: str, value: object) -> Iterator[Line]:
    if not _is_said(value):
        return
    if isinstance(value, Mapping):
        under = [Line(f"{label}{_UNDER}{each.label}", each.value) for each in _fields(value)]
        # An empty part says something by being there.
        yield from under or [Line(label, "yes")]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, each in enumerate(value, start=1):
            yield from _lines(f"{label} {number}" if len(value) > 1 else label, each)
    else:
        yield Line(label, _words(value))


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value).replace("_", " ")
    # Moments as they are in the report: the zone is part of what it says.
    return value.isoformat() if isinstance(value, date) else str(value)


def _has_parts(value: object) -> bool:
    if isinstance(value, Mapping):
        return bool(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(isinstance(each, Mapping) for each in value)
    return False


def _is_said(value: object) -> bool:
    return value is not None and value not in ("", [], ())
