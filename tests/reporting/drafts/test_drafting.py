"""A draft fills itself with what is known, says nothing that is not, and nothing of others."""

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings

from tests.reporting.gathered import WHEN, anything_gathered, gathered, item
from tutela.cases.facts import Fact
from tutela.cases.model import ItemKind
from tutela.fingerprints.model import FingerprintSet, Kind
from tutela.reporting.cybertipline.model import (
    ChatImIncident,
    InternetDetails,
    IpCaptureEvent,
    Person,
    PersonOrUserReported,
    Report,
    Victim,
)
from tutela.reporting.drafts.drafting import RECEIVED, UPLOADED, Gathered, draft
from tutela.reporting.drafts.missing import missing
from tutela.reporting.drafts.preparing import prepare
from tutela.reporting.drafts.supplied import Supplied, Upload
from tutela.storage.settings import Company


def summary(known: Gathered) -> dict:
    return draft(known).values["incident_summary"]


def only_file(known: Gathered) -> dict:
    (file,) = draft(known).files
    return file.values


def test_a_picture_on_a_list_makes_a_whole_report() -> None:
    made = draft(gathered(item(matches=(("partner", Kind.MD5),), viewed=True)))
    prepared = prepare(made.values, [each.values for each in made.files])
    assert prepared.problems == ()
    assert prepared.report.incident_summary.incident_type == "csam"
    assert prepared.report.reporter.reporting_person.emails[0].address == "safety@forum.example"
    assert prepared.report.person_or_user_reported.esp_identifier == "user-1"
    assert prepared.report.person_or_user_reported.esp_service == "Example Forum"
    (file,) = prepared.files
    assert file.file_viewed_by_esp is True
    assert file.exif_viewed_by_esp is False
    assert [each.hash_type for each in file.original_file_hashes] == [
        "MD5",
        "SHA1",
        "SHA256",
        "PDQ",
    ]
    assert file.additional_infos == ('The list "partner" has the very same file (MD5).',)


def test_of_what_is_in_a_file_it_is_said_where() -> None:
    within = (("partner", Kind.MD5, "photos/a.jpg"), ("hotline", Kind.PDQ, "frame 3"))
    file = only_file(gathered(item(within=within)))
    assert file["additional_infos"] == [
        'The list "partner" has the very same file (MD5) as is in it: photos/a.jpg',
        'The list "hotline" has a similar picture (PDQ) as is in it: frame 3',
    ]


def test_a_file_that_nobody_viewed_is_not_said_to_be_viewed() -> None:
    assert (
        only_file(gathered(item(matches=(("partner", Kind.SHA256),))))["file_viewed_by_esp"]
        is False
    )


@pytest.mark.parametrize(
    ("labels", "facts", "kind", "expected"),
    [
        ((), (), ItemKind.PICTURE, "csam"),
        ((), (), ItemKind.VIDEO, "csam"),
        ((), (), ItemKind.URL, "csam"),
        (("inhope/context-trafficking",), (), ItemKind.PICTURE, "trafficking"),
        (("inhope/context-grooming",), (), ItemKind.TEXT, "enticement"),
        ((), (Fact.SEXUAL_EXTORTION,), ItemKind.TEXT, "enticement"),
        ((), (Fact.CONTACT_OFFENCE,), ItemKind.TEXT, "molestation"),
        ((), (), ItemKind.TEXT, None),
    ],
)
def test_the_kind_of_incident_follows_from_what_people_said(labels, facts, kind, expected) -> None:
    known = gathered(item(kind=kind), labels=frozenset(labels), facts=frozenset(facts))
    assert summary(known).get("incident_type") == expected


def test_a_chat_alone_is_a_whole_report_with_its_words_and_its_victim() -> None:
    victim = Victim(person=Person(first_name="A", age=13), screen_name="a-child")
    known = gathered(
        item(kind=ItemKind.TEXT),
        facts=frozenset({Fact.SEXUAL_EXTORTION, Fact.IMMINENT_DANGER}),
        supplied=Supplied(victims=(victim,)),
    )
    made = draft(known)
    prepared = prepare(made.values, [])
    assert (prepared.problems, made.files) == ((), ())
    report = prepared.report
    assert report.incident_summary.incident_type == "enticement"
    assert report.incident_summary.report_annotations == ("extortion",)
    assert report.incident_summary.escalate_to_high_priority == "A child may be in danger now."
    (place,) = report.internet_details
    assert place.chat_im_incident.content == "words of the chat"
    assert place.chat_im_incident.chat_client == "Example Forum"
    assert report.victims == (victim,)


def test_the_words_stand_in_the_place_that_the_platform_names() -> None:
    place = InternetDetails(chat_im_incident=ChatImIncident(chat_client="Chat", chat_room_name="9"))
    known = gathered(
        item(1, ItemKind.TEXT),
        item(2, ItemKind.TEXT, words="other words"),
        supplied=Supplied(internet_details=(place,)),
    )
    first, second = draft(known).values["internet_details"]
    assert first["chat_im_incident"] == {
        "chat_client": "Chat", "chat_room_name": "9", "content": "words of the chat",
    }  # fmt: skip
    assert second["chat_im_incident"]["content"] == "other words"


def test_addresses_are_pages() -> None:
    known = gathered(item(kind=ItemKind.URL, words="https://host.example/path"))
    assert draft(known).values["internet_details"] == [
        {"web_page_incident": {"urls": ["https://host.example/path"]}}
    ]


