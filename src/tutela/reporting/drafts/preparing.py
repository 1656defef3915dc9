"""Whether a report may be signed and sent as it stands: what is wrong with it, in words."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tutela.errors import InvalidInputError
from tutela.reporting.cybertipline.model import FileDescription, FileDetails, Report
from tutela.reporting.cybertipline.problems import Problem
from tutela.reporting.cybertipline.schema import Schema
from tutela.reporting.cybertipline.validating import (
    check_file_details,
    check_report,
    problems_in_file_description,
    problems_in_report,
)
from tutela.reporting.model import ReportId

GIVEN_LATER = (1, "0")
"""Stand in for the authority's number of a report, and its name for a file."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What would be sent, and what is wrong with it.

    Attributes:
        report: What it says; ``None`` if too much is wrong with it to tell.
        files: What is said of each file, with ``GIVEN_LATER`` in place of the authority's names.
        problems: Everything that is wrong.
    """

    report: Report | None
    files: tuple[FileDetails, ...]
    problems: tuple[Problem, ...]


def prepare(
    values: Mapping[str, Any], files: Iterable[Mapping[str, Any]], schema: Schema | None = None
) -> Prepared:
    """Hold what a report says against the model and the schemas. Pure.

    Args:
        values: JSON of the content model's ``Report``.
        files: JSON of ``FileDescription`` of each file.
        schema: The schema that has the last word; Tutela's own by default.
    """
    problems = list(problems_in_report(values))
    report = None if problems else Report.model_validate(values)
    if report is not None:
        problems += check_report(report, schema).problems
    details = []
    for number, file in enumerate(files, 1):
        found = list(problems_in_file_description(file))
        if not found:
            known = FileDescription.model_validate(file).uploaded(*GIVEN_LATER)
            details.append(known)
            found += check_file_details(known, schema).problems
        problems += _of_file(number, found)
    return Prepared(report, tuple(details), tuple(problems))


def refuse_problems(report: ReportId, problems: Iterable[Problem]) -> None:
    """See that nothing is wrong with a report.

    Raises:
        InvalidInputError: Something is. It names the first three.
    """
    found = [
        InvalidInputError("{path}: {words}", path=each.path, words=each.words) for each in problems
    ]
    if not found:
        return
    more = (f"and {len(found) - 3} more",) if len(found) > 3 else ()
    raise InvalidInputError(
        "report {report} cannot be sent as it stands: {problems}",
        report=report,
        problems=(*found[:3], *more),
    )


def _of_file(number: int, problems: Iterable[Problem]) -> Iterator[Problem]:
    for each in problems:
        field = f"files.{number - 1}.{each.field}" if each.field else f"files.{number - 1}"
        yield replace(each, path=f"file {number} {each.path}", field=field)
