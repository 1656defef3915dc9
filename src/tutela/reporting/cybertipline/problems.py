"""What is wrong with a report, in words that a person understands, and where.

The words never repeat what stands in the report: they are logged, mailed and kept.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tutela.refusing import words_of_refusal
from tutela.reporting.cybertipline.model import Content
from tutela.reporting.cybertipline.schema import Complaint, ElementPath, Schema, own_schema
from tutela.reporting.cybertipline.shape import Kind, Part, elements, parts


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        path: Where in the XML, such as ``/report/victim[2]/victimPerson/age``; an attribute as
            ``/@type`` at its end.
        words: What is wrong, to be read after the path.
        field: Where in the model, such as ``victims.1.person.age``; empty if it is not known there.
    """

    path: str
    words: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.words}"


def problems_of_model(error: ValidationError, root: str, model: type[Content]) -> list[Problem]:
    """What the model refused, one for each of ``refusals``."""
    found = []
    for detail in refusals(error):
        path = _path_of(detail["loc"], root, model)
        field = ".".join(str(each) for each in detail["loc"])
        found.append(Problem(path, _words_of_model(detail, path), field))
    return found


def refusals(error: ValidationError) -> list[dict[str, Any]]:
    """What the model refused, as its library tells it, without what only follows from the rest."""
    details = error.errors(include_url=False, include_input=False)
    return [
        dict(detail)
        for detail in details
        # One is there: it is only wrong itself.
        if detail["type"] != "too_short"
        or not any(
            len(each["loc"]) > len(detail["loc"])
            and each["loc"][: len(detail["loc"])] == detail["loc"]
            for each in details
        )
    ]


def problems_of_schema(
    complaints: Iterable[Complaint], schema: Schema, model: type[Content]
) -> list[Problem]:
    """What the schema refused; the first complaint about a place is kept, since more follow."""
    found: dict[str, Problem] = {}
    for complaint in complaints:
        attribute = re.search(r"^Element '[^']*', attribute '([^']*)'", complaint.message)
        path = re.sub(r"/@[^/]*$", "", complaint.path)
        names = _names(path)
        if attribute:
            path = f"{path}/@{attribute[1]}"
        if path not in found:
            words = _words_of_schema(complaint, schema, names, attribute[1] if attribute else "")
            found[path] = Problem(path, words, _field_of(path, model))
    return list(found.values())


def _path_of(location: Iterable[Any], root: str, model: type[Content]) -> str:
    path = f"/{root}"
    at: type[Content] | None = model
    for step in location:
        if isinstance(step, int):
            path += f"[{step + 1}]"
            continue
        part = next((each for each in parts(at) if each.field == step), None) if at else None
        if part is None:
            return path if at is None else f"{path}/{step}"
        path += _step(part)
        at = part.content
    return path


def _step(part: Part) -> str:
    match part.kind:
        case Kind.ATTRIBUTE:
            return f"/@{part.name}"
        case Kind.TEXT:
            return ""
        case _:
            return f"/{part.name}"


def _field_of(path: str, model: type[Content]) -> str:
    fields: list[str] = []
    at: type[Content] | None = model
    for step in path.split("/")[2:]:
        name, _, number = step.removesuffix("]").partition("[")
        if at is None:
            break
        part = elements(at).get(name) or next(
            (each for each in parts(at) if f"@{each.name}" == name), None
        )
        if part is None:
            return ""
        fields.append(part.field)
        if part.many:
            fields.append(str(int(number or 1) - 1))
        at = part.content
    return ".".join(fields)


# What says more of itself than the schema says of the place.
_PLAINLY = frozenset(
    {
        "missing",
        "extra_forbidden",
        "string_too_long",
        "string_too_short",
        "too_long",
        "too_short",
        "timezone_aware",
        "bool_type",
        "enum",
        "value_error",
    }
)