def test_what_the_platform_knows_of_an_upload_is_said_of_its_file() -> None:
    earlier = WHEN - timedelta(days=2)
    event = IpCaptureEvent(ip_address="192.0.2.7", event_name="upload", possible_proxy=True)
    upload = Upload(
        reference="upload-1",
        uploaded_at=earlier,
        original_file_name="holiday.png",
        publicly_available=True,
        ip_capture_events=(event,),
    )
    known = gathered(supplied=Supplied(uploads=(upload,)))
    file = only_file(known)
    assert file["original_file_name"] == "holiday.png"
    assert file["publicly_available"] is True
    assert file["ip_capture_events"] == [
        {"ip_address": "192.0.2.7", "event_name": "upload", "possible_proxy": True}
    ]
    assert summary(known)["incident_date_time"] == "2026-01-13T12:00:00Z"
    assert summary(known)["incident_date_time_description"] == UPLOADED
    assert summary(gathered())["incident_date_time_description"] == RECEIVED


def test_what_lists_or_people_marked_is_reported_and_the_rest_helps_to_understand_it() -> None:
    made = draft(
        gathered(
            item(1, matches=(("partner", Kind.PDQ),)),
            item(2, labels=frozenset({"industry/A2"})),
            item(3),
        )
    )
    assert [each.values["file_relevance"] for each in made.files] == [
        "reported", "reported", "supplemental",
    ]  # fmt: skip
    assert made.files[1].values["industry_classification"] == "A2"
    assert made.files[0].values["additional_infos"] == [
        'The list "partner" has a similar picture (PDQ).'
    ]


def test_a_label_of_the_case_counts_for_its_only_file() -> None:
    known = gathered(labels=frozenset({"industry/B1", "inhope/produced-by-machine"}))
    assert only_file(known)["industry_classification"] == "B1"
    assert only_file(known)["file_annotations"] == ["generative_ai"]
    two = draft(gathered(item(1), item(2), labels=frozenset({"industry/B1"})))
    assert all("industry_classification" not in each.values for each in two.files)


def test_two_classifications_are_none() -> None:
    file = only_file(gathered(item(labels=frozenset({"industry/A1", "industry/B1"}))))
    assert "industry_classification" not in file


def test_a_file_of_which_only_hashes_are_known_is_told_of() -> None:
    made = draft(gathered(item(1), item(2, evidence=None)))
    assert len(made.files) == 1
    assert made.values["additional_info"].startswith("One file is known by hashes alone")
    assert "MD5" in made.values["additional_info"]


def test_earlier_reports_of_the_same_subject_are_named() -> None:
    reported = PersonOrUserReported(prior_ct_reports=(3,))
    known = gathered(prior=(7, 3, 8), supplied=Supplied(reported=reported))
    assert draft(known).values["person_or_user_reported"]["prior_ct_reports"] == [3, 7, 8]
    words = draft(gathered(prior_names=("AB-1",))).values["additional_info"]
    assert words == "Earlier reports to you about the same account: AB-1."


def test_where_nobody_is_known_nobody_is_reported() -> None:
    assert "person_or_user_reported" not in draft(gathered(subject=None)).values


def test_the_path_of_a_scanned_file_stays_in_the_house() -> None:
    file = only_file(gathered(item(name="/home/somebody/a.png", origin="scan")))
    assert file["original_file_name"] == "a.png"


def test_without_a_company_the_draft_says_what_is_missing() -> None:
    made = draft(gathered(company=Company()))
    lacks = [each.field for each in missing(made.values) if each.required]
    assert lacks == ["reporter.reporting_person.emails"]
    assert prepare(made.values, []).problems


@settings(max_examples=15)
@given(anything_gathered())
def test_whatever_is_known_of_people_the_draft_is_valid_or_says_what_is_missing(
    known: Gathered,
) -> None:
    is_valid_or_says_what_is_missing(known)


@given(anything_gathered(of_people=False))
def test_whatever_is_known_the_draft_is_valid_or_says_what_is_missing(known: Gathered) -> None:
    is_valid_or_says_what_is_missing(known)


def is_valid_or_says_what_is_missing(known: Gathered) -> None:
    made = draft(known)
    files = [each.values for each in made.files]
    prepared = prepare(made.values, files)
    required = [each for each in missing(made.values, files) if each.required]
    assert bool(prepared.problems) is bool(required), prepared.problems
    assert json.loads(json.dumps(made.values)) == made.values
    if prepared.report is not None:
        assert Report.model_validate_json(json.dumps(made.values)) == prepared.report


@given(anything_gathered(of_people=False))
def test_nothing_is_said_of_viewing_but_what_the_record_says(known: Gathered) -> None:
    viewed = {each.item: each.viewed for each in known.items}
    for each in draft(known).files:
        assert each.values["file_viewed_by_esp"] is viewed[each.item]
        assert each.values["exif_viewed_by_esp"] is False


def test_nothing_of_bystanders_gets_in() -> None:
    """An upload that is not the case's own says nothing, whoever put it there."""
    bystander = "198.51.100.77"
    upload = Upload(
        reference="of-somebody-else",
        uploaded_at=WHEN - timedelta(days=9),
        ip_capture_events=(IpCaptureEvent(ip_address=bystander),),
    )
    known = gathered(
        item(1, fingerprints=FingerprintSet(size=1)), supplied=Supplied(uploads=(upload,))
    )
    made = draft(known)
    assert bystander not in json.dumps([made.values, [dict(each.values) for each in made.files]])
    assert made.values["incident_summary"]["incident_date_time_description"] == RECEIVED
