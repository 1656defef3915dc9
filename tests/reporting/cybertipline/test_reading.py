"""Documents that are not whole reports are refused, each with words and a place."""

import re
import time

import pytest

from tutela.reporting.cybertipline.parsing import MOST_BYTES, MOST_DEPTH
from tutela.reporting.cybertipline.reading import (
    InvalidDocumentError,
    MalformedDocumentError,
    read_file_details,
    read_report,
)
from tutela.reporting.cybertipline.vocabulary import IncidentType, spellings

_SUMMARY = (
    f"<incidentSummary><incidentType>{spellings(IncidentType.TRAVEL)[0]}</incidentType>"
    "<incidentDateTime>2026-01-15T12:00:00Z</incidentDateTime></incidentSummary>"
)
_REPORTER = (
    "<reporter><reportingPerson><email>person@example.org</email></reportingPerson></reporter>"
)
_HEAD = "<?xml version='1.0' encoding='UTF-8'?>\n"


def report(*children: str) -> bytes:
    return f"{_HEAD}<report>{''.join(children)}</report>".encode()


def details(*children: str) -> bytes:
    head = "<reportId>1</reportId><fileId>f1</fileId>"
    return f"<fileDetails>{head}{''.join(children)}</fileDetails>".encode()


def problems(document: bytes) -> dict[str, str]:
    read = read_file_details if b"<fileDetails>" in document else read_report
    with pytest.raises(InvalidDocumentError) as caught:
        read(document)
    return {each.path: each.words for each in caught.value.problems}


def test_the_least_report_is_read() -> None:
    read = read_report(report(_SUMMARY, _REPORTER))
    assert read.incident_summary.incident_type is IncidentType.TRAVEL
    assert read.reporter.reporting_person.emails[0].address == "person@example.org"


def test_elements_in_another_order_are_refused_and_named() -> None:
    found = problems(report(_REPORTER, _SUMMARY))
    assert list(found) == ["/report/reporter"]
    assert "here comes incidentSummary" in found["/report/reporter"]


def test_what_is_missing_is_named() -> None:
    assert problems(report(_SUMMARY)) == {
        "/report": "lacks internetDetails or lawEnforcement or reporter"
    }


def test_an_unknown_element_and_an_unknown_attribute_are_refused() -> None:
    found = problems(report(_SUMMARY, _REPORTER, "<unheardOf/>"))
    assert "is not in its place, or not known" in found["/report/unheardOf"]
    person = "<email kind='x'>person@example.org</email>"
    reporter = f"<reporter><reportingPerson>{person}</reportingPerson></reporter>"
    assert problems(report(_SUMMARY, reporter)) == {
        "/report/reporter/reportingPerson/email/@kind": "is not known here"
    }


def test_two_kinds_of_place_in_one_are_refused() -> None:
    both = "<internetDetails><chatImIncident/><webPageIncident/></internetDetails>"
    found = problems(report(_SUMMARY, both, _REPORTER))
    assert "is not in its place" in found["/report/internetDetails/webPageIncident"]


@pytest.mark.parametrize(
    ("element", "words"),
    [
        ("<victimPerson><age>151</age></victimPerson>", "an age in whole years"),
        ("<victimPerson><age>old</age></victimPerson>", "an age in whole years"),
        ("<victimPerson><dateOfBirth>2010-02-30</dateOfBirth></victimPerson>", "a date, such as"),
        ("<victimPerson/><screenName> \n</screenName>", "is empty"),
        (f"<victimPerson/><screenName>{'x' * 256}</screenName>", "longer than 255 characters"),
        (f"<victimPerson/><additionalInfo>{'x' * 3001}</additionalInfo>", "longer than 3000"),
        ("<victimPerson/><priorCTReports>0</priorCTReports>", "the number of a report"),
        (f"<victimPerson/><priorCTReports>{'9' * 40}</priorCTReports>", "the number of a report"),
        (
            "<victimPerson/><ipCaptureEvent><ipAddress>192.0.2.256</ipAddress></ipCaptureEvent>",
            "should be an IP address",
        ),
        (
            "<victimPerson/><ipCaptureEvent><ipAddress>localhost</ipAddress></ipCaptureEvent>",
            "should be an IP address",
        ),
        (
            "<victimPerson/><ipCaptureEvent><ipAddress>192.0.2.1</ipAddress>"
            "<eventName>Jump</eventName></ipCaptureEvent>",
            "is none of the values that Tutela's own schema has",
        ),
        (
            "<victimPerson/><ipCaptureEvent><ipAddress>192.0.2.1</ipAddress>"
            "<dateTime>2031-01-15T12:00:00</dateTime></ipCaptureEvent>",
            "with a zone",
        ),
        (
            "<victimPerson/><ipCaptureEvent><ipAddress>192.0.2.1</ipAddress>"
            "<possibleProxy>perhaps</possibleProxy></ipCaptureEvent>",
            "should be true or false",
        ),
        (
            "<victimPerson/><estimatedLocation><countryCode>ZZ</countryCode></estimatedLocation>",
            "two capital letters (ISO 3166-1)",
        ),
        (
            "<victimPerson/><estimatedLocation><countryCode>usa</countryCode></estimatedLocation>",
            "two capital letters (ISO 3166-1)",
        ),
        ("<victimPerson><email>nobody</email></victimPerson>", "should be an email address"),
        ("<victimPerson>loose</victimPerson>", "should hold elements, no words of its own"),
        ("<victimPerson/><screenName><b/></screenName>", "should hold words alone"),
    ],
)
def test_a_wrong_value_is_told_in_words_that_do_not_repeat_it(element: str, words: str) -> None:
    found = problems(report(_SUMMARY, _REPORTER, f"<victim>{element}</victim>"))
    assert len(found) == 1
    (path, said), *_ = found.items()
    assert path.startswith("/report/victim")
    assert words in said
    for value in re.findall(r">([^<>]+)<", element):
        assert value not in said


