"""How the model's classes are laid out as XML, read from their fields once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from tutela.reporting.cybertipline.model import Attribute, Content, Element, Text
from tutela.reporting.cybertipline.vocabulary import FileAnnotation, ReportAnnotation


class Kind(Enum):
    """What a field is in XML."""

    ELEMENT = "element"
    MARKS = "marks"
    """An element that holds empty elements, one for each word of the field."""
    ATTRIBUTE = "attribute"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a class.

    Attributes:
        field: Its name in the model.
        name: The name of its element or attribute; empty for the text.
        kind: What it is in XML.
        many: Whether it is a tuple, each member with an element of its own.
        required: Whether it has no default.
        content: The class that it holds, if that is a part of a report itself.
        word: The fixed strings that it holds, if it holds such.
        is_flag: Whether it is true or false.
    """

    field: str
    name: str
    kind: Kind
    many: bool
    required: bool
    content: type[Content] | None
    word: type[StrEnum] | None
    is_flag: bool


@lru_cache
def parts(model: type[Content]) -> tuple[Part, ...]:
    """The fields of a class, in the order of the class."""
    return tuple(_part(model, name) for name in model.model_fields)


@lru_cache
def elements(model: type[Content]) -> Mapping[str, Part]:
    """Those that are elements, by the elements' names."""
    return {each.name: each for each in parts(model) if each.kind in {Kind.ELEMENT, Kind.MARKS}}


def camel_case(name: str) -> str:
    """The schema's way to write a name: ``first_name`` is ``firstName``."""
    return re.sub(r"_(.)", lambda found: found[1].upper(), name)


def _part(model: type[Content], name: str) -> Part:
    field = model.model_fields[name]
    mark = next(
        (each for each in field.metadata if isinstance(each, Element | Attribute | Text)), None
    )
    held, many = _held(field.annotation)
    kind, written = Kind.ELEMENT, camel_case(name)
    match mark:
        case Element(given):
            written = given
        case Attribute(given):
            kind, written = Kind.ATTRIBUTE, given or written
        case Text():
            kind, written = Kind.TEXT, ""
        case _ if held in {ReportAnnotation, FileAnnotation}:
            kind, many = Kind.MARKS, False
    is_class = isinstance(held, type)
    return Part(
        field=name,
        name=written,
        kind=kind,
        many=many,
        required=field.is_required(),
        content=held if is_class and issubclass(held, Content) else None,
        word=held if is_class and issubclass(held, StrEnum) else None,
        is_flag=held is bool,
    )


def _held(annotation: Any) -> tuple[Any, bool]:
    """The type that a field holds, and whether it holds several."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _held(arguments[0])
    if origin is tuple:
        return _held(arguments[0])[0], True
    if origin in {Union, UnionType}:
        return _held(next(each for each in arguments if each is not type(None)))
    return annotation, False