def _words_of_model(detail: dict[str, Any], path: str) -> str:
    if detail["type"] not in _PLAINLY:
        element, _, attribute = path.partition("/@")
        wording = own_schema().wording(_names(element), attribute)
        if wording:
            return f"should be {wording}"
    return words_of_refusal(detail)


def _names(path: str) -> ElementPath:
    return tuple(re.sub(r"\[\d+\]", "", path).split("/")[1:])


_STRUCTURE = {
    "SCHEMAV_CVC_ELT_1": "is not what such a document begins with",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_1": "should be empty",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_2": "should hold words alone, no elements",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": "should hold elements, no words of its own",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": "is not known here",
    "SCHEMAV_CVC_TYPE_3_1_1": "has an attribute that is not known here",
    "SCHEMAV_CVC_TYPE_3_1_2": "should hold words alone, no elements",
}
_FACETS = {
    "SCHEMAV_CVC_MAXLENGTH_VALID": "is longer than {} characters",
    "SCHEMAV_CVC_MINLENGTH_VALID": "is shorter than {} characters",
    "SCHEMAV_CVC_LENGTH_VALID": "should have {} characters",
    "SCHEMAV_CVC_MININCLUSIVE_VALID": "is less than {}",
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": "is more than {}",
    "SCHEMAV_CVC_MINEXCLUSIVE_VALID": "should be more than {}",
    "SCHEMAV_CVC_MAXEXCLUSIVE_VALID": "should be less than {}",
}
_PLAIN = {
    "boolean": "true or false",
    "date": "a date, such as 2010-01-31",
    "dateTime": "a date and a time, such as 2026-01-15T12:00:00Z",
    "decimal": "a number",
    "double": "a number",
    "float": "a number",
    "int": "a whole number",
    "integer": "a whole number",
    "long": "a whole number",
    "nonNegativeInteger": "a whole number",
    "positiveInteger": "a whole number",
}


def _words_of_schema(
    complaint: Complaint, schema: Schema, path: ElementPath, attribute: str
) -> str:
    kind, message = complaint.kind, complaint.message
    if kind == "SCHEMAV_CVC_ENUMERATION_VALID":
        return f"is none of the values that {schema.name} has for it"
    return (
        _words_of_structure(kind, message)
        or _words_of_value(kind, message, schema.wording(path, attribute))
        or f"is not as the schema has it ({kind.removeprefix('SCHEMAV_')})"
    )


def _words_of_structure(kind: str, message: str) -> str:
    expected = _names_in(message)
    missing = re.search(r"The attribute '([^']*)' is required", message)
    match kind:
        case "SCHEMAV_ELEMENT_CONTENT" if "Missing child" in message:
            return f"lacks {expected}" if expected else "lacks something"
        case "SCHEMAV_ELEMENT_CONTENT":
            wants = f": here comes {expected}" if expected else ""
            return f"is not in its place, or not known{wants}"
        case "SCHEMAV_CVC_COMPLEX_TYPE_4" if missing:
            return f"lacks its attribute {missing[1]}"
        case _:
            return _STRUCTURE.get(kind, "")


def _words_of_value(kind: str, message: str, wording: str) -> str:
    numbers = re.findall(r"'(-?\d+(?:\.\d+)?)'", message)  # the last one is the limit
    plain = re.search(r"xs:(\w+)'", message)
    if not wording and kind in _FACETS and numbers:
        return _FACETS[kind].format(numbers[-1])
    if not wording and plain:
        wording = _PLAIN.get(plain[1], "")
    if wording:
        return f"should be {wording}"
    is_form = kind == "SCHEMAV_CVC_PATTERN_VALID"
    return "is empty, or not written as the schema asks for" if is_form else ""


def _names_in(message: str) -> str:
    found = re.search(r"Expected is(?: one of)? \( (.*?) \)", message)
    if not found:
        return ""
    names = [name.removeprefix("##other") for name in found[1].split(", ")]
    return " or ".join(_shortened(names))


def _shortened(names: list[str]) -> Iterator[str]:
    yield from names[:8]
    if len(names) > 8:
        yield f"{len(names) - 8} others"
