"""Nothing invalid is sent, the official copy has the last word, and drafts learn what they lack."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.reporting.cybertipline.every_field import least
from tutela.reporting.cybertipline.model import (
    FileDescription,
    FileDetails,
    IncidentSummary,
    Report,
)
from tutela.reporting.cybertipline.schema import official_schema
from tutela.reporting.cybertipline.validating import (
    check_report,
    problems_in_file_description,
    problems_in_report,
)
from tutela.reporting.cybertipline.vocabulary import IncidentType, spellings

_OURS = (files("tutela.reporting.cybertipline") / "schema.xsd").read_text("utf-8")
_EMPTY = 'type="empty" minOccurs="0"'


def test_without_an_official_copy_nothing_is_a_remark() -> None:
    checked = check_report(a_report())
    assert checked.is_valid
    assert checked.remarks == ()


def a_report(**changed: Any) -> Report:
    given: dict[str, Any] = {**least(Report), **changed}
    return Report.model_validate(given)


def an_official_copy(folder: Path, *changes: tuple[str, str]) -> Path:
    text = _OURS
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "official.xsd"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_official_copys_order_and_spelling_are_followed(tmp_path: Path) -> None:
    name = '<xs:element name="additionalInfo" type="longText" minOccurs="0"/>\n    </xs:sequence>\n'
    report = '<xs:complexType name="report">\n    <xs:sequence>\n'
    ours, others = spellings(IncidentType.ENTICEMENT)
    path = an_official_copy(
        tmp_path,
        (
            report,
            report
            + '<xs:element name="additionalInfo" type="longText" minOccurs="0"/>\n',
        ),
        (f'"victim" minOccurs="0" maxOccurs="unbounded"/>\n      {name}',
         '"victim" minOccurs="0" maxOccurs="unbounded"/>\n    </xs:sequence>\n'),
        (f'value="{ours}"', f'value="{others}"'),
        (f't:or="{others}"', ""),
        (f'<xs:element name="spam" {_EMPTY}', f'<xs:element name="unheardOf" {_EMPTY}'),
        (f'<xs:element name="sextortion" {_EMPTY}',
         f'<xs:element name="spam" {_EMPTY}/><xs:element name="sextortion" {_EMPTY}'),
    )  # fmt: skip
    summary = {
        **least(IncidentSummary),
        "incident_type": "enticement",
        "report_annotations": ["spam", "extortion"],
    }
    checked = check_report(
        a_report(incident_summary=summary, additional_info="some words"), official_schema(path)
    )
    assert checked.is_valid, checked.problems
    written = checked.document.decode()
    assert "<report><additionalInfo>some words</additionalInfo><incidentSummary>" in written
    assert f"<incidentType>{others}</incidentType>" in written
    assert "<spam/><sextortion/>" in written
    assert checked.remarks, "our own schema has other words for it"


def test_what_the_official_copy_refuses_is_a_problem_in_words(tmp_path: Path) -> None:
    path = an_official_copy(
        tmp_path,
        ('<xs:element name="screenName" type="shortText" minOccurs="0"/>',
         '<xs:element name="screenName" type="text5" minOccurs="0"/>'),
        ('<xs:complexType name="empty"/>',
         '<xs:complexType name="empty"/><xs:simpleType name="text5">'
         '<xs:restriction base="xs:string"><xs:maxLength value="5"/></xs:restriction>'
         '</xs:simpleType>'),
    )  # fmt: skip
    told = check_report(
        a_report(person_or_user_reported={"screen_name": "a longer name"}), official_schema(path)
    )
    (problem,) = told.problems
    assert problem.path == "/report/personOrUserReported/screenName"
    assert problem.words == "is longer than 5 characters"
    assert problem.field == "person_or_user_reported.screen_name"
    assert not told.remarks


def test_a_draft_learns_everything_that_it_lacks() -> None:
    found = problems_in_report(
        {
            "incident_summary": {"incident_type": "no such", "escalate_to_high_priority": "  "},
            "internet_details": [{}],
            "reporter": {"reporting_person": {"emails": []}},
            "victims": [{"person": {"age": 900, "shoe_size": 3}}],
        }
    )
    told = {each.field: (each.path, each.words) for each in found}
    assert told == {
        "incident_summary.incident_type": (
            "/report/incidentSummary/incidentType",
            "should be one of: csam, trafficking, travel, molestation, misleading_domain, "
            "misleading_words, enticement, unsolicited_material",
        ),
        "incident_summary.escalate_to_high_priority": (
            "/report/incidentSummary/escalateToHighPriority",
            "is empty",
        ),
        "incident_summary.incident_date_time": (
            "/report/incidentSummary/incidentDateTime",
            "is missing",
        ),
        "internet_details.0": (
            "/report/internetDetails[1]",
            "needs exactly one kind of place",
        ),
        "reporter.reporting_person.emails": (
            "/report/reporter/reportingPerson/email",
            "needs at least 1",
        ),
        "victims.0.person.age": (
            "/report/victim[1]/victimPerson/age",
            "should be an age in whole years, 0 to 150",
        ),
        "victims.0.person.shoe_size": (
            "/report/victim[1]/victimPerson/shoe_size",
            "is not known here",
        ),
    }
    assert problems_in_report(a_report().model_dump(mode="json")) == []


def test_whether_a_file_was_viewed_is_never_assumed() -> None:
    fields = {each.field for each in problems_in_file_description({})}
    assert fields == {"file_viewed_by_esp", "exif_viewed_by_esp"}
    for guess in ("true", 1, "yes"):
        with pytest.raises(ValidationError):
            FileDetails.model_validate({**least(FileDetails), "file_viewed_by_esp": guess})


def test_what_is_said_of_a_file_is_kept_until_the_authority_has_it() -> None:
    said = FileDescription(
        file_viewed_by_esp=True, exif_viewed_by_esp=None, file_annotations=["viral"]
    )
    details = said.uploaded(4_564_654, "b0754af7")
    assert details == FileDetails(
        report_id=4_564_654,
        file_id="b0754af7",
        file_viewed_by_esp=True,
        exif_viewed_by_esp=None,
        file_annotations=["viral"],
    )
    assert FileDescription.model_validate_json(said.model_dump_json()) == said
    with pytest.raises(ValidationError):
        said.uploaded(0, "b0754af7")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"additional_info": "x" * 3001}, "is longer than 3000 characters"),
        ({"additional_info": "a\x07b"}, "character that XML cannot hold (U+0007, as the 2."),
        ({"additional_info": "a\ufffe"}, "U+FFFE"),
        ({"additional_info": "\ud800"}, ""),
        ({"incident_summary": {"incident_date_time": "2026-01-15T12:00:00"}}, "needs a zone"),
        ({"incident_summary": {"incident_date_time": 1_768_478_400}}, "with a zone"),
        ({"incident_summary": {"incident_date_time": "1768478400"}}, "with a zone"),
        ({"incident_summary": {"incident_date_time": "2026-01-15T12:00:00+15:00"}}, "14 hours"),
        (
            {"incident_summary": {"incident_type": 3}},
            "should be one of: csam, trafficking, travel",
        ),
        (
            {"reporter": {"reporting_person": {"emails": [{"address": "nobody"}]}}},
            "should be an email address",
        ),
        (
            {"victims": [{"person": {"phones": [{"number": "1", "country_calling_code": "x"}]}}]},
            "should be a country's calling code, such as +1",
        ),
        (
            {"victims": [{"person": {"addresses": [{"state": "California"}]}}]},
            "should be a state's two capital letters, such as CA",
        ),
        (
            {"internet_details": [{"cell_phone_incident": {"latitude": "north"}}]},
            "should be a latitude in degrees",
        ),
        (
            {"victims": [{"person": {"age": "nine"}}]},
            "should be an age in whole years",
        ),
        ({"victims": [{"person": {"date_of_birth": "2010-02-30"}}]}, "should be a date, such as"),
        ({"person_or_user_reported": {"prior_ct_reports": [0]}}, "the number of a report"),
        ({"person_or_user_reported": {"ip_capture_events": [{"ip_address": 1}]}}, "IP address"),
        (
            {"person_or_user_reported": {"ip_capture_events": [{"ip_address": "fe80::1%eth0"}]}},
            "without the zone",
        ),
        ({"person_or_user_reported": {"prior_ct_reports": [True]}}, "whole number"),
        (
            {"person_or_user_reported": {"estimated_location": {"country_code": "XX"}}},
            "ISO 3166-1",
        ),
        (
            {"person_or_user_reported": {"display_names": ["a"] * 1001}},
            "are more than 1000",
        ),
    ],
    ids=str,
)
def test_rules_beyond_the_schema_are_told_in_words(changed: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = least(Report)
    for key, value in changed.items():
        given[key] = {**given.get(key, {}), **value} if isinstance(value, dict) else value
    (problem,) = problems_in_report(given)
    assert words in problem.words