def test_a_reporting_person_needs_an_email_address() -> None:
    reporter = "<reporter><reportingPerson/></reporter>"
    assert problems(report(_SUMMARY, reporter)) == {
        "/report/reporter/reportingPerson/email": "is missing"
    }


def test_the_second_of_several_is_named_by_its_number_and_its_field() -> None:
    second = "<victim><victimPerson><age>-1</age></victimPerson></victim>"
    victims = f"<victim><victimPerson/></victim>{second}"
    with pytest.raises(InvalidDocumentError) as caught:
        read_report(report(_SUMMARY, _REPORTER, victims))
    (problem,) = caught.value.problems
    assert problem.path == "/report/victim[2]/victimPerson/age"
    assert problem.field == "victims.1.person.age"
    assert str(caught.value).startswith("/report/victim[2]/victimPerson/age: should be an age")


def test_only_a_reported_file_has_a_classification_or_is_a_meme() -> None:
    supplemental = "<fileRelevance>Supplemental Reported</fileRelevance>"
    classified = "<industryClassification>A1</industryClassification>"
    meme = "<fileAnnotations><potentialMeme/></fileAnnotations>"
    other = "<fileAnnotations><viral/></fileAnnotations>"
    assert read_file_details(details(classified)).industry_classification == "A1"
    assert read_file_details(details(supplemental, other)).file_annotations == ("viral",)
    assert "industry classification" in problems(details(supplemental, classified))["/fileDetails"]
    assert "potential meme" in problems(details(supplemental, meme))["/fileDetails"]


def test_what_was_not_said_of_viewing_stays_unsaid() -> None:
    read = read_file_details(details())
    assert read.file_viewed_by_esp is None
    assert read.exif_viewed_by_esp is None
    said = read_file_details(details("<fileViewedByEsp>0</fileViewedByEsp>"))
    assert said.file_viewed_by_esp is False


_BOMB = (
    '<!DOCTYPE report [<!ENTITY a0 "words">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + ']><report x="&a11;">&a11;</report>'
)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", "not well-formed"),
        (b"<report>", "not well-formed"),
        (b"<report>&unknown;</report>", "not well-formed"),
        (b"<report>\x00</report>", "not well-formed"),
        (b"<report>&#0;</report>", "not well-formed"),
        (b"<report>\x0b</report>", "not well-formed"),
        (b"<report>\xff</report>", "not UTF-8"),
        ("<report/>".encode("utf-16"), "not UTF-8"),
        (b"<!DOCTYPE report><report/>", "DOCTYPE"),
        (b'<!DOCTYPE report SYSTEM "file:///etc/hostname"><report/>', "DOCTYPE"),
        (
            b'<!DOCTYPE report [<!ENTITY x SYSTEM "file:///etc/hostname">]><report>&x;</report>',
            "DOCTYPE",
        ),
        (_BOMB.encode(), "DOCTYPE"),
        (b"<a>" * (MOST_DEPTH + 1) + b"</a>" * (MOST_DEPTH + 1), "deeper"),
        (b"<a>" * 100_000, "deeper"),
        (b"<report>" + b"<a/>" * 200_001 + b"</report>", "more than 200000 elements"),
        (b"<report>" + b" " * MOST_BYTES + b"</report>", "larger than"),
        (
            b'<report xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>',
            "attribute that is not read",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_hostile_documents_are_refused_before_they_do_anything(document: bytes, words: str) -> None:
    with pytest.raises(MalformedDocumentError, match=words):
        read_report(document)


def test_a_document_that_says_where_its_schema_is_is_read_and_nobody_is_asked() -> None:
    text = report(_SUMMARY, _REPORTER).decode()
    hint = (
        '<report xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:noNamespaceSchemaLocation="http://192.0.2.1/xsd">'
    )
    begin = time.monotonic()
    read_report(text.replace("<report>", hint).encode())
    assert time.monotonic() - begin < 60  # nothing waited for an address that never answers


def test_comments_and_instructions_are_left_out() -> None:
    text = report(_SUMMARY, _REPORTER).decode()
    commented = text.replace("person@example.org", "person@<!-- a note -->example<?and so?>.org")
    read = read_report(commented.encode())
    assert read.reporter.reporting_person.emails[0].address == "person@example.org"


def test_another_root_is_refused() -> None:
    assert problems(b"<letter/>") == {"/": "should begin with report"}
    with pytest.raises(InvalidDocumentError):
        read_file_details(report(_SUMMARY, _REPORTER))
