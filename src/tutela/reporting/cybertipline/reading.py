"""From XML to the model: what is not a whole report is refused, with every problem in words."""

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from tutela.errors import InvalidInputError
from tutela.reporting.cybertipline.model import Content, FileDetails, Report
from tutela.reporting.cybertipline.parsing import RefusedXmlError, parse
from tutela.reporting.cybertipline.problems import (
    Problem,
    problems_of_model,
    problems_of_schema,
)
from tutela.reporting.cybertipline.schema import Schema, own_schema
from tutela.reporting.cybertipline.shape import Kind, Part, elements, parts
from tutela.reporting.cybertipline.vocabulary import word_for

_Read = TypeVar("_Read", bound=Content)


class MalformedDocumentError(InvalidInputError):
    """It is no XML that is read: not well-formed, not UTF-8, too large or deep, with a DOCTYPE."""


class InvalidDocumentError(InvalidInputError):
    """It is XML, but not a document of the schema, or breaks a rule of the model.

    Attributes:
        problems: Everything that is wrong with it.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        first, more = problems[0], len(problems) - 1
        super().__init__(f"{first}" + (f" (and {more} more)" if more else ""))
        self.problems = tuple(problems)


def read_report(document: bytes, schema: Schema | None = None) -> Report:
    """Read a ``<report>``.

    Args:
        document: The XML, from anywhere.
        schema: What it must be valid by; Tutela's own by default.

    Raises:
        MalformedDocumentError: It is no XML that is read.
        InvalidDocumentError: It is not a whole and valid report.
    """
    return _read(document, "report", Report, schema or own_schema())


def read_file_details(document: bytes, schema: Schema | None = None) -> FileDetails:
    """Read a ``<fileDetails>``.

    Args:
        document: The XML, from anywhere.
        schema: What it must be valid by; Tutela's own by default.

    Raises:
        MalformedDocumentError: It is no XML that is read.
        InvalidDocumentError: It is not whole and valid.
    """
    return _read(document, "fileDetails", FileDetails, schema or own_schema())


def _read(document: bytes, root: str, model: type[_Read], schema: Schema) -> _Read:
    try:
        tree = parse(document)
    except RefusedXmlError as error:
        raise MalformedDocumentError("the document {error}", error=error) from None
    if tree.tag != root:
        raise InvalidDocumentError([Problem("/", f"should begin with {root}")])
    found = problems_of_schema(schema.complaints(tree), schema, model)
    if found:
        raise InvalidDocumentError(found)
    try:
        return model.model_validate(_values(tree, model))
    except ValidationError as error:
        raise InvalidDocumentError(problems_of_model(error, root, model)) from None


def _values(element: Any, model: type[Content]) -> dict[str, Any]:
    """What the model is made of. What it does not know keeps its name, and is refused there."""
    values: dict[str, Any] = {
        part.field: None
        for part in parts(model)
        if part.is_flag and part.required and part.kind is Kind.ELEMENT
    }
    attributes = {part.name: part for part in parts(model) if part.kind is Kind.ATTRIBUTE}
    for name, text in element.attrib.items():
        part = attributes.get(name)
        values[part.field if part else name] = _value(text, part)
    text_part = next((part for part in parts(model) if part.kind is Kind.TEXT), None)
    if text_part:
        values[text_part.field] = _value(element.text or "", text_part)
    known = elements(model)
    for child in element:
        part = known.get(child.tag)
        if part is None:
            values[child.tag] = child.text
        elif part.many:
            values.setdefault(part.field, []).append(_held(child, part))
        else:
            values[part.field] = _held(child, part)
    return values


def _held(element: Any, part: Part) -> Any:
    if part.kind is Kind.MARKS and part.word is not None:
        return [word_for(part.word, each.tag) or each.tag for each in element]
    if part.content is not None:
        return _values(element, part.content)
    return _value(element.text or "", part)


def _value(text: str, part: Part | None) -> Any:
    if part is not None and part.is_flag:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.strip(), text)
    if part is not None and part.word is not None:
        return word_for(part.word, text) or text
    return text
