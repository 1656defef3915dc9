"""Before anything is sent: is it valid, by Tutela's schema and by the operator's official copy?

The official copy wins where it is given: what it refuses is a problem, and what only Tutela's own
schema would have otherwise is a remark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tutela.reporting.cybertipline.building import build_file_details, build_report
from tutela.reporting.cybertipline.model import Content, FileDescription, FileDetails, Report
from tutela.reporting.cybertipline.parsing import MOST_BYTES, parse
from tutela.reporting.cybertipline.problems import (
    Problem,
    problems_of_model,
    problems_of_schema,
)
from tutela.reporting.cybertipline.schema import Schema, own_schema

_ROOTS: Mapping[type[Content], str] = {
    Report: "report",
    FileDetails: "fileDetails",
    FileDescription: "fileDetails",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A document as it would be sent, and what is wrong with it.

    Attributes:
        document: The XML.
        problems: Why it must not be sent; none if it may be.
        remarks: What Tutela's own schema has against it, although the official copy accepts it.
    """

    document: bytes
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether it may be sent."""
        return not self.problems


def check_report(report: Report, schema: Schema | None = None) -> Checked:
    """Write a report, and hold it against the schemas."""
    return _check(report, build_report(report, schema), schema)


def check_file_details(details: FileDetails, schema: Schema | None = None) -> Checked:
    """Write what is said of a file, and hold it against the schemas."""
    return _check(details, build_file_details(details, schema), schema)


def problems_in_report(values: Mapping[str, Any]) -> Sequence[Problem]:
    """What is missing or wrong in a report that is still being written, as JSON has it."""
    return _problems_in(values, Report)


def problems_in_file_description(values: Mapping[str, Any]) -> Sequence[Problem]:
    """What is missing or wrong in what is said of a file, as JSON has it."""
    return _problems_in(values, FileDescription)


def _problems_in(values: Mapping[str, Any], model: type[Content]) -> list[Problem]:
    try:
        model.model_validate(values)
    except ValidationError as error:
        return problems_of_model(error, _ROOTS[model], model)
    return []


def _check(content: Content, document: bytes, schema: Schema | None) -> Checked:
    model = type(content)
    if len(document) > MOST_BYTES:
        words = f"is larger than {MOST_BYTES // 1024 // 1024} MiB: leave some of it out"
        return Checked(document, (Problem(f"/{_ROOTS[model]}", words),))
    tree = parse(document)
    ours = _found(tree, own_schema(), model)
    if schema is None or not schema.is_official:
        return Checked(document, ours)
    return Checked(document, _found(tree, schema, model), ours)


def _found(tree: Any, schema: Schema, model: type[Content]) -> tuple[Problem, ...]:
    return tuple(problems_of_schema(schema.complaints(tree), schema, model))
