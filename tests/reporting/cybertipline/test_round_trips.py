"""What a report says is what arrives: through XML and back, and through JSON and back."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from tests.reporting.cybertipline.every_field import (
    EVERY_NAME,
    EVERY_WAY,
    ROOTS,
    Way,
    name_of,
    with_field,
)
from tests.reporting.cybertipline.strategies import file_details, reports
from tutela.reporting.cybertipline.building import build_file_details, build_report
from tutela.reporting.cybertipline.model import Content, FileDetails, Report
from tutela.reporting.cybertipline.reading import read_file_details, read_report
from tutela.reporting.cybertipline.shape import Kind
from tutela.reporting.cybertipline.validating import check_file_details, check_report

_whole = settings(
    max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def build(content: Content) -> bytes:
    if isinstance(content, Report):
        return build_report(content)
    assert isinstance(content, FileDetails)
    return build_file_details(content)


def read(document: bytes, model: type[Content]) -> Content:
    return read_report(document) if model is Report else read_file_details(document)


@pytest.mark.parametrize(("root", "way"), EVERY_WAY, ids=EVERY_NAME)
def test_every_field_goes_to_xml_and_json_and_back(root: str, way: Way) -> None:
    model = ROOTS[root]
    given = with_field(model, way)
    content = model.model_validate(given)
    document = build(content)
    assert _stands_in(document, way), "the field is not written"
    assert read(document, model) == content
    assert model.model_validate_json(content.model_dump_json()) == content
    assert model.model_validate(content.model_dump(mode="json")) == content


def _stands_in(document: bytes, way: Way) -> bool:
    found: Any = etree.fromstring(document)
    for part in way:
        match part.kind:
            case Kind.ATTRIBUTE:
                return part.name in found.attrib
            case Kind.TEXT:
                return bool(found.text)
            case _:
                found = found.find(part.name)
                if found is None:
                    return False
    return bool(len(found)) if way[-1].kind is Kind.MARKS else bool(found.text)


@_whole
@given(reports())
def test_whole_reports_are_valid_and_come_back(report: Report) -> None:
    checked = check_report(report)
    assert checked.is_valid, checked.problems
    assert read_report(checked.document) == report
    assert Report.model_validate_json(report.model_dump_json()) == report


@_whole
@given(file_details())
def test_whole_details_of_files_are_valid_and_come_back(details: FileDetails) -> None:
    checked = check_file_details(details)
    assert checked.is_valid, checked.problems
    assert read_file_details(checked.document) == details
    assert FileDetails.model_validate_json(details.model_dump_json()) == details


@pytest.mark.parametrize("text", ["&", "<", ">", "'", '"', "a\tb\nc\rd", "&amp;", "]]>", "&#38;"])
def test_what_xml_has_a_meaning_for_is_told_as_it_is(text: str) -> None:
    details = FileDetails(
        report_id=1,
        file_id="f",
        file_viewed_by_esp=None,
        exif_viewed_by_esp=None,
        original_file_name=text,
        original_file_hashes=[{"value": text, "hash_type": text}],
    )
    assert read_file_details(build_file_details(details)) == details


def test_every_field_has_a_name_of_its_own_in_the_list() -> None:
    assert len(EVERY_NAME) == len(set(EVERY_NAME)) > 250
    assert "report.reporter.legal_url" in EVERY_NAME
    assert name_of(EVERY_WAY[0][1]) == "incident_summary.incident_type"
