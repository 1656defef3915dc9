"""Whole reports and details of files, made from the model: no field can be forgotten."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from ipaddress import ip_address
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from tutela.reporting.countries import COUNTRIES
from tutela.reporting.cybertipline import values
from tutela.reporting.cybertipline.model import (
    Attribute,
    Content,
    Element,
    FileDescription,
    FileDetails,
    InternetDetails,
    Report,
    Text,
)
from tutela.reporting.cybertipline.shape import Part, parts
from tutela.reporting.cybertipline.vocabulary import FileAnnotation, FileRelevance

C = TypeVar("C", bound=Content)

# All that XML 1.0 can hold, also what is awkward: line ends, tabs, marks, letters of every script.
_letters = st.characters(
    exclude_categories=["Cs"],
    exclude_characters="".join(map(chr, {*range(32), 0xFFFE, 0xFFFF} - {9, 10, 13})),
)


def texts(most: int) -> st.SearchStrategy[str]:
    return st.text(_letters, min_size=1, max_size=min(most, 60)).map(str.strip).filter(bool)


_moments = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - the zone is drawn
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda each: timezone(timedelta(minutes=each))),
)


def _decimals(most: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(-most, most, places=6)


# For each kind of value: one that stands for all, and a strategy.
_LEAVES: list[tuple[Any, object, st.SearchStrategy[Any]]] = [
    (values.Words, "the words of a chat", texts(100_000)),
    (values.LongText, "some words", texts(3_000)),
    (values.Address, "https://service.example/1", texts(2_083)),
    (values.Text300, "a grey car", texts(300)),
    (values.ShortText, "a name", texts(255)),
    (values.Text100, "a-number-1", texts(100)),
    (
        values.EmailText,
        "person@example.org",
        st.from_regex(r"\A[a-z0-9.+-]{1,20}@[a-z0-9.-]{1,20}\Z"),
    ),
    (values.Country, "CH", st.sampled_from(sorted(COUNTRIES))),
    (values.State, "CA", st.from_regex(r"\A[A-Z]{2}\Z")),
    (values.CallingCode, "+41", st.from_regex(r"\A\+[1-9][0-9]{0,3}\Z")),
    (values.IpAddress, ip_address("192.0.2.1"), st.ip_addresses()),
    (values.Moment, datetime(2026, 1, 15, 12, 30, 1, 5, UTC), _moments),
    (values.Day, date(2010, 1, 31), st.dates()),
    (values.Flag, False, st.booleans()),
    (values.Age, 9, st.integers(0, 150)),
    (values.Port, 443, st.integers(0, 65_535)),
    (values.ReportNumber, 4_564_654, st.integers(1, 2**63 - 1)),
    (values.FileNumber, "b0754af7", st.from_regex(r"\A[A-Za-z0-9_\-]{1,100}\Z")),
    (values.Latitude, Decimal("12.5"), _decimals(90)),
    (values.Longitude, Decimal("-100.25"), _decimals(180)),
]


def sample(model: type[Content], part: Part) -> object:
    """A value of a field that holds no further parts of a report."""
    if part.word is not None:
        return next(iter(part.word))
    return _leaf(model, part)[1]


def contents(model: type[C]) -> st.SearchStrategy[C]:
    """Instances of a class, with every field of it, in every way that it may be."""
    if model is InternetDetails:
        return st.one_of(  # type: ignore[return-value]
            _field(model, part).filter(_is_given).map(lambda it, to=part: model(**{to.field: it}))
            for part in parts(model)
        )
    fields = {part.field: _field(model, part) for part in parts(model)}
    made = st.fixed_dictionaries(fields)
    if issubclass(model, FileDescription):
        made = made.map(_fitting)
    return made.map(lambda given: model(**given))


def reports() -> st.SearchStrategy[Report]:
    """Whole reports."""
    return contents(Report)


def file_descriptions() -> st.SearchStrategy[FileDescription]:
    """What is said of a file, before the authority has it."""
    return contents(FileDescription)


def file_details() -> st.SearchStrategy[FileDetails]:
    """What is said of a file."""
    return contents(FileDetails)


def _is_given(value: object) -> bool:
    return value is not None


def _fitting(given: dict[str, Any]) -> dict[str, Any]:
    """Only a reported file has a classification or may be a meme."""
    if given["file_relevance"] is not FileRelevance.SUPPLEMENTAL:
        return given
    meme = FileAnnotation.POTENTIAL_MEME
    marks = tuple(each for each in given["file_annotations"] if each is not meme)
    return {**given, "industry_classification": None, "file_annotations": marks}


def _field(model: type[Content], part: Part) -> st.SearchStrategy[Any]:
    if part.content is not None:
        one: st.SearchStrategy[Any] = st.deferred(lambda: contents(part.content))
    elif part.word is not None:
        one = st.sampled_from(part.word)
    else:
        one = _leaf(model, part)[2]
    field = model.model_fields[part.field]
    if part.many or part.kind.value == "marks":
        return st.lists(one, min_size=1 if part.required else 0, max_size=2).map(tuple)
    can_be_none = type(None) in get_args(field.annotation)
    return st.none() | one if can_be_none else one


def _leaf(model: type[Content], part: Part) -> tuple[Any, object, st.SearchStrategy[Any]]:
    found = _marks_of(get_type_hints(model, include_extras=True)[part.field])
    return next(each for each in _LEAVES if _marks_of(each[0]) == found)


def _marks_of(hint: Any) -> Any:
    """What tells one kind of value from another: what its annotation carries."""
    if get_origin(hint) is tuple:
        return _marks_of(get_args(hint)[0])
    carried = [
        id(each)
        for each in getattr(hint, "__metadata__", ())
        if not isinstance(each, Element | Attribute | Text)
    ]
    if carried:
        return carried
    inner = [each for each in get_args(hint) if each is not type(None)]
    return _marks_of(inner[0]) if inner else hint
