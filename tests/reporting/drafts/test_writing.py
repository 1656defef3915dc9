"""A person writes in a draft: only what a channel knows, and never what the record says."""

import pytest

from tests.reporting.gathered import gathered, item
from tutela.errors import InvalidInputError, NotFoundError
from tutela.reporting.drafts.drafting import Draft, draft
from tutela.reporting.drafts.writing import changed, read_value


@pytest.fixture
def made() -> Draft:
    return draft(gathered(item(17)))


def test_a_field_is_written_changed_and_taken_out(made: Draft) -> None:
    after = changed(made, {"incident_summary.incident_type": "enticement"})
    assert after.values["incident_summary"]["incident_type"] == "enticement"
    assert made.values["incident_summary"]["incident_type"] == "csam"
    gone = changed(after, {"person_or_user_reported": None})
    assert "person_or_user_reported" not in gone.values


def test_parts_that_are_not_there_are_begun(made: Draft) -> None:
    after = changed(
        made,
        {
            "victims.0.person.age": 13,
            "victims.0.school_name": "a school",
            "person_or_user_reported.person.emails.0.address": "a@example.org",
        },
    )
    assert after.values["victims"] == [{"person": {"age": 13}, "school_name": "a school"}]
    person = after.values["person_or_user_reported"]["person"]
    assert person == {"emails": [{"address": "a@example.org"}]}
    assert "victims" not in changed(after, {"victims.0": None}).values


def test_a_file_is_named_by_its_item(made: Draft) -> None:
    after = changed(made, {"files.17.industry_classification": "A1"})
    assert after.files[0].values["industry_classification"] == "A1"
    with pytest.raises(NotFoundError, match="no file of item 3"):
        changed(made, {"files.3.industry_classification": "A1"})


@pytest.mark.parametrize("field", ["file_viewed_by_esp", "exif_viewed_by_esp"])
def test_nobody_writes_that_a_file_was_viewed(made: Draft, field: str) -> None:
    with pytest.raises(InvalidInputError, match="the record of viewings"):
        changed(made, {f"files.17.{field}": True})
    with pytest.raises(InvalidInputError, match=r"files\.ITEM\.FIELD"):
        changed(made, {"files.17": {field: True}})
    with pytest.raises(InvalidInputError, match=r"files\.ITEM\.FIELD"):
        changed(made, {"files": []})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("person_or_user_reported.religion", "a faith"),
        ("bystanders", [{"screen_name": "somebody"}]),
        ("incident_summary.incident_type", "other"),
        ("incident_summary.incident_date_time", "yesterday"),
        ("incident_summary.incident_type.more", "csam"),
        ("victims.1.person.age", 13),
        ("victims.x.person.age", 13),
        ("internet_details.0", {}),
        ("files.17.file_relevance", "of some"),
    ],
)
def test_what_no_channel_knows_is_refused(made: Draft, field: str, value) -> None:
    with pytest.raises(InvalidInputError):
        changed(made, {field: value})


def test_what_is_taken_out_may_be_missing_until_somebody_writes_it_anew(made: Draft) -> None:
    field = "reporter.reporting_person.emails.0.address"
    without = changed(made, {field: None})
    assert without.values["reporter"]["reporting_person"]["emails"] == [{}]
    assert changed(without, {field: "desk@house.example"}) == changed(
        made, {field: "desk@house.example"}
    )
    with pytest.raises(InvalidInputError):
        changed(without, {field: "no address"})


def test_a_refusal_does_not_repeat_what_was_written(made: Draft) -> None:
    with pytest.raises(InvalidInputError) as refused:
        changed(made, {"incident_summary.incident_type": "words of somebody"})
    assert "words of somebody" not in refused.value.message
    assert "incident_type" in refused.value.message


def test_a_value_is_json_or_text() -> None:
    assert [read_value(each) for each in ("true", "13", '["a"]', "csam", "a b")] == [
        True, 13, ["a"], "csam", "a b",
    ]  # fmt: skip
    assert read_value("[" * 100_000) == "[" * 100_000
