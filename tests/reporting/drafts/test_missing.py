"""What a draft lacks is told in words, what nobody can sign without first."""

from tests.reporting.gathered import gathered, item
from tutela.cases.model import ItemKind
from tutela.reporting.cybertipline.model import FileDescription, Report
from tutela.reporting.cybertipline.shape import elements
from tutela.reporting.drafts.drafting import draft
from tutela.reporting.drafts.missing import known_gaps, missing
from tutela.storage.settings import Company


def lacks(known) -> list[str]:
    made = draft(known)
    return [each.field for each in missing(made.values, [each.values for each in made.files])]


def test_a_case_of_words_of_which_nobody_said_what_it_is_lacks_its_kind() -> None:
    found = lacks(gathered(item(kind=ItemKind.TEXT), company=Company()))
    assert found[:2] == ["incident_summary.incident_type", "reporter.reporting_person.emails"]


def test_of_a_part_that_is_missing_its_own_parts_are_not_told() -> None:
    found = lacks(gathered(subject=None))
    assert "person_or_user_reported" in found
    assert not any(each.startswith("person_or_user_reported.") for each in found)
    assert "person_or_user_reported.ip_capture_events" in lacks(gathered())


def test_only_what_helps_in_such_an_incident_is_asked_for() -> None:
    assert "victims" not in lacks(gathered())
    enticement = gathered(item(kind=ItemKind.TEXT), labels=frozenset({"inhope/context-grooming"}))
    assert "victims" in lacks(enticement)
    assert not any(each.startswith("files.") for each in lacks(enticement))


def test_each_file_is_told_by_its_place_but_what_is_beside_needs_no_class() -> None:
    two = gathered(item(1, labels=frozenset({"industry/A1"})), item(2))
    found = lacks(two)
    assert "files.0.industry_classification" not in found
    assert "files.1.industry_classification" not in found
    assert {"files.0.publicly_available", "files.1.publicly_available"} <= set(found)
    assert "files.0.industry_classification" in lacks(gathered(item()))


def test_every_gap_is_a_field_of_the_content_model() -> None:
    for gap in known_gaps():
        names = gap.split(".")
        model = Report
        if names[0] == "files":
            model, names = FileDescription, names[1:]
        for name in names:
            part = next(each for each in elements(model).values() if each.field == name)
            model = part.content
