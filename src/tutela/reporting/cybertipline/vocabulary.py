"""The fixed strings of the schema, under Tutela's own plain names.

How each is spelt stands in ``schema.xsd`` alone; here are only the names that code, JSON and the
API use. Importing this module fails if the two do not name the same.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from tutela.reporting.cybertipline.schema import FixedString, own_schema


class IncidentType(StrEnum):
    """What kind of incident is reported."""

    CSAM = "csam"
    TRAFFICKING = "trafficking"
    TRAVEL = "travel"
    MOLESTATION = "molestation"
    MISLEADING_DOMAIN = "misleading_domain"
    MISLEADING_WORDS = "misleading_words"
    ENTICEMENT = "enticement"
    UNSOLICITED_MATERIAL = "unsolicited_material"


class ReportAnnotation(StrEnum):
    """What else is said of a report."""

    EXTORTION = "extortion"
    CSAM_SOLICITATION = "csam_solicitation"
    MINOR_TO_MINOR = "minor_to_minor"
    SPAM = "spam"
    CRUELTY = "cruelty"
    INFORMATION = "information"


class FileAnnotation(StrEnum):
    """What else is said of a file."""

    DRAWN = "drawn"
    POTENTIAL_MEME = "potential_meme"
    VIRAL = "viral"
    SELF_PRODUCED = "self_produced"
    PHYSICAL_HARM = "physical_harm"
    VIOLENCE = "violence"
    ANIMAL = "animal"
    LIVE_STREAM = "live_stream"
    INFANT = "infant"
    GENERATIVE_AI = "generative_ai"


class FileRelevance(StrEnum):
    """Whether a file is what is reported, or helps to understand it."""

    REPORTED = "reported"
    SUPPLEMENTAL = "supplemental"


class IndustryClassification(StrEnum):
    """How providers classify a file."""

    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2 = "B2"


class DetailsType(StrEnum):
    """What the named values of a file are."""

    EXIF = "exif"
    HASH = "hash"


class PhoneType(StrEnum):
    """What a telephone number is for."""

    MOBILE = "mobile"
    HOME = "home"
    BUSINESS = "business"
    WORK = "work"
    FAX = "fax"
    INTERNET = "internet"


class EmailType(StrEnum):
    """What an email address is for."""

    HOME = "home"
    WORK = "work"
    BUSINESS = "business"


class AddressType(StrEnum):
    """What a postal address is for."""

    HOME = "home"
    BUSINESS = "business"
    BILLING = "billing"
    SHIPPING = "shipping"
    TECHNICAL = "technical"


class EventName(StrEnum):
    """What happened when an IP address or a device was seen."""

    LOGIN = "login"
    REGISTRATION = "registration"
    PURCHASE = "purchase"
    UPLOAD = "upload"
    OTHER = "other"
    UNKNOWN = "unknown"


_Word = TypeVar("_Word", bound=StrEnum)

# Each and the type of the schema that spells it.
_TYPES: Mapping[type[StrEnum], str] = {
    IncidentType: "incidentType",
    ReportAnnotation: "reportAnnotations",
    FileAnnotation: "fileAnnotations",
    FileRelevance: "fileRelevance",
    IndustryClassification: "industryClassification",
    DetailsType: "detailsType",
    PhoneType: "phoneType",
    EmailType: "emailType",
    AddressType: "addressType",
    EventName: "eventName",
}


def spellings(word: StrEnum) -> tuple[str, ...]:
    """How the schema spells it, and after that how other sources do."""
    fixed = _fixed(type(word))[word]
    return (fixed.spelling, *fixed.others)


def meaning(word: StrEnum) -> str:
    """What it says, in plain words; empty where its name says all."""
    return _fixed(type(word))[word].meaning


def word_for(kind: type[_Word], spelling: str) -> _Word | None:
    """Which word is spelt so, in the schema or another source; ``None`` if none is."""
    return next((word for word in kind if spelling in spellings(word)), None)


@lru_cache
def _fixed(kind: type[StrEnum]) -> Mapping[StrEnum, FixedString]:
    found = own_schema().fixed_strings(_TYPES[kind])
    if list(found) != [word.value for word in kind]:
        raise ValueError(f"schema.xsd and {kind.__name__} do not name the same, in one order")
    return {kind(key): fixed for key, fixed in found.items()}


for _kind in _TYPES:
    _fixed(_kind)
