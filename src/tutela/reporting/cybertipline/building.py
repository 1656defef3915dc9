"""From the model to XML: UTF-8, in the order and the spelling of the schema."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from lxml import etree

from tutela.reporting.cybertipline.model import Content, FileDetails, Report
from tutela.reporting.cybertipline.schema import ElementPath, Schema, own_schema
from tutela.reporting.cybertipline.shape import Kind, Part, elements, parts
from tutela.reporting.cybertipline.vocabulary import spellings


def build_report(report: Report, schema: Schema | None = None) -> bytes:
    """A report as ``<report>``.

    Args:
        report: The report.
        schema: Whose order and spelling are followed; Tutela's own by default.
    """
    return _write("report", report, schema or own_schema())


def build_file_details(details: FileDetails, schema: Schema | None = None) -> bytes:
    """What is said of a file as ``<fileDetails>``.

    Args:
        details: What is said.
        schema: Whose order and spelling are followed; Tutela's own by default.
    """
    return _write("fileDetails", details, schema or own_schema())


def _write(root: str, content: Content, schema: Schema) -> bytes:
    tree = etree.Element(root)
    _fill(tree, content, (root,), schema)
    written: bytes = etree.tostring(tree, encoding="UTF-8", xml_declaration=True)
    return written


def _fill(holder: Any, content: Content, path: ElementPath, schema: Schema) -> None:
    for part in parts(type(content)):
        value = getattr(content, part.field)
        if value is None:
            continue
        if part.kind is Kind.ATTRIBUTE:
            holder.set(part.name, _text(value, schema, path, part.name))
        elif part.kind is Kind.TEXT:
            holder.text = _text(value, schema, path)
    for part in _in_order(type(content), path, schema):
        value = getattr(content, part.field)
        if value is None or value == ():
            continue
        below = (*path, part.name)
        if part.kind is Kind.MARKS:
            _mark(etree.SubElement(holder, part.name), value, below, schema)
            continue
        for each in value if part.many else (value,):
            element = etree.SubElement(holder, part.name)
            if isinstance(each, Content):
                _fill(element, each, below, schema)
            else:
                element.text = _text(each, schema, below)


@lru_cache(maxsize=1_024)
def _in_order(model: type[Content], path: ElementPath, schema: Schema) -> tuple[Part, ...]:
    """The elements of a class as the schema orders them; last what it does not know."""
    ours = elements(model)
    known = [name for name in schema.children(path) if name in ours]
    return tuple(ours[name] for name in dict.fromkeys([*known, *ours]))


def _mark(holder: Any, words: tuple[StrEnum, ...], path: ElementPath, schema: Schema) -> None:
    given = [spellings(word)[0] for word in words]
    known = [name for name in schema.children(path) if name in given]
    for name in dict.fromkeys([*known, *given]):
        etree.SubElement(holder, name)


def _text(value: object, schema: Schema, path: ElementPath, attribute: str = "") -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case StrEnum():
            wanted = schema.values(path, attribute)
            known = spellings(value)
            return next((each for each in known if each in wanted), known[0])
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)
